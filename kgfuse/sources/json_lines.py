"""JSON Lines as a table: records become rows, keys columns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from pydantic_core import from_json

from kgfuse.errors import SourceError
from kgfuse.sources.lines import CELLS, CHARACTERS, Piece, ends, of_columns

_ROWS: Final = 10_000
_HELD: Final = 20_000_000


def opened(path: Path, where: str, encoding: str) -> tuple[list[str], Iterable[Piece]]:
    """The columns of a file, and its rows; columns are the keys of the first records, in the order in which they come.

    Args:
        path: the file.
        where: what to call it in errors.
        encoding: of its text.

    Raises:
        SourceError: a line is no JSON object, while the rows are gone through; names the line.
        ValueError: a line is no JSON, likewise.
    """
    columns: dict[str, None] = {}
    held: list[Piece] = []
    looked = size = 0
    left = _records(path, where, encoding)
    for numbers, records, length in left:
        for keys in dict.fromkeys(map(tuple, records[: _ROWS - looked])):
            columns.update(dict.fromkeys(keys))
        looked += len(records)
        size += length
        held += _record_pieces(numbers, records, tuple(columns))
        if size > _HELD:  # too much to be kept: read again
            held.clear()
        if looked >= _ROWS:
            break
    again = _records(path, where, encoding) if size > _HELD else left
    names = tuple(columns)
    further = (piece for numbers, records, _ in again for piece in _record_pieces(numbers, records, names))
    return list(columns), chain((_widened(piece, len(names)) for piece in held), further)


def _parsed(line: str) -> Any:
    """A line of JSON by pydantic's parser, which is fast, else by Python's, which takes more (halves of characters)."""
    try:
        return from_json(line)
    except ValueError:
        return json.loads(line)


def _records(path: Path, where: str, encoding: str) -> Iterator[tuple[list[int], list[dict[str, Any]], int]]:
    """Records of lines, with the numbers of these, and how many characters they are."""
    number = 0
    with path.open(encoding=encoding) as f:
        while lines := f.readlines(CHARACTERS):
            numbers = list(range(number + 1, number + 1 + len(lines)))
            number += len(lines)
            if any(map(str.isspace, lines)):
                numbers = [n for n, line in zip(numbers, lines, strict=True) if not line.isspace()]
                lines = [line for line in lines if not line.isspace()]
            yield numbers, _of_lines(lines, numbers, where), sum(map(len, lines))


def _of_lines(lines: Sequence[str], numbers: Sequence[int], where: str) -> list[dict[str, Any]]:
    with suppress(ValueError):  # which is raised again below
        found = list(map(from_json, lines))
        if set(map(type, found)) == {dict}:
            return found
    records = []  # not all are fine: one by one, so that the first that is not is told
    for number, text in zip(numbers, lines, strict=True):
        record = _parsed(text)
        if not isinstance(record, dict):
            raise SourceError("not a JSON object", where=f"{where}:{number}", remedy="one object a line")
        records.append(record)
    return records


def _record_pieces(numbers: Sequence[int], records: list[dict[str, Any]], columns: tuple[str, ...]) -> Iterator[Piece]:
    """Records as rows of the columns; where they are plain, their lines are all that is kept of them."""
    step = max(1, CELLS // max(1, len(columns)))
    for start in range(0, len(records), step):
        told, part = numbers[start : start + step], records[start : start + step]
        text = of_columns(zip(*_rows(part, columns), strict=True))
        is_plain = ends(text, len(part), len(columns)) is not None
        yield Piece(told, text, partial(_split, text)) if is_plain else Piece(told, None, partial(_rows, part, columns))


def _rows(records: list[dict[str, Any]], columns: tuple[str, ...]) -> list[tuple[Any, ...]]:
    if len(columns) > 1:
        with suppress(KeyError):  # not all have all keys
            return list(map(itemgetter(*columns), records))
    return [tuple(map(record.get, columns)) for record in records]


def _split(text: str) -> list[list[str]]:
    return [line.split("\t") for line in text.split("\n")[:-1]]


def _widened(piece: Piece, width: int) -> Piece:
    """A piece with blank cells for the columns that came up after it."""
    if piece.text is None:
        return piece
    missing = width - 1 - piece.text.count("\t", 0, piece.text.index("\n"))
    text = piece.text.replace("\n", "\t" * missing + "\n") if missing else piece.text
    return replace(piece, text=text)
