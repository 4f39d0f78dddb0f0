"""Names for people: the best label of an IRI."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote

import pyoxigraph as ox

from kgfuse.graph.store import GraphStore
from kgfuse.terms.namespaces import RDFS, SCHEMA, SKOS, local_name

LABELS: Final = tuple(ox.NamedNode(iri) for iri in (SKOS + "prefLabel", RDFS + "label", SCHEMA + "name"))


def label(store: GraphStore, iri: str) -> str:
    """skos:prefLabel, rdfs:label or schema:name, English or untagged first; else the last part of the IRI."""
    if iri.startswith("_:"):
        return iri
    quads = (quad for predicate in LABELS for quad in store.quads(ox.NamedNode(iri), predicate))
    return _best(quads) or fallback(iri)


def labels(store: GraphStore) -> dict[str, str]:
    """The best label of everything that has one, in one scan."""
    by: dict[str, list[ox.Quad]] = {}
    for predicate in LABELS:
        for quad in store.quads(None, predicate):
            if isinstance(quad.subject, ox.NamedNode):
                by.setdefault(quad.subject.value, []).append(quad)
    return {iri: best for iri, quads in by.items() if (best := _best(quads))}


def fallback(iri: str) -> str:
    """The last part of an IRI, readable.

    >>> fallback("https://w3id.org/kgfuse/entity/granny%20smith")
    'granny smith'
    """
    return unquote(local_name(iri)) or iri


def _best(quads: Iterable[ox.Quad]) -> str:
    found = (
        (_language_rank(quad.object.language), LABELS.index(quad.predicate), quad.object.value)
        for quad in quads
        if isinstance(quad.object, ox.Literal)
    )
    return min(found, default=(0, 0, ""))[2]


def _language_rank(language: str | None) -> int:
    if language is None:
        return 1
    return 0 if language == "en" or language.startswith("en-") else 2
