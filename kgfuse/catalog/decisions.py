"""Decisions of people, in the catalog: they survive builds, and go with the source that they are about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

from sqlalchemy import Table, delete, select

from kgfuse.catalog.database import Database, upsert
from kgfuse.catalog.rows import DecisionRow
from kgfuse.catalog.schema import DecisionTable, SourceTable
from kgfuse.errors import UsageError

_DECISION = cast(Table, DecisionTable.__table__)
_SOURCE = cast(Table, SourceTable.__table__)
_KEY = ("source", "content", "key")


class Decisions:
    """The decisions of one catalog; there is one at most on a statement of a source as it was at one time.

    Args:
        database: of the catalog; a call joins the transaction that is open.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, row: DecisionRow) -> None:
        """Keep a decision, in place of an earlier one on the same statement.

        Raises:
            UsageError: no source has that name.
        """
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        values = {c.name: getattr(row, c.name) for c in _DECISION.columns}
        values |= {"payload": dict(row.payload), "decided_at": row.decided_at or now}
        with self._database.write() as connection:
            if connection.execute(select(_SOURCE.c.name).where(_SOURCE.c.name == row.source)).first() is None:
                raise UsageError(f"no source is called {row.source!r}", remedy="see `kgfuse info`")
            upsert(connection, _DECISION, [values], _KEY)

    def all(self) -> list[DecisionRow]:
        """Every decision, by source, content and key."""
        with self._database.read() as connection:
            rows = connection.execute(select(_DECISION).order_by(*(_DECISION.c[k] for k in _KEY)))
            return [DecisionRow(**row._mapping) for row in rows]

    def remove(self, row: DecisionRow) -> bool:
        """Take a decision back; false when it is not there."""
        where = (_DECISION.c.source == row.source) & (_DECISION.c.content == row.content) & (_DECISION.c.key == row.key)
        with self._database.write() as connection:
            return connection.execute(delete(_DECISION).where(where)).rowcount > 0
