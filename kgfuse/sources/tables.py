"""CSV, TSV, JSON Lines, Excel, OpenDocument and Parquet as one kind of table: text cells in rows, read in pieces."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

import numpy as np

from kgfuse.errors import SourceError
from kgfuse.sources import json_lines
from kgfuse.sources.decoding import detect, marked, wide
from kgfuse.sources.lines import CELLS, CHARACTERS, MAX_CELL, Piece, cell_text, ends, line, of_columns, of_rows
from kgfuse.sources.mapping import TableForm
from kgfuse.sources.places import TablePlaces

if TYPE_CHECKING:
    import numpy.typing as npt
    import polars as pl

MAX_ROWS: Final = 1_000_000
MAX_COLUMNS: Final = 1_000
MAX_CHARACTERS: Final = 200_000_000
MAX_UNPACKED: Final = 1_000_000_000
_ROWS: Final = 10_000
CSV: Final = "text/csv"
JSON_LINES: Final = "application/jsonl"
PARQUET: Final = "application/vnd.apache.parquet"


def read(path: Path, media_type: str, form: TableForm, where: str, encoding: str | None, into: Path) -> TablePlaces:
    """Write a table's text to ``into``: a line a row, cells divided by tabs, the first line names the columns.

    Args:
        path: the file.
        media_type: what it is.
        form: how it is laid out.
        where: what to call it in errors.
        encoding: of CSV and JSON Lines, where a person named it.
        into: file for the text.

    Raises:
        SourceError: it cannot be read, or is too large.
    """
    try:
        columns, pieces = _opened(path, media_type, form, where, encoding)
        return _written(columns, pieces, where, into)
    except (zipfile.BadZipFile, OSError, ValueError, csv.Error, RecursionError, OverflowError) as e:
        raise SourceError(f"is a damaged table: {e}"[:400], where=where, remedy="save it anew") from e


def _written(columns: Sequence[str], pieces: Iterable[Piece], where: str, into: Path) -> TablePlaces:
    if not columns or not any(columns):
        raise SourceError("names no columns", where=where, remedy="say which row does: header in the mapping's [table]")
    if len(columns) > MAX_COLUMNS:
        raise SourceError(f"has more than {MAX_COLUMNS:,} columns", where=where, remedy="split it")
    starts, numbers = list[int](), list[int]()
    head = "\t".join(columns) + "\n"
    length = len(head)
    with into.open("w", encoding="utf-8", newline="") as f:
        f.write(head)
        for begins, told, text in _lines(pieces, len(columns)):
            if len(starts) + len(told) > MAX_ROWS or length > MAX_CHARACTERS:
                raise SourceError(f"has more than {MAX_ROWS:,} rows, or too long ones", where=where, remedy="split it")
            starts += (begins + length).tolist()
            numbers += told
            length += len(text)
            f.write(text)
    if not starts:
        raise SourceError("has no rows", where=where, remedy="leave it out")
    return TablePlaces(tuple(starts), tuple(numbers))


def _lines(pieces: Iterable[Piece], width: int) -> Iterator[tuple[npt.NDArray[np.int64], Sequence[int], str]]:
    """Lines of rows: where each begins, its number, and all of them as a text."""
    for piece in pieces:
        numbers, text = piece.numbers, piece.text or ""
        stops = ends(text, len(numbers), width)
        if stops is None:
            told = zip(numbers, (line(cells, width) for cells in piece.rows()), strict=True)
            kept = [(number, words) for number, words in told if words is not None]
            numbers, text = [number for number, _ in kept], "".join(f"{words}\n" for _, words in kept)
            stops = np.cumsum([len(words) + 1 for _, words in kept], dtype=np.int64) - 1
        yield np.concatenate(([0], stops[:-1] + 1)) if len(numbers) else stops, numbers, text


def _opened(
    path: Path, media_type: str, form: TableForm, where: str, encoding: str | None
) -> tuple[list[str], Iterable[Piece]]:
    if media_type == CSV:
        return _csv(path, form, where, encoding)
    if media_type == JSON_LINES:
        return json_lines.opened(path, where, _encoding(path, encoding))
    if media_type == PARQUET:
        return _parquet(path, where)
    return _sheet(path, form, where)


def _csv(path: Path, form: TableForm, where: str, encoding: str | None) -> tuple[list[str], Iterable[Piece]]:
    csv.field_size_limit(MAX_CELL * 4)
    file = path.open(encoding=_encoding(path, encoding), newline="")
    try:
        head = file.read(1 << 16)
        file.seek(0)
        delimiter = form.delimiter or _delimiter(head)
        rows = enumerate(csv.reader(file, delimiter=delimiter, strict=True), 1)
        columns = next((cells for number, cells in rows if number == form.header), [])
    except LookupError as e:
        raise SourceError(f"no encoding is called {encoding!r}", where=where, remedy="such as cp1252") from e
    return [cell_text(name) for name in columns], _csv_pieces(file, delimiter, form.header, len(columns))


def _csv_pieces(file: TextIO, delimiter: str, number: int, width: int) -> Iterator[Piece]:
    """The rows after those that were read, whose number is given; where nothing is quoted, signs tell the cells."""
    is_told = delimiter.isprintable() or delimiter == "\t"
    with file:
        while read := file.read(CHARACTERS):
            read += file.readline()
            text = read.replace("\r\n", "\n").removesuffix("\n") + "\n"
            if is_told and not ('"' in text or "\r" in text or (delimiter != "\t" and "\t" in text)):
                numbers = range(number + 1, number + 1 + text.count("\n"))
                yield Piece(numbers, text.replace(delimiter, "\t"), partial(_quoted, read, (), delimiter))
            else:
                rows = _quoted(read, file, delimiter)
                numbers = range(number + 1, number + 1 + len(rows))
                yield Piece(numbers, of_rows(rows, width), rows.copy)
            number = numbers.stop - 1


def _quoted(read: str, further: Iterable[str], delimiter: str) -> list[list[str]]:
    """The rows of a text, which takes as many further lines as its last row needs."""
    lines = list(io.StringIO(read, newline=""))
    reader = csv.reader(chain(lines, further), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    while reader.line_num < len(lines) and (row := next(reader, None)) is not None:
        rows.append(row)
    return rows


def _delimiter(head: str) -> str:
    line = next((line for line in head.splitlines() if line.strip()), "")
    return max(",;\t|", key=line.count)


def _encoding(path: Path, encoding: str | None) -> str:
    """What a person says, a byte order mark, UTF-8 where the beginning is that, else what it reads most like."""
    if encoding:
        return encoding
    with path.open("rb") as f:
        head = f.read(1 << 20)
    found = marked(head) or wide(head)
    if found:
        return found
    try:
        (head[: head.rfind(b"\n") + 1] or head).decode()
    except UnicodeDecodeError:
        return detect(head) or "utf-8"
    return "utf-8"


def _parquet(path: Path, where: str) -> tuple[list[str], Iterable[Piece]]:
    import polars as pl

    try:
        scan = pl.scan_parquet(path)
        columns = scan.collect_schema().names()
        count = scan.select(pl.len()).collect().item()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as e:
        raise SourceError(f"is a damaged Parquet file: {e}"[:300], where=where, remedy="save it anew") from e
    if count > MAX_ROWS:
        raise SourceError(f"has {count:,} rows, more than {MAX_ROWS:,}", where=where, remedy="split it")

    as_words = (pl.selectors.integer() | pl.selectors.boolean()).cast(pl.String)  # as cell_text writes them

    def pieces() -> Iterator[Piece]:
        for start in range(0, count, _ROWS):
            yield from _frame_pieces(scan.slice(start, _ROWS).with_columns(as_words).collect(), start + 1)

    return [cell_text(name) for name in columns], pieces()


def _frame_pieces(frame: pl.DataFrame, number: int) -> Iterator[Piece]:
    """All rows of a frame, whose first has that number."""
    step = max(1, CELLS // frame.width)
    for start in range(0, frame.height, step):
        part = frame.slice(start, step)
        numbers = range(number + start, number + start + part.height)
        yield Piece(numbers, of_columns(column.to_list() for column in part.iter_columns()), part.iter_rows)


def _sheet(path: Path, form: TableForm, where: str) -> tuple[list[str], Iterable[Piece]]:
    import fastexcel

    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > MAX_UNPACKED:
            raise SourceError(f"unpacks to {unpacked:,} bytes", where=where, remedy="split it")
    try:
        book = fastexcel.read_excel(path)
        sheet = form.sheet - 1 if isinstance(form.sheet, int) else form.sheet or 0
        held = book.load_sheet(sheet, header_row=None, dtypes="string")
        cells = held.to_polars()
    except fastexcel.FastExcelError as e:
        raise SourceError(
            f"cannot be read: {e}"[:300], where=where, remedy="check the sheet's name, or save it anew"
        ) from e
    columns = cells.row(form.header - 1) if form.header <= cells.height else ()
    return [cell_text(name) for name in columns], _frame_pieces(cells.slice(form.header), form.header + 1)
