"""Conjunctions of triple patterns over integer relations, solved column-wise.

The pattern that costs least goes first; a pattern whose predicate is a variable is solved predicate by predicate. A
variable that nothing further asks for is never filled in, so ``rdfs:domain`` looks at subjects, not at triples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias

import numpy as np

from kgfuse.reason.relations import LOW, Ints, Mask, Relation, View, expand, member, pack

CHUNK: Final = 4_000_000
_FAR: Final = 1 << 50
_TERMS: Final = 1 << 31  # predicates from here on are no terms, and no variable stands for them


class Atom(NamedTuple):
    """A triple pattern: numbers of terms, or variables as negative numbers."""

    s: int
    p: int
    o: int


@dataclass(frozen=True, slots=True)
class Filter:
    """A test of one or two variables: that they differ or are equal, or that a term is, or is not, of some kinds."""

    test: Literal["ne", "eq", "in", "out"]
    left: int
    right: int = 0
    kinds: tuple[int, ...] = ()


Column: TypeAlias = Ints | int
Columns: TypeAlias = dict[int, Column]
Source: TypeAlias = tuple[Atom, View]
Emit: TypeAlias = Callable[[Columns, int], None]


def solve(
    sources: Sequence[Source], wanted: frozenset[int], emit: Emit, filters: Sequence[Filter] = (), kinds: object = None
) -> None:
    """Hand all solutions to ``emit``, a bounded number of rows at a time; a solution may come more than once.

    Args:
        sources: patterns, each with the relations that it is matched with.
        wanted: variables that ``emit`` reads.
        emit: gets columns by variable (a plain number where all rows agree), and the number of rows.
        filters: tests that every solution passes.
        kinds: kind of every term, for the filters that ask for it.
    """
    _Solver(wanted, emit, tuple(filters), kinds).extend({}, 1, list(sources))


def rows_of(columns: Columns, n: int, variable: int) -> Ints:
    """A variable's column in full; a term's number stands for itself."""
    value = columns[variable] if variable < 0 else variable
    return np.full(n, value, np.int64) if isinstance(value, int) else value


class _Solver:
    def __init__(self, wanted: frozenset[int], emit: Emit, filters: tuple[Filter, ...], kinds: object) -> None:
        self.wanted = wanted | {v for f in filters for v in (f.left, f.right) if v < 0}
        self.emit = emit
        self.filters = filters
        self.kinds = np.asarray(kinds) if filters and kinds is not None else None

    def extend(self, columns: Columns, n: int, sources: list[Source]) -> None:
        if not sources:
            self._finish(columns, n)
            return
        if len(sources) == 1:
            at = 0
        else:
            costs = [_cost(atom, view, columns) for atom, view in sources]
            at = costs.index(min(costs))
        atom, view = sources[at]
        rest = sources[:at] + sources[at + 1 :]
        predicate = columns.get(atom.p, None) if atom.p < 0 else atom.p
        if predicate is None:
            for p in [p for p in view if p < _TERMS]:
                self._match({**columns, atom.p: p}, n, atom, view[p], rest)
        elif isinstance(predicate, int):
            if (relation := view.get(predicate)) is not None:
                self._match(columns, n, atom, relation, rest)
        else:
            for p, rows in groups(predicate):
                if (relation := view.get(p)) is not None:
                    self._match({**_take(columns, rows), atom.p: p}, len(rows), atom, relation, rest)

    def _finish(self, columns: Columns, n: int) -> None:
        for test in self.filters:
            keep = self._passes(test, columns)
            if isinstance(keep, np.ndarray):
                rows = np.flatnonzero(keep)
                columns, n = _take(columns, rows), len(rows)
            elif not keep:
                return
            if not n:
                return
        if n:
            self.emit(columns, n)

    def _passes(self, test: Filter, columns: Columns) -> Mask | bool:
        left = columns[test.left] if test.left < 0 else test.left
        if test.test in ("eq", "ne"):
            right = columns[test.right] if test.right < 0 else test.right
            return (left == right) if test.test == "eq" else (left != right)
        assert self.kinds is not None  # rules with such tests come with kinds
        kind = self.kinds[left]
        found = np.isin(kind, test.kinds) if test.test == "in" else ~np.isin(kind, test.kinds)
        return found if isinstance(left, np.ndarray) else bool(found)

    def _match(self, columns: Columns, n: int, atom: Atom, relation: Relation, rest: list[Source]) -> None:
        live = self.wanted.union(*(a for a, _ in rest))
        s = columns.get(atom.s) if atom.s < 0 else atom.s
        o = columns.get(atom.o) if atom.o < 0 else atom.o
        if s is not None and o is not None:
            keys = pack(s, o)
            if keys.ndim == 0:
                at = int(np.searchsorted(relation.so, keys))
                if at < len(relation) and relation.so[at] == keys:
                    self.extend(columns, n, rest)
                return
            rows = np.flatnonzero(member(keys, relation.so))
            if len(rows):
                self.extend(_take(columns, rows) if len(rows) < n else columns, len(rows), rest)
        elif s is not None:
            self._follow(columns, n, relation.so, s, atom.o, live, rest)
        elif o is not None:
            self._follow(columns, n, relation.os, o, atom.s, live, rest)
        else:
            self._scan(columns, n, atom, relation, live, rest)

    def _follow(
        self, columns: Columns, n: int, keys: Ints, known: Column, new: int, live: frozenset[int], rest: list[Source]
    ) -> None:
        """One end is known: its pairs lie together in the keys sorted by it."""
        if isinstance(known, int):
            low, high = (int(x) for x in np.searchsorted(keys, (known << 32, (known + 1) << 32)))
            if low == high:
                return
            if new not in live:
                self.extend(columns, n, rest)
            else:
                self._cross(columns, n, {new: keys[low:high] & LOW}, live, rest)
            return
        lows = np.searchsorted(keys, known << 32)
        counts = np.searchsorted(keys, (known + 1) << 32) - lows
        if new not in live:
            rows = np.flatnonzero(counts)
            if len(rows):
                self.extend(_take(columns, rows), len(rows), rest)
            return
        kept = {v: c for v, c in columns.items() if v in live}
        for rows, positions in expand(lows, counts, CHUNK):
            self.extend({**_take(kept, rows), new: keys[positions] & LOW}, len(rows), rest)

    def _scan(
        self, columns: Columns, n: int, atom: Atom, relation: Relation, live: frozenset[int], rest: list[Source]
    ) -> None:
        """Neither end is known."""
        if not len(relation):
            return
        if atom.s == atom.o:
            nodes = relation.so[(relation.so >> 32) == (relation.so & LOW)] >> 32
            if len(nodes):
                self._cross(columns, n, {atom.s: nodes}, live, rest)
        elif atom.s not in live and atom.o not in live:
            self.extend(columns, n, rest)
        elif atom.o not in live:
            self._cross(columns, n, {atom.s: relation.subjects}, live, rest)
        elif atom.s not in live:
            self._cross(columns, n, {atom.o: relation.objects}, live, rest)
        else:
            self._cross(columns, n, {atom.s: relation.so >> 32, atom.o: relation.so & LOW}, live, rest)

    def _cross(self, columns: Columns, n: int, new: dict[int, Ints], live: frozenset[int], rest: list[Source]) -> None:
        """Every row with every row of the new columns."""
        many = len(next(iter(new.values())))
        if n == 1:
            for start in range(0, many, CHUNK):
                part: Columns = {v: c[start : start + CHUNK] for v, c in new.items()}
                single = {v: c if isinstance(c, int) else int(c[0]) for v, c in columns.items()}
                self.extend({**single, **part}, min(CHUNK, many - start), rest)
            return
        kept = {v: c for v, c in columns.items() if v in live}
        for rows, positions in expand(np.zeros(n, np.int64), np.full(n, many, np.int64), CHUNK):
            self.extend({**_take(kept, rows), **{v: c[positions] for v, c in new.items()}}, len(rows), rest)


def _take(columns: Columns, rows: Ints) -> Columns:
    return {v: c if isinstance(c, int) else c[rows] for v, c in columns.items()}


def groups(values: Ints) -> Iterator[tuple[int, Ints]]:
    """Each value with the rows that have it."""
    if (values == values[0]).all():
        yield int(values[0]), np.arange(len(values))
        return
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    starts = np.flatnonzero(np.concatenate(([True], ranked[1:] != ranked[:-1])))
    for i, start in enumerate(starts):
        stop = starts[i + 1] if i + 1 < len(starts) else len(ranked)
        yield int(ranked[start]), order[start:stop]


def _cost(atom: Atom, view: View, columns: Columns) -> float:
    """Roughly how many rows matching this pattern next would look at or make."""
    if atom.p >= 0:
        relation = view.get(atom.p)
        if relation is None or not len(relation):
            return -1.0  # no solutions at all: find that out first
        size = len(relation)
    elif atom.p in columns:
        predicate = columns[atom.p]
        if isinstance(predicate, int):
            relation = view.get(predicate)
            if relation is None:
                return -1.0
            size = len(relation)
        else:
            size = sum(map(len, view.values())) // max(len(view), 1)
    else:
        size = sum(map(len, view.values())) + 1000 * len(view)
    s, o = (slot >= 0 or slot in columns for slot in (atom.s, atom.o))
    if s and o:
        return 0.0
    if atom.o >= 0 and atom.p >= 0 and not columns:
        keys = view[atom.p].os
        low, high = np.searchsorted(keys, (atom.o << 32, (atom.o + 1) << 32))
        return float(high - low)
    if s or o:  # a node has few objects under a property, but a class has many instances
        return 1.0 + math.pow(size, 0.25 if s else 0.5)
    connected = not columns or atom.p in columns
    return float(size) if connected else float(size) * _FAR
