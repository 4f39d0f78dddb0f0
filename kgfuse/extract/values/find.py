"""All values of a text, each with its exact place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

from kgfuse.extract.values.coordinates import find_coordinates
from kgfuse.extract.values.dates import find_dates
from kgfuse.extract.values.identifiers import find_identifiers
from kgfuse.extract.values.quantities import find_quantities
from kgfuse.extract.values.spans import ValueSpan
from kgfuse.extract.values.times import find_times

_FINDERS: Final[tuple[Callable[[str], Iterable[ValueSpan]], ...]] = (
    find_identifiers,
    find_coordinates,
    find_times,
    find_dates,
    find_quantities,
)
"""The most telling forms first: what one of them takes, the later ones do not get."""
_ANY: Final = re.compile(r"[\d@¼-¾⅐-⅞]|www\.|://")


def find_values(text: str) -> list[ValueSpan]:
    """Values of every kind, in the order of the text; none overlaps another.

    >>> [(s.kind, s.value.lexical) for s in find_values("Built in 1889, it is 330 m tall and cost $1.5 million.")]
    [('date', '1889'), ('quantity', '330'), ('money', '1500000')]
    """
    taken = bytearray(len(text))
    found: list[ValueSpan] = []
    for finder in _FINDERS if _ANY.search(text) else (find_times, find_dates, find_quantities):
        for span in finder(text):
            if span.start < span.end and not any(taken[span.start : span.end]):
                taken[span.start : span.end] = b"\1" * (span.end - span.start)
                found.append(span)
    return sorted(found, key=lambda s: s.start)
