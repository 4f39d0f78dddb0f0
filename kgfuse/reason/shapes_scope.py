"""Which part of the graph shapes can touch, so that only that part is copied into rdflib's memory.

SHACL Core reaches a triple only by a property that the shapes name, by ``rdf:type`` of a class they name (or of its
subclasses), or, for a closed shape, from a node that is itself reached so. What has SPARQL in it, or terms that are
not SHACL Core's, may read anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyoxigraph as ox

from kgfuse.graph.nodes import stored
from kgfuse.reason.shapes_sparql import touched_by_queries
from kgfuse.reason.shapes_terms import ox_literal, rdflib_node
from kgfuse.terms.namespaces import RDF, RDFS, SH

if TYPE_CHECKING:
    import rdflib

_DEFAULT: Final = ox.DefaultGraph()
_TYPE: Final = ox.NamedNode(RDF + "type")
_SUBCLASS: Final = ox.NamedNode(RDFS + "subClassOf")
_CORE: Final = frozenset(
    SH + name
    for name in (
        "targetNode",
        "targetClass",
        "targetSubjectsOf",
        "targetObjectsOf",
        "property",
        "path",
        "deactivated",
        "message",
        "severity",
        "name",
        "description",
        "order",
        "group",
        "defaultValue",
        "inversePath",
        "alternativePath",
        "zeroOrMorePath",
        "oneOrMorePath",
        "zeroOrOnePath",
        "class",
        "datatype",
        "nodeKind",
        "minCount",
        "maxCount",
        "minExclusive",
        "minInclusive",
        "maxExclusive",
        "maxInclusive",
        "minLength",
        "maxLength",
        "pattern",
        "flags",
        "languageIn",
        "uniqueLang",
        "equals",
        "disjoint",
        "lessThan",
        "lessThanOrEquals",
        "not",
        "and",
        "or",
        "xone",
        "node",
        "qualifiedValueShape",
        "qualifiedMinCount",
        "qualifiedMaxCount",
        "qualifiedValueShapesDisjoint",
        "closed",
        "ignoredProperties",
        "hasValue",
        "in",
    )
)


_SPARQL: Final = frozenset(
    SH + name for name in ("sparql", "select", "ask", "prefixes", "declare", "prefix", "namespace")
)


@dataclass(frozen=True, slots=True)
class Scope:
    """What shapes can touch.

    Args:
        properties: IRIs that may be properties.
        classes: IRIs that may be classes; ``None`` where every type may be asked for.
        nodes: IRIs that may be focus nodes.
        is_closed: a closed shape asks for all that its nodes have.
    """

    properties: frozenset[str]
    classes: frozenset[str] | None
    nodes: frozenset[str]
    is_closed: bool


def scope_of(shapes: rdflib.Graph) -> Scope | None:
    """What these shapes can touch; ``None`` for everything."""
    import rdflib

    used = {str(p) for p in shapes.predicates(unique=True)}
    if any(p.startswith(SH) and p not in _CORE and p not in _SPARQL for p in used):
        return None
    asked = touched_by_queries(shapes)
    if asked is None:
        return None
    ignored: set[rdflib.term.Node] = set()  # list nodes whose members are only ever let pass
    for members in shapes.objects(None, rdflib.URIRef(SH + "ignoredProperties")):
        node: rdflib.term.Node | None = members
        while node is not None and node not in ignored:
            ignored.add(node)
            node = shapes.value(node, rdflib.RDF.rest)
    is_path = any(o == rdflib.RDF.type for s, _, o in shapes.triples((None, None, rdflib.RDF.type)) if s not in ignored)
    named = frozenset(str(o) for o in shapes.objects(unique=True) if isinstance(o, rdflib.URIRef))
    shape_names = frozenset(str(s) for s in shapes.subjects(unique=True) if isinstance(s, rdflib.URIRef))
    closed = shapes.objects(None, rdflib.URIRef(SH + "closed"))
    return Scope(
        properties=named | asked.iris | {RDFS + "subClassOf"},
        classes=None if is_path or asked.asks_for_types else named | shape_names,
        nodes=named | shape_names,
        is_closed=any(isinstance(o, rdflib.Literal) and o.value for o in closed),
    )


def as_stored(shapes: rdflib.Graph) -> rdflib.Graph:
    """The shapes with their literals in the form in which the store keeps values: ``1.50`` as ``1.5``."""
    import rdflib

    graph = rdflib.Graph(bind_namespaces="none")
    for prefix, namespace in shapes.namespaces():
        graph.bind(prefix, namespace)
    for s, p, o in shapes:
        graph.add((s, p, rdflib_node(stored(ox_literal(o))) if isinstance(o, rdflib.Literal) else o))
    return graph


def memory_graph(store: ox.Store, scope: Scope | None = None) -> rdflib.Graph:
    """A copy of the default graph, or of what a scope can touch of it, in rdflib's memory."""
    import rdflib

    terms: dict[object, rdflib.term.Node] = {}

    def convert(term: object) -> rdflib.term.Node:
        node = terms.get(term)
        if node is None:
            node = terms[term] = rdflib_node(term)
        return node

    graph = rdflib.Graph(bind_namespaces="none")
    for quad in _quads(store, scope):
        if not isinstance(quad.object, ox.Triple):
            graph.add((convert(quad.subject), convert(quad.predicate), convert(quad.object)))
    return graph


def _quads(store: ox.Store, scope: Scope | None) -> Iterator[ox.Quad]:
    if scope is None:
        yield from store.quads_for_pattern(None, None, None, _DEFAULT)
        return
    if not scope.is_closed:
        yield from _reached(store, scope)
        return
    nodes: set[object] = {ox.NamedNode(iri) for iri in scope.nodes}
    for quad in _reached(store, scope):
        nodes.update((quad.subject, quad.object))
        yield quad
    for node in nodes:
        if isinstance(node, ox.NamedNode | ox.BlankNode):
            yield from store.quads_for_pattern(node, None, None, _DEFAULT)


def _reached(store: ox.Store, scope: Scope) -> Iterator[ox.Quad]:
    for iri in sorted(scope.properties - {_TYPE.value}):
        yield from store.quads_for_pattern(None, ox.NamedNode(iri), None, _DEFAULT)
    if scope.classes is None:
        yield from store.quads_for_pattern(None, _TYPE, None, _DEFAULT)
        return
    waiting: list[ox.NamedNode | ox.BlankNode] = [ox.NamedNode(iri) for iri in sorted(scope.classes)]
    seen = set(waiting)
    while waiting:
        class_ = waiting.pop()
        yield from store.quads_for_pattern(None, _TYPE, class_, _DEFAULT)
        for quad in store.quads_for_pattern(None, _SUBCLASS, class_, _DEFAULT):
            if quad.subject not in seen and not isinstance(quad.subject, ox.Triple):
                seen.add(quad.subject)
                waiting.append(quad.subject)
