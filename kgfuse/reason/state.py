"""All that holds, as relations, and one semi-naive advance of it: what is new is joined with all that holds.

After every round, ``owl:sameAs``, transitive relations and the class hierarchy are closed at once (`settle`), so no
round joins them again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from kgfuse.reason import settle
from kgfuse.reason.compiled import MEMBER, IntRule, Table, Vocabulary
from kgfuse.reason.intersections import intersections
from kgfuse.reason.joins import Atom, Columns, groups, rows_of, solve
from kgfuse.reason.lists import Lists, pairs
from kgfuse.reason.relations import LOW, NONE, Ints, Relation, View, among, gathered, member, merged, minus, pack
from kgfuse.reason.replace import replace
from kgfuse.reason.symbols import BUILT_IN, IRI, LITERAL, QUOTED

_HEAVY = 2_000_000
_SETTLED = ("eq-sym", "eq-trans", "eq-rep-s", "eq-rep-o", "eq-rep-p", "prp-trp", "scm-sco", "scm-spo")


class Sink:
    """Keys derived in one round, by predicate; what holds already is left out as soon as there is much of it."""

    def __init__(self, full: View) -> None:
        self.full = full
        self.parts: dict[int, list[Ints]] = {}
        self._size: dict[int, int] = {}

    def add(self, predicate: int, keys: Ints) -> None:
        """Take derived pairs of a predicate."""
        if not len(keys):
            return
        self.parts.setdefault(predicate, []).append(keys)
        size = self._size.get(predicate, 0) + len(keys)
        if size > _HEAVY:
            known = self.full.get(predicate)
            new = gathered(self.parts[predicate])
            if known is not None:
                new = minus(new, known.so)
            self.parts[predicate] = [new]
            size = min(len(new) // 2, _HEAVY // 2)  # so that the next look comes when it has grown by half
        self._size[predicate] = size

    def take(self, head: Atom) -> Callable[[Columns, int], None]:
        """What adds the conclusions of a rule."""

        def emit(columns: Columns, n: int) -> None:
            s, o = rows_of(columns, n, head.s), rows_of(columns, n, head.o)
            predicate = columns[head.p] if head.p < 0 else head.p
            if isinstance(predicate, int):
                self.add(predicate, pack(s, o))
                return
            for p, rows in groups(predicate):
                self.add(p, pack(s[rows], o[rows]))

        return emit


class State:
    """Relations of all that holds, closed under the rules but for what `advance` is still given.

    Args:
        table: the rules.
        constructs: compiled CONSTRUCT rules.
        words: numbers of the vocabulary.
        kinds: kind of every term.
        lists: the lists of the asserted triples.
        full: what holds, closed.
    """

    def __init__(
        self,
        table: Table,
        constructs: Iterable[IntRule],
        words: Vocabulary,
        kinds: object,
        lists: Lists,
        full: View | None = None,
    ) -> None:
        self.table = table
        self.constructs = tuple(constructs)
        self.words = words
        self.kinds = np.asarray(kinds)
        self.barred = (self.kinds == BUILT_IN) | (self.kinds == LITERAL) | (self.kinds == QUOTED)
        self.lists = lists
        self.full: View = dict(full or {})
        members = pairs(lists)
        if len(members):
            self.full[MEMBER] = Relation(members)
        self.rules = tuple(r for r in table.plain if r.name not in _SETTLED and r.name != "cax-sco") + self.constructs
        self._lifting = next((r for r in table.plain if r.name == "cax-sco"), None)
        self._names = {r.name for r in table.plain}
        named = {"scm-sco": words.subclass, "scm-spo": words.subproperty}
        self._hierarchies = {p: False for name, p in named.items() if name in self._names}

    def advance(self, new: View, changed: frozenset[int] = frozenset()) -> None:
        """Add triples and all that follows from them.

        Args:
            new: triples that hold.
            changed: lists that are new, or have other members than when the state was closed.
        """
        sink = Sink(self.full)
        for p, relation in new.items():
            sink.add(p, relation.so)
        delta = self._settle(sink, derived=False)
        if changed and MEMBER in self.full:
            keys = self.full[MEMBER].so
            delta[MEMBER] = Relation(keys[among(keys >> 32, changed)])
        while delta or changed:
            for p, relation in delta.items():
                if p != MEMBER:
                    known = self.full.get(p)
                    self.full[p] = relation if known is None else known.plus(relation)
            sink = Sink(self.full)
            self.step(delta, sink, changed)
            changed = frozenset()
            delta = self._settle(sink)

    def step(self, delta: View, sink: Sink, changed: frozenset[int] = frozenset()) -> None:
        """One application of all rules that are not closed at once to what is new, and to what holds beside it."""
        for rule in self.rules:
            semi_naive(rule, delta, self.full, sink, self.kinds)
        if self._lifting is not None:
            lifting = {self.words.subclass} if self._lifts_at_once() else {self.words.subclass, self.words.type}
            part = {p: r for p, r in delta.items() if p in lifting}
            semi_naive(self._lifting, part, self.full, sink, self.kinds)
        for rule, fresh in self.instances(delta, changed):
            if fresh:
                apply(rule, self.full, sink, self.kinds)
            else:
                semi_naive(rule, delta, self.full, sink, self.kinds)
        if self.table.intersection:
            intersections(self.full, delta, self.lists, changed, self.words, sink.add)
        if "eq-rep-s" in self._names:
            replace({p: r for p, r in self.full.items() if p != MEMBER}, delta, self.words.same, self.barred, sink.add)

    def instances(self, delta: View, changed: frozenset[int]) -> Iterator[tuple[IntRule, bool]]:
        """Rules made for the axioms that name a list, and whether the axiom or its list is new."""
        for rule in self.table.listed:
            axioms = self.full.get(rule.axiom.p)
            if axioms is None:
                continue
            fresh = set(delta[rule.axiom.p].so.tolist()) if rule.axiom.p in delta else set()
            for key in axioms.so.tolist():
                members = self.lists.get(key & LOW)
                if members is not None:
                    yield rule.instance(key >> 32, members), key in fresh or (key & LOW) in changed

    def _lifts_at_once(self) -> bool:
        """Whether the class hierarchy is closed: below a built-in class it is not, as nothing is derived of one."""
        above = self.full.get(self.words.subclass)
        return (above is None or not self.barred[above.subjects].any()) and not self._is_a(
            self.words.type, self.words.transitive
        )

    def _is_a(self, node: int, kind: int) -> bool:
        types = self.full.get(self.words.type)
        return types is not None and bool(len(types)) and bool(member(pack([node], kind), types.so)[0])

    def admissible(self, predicate: int, keys: Ints) -> Ints:
        """Of derived pairs those that are no generalised triples and say something, or may be premises."""
        words = self.words
        if self.kinds[predicate] not in (IRI, BUILT_IN):
            return keys[:0]
        s, o = keys >> 32, keys & LOW
        kept = ~self.barred[s]
        if predicate == words.same:
            kept &= s != o
        elif predicate in (words.type, words.subclass):
            kept &= (o != words.thing) & (o != words.resource)
        if predicate in words.reflexive:
            kept |= (s == o) & (self.kinds[s] != LITERAL)
        admitted: Ints = keys[kept]
        return admitted

    def _settle(self, sink: Sink, *, derived: bool = True) -> View:
        """What is new among the derived pairs, with the closures that are taken at once."""
        delta: dict[int, Ints] = {}
        for p, parts in sink.parts.items():
            keys = gathered(parts)
            if derived:
                keys = self.admissible(p, keys)
            if (known := self.full.get(p)) is not None:
                keys = minus(keys, known.so)
            if len(keys):
                delta[p] = keys
        self._settle_transitive(delta, self._hierarchies)
        self._settle_types(delta)  # before the rest, as it may tell that a property is transitive
        self._settle_same(delta)
        self._settle_transitive(delta, self._transitive(delta))
        return {p: Relation(keys) for p, keys in delta.items()}

    def _known(self, predicate: int) -> Ints:
        relation = self.full.get(predicate)
        return relation.so if relation is not None else NONE

    def _settle_same(self, delta: dict[int, Ints]) -> None:
        same = self.words.same
        if same in delta and "eq-trans" in self._names:
            delta[same] = settle.equivalence(self._known(same), delta[same], True, self.barred)

    def _transitive(self, delta: dict[int, Ints]) -> dict[int, bool]:
        """Properties that are transitive, and whether that is news."""
        if "prp-trp" not in self._names:
            return {}
        old, new = self._typed(self._known(self.words.type)), self._typed(delta.get(self.words.type))
        settled = {*self._hierarchies, self.words.same}
        return {p: p not in old for p in sorted(old | new) if p not in settled}

    def _settle_transitive(self, delta: dict[int, Ints], properties: Mapping[int, bool]) -> None:
        words = self.words
        for p, news in properties.items():
            known, new = self._known(p), delta.get(p, NONE)
            if news:
                known, new = NONE, merged(known, new)
            if not len(new) or self.kinds[p] not in (IRI, BUILT_IN):
                continue
            dropped = (words.thing, words.resource) if p in (words.type, words.subclass) else ()
            if not dropped and self._symmetric(p, delta):
                found = settle.equivalence(known, new, False, self.barred)
            else:
                found = settle.transitive(known, new, dropped, self.barred)
            found = minus(found, self._known(p))
            if len(found):
                delta[p] = found

    def _typed(self, keys: Ints | None) -> set[int]:
        """Subjects that these types make transitive properties."""
        if keys is None or not len(keys):
            return set()
        return set((keys[(keys & LOW) == self.words.transitive] >> 32).tolist())

    def _symmetric(self, p: int, delta: dict[int, Ints]) -> bool:
        if not any(r.name == "prp-symp" for r in self.rules):
            return False
        key = pack([p], self.words.symmetric)
        new = delta.get(self.words.type)
        return self._is_a(p, self.words.symmetric) or (new is not None and bool(member(key, new)[0]))

    def _settle_types(self, delta: dict[int, Ints]) -> None:
        types = delta.get(self.words.type)
        hierarchy = merged(self._known(self.words.subclass), delta.get(self.words.subclass, NONE))
        if types is None or self._lifting is None or not len(hierarchy):
            return
        if self.barred[hierarchy >> 32].any() or not self._lifts_at_once():
            return
        lifted = self.admissible(self.words.type, settle.lifted(types, hierarchy))
        delta[self.words.type] = merged(types, minus(lifted, self._known(self.words.type)))


def semi_naive(rule: IntRule, delta: View, full: View, sink: Sink, kinds: object) -> None:
    """Apply a rule where at least one premise is new."""
    if rule.head is None:
        return
    if not all(possible(atom, full) for atom in rule.atoms):
        return
    for i, atom in enumerate(rule.atoms):
        if not possible(atom, delta):
            continue
        sources = [(a, delta if j == i else full) for j, a in enumerate(rule.atoms)]
        _run(rule, sources, sink, kinds)


def possible(atom: Atom, view: View) -> bool:
    """Whether anything may match the pattern: its predicate occurs, with its object where that is fixed."""
    if atom.p < 0:
        return True
    relation = view.get(atom.p)
    if relation is None or atom.o < 0:
        return relation is not None
    low, high = np.searchsorted(relation.os, (atom.o << 32, (atom.o + 1) << 32))
    return bool(low < high)


def apply(rule: IntRule, full: View, sink: Sink, kinds: object) -> None:
    """Apply a rule to all that holds."""
    _run(rule, [(atom, full) for atom in rule.atoms], sink, kinds)


def _run(rule: IntRule, sources: list[tuple[Atom, View]], sink: Sink, kinds: object) -> None:
    assert rule.head is not None
    solve(sources, frozenset(v for v in rule.head if v < 0), sink.take(rule.head), rule.filters, kinds)
