"""Times of day, and points in time that are a day and a time together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from kgfuse.extract.values.dates import iso
from kgfuse.extract.values.spans import ValueSpan
from kgfuse.terms.mentions import Value
from kgfuse.terms.namespaces import XSD

_ZONE: Final = r"(?:\s?(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})(?!\w))?"
_TIME: Final = re.compile(
    r"(?<![\w:.,])(?:(?P<h>[01]?\d|2[0-3]):(?P<m>[0-5]\d)(?::(?P<s>[0-5]\d(?:\.\d{1,9})?))?(?:\s?(?P<half>[ap]\.?m\b\.?))?"
    r"|(?P<h12>1[0-2]|[1-9])(?:[.](?P<m12>[0-5]\d))?\s?(?P<half12>[ap]\.?m\b\.?))"
    + _ZONE
    + r"(?![\w:])|\b(?P<word>noon|midday|midnight)\b",
    re.IGNORECASE,
)
_STAMP: Final = re.compile(
    r"(?<![\w-])(?P<y>\d{4})-(?P<mo>\d{2})-(?P<d>\d{2})[T ](?P<h>[01]\d|2[0-3]):(?P<m>[0-5]\d)"
    r"(?::(?P<s>[0-5]\d(?:\.\d{1,9})?))?" + _ZONE + r"(?![\w:])"
)


def find_times(text: str) -> Iterator[ValueSpan]:
    """Times of day as ``xsd:time`` and time stamps as ``xsd:dateTime``, in order."""
    stamps: list[tuple[int, int]] = []
    for found in _STAMP.finditer(text):
        day = iso(int(found["y"]), int(found["mo"]), int(found["d"]))
        if day is not None:
            stamps.append(found.span())
            clock = f"{found['h']}:{found['m']}:{found['s'] or '00'}{_zone(found['zone'])}"
            yield ValueSpan(found.start(), found.end(), "time", Value(f"{day}T{clock}", XSD + "dateTime"))
    for found in _TIME.finditer(text):
        if any(a < found.end() and found.start() < b for a, b in stamps):
            continue
        if (clock_time := _time(found)) is not None:
            yield ValueSpan(found.start(), found.end(), "time", Value(clock_time, XSD + "time"))


def time(text: str) -> str | None:
    """The first time of day.

    >>> [time(t) for t in ("at 2:30 p.m.", "14:05:09 UTC", "noon", "at 25:10", "12 am")]
    ['14:30:00', '14:05:09Z', '12:00:00', None, '00:00:00']
    """
    return next((s.value.lexical for s in find_times(text) if s.value.datatype == XSD + "time"), None)


def _time(found: re.Match[str]) -> str | None:
    if found["word"]:
        return "00:00:00" if found["word"].lower() == "midnight" else "12:00:00"
    hour = int(found["h"] or found["h12"])
    half = (found["half"] or found["half12"] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    return f"{hour:02d}:{found['m'] or found['m12'] or '00'}:{found['s'] or '00'}{_zone(found['zone'])}"


def _zone(zone: str | None) -> str:
    if not zone:
        return ""
    if zone.upper() in ("Z", "UTC", "GMT"):
        return "Z"
    return zone if ":" in zone else f"{zone[:3]}:{zone[3:]}"
