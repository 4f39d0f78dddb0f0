"""What holds whatever texts say: the links of manifests and the facts of RDF files."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import partial

import pyoxigraph as ox

from kgfuse.catalog import SourceRow
from kgfuse.extract.gating.joint import Given, Givens
from kgfuse.graph.labels import NAMES
from kgfuse.graph.nodes import plain
from kgfuse.terms.mentions import Value
from kgfuse.terms.namespaces import RDF, entity_iri, local_name, source_iri
from kgfuse.workspace.facts import rdf_triples
from kgfuse.workspace.links import linked
from kgfuse.workspace.parts import Parts


def givens(parts: Parts) -> Givens:
    """What no text may contradict, as a function of the things that texts speak of."""
    return partial(_about, parts)


def _about(parts: Parts, ends: Collection[str]) -> Iterator[Given]:
    for item in parts.catalog.items():
        source = source_iri(item.manifest) if item.manifest else ""
        for prop in item.links:
            for value in linked(item, prop):
                yield Given(item.iri, prop, value, source)
    if not ends:
        return
    found: list[Given] = []
    same: dict[str, str] = {}
    for row in parts.catalog.sources():
        if row.kind == "rdf":
            found += _imported(parts, row, ends, same)
    for one in found:
        yield replace(one, object=same.get(one.object, one.object)) if isinstance(one.object, str) else one


def _imported(parts: Parts, row: SourceRow, ends: Collection[str], same: dict[str, str]) -> list[Given]:
    """Triples of an RDF file that touch ``ends`` and can contradict something; a file that does not parse has none.

    A text that calls a thing by the name that the file gives it does not contradict the file: ``same`` takes, by IRI,
    what texts make of that name.
    """
    vocabulary, source = parts.vocabulary, source_iri(row.name)
    telling = vocabulary.properties.keys() | vocabulary.limits.keys()
    found: list[Given] = []
    try:
        for triple in rdf_triples(parts.blobs.path(row.sha256), row):
            if not isinstance(triple.subject, ox.NamedNode) or isinstance(triple.object, ox.BlankNode | ox.Triple):
                continue  # what has no name may be anything
            subject, predicate = triple.subject.value, triple.predicate.value
            value = plain(triple.object)
            if predicate in NAMES and isinstance(value, Value):
                _name(subject, value.lexical, ends, same)
            elif predicate == RDF + "type":
                if subject in ends and subject not in vocabulary.classes and value in vocabulary.classes:
                    found.append(Given(subject, predicate, value, source))
            elif predicate in telling and (subject in ends or value in ends):
                found.append(Given(subject, predicate, value, source))
                if isinstance(value, str):
                    _name(value, local_name(value).replace("_", " "), ends, same)
    except (SyntaxError, ValueError):
        return []
    return found


def _name(iri: str, name: str, ends: Collection[str], same: dict[str, str]) -> None:
    if iri not in ends and (entity := entity_iri(name)) in ends:
        same[iri] = min(same.get(iri, entity), entity)
