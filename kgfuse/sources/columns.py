"""A table's mapping with all names resolved, and what it makes of each cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from kgfuse.sources.cells import literal
from kgfuse.sources.mapping import filled
from kgfuse.terms.namespaces import XSD, item_iri


class Column(BaseModel):
    """A column that says something of the row's item.

    Attributes:
        name: of the column.
        property: IRI.
        datatype: local name of an XSD type; empty for things.
        unit: IRI, or empty.
        decimal, missing, separator, refers, language: see ``kgfuse.sources.mapping``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    property: str
    datatype: str = ""
    unit: str = ""
    decimal: str = "."
    missing: tuple[str, ...] = ()
    separator: str = ""
    refers: str = "name"
    language: str = ""


class Columns(BaseModel):
    """All columns that say something, and how a row names its item."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    columns: tuple[Column, ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell says.

    Args:
        item: identifier of the row's item.
        column: name of the column.
        property: IRI.
        start: offset of the characters in the table's text.
        exact: the characters.
        lexical, datatype, unit, language: of a literal; ``datatype`` is empty for a thing.
        iri: of a thing that is named by its identifier.
    """

    item: str
    column: str
    property: str
    start: int
    exact: str
    lexical: str = ""
    datatype: str = ""
    unit: str = ""
    language: str = ""
    iri: str = ""


@dataclass(frozen=True, slots=True)
class BadCell:
    """A cell that is not what its column's mapping says; ``row`` counts the text's rows from 0."""

    row: int
    column: str
    problem: str


def rows(text: str) -> Iterator[tuple[int, dict[str, tuple[int, str]]]]:
    """Each row's offset, and its cells by column, with the offset of each."""
    lines = text.split("\n")
    names = lines[0].split("\t")
    at = len(lines[0]) + 1
    for line in lines[1:]:
        if not line:
            continue
        found: dict[str, tuple[int, str]] = {}
        start = at
        for name, cell in zip(names, line.split("\t"), strict=False):
            found.setdefault(name, (start, cell))
            start += len(cell) + 1
        yield at, found
        at += len(line) + 1


def cells(text: str, mapping: Columns) -> Iterator[Cell | BadCell]:
    """What the mapped cells of a table say, row by row; a row without an identifier says nothing."""
    for number, (_, row) in enumerate(rows(text)):
        item = filled(mapping.id, {name: cell for name, (_, cell) in row.items()})
        if not item:
            continue
        for column in mapping.columns:
            start, cell = row.get(column.name, (0, ""))
            for offset, value in _values(cell, column.separator):
                if value and value not in column.missing:
                    yield _cell(number, item, column, start + offset, value)


def _values(cell: str, separator: str) -> Iterator[tuple[int, str]]:
    """The values in a cell, each with its offset, without the space around it."""
    at = 0
    for piece in cell.split(separator) if separator else (cell,):
        value = piece.strip()
        yield at + piece.find(value) if value else at, value
        at += len(piece) + len(separator)


def _cell(number: int, item: str, column: Column, start: int, value: str) -> Cell | BadCell:
    if not column.datatype:
        iri = item_iri(value) if column.refers == "id" else ""
        return Cell(item, column.name, column.property, start, value, iri=iri)
    try:
        lexical = literal(value, column.datatype, column.decimal)
    except ValueError as e:
        return BadCell(number, column.name, str(e))
    datatype = XSD + column.datatype
    language = column.language if column.datatype == "string" else ""
    if language:
        datatype = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"
    return Cell(item, column.name, column.property, start, value, lexical, datatype, column.unit, language)
