"""What is known of one thing: its neighbours, in both directions, with who says so."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

import pyoxigraph as ox

from kgfuse.graph import labels as names
from kgfuse.graph.nodes import named, plain
from kgfuse.graph.python_values import python_value
from kgfuse.graph.records import provenance_of
from kgfuse.graph.store import GraphStore
from kgfuse.terms.mentions import Value
from kgfuse.terms.namespaces import RDF, RDFS, SKOS


@dataclass(frozen=True, slots=True)
class Neighbor:
    """One edge of a node, seen from it.

    Args:
        property: IRI.
        direction: ``out`` when the node is the subject, ``in`` when it is the object.
        node: IRI at the other end, or the literal.
        label: of the other end.
        property_label: of the property.
        confidence: the highest of its statements; 1 where it was not extracted.
        sources: IRIs of the graphs that say so.
    """

    property: str
    direction: Literal["out", "in"]
    node: str | Value
    label: str
    property_label: str
    confidence: float
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Description:
    """What the graph knows of one thing."""

    iri: str
    label: str
    types: tuple[str, ...]
    definition: str
    neighbors: tuple[Neighbor, ...]


def neighbors(store: GraphStore, iri: str, properties: Collection[str] | None = None) -> list[Neighbor]:
    """Everything one edge away, in both directions, of these properties only where given; sorted."""
    here = named(iri)
    out = (q for q in store.quads(here) if properties is None or q.predicate.value in properties)
    into = (
        q
        for q in store.quads(None, None, here)
        if q.subject != here and (properties is None or q.predicate.value in properties)
    )
    found = [*(_neighbor(store, q, "out") for q in out), *(_neighbor(store, q, "in") for q in into)]
    return sorted(found, key=lambda n: (n.direction != "out", n.property, n.label, str(n.node)))


def describe(store: GraphStore, iri: str) -> Description:
    """Label, types, definition and neighbours of one thing."""
    here = named(iri)
    types = sorted(str(plain(q.object)) for q in store.quads(here, named(RDF + "type")))
    definitions = sorted(
        str(python_value(q.object))
        for p in (SKOS + "definition", RDFS + "comment")
        for q in store.quads(here, named(p))
    )
    return Description(
        iri, names.label(store, iri), tuple(types), next(iter(definitions), ""), tuple(neighbors(store, iri))
    )


def _neighbor(store: GraphStore, quad: ox.Quad, direction: Literal["out", "in"]) -> Neighbor:
    other = plain(quad.object if direction == "out" else quad.subject)
    subject, obj = str(plain(quad.subject)), plain(quad.object)
    records = provenance_of(store, subject, quad.predicate.value, obj) if _addressable(quad) else []
    records = [r for r in records if r.status != "predicted"]
    return Neighbor(
        property=quad.predicate.value,
        direction=direction,
        node=other,
        label=other.lexical if isinstance(other, Value) else names.label(store, other),
        property_label=names.label(store, quad.predicate.value),
        confidence=max((r.confidence for r in records), default=1.0),
        sources=tuple(r.source for r in records),
    )


def _addressable(quad: ox.Quad) -> bool:
    terms: tuple[Any, ...] = (quad.subject, quad.object)
    return not any(isinstance(term, ox.BlankNode | ox.Triple) for term in terms)
