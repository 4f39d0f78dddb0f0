"""``eq-rep-s``, ``eq-rep-p`` and ``eq-rep-o``: what is said of one of several same things is said of them all.

``owl:sameAs`` is closed when this runs. So of triples that differ only in which of the same things they speak of, one
is enough to give all the others: without that, n same things would each hear everything n times.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kgfuse.reason.joins import CHUNK
from kgfuse.reason.relations import LOW, NONE, Ints, Mask, Relation, View, among, expand, member, merged

Emit = Callable[[int, Ints], None]
_NOTHING = Relation(NONE)


class Sameness:
    """The closed ``owl:sameAs`` relation.

    Args:
        same: its pairs.
        barred: by node, whether nothing derived has it as its subject.
    """

    def __init__(self, same: Relation, barred: object) -> None:
        no_subject = np.asarray(barred)
        self.so = same.so
        self.nodes = same.subjects
        regular = same.so[~(no_subject[same.so >> 32] | no_subject[same.so & LOW])]
        owners = regular >> 32
        first = np.concatenate(([True], owners[1:] != owners[:-1])) if len(owners) else np.empty(0, np.bool_)
        self.leader = self.nodes.copy()
        at = np.searchsorted(self.nodes, owners[first])
        self.leader[at] = np.minimum(self.nodes[at], regular[first] & LOW)

    def copies(self, keys: Ints, emit: Callable[[Ints], None]) -> None:
        """For keys whose high half is the node: the same with each of the nodes that are the same."""
        rows = self._of(keys) if len(keys) else NONE
        if not len(rows):
            return
        places = np.searchsorted(self.nodes, rows >> 32)
        canonical = (self.leader[places] << 32) | (rows & LOW)
        _, once = np.unique(canonical, return_index=True)
        rows = rows[once]
        lows = np.searchsorted(self.so, rows >> 32 << 32)
        counts = np.searchsorted(self.so, (rows >> 32) + 1 << 32) - lows
        for at, positions in expand(lows, counts, CHUNK):
            emit(((self.so[positions] & LOW) << 32) | (rows[at] & LOW))

    def _of(self, keys: Ints) -> Ints:
        """Those of sorted keys whose high half is one of the nodes."""
        if len(self.nodes) * 8 < len(keys):
            lows = np.searchsorted(keys, self.nodes << 32)
            counts = np.searchsorted(keys, (self.nodes + 1) << 32) - lows
            return np.concatenate([NONE, *(keys[p] for _, p in expand(lows, counts, CHUNK))])
        return keys[member(keys >> 32, self.nodes)]


def replace(full: View, delta: View, same: int, barred: object, emit: Emit) -> None:
    """Copies of what is new, or newly the same.

    Args:
        full: all relations, those that are new included.
        delta: what is new.
        same: number of ``owl:sameAs``.
        barred: by node, whether nothing derived has it as its subject.
        emit: gets a predicate and keys.
    """
    relation = full.get(same)
    if relation is None:
        return
    sameness = Sameness(relation, barred)
    fresh = delta[same].subjects if same in delta else NONE
    for p, triples in full.items():
        if p != same:  # of itself, symmetry and transitivity say it all
            new = delta.get(p, _NOTHING)
            sameness.copies(_touched(triples.so, new.so, fresh), lambda keys, p=p: emit(p, keys))  # type: ignore[misc]
            sameness.copies(
                _touched(triples.os, new.os, fresh),
                lambda keys, p=p: emit(p, ((keys & LOW) << 32) | (keys >> 32)),  # type: ignore[misc]
            )
    newly = set(delta[same].so.tolist()) if same in delta else set()
    for key in relation.so[_predicates(relation.so, full)].tolist():
        source = (full if key in newly else delta).get(key >> 32)
        if source is not None:
            emit(key & LOW, source.so)


def _touched(all_keys: Ints, new_keys: Ints, fresh: Ints) -> Ints:
    """New keys, and all keys of nodes that became the same as another."""
    found = new_keys
    if len(fresh):
        lows = np.searchsorted(all_keys, fresh << 32)
        counts = np.searchsorted(all_keys, (fresh + 1) << 32) - lows
        old = np.concatenate([NONE, *(all_keys[p] for _, p in expand(lows, counts, CHUNK))])
        found = merged(found, old)
    return found


def _predicates(keys: Ints, full: View) -> Mask:
    return among(keys >> 32, full)
