"""What is left of a closure when asserted triples go: delete all that may rest on them, keep what follows otherwise."""

from __future__ import annotations

from kgfuse.reason.compiled import MEMBER, IntRule, substituted
from kgfuse.reason.intersections import candidates, intersections
from kgfuse.reason.joins import Atom, solve
from kgfuse.reason.lists import Lists
from kgfuse.reason.relations import NONE, Ints, Relation, View, among, gathered, member, merged, minus
from kgfuse.reason.state import Sink, State, apply, possible, semi_naive


def hidden(state: State) -> None:
    """Add to what holds the premises that no closure shows: that classes and properties are below themselves.

    Args:
        state: what holds, closed but for these.
    """
    rules = [special for rule in _all_rules(state) for special in _reflexive(rule, state.words.reflexive)]
    while True:
        sink = Sink(state.full)
        for rule in rules:
            if all(possible(atom, state.full) for atom in rule.atoms):
                apply(rule, state.full, sink, state.kinds)
        grew = False
        for p, parts in sink.parts.items():
            known = state.full.get(p)
            new = state.admissible(p, gathered(parts))
            new = minus(new, known.so) if known is not None else new
            if len(new):
                grew = True
                state.full[p] = Relation(new) if known is None else known.plus(Relation(new))
        if not grew:
            return


def _all_rules(state: State) -> list[IntRule]:
    made = [rule for rule, _ in state.instances({}, frozenset())]
    return [*state.table.plain, *state.constructs, *made]


def _reflexive(rule: IntRule, predicates: tuple[int, ...]) -> list[IntRule]:
    """The rule's forms that conclude one of these predicates between a node and itself."""
    head = rule.head
    if head is None or (head.p >= 0 and head.p not in predicates):
        return []
    found = []
    for p in predicates if head.p < 0 else (head.p,):
        values = {head.p: p} if head.p < 0 else {}
        s, o = (values.get(slot, slot) for slot in (head.s, head.o))
        if s >= 0 and o >= 0 and s != o:
            continue
        if o < 0:
            values[o] = s
        elif s < 0:
            values[s] = o
        atoms = tuple(substituted(substituted(a, values), values) for a in rule.atoms)
        filters = tuple(
            type(f)(f.test, values.get(f.left, f.left), values.get(f.right, f.right), f.kinds) for f in rule.filters
        )
        found.append(IntRule(rule.name, atoms, substituted(substituted(head, values), values), filters))
    return found


def remaining(
    state: State, removed: View, asserted: View, lists: frozenset[int], most: float
) -> tuple[View, View] | None:
    """What surely still holds, and what follows again from it in one step.

    Args:
        state: what held, closed; it is used up.
        removed: asserted triples that go.
        asserted: asserted triples that stay: they are never deleted.
        lists: lists that are no longer what they were.
        most: share of what held past which computing it anew is quicker.

    Returns:
        Relations of what holds, and of deleted triples that come back; ``None`` where too much goes.
    """
    full = state.full
    limit = most * sum(map(len, full.values()))
    deleted: dict[int, Ints] = {}
    frontier = {p: r for p, r in removed.items() if p in full}
    changed = lists
    while frontier or changed:
        for p, relation in frontier.items():
            deleted[p] = merged(deleted.get(p, NONE), relation.so)
        if sum(map(len, deleted.values())) > limit:
            return None
        sink = Sink({})
        delta = dict(frontier)
        if changed and MEMBER in full:
            keys = full[MEMBER].so
            delta[MEMBER] = Relation(keys[among(keys >> 32, changed)])
        for rule in (*state.table.plain, *state.constructs):
            semi_naive(rule, delta, full, sink, state.kinds)
        for rule, fresh in state.instances(delta, changed):
            if fresh:
                apply(rule, full, sink, state.kinds)
            else:
                semi_naive(rule, delta, full, sink, state.kinds)
        if state.table.intersection:
            intersections(full, delta, state.lists, changed, state.words, sink.add)
        changed = frozenset()
        frontier = {}
        for p, parts in sink.parts.items():
            held = full.get(p)
            if held is None:
                continue
            keys = gathered(parts)
            keys = minus(keys[member(keys, held.so)], deleted.get(p, NONE))
            if p in asserted:
                keys = minus(keys, asserted[p].so)
            if len(keys):
                frontier[p] = Relation(keys)
    left = {p: Relation(minus(r.so, deleted[p])) if p in deleted else r for p, r in full.items()}
    gone = {p: Relation(keys) for p, keys in deleted.items()}
    lasting = {node: members for node, members in state.lists.items() if node not in lists}
    return {p: r for p, r in left.items() if len(r)}, _again(state, left, gone, lasting)


def _again(state: State, left: View, gone: View, lists: Lists) -> View:
    """Deleted triples that follow in one step from what is left."""
    sink = Sink({})
    left = {p: r for p, r in left.items() if len(r)}
    kept = State(
        state.table,
        state.constructs,
        state.words,
        state.kinds,
        lists,
        {p: r for p, r in left.items() if p != MEMBER},
    )
    for rule in _all_rules(kept):
        head = rule.head
        if head is None or (head.p >= 0 and head.p not in gone):
            continue
        if all(possible(atom, kept.full) for atom in rule.atoms):
            sources: list[tuple[Atom, View]] = [(head, gone), *((atom, kept.full) for atom in rule.atoms)]
            wanted = frozenset(v for v in head if v < 0)
            solve(sources, wanted, sink.take(head), rule.filters, state.kinds)
    if state.table.intersection and state.words.type in gone:
        candidates(kept.full, gone[state.words.type].so, kept.lists, state.words, sink.add)
    found = {}
    for p, parts in sink.parts.items():
        keys = state.admissible(p, gathered(parts))
        if len(keys):
            found[p] = Relation(keys)
    return found
