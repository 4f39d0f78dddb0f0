"""What a SHACL result rests on: the graphs that say the offending triples, and the places they were read from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyoxigraph as ox

from kgfuse.graph.nodes import plain, text
from kgfuse.graph.records import MentionRecord, provenance_of
from kgfuse.graph.store import GraphStore
from kgfuse.reason.holding import Holding, raw_store
from kgfuse.reason.shapes_terms import ox_node
from kgfuse.terms.namespaces import GRAPH_PREDICTED, GRAPH_PROVENANCE, RDF

if TYPE_CHECKING:
    import rdflib

_NOT_SOURCES: Final = frozenset({GRAPH_PREDICTED, GRAPH_PROVENANCE})
_DEFAULT: Final = ox.DefaultGraph()
_TYPE: Final = ox.NamedNode(RDF + "type")
_SHOWN: Final = 12
"""Mentions that a violation names at most: enough to see where it comes from."""
Object = ox.NamedNode | ox.BlankNode | ox.Literal


def evidence(
    store: Holding, focus: rdflib.term.Node | None, path: rdflib.term.Node | None, value: rdflib.term.Node | None
) -> tuple[tuple[str, ...], tuple[MentionRecord, ...]]:
    """Who says what breaks the shape, and where.

    The offending triples are those of focus, path and value; without a value (too few, too many) those of focus and
    path; where there are none, what the node is said to be; else all that is said of it.

    Returns:
        IRIs of the graphs that hold (sources, ontologies, the closure), sorted; mentions of extracted triples, by
        source and place.
    """
    import rdflib

    if not isinstance(focus, rdflib.URIRef | rdflib.BNode):
        return (), ()
    subject = ox_node(focus)
    assert not isinstance(subject, ox.Literal)
    predicate = ox.NamedNode(str(path)) if isinstance(path, rdflib.URIRef) else None
    object_ = None if predicate is None or value is None else ox_node(value)
    if path is None:  # a constraint on the node: who says that it is what the shape is about
        predicate = _TYPE
    raw = raw_store(store)
    sources = _holders(raw, subject, predicate, object_) or _holders(raw, subject, None, None)
    if not isinstance(store, GraphStore) or isinstance(subject, ox.BlankNode):
        return sources, ()
    for pattern in ((predicate, object_), (_TYPE, None), (None, None)):
        mentions = _mentions(store, subject, *pattern)
        if mentions:
            return sources, mentions
    return sources, ()


def _holders(
    store: ox.Store, subject: ox.NamedNode | ox.BlankNode, predicate: ox.NamedNode | None, object_: Object | None
) -> tuple[str, ...]:
    quads = store.quads_for_pattern(subject, predicate, object_, None)
    graphs = {quad.graph_name.value for quad in quads if isinstance(quad.graph_name, ox.NamedNode)}
    return tuple(sorted(graphs - _NOT_SOURCES))


def _mentions(
    store: GraphStore, subject: ox.NamedNode, predicate: ox.NamedNode | None, object_: Object | None
) -> tuple[MentionRecord, ...]:
    found: dict[str, MentionRecord] = {}
    for quad in store.raw.quads_for_pattern(subject, predicate, object_, _DEFAULT):
        if isinstance(quad.object, ox.BlankNode | ox.Triple):  # never extracted
            continue
        for record in provenance_of(store, subject.value, text(quad.predicate), plain(quad.object)):
            if record.source not in _NOT_SOURCES:
                found.update((m.iri, m) for m in record.mentions)
        if len(found) >= _SHOWN:
            break
    ordered = sorted(found.values(), key=lambda m: (m.file_name, repr(m.selector)))
    return tuple(ordered[:_SHOWN])
