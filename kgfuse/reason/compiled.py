"""The rule table and compiled CONSTRUCT rules, over the numbers of one graph's terms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyoxigraph as ox

from kgfuse.reason.joins import Atom, Filter
from kgfuse.reason.rules import Pattern, Rule
from kgfuse.reason.symbols import Symbols
from kgfuse.terms.namespaces import OWL, RDF, RDFS

MEMBER: Final = 1 << 31
"""Predicate of the pairs (list, member), which no term is numbered as."""


@dataclass(frozen=True, slots=True)
class IntRule:
    """Premises and one conclusion over numbers; ``head`` is ``None`` where an inconsistency is concluded."""

    name: str
    atoms: tuple[Atom, ...]
    head: Atom | None
    filters: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True)
class ListRule:
    """A rule whose premises depend on a list, made for each axiom anew.

    Args:
        name: of the rule.
        axiom: pattern that names the list as its object.
        atoms: the other premises that do not depend on the list.
        kind: see `kgfuse.reason.rules.ListPremise`.
        ends: variables of the list premise's subject and object.
        head: the conclusion.
    """

    name: str
    axiom: Atom
    atoms: tuple[Atom, ...]
    kind: str
    ends: tuple[int, int]
    head: Atom

    def instance(self, subject: int, members: Sequence[int]) -> IntRule:
        """The rule for one axiom and its list: no lists left."""
        x, y = self.ends
        given = {self.axiom.s: subject}
        body = [substituted(atom, given) for atom in self.atoms]
        fresh = -100
        if self.kind == "chain":
            stops = [x, *(fresh - i for i in range(1, len(members))), y]
            body += [Atom(stops[i], m, stops[i + 1]) for i, m in enumerate(members)]
        else:
            for i, m in enumerate(members):
                body += [Atom(x, m, fresh - i), Atom(y, m, fresh - i)]
        return IntRule(self.name, tuple(body), substituted(self.head, given))


def substituted(atom: Atom, values: Mapping[int, int]) -> Atom:
    """The pattern with variables replaced."""
    return Atom(values.get(atom.s, atom.s), values.get(atom.p, atom.p), values.get(atom.o, atom.o))


class Vocabulary:
    """Numbers of the terms that the engine itself speaks of."""

    def __init__(self, symbols: Symbols) -> None:
        def number(iri: str) -> int:
            return symbols.number(ox.NamedNode(iri))

        self.type = number(RDF + "type")
        self.first = number(RDF + "first")
        self.rest = number(RDF + "rest")
        self.nil = number(RDF + "nil")
        self.subclass = number(RDFS + "subClassOf")
        self.subproperty = number(RDFS + "subPropertyOf")
        self.equivalent_class = number(OWL + "equivalentClass")
        self.equivalent_property = number(OWL + "equivalentProperty")
        self.same = number(OWL + "sameAs")
        self.thing = number(OWL + "Thing")
        self.resource = number(RDFS + "Resource")
        self.transitive = number(OWL + "TransitiveProperty")
        self.symmetric = number(OWL + "SymmetricProperty")
        self.intersection = number(OWL + "intersectionOf")
        named = ("intersectionOf", "unionOf", "oneOf", "propertyChainAxiom", "hasKey", "members", "distinctMembers")
        self.lists = tuple(number(OWL + name) for name in named)
        self.reflexive = (self.subclass, self.subproperty, self.equivalent_class, self.equivalent_property)


class _Slots:
    def __init__(self, symbols: Symbols) -> None:
        self.symbols = symbols
        self.variables: dict[str, int] = {}

    def __call__(self, slot: Any) -> int:
        if isinstance(slot, ox.Variable):
            return self.variables.setdefault(slot.value, -1 - len(self.variables))
        return self.symbols.number(slot)

    def atom(self, pattern: Pattern) -> Atom:
        s, p, o = pattern
        return Atom(self(s), self(p), self(o))


@dataclass(frozen=True, slots=True)
class Table:
    """Rules by how they are run: plain conjunctions, and those that are made for each list."""

    plain: tuple[IntRule, ...]
    listed: tuple[ListRule, ...]
    intersection: bool


def numbered(rules: Iterable[Rule], symbols: Symbols) -> Table:
    """The rules of the table over the numbers of a graph."""
    plain: list[IntRule] = []
    listed: list[ListRule] = []
    intersection = False
    for rule in rules:
        slots = _Slots(symbols)
        atoms = [slots.atom(p) for p in rule.premises]
        atoms += [Atom(slots(owner), MEMBER, slots(m)) for owner, m in rule.members]
        head = slots.atom(rule.conclusion)
        if not rule.lists:
            plain.append(IntRule(rule.name, tuple(atoms), head))
            continue
        (premise,) = rule.lists
        if premise.kind == "each":
            intersection = True
            continue
        owner = slots(premise.list)
        (axiom,) = (a for a in atoms if a.o == owner)
        others = tuple(a for a in atoms if a is not axiom)
        s, _, o = premise.pattern
        listed.append(ListRule(rule.name, axiom, others, premise.kind, (slots(s), slots(o)), head))
    return Table(tuple(plain), tuple(listed), intersection)


@dataclass(frozen=True, slots=True)
class Test:
    """A filter of a compiled CONSTRUCT rule: variables by name, terms as they are."""

    filter: Any
    left: Any
    right: Any = None
    kinds: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """One conjunctive branch of a CONSTRUCT rule with one of its conclusions."""

    name: str
    premises: tuple[Pattern, ...]
    conclusion: Pattern
    tests: tuple[Test, ...] = ()


def numbered_constructs(rules: Sequence[CompiledRule], symbols: Symbols) -> Iterator[IntRule]:
    """Compiled CONSTRUCT rules over the numbers of a graph."""
    for rule in rules:
        slots = _Slots(symbols)
        atoms = tuple(slots.atom(p) for p in rule.premises)
        head = slots.atom(rule.conclusion)
        filters = tuple(
            Filter(t.filter, slots(t.left), 0 if t.right is None else slots(t.right), t.kinds) for t in rule.tests
        )
        yield IntRule(rule.name, atoms, head, filters)
