"""Where found words are in a text, and the passage around them that a person reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

Span: TypeAlias = tuple[int, int]

_WIDTH: Final = 160  # code points of a passage
_BEFORE: Final = 40  # of them before its first word


def spans(text: str, marked: Callable[[str], str]) -> list[Span]:
    """Where words are that a search engine can only mark.

    Args:
        text: as it is.
        marked: gives the text with a mark before and after each word.
    """
    mark = "\x01"
    while mark in text:
        mark += "\x02"
    pieces = marked(mark).split(mark)
    found, at = [], 0
    for i, piece in enumerate(pieces):
        if i % 2:
            found.append((at, at + len(piece)))
        at += len(piece)
    return found


def passage(text: str, found: Sequence[Span]) -> Span:
    """The passage with most of the words, the first of several; it begins and ends between words where it can."""
    if not found:
        return _trimmed(text, 0, min(len(text), _WIDTH))
    best, most, end = found[0][0], 0, 0
    for begin, (start, _) in enumerate(found):
        while end < len(found) and found[end][1] - start <= _WIDTH - _BEFORE:
            end += 1
        if end - begin > most:
            best, most = start, end - begin
    start = max(0, best - _BEFORE)
    last = next(b for a, b in found if a == best)  # a word longer than a passage is kept whole
    return _trimmed(text, start, min(len(text), max(start + _WIDTH, last)), best, last)


def _trimmed(text: str, start: int, end: int, first: int | None = None, last: int | None = None) -> Span:
    """Without the parts of words that the passage cuts, and spaces at its ends."""
    keep_from, keep_to = (start if first is None else first), (end if last is None else last)
    if start > 0 and not text[start - 1].isspace():
        start = next((i for i in range(start, keep_from) if text[i].isspace()), start)
    if end < len(text) and not text[end].isspace():
        end = next((i for i in range(end, keep_to, -1) if text[i - 1].isspace()), end)
    while start < keep_from and text[start].isspace():
        start += 1
    while end > keep_to and text[end - 1].isspace():
        end -= 1
    return start, end
