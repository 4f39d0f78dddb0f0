"""The OWL 2 RL closure over integers: from nothing, or anew after a change.

``close`` computes it, ``renew`` brings it up to date; both give the same. Triples are arrays of shape (n, 3) of term
numbers below 2**31: subject, predicate, object.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from kgfuse.reason.compiled import MEMBER, CompiledRule, IntRule, Table, Vocabulary, numbered, numbered_constructs
from kgfuse.reason.deletion import hidden, remaining
from kgfuse.reason.lists import Lists, changed, read_lists
from kgfuse.reason.relations import LOW, Ints, Relation, View, minus, partition, triples_of
from kgfuse.reason.rules import RULES, Rule
from kgfuse.reason.state import State
from kgfuse.reason.symbols import BUILT_IN, QUOTED, Symbols

_FEW: Final = 0.2  # share of the triples past whose change computing anew is quicker
_SMALL: Final = 20_000  # from here on it pays to close the schema first


class Problem:
    """Rules and terms in numbers: what a closure is computed with.

    Args:
        symbols: the numbering.
        rules: the rule table.
        constructs: compiled CONSTRUCT rules.
        arrays: all triples that take part, so that it is known which numbers there are.
    """

    def __init__(
        self, symbols: Symbols, rules: Sequence[Rule], constructs: Sequence[CompiledRule], *arrays: Ints
    ) -> None:
        self.words = Vocabulary(symbols)
        self.table: Table = numbered(rules, symbols)
        self.constructs: tuple[IntRule, ...] = tuple(numbered_constructs(constructs, symbols))
        used = [slot for rule in (*self.table.plain, *self.constructs) for a in rule.atoms for slot in a]
        used += [slot for rule in (*self.table.plain, *self.constructs) if rule.head for slot in rule.head]
        used += [slot for rule in self.table.listed for slot in rule.head]
        used += [value for value in vars(self.words).values() if isinstance(value, int)]
        top = max([*(int(a.max()) for a in arrays if a.size), *(slot for slot in used if slot < MEMBER)])
        self.kinds = np.asarray(symbols.kinds(np.arange(top + 1)), np.uint8)

    def load(self, triples: Ints) -> View:
        """Relations of triples, those with triple terms left out."""
        quoted = (self.kinds[triples[:, 0]] == QUOTED) | (self.kinds[triples[:, 2]] == QUOTED)
        return partition(triples[~quoted] if quoted.any() else triples)

    def lists(self, asserted: View) -> Lists:
        """The lists of asserted triples."""
        return read_lists(asserted, self.words, self.kinds)

    def state(self, lists: Lists, full: View | None = None) -> State:
        """What holds, closed under the rules."""
        return State(self.table, self.constructs, self.words, self.kinds, lists, full)

    def schema(self, asserted: View) -> View:
        """Triples of the ontology languages' own vocabulary, which most rules are about: closed first."""
        words = self.words
        found: View = {}
        for p, relation in asserted.items():
            if p == words.type:
                about = relation.so[self.kinds[relation.so & LOW] == BUILT_IN]
                if len(about):
                    found[p] = Relation(about)
            elif self.kinds[p] == BUILT_IN and p != words.same:
                found[p] = relation
        return found

    def inferred(self, full: View, asserted: View, known: View | None = None) -> Ints:
        """What holds and is not asserted, without what says nothing, as sorted triples; ``known`` is part of it."""
        left: View = dict(known or {})
        for p, relation in full.items():
            if p == MEMBER or p in left:
                continue
            keys = minus(relation.so, asserted[p].so) if p in asserted else relation.so
            if p in self.words.reflexive:
                keys = keys[(keys >> 32) != (keys & LOW)]
            left[p] = Relation(keys)
        return triples_of(left)


def close(
    asserted: Ints, symbols: Symbols, *, constructs: Sequence[CompiledRule] = (), rules: Sequence[Rule] = RULES
) -> Ints:
    """Everything new that follows from triples, trivial and generalised triples left out.

    Args:
        asserted: triples (n, 3), in any order; quickest where sorted.
        symbols: the numbering of their terms.
        constructs: compiled CONSTRUCT rules, see `kgfuse.reason.conjunctive.compile_rules`.
        rules: the rule table.

    Returns:
        Inferred triples (m, 3), none of them asserted, sorted by subject, predicate and object.
    """
    problem = Problem(symbols, rules, constructs, asserted)
    given = problem.load(asserted)
    return problem.inferred(_closed(problem, given).full, given)


def _closed(problem: Problem, given: View) -> State:
    state = problem.state(problem.lists(given))
    if _size(given) < _SMALL:
        state.advance(given)
        return state
    schema = problem.schema(given)
    state.advance(schema)
    rest = {p: Relation(minus(r.so, schema[p].so)) if p in schema else r for p, r in given.items()}
    state.advance({p: r for p, r in rest.items() if len(r)})
    return state


def renew(
    asserted: Ints,
    asserted_before: Ints,
    inferred_before: Ints,
    symbols: Symbols,
    *,
    constructs: Sequence[CompiledRule] = (),
    rules: Sequence[Rule] = RULES,
) -> Ints:
    """The closure after a change: the same as ``close(asserted, …)``.

    What was added is joined with what holds; what no longer follows from what is left is deleted and, where it
    follows otherwise, derived again (DRed: Gupta, Mumick & Subrahmanian, "Maintaining views incrementally", 1993).

    Args:
        asserted: triples (n, 3) now.
        asserted_before: triples when the closure was computed.
        inferred_before: that closure, with the same rules and numbers.
        symbols: the numbering of the terms of all three.
        constructs: compiled CONSTRUCT rules.
        rules: the rule table.

    Returns:
        As ``close``.
    """
    problem = Problem(symbols, rules, constructs, asserted, asserted_before, inferred_before)
    now, before, inferred = (problem.load(rows) for rows in (asserted, asserted_before, inferred_before))
    removed, added = _difference(before, now), _difference(now, before)
    if _size(removed) > _FEW * max(_size(before), 1):
        return problem.inferred(_closed(problem, now).full, now)
    old_lists, new_lists = problem.lists(before), problem.lists(now)
    other = changed(old_lists, new_lists)
    old = problem.state(old_lists, _union(before, inferred))
    hidden(old)
    settled = dict(old.full)
    again: View = {}
    full = old.full
    if removed or other & old_lists.keys():
        left = remaining(old, removed, now, frozenset(other & old_lists.keys()), _FEW)
        if left is None:
            return problem.inferred(_closed(problem, now).full, now)
        full, again = left
    state = problem.state(new_lists, {p: r for p, r in full.items() if p != MEMBER})
    state.advance(_union(added, again), frozenset(other & new_lists.keys()))
    same = {p for p, relation in state.full.items() if settled.get(p) is relation} - removed.keys() - added.keys()
    return problem.inferred(state.full, now, {p: relation for p, relation in inferred.items() if p in same})


def _difference(a: View, b: View) -> View:
    found: View = {}
    for p, relation in a.items():
        other = b.get(p)
        if other is None:
            found[p] = relation
        elif len(other) != len(relation) or not np.array_equal(other.so, relation.so):
            keys = minus(relation.so, other.so)
            if len(keys):
                found[p] = Relation(keys)
    return found


def _union(a: View, b: View) -> View:
    return {p: a[p].plus(b[p]) if p in a and p in b else a.get(p) or b[p] for p in [*a, *(p for p in b if p not in a)]}


def _size(view: View) -> int:
    return sum(map(len, view.values()))
