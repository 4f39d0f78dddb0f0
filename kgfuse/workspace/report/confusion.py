"""What was taken for what, with the classes under their superclasses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from kgfuse.fuse.data import BoolArray, IntArray
from kgfuse.fuse.kinship import Kinship

MOST_CLASSES: Final = 24
MOST_PAIRS: Final = 12
_NAMED: Final = 4


@dataclass(frozen=True, slots=True)
class Cell:
    """Items of one class that got one answer.

    Args:
        count: how many.
        share: of all items of the class.
        kind: ``hit``; ``near`` where both share a superclass, else ``far``; empty for the sum of what is not shown.
        edge: whether its column begins a group.
        title: the same in words.
    """

    count: int
    share: float
    kind: str
    edge: bool
    title: str


@dataclass(frozen=True, slots=True)
class Line:
    """The items of one class: what they were taken for."""

    label: str
    support: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """The classes of one superclass; ``name`` is empty for classes that share none."""

    name: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """A confusion that happened."""

    true: str
    given: str
    count: int
    shared: str
    items: tuple[str, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Family:
    """How the items under one superclass were answered; ``near``: wrong, but with a class under it or kin to it."""

    name: str
    support: int
    right: int
    near: int

    @property
    def far(self) -> int:
        """Wrong with a class that shares no superclass."""
        return self.support - self.right - self.near


@dataclass(frozen=True, slots=True)
class Confusion:
    """The confusion matrix and what it sums up to.

    Args:
        columns: labels of the classes that are shown, and whether each begins a group.
        blocks: rows, in the same order as the columns.
        rest: row of all classes that are not shown; ``None`` where all are.
        shown: how many classes are.
        left_out: classes that are not shown, although an item has them or got them as its answer.
        idle: classes that no item has and no item got.
        right, near, far: items answered rightly, wrongly within a shared superclass, wrongly outside of it.
        families: the same by superclass; empty where no superclass tells classes apart.
        pairs: the most frequent confusions.
        more_pairs: how many others there are.
    """

    columns: tuple[tuple[str, bool], ...]
    blocks: tuple[Block, ...]
    rest: Line | None
    shown: int
    left_out: int
    idle: int
    right: int
    near: int
    far: int
    families: tuple[Family, ...]
    pairs: tuple[Pair, ...]
    more_pairs: int


def confusion(
    true: IntArray,
    best: IntArray,
    kin: Kinship,
    labels: tuple[str, ...],
    names: tuple[str, ...],
    above: Mapping[str, str],
    most: int = MOST_CLASSES,
) -> Confusion:
    """Count what was taken for what.

    Args:
        true: (n,) classes of the items.
        best: (n,) their answers.
        kin: the classes by their superclasses.
        labels: (C) names of the classes.
        names: (n) names of the items.
        above: superclass → its name for people.
        most: classes that the matrix shows: the most confused ones.
    """
    counts = np.zeros((len(labels),) * 2, np.int64)
    np.add.at(counts, (true, best), 1)
    related = kin.related & ~np.eye(len(labels), dtype=np.bool_)
    met = counts.sum(axis=0) + counts.sum(axis=1)
    wrong = met - 2 * counts.diagonal()
    busy = [c for c in kin.order if met[c]]
    kept = set(sorted(busy, key=lambda c: (-wrong[c], -met[c], labels[c], c))[:most])
    groups = [(g.name, tuple(c for c in g.members if c in kept)) for g in kin.groups]
    order = [c for _, members in groups for c in members]
    first = {members[0] for name, members in groups if name and members}
    first |= set([members[0] for name, members in groups if not name and members][:1])
    rest = [c for c in busy if c not in kept]

    def line(own: list[int], name: str) -> Line:
        row = counts[own].sum(axis=0)
        total = int(row.sum())
        cells = []
        for c in order:
            kind = "" if len(own) != 1 else "hit" if c == own[0] else "near" if related[own[0], c] else "far"
            cells.append(_cell(int(row[c]), total, kind, c in first, name, labels[c]))
        if rest:
            cells.append(_cell(int(row[rest].sum()), total, "", True, name, "classes that are not shown"))
        return Line(name, total, tuple(cells))

    blocks = [Block(above[g] if g else "", tuple(line([c], labels[c]) for c in own)) for g, own in groups if own]
    pairs = _pairs(true, best, counts, kin, labels, names, above)
    hits = int(counts.diagonal().sum())
    near = int(counts[related].sum())
    return Confusion(
        columns=tuple((labels[c], c in first) for c in order),
        blocks=tuple(_merged(blocks)),
        rest=line(rest, f"{len(rest)} others") if rest else None,
        shown=len(order),
        left_out=len(rest),
        idle=len(labels) - len(busy),
        right=hits,
        near=near,
        far=len(true) - hits - near,
        families=_families(counts, related, kin, labels, above),
        pairs=tuple(pairs[:MOST_PAIRS]),
        more_pairs=max(0, len(pairs) - MOST_PAIRS),
    )


def _cell(count: int, total: int, kind: str, edge: bool, true: str, given: str) -> Cell:
    share = count / total if total else 0.0
    said = {"near": ", within the superclass", "far": ", outside of it"}.get(kind, "")
    title = (
        f"{true}: {count} of {total} taken for {given}{said}" if kind != "hit" else f"{true}: {count} of {total} right"
    )
    return Cell(count, share, kind, edge, title if count else "")


def _merged(blocks: list[Block]) -> list[Block]:
    """Classes without a superclass of their own in one block, the last one."""
    named = [b for b in blocks if b.name]
    single = tuple(line for b in blocks if not b.name for line in b.lines)
    return [*named, Block("", single)] if single else named


def _families(
    counts: IntArray, related: BoolArray, kin: Kinship, labels: tuple[str, ...], above: Mapping[str, str]
) -> tuple[Family, ...]:
    if not any(g.name for g in kin.groups):
        return ()
    found = []
    for group in kin.groups:
        own = list(group.members)
        support = int(counts[own].sum())
        if support:
            right, near = int(counts[own, own].sum()), int(counts[own][related[own]].sum())
            found.append(Family(above[group.name] if group.name else labels[own[0]], support, right, near))
    return tuple(found)


def _pairs(
    true: IntArray,
    best: IntArray,
    counts: IntArray,
    kin: Kinship,
    labels: tuple[str, ...],
    names: tuple[str, ...],
    above: Mapping[str, str],
) -> list[Pair]:
    where = [(int(a), int(b)) for a, b in np.argwhere(counts) if a != b]
    where.sort(key=lambda pair: (-counts[pair], labels[pair[0]], labels[pair[1]], pair))
    found = []
    for a, b in where:
        own = sorted(names[n] for n in np.flatnonzero((true == a) & (best == b)))
        shared = above.get(kin.nearest(a, b), "")
        found.append(Pair(labels[a], labels[b], len(own), shared, tuple(own[:_NAMED]), max(0, len(own) - _NAMED)))
    return found
