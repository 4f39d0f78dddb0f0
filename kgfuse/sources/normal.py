"""The form in which texts are stored: one kind of line end, composed letters, nothing invisible; with a way back."""

from __future__ import annotations

import io
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

Change: TypeAlias = tuple[int, int, int, int]
"""Start and length in the new text, start and length in the old one."""
_INVISIBLE: Final = "\u200b\u2060\ufeff"
_LINE_END: Final = re.compile("\n")
_PLACES: Final = re.compile(rf"\r\n?|[{_INVISIBLE}]")


@dataclass(frozen=True, slots=True)
class Changed:
    r"""A text that was made from another, and where its characters come from.

    Args:
        text: the new text.
        edits: the changes, in order; between them, characters are those of the old text, one for one.
        from_returns: there are no edits, but every line end was ``\r\n``, which the text itself tells.
    """

    text: str
    edits: tuple[Change, ...] = ()
    from_returns: bool = False

    @property
    def changes(self) -> tuple[Change, ...]:
        """All of them, one by one."""
        if not self.from_returns:
            return self.edits
        return tuple((m.start(), 1, m.start() + n, 2) for n, m in enumerate(_LINE_END.finditer(self.text)))

    def original(self, start: int, end: int) -> tuple[int, int]:
        r"""The characters of the old text that ``text[start:end]`` was made from.

        >>> Changed("a\nb", ((1, 1, 1, 2),)).original(1, 3)
        (1, 4)
        """
        return from_returns(self.text, start, end) if self.from_returns else original(self.edits, start, end)


def original(changes: tuple[Change, ...], start: int, end: int) -> tuple[int, int]:
    """Where characters come from; see `Changed`."""
    first = _at(changes, start, last=False)
    return first, max(first, _at(changes, end - 1, last=True)) if end > start else first


def from_returns(text: str, start: int, end: int) -> tuple[int, int]:
    r"""Where characters come from, in a text whose every line end was ``\r\n``.

    >>> from_returns("a\nb", 1, 3)
    (1, 4)
    """
    return start + text.count("\n", 0, start), end + text.count("\n", 0, end)


def _at(changes: tuple[Change, ...], offset: int, *, last: bool) -> int:
    n = bisect_right(changes, offset, key=lambda change: change[0]) - 1
    return _from(changes, n, offset, last=last)


def _from(changes: tuple[Change, ...], n: int, offset: int, *, last: bool) -> int:
    """Where a character at or after the change of that number comes from; before all of them where it is negative."""
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
    if not (first.edits or first.from_returns):
        return then
    if not (then.edits or then.from_returns):
        return Changed(then.text, first.changes)
    before, after = first.changes, then.changes
    beginnings = [[change[0] for change in changes] for changes in (before, after)]

    def of(at: int) -> tuple[int, int]:
        n = bisect_right(beginnings[1], at) - 1
        start, end = _from(after, n, at, last=False), _from(after, n, at, last=True)
        found = _from(before, bisect_right(beginnings[0], start) - 1, start, last=False)
        if end <= start:
            return found, found
        return found, max(found, _from(before, bisect_right(beginnings[0], end - 1) - 1, end - 1, last=True))

    changes: list[Change] = []  # one a character that moved
    for at in sorted(_moved(before, after, len(then.text))):
        expected = of(at - 1)[1] if at else 0
        start, end = of(at)
        if (start, end) != (expected, expected + 1):
            changes.append((at, 1, start, end - start))
    return Changed(then.text, tuple(changes))


def _moved(before: tuple[Change, ...], after: tuple[Change, ...], length: int) -> set[int]:
    """The characters of a text of that length that a change touches, or that stand right after one."""
    found = {0, *(at for new, size, _, _ in after for at in range(new, new + size + 1))}
    backwards = [old + size for _, _, old, size in after]
    for new, size, _, _ in before:
        for at in range(new, new + size + 1):
            n = bisect_right(backwards, at) - 1
            found.add(at if n < 0 else after[n][0] + after[n][1] + at - backwards[n])
    return {at for at in found if 0 <= at < length}


def normalise(text: str) -> Changed:
    r"""A text as it is stored: line ends as ``\n``, letters composed (NFC), invisible characters left out.

    >>> normalise("a\r\nb").text
    'a\nb'
    """
    lines = Changed(text)
    if "\r" in text or any(c in text for c in _INVISIBLE):
        lines = _one_kind_of_line_end(text)
    if _is_composed(lines.text):
        return lines
    return joined(lines, replaced(lines.text, _composed(lines.text)))


def _one_kind_of_line_end(text: str) -> Changed:
    r"""Line ends as ``\n``, invisible characters left out."""
    if not any(c in text for c in _INVISIBLE):
        reader = io.IncrementalNewlineDecoder(None, translate=True)
        made = reader.decode(text, final=True)
        if reader.newlines == "\r\n":  # and no other, as most such files are
            return Changed(made, from_returns=True)
    edits = ((m.start(), m.end(), "\n" if m.group()[0] == "\r" else "") for m in _PLACES.finditer(text))
    return replaced(text, edits)


def _is_composed(text: str) -> bool:
    """Whether all letters are composed, as all of Latin-1 are, which is told faster."""
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return unicodedata.is_normalized("NFC", text)
    return True


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
