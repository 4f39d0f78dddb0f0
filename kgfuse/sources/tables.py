"""CSV, TSV, JSON Lines, Excel, OpenDocument and Parquet as one kind of table: text cells in rows, read in pieces."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, islice
from pathlib import Path
from typing import Any, Final

from pydantic_core import from_json

from kgfuse.errors import SourceError
from kgfuse.sources.decoding import BOMS, detect, wide
from kgfuse.sources.mapping import TableForm
from kgfuse.sources.places import TablePlaces

MAX_ROWS: Final = 1_000_000
MAX_COLUMNS: Final = 1_000
MAX_CELL: Final = 32_767
MAX_CHARACTERS: Final = 200_000_000
MAX_UNPACKED: Final = 1_000_000_000
_PIECE: Final = 10_000
_ROWS: Final = 500
_CELLS: Final = 10_000
_HELD: Final = 20_000_000
_AS_SPACE: Final = {9: " ", 10: " "}
_SPACE: Final = re.compile(r"[\t\r\n\v\f\x00-\x08\x0e-\x1f\x7f\u2028\u2029\x85]+")
CSV: Final = "text/csv"
JSON_LINES: Final = "application/jsonl"
PARQUET: Final = "application/vnd.apache.parquet"

Row = tuple[int, Sequence[Any]]
"""Its number in the file, from 1 (the header's is 1 too), and its cells."""


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
        columns, rows = _opened(path, media_type, form, where, encoding)
        return _written(columns, rows, where, into)
    except (zipfile.BadZipFile, OSError, ValueError, csv.Error, RecursionError, OverflowError) as e:
        raise SourceError(f"is a damaged table: {e}"[:400], where=where, remedy="save it anew") from e


def _written(columns: Sequence[str], rows: Iterable[Row], where: str, into: Path) -> TablePlaces:
    if not columns or not any(columns):
        raise SourceError("names no columns", where=where, remedy="say which row does: header in the mapping's [table]")
    if len(columns) > MAX_COLUMNS:
        raise SourceError(f"has more than {MAX_COLUMNS:,} columns", where=where, remedy="split it")
    width = len(columns)
    starts, numbers = list[int](), list[int]()
    head = "\t".join(columns) + "\n"
    length = len(head)
    with into.open("w", encoding="utf-8", newline="") as f:
        f.write(head)
        left = iter(rows)
        while piece := list(islice(left, max(1, min(_ROWS, _CELLS // width)))):
            lines = _plain_lines([cells for _, cells in piece], width)
            told = [number for number, _ in piece]
            if lines is None:
                kept = [(n, line) for n, cells in piece if (line := _line(cells, width)) is not None]
                told, lines = [n for n, _ in kept], [line for _, line in kept]
            if len(starts) + len(lines) > MAX_ROWS or (lines and length > MAX_CHARACTERS):
                raise SourceError(f"has more than {MAX_ROWS:,} rows, or too long ones", where=where, remedy="split it")
            *begins, length = accumulate((len(line) + 1 for line in lines), initial=length)
            starts += begins
            numbers += told
            f.writelines(("\n".join(lines), "\n" if lines else ""))
    if not starts:
        raise SourceError("has no rows", where=where, remedy="leave it out")
    return TablePlaces(tuple(starts), tuple(numbers))


def _line(cells: Sequence[Any], width: int) -> str | None:
    """A row's line; ``None`` for one that says nothing."""
    texts = [cell_text(cell) for cell in cells[:width]]
    return "\t".join([*texts, *[""] * (width - len(texts))]) if any(texts) else None


def _plain_lines(rows: Sequence[Sequence[Any]], width: int) -> list[str] | None:
    """What `_line` says of each row, where all are as most are: full, of visible ASCII; else ``None``.

    The whole piece is looked at once, which is several times as fast as cell by cell.
    """
    if set(map(len, rows)) != {width}:
        return None
    try:
        lines = list(map("\t".join, rows))
    except TypeError:
        lines = ["\t".join([c if type(c) is str else cell_text(c) for c in cells]) for cells in rows]
    text = "\n".join(lines)
    is_plain = (
        text.isascii()
        and text.translate(_AS_SPACE).isprintable()
        and text.count("\t") == len(rows) * (width - 1)
        and text.count("\n") == len(rows) - 1
        and not any(pair in text for pair in (" \t", "\t ", " \n", "\n "))
        and not text.startswith(" ")
        and not text.endswith(" ")
        and max(map(len, lines)) <= MAX_CELL
        and "\t" * (width - 1) not in lines
    )
    return lines if is_plain else None


def cell_text(value: Any) -> str:
    """A cell in words: numbers and times as XSD writes them.

    >>> cell_text(3.0), cell_text(True), cell_text(None)
    ('3', 'true', '')
    """
    if type(value) is str and value.isascii() and value.isprintable() and len(value) <= MAX_CELL:
        return value.strip()
    if type(value) is int:
        return str(value)[:MAX_CELL]
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if hasattr(value, "isoformat"):
        return str(value.isoformat()).removesuffix("T00:00:00")
    if isinstance(value, list | tuple):
        return "|".join(cell_text(v) for v in value)
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
    text = _SPACE.sub(" ", text[:MAX_CELL]).strip()
    text = text if text.isascii() else unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode("utf-8"))
    return text


def _opened(
    path: Path, media_type: str, form: TableForm, where: str, encoding: str | None
) -> tuple[list[str], Iterable[Row]]:
    if media_type == CSV:
        return _csv(path, form, where, encoding)
    if media_type == JSON_LINES:
        return _json_lines(path, where, encoding)
    if media_type == PARQUET:
        return _parquet(path, where)
    return _sheet(path, form, where)


def _csv(path: Path, form: TableForm, where: str, encoding: str | None) -> tuple[list[str], Iterable[Row]]:
    csv.field_size_limit(MAX_CELL * 4)
    file = path.open(encoding=_encoding(path, encoding), newline="")
    try:
        head = file.read(1 << 16)
        file.seek(0)
        delimiter = form.delimiter or _delimiter(head)
        rows = iter(enumerate(csv.reader(file, delimiter=delimiter, strict=True), 1))
        columns = next((cells for number, cells in rows if number == form.header), [])
    except LookupError as e:
        raise SourceError(f"no encoding is called {encoding!r}", where=where, remedy="such as cp1252") from e
    return [cell_text(name) for name in columns], rows


def _delimiter(head: str) -> str:
    line = next((line for line in head.splitlines() if line.strip()), "")
    return max(",;\t|", key=line.count)


def _encoding(path: Path, encoding: str | None) -> str:
    """What a person says, a byte order mark, UTF-8 where the beginning is that, else what it reads most like."""
    if encoding:
        return encoding
    with path.open("rb") as f:
        head = f.read(1 << 20)
    found = next((name for bom, name in BOMS if head.startswith(bom)), None) or wide(head)
    if found:
        return found
    try:
        io.TextIOWrapper(io.BytesIO(head[: head.rfind(b"\n") + 1] or head), encoding="utf-8").read()
    except UnicodeDecodeError:
        return detect(head) or "utf-8"
    return "utf-8"


def _parsed(line: str) -> Any:
    """A line of JSON by pydantic's parser, which is fast, else by Python's, which takes more (halves of characters)."""
    try:
        return from_json(line)
    except ValueError:
        return json.loads(line)


def _json_lines(path: Path, where: str, encoding: str | None) -> tuple[list[str], Iterable[Row]]:
    size = 0

    def records() -> Iterator[tuple[int, dict[str, Any]]]:
        nonlocal size
        with path.open(encoding=_encoding(path, encoding)) as f:
            for number, line in enumerate(f, 1):
                if not line.isspace():
                    size += len(line)
                    record = _parsed(line)
                    if not isinstance(record, dict):
                        raise SourceError("not a JSON object", where=f"{where}:{number}", remedy="one object a line")
                    yield number, record

    columns: dict[str, None] = {}
    held: list[tuple[int, dict[str, Any]]] = []
    left = records()
    for number, record in islice(left, _PIECE):
        columns.update(dict.fromkeys(record))
        if size <= _HELD:
            held.append((number, record))
    if size > _HELD:  # too much to be kept: read again
        held, left = [], records()
    return list(columns), ((number, list(map(record.get, columns))) for number, record in chain(held, left))


def _parquet(path: Path, where: str) -> tuple[list[str], Iterable[Row]]:
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

    def rows() -> Iterator[Row]:
        for start in range(0, count, _PIECE):
            yield from enumerate(scan.slice(start, _PIECE).with_columns(as_words).collect().iter_rows(), start + 1)

    return [cell_text(name) for name in columns], rows()


def _sheet(path: Path, form: TableForm, where: str) -> tuple[list[str], Iterable[Row]]:
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
    rows = iter(enumerate(cells.iter_rows(), 1))
    columns = next((values for number, values in rows if number == form.header), ())
    return [cell_text(name) for name in columns], rows
