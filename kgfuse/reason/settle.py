"""Closures that are taken at once, not by joining step after step: transitivity, sameness, the class hierarchy.

A transitive relation is closed from the left, one edge at a time: every pair comes as often as edges lead to it, not
as often as there are nodes between its ends.
"""

from __future__ import annotations

import numpy as np

from kgfuse.reason.joins import CHUNK
from kgfuse.reason.relations import (
    LOW,
    NONE,
    Ints,
    among,
    distinct,
    expand,
    gathered,
    member,
    merged,
    minus,
    pack,
    swap,
)


def composed(left: Ints, right: Ints) -> Ints:
    """Pairs (x, z) with (x, y) on the left and (y, z) on the right, sorted, each once; the right side is sorted."""
    if not len(left) or not len(right):
        return NONE
    middle = left & LOW
    lows = np.searchsorted(right, middle << 32)
    counts = np.searchsorted(right, (middle + 1) << 32) - lows
    return gathered(
        distinct((left[rows] >> 32 << 32) | (right[positions] & LOW)) for rows, positions in expand(lows, counts, CHUNK)
    )


def transitive(closed: Ints, new: Ints, dropped: tuple[int, ...] = (), barred: object = None) -> Ints:
    """What must be added to a relation that is closed so that it is closed with new pairs too, those included.

    Args:
        closed: sorted keys.
        new: sorted keys, none of them in ``closed``.
        dropped: objects to which nothing derived leads (``owl:Thing`` of ``rdfs:subClassOf``).
        barred: by node, whether nothing derived has it as its subject.
    """
    no_subject = np.asarray(barred)

    def kept(keys: Ints) -> Ints:
        keys = keys[~no_subject[keys >> 32]]
        return keys[~among(keys & LOW, dropped)] if dropped else keys

    edges = merged(closed, new)
    result = new
    if dropped:  # a path through such a node, which no derived pair leads to, is an edge of its own
        through = edges[among(edges & LOW, dropped)]
        shortcuts = minus(kept(composed(through, edges)), edges)
        result, edges = merged(result, shortcuts), merged(edges, shortcuts)
    start = minus(kept(composed(closed, result)), edges) if len(closed) else NONE
    result = merged(result, start)
    frontier = result
    while len(frontier):
        frontier = minus(minus(kept(composed(frontier, edges)), result), closed)
        result = merged(result, frontier)
    return result


def equivalence(closed: Ints, new: Ints, irreflexive: bool, barred: object) -> Ints:
    """As ``transitive``, of a relation that is symmetric too.

    Args:
        closed: sorted keys.
        new: sorted keys, none of them in ``closed``.
        irreflexive: whether a node's being related to itself is left out (``owl:sameAs``).
        barred: by node, whether nothing derived has it as its subject.
    """
    no_subject = np.asarray(barred)
    given, result = new, NONE

    def turned(keys: Ints) -> Ints:
        back = swap(keys)
        return minus(distinct(back[~no_subject[back >> 32]]), closed)

    while len(new):
        found = transitive(closed, merged(new, turned(new)), barred=barred)
        if irreflexive:
            found = found[((found >> 32) != (found & LOW)) | member(found, given)]
        result, closed = merged(result, found), merged(closed, found)
        new = turned(found)
    return result


def lifted(types: Ints, hierarchy: Ints) -> Ints:
    """Pairs (node, class above) of pairs (node, class) and a closed class hierarchy, sorted, each once."""
    if not len(types) or not len(hierarchy):
        return NONE
    # class by class: what is above each, for all its nodes at once
    turned = np.sort(swap(types))
    classes = turned >> 32
    starts = np.flatnonzero(np.concatenate(([True], classes[1:] != classes[:-1])))
    ends = np.append(starts[1:], len(turned))
    below = classes[starts]
    lows = np.searchsorted(hierarchy, below << 32)
    counts = np.searchsorted(hierarchy, (below + 1) << 32) - lows
    above: dict[int, list[Ints]] = {}
    for start, end, low, count in zip(starts.tolist(), ends.tolist(), lows.tolist(), counts.tolist(), strict=True):
        if count:
            nodes = turned[start:end] & LOW
            for c in (hierarchy[low : low + count] & LOW).tolist():
                above.setdefault(c, []).append(nodes)
    return gathered(pack(gathered(parts), c) for c, parts in above.items())
