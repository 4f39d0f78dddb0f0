"""owlrl's closure beside ours: what is set aside on each side before they are compared, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pyoxigraph as ox

from kgfuse.reason.trivial import is_trivial
from kgfuse.terms.namespaces import OWL, RDF, RDFS, XSD

_VOCABULARIES = (OWL, RDF, RDFS, XSD)
_THING = (OWL + "Thing", RDFS + "Resource", OWL + "Nothing")


def owlrl_closure(triples: Iterable[ox.Triple]) -> tuple[list[tuple[object, object, object]], dict[str, object]]:
    """All triples that owlrl ends with, as rdflib terms, and the terms that went in by the name that came out."""
    import owlrl
    import rdflib

    graph = rdflib.Graph()
    back: dict[object, object] = {}

    def send(term: object) -> rdflib.term.Node:
        node: rdflib.term.Node
        if isinstance(term, ox.NamedNode):
            node = rdflib.URIRef(term.value)
        elif isinstance(term, ox.BlankNode):
            node = rdflib.BNode(term.value)
        elif isinstance(term, ox.Literal) and term.datatype.value.startswith(XSD + "integer"):
            node = rdflib.Literal(int(term.value))
        else:  # rdflib would rewrite lexical forms: a token of its own datatype stands for the literal
            node = rdflib.Literal(f"{len(back)}", datatype=rdflib.URIRef("urn:token"))
            known = back.setdefault(term, node)
            node = known  # type: ignore[assignment]
        back.setdefault(term, node)
        return node

    for t in triples:
        graph.add((send(t.subject), send(t.predicate), send(t.object)))
    owlrl.DeductiveClosure(owlrl.OWLRL_Semantics, axiomatic_triples=False, datatype_axioms=False).expand(graph)
    return list(graph), {node: term for term, node in back.items()}  # type: ignore[misc]


def set_aside(triple: ox.Triple) -> str | None:
    """Why a triple that only one of the two may have is not compared; ``None`` where it is."""
    s, p, o = triple.subject, triple.predicate.value, triple.object
    if is_trivial(triple):
        return "trivial: of everything, of a thing and itself, or of the built-in vocabulary"
    if isinstance(o, ox.NamedNode) and o.value in _THING and p in (RDFS + "domain", RDFS + "range"):
        return "domain or range owl:Thing (scm-dom1 with scm-cls): says nothing"
    if p == RDF + "type" and isinstance(o, ox.NamedNode) and o.value.startswith(_VOCABULARIES) and s == o:
        return "axiomatic"
    if isinstance(o, ox.NamedNode) and o.value == "http://www.w3.org/2002/07/owl#AnnotationProperty":
        return "prp-ap: axiomatic"
    return None


def compare(ours: set[ox.Triple], graph: Iterable[ox.Triple]) -> tuple[set[ox.Triple], set[ox.Triple], Counter[str]]:
    """What only owlrl infers, what only we infer, and how much was set aside for which reason.

    Args:
        ours: our closure of the graph.
        graph: what is asserted.
    """
    given = set(graph)
    rows, back = owlrl_closure(given)
    return compare_rows(ours, given, rows, back)


def compare_rows(
    ours: set[ox.Triple],
    given: set[ox.Triple],
    rows: list[tuple[object, object, object]],
    back: dict[str, object],
) -> tuple[set[ox.Triple], set[ox.Triple], Counter[str]]:
    """``compare`` with owlrl's result at hand."""
    import rdflib

    aside: Counter[str] = Counter()
    theirs: set[ox.Triple] = set()

    def receive(node: object) -> object:
        known = back.get(node)  # type: ignore[call-overload]
        if known is not None:
            return known
        if isinstance(node, rdflib.URIRef):
            return ox.NamedNode(str(node))
        return ox.BlankNode(str(node)) if isinstance(node, rdflib.BNode) else None

    for row in rows:
        s, p, o = map(receive, row)
        if s is None or o is None or isinstance(s, ox.Literal):
            aside["a literal as subject, or a literal of owlrl's own: generalised RDF and datatype rules"] += 1
            continue
        theirs.add(ox.Triple(s, p, o))  # type: ignore[arg-type]
    only_theirs, only_ours = set(), set()
    for triple in theirs - ours - given:
        reason = set_aside(triple)
        if reason is None:
            only_theirs.add(triple)
        else:
            aside[reason] += 1
    for triple in ours - theirs:
        reason = set_aside(triple)
        if reason is None:
            only_ours.add(triple)
        else:
            aside[reason] += 1
    return only_theirs, only_ours, aside
