"""Geographic coordinates, decimal or in degrees, minutes and seconds, as WKT points (GeoSPARQL: longitude first)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from kgfuse.extract.values.spans import ValueSpan, number_literal
from kgfuse.terms.mentions import Value

WKT: Final = "http://www.opengis.net/ont/geosparql#wktLiteral"
_MINUTE: Final = r"['′’]"
_SECOND: Final = r"(?:[\"″”]|''|′′)"


def _angle(n: int, poles: str) -> str:
    return (
        rf"(?P<d{n}>\d{{1,3}}(?:\.\d+)?)\s?(?:°|º|deg\b)\s?(?:(?P<m{n}>[0-5]?\d(?:\.\d+)?)\s?{_MINUTE}\s?"
        rf"(?:(?P<s{n}>[0-5]?\d(?:\.\d+)?)\s?{_SECOND}\s?)?)?(?P<p{n}>[{poles}])(?:orth|outh|ast|est)?\b"
    )


_DEGREES: Final = re.compile(_angle(1, "NS") + r"[\s,;]*(?:and\s)?" + _angle(2, "EW"))
_DECIMAL: Final = re.compile(
    r"(?<![\w.,-])(?P<lat>[-+−]?\d{1,2}\.\d{4,})\s?,\s?(?P<lon>[-+−]?\d{1,3}\.\d{4,})(?!\w|[.,]\d)"
)
_SIXTH: Final = Decimal("0.000001")


def find_coordinates(text: str) -> Iterator[ValueSpan]:
    """Pairs of latitude and longitude, in order; decimal pairs need four decimals each.

    >>> [s.value.lexical for s in find_coordinates("at 51°30′26″N 0°7′39″W")]
    ['POINT(-0.1275 51.507222)']
    """
    if "°" in text or "º" in text or "deg" in text:
        for found in _DEGREES.finditer(text):
            yield from _span(found, _degrees(found, 1), _degrees(found, 2))
    for found in _DECIMAL.finditer(text):
        yield from _span(found, *(Decimal(found[k].replace("−", "-")) for k in ("lat", "lon")))


def _degrees(found: re.Match[str], n: int) -> Decimal:
    parts = (Decimal(found[f"{k}{n}"] or 0) for k in "dms")
    whole = sum((p / 60**e for e, p in enumerate(parts)), Decimal(0))
    return -whole if found[f"p{n}"] in "SW" else whole


def _span(found: re.Match[str], latitude: Decimal, longitude: Decimal) -> Iterator[ValueSpan]:
    if abs(latitude) <= 90 and abs(longitude) <= 180:
        lat, lon = (number_literal(format(v.quantize(_SIXTH, ROUND_HALF_EVEN), "f")) for v in (latitude, longitude))
        yield ValueSpan(found.start(), found.end(), "coordinates", Value(f"POINT({lon} {lat})", WKT))
