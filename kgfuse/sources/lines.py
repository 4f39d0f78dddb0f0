"""Rows of cells as lines of text: cells divided by tabs, each in the words that XSD has for it."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

MAX_CELL: Final = 32_767
CHARACTERS: Final = 1 << 16
"""How many are read at once, at least."""
CELLS: Final = 20_000
"""How many are held at once, at most."""
_AS_SPACE: Final = {9: " ", 10: " "}
_SPACE: Final = re.compile(r"[\t\r\n\v\f\x00-\x08\x0e-\x1f\x7f\u2028\u2029\x85]+")
_TAB, _LINE_END, _BLANK, _DELETE = 9, 10, 32, 127


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows that follow one another.

    Args:
        numbers: of the rows in the file.
        text: a line for each, ended by a line end, as it is if no cell holds a tab, a line end or other odd signs;
            ``None`` where the rows are of unlike length.
        rows: the cells of each, for where it is not so.
    """

    numbers: Sequence[int]
    text: str | None
    rows: Callable[[], Iterable[Sequence[Any]]]


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


def line(cells: Sequence[Any], width: int) -> str | None:
    """A row's line; ``None`` for one that says nothing."""
    texts = [cell_text(cell) for cell in cells[:width]]
    return "\t".join([*texts, *[""] * (width - len(texts))]) if any(texts) else None


def of_rows(rows: Sequence[Sequence[str]], width: int) -> str | None:
    """The lines of rows, as `Piece` has them."""
    if set(map(len, rows)) != {width}:
        return None
    return "\n".join(map("\t".join, rows)) + "\n"


def of_columns(columns: Iterable[Sequence[Any]]) -> str:
    """The lines of a table's columns, as `Piece` has them: a column at a time is several times as fast as a cell."""
    return "\n".join(map("\t".join, zip(*map(_words, columns), strict=True))) + "\n"


def _words(cells: Sequence[Any]) -> Sequence[str]:
    """What `cell_text` says of each cell of a column; strings stay as they are."""
    kinds = set(map(type, cells))
    if kinds == {str}:
        return cells
    if kinds == {int}:
        return list(map(str, cells))
    if kinds == {float}:
        words = list(map(repr, cells))
        marks = "\n".join(words) + "\n"
        if ".0\n" not in marks and "nan" not in marks:
            return words
    return [cell if type(cell) is str else cell_text(cell) for cell in cells]


def ends(text: str, count: int, width: int) -> npt.NDArray[np.int64] | None:
    """Where the lines of a piece end, if each is what `line` says of its row; else ``None``.

    They are where all rows are as most are: full, of visible letters in normal form, no cell with space around it. The
    whole piece is looked at once.

    Args:
        text: a line a row.
        count: of the rows.
        width: of each, in cells.

    Returns:
        Offsets of the line ends, ``(count,)``.
    """
    if text.isascii():
        held: npt.NDArray[Any] = np.frombuffer(text.encode("ascii"), np.uint8)
    elif text.translate(_AS_SPACE).isprintable() and unicodedata.is_normalized("NFC", text):
        held = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    else:
        return None
    marks = np.flatnonzero(held < _BLANK)
    if not count or len(marks) != count * width:
        return None
    parting = np.full(width, _TAB, held.dtype)
    parting[-1] = _LINE_END
    if not (held[marks].reshape(count, width) == parting).all() or (held == _DELETE).any():
        return None
    if held[0] == _BLANK or (held[marks - 1] == _BLANK).any() or (held[marks[:-1] + 1] == _BLANK).any():
        return None
    found = marks[width - 1 :: width]
    lengths = np.diff(found, prepend=-1) - 1
    return found if width <= lengths.min() and lengths.max() <= MAX_CELL else None
