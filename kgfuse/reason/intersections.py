"""``cls-int1``: what is of every class of an intersection is of it, for all intersections at once."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np

from kgfuse.reason.compiled import Vocabulary
from kgfuse.reason.joins import CHUNK
from kgfuse.reason.lists import Lists
from kgfuse.reason.relations import LOW, Ints, Relation, View, among, expand, member, pack


class Table:
    """Intersections: row by row the class, its members (the first repeated where there are fewer), their number."""

    def __init__(self, axioms: Relation, lists: Lists) -> None:
        rows = [(key >> 32, key & LOW, m) for key in axioms.so.tolist() if (m := lists.get(key & LOW)) is not None]
        width = max((len(m) for _, _, m in rows), default=0)
        self.classes = np.array([c for c, _, _ in rows], np.int64)
        self.heads = np.array([node for _, node, _ in rows], np.int64)
        self.members = np.array([(*m, *[m[0]] * (width - len(m))) for _, _, m in rows], np.int64).reshape(
            len(rows), width
        )

    def complete(self, rows: Ints, nodes: Ints, types: Ints) -> tuple[Ints, Ints]:
        """Of candidates (row, node) those where the node is of every class of the row."""
        for column in range(self.members.shape[1]):
            keep = member(pack(nodes, self.members[rows, column]), types)
            rows, nodes = rows[keep], nodes[keep]
            if not len(rows):
                break
        return rows, nodes


def intersections(
    full: View,
    delta: View,
    lists: Lists,
    changed: Collection[int],
    words: Vocabulary,
    emit: Callable[[int, Ints], None],
) -> None:
    """Conclusions where a type, an axiom or a list is new.

    Args:
        full: all relations, those that are new included.
        delta: what is new.
        lists: members of lists.
        changed: lists that are new.
        words: numbers of the vocabulary.
        emit: gets a predicate and keys.
    """
    axioms, types = full.get(words.intersection), full.get(words.type)
    new_types = delta.get(words.type)
    if axioms is None or types is None:
        return
    fresh = delta.get(words.intersection)
    if fresh is None and new_types is None and not changed:
        return
    table = Table(axioms, lists)
    if not len(table.classes):
        return

    def found(rows: Ints, nodes: Ints) -> None:
        rows, nodes = table.complete(rows, nodes, types.so)
        if len(rows):
            emit(words.type, pack(nodes, table.classes[rows]))

    if fresh is not None or changed:
        new = among(table.heads, changed)
        if fresh is not None:
            new |= member(pack(table.classes, table.heads), fresh.so)
        rows = np.flatnonzero(new)
        if len(rows):
            members = table.members[rows]
            lows = np.searchsorted(types.os, members << 32)
            counts = np.searchsorted(types.os, (members + 1) << 32) - lows
            rarest = counts.argmin(axis=1)
            at = np.arange(len(rows))
            for i, positions in expand(lows[at, rarest], counts[at, rarest], CHUNK):
                found(rows[i], types.os[positions] & LOW)
    if new_types is not None:
        for column in range(table.members.shape[1]):
            classes = table.members[:, column]
            lows = np.searchsorted(new_types.os, classes << 32)
            counts = np.searchsorted(new_types.os, (classes + 1) << 32) - lows
            if column:
                counts[classes == table.members[:, 0]] = 0
            for i, positions in expand(lows, counts, CHUNK):
                found(i, new_types.os[positions] & LOW)


def candidates(full: View, deleted: Ints, lists: Lists, words: Vocabulary, emit: Callable[[int, Ints], None]) -> None:
    """Of pairs (node, class) those that an intersection gives again; its axiom and types are in ``full``."""
    axioms, types = full.get(words.intersection), full.get(words.type)
    if axioms is None or types is None or not len(deleted):
        return
    table = Table(axioms, lists)
    order = np.argsort(table.classes, kind="stable")
    classes = table.classes[order]
    lows = np.searchsorted(classes, deleted & LOW)
    counts = np.searchsorted(classes, deleted & LOW, side="right") - lows
    for i, positions in expand(lows, counts, CHUNK):
        rows, nodes = table.complete(order[positions], deleted[i] >> 32, types.so)
        if len(rows):
            emit(words.type, pack(nodes, table.classes[rows]))
