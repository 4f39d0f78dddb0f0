"""The fast path: the `reasonable` library, kept away from literals and from what it cannot read.

`reasonable` 0.4.4 lower-cases language tags, and terms that pass through rdflib lose the lexical form of numbers. So
every literal travels as an opaque token and is put back afterwards; what comes back with a token as its subject is
generalised RDF and dropped. Its errors are panics; nothing that could cause one is handed to it. It takes the two
ends of a property that is both symmetric and inverse functional for one thing, which does not follow; so it never
hears which properties are inverse functional, and the rule table applies ``prp-ifp``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pyoxigraph as ox

from kgfuse.terms.namespaces import OWL

_TOKEN: Final = "kgfuse-literal-"
_WITHHELD: Final = ox.NamedNode(OWL + "InverseFunctionalProperty")


def entail(triples: Iterable[ox.Triple]) -> set[ox.Triple]:
    """All triples that `reasonable` derives, those given it included, terms exactly as they were."""
    import rdflib
    import reasonable

    there: dict[object, rdflib.term.Node] = {}
    back: dict[tuple[type, str], ox.NamedNode | ox.BlankNode | ox.Literal] = {}

    def send(term: ox.NamedNode | ox.BlankNode | ox.Literal) -> rdflib.term.Node:
        known = there.get(term)
        if known is not None:
            return known
        if isinstance(term, ox.NamedNode):
            node: rdflib.term.Node = rdflib.URIRef(term.value)
        elif isinstance(term, ox.BlankNode):
            node = rdflib.BNode(term.value)
        else:
            node = rdflib.Literal(f"{_TOKEN}{len(there)}")
        there[term] = node
        back[type(node), str(node)] = term
        return node

    sent = [
        (send(t.subject), send(t.predicate), send(t.object))
        for t in triples
        if not isinstance(t.subject, ox.Triple) and not isinstance(t.object, ox.Triple) and t.object != _WITHHELD
    ]
    reasoner = reasonable.PyReasoner()
    reasoner.from_graph(sent)
    derived: set[ox.Triple] = set()
    for s, p, o in reasoner.reason():
        subject = back.get((type(s), str(s))) or _built_in(s)
        predicate = back.get((type(p), str(p))) or _built_in(p)
        object_ = back.get((type(o), str(o))) or _built_in(o)
        if isinstance(subject, ox.NamedNode | ox.BlankNode) and isinstance(predicate, ox.NamedNode) and object_:
            derived.add(ox.Triple(subject, predicate, object_))
    return derived


def _built_in(node: object) -> ox.NamedNode | None:
    """An IRI that the reasoner brought in itself, such as ``owl:Thing``."""
    import rdflib

    return ox.NamedNode(str(node)) if isinstance(node, rdflib.URIRef) else None
