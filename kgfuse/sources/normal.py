"""The form in which texts are stored: one kind of line end, composed letters, nothing invisible; with a way back."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, count, repeat
from operator import add
from typing import Final, TypeAlias

Change: TypeAlias = tuple[int, int, int, int]
"""Start and length in the new text, start and length in the old one."""
_INVISIBLE: Final = "\u200b\u2060\ufeff"
_PLACES: Final = re.compile(rf"\r\n?|[{_INVISIBLE}]")


@dataclass(frozen=True, slots=True)
class Changed:
    """A text that was made from another, and where its characters come from.

    Args:
        text: the new text.
        changes: in order; between them, characters are those of the old text, one for one.
    """

    text: str
    changes: tuple[Change, ...] = ()

    def original(self, start: int, end: int) -> tuple[int, int]:
        r"""The characters of the old text that ``text[start:end]`` was made from.

        >>> Changed("a\nb", ((1, 1, 1, 2),)).original(1, 3)
        (1, 4)
        """
        return original(self.changes, start, end)


def original(changes: tuple[Change, ...], start: int, end: int) -> tuple[int, int]:
    """Where characters come from; see `Changed`."""
    first = _at(changes, start, last=False)
    return first, max(first, _at(changes, end - 1, last=True)) if end > start else first


def _at(changes: tuple[Change, ...], offset: int, *, last: bool) -> int:
    n = bisect_right(changes, offset, key=lambda change: change[0]) - 1
    if n < 0:
        return offset + last
    new, new_length, old, old_length = changes[n]
    if offset < new + new_length:
        return old + old_length if last else old
    return old + old_length + (offset - new - new_length) + last


def replaced(text: str, edits: Iterable[tuple[int, int, str]]) -> Changed:
    """Replace stretches of a text.

    Args:
        text: the old text.
        edits: start, end and what takes its place; in order, apart.
    """
    pieces: list[str] = []
    changes: list[Change] = []
    at = length = 0
    for start, end, new in edits:
        pieces += (text[at:start], new)
        length += start - at
        if len(new) != 1 or end - start != 1:
            changes.append((length, len(new), start, end - start))
        length += len(new)
        at = end
    pieces.append(text[at:])
    return Changed("".join(pieces), tuple(changes))


def joined(first: Changed, then: Changed) -> Changed:
    """Two steps as one: ``then`` was made from the text of ``first``."""
    if not first.changes:
        return then
    if not then.changes:
        return Changed(then.text, first.changes)
    # rare (text that is both decomposed and of several line ends): one change a character that moved
    changes: list[Change] = []
    expected = 0
    for at in range(len(then.text)):
        start, end = first.original(*then.original(at, at + 1))
        if (start, end) != (expected, expected + 1):
            changes.append((at, 1, start, end - start))
        expected = end
    return Changed(then.text, tuple(changes))


def normalise(text: str) -> Changed:
    r"""A text as it is stored: line ends as ``\n``, letters composed (NFC), invisible characters left out.

    >>> normalise("a\r\nb").text
    'a\nb'
    """
    lines = Changed(text)
    if "\r" in text or any(c in text for c in _INVISIBLE):
        lines = _one_kind_of_line_end(text)
    if unicodedata.is_normalized("NFC", lines.text):
        return lines
    return joined(lines, replaced(lines.text, _composed(lines.text)))


def _one_kind_of_line_end(text: str) -> Changed:
    r"""Line ends as ``\n``, invisible characters left out."""
    lines = text.split("\r\n")
    made = "\n".join(lines)
    if "\r" not in made and not any(c in made for c in _INVISIBLE):  # as most such files are
        lengths = list(map(len, lines[:-1]))
        new, old = map(add, accumulate(lengths), count()), map(add, accumulate(lengths), count(0, 2))
        return Changed(made, tuple(zip(new, repeat(1), old, repeat(2))))
    edits = ((m.start(), m.end(), "\n" if m.group()[0] == "\r" else "") for m in _PLACES.finditer(text))
    return replaced(text, edits)


def _composed(text: str) -> Iterator[tuple[int, int, str]]:
    """Edits that compose each letter with its marks."""
    start = 0
    for end in range(1, len(text) + 1):
        if end < len(text) and _continues(text[end]):
            continue
        if end - start > 1 or not text[start].isascii():
            composed = unicodedata.normalize("NFC", text[start:end])
            if composed != text[start:end]:
                yield start, end, composed
        start = end


def _continues(char: str) -> bool:
    """Whether a character may merge with the one before: a combining mark, or a vowel or final of Hangul."""
    return not char.isascii() and (unicodedata.combining(char) != 0 or "\u1160" <= char <= "\u11ff")
