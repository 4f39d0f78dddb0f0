"""From extractions to facts: what each source of the workspace contributes to the graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pyoxigraph as ox

from kgfuse.catalog import Catalog, ItemRow, SourceRow
from kgfuse.graph.nodes import named, node
from kgfuse.terms.mentions import Fact, Value
from kgfuse.terms.namespaces import BASE, KGF, MA, RDF, RDFS, XSD, digest, source_iri
from kgfuse.workspace.links import linked

_PIECE: Final = 100_000
_ROLE = {"text": "hasText", "image": "hasImage", "audio": "hasAudio"}


def triple(subject: str, predicate: str, value: str | Value) -> ox.Triple:
    """A triple of IRIs, with a literal or an IRI as object."""
    return ox.Triple(named(subject), named(predicate), node(value))


def implicit_types(sources: Iterable[SourceRow]) -> tuple[str, ...]:
    """Types of an item that plain files make up: a document, a picture, or both."""
    kinds = {s.kind for s in sources}
    types = [KGF + name for kind, name in (("text", "Document"), ("image", "Picture")) if kind in kinds]
    return tuple(types) or (KGF + "Item",)


def item_triples(item: ItemRow, sources: Sequence[SourceRow]) -> Iterator[ox.Triple]:
    """What the catalog knows of an item: type, label, sources, links, and, for training items only, its labels."""
    types = item.types or (implicit_types(sources) if item.manifest is None else (KGF + "Item",))
    for t in types:
        yield triple(item.iri, RDF + "type", t)
    yield triple(item.iri, RDFS + "label", Value(item.label or item.identifier, XSD + "string"))
    for source in sources:
        if source.kind in _ROLE:
            yield triple(item.iri, KGF + _ROLE[source.kind], source_iri(source.name))
    for prop in item.links:
        for value in linked(item, prop):
            yield triple(item.iri, prop, value)
    if item.split in (None, "train"):
        for prop, classes in item.labels.items():
            for c in classes:
                yield triple(item.iri, prop, c)


def part_triples(row: SourceRow, catalog: Catalog) -> Iterator[ox.Triple]:
    """What is known of a picture by the document that it stands in; nothing of other sources."""
    whole = catalog.source(row.parent or "")
    if whole is None or whole.kind in ("manifest", "table"):
        return
    if row.item is not None and whole.parent is None:
        yield triple(row.item, KGF + "hasImage", source_iri(row.name))
    yield triple(source_iri(row.name), KGF + "partOf", source_iri(whole.name))
    if row.meta.get("page"):
        yield triple(source_iri(row.name), KGF + "onPage", Value(str(row.meta["page"]), XSD + "integer"))
    for key, name in (("caption", "caption"), ("alternative", "alternativeText")):
        if row.meta.get(key):
            yield triple(source_iri(row.name), KGF + name, Value(str(row.meta[key])))


def recording_triples(row: SourceRow) -> Iterator[ox.Triple]:
    """How long a recording is, in seconds, and its samples a second, in the terms of W3C's media ontology."""
    for key, name in (("seconds", "duration"), ("rate", "samplingRate")):
        if key in row.meta:
            yield triple(source_iri(row.name), MA + name, Value(f"{row.meta[key]:.15g}", XSD + "decimal"))


def lines(triples: Iterable[ox.Triple]) -> bytes:
    """Triples as N-Triples lines."""
    return ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES) or b""


def rdf_triples(path: Path, row: SourceRow) -> Iterator[ox.Triple]:
    """Triples of an RDF file as they stand there; graph names are dropped, since the source is the graph.

    Raises:
        SyntaxError: the file does not parse; carries the line.
    """
    form = ox.RdfFormat.from_media_type(row.media_type)
    if form is None:
        raise SyntaxError(f"{row.media_type} is no RDF syntax")
    for quad in ox.parse(path=path, format=form, base_iri=source_iri(row.name)):
        yield quad.triple


def rdf_lines(path: Path, row: SourceRow) -> Iterator[bytes]:
    """N-Triples lines of an RDF file, in pieces.

    Blank nodes are replaced by IRIs derived from the file's content and their order in it. (Canonical labels would add
    nothing, since another content is another file, and a few dozen triples can keep RDFC-1.0 busy for days.) External
    entities are never resolved.

    Raises:
        SyntaxError: the file does not parse; carries the line.
    """
    triples = rdf_triples(path, row)
    names: dict[str, ox.NamedNode] = {}
    while piece := list(islice(triples, _PIECE)):
        text = lines(piece)
        yield lines(_named(t, row.sha256, names) for t in piece) if b"_:" in text else text


def _named(term: Any, scope: str, names: dict[str, ox.NamedNode]) -> Any:
    """The term with IRIs for its blank nodes, numbered as they come."""
    if isinstance(term, ox.Triple):
        return ox.Triple(_named(term.subject, scope, names), term.predicate, _named(term.object, scope, names))
    if not isinstance(term, ox.BlankNode):
        return term
    if term.value not in names:
        names[term.value] = named(f"{BASE}node/{digest(scope, str(len(names)))}")
    return names[term.value]


def fact_triple(fact: Fact) -> ox.Triple:
    """The triple that a fact asserts."""
    return triple(fact.subject, fact.predicate, fact.object)


def by_source(facts: Iterable[Fact]) -> Mapping[str, list[Fact]]:
    """Facts grouped by the IRI of the source that says them."""
    grouped: dict[str, list[Fact]] = {}
    for fact in facts:
        grouped.setdefault(fact.source, []).append(fact)
    return grouped
