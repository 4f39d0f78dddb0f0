"""Dates as English texts and data labels write them: day, month and year, as far as they are said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from kgfuse.extract.values.spelling import MONTH_NUMBERS

_NAMED: Final = r"(?P<m>" + "|".join(sorted(map(re.escape, MONTH_NUMBERS), key=len, reverse=True)) + r")\.?"
_DAY: Final = r"(?P<d>\d{1,2})(?:st|nd|rd|th)?"
_YEAR: Final = r"(?P<y>\d{4})"
_FORMS: Final = tuple(
    re.compile(rf"(?<![\w-]){form}(?!\w)", re.I)
    for form in (
        rf"{_DAY}(?:\s+of)?\s+{_NAMED},?\s+{_YEAR}",
        rf"{_NAMED}\s+{_DAY},?\s+{_YEAR}",
        rf"{_YEAR}-(?P<m>\d\d)-(?P<d>\d\d)",
        rf"(?P<d>\d{{1,2}})(?P<sep>[/.-])(?P<m>\d{{1,2}})(?P=sep){_YEAR}",
        rf"{_NAMED}(?:\s+of)?,?\s+{_YEAR}",
        r"(?P<y>1\d{3}|20\d\d)(?![-–]?\d)",
    )
)


@dataclass(frozen=True, slots=True)
class Date:
    """A year, and its month and day where they are said."""

    year: int
    month: int | None = None
    day: int | None = None

    @property
    def precision(self) -> int:
        """1 for a year, 2 with a month, 3 with a day."""
        return 1 + (self.month is not None) + (self.day is not None)


def dates_in(text: str) -> Iterator[tuple[int, int, Date]]:
    """Dates of a text with their places; the longest reading of overlapping ones."""
    taken: list[tuple[int, int]] = []
    for form in _FORMS:
        for found in form.finditer(text):
            start, end = found.span()
            if any(start < e and s < end for s, e in taken):
                continue
            date = _date(found)
            if date is not None:
                taken.append((start, end))
                yield start, end, date


def parse_date(label: str) -> Date | None:
    """The date that all of a label is, or ``None``.

    >>> parse_date("01 January 1985")
    Date(year=1985, month=1, day=1)
    """
    for form in _FORMS:
        found = form.fullmatch(label.strip())
        if found is not None:
            return _date(found)
    return None


def _date(found: re.Match[str]) -> Date | None:
    groups = found.groupdict()
    month = groups.get("m")
    number = None if month is None else MONTH_NUMBERS.get(month.lower()) or (int(month) if month.isdigit() else None)
    day = None if groups.get("d") is None else int(groups["d"])
    if (month is not None and not (number and 1 <= number <= 12)) or (day is not None and not 1 <= day <= 31):
        return None
    return Date(int(groups["y"]), number, day)
