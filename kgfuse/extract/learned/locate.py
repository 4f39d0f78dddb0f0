"""Where in a text a label is said, however it is written there."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from kgfuse.extract.learned.dates import Date, dates_in, parse_date
from kgfuse.extract.values.spelling import SCALE, TO_TWELVE

_NUMBER: Final = re.compile(r"\d[\d,]*(?:\.\d+)?")
_SCALED: Final = re.compile(rf"(?P<number>{_NUMBER.pattern}) (?P<scale>thousand|million|billion|trillion)\b", re.I)
_UNIT_STEP: Final = 1000
_SMALL_WORD: Final = re.compile(r"\b(" + "|".join(TO_TWELVE) + r")\b", re.I)


_ANAPHOR: Final = re.compile(
    r"(?:(?<=[.!?] )|^)[\W_]*(?P<it>(?:He|She|It|They|His|Her|Its|Their)\b|(?:The|This|These) [a-z]+(?:-[a-z]+)*\b)"
)


@dataclass(frozen=True, slots=True)
class Place:
    """Characters ``[start, end)`` that say a label, and how they were recognised."""

    start: int
    end: int
    how: str


class Folded:
    """A text reduced to its letters and digits, without case and accents, with the way back."""

    __slots__ = ("at", "chars", "dates", "ends", "numbers", "starts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        chars: list[str] = []
        at: list[int] = []
        self.starts: set[int] = set()
        self.ends: set[int] = set()
        inside = False
        for n, char in enumerate(text):
            folded = _fold_char(char)
            if folded:
                if not inside:
                    self.starts.add(len(chars))
                chars.extend(folded)
                at.extend([n] * len(folded))
            elif inside:
                self.ends.add(len(chars))
            inside = bool(folded)
        self.ends.add(len(chars))
        self.chars = "".join(chars)
        self.at = at
        self.dates = list(dates_in(text))
        self.numbers = list(_numbers_in(text))

    def find(self, folded: str, how: str) -> Iterator[Place]:
        """Whole-word places of a folded string."""
        start = self.chars.find(folded)
        while folded and start >= 0:
            end = start + len(folded)
            if start in self.starts and end in self.ends:
                yield Place(self.at[start], self.at[end - 1] + 1, how)
            start = self.chars.find(folded, start + 1)


@lru_cache(maxsize=4096)
def _fold_char(char: str) -> str:
    decomposed = unicodedata.normalize("NFKD", char).casefold()
    return "".join(c for c in decomposed if c.isalnum())


def fold(text: str) -> str:
    """Letters and digits only, no case, no accents.

    >>> fold("Dug 's_Special Mission!")
    'dugsspecialmission'
    """
    return "".join(map(_fold_char, text))


def places(text: Folded, label: str) -> list[Place]:
    """All places of a label, by the closest reading that has any: as written, as a date or number, then shortened."""
    for how, variant in _variants(label):
        found = [_with_marks(text.text, place, label) for place in text.find(variant, how)]
        if found:
            return found
        if how == "same" and (found := _date_places(text, label) or _number_places(text, label)):
            return found
    return []


def anaphors(text: str) -> list[Place]:
    """Pronouns and plain definite noun phrases that begin a sentence: what speaks of a subject named elsewhere.

    >>> [text[p.start:p.end] for text in ("The film was shot in Rome.",) for p in anaphors(text)]
    ['The film']
    """
    return [Place(*found.span("it"), "anaphor") for found in _ANAPHOR.finditer(text)]


def is_anaphor(surface: str) -> bool:
    """All of the words are such a phrase."""
    found = _ANAPHOR.match(surface)
    return found is not None and found.end() == len(surface)


def _with_marks(text: str, place: Place, label: str) -> Place:
    """Take in the punctuation that the label begins or ends with, where the text has it too."""
    start, end = place.start, place.end
    first, last = fold_edges(label.replace("_", " "))
    if last and text[end : end + len(last)] == last:
        end += len(last)
    if first and text[max(start - len(first), 0) : start] == first:
        start -= len(first)
    return Place(start, end, place.how)


def fold_edges(label: str) -> tuple[str, str]:
    """What stands before the first and after the last letter or digit of a label.

    >>> fold_edges("13 (song).")
    ('', ').')
    """
    inside = [n for n, char in enumerate(label) if _fold_char(char)]
    return (label[: inside[0]], label[inside[-1] + 1 :]) if inside else ("", "")


def _variants(label: str) -> Iterator[tuple[str, str]]:
    """Folded forms of a label, the closest first; a form of one character is none."""
    seen: set[str] = set()
    plain = label.replace("_", " ").strip().strip('"').strip()
    shorter = re.sub(r"\s*\([^()]*\)\s*", " ", plain).strip()
    forms = [
        ("same", plain),
        ("bracket", shorter),
        ("comma", shorter.split(",")[0]),
        ("article", re.sub(r"^(the|a|an)\s+", "", shorter, flags=re.I)),
        ("number", re.sub(r"\b(I|II|III|IV|Jr\.?|Sr\.?)$", "", shorter).strip(" ,")),
    ]
    for how, form in forms:
        folded = fold(form)
        if folded and folded not in seen and (len(folded) > 1 or how == "same"):
            seen.add(folded)
            yield how, folded


def _date_places(text: Folded, label: str) -> list[Place]:
    wanted = parse_date(label.strip().strip('"'))
    if wanted is None:
        return []
    fitting = [(d, s, e) for s, e, d in text.dates if _agree(d, wanted)]
    most = max((d.precision for d, _, _ in fitting), default=0)
    return [Place(s, e, "date") for d, s, e in fitting if d.precision == most]


def _agree(said: Date, wanted: Date) -> bool:
    """What the text says of a date is part of the label."""
    if said.year != wanted.year:
        return False
    return (said.month is None or said.month == wanted.month) and (said.day is None or said.day == wanted.day)


def _number_places(text: Folded, label: str) -> list[Place]:
    found = _NUMBER.search(label)
    if (
        found is None
        or parse_date(label.strip().strip('"'))
        or len(re.findall(r"[^\W\d_]{2,}", label[: found.start()])) > 0
    ):
        return []
    try:
        wanted = float(found[0].replace(",", ""))
    except ValueError:
        return []
    for how, factor in (("number", 1.0), ("unit", _UNIT_STEP), ("unit", 1 / _UNIT_STEP)):
        if said := [Place(s, e, how) for s, e, value in text.numbers if round(value * factor, 6) == wanted]:
            return said
    return []


def _numbers_in(text: str) -> Iterator[tuple[int, int, float]]:
    for found in _NUMBER.finditer(text):
        lexical = found[0].rstrip(",")
        yield found.start(), found.start() + len(lexical), float(lexical.replace(",", ""))
    for found in _SCALED.finditer(text):
        value = float(found["number"].replace(",", "")) * SCALE[found["scale"].lower()]
        yield found.start(), found.end(), round(value, 6)
    for found in _SMALL_WORD.finditer(text):
        yield found.start(), found.end(), float(TO_TWELVE[found[0].lower()])
