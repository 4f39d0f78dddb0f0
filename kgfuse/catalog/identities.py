"""What people decided on names: that two mean one thing, or do not. It outlives builds and sources."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

from sqlalchemy import Table, delete, insert, select

from kgfuse.catalog.database import Database
from kgfuse.catalog.rows import IdentityRow
from kgfuse.catalog.schema import IdentityTable

_IDENTITY = cast(Table, IdentityTable.__table__)


class Identities:
    """The decisions of one catalog on pairs of names; there is one at most on a pair, whichever way round.

    Args:
        database: of the catalog; a call joins the transaction that is open.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, row: IdentityRow) -> None:
        """Keep a decision, in place of an earlier one on the same pair."""
        values = {c.name: getattr(row, c.name) for c in _IDENTITY.columns}
        values["decided_at"] = row.decided_at or datetime.now(UTC).isoformat(timespec="microseconds")
        with self._database.write() as connection:
            self.remove(row.a, row.b)
            connection.execute(insert(_IDENTITY), [values])

    def all(self) -> list[IdentityRow]:
        """Every decision, by its names."""
        with self._database.read() as connection:
            rows = connection.execute(select(_IDENTITY).order_by(_IDENTITY.c.a, _IDENTITY.c.b))
            return [IdentityRow(**row._mapping) for row in rows]

    def remove(self, a: str, b: str) -> bool:
        """Take a decision back; false when there is none."""
        pairs = ((_IDENTITY.c.a == a) & (_IDENTITY.c.b == b)) | ((_IDENTITY.c.a == b) & (_IDENTITY.c.b == a))
        with self._database.write() as connection:
            return connection.execute(delete(_IDENTITY).where(pairs)).rowcount > 0
