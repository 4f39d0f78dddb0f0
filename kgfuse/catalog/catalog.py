"""The catalog: what the workspace holds beside its graph, in one SQLite file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, cast

from sqlalchemy import Row, Table, delete, func, select

from kgfuse.catalog.database import Database, upsert
from kgfuse.catalog.decisions import Decisions
from kgfuse.catalog.identities import Identities
from kgfuse.catalog.rows import ItemRow, ModelRow, ProblemRow, SourceRow
from kgfuse.catalog.schema import (
    ExtractionTable,
    ItemTable,
    ModelTable,
    ProblemTable,
    SourceTable,
    StateTable,
)
from kgfuse.errors import UsageError
from kgfuse.terms.mentions import SourceKind

FILE_NAME: Final = "catalog.sqlite"

_SOURCE = cast(Table, SourceTable.__table__)
_ITEM = cast(Table, ItemTable.__table__)
_EXTRACTION = cast(Table, ExtractionTable.__table__)
_PROBLEM = cast(Table, ProblemTable.__table__)
_MODEL = cast(Table, ModelTable.__table__)
_STATE = cast(Table, StateTable.__table__)


class Catalog:
    """Sources, items, extractions, problems, models and build marks of one workspace.

    Every call is a transaction of its own; ``with catalog.transaction():`` joins several into one.

    Attributes:
        decisions: what people decided on statements.
        identities: what people decided on names.

    Args:
        folder: the workspace's folder, which must exist; the file in it is created where missing.
        read_only: never write.

    Raises:
        WorkspaceError: from any call, when the file is locked, damaged, newer than this kgfuse, or the disk is full.
    """

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        self.path = folder / FILE_NAME
        self._database = Database(self.path, read_only=read_only)
        self.decisions = Decisions(self._database)
        self.identities = Identities(self._database)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All calls of this thread inside the block are written together or not at all."""
        with self._database.write():
            yield

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    # sources

    def add_source(self, row: SourceRow) -> None:
        """Add a source, or replace the one of that name."""
        self.add_sources([row])

    def add_sources(self, rows: Iterable[SourceRow]) -> int:
        """Add or replace many sources in one transaction; returns how many."""
        with self._database.write() as connection:
            return upsert(connection, _SOURCE, (_source_values(row) for row in rows), ("name",))

    def sources(
        self, kind: SourceKind | None = None, item: str | None = None, parent: str | None = None
    ) -> list[SourceRow]:
        """Sources in order of their names, of that kind, item and parent where given."""
        query = select(_SOURCE).order_by(_SOURCE.c.name)
        for column, value in ((_SOURCE.c.kind, kind), (_SOURCE.c.item, item), (_SOURCE.c.parent, parent)):
            if value is not None:
                query = query.where(column == value)
        with self._database.read() as connection:
            return [_source_row(row) for row in connection.execute(query)]

    def source(self, name: str) -> SourceRow | None:
        """The source of that name."""
        with self._database.read() as connection:
            row = connection.execute(select(_SOURCE).where(_SOURCE.c.name == name)).first()
        return None if row is None else _source_row(row)

    def remove_source(self, name: str) -> bool:
        """Forget a source and all extractions from it; false when there is none of that name."""
        with self._database.write() as connection:
            return connection.execute(delete(_SOURCE).where(_SOURCE.c.name == name)).rowcount > 0

    # items

    def put_item(self, row: ItemRow) -> None:
        """Add an item, or replace the one with that IRI."""
        self.put_items([row])

    def put_items(self, rows: Iterable[ItemRow]) -> int:
        """Add or replace many items in one transaction; returns how many."""
        with self._database.write() as connection:
            return upsert(connection, _ITEM, (_item_values(row) for row in rows), ("iri",))

    def items(self, manifest: str | None = None, split: str | None = None) -> list[ItemRow]:
        """Items in order of their IRIs, of that manifest and split where given."""
        query = select(_ITEM).order_by(_ITEM.c.iri)
        for column, value in ((_ITEM.c.manifest, manifest), (_ITEM.c.split, split)):
            if value is not None:
                query = query.where(column == value)
        with self._database.read() as connection:
            return [_item_row(row) for row in connection.execute(query)]

    def item(self, iri: str) -> ItemRow | None:
        """The item with that IRI."""
        with self._database.read() as connection:
            row = connection.execute(select(_ITEM).where(_ITEM.c.iri == iri)).first()
        return None if row is None else _item_row(row)

    def remove_item(self, iri: str) -> bool:
        """Forget an item; false when there is none with that IRI."""
        with self._database.write() as connection:
            return connection.execute(delete(_ITEM).where(_ITEM.c.iri == iri)).rowcount > 0

    def remove_items_of(self, source: str) -> int:
        """Forget the items that this manifest declared; returns how many."""
        with self._database.write() as connection:
            return connection.execute(delete(_ITEM).where(_ITEM.c.manifest == source)).rowcount

    # extractions

    def put_extraction(self, source: str, key: str, run: str, payload: bytes, seconds: float) -> None:
        """Keep all that one run found in one source. ``key`` names the source's content and the extractor's settings.

        Raises:
            UsageError: no source has that name.
        """
        values = {"source": source, "key": key, "run": run, "payload": payload, "seconds": seconds}
        with self._database.write() as connection:
            if connection.execute(select(_SOURCE.c.name).where(_SOURCE.c.name == source)).first() is None:
                raise UsageError(f"no source is called {source!r}", remedy="add it before its extraction")
            upsert(connection, _EXTRACTION, [values], ("source", "key"))

    def extraction(self, source: str, key: str) -> bytes | None:
        """The payload kept under that key, or ``None``."""
        where = (_EXTRACTION.c.source == source) & (_EXTRACTION.c.key == key)
        with self._database.read() as connection:
            return connection.execute(select(_EXTRACTION.c.payload).where(where)).scalar()

    def extraction_keys(self, source: str | None = None) -> set[tuple[str, str]]:
        """(source, key) of what is there, without reading it."""
        query = select(_EXTRACTION.c.source, _EXTRACTION.c.key)
        if source is not None:
            query = query.where(_EXTRACTION.c.source == source)
        with self._database.read() as connection:
            return {(row.source, row.key) for row in connection.execute(query)}

    def remove_extractions(self, source: str, keep: Iterable[str] = ()) -> int:
        """Forget the source's extractions except those under the keys to keep; returns how many went."""
        where = (_EXTRACTION.c.source == source) & _EXTRACTION.c.key.not_in(list(keep))
        with self._database.write() as connection:
            return connection.execute(delete(_EXTRACTION).where(where)).rowcount

    # problems

    def record_problem(self, place: str, stage: str, message: str, remedy: str = "") -> None:
        """Note what could not be used; the same problem is noted once."""
        values = {"place": place, "stage": stage, "message": message, "remedy": remedy, "noted_at": _now()}
        with self._database.write() as connection:
            upsert(connection, _PROBLEM, [values], ("place", "stage", "message"))

    def problems(self, stage: str | None = None) -> list[ProblemRow]:
        """Problems by place, then in the order they were noted."""
        query = select(_PROBLEM).order_by(_PROBLEM.c.place, _PROBLEM.c.id)
        if stage is not None:
            query = query.where(_PROBLEM.c.stage == stage)
        with self._database.read() as connection:
            return [ProblemRow(r.place, r.stage, r.message, r.remedy, r.noted_at) for r in connection.execute(query)]

    def clear_problem(self, place: str | None = None, stage: str | None = None) -> int:
        """Forget problems of that place (its lines and what is below it too) and stage; of all where none is given."""
        query = delete(_PROBLEM)
        if place is not None:
            query = query.where(
                (_PROBLEM.c.place == place)
                | _PROBLEM.c.place.startswith(place + ":", autoescape=True)
                | _PROBLEM.c.place.startswith(place + "/", autoescape=True)
            )
        if stage is not None:
            query = query.where(_PROBLEM.c.stage == stage)
        with self._database.write() as connection:
            return connection.execute(query).rowcount

    # models

    def put_model(self, row: ModelRow) -> None:
        """Add a trained model, or replace the one of that name."""
        values = {
            "name": row.name,
            "folder": row.folder,
            "sha256": row.sha256,
            "targets": list(row.targets),
            "created_at": row.created_at or _now(),
            "config": dict(row.config),
            "metrics": dict(row.metrics),
        }
        with self._database.write() as connection:
            upsert(connection, _MODEL, [values], ("name",))

    def models(self) -> list[ModelRow]:
        """Trained models, oldest first."""
        with self._database.read() as connection:
            query = select(_MODEL).order_by(_MODEL.c.created_at, _MODEL.c.name)
            return [_model_row(row) for row in connection.execute(query)]

    def model(self, name: str) -> ModelRow | None:
        """The model of that name."""
        with self._database.read() as connection:
            row = connection.execute(select(_MODEL).where(_MODEL.c.name == name)).first()
        return None if row is None else _model_row(row)

    def remove_model(self, name: str) -> bool:
        """Forget a model; false when there is none of that name."""
        with self._database.write() as connection:
            return connection.execute(delete(_MODEL).where(_MODEL.c.name == name)).rowcount > 0

    # state

    def get_state(self, key: str) -> str | None:
        """The mark under that key, or ``None``."""
        with self._database.read() as connection:
            return connection.execute(select(_STATE.c.value).where(_STATE.c.key == key)).scalar()

    def set_state(self, key: str, value: str | None) -> None:
        """Set a mark; ``None`` takes it away."""
        with self._database.write() as connection:
            if value is None:
                connection.execute(delete(_STATE).where(_STATE.c.key == key))
            else:
                upsert(connection, _STATE, [{"key": key, "value": value}], ("key",))

    def states(self, prefix: str = "") -> dict[str, str]:
        """All marks whose key starts with the prefix."""
        query = select(_STATE).where(_STATE.c.key.startswith(prefix, autoescape=True)).order_by(_STATE.c.key)
        with self._database.read() as connection:
            return {row.key: row.value for row in connection.execute(query)}

    def counts(self) -> dict[str, int]:
        """Rows a table."""
        tables = (_SOURCE, _ITEM, _EXTRACTION, _PROBLEM, _MODEL)
        with self._database.read() as connection:
            return {t.name: connection.execute(select(func.count()).select_from(t)).scalar_one() for t in tables}

    def blobs_in_use(self) -> set[str]:
        """SHA-256 of every blob that a source needs: what garbage collection keeps."""
        with self._database.read() as connection:
            rows = connection.execute(select(_SOURCE.c.sha256, _SOURCE.c.text_sha256))
            return {sha for row in rows for sha in row if sha is not None}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _source_values(row: SourceRow) -> dict[str, Any]:
    values = {column.name: getattr(row, column.name) for column in _SOURCE.columns}
    return {**values, "added_at": row.added_at or _now(), "meta": dict(row.meta)}


def _source_row(row: Row[Any]) -> SourceRow:
    return SourceRow(**row._mapping)


def _item_values(row: ItemRow) -> dict[str, Any]:
    return {
        "iri": row.iri,
        "identifier": row.identifier,
        "label": row.label,
        "types": list(row.types),
        "manifest": row.manifest,
        "split": row.split,
        "labels": {target: list(values) for target, values in row.labels.items()},
        "links": {target: list(values) for target, values in row.links.items()},
        "meta": dict(row.meta),
    }


def _item_row(row: Row[Any]) -> ItemRow:
    values = dict(row._mapping)
    values["types"] = tuple(values["types"])
    for column in ("labels", "links"):
        values[column] = {key: tuple(entries) for key, entries in values[column].items()}
    return ItemRow(**values)


def _model_row(row: Row[Any]) -> ModelRow:
    values = dict(row._mapping)
    values["targets"] = tuple(values["targets"])
    return ModelRow(**values)
