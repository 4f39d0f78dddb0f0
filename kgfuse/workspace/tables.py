"""Tables as they are added: rows become items, cells are checked, and the mapping is kept with the table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from kgfuse.catalog import SourceRow
from kgfuse.errors import KgfuseError, SourceError, UsageError
from kgfuse.ontology import Vocabulary
from kgfuse.sources import columns as table_columns
from kgfuse.sources.cells import TYPES, short
from kgfuse.sources.columns import BadCell, Column, Columns
from kgfuse.sources.identify import Identified
from kgfuse.sources.mapping import ColumnForm, TableMapping, filled, load
from kgfuse.sources.places import TablePlaces, dumps
from kgfuse.sources.tables import CSV, JSON_LINES
from kgfuse.terms.namespaces import KGF, RDFS, XSD
from kgfuse.workspace.landing import Landing
from kgfuse.workspace.links import Names
from kgfuse.workspace.manifest import Entry
from kgfuse.workspace.manifests import add_entries
from kgfuse.workspace.mounts import absolute

_SHOWN: Final = 50
_UNITS: Final = "http://qudt.org/vocab/unit/"
_TEXT_TABLES: Final = {".csv": CSV, ".tsv": CSV, ".jsonl": JSON_LINES, ".ndjson": JSON_LINES}
TABLES: Final = frozenset({*_TEXT_TABLES, ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".parquet"})
"""How files are called that a mapping beside them makes a table."""


def media_type_of(identified: Identified) -> str:
    """What kind of table a file with a mapping is.

    Raises:
        SourceError: it is none.
    """
    if identified.kind == "table":
        return identified.media_type
    found = _TEXT_TABLES.get(identified.path.suffix.lower())
    if found is None:
        raise SourceError("has a mapping, but is no table", where=identified.path, remedy="rename the mapping")
    return found


def add_table(landing: Landing, identified: Identified, mapping: Path, base: Path) -> set[Path]:
    """Add a table by its mapping; return the files that belong to it.

    A bad cell is a problem with its row and column; the rest goes on.
    """
    path = identified.path
    name, where = landing.name(path, base), landing.shown(path)
    belonging = {absolute(path), absolute(mapping)}
    landing.catalog.clear_problem(name, "add")
    if landing.on_file is not None:
        landing.on_file(name)
    try:
        media_type = media_type_of(identified)
        said = load(mapping)
        resolved = _resolved(said, landing.vocabulary, mapping)
        text, places = landing.sandbox.table(path, media_type, said.table, where, landing.encoding)
        _check_columns(text, said, where)
        sha256 = landing.blobs.put(path)
    except (SourceError, OSError) as e:
        landing.problem(name, e if isinstance(e, SourceError) else SourceError(f"cannot be read: {e}", where=where))
        return belonging
    row = SourceRow(
        name=name,
        location=where,
        kind="table",
        media_type=media_type,
        sha256=sha256,
        text_sha256=landing.blobs.put_text(text),
        size=path.stat().st_size,
        meta={"mapping": resolved.model_dump_json(), "places": landing.blobs.put(dumps(places))},
    )
    problems = _Problems(landing, name, where)
    entries = list(_entries(text, said, places, problems))
    for bad in table_columns.cells(text, resolved):
        if isinstance(bad, BadCell):
            problems.add(
                places.numbers[bad.row], f"column {bad.column!r}: {bad.problem}", "mend the cell or the mapping"
            )
    problems.end()
    if not entries:
        landing.problem(
            name, SourceError("has no row with an id", where=where, remedy="mend id in the mapping's [item]")
        )
        return belonging
    return belonging | add_entries(landing, entries, row, path, base)


class _Problems:
    """Problems of cells, each with its row; only so many are listed."""

    def __init__(self, landing: Landing, name: str, where: str) -> None:
        self._landing, self._name, self._where = landing, name, where
        self._count = 0

    def add(self, row: int, what: str, remedy: str) -> None:
        """Note one."""
        self._count += 1
        if self._count <= _SHOWN:
            self._landing.problem(f"{self._name}:{row}", SourceError(what, where=f"{self._where}:{row}", remedy=remedy))

    def end(self) -> None:
        """Note how many were not listed."""
        if self._count > _SHOWN:
            what = f"{self._count - _SHOWN:,} more rows or cells are bad"
            self._landing.problem(self._name, SourceError(what, where=self._where, remedy="mend what is listed first"))


def _entries(text: str, said: TableMapping, places: TablePlaces, problems: _Problems) -> Iterator[Entry]:
    """An item a row."""
    form = said.item
    seen: dict[str, int] = {}
    for number, (_, cells) in zip(places.numbers, table_columns.rows(text), strict=True):
        row = {name: cell for name, (_, cell) in cells.items()}
        identifier = filled(form.id, row)
        if not identifier:
            problems.add(number, f"has nothing for the id {form.id!r}", "fill the cell, or leave the row out")
            continue
        if identifier in seen:
            problems.add(number, f"id {identifier!r} stands in row {seen[identifier]} already", "give each row its own")
            continue
        seen[identifier] = number
        images = filled(form.images, row)
        try:
            yield Entry(
                id=identifier,
                name=filled(form.name, row) or None,
                type=filled(form.type, row) or None,
                text=filled(form.text, row) or None,
                images=tuple(part.strip() for part in images.split("|") if part.strip()),
                label=filled(form.label, row) or None,
                split=filled(form.split, row) or None,
                group=filled(form.group, row) or None,
                line=number,
            )
        except ValidationError as e:
            first = e.errors()[0]
            problems.add(number, f"{'.'.join(map(str, first['loc']))}: {first['msg']}", "mend the row")


def _check_columns(text: str, said: TableMapping, where: str) -> None:
    """Refuse a mapping of columns that the table does not have.

    Raises:
        SourceError: names them.
    """
    known = text.partition("\n")[0].split("\t")
    missing = sorted((said.item.columns() | said.columns.keys()) - set(known))
    if missing:
        raise SourceError(
            f"has no column {', '.join(map(repr, missing))}",
            where=where,
            remedy=f"its columns are {', '.join(filter(None, known[:20]))}; mend the mapping, or [table] header",
        )


def _resolved(said: TableMapping, vocabulary: Vocabulary, mapping: Path) -> Columns:
    """The mapping with IRIs for names.

    Raises:
        SourceError: a property, datatype or unit that nothing knows; names the column.
    """
    names = Names(vocabulary, {})
    found = []
    for name, form in said.columns.items():
        try:
            found.append(_column(name, form, names))
        except (UsageError, KgfuseError) as e:
            raise SourceError(f"columns.{name}: {e.what}", where=mapping, remedy=e.remedy) from e
    return Columns(id=said.item.id, columns=tuple(found))


def _column(name: str, form: ColumnForm, names: Names) -> Column:
    iri = names.property(form.property)
    known = names.vocabulary.properties.get(iri)
    if known is None and not iri.startswith((KGF, RDFS)):
        raise UsageError(
            f"the ontologies of this workspace have no property {form.property!r}",
            remedy="see `kgfuse ontologies show PACK`",
        )
    datatype = ""
    if form.datatype is not None:
        datatype = short(form.datatype)
        if not datatype:
            raise UsageError(f"no datatype is called {form.datatype!r}", remedy=f"one of {', '.join(sorted(TYPES))}")
    elif known is None or known.kind != "object":
        ranges = [short(r) for r in known.range if r.startswith(XSD)] if known is not None else []
        datatype = next(filter(None, ranges), "string")
    unit = form.unit or ""
    if unit.startswith("unit:"):
        unit = _UNITS + unit.removeprefix("unit:")
    elif unit:
        unit = names.vocabulary.expand(unit)
    return Column(
        name=name,
        property=iri,
        datatype=datatype,
        unit=unit,
        decimal=form.decimal,
        missing=form.missing,
        separator=form.separator or "",
        refers=form.refers,
        language=form.language,
    )
