"""The one table of entailment rules: OWL 2 RL under the W3C's names, as data.

See https://www.w3.org/TR/owl2-profiles/#Reasoning_in_OWL_2_RL_and_RDF_Graphs_using_Rules, tables 4 to 9. The table
drives the engine, the plain closure, the proofs and their check. Left out: rules that conclude an inconsistency (see
`kgfuse.reason.inconsistency`), the datatype rules, and conclusions from which nothing follows that says anything
(``eq-ref``, that everything is an ``owl:Thing``, …).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import pyoxigraph as ox

from kgfuse.terms.namespaces import OWL, RDF, RDFS, XSD

Term: TypeAlias = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
Slot: TypeAlias = ox.Variable | ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
Pattern: TypeAlias = tuple[Slot, Slot, Slot]
Binding: TypeAlias = dict[str, Term]


@dataclass(frozen=True, slots=True)
class ListPremise:
    """A premise that speaks of the members of an RDF list.

    Args:
        kind: ``each``: the pattern holds for every member; ``chain``: the members, as properties, lead from the
            pattern's subject to its object; ``keys``: the pattern's subject and object share a value of every member.
        list: variable that the list is bound to.
        pattern: in ``each``, the variable ``?m`` stands for the member.
    """

    kind: Literal["each", "chain", "keys"]
    list: ox.Variable
    pattern: Pattern


@dataclass(frozen=True, slots=True)
class Rule:
    """Premises and one conclusion; ``members`` are ``(list, member)`` variables: the member is one of the list's."""

    name: str
    premises: tuple[Pattern, ...]
    conclusion: Pattern
    members: tuple[tuple[ox.Variable, ox.Variable], ...] = ()
    lists: tuple[ListPremise, ...] = ()


_PREFIX: Final = {"rdf": RDF, "rdfs": RDFS, "owl": OWL, "xsd": XSD}
_INTEGER: Final = ox.NamedNode(XSD + "integer")  # as Oxigraph gives any whole number type back


def _slot(token: str) -> Slot:
    if token.startswith("?"):
        return ox.Variable(token[1:])
    if token == "a":
        return ox.NamedNode(RDF + "type")
    if token.isdigit():
        return ox.Literal(token, datatype=_INTEGER)
    prefix, _, local = token.partition(":")
    return ox.NamedNode(_PREFIX[prefix] + local)


def _pattern(text: str) -> Pattern:
    subject, predicate, object_ = text.split()
    return _slot(subject), _slot(predicate), _slot(object_)


def premises_of(
    body: str,
) -> tuple[tuple[Pattern, ...], tuple[tuple[ox.Variable, ox.Variable], ...], tuple[ListPremise, ...]]:
    """Triple patterns, list members and list premises of a rule's text."""
    premises: list[Pattern] = []
    members: list[tuple[ox.Variable, ox.Variable]] = []
    lists: list[ListPremise] = []
    for part in (p.strip() for p in body.split(" . ")):
        word, _, rest = part.partition(" ")
        if word == "member":
            owner, member = rest.split()
            members.append((ox.Variable(owner[1:]), ox.Variable(member[1:])))
        elif word in ("each", "chain", "keys"):
            owner, _, pattern = rest.partition(" ")
            lists.append(ListPremise(word, ox.Variable(owner[1:]), _pattern(pattern)))  # type: ignore[arg-type]
        else:
            premises.append(_pattern(part))
    return tuple(premises), tuple(members), tuple(lists)


def _rule(name: str, text: str) -> Rule:
    body, _, head = text.partition("=>")
    premises, members, lists = premises_of(body)
    return Rule(name, premises, _pattern(head), members, lists)


# fmt: off
RULES: Final[tuple[Rule, ...]] = (
    # equality
    _rule("eq-sym", "?x owl:sameAs ?y => ?y owl:sameAs ?x"),
    _rule("eq-trans", "?x owl:sameAs ?y . ?y owl:sameAs ?z => ?x owl:sameAs ?z"),
    _rule("eq-rep-s", "?s owl:sameAs ?s2 . ?s ?p ?o => ?s2 ?p ?o"),
    _rule("eq-rep-p", "?p owl:sameAs ?p2 . ?s ?p ?o => ?s ?p2 ?o"),
    _rule("eq-rep-o", "?o owl:sameAs ?o2 . ?s ?p ?o => ?s ?p ?o2"),
    # properties
    _rule("prp-dom", "?p rdfs:domain ?c . ?x ?p ?y => ?x a ?c"),
    _rule("prp-rng", "?p rdfs:range ?c . ?x ?p ?y => ?y a ?c"),
    _rule("prp-fp", "?p a owl:FunctionalProperty . ?x ?p ?y1 . ?x ?p ?y2 => ?y1 owl:sameAs ?y2"),
    _rule("prp-ifp", "?p a owl:InverseFunctionalProperty . ?x1 ?p ?y . ?x2 ?p ?y => ?x1 owl:sameAs ?x2"),
    _rule("prp-symp", "?p a owl:SymmetricProperty . ?x ?p ?y => ?y ?p ?x"),
    _rule("prp-trp", "?p a owl:TransitiveProperty . ?x ?p ?y . ?y ?p ?z => ?x ?p ?z"),
    _rule("prp-spo1", "?p1 rdfs:subPropertyOf ?p2 . ?x ?p1 ?y => ?x ?p2 ?y"),
    _rule("prp-spo2", "?p owl:propertyChainAxiom ?l . chain ?l ?x ?p ?y => ?x ?p ?y"),
    _rule("prp-eqp1", "?p1 owl:equivalentProperty ?p2 . ?x ?p1 ?y => ?x ?p2 ?y"),
    _rule("prp-eqp2", "?p1 owl:equivalentProperty ?p2 . ?x ?p2 ?y => ?x ?p1 ?y"),
    _rule("prp-inv1", "?p1 owl:inverseOf ?p2 . ?x ?p1 ?y => ?y ?p2 ?x"),
    _rule("prp-inv2", "?p1 owl:inverseOf ?p2 . ?x ?p2 ?y => ?y ?p1 ?x"),
    _rule("prp-key", "?c owl:hasKey ?l . ?x a ?c . ?y a ?c . keys ?l ?x owl:sameAs ?y => ?x owl:sameAs ?y"),
    # classes
    _rule("cls-int1", "?c owl:intersectionOf ?l . each ?l ?y a ?m => ?y a ?c"),
    _rule("cls-int2", "?c owl:intersectionOf ?l . ?y a ?c . member ?l ?m => ?y a ?m"),
    _rule("cls-uni", "?c owl:unionOf ?l . member ?l ?m . ?y a ?m => ?y a ?c"),
    _rule("cls-svf1", "?x owl:someValuesFrom ?y . ?x owl:onProperty ?p . ?u ?p ?v . ?v a ?y => ?u a ?x"),
    _rule("cls-svf2", "?x owl:someValuesFrom owl:Thing . ?x owl:onProperty ?p . ?u ?p ?v => ?u a ?x"),
    _rule("cls-avf", "?x owl:allValuesFrom ?y . ?x owl:onProperty ?p . ?u a ?x . ?u ?p ?v => ?v a ?y"),
    _rule("cls-hv1", "?x owl:hasValue ?y . ?x owl:onProperty ?p . ?u a ?x => ?u ?p ?y"),
    _rule("cls-hv2", "?x owl:hasValue ?y . ?x owl:onProperty ?p . ?u ?p ?y => ?u a ?x"),
    _rule("cls-maxc2", "?x owl:maxCardinality 1 . ?x owl:onProperty ?p . ?u a ?x . ?u ?p ?y1 . ?u ?p ?y2"
                       " => ?y1 owl:sameAs ?y2"),
    _rule("cls-maxqc3", "?x owl:maxQualifiedCardinality 1 . ?x owl:onProperty ?p . ?x owl:onClass ?c . ?u a ?x"
                        " . ?u ?p ?y1 . ?y1 a ?c . ?u ?p ?y2 . ?y2 a ?c => ?y1 owl:sameAs ?y2"),
    _rule("cls-maxqc4", "?x owl:maxQualifiedCardinality 1 . ?x owl:onProperty ?p . ?x owl:onClass owl:Thing"
                        " . ?u a ?x . ?u ?p ?y1 . ?u ?p ?y2 => ?y1 owl:sameAs ?y2"),
    _rule("cls-oo", "?c owl:oneOf ?l . member ?l ?m => ?m a ?c"),
    # class axioms
    _rule("cax-sco", "?c1 rdfs:subClassOf ?c2 . ?x a ?c1 => ?x a ?c2"),
    _rule("cax-eqc1", "?c1 owl:equivalentClass ?c2 . ?x a ?c1 => ?x a ?c2"),
    _rule("cax-eqc2", "?c1 owl:equivalentClass ?c2 . ?x a ?c2 => ?x a ?c1"),
    # schema
    _rule("scm-cls", "?c a owl:Class => ?c rdfs:subClassOf ?c"),
    _rule("scm-cls", "?c a owl:Class => ?c owl:equivalentClass ?c"),
    _rule("scm-op", "?p a owl:ObjectProperty => ?p rdfs:subPropertyOf ?p"),
    _rule("scm-op", "?p a owl:ObjectProperty => ?p owl:equivalentProperty ?p"),
    _rule("scm-dp", "?p a owl:DatatypeProperty => ?p rdfs:subPropertyOf ?p"),
    _rule("scm-dp", "?p a owl:DatatypeProperty => ?p owl:equivalentProperty ?p"),
    _rule("scm-sco", "?c1 rdfs:subClassOf ?c2 . ?c2 rdfs:subClassOf ?c3 => ?c1 rdfs:subClassOf ?c3"),
    _rule("scm-eqc1", "?c1 owl:equivalentClass ?c2 => ?c1 rdfs:subClassOf ?c2"),
    _rule("scm-eqc1", "?c1 owl:equivalentClass ?c2 => ?c2 rdfs:subClassOf ?c1"),
    _rule("scm-eqc2", "?c1 rdfs:subClassOf ?c2 . ?c2 rdfs:subClassOf ?c1 => ?c1 owl:equivalentClass ?c2"),
    _rule("scm-spo", "?p1 rdfs:subPropertyOf ?p2 . ?p2 rdfs:subPropertyOf ?p3 => ?p1 rdfs:subPropertyOf ?p3"),
    _rule("scm-eqp1", "?p1 owl:equivalentProperty ?p2 => ?p1 rdfs:subPropertyOf ?p2"),
    _rule("scm-eqp1", "?p1 owl:equivalentProperty ?p2 => ?p2 rdfs:subPropertyOf ?p1"),
    _rule("scm-eqp2", "?p1 rdfs:subPropertyOf ?p2 . ?p2 rdfs:subPropertyOf ?p1 => ?p1 owl:equivalentProperty ?p2"),
    _rule("scm-dom1", "?p rdfs:domain ?c1 . ?c1 rdfs:subClassOf ?c2 => ?p rdfs:domain ?c2"),
    _rule("scm-dom2", "?p2 rdfs:domain ?c . ?p1 rdfs:subPropertyOf ?p2 => ?p1 rdfs:domain ?c"),
    _rule("scm-rng1", "?p rdfs:range ?c1 . ?c1 rdfs:subClassOf ?c2 => ?p rdfs:range ?c2"),
    _rule("scm-rng2", "?p2 rdfs:range ?c . ?p1 rdfs:subPropertyOf ?p2 => ?p1 rdfs:range ?c"),
    _rule("scm-hv", "?c1 owl:hasValue ?i . ?c1 owl:onProperty ?p1 . ?c2 owl:hasValue ?i . ?c2 owl:onProperty ?p2"
                    " . ?p1 rdfs:subPropertyOf ?p2 => ?c1 rdfs:subClassOf ?c2"),
    _rule("scm-svf1", "?c1 owl:someValuesFrom ?y1 . ?c1 owl:onProperty ?p . ?c2 owl:someValuesFrom ?y2"
                      " . ?c2 owl:onProperty ?p . ?y1 rdfs:subClassOf ?y2 => ?c1 rdfs:subClassOf ?c2"),
    _rule("scm-svf2", "?c1 owl:someValuesFrom ?y . ?c1 owl:onProperty ?p1 . ?c2 owl:someValuesFrom ?y"
                      " . ?c2 owl:onProperty ?p2 . ?p1 rdfs:subPropertyOf ?p2 => ?c1 rdfs:subClassOf ?c2"),
    _rule("scm-avf1", "?c1 owl:allValuesFrom ?y1 . ?c1 owl:onProperty ?p . ?c2 owl:allValuesFrom ?y2"
                      " . ?c2 owl:onProperty ?p . ?y1 rdfs:subClassOf ?y2 => ?c1 rdfs:subClassOf ?c2"),
    _rule("scm-avf2", "?c1 owl:allValuesFrom ?y . ?c1 owl:onProperty ?p1 . ?c2 owl:allValuesFrom ?y"
                      " . ?c2 owl:onProperty ?p2 . ?p1 rdfs:subPropertyOf ?p2 => ?c2 rdfs:subClassOf ?c1"),
    _rule("scm-int", "?c owl:intersectionOf ?l . member ?l ?m => ?c rdfs:subClassOf ?m"),
    _rule("scm-uni", "?c owl:unionOf ?l . member ?l ?m => ?m rdfs:subClassOf ?c"),
)
# fmt: on


def bind(pattern: Pattern, binding: Binding) -> Pattern:
    """The pattern with its bound variables replaced."""
    s, p, o = (binding.get(t.value, t) if isinstance(t, ox.Variable) else t for t in pattern)
    return s, p, o


def unify(pattern: Pattern, triple: Sequence[Term], binding: Binding) -> Binding | None:
    """The binding extended so that the pattern becomes the triple, or ``None``."""
    result = dict(binding)
    for slot, term in zip(pattern, triple, strict=True):
        if isinstance(slot, ox.Variable):
            if result.setdefault(slot.value, term) != term:
                return None
        elif slot != term:
            return None
    return result


def expand(premise: ListPremise, members: Iterable[Term]) -> list[Pattern]:
    """The triple patterns that a list premise stands for, once the list's members are known."""
    s, _, o = premise.pattern
    if premise.kind == "each":
        return [bind(premise.pattern, {"m": member}) for member in members]
    if premise.kind == "keys":
        shared = [(member, ox.Variable(f"key{i}")) for i, member in enumerate(members)]
        return [(node, member, value) for member, value in shared for node in (s, o)]
    properties = list(members)
    stops = [s, *(ox.Variable(f"link{i}") for i in range(1, len(properties))), o]
    return [(stops[i], prop, stops[i + 1]) for i, prop in enumerate(properties)]
