"""Abbreviations with their long forms: "World Health Organization (WHO)", "WHO (World Health Organization)".

The algorithm of Schwartz and Hearst, "A simple algorithm for identifying abbreviation definitions in biomedical text",
PSB 2003: the letters of the short form are looked for from right to left in the words before the bracket, the first of
them at the start of a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_BRACKETS: Final = re.compile(r"\(([^()\n]{2,80})\)")
_SHORT: Final = re.compile(r"[^\W_](?:[^\s()]{1,9}|[^\s()]{0,6} [^\s()]{1,6})")


@dataclass(frozen=True, slots=True)
class Definition:
    """A short form and its long form, each with its characters in the text."""

    short: str
    start: int
    end: int
    long_start: int
    long_end: int


def definitions(text: str) -> Iterator[Definition]:
    """Every definition of an abbreviation, in order.

    >>> t = "The World Health Organization (WHO) met."
    >>> [(d.short, t[d.long_start : d.long_end]) for d in definitions(t)]
    [('WHO', 'World Health Organization')]
    """
    if "(" not in text:
        return
    for found in _BRACKETS.finditer(text):
        inner = re.split(r"[;,]\s", found[1])[0].strip().strip("\"'")
        start = text.find(inner, found.start(1)) if inner else -1
        before = text[: found.start()].rstrip()
        if start < 0 or not before or "\n\n" in text[len(before) : found.start()]:
            continue
        if _is_short(inner):
            place = _long_form(inner, before)
            if place is not None:
                yield Definition(inner, start, start + len(inner), place, len(before))
                continue
        word = re.search(r"[^\s()\"',;]+$", before)
        if word is not None and _is_short(word[0]) and len(inner) > len(word[0]):
            place = _long_form(word[0], inner)
            if place == 0:
                yield Definition(word[0], word.start(), word.end(), start, start + len(inner))


def _is_short(text: str) -> bool:
    """Two to ten characters, at most two words, the first a letter or digit, one of them an upper-case letter."""
    return _SHORT.fullmatch(text) is not None and any(c.isupper() for c in text) and not text.istitle()


def _long_form(short: str, before: str) -> int | None:
    """Where the long form starts in the words that end at the end of ``before``, or ``None``."""
    words = list(re.finditer(r"\S+", re.split(r"(?<=[.!?;])\s(?=[^\W\d_])", before)[-1]))
    offset = len(before) - (len(re.split(r"(?<=[.!?;])\s(?=[^\W\d_])", before)[-1]))
    most = min(len(short) + 5, 2 * len(short))
    if not words:
        return None
    floor = offset + words[-most:][0].start()
    at = len(before) - 1
    for n in range(len(short) - 1, -1, -1):
        letter = short[n].lower()
        if not letter.isalnum():
            continue
        while at >= floor and (before[at].lower() != letter or (n == 0 and at > floor and before[at - 1].isalnum())):
            at -= 1
        if at < floor:
            return None
        at -= 1
    start = at + 1
    long_form = before[start:]
    if len(long_form) <= len(short) or short in long_form.split() or len(long_form.split()) > most:
        return None
    return start
