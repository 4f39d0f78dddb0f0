"""How regions of a picture lie to one another: left of, above, inside, overlaps, near."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final

from kgfuse.terms.mentions import Mention, Region, Statement
from kgfuse.terms.namespaces import KGF

EXTRACTOR: Final = "image.relations"
LEFT_OF: Final = KGF + "leftOf"
ABOVE: Final = KGF + "above"
INSIDE: Final = KGF + "inside"
OVERLAPS: Final = KGF + "overlaps"
NEAR: Final = KGF + "near"
MOST: Final = 24
_REGIONS: Final = 40
_WITHIN: Final = 0.9
_TOUCH: Final = 0.1
_BESIDE: Final = 0.5


def relations(a: Region, b: Region) -> list[tuple[str, bool]]:
    """Relations of two boxes, each with whether it is of the first to the second (else the other way round).

    A box is inside a larger one that holds nine tenths of it; boxes overlap from a tenth of the smaller on. What is
    left of, or above, another is apart from it and level with half of the smaller one. Near is a gap no wider than
    the shorter of the sides.

    >>> relations(Region(0, 0, 10, 10), Region(15, 0, 10, 10))
    [('https://w3id.org/kgfuse#leftOf', True), ('https://w3id.org/kgfuse#near', True)]
    """
    across = min(a.x + a.w, b.x + b.w) - max(a.x, b.x)
    down = min(a.y + a.h, b.y + b.h) - max(a.y, b.y)
    if across > 0 and down > 0:
        first, second = a.w * a.h, b.w * b.h
        share = across * down / min(first, second)
        if share >= _WITHIN and first != second:
            return [(INSIDE, first < second)]
        return [(OVERLAPS, True)] if share >= _TOUCH else []
    found = []
    if across <= 0 and down >= _BESIDE * min(a.h, b.h):
        found.append((LEFT_OF, a.x < b.x))
    if down <= 0 and across >= _BESIDE * min(a.w, b.w):
        found.append((ABOVE, a.y < b.y))
    if _gap(a, b) <= min(a.w, a.h, b.w, b.h):
        found.append((NEAR, True))
    return found


def relation_statements(places: Sequence[Mention]) -> Iterator[Statement]:
    """Yield how the regions of one picture lie to one another, the nearest pairs first, at most 24.

    Subject and object are the mentions themselves, whose provenance says what they refer to; both are evidence.
    """
    regions = [(m, m.selector) for m in places if isinstance(m.selector, Region)]
    regions = sorted(dict(regions).items(), key=lambda one: (-one[0].confidence, one[0].iri))[:_REGIONS]
    pairs = sorted(combinations(regions, 2), key=lambda p: (_gap(p[0][1], p[1][1]), p[0][0].iri, p[1][0].iri))
    left = MOST
    for (a, first), (b, second) in pairs:
        if first == second:
            continue  # one place, which is one mention
        for predicate, forward in relations(first, second)[:left]:
            subject, other = (a, b) if forward else (b, a)
            yield Statement(
                subject=subject.iri,
                predicate=predicate,
                object=other.iri,
                evidence=(subject, other),
                extractor=EXTRACTOR,
                confidence=round(min(a.confidence, b.confidence), 3),
                reason=f"how the boxes of {subject.label!r} and {other.label!r} lie",
                source=a.source,
            )
            left -= 1
        if not left:
            return


def _gap(a: Region, b: Region) -> float:
    across = max(a.x, b.x) - min(a.x + a.w, b.x + b.w)
    down = max(a.y, b.y) - min(a.y + a.h, b.y + b.h)
    return math.hypot(max(across, 0), max(down, 0))
