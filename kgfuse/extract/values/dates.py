"""Dates in English forms: days, months, years, decades, centuries, and periods between two of them.

Nothing here looks at a clock: "today" and "last week" are no dates. A numeric date whose order cannot be told
(03/04/1998) is none either; with dots the day comes first. Years before the era are numbered as XSD 1.1 does: 1 BC is
year 0, 44 BC is -0043. dateparser was weighed and left: it completes what is missing from the clock, and its search for
dates in a text gives places only by a second, ambiguous look-up.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from kgfuse.extract.values.spans import ValueSpan
from kgfuse.extract.values.spelling import MONTH_NUMBERS, ORDINALS
from kgfuse.terms.mentions import Value
from kgfuse.terms.namespaces import XSD

_MONTH: Final = (
    r"(?:Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?\.?|July?\.?|Aug(?:ust|\.)?"
    r"|Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)(?!\w)"
)
_DAY: Final = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_YEAR: Final = r"\d{4}(?![\d%]|[.,]\d)"
_ERA: Final = r"(?:\s?(?P<era>B\.?C\.?(?:E\.?)?|A\.?D\.?|C\.?E\.?)(?!\w))"
_FORMS: Final = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        r"(?<![\w-])(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})(?![\d-])",
        r"(?<![\w/])(?P<y>\d{4})/(?P<m>\d{1,2})/(?P<d>\d{1,2})(?![\d/])",
        r"(?<![\w.])(?P<d>\d{1,2})\.\s?(?P<m>\d{1,2})\.\s?(?P<y>\d{4})(?!\d)",
        r"(?<![\w/])(?P<a>\d{1,2})/(?P<b>\d{1,2})/(?P<y>\d{4})(?![\d/])",
        rf"(?<![\w.])(?P<d>{_DAY})\.?[\s-]+(?:day\s+of\s+|of\s+)?(?P<month>{_MONTH})[\s,-]+(?P<y>{_YEAR})",
        rf"(?<!\w)(?P<month>{_MONTH})\.?\s+(?:the\s+)?(?P<d>{_DAY})(?:\s*,\s*|\s+(?:of\s+)?)(?P<y>{_YEAR})",
        rf"(?<!\w)(?P<y>{_YEAR})[\s,]+(?P<month>{_MONTH})\s+(?P<d>{_DAY})(?!\w)",
        r"(?<![\w-])(?P<y>\d{4})-(?P<m>0[1-9]|1[0-2])(?![\d-])",
        rf"(?<!\w)(?P<month>{_MONTH})(?:\s+of|,)?\s+(?P<y>{_YEAR})",
        rf"(?<!\w)(?P<month>(?-i:{_MONTH}))\s+(?P<d>{_DAY})(?![\w%]|[.,]\d)",
        rf"(?<![\w.])(?P<d>{_DAY})\s+(?:of\s+)?(?P<month>(?-i:{_MONTH}))(?!\w)",
        rf"(?<![\w.,/-])(?P<y>\d{{1,5}}){_ERA}",
        r"(?<!\w)A\.?D\.?\s?(?P<y>\d{1,4})(?!\w)",
        r"(?<![\w.,'’/-])(?P<decade>\d{3}0)'?s(?!\w)",
        r"(?<!\w)(?P<century>\d{1,2}(?:st|nd|rd|th)|" + "|".join(ORDINALS) + rf")[\s-]+century{_ERA}?(?!\w)",
    )
)
_BARE: Final = re.compile(
    r"(?:(?<=\bin )|(?<=\bIn )|(?<=since )|(?<=Since )|(?<=from )|(?<=From )|(?<=until )|(?<=till )|(?<=before )"
    r"|(?<=Before )|(?<=after )|(?<=After )|(?<=by )|(?<=By )|(?<=of )|(?<=during )|(?<=to )|(?<=circa )|(?<=around )"
    r"|(?<=about )|(?<=between )|(?<=Between )|(?<=and )|(?<=c\. )|(?<=ca\. )|(?<=year )|(?<=early )|(?<=late )"
    r"|(?<=\()|(?<=– )|(?<=–)|(?<=—)|(?<=-)|(?<=born )|(?<=spring )|(?<=summer )|(?<=autumn )|(?<=winter )|(?<=fall ))"
    r"(?P<y>1\d{3}|20\d{2})(?![\d%°$€£]|[.,]\d|\s?(?:[-–—]\s?)?(?:km|m|kg|g|people|metres|meters|feet|ft|miles|years)\b)"
)
_BETWEEN: Final = re.compile(r"\s?(?:-|–|—|\bto\b|\buntil\b|\btill\b|\bthrough\b|\band\b)\s?", re.IGNORECASE)
_SPLIT_RANGE: Final = re.compile(
    rf"(?<![\w.])(?P<d1>{_DAY})\s?[-–—]\s?(?P<d2>{_DAY})\s+(?P<month>{_MONTH})[\s,]+(?P<y>{_YEAR})"
    rf"|(?<!\w)(?P<month2>{_MONTH})\s+(?P<d3>{_DAY})\s?[-–—]\s?(?P<d4>{_DAY}),?\s+(?P<y2>{_YEAR})"
    rf"|(?<!\w)(?P<m1>{_MONTH})\s?(?:[-–—]|to|and)\s?(?P<m2>{_MONTH})\s+(?P<y3>{_YEAR})",
    re.IGNORECASE,
)
_YEARS: Final = re.compile(
    r"(?<![\w.,/$€£-])(?P<a>1\d{3}|20\d{2})\s?[-–—/]\s?(?P<b>1\d{3}|20\d{2}|\d{2})(?![\w%/-]|[.,]\d)"
)


@dataclass(frozen=True, slots=True)
class DateSpan:
    """A day, month or year in a text: ``start`` to ``end``, with its literals (the second for a period)."""

    start: int
    end: int
    value: Value
    upper: Value | None = None


def find_dates(text: str) -> Iterator[ValueSpan]:
    """Dates, years and periods, in order; none overlaps another."""
    taken: list[DateSpan] = []
    void: list[DateSpan] = []  # what looks like a day and is none has no month either
    for found in _SPLIT_RANGE.finditer(text):
        if (span := _split_range(found)) is not None:
            taken.append(span)
    for form in _FORMS:
        for found in form.finditer(text):
            if _is_free(found.start(), found.end(), [*taken, *void]):
                span = _single(found)
                (void if span is None else taken).append(span or DateSpan(*found.span(), _year(0)))
    for found in _YEARS.finditer(text):
        if _is_free(found.start(), found.end(), taken):
            a, b = found["a"], found["b"] if len(found["b"]) == 4 else found["a"][:2] + found["b"]
            if a < b:
                taken.append(DateSpan(found.start(), found.end(), _year(int(a)), _year(int(b))))
    for found in _BARE.finditer(text):
        if _is_free(found.start("y"), found.end(), taken):
            taken.append(DateSpan(found.start("y"), found.end(), _year(int(found["y"]))))
    yield from _periods(text, sorted(taken, key=lambda d: d.start))


def date(text: str) -> str | None:
    """ISO form of the first calendar day, or ``None``.

    >>> [date(t) for t in ("3 March 1998", "March 3rd, 1998", "1998-03-03", "31 February 1998", "in March")]
    ['1998-03-03', '1998-03-03', '1998-03-03', None, None]
    """
    return next((s.value.lexical for s in find_dates(text) if s.value.datatype == XSD + "date"), None)


def year(text: str) -> str | None:
    """Year of the first date, or the first four-digit number; ``None`` for decades and centuries.

    >>> year("in 1969"), year("the late 1800s"), year("year 12"), year("44 BC")
    ('1969', None, None, '-0043')
    """
    for span in find_dates(text):
        if span.upper is None and (found := _year_of(span.value)) is not None:
            return found
    if any(s.upper is not None for s in find_dates(text)):
        return None
    bare = re.search(r"\b(\d{3,4})\b", text)
    return str(int(bare[1])).zfill(4) if bare else None


def year_month(text: str) -> str | None:
    """Month of the first date that has one.

    >>> year_month("in March 1998"), year_month("3 March 1998"), year_month("1998")
    ('1998-03', '1998-03', None)
    """
    for span in find_dates(text):
        if span.upper is None and span.value.datatype in (XSD + "date", XSD + "gYearMonth"):
            return re.sub(r"^(-?\d{4,}-\d\d).*", r"\1", span.value.lexical)
    return None


def _year_of(value: Value) -> str | None:
    found = re.match(r"-?\d{4,}", value.lexical)
    return found[0] if found and value.datatype != XSD + "gMonthDay" else None


def _single(found: re.Match[str]) -> DateSpan | None:
    parts = found.groupdict()
    start, end = found.span()
    end -= found[0].endswith(".") and not parts.get("era")
    if parts.get("decade"):
        first = int(parts["decade"])
        width = 100 if first % 100 == 0 else 10  # "the 1800s" are a century, "the 1990s" a decade
        return DateSpan(start, end, _year(first), _year(first + width - 1))
    if parts.get("century"):
        return _century(found)
    month = int(parts["m"]) if parts.get("m") else MONTH_NUMBERS.get((parts.get("month") or "").lower().rstrip("."), 0)
    day = int(re.match(r"\d+", parts["d"])[0]) if parts.get("d") else 0  # type: ignore[index]
    if parts.get("a"):
        a, b = int(parts["a"]), int(parts["b"])
        if a <= 12 and b <= 12 and a != b:
            return None
        day, month = (a, b) if b <= 12 else (b, a)
    if not parts.get("y"):
        try:
            datetime.date(2000, month, day)  # a leap year: 29 February is a day of the year
        except ValueError:
            return None
        return DateSpan(start, end, Value(f"--{month:02d}-{day:02d}", XSD + "gMonthDay"))
    number = int(parts["y"])
    if (parts.get("era") or "").upper().startswith("B"):
        number = 1 - number
    if day:
        lexical = iso(number, month, day)
        return None if lexical is None else DateSpan(start, end, Value(lexical, XSD + "date"))
    if month:
        return DateSpan(start, end, Value(f"{number:04d}-{month:02d}", XSD + "gYearMonth"))
    return DateSpan(start, end, _year(number))


def _century(found: re.Match[str]) -> DateSpan:
    word = found["century"].lower()
    number = ORDINALS.get(word) or int(re.match(r"\d+", word)[0])  # type: ignore[index]
    first, last = 100 * number - 99, 100 * number
    if (found["era"] or "").upper().startswith("B"):
        first, last = 1 - last, 1 - first
    return DateSpan(found.start(), found.end(), _year(first), _year(last))


def _split_range(found: re.Match[str]) -> DateSpan | None:
    p = found.groupdict()

    def day(text: str, month: str, year: str) -> str | None:
        digits = re.match(r"\d+", text)
        return iso(int(year), MONTH_NUMBERS[month.lower().rstrip(".")], int(digits[0])) if digits else None

    if p["m1"]:
        year_ = int(p["y3"])
        months = [MONTH_NUMBERS[p[k].lower().rstrip(".")] for k in ("m1", "m2")]
        ends = [Value(f"{year_:04d}-{m:02d}", XSD + "gYearMonth") for m in months]
        return DateSpan(*found.span(), *ends)
    if p["d1"]:
        low, high = day(p["d1"], p["month"], p["y"]), day(p["d2"], p["month"], p["y"])
    else:
        low, high = day(p["d3"], p["month2"], p["y2"]), day(p["d4"], p["month2"], p["y2"])
    if low is None or high is None or low >= high:
        return None
    return DateSpan(*found.span(), Value(low, XSD + "date"), Value(high, XSD + "date"))


def _periods(text: str, dates: list[DateSpan]) -> Iterator[ValueSpan]:
    """Join "from 3 March 1914 to 4 May 1918"; "and" joins behind "between" only."""
    at = 0
    while at < len(dates):
        one = dates[at]
        at += 1
        if at < len(dates) and one.upper is None and dates[at].upper is None:
            two = dates[at]
            joint = _BETWEEN.fullmatch(text, one.end, two.start)
            before = text[max(0, one.start - 12) : one.start].lower()
            is_joint = joint is not None and (joint[0].strip().lower() != "and" or "between" in before)
            if is_joint and one.value.datatype == XSD + "gMonthDay" and two.value.datatype == XSD + "date":
                whole = iso(int(two.value.lexical[:4]), int(one.value.lexical[2:4]), int(one.value.lexical[5:7]))
                one = one if whole is None else replace(one, value=Value(whole, XSD + "date"))
            if is_joint and one.value.lexical < two.value.lexical:
                yield ValueSpan(one.start, two.end, "period", one.value, two.value)
                at += 1
                continue
        yield ValueSpan(one.start, one.end, "date" if one.upper is None else "period", one.value, one.upper)


def _is_free(start: int, end: int, taken: list[DateSpan]) -> bool:
    return all(end <= t.start or t.end <= start for t in taken)


def _year(number: int) -> Value:
    return Value(f"-{-number:04d}" if number < 0 else f"{number:04d}", XSD + "gYear")


def iso(y: int, m: int, d: int) -> str | None:
    """ISO form of a day of the proleptic Gregorian calendar, or ``None`` where there is no such day."""
    try:
        datetime.date(y if 1 <= y <= 9999 else 2000, m, d)
    except ValueError:
        return None
    return f"{'-' if y < 0 else ''}{abs(y):04d}-{m:02d}-{d:02d}"
