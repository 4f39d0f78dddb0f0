"""Numbers in digits and in English words, with their places."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from kgfuse.extract.values.spans import number_literal
from kgfuse.extract.values.spelling import SCALE, SMALL

_FRACTIONS: Final = "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"
_WORD: Final = "|".join(sorted((*SMALL, *SCALE), key=len, reverse=True))
_SCALES: Final = "|".join(SCALE)
_DIGITS: Final = (
    rf"(?:\d{{1,3}}(?:,\d{{3}})+|\d{{1,3}}(?:[\u00a0\u202f\u2009]\d{{3}})+|\d+)(?:\.\d+)?[{_FRACTIONS}]?|[{_FRACTIONS}]"
)
NUMBER: Final = re.compile(
    rf"(?P<digits>(?:(?<![\w.,)\]])[-+−])?(?<![\w.])(?<!\d,)(?:{_DIGITS}))"
    rf"(?:\s?[×x]\s?10(?:\^|\*\*)?(?P<power>[-−]?\d{{1,2}}|[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]{{1,3}})|[eE](?P<exponent>[-+]?\d{{1,2}})(?!\w))?"
    rf"(?P<scale>(?:[\s-]+(?:{_SCALES})\b)*)"
    rf"|\b(?P<words>(?:{_WORD}|an?(?=\s+(?:{_SCALES})\b))(?:(?:\s+and\s+|[\s-]+)(?:{_WORD})\b)*)\b",
    re.IGNORECASE,
)


_MINUS: Final = re.compile(r"(?<!\w)(?<!\d\s)(?:minus|negative)\s$", re.IGNORECASE)
_SHARE: Final = re.compile(
    r"\b(?:(?P<half>half)|(?:third|quarter|fraction|part|tenth)s?\sof|many)[\s-]$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class NumberSpan:
    """A number in a text: its place, its canonical decimal, and whether it is written in digits."""

    start: int
    end: int
    decimal: Decimal
    digits: bool

    @property
    def lexical(self) -> str:
        """Canonical form of the decimal."""
        return number_literal(format(self.decimal, "f"))


def find_numbers(text: str) -> Iterator[NumberSpan]:
    """Every number, in order; none overlaps another.

    Digits whose marks can be read in two ways are none: "1.200,50", "12 345", "2.0.1", "3:2", and 6'2".
    """
    for found in NUMBER.finditer(text):
        start, end = found.span()
        if found["words"] is not None:
            total = _spoken(found["words"])
            share = _SHARE.search(text, max(0, start - 12), start)
            if total is None or (share is not None and not share["half"]):
                continue
            decimal = Decimal(total)
            if share is not None:
                decimal, start = decimal / 2, share.start()
        elif _is_unclear(text, *found.span("digits")):
            continue
        else:
            decimal = _written(found)
        minus = _MINUS.search(text, max(0, start - 10), start)
        if minus is not None:
            decimal, start = -decimal, minus.start()
        yield NumberSpan(start, end, decimal, digits=found["words"] is None)


def _is_unclear(text: str, start: int, end: int) -> bool:
    """True for digits between marks that belong to something else than an English number."""
    if re.match(r"[.,:'′]\d", text[end : end + 2]) or re.search(r"\d[:'′]$", text[max(0, start - 2) : start]):
        return True
    digits = text[start:end]
    if (
        digits.isdigit()
        and len(digits) == 3
        and re.search(r"(?<![\w.,])\d{1,3}(?: \d{3})* $", text[max(0, start - 12) : start])
    ):
        return True
    return (
        digits.isdigit() and len(digits) <= 3 and re.match(r" \d{3}(?![\d.,:/-]*\d)", text[end : end + 6]) is not None
    )


def number(text: str) -> str | None:
    """Canonical decimal of the first number in digits or English words, or ``None``.

    >>> [number(t) for t in ("1,200", "two hundred", "forty-two", "3.50", "2.5 million", "several", "1.5 × 10^3", "2½")]
    ['1200', '200', '42', '3.5', '2500000', None, '1500', '2.5']
    """
    first = next(find_numbers(text), None)
    return None if first is None else first.lexical


def _written(found: re.Match[str]) -> Decimal:
    digits = re.sub(r"[,\u00a0\u202f\u2009]", "", found["digits"]).replace("−", "-")
    fraction = Decimal(0)
    if digits[-1] in _FRACTIONS:
        fraction = Decimal(repr(round(unicodedata.numeric(digits[-1]), 6)))
        digits = digits[:-1]
    value = Decimal(digits) if digits.strip("+-") else Decimal(0)
    value = value - fraction if digits.startswith("-") else value + fraction
    if power := found["power"] or found["exponent"]:
        plain = unicodedata.normalize("NFKC", power).replace("−", "-").replace("⁻", "-")
        value = value.scaleb(int(plain))
    for word in found["scale"].lower().replace("-", " ").split():
        value *= SCALE[word]
    return value


def _spoken(words: str) -> int | None:
    if re.match(_SCALES, words, re.IGNORECASE):
        return None  # "several million"
    total, current, last = 0, 0, 0
    for word in re.findall(r"[a-z]+", words.lower()):
        if word in ("a", "an"):
            current = 1
        elif word in SMALL:
            if last and last < SMALL[word] and last < 20:
                return None  # "one two" counts on, it is no number
            current += SMALL[word]
            last = SMALL[word]
        elif word in ("hundred", "dozen"):
            current, last = max(current, 1) * SCALE[word], 0
        elif word in SCALE:
            total, current, last = total + max(current, 1) * SCALE[word], 0, 0
    return total + current
