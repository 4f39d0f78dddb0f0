"""The OWL 2 RL rules that conclude an inconsistency, as data, under the W3C's names, and what finds their matches.

See https://www.w3.org/TR/owl2-profiles/, tables 4 to 8. The rules of at most one value count here where the values are
literals: OWL 2 RL reaches the contradiction through ``dt-diff`` and ``eq-diff1``, over triples about literals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyoxigraph as ox

from kgfuse.reason.compiled import MEMBER
from kgfuse.reason.joins import Atom, Columns, Filter, rows_of, solve
from kgfuse.reason.lists import Lists, pairs
from kgfuse.reason.relations import LOW, Ints, Mask, Relation, View, pack
from kgfuse.reason.rules import Pattern, Slot, premises_of
from kgfuse.reason.symbols import LITERAL, Symbols
from kgfuse.reason.values import belongs, differ, well_formed
from kgfuse.terms.namespaces import RDF, RDFS, XSD


@dataclass(frozen=True, slots=True)
class Falsity:
    """Premises that cannot hold together.

    Args:
        name: the W3C's.
        premises: triple patterns.
        members: ``(list, member)`` variables.
        says: a sentence; variables in braces.
        pair: two variables that may be exchanged: each match counts once. They differ, unless ``alike``.
        alike: whether the pair may be one and the same.
        literals: whether the pair are literals of different values.
        typed: the first of the pair is a literal that does not belong to the second, a datatype.
    """

    name: str
    premises: tuple[Pattern, ...]
    says: str
    members: tuple[tuple[ox.Variable, ox.Variable], ...] = ()
    pair: tuple[str, str] | None = None
    alike: bool = False
    literals: bool = False
    typed: bool = False


def _falsity(
    name: str,
    text: str,
    says: str,
    pair: tuple[str, str] | None = None,
    *,
    alike: bool = False,
    literals: bool = False,
    typed: bool = False,
) -> Falsity:
    premises, members, _ = premises_of(text)
    return Falsity(name, premises, says, members, pair, alike, literals, typed)


_MOST = "{u} is {x}, of which there is at most one {p}, but has two: {y1} and {y2}"
# fmt: off
FALSITIES: Final[tuple[Falsity, ...]] = (
    _falsity("eq-diff1", "?x owl:sameAs ?y . ?x owl:differentFrom ?y", "{x} and {y} are the same and different"),
    _falsity("eq-diff1", "?x owl:differentFrom ?x", "{x} is said to be different from itself"),
    _falsity("eq-diff2", "?d a owl:AllDifferent . ?d owl:members ?l . member ?l ?x . member ?l ?y . ?x owl:sameAs ?y",
             "{x} and {y} are the same, and two of a list of different things", ("x", "y")),
    _falsity("eq-diff3",
             "?d a owl:AllDifferent . ?d owl:distinctMembers ?l . member ?l ?x . member ?l ?y . ?x owl:sameAs ?y",
             "{x} and {y} are the same, and two of a list of different things", ("x", "y")),
    _falsity("prp-irp", "?p a owl:IrreflexiveProperty . ?x ?p ?x", "{x} has itself as {p}, which nothing can"),
    _falsity("prp-asyp", "?p a owl:AsymmetricProperty . ?x ?p ?y . ?y ?p ?x",
             "{x} has {y} as {p} and the other way round, but {p} goes one way only", ("x", "y"), alike=True),
    _falsity("prp-pdw", "?p1 owl:propertyDisjointWith ?p2 . ?x ?p1 ?y . ?x ?p2 ?y",
             "{x} has {y} both as {p1} and as {p2}, which exclude each other"),
    _falsity("prp-adp", "?d a owl:AllDisjointProperties . ?d owl:members ?l . member ?l ?p1 . member ?l ?p2"
                        " . ?x ?p1 ?y . ?x ?p2 ?y",
             "{x} has {y} both as {p1} and as {p2}, which exclude each other", ("p1", "p2")),
    _falsity("prp-npa1", "?n owl:sourceIndividual ?x . ?n owl:assertionProperty ?p . ?n owl:targetIndividual ?y"
                         " . ?x ?p ?y", "{x} has {y} as {p}, which is denied"),
    _falsity("prp-npa2", "?n owl:sourceIndividual ?x . ?n owl:assertionProperty ?p . ?n owl:targetValue ?y . ?x ?p ?y",
             "{x} has {y} as {p}, which is denied"),
    _falsity("prp-fp", "?p a owl:FunctionalProperty . ?x ?p ?y1 . ?x ?p ?y2",
             "{x} has two values of {p}, {y1} and {y2}, but there can be only one", ("y1", "y2"), literals=True),
    _falsity("cls-nothing2", "?x a owl:Nothing", "{x} is an instance of a class that has none"),
    _falsity("cls-com", "?c1 owl:complementOf ?c2 . ?x a ?c1 . ?x a ?c2", "{x} is {c2} and is not"),
    _falsity("cls-maxc1", "?x owl:maxCardinality 0 . ?x owl:onProperty ?p . ?u a ?x . ?u ?p ?y",
             "{u} has {y} as {p}, of which it can have none"),
    _falsity("cls-maxc2", "?x owl:maxCardinality 1 . ?x owl:onProperty ?p . ?u a ?x . ?u ?p ?y1 . ?u ?p ?y2",
             _MOST, ("y1", "y2"), literals=True),
    _falsity("cls-maxqc1", "?x owl:maxQualifiedCardinality 0 . ?x owl:onProperty ?p . ?x owl:onClass ?c . ?u a ?x"
                           " . ?u ?p ?y . ?y a ?c", "{u} has {y}, which is {c}, as {p}, of which it can have none"),
    _falsity("cls-maxqc2", "?x owl:maxQualifiedCardinality 0 . ?x owl:onProperty ?p . ?x owl:onClass owl:Thing"
                           " . ?u a ?x . ?u ?p ?y", "{u} has {y} as {p}, of which it can have none"),
    _falsity("cls-maxqc4", "?x owl:maxQualifiedCardinality 1 . ?x owl:onProperty ?p . ?x owl:onClass owl:Thing"
                           " . ?u a ?x . ?u ?p ?y1 . ?u ?p ?y2", _MOST, ("y1", "y2"), literals=True),
    _falsity("cax-dw", "?c1 owl:disjointWith ?c2 . ?x a ?c1 . ?x a ?c2",
             "{x} is both {c1} and {c2}, which exclude each other"),
    _falsity("cax-adc", "?d a owl:AllDisjointClasses . ?d owl:members ?l . member ?l ?c1 . member ?l ?c2"
                        " . ?x a ?c1 . ?x a ?c2",
             "{x} is both {c1} and {c2}, which exclude each other", ("c1", "c2")),
    _falsity("dt-not-type", "?p rdfs:range ?d . ?x ?p ?y",
             "{y}, a value of {p} of {x}, is no {d}", ("y", "d"), typed=True),
)
# fmt: on
_DATATYPES: Final = (XSD, RDFS + "Literal", RDF + "langString")


@dataclass(frozen=True, slots=True)
class Matches:
    """Matches of one rule, each once.

    Args:
        rule: which.
        variables: names of the columns.
        rows: what the variables stand for, sorted; at most as many as were asked for.
        count: how many there are.
    """

    rule: Falsity
    variables: tuple[str, ...]
    rows: Ints
    count: int


def contradictions(
    full: View, lists: Lists, symbols: Symbols, kinds: object, most: int, rules: tuple[Falsity, ...] = FALSITIES
) -> list[Matches]:
    """All that contradicts itself in what holds.

    Args:
        full: relations of what holds, closed.
        lists: lists of the asserted triples.
        symbols: the numbering.
        kinds: kind of every term.
        most: how many matches of a rule to keep.
        rules: which to look for.
    """
    view = dict(full)
    members = pairs(lists)
    if len(members):
        view[MEMBER] = Relation(members)
    found = (_matches(rule, view, symbols, np.asarray(kinds), most) for rule in rules)
    return [m for m in found if m is not None]


def _matches(rule: Falsity, view: View, symbols: Symbols, kinds: Ints, most: int) -> Matches | None:
    numbers: dict[str, int] = {}

    def slot(term: Slot) -> int:
        if isinstance(term, ox.Variable):
            return numbers.setdefault(term.value, -1 - len(numbers))
        return symbols.number(term)

    atoms = [Atom(slot(s), slot(p), slot(o)) for s, p, o in rule.premises]
    atoms += [Atom(slot(owner), MEMBER, slot(m)) for owner, m in rule.members]
    if any(atom.p >= 0 and atom.p not in view for atom in atoms):
        return None
    names = tuple(numbers)
    parts: list[Ints] = []

    def emit(columns: Columns, n: int) -> None:
        table = np.column_stack([rows_of(columns, n, numbers[name]) for name in names])
        parts.append(table[_told_apart(rule, names, table, symbols, kinds)])

    filters = []
    if rule.literals and rule.pair:
        filters = [Filter("in", numbers[v], kinds=(LITERAL,)) for v in rule.pair]
    if rule.typed and rule.pair:
        filters = [Filter("in", numbers[rule.pair[0]], kinds=(LITERAL,))]
    solve([(atom, view) for atom in atoms], frozenset(numbers.values()), emit, filters, kinds)
    if not parts:
        return None
    rows = np.unique(np.concatenate(parts), axis=0)
    return Matches(rule, names, rows[:most], len(rows)) if len(rows) else None


def _told_apart(rule: Falsity, names: tuple[str, ...], table: Ints, symbols: Symbols, kinds: Ints) -> Mask:
    """Rows that count: pairs one way round, and where literals are compared, those that fail."""
    everything = np.ones(len(table), np.bool_)
    if rule.pair is None:
        return everything
    a, b = (table[:, names.index(v)] for v in rule.pair)
    if rule.typed:
        wanted: dict[int, str] = {}
        for number in np.unique(b).tolist():
            datatype = symbols.term(number)
            if isinstance(datatype, ox.NamedNode) and datatype.value.startswith(_DATATYPES):
                wanted[number] = datatype.value
        return _each(a, b, lambda x, y: y in wanted and not _fits(symbols, x, wanted[y]))
    apart = (a <= b) if rule.alike else (a < b)
    if not rule.literals:
        return apart
    rows = np.flatnonzero(apart)
    apart[rows] = _each(a[rows], b[rows], lambda x, y: _differ(symbols, x, y))
    return apart


def _each(a: Ints, b: Ints, test: Callable[[int, int], bool]) -> Mask:
    """A test of pairs, each different pair once."""
    both, at = np.unique(pack(a, b), return_inverse=True)
    answers = [test(key >> 32, key & LOW) for key in both.tolist()]
    return np.array(answers, np.bool_)[at]


def _fits(symbols: Symbols, number: int, datatype: str) -> bool:
    term = symbols.term(number)
    return not isinstance(term, ox.Literal) or (well_formed(term) and belongs(term, datatype))


def _differ(symbols: Symbols, x: int, y: int) -> bool:
    a, b = symbols.term(x), symbols.term(y)
    return isinstance(a, ox.Literal) and isinstance(b, ox.Literal) and differ(a, b)


def premises(rule: Falsity, binding: Mapping[str, ox.NamedNode | ox.BlankNode | ox.Literal]) -> list[ox.Triple]:
    """The triples that contradict each other, the triples of lists left out."""
    ground = [[binding[t.value] if isinstance(t, ox.Variable) else t for t in pattern] for pattern in rule.premises]
    return list(dict.fromkeys(ox.Triple(*pattern) for pattern in ground))  # type: ignore[arg-type]
