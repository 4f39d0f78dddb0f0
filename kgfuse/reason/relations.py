"""Triples as integers, one relation a predicate: sorted keys ``subject << 32 | object`` and set operations on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]

LOW: Final = (1 << 32) - 1
NONE: Final[Ints] = np.empty(0, np.int64)
_DENSE: Final = 1 << 20


def pack(subjects: Ints | Sequence[int] | int, objects: Ints | int) -> Ints:
    """Keys of pairs."""
    return np.asarray((np.asarray(subjects, np.int64) << 32) | objects, np.int64)


def swap(keys: Ints) -> Ints:
    """The keys of the pairs turned round."""
    return ((keys & LOW) << 32) | (keys >> 32)


def distinct(keys: Ints) -> Ints:
    """Sorted, each once."""
    return runs(np.sort(keys))


def runs(keys: Ints) -> Ints:
    """Each of sorted keys once."""
    if len(keys) < 2:
        return keys
    different = keys[1:] != keys[:-1]
    if different.all():
        return keys
    return keys[np.concatenate(([True], different))]


def member(keys: Ints, among: Ints) -> Mask:
    """Which keys are among others; those are sorted."""
    if not len(among):
        return np.zeros(len(keys), np.bool_)
    at = np.searchsorted(among, keys)
    at[at == len(among)] = 0
    return np.asarray(among[at] == keys)


def among(values: Ints, few: Iterable[int]) -> Mask:
    """Which values are among a few; where there are many values, `numpy.isin` would hash them all."""
    return member(values, np.array(sorted(few), np.int64))


def minus(keys: Ints, others: Ints) -> Ints:
    """The keys that are not among others; those are sorted."""
    if not len(keys) or not len(others):
        return keys
    return keys[~member(keys, others)]


def merged(a: Ints, b: Ints) -> Ints:
    """Two sorted sets in one, in time linear in their size."""
    if not len(a) or not len(b):
        return b if not len(a) else a
    both = np.concatenate((a, b))
    both.sort(kind="stable")  # timsort: merges the two runs
    return runs(both)


class Relation:
    """Pairs of one predicate. The order by object is made when it is first asked for, and kept."""

    __slots__ = ("_objects", "_os", "_subjects", "so")

    def __init__(self, so: Ints, os: Ints | None = None) -> None:
        self.so = so
        self._os = os
        self._subjects: Ints | None = None
        self._objects: Ints | None = None

    def __len__(self) -> int:
        return len(self.so)

    @property
    def os(self) -> Ints:
        """Keys of the pairs turned round, sorted."""
        if self._os is None:
            self._os = np.sort(swap(self.so))
        return self._os

    @property
    def subjects(self) -> Ints:
        """Sorted, each once."""
        if self._subjects is None:
            self._subjects = runs(self.so >> 32)
        return self._subjects

    @property
    def objects(self) -> Ints:
        """Sorted, each once."""
        if self._objects is None:
            self._objects = runs(self.os >> 32)
        return self._objects

    def plus(self, more: Relation) -> Relation:
        """The union."""
        os = merged(self._os, more.os) if self._os is not None else None
        return Relation(merged(self.so, more.so), os)


View: TypeAlias = dict[int, Relation]
"""Relations by predicate."""


def partition(triples: Ints) -> View:
    """Relations of an array (n, 3) of triples, in any order."""
    if not len(triples):
        return {}
    predicates = triples[:, 1]
    keys = pack(triples[:, 0], triples[:, 2])
    if int(predicates.max()) > 4 * len(triples) + _DENSE:
        names, codes = np.unique(predicates, return_inverse=True)
        counts = np.bincount(codes)
    else:
        table = np.bincount(predicates)
        names = np.flatnonzero(table)
        counts = table[names]
        # numpy has a radix sort for 16 bits
        small: type[np.generic] = np.uint16 if len(names) <= np.iinfo(np.uint16).max else np.int64
        lookup = np.zeros(len(table), small)
        lookup[names] = np.arange(len(names))
        codes = np.asarray(lookup[predicates])
    keys = keys[np.argsort(codes, kind="stable")]
    found: View = {}
    start = 0
    for name, count in zip(names.tolist(), counts.tolist(), strict=True):
        part = keys[start : start + count]
        start += count
        rising = part[1:] > part[:-1]
        found[name] = Relation(part if rising.all() else distinct(part))
    return found


def triples_of(view: View) -> Ints:
    """All triples as an array (n, 3), sorted by subject, predicate, object."""
    parts = [
        np.column_stack((relation.so >> 32, np.full(len(relation), p, np.int64), relation.so & LOW))
        for p, relation in view.items()
        if len(relation)
    ]
    if not parts:
        return np.empty((0, 3), np.int64)
    rows = np.concatenate(parts)
    return rows[np.lexsort((rows[:, 2], rows[:, 1], rows[:, 0]))]


def expand(low: Ints, counts: Ints, most: int) -> Iterator[tuple[Ints, Ints]]:
    """Row numbers and positions of all ``low[i] … low[i] + counts[i]``, at most so many at a time.

    Args:
        low: first position of every row.
        counts: how many positions each row has.
        most: rows a piece.
    """
    ends = counts.cumsum()
    total = int(ends[-1]) if len(ends) else 0
    if 0 < total <= most:
        rows = np.arange(len(counts)).repeat(counts)
        yield rows, np.arange(total) + (low - ends + counts).repeat(counts)
        return
    for start in range(0, total, most):
        stop = min(start + most, total)
        first = int(np.searchsorted(ends, start, side="right"))
        last = int(np.searchsorted(ends, stop, side="left"))
        many, at = counts[first : last + 1].copy(), low[first : last + 1].copy()
        skipped = start - int(ends[first] - counts[first])
        many[0] -= skipped
        at[0] += skipped
        many[-1] -= int(ends[last]) - stop
        rows = np.repeat(np.arange(first, last + 1), many)
        yield rows, np.arange(stop - start) + np.repeat(at - (np.cumsum(many) - many), many)


def gathered(parts: Iterable[Ints]) -> Ints:
    """The parts' keys, sorted, each once."""
    found = [part for part in parts if len(part)]
    if not found:
        return NONE
    return distinct(np.concatenate(found) if len(found) > 1 else found[0])
