"""Numbers and dates as the intervals that they lie in, by the names of their nodes alone.

Two things that weigh 2.1 and 2.3 kg share no value, but they share an interval. The intervals are the same for all
data: 1, 2, 5, 10, … and powers of ten for numbers; years and decades for dates. So nothing has to be learned or kept of
them, and new values find theirs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from kgfuse.fuse.data import FloatArray, IntArray

LEVELS: Final = 2
"""Intervals of a value: a narrow one, and a wide one around it."""
VALUES: Final = 4
_LITERAL: Final = re.compile(r'"([^"]{1,40})"\^\^<http://www\.w3\.org/2001/XMLSchema#(\w+)>')
_NUMBERS: Final = frozenset(
    ("decimal", "integer", "double", "float", "int", "long", "short", "byte", "nonNegativeInteger", "positiveInteger",
     "nonPositiveInteger", "negativeInteger", "unsignedLong", "unsignedInt", "unsignedShort", "unsignedByte")
)  # fmt: skip
_DATES: Final = frozenset(("date", "dateTime", "dateTimeStamp", "gYear", "gYearMonth"))
_YEAR: Final = re.compile(r"-?\d{4}(?=$|-|Z|\+)")
_STEPS: Final = (1, 2, 5, 10)


def intervals_of(name: str) -> tuple[str, ...]:
    """Names of the intervals of a literal's node, the narrow one first; none for all other nodes.

    Args:
        name: a literal in N-Triples, or an IRI.

    >>> intervals_of('"2.3"^^<http://www.w3.org/2001/XMLSchema#double>')
    ('2 to 5', '1 to 10')
    >>> intervals_of('"1998-04-03"^^<http://www.w3.org/2001/XMLSchema#date>')
    ('year 1998', 'years 1990 to 1999')
    """
    found = _LITERAL.fullmatch(name)
    if found is None:
        return ()
    value, kind = found.groups()
    if kind in _DATES:
        year = _YEAR.match(value)
        if year is None:
            return ()
        number = int(year.group())
        return f"year {number}", f"years {number // 10 * 10} to {number // 10 * 10 + 9}"
    return _of_number(value) if kind in _NUMBERS else ()


def value_of(name: str) -> tuple[float, float, float, float]:
    """A literal as numbers about one: is it a number, its logarithm with sign, is it a date, its year from 2000 on.

    >>> value_of('"1998-04-03"^^<http://www.w3.org/2001/XMLSchema#date>')
    (0.0, 0.0, 1.0, -0.04)
    """
    found = _LITERAL.fullmatch(name) if name.startswith('"') else None
    if found is not None:
        value, kind = found.groups()
        if kind in _DATES and (year := _YEAR.match(value)):
            return 0.0, 0.0, 1.0, (int(year.group()) - 2000) / 50
        if kind in _NUMBERS:
            try:
                number = float(value)
            except ValueError:
                number = math.nan
            if math.isfinite(number):
                return 1.0, math.copysign(math.log1p(abs(number)), number) / 5, 0.0, 0.0
    return 0.0, 0.0, 0.0, 0.0


def values(nodes: Sequence[str]) -> FloatArray:
    """(V, 4) :func:`value_of` each node; zero rows for all that is neither number nor date."""
    found = np.zeros((len(nodes), VALUES), np.float32)
    for row, name in enumerate(nodes):
        if name.startswith('"'):
            found[row] = value_of(name)
    return found


def _of_number(value: str) -> tuple[str, ...]:
    try:
        number = float(value)
    except ValueError:
        return ()
    if number == 0:
        return "0", "0"
    if not math.isfinite(number):
        return ()
    size = abs(number)
    power = math.floor(math.log10(size))
    lead = size / 10.0**power if power > -300 else 1.0
    at = max(n for n, step in enumerate(_STEPS[:-1]) if lead >= step * (1 - 1e-12) or n == 0)
    low, high = (float(f"{step}e{power}") for step in _STEPS[at : at + 2])
    sign = "-" if number < 0 else ""
    return f"{sign}{low:g} to {sign}{high:g}", f"{sign}{float(f'1e{power}'):g} to {sign}{float(f'1e{power + 1}'):g}"


def levels(nodes: Sequence[str]) -> tuple[tuple[str, ...], IntArray]:
    """All intervals that nodes lie in, sorted, and (V, 2) which of them each node's are, -1 for none."""
    own = [intervals_of(name) if name.startswith('"') else () for name in nodes]
    names = tuple(sorted({f"{level} {i}" for found in own for level, i in enumerate(found)}))
    number = {name: n for n, name in enumerate(names)}
    at = np.full((len(nodes), LEVELS), -1, np.int64)
    for row, found in enumerate(own):
        for level, i in enumerate(found):
            at[row, level] = number[f"{level} {i}"]
    return names, at
