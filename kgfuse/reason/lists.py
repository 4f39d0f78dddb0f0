"""RDF lists of the asserted triples, as numbers.

Lists are read as they are asserted. What ``owl:sameAs`` would copy onto their nodes makes no second list of them: all
that would follow from one follows from the first, through the same ``owl:sameAs``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from kgfuse.reason.compiled import Vocabulary
from kgfuse.reason.relations import LOW, NONE, Ints, Relation, View, distinct, pack
from kgfuse.reason.symbols import LITERAL, QUOTED

Lists: TypeAlias = dict[int, tuple[int, ...]]
"""Members of every well-formed list that is not empty, by its first node."""


def read_lists(asserted: View, words: Vocabulary, kinds: object) -> Lists:
    """The well-formed lists: one first and one rest at every node, members that are no literals, ended by nil.

    Args:
        asserted: relations of the asserted triples.
        words: numbers of the vocabulary.
        kinds: kind of every term.
    """
    kind = np.asarray(kinds)
    first, rest = (_functional(asserted.get(p)) for p in (words.first, words.rest))
    named = {int(o) for p in words.lists if (relation := asserted.get(p)) for o in relation.objects}
    found: Lists = {}
    for head in sorted((first.keys() - rest.values()) | (named & first.keys())):
        members: list[int] = []
        seen: set[int] = set()
        node = head
        while node not in seen and node in first and node in rest and kind[first[node]] not in (LITERAL, QUOTED):
            seen.add(node)
            members.append(first[node])
            node = rest[node]
        if node == words.nil and members:
            found[head] = tuple(members)
    return found


def _functional(relation: Relation | None) -> dict[int, int]:
    """The pairs whose subject has just one."""
    if relation is None:
        return {}
    _, counts = np.unique(relation.so >> 32, return_counts=True)
    single = np.repeat(counts == 1, counts)
    keys = relation.so[single]
    return dict(zip((keys >> 32).tolist(), (keys & LOW).tolist(), strict=True))


def pairs(lists: Mapping[int, tuple[int, ...]]) -> Ints:
    """Keys (list, member), sorted."""
    flat = [(node, m) for node, members in lists.items() for m in members]
    if not flat:
        return NONE
    table = np.array(flat, np.int64)
    return distinct(pack(table[:, 0], table[:, 1]))


def changed(old: Lists, new: Lists) -> set[int]:
    """Lists whose members are not what they were."""
    return {node for node in old.keys() | new.keys() if old.get(node) != new.get(node)}
