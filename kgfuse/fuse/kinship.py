"""Which classes belong together: groups of them under their superclasses, and which pairs share one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kgfuse.fuse.data import BoolArray, ClassNodes, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Group:
    """Classes under one superclass.

    Args:
        name: of the superclass; empty for a class that shares none with another.
        members: indices of its classes, those that share a nearer superclass side by side.
    """

    name: str
    members: tuple[int, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Kinship:
    """The classes of a target, arranged by their superclasses.

    Args:
        groups: a partition of the classes: those with a name first, in the order of their names.
        related: (C, C) whether two classes share a superclass, or one of them is the other's. A superclass of all
            classes does not count: it tells nothing apart.
        names: S superclasses that count, the classes themselves among them.
        extent: (C, S) which classes lie under each.
    """

    groups: tuple[Group, ...]
    related: BoolArray
    names: tuple[str, ...]
    extent: BoolArray

    @property
    def order(self) -> tuple[int, ...]:
        """All classes, group by group."""
        return tuple(c for group in self.groups for c in group.members)

    def nearest(self, a: int, b: int) -> str:
        """The superclass of two classes with the fewest others under it; empty where they share none."""
        both = np.flatnonzero(self.extent[a] & self.extent[b]).tolist()
        size = self.extent.sum(axis=0)
        return self.names[min(both, key=lambda s: (size[s], self.names[s]))] if both else ""


def kinship(classes: ClassNodes, depth: Mapping[str, int] | None = None) -> Kinship:
    """Arrange classes by their superclasses.

    Where superclasses lie under each other, the widest one names the group. A class under several that do not goes
    to the one with the most classes; it is related to the classes of the others all the same.

    Args:
        classes: with ``ancestors`` and ``membership``; each class also counts as a superclass of itself.
        depth: superclass → how many it has itself: of several with the very same classes the deepest names the group.
    """
    names, extent = _extents(classes)
    deep = depth or {}
    count = extent.astype(np.int64)
    size = count.sum(axis=0)
    # Widest first; of those with the very same classes the deepest first, and it alone stands for them.
    ranked = sorted(range(len(names)), key=lambda s: (-size[s], -deep.get(names[s], 0), names[s]))
    rank = np.argsort(np.array(ranked, np.int64), kind="stable")
    inside = (count.T @ count) == size[:, None]  # (S, S): all classes of the one lie under the other
    before = inside & ((size[:, None] < size) | (rank[:, None] > rank))
    tops = [s for s in ranked if not before[s].any()]
    paths = [tuple(sorted(rank[extent[c]].tolist())) for c in range(len(classes.iris))]
    members: dict[int, list[int]] = {}
    for c in range(len(classes.iris)):
        members.setdefault(next((s for s in tops if extent[c, s]), -1 - c), []).append(c)
    groups = []
    for s, own in members.items():
        order = sorted(own, key=lambda c: (paths[c], classes.labels[c], classes.iris[c]))
        groups.append(Group(names[s] if s >= 0 and len(own) > 1 else "", tuple(order)))
    groups.sort(key=lambda g: (not g.name, g.name, classes.labels[g.members[0]], g.members))
    related = (count @ count.T > 0) | np.eye(len(classes.iris), dtype=np.bool_)
    return Kinship(tuple(groups), np.asarray(related, np.bool_), tuple(names), extent)


def distances(classes: ClassNodes) -> IntArray:
    """(C, C) how far classes lie apart: the superclasses, themselves counted, that only one of two has.

    In a tree whose superclasses are all there that is the number of edges on the way from one to the other, as mistakes
    are weighed by Bertinetto et al. 2020 ("Making better mistakes", arXiv:1912.09393).
    """
    extent = _extents(classes)[1].astype(np.int64)
    size = extent.sum(axis=1)
    return np.asarray(size[:, None] + size - 2 * (extent @ extent.T), np.int64)


def nearness(classes: ClassNodes, known: BoolArray) -> FloatArray:
    """(C, C) soft targets: of each class, how much every other one counts, the nearer the more (rows sum to one).

    The weight of a class halves with each edge of distance (Bertinetto et al. 2020, section 3.2).

    Args:
        classes: with their superclasses.
        known: (C,) classes that count; the others, and each class itself, get nothing.
    """
    far = distances(classes)
    weight = np.exp2(-far.astype(np.float64)) * (known & ~np.eye(len(far), dtype=np.bool_))
    return np.asarray(weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-300), np.float32)


def _extents(classes: ClassNodes) -> tuple[list[str], BoolArray]:
    """Superclasses, the classes themselves among them, and (C, S) which classes lie under each; not those of all."""
    names = sorted({*classes.ancestors, *classes.iris})
    at = {name: n for n, name in enumerate(names)}
    extent = np.zeros((len(classes.iris), len(names)), np.bool_)
    for column, name in enumerate(classes.ancestors):
        extent[:, at[name]] = classes.membership[:, column]
    for c, iri in enumerate(classes.iris):
        extent[c, at[iri]] = True
    kept = np.flatnonzero(extent.any(axis=0) & ~extent.all(axis=0))
    return [names[int(s)] for s in kept], extent[:, kept]
