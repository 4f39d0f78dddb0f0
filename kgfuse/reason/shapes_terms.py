"""Nodes and paths of SHACL reports: as text, and between rdflib and the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyoxigraph as ox

from kgfuse.terms.namespaces import SH

if TYPE_CHECKING:
    import rdflib

_PATHS = (
    ("inversePath", "^{}"),
    ("zeroOrMorePath", "{}*"),
    ("oneOrMorePath", "{}+"),
    ("zeroOrOnePath", "{}?"),
)


def path_text(graph: rdflib.Graph, path: rdflib.term.Node) -> str:
    """A SHACL property path in SPARQL's notation."""
    import rdflib
    from rdflib.collection import Collection

    if isinstance(path, rdflib.URIRef):
        return str(path)
    for name, form in _PATHS:
        inner = graph.value(path, rdflib.URIRef(SH + name))
        if inner is not None:
            return form.format(path_text(graph, inner))
    choices = graph.value(path, rdflib.URIRef(SH + "alternativePath"))
    members = [path_text(graph, member) for member in Collection(graph, choices if choices is not None else path)]
    return "(" + ("|" if choices is not None else "/").join(members) + ")"


def node_text(node: rdflib.term.Node) -> str:
    """An IRI, ``_:…`` of a blank node, or a literal in N-Triples form."""
    import rdflib

    if isinstance(node, rdflib.Literal):
        return str(ox_literal(node))
    return f"_:{node}" if isinstance(node, rdflib.BNode) else str(node)


def ox_literal(node: rdflib.Literal) -> ox.Literal:
    """An rdflib literal as the store's kind."""
    if node.language:
        return ox.Literal(str(node), language=node.language)
    return ox.Literal(str(node), datatype=ox.NamedNode(str(node.datatype))) if node.datatype else ox.Literal(str(node))


def ox_node(node: rdflib.term.Node) -> ox.NamedNode | ox.BlankNode | ox.Literal:
    """An rdflib node as the store's kind."""
    import rdflib

    if isinstance(node, rdflib.Literal):
        return ox_literal(node)
    return ox.BlankNode(str(node)) if isinstance(node, rdflib.BNode) else ox.NamedNode(str(node))


def rdflib_node(term: object) -> rdflib.term.Node:
    """A term of the store as rdflib's kind; lexical forms and blank nodes stay what they are.

    A string has no datatype there, as with rdflib's own parsers: ``"a"`` and ``"a"^^xsd:string`` differ for rdflib.
    """
    import rdflib

    if isinstance(term, ox.NamedNode):
        return rdflib.URIRef(term.value)
    if isinstance(term, ox.BlankNode):
        return rdflib.BNode(term.value)
    if not isinstance(term, ox.Literal):
        raise TypeError(f"no RDF 1.1 term: {term}")
    is_plain = term.language or term.datatype.value == str(rdflib.XSD.string)
    datatype = None if is_plain else rdflib.URIRef(term.datatype.value)
    return rdflib.Literal(term.value, lang=term.language, datatype=datatype, normalize=False)
