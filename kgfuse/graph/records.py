"""Provenance read back: from a triple to the statements, runs, characters and boxes it rests on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import pyoxigraph as ox

from kgfuse.graph import provenance_terms as prov
from kgfuse.graph.nodes import named, node, plain, text
from kgfuse.graph.provenance_lines import RunRecord, statement_iri
from kgfuse.graph.store import GraphStore
from kgfuse.terms.mentions import DocumentPlace, Region, Selector, TextSpan, TimeSpan, Value
from kgfuse.terms.namespaces import GRAPH_INFERRED, GRAPH_PREDICTED, GRAPH_PROVENANCE, ONTOLOGY

Status = Literal["asserted", "ontology", "inferred", "predicted"]


@dataclass(frozen=True, slots=True)
class MentionRecord:
    """A place in a source, as the graph keeps it.

    Args:
        iri: of the mention.
        source: IRI of the source.
        file_name: the source's name in the workspace.
        selector: the characters, box or time.
        refers_to: IRIs of what it speaks of.
        where: the place in the document or recording that the text is of, where it has pages, elements or times.
    """

    iri: str
    source: str
    file_name: str
    selector: Selector
    refers_to: tuple[str, ...]
    where: DocumentPlace | None = None


@dataclass(frozen=True, slots=True)
class StatementRecord:
    """Who says a triple, and why.

    Args:
        iri: of the statement node; empty for what was imported, declared or inferred: its graph is its provenance.
        subject: IRI.
        predicate: IRI.
        object: IRI or literal.
        source: IRI of the graph that says it.
        status: what kind of graph that is.
        confidence: 0 to 1.
        runs: IRIs of the runs that found it.
        extractors: their extractors' names.
        reason: for people.
        mentions: what it rests on.
        assertion: how the source says it: ``asserted``, or admitted though ``speculated`` or ``attributed``.
        said_by: whom the source names as saying so.
        units: IRIs of the units that its number is in.
    """

    iri: str
    subject: str
    predicate: str
    object: str | Value
    source: str
    status: Status
    confidence: float
    runs: tuple[str, ...]
    extractors: tuple[str, ...]
    reason: str
    mentions: tuple[MentionRecord, ...]
    assertion: str = "asserted"
    said_by: tuple[str, ...] = ()
    units: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """A source, as the graph keeps it."""

    iri: str
    file_name: str
    sha256: str
    media_type: str


def statements_about(
    store: GraphStore, subject: str | None = None, predicate: str | None = None, object: str | Value | None = None
) -> list[StatementRecord]:
    """Statement nodes whose triple matches, whatever graph they are of; ``None`` matches all.

    Returns:
        In order of triple and graph. For what has no statement node (imported, inferred) see ``provenance_of``.
    """
    wanted = [
        (part, term)
        for part, term in (
            (prov.OBJECT, None if object is None else node(object)),
            (prov.SUBJECT, None if subject is None else named(subject)),
            (prov.PREDICATE, None if predicate is None else named(predicate)),
        )
        if term is not None
    ]
    if subject is not None and predicate is not None and object is not None:
        triple = ox.Triple(named(subject), named(predicate), node(object))
        iris = [statement_iri(graph, subject, predicate, object) for graph in store.graphs_of(triple)]
    elif wanted:
        part, term = wanted[1] if subject is not None and len(wanted) > 1 else wanted[0]
        iris = [text(q.subject) for q in store.quads(None, part, term, GRAPH_PROVENANCE)]
    else:
        iris = [text(q.subject) for q in store.quads(None, prov.IN_GRAPH, None, GRAPH_PROVENANCE)]
    found = []
    for iri in iris:
        quads = list(store.quads(named(iri), None, None, GRAPH_PROVENANCE))
        have = {(q.predicate, q.object) for q in quads}
        if quads and all(pair in have for pair in wanted):
            found.append(_statement(store, iri, quads))
    return sorted(found, key=lambda r: (r.subject, r.predicate, str(r.object), r.source))


def provenance_of(store: GraphStore, subject: str, predicate: str, object: str | Value) -> list[StatementRecord]:
    """Every graph that says this triple, with its statement node where it has one; empty when none does.

    Returns:
        In order of the graphs' IRIs. What has no statement node has confidence 1 and an empty ``iri``.
    """
    found = []
    for graph in store.graphs_of(ox.Triple(named(subject), named(predicate), node(object))):
        if graph == GRAPH_PROVENANCE:
            continue
        iri = statement_iri(graph, subject, predicate, object)
        quads = list(store.quads(named(iri), None, None, GRAPH_PROVENANCE))
        if quads:
            found.append(_statement(store, iri, quads))
        else:
            said = StatementRecord("", subject, predicate, object, graph, status_of(graph), 1.0, (), (), "", ())
            found.append(said)
    return found


def status_of(graph: str) -> Status:
    """What kind of graph this is.

    >>> status_of("https://w3id.org/kgfuse#inferred")
    'inferred'
    """
    if graph == GRAPH_INFERRED:
        return "inferred"
    if graph == GRAPH_PREDICTED:
        return "predicted"
    return "ontology" if graph.startswith(ONTOLOGY) else "asserted"


def source_record(store: GraphStore, iri: str) -> SourceRecord | None:
    """The source with that IRI."""
    place = named(iri)
    name = _one(store, place, prov.FILE_NAME)
    if name is None:
        return None
    return SourceRecord(iri, name, _one(store, place, prov.SHA256) or "", _one(store, place, prov.FORMAT) or "")


def run_record(store: GraphStore, iri: str) -> RunRecord | None:
    """The run with that IRI."""
    place = named(iri)
    parameters = _one(store, place, prov.PARAMETERS)
    if parameters is None:
        return None
    models = dict(value.rsplit(" ", 1) for value in _all(store, place, prov.MODEL_HASH))
    extractors = tuple(_all(store, place, prov.EXTRACTOR))
    return RunRecord(extractors, _one(store, place, prov.VERSION) or "", models, json.loads(parameters))


def mention_record(store: GraphStore, iri: str) -> MentionRecord | None:
    """The mention with that IRI."""
    source = _one(store, named(iri), prov.HAS_SOURCE)
    selector = _selector(store, iri)
    if source is None or selector is None:
        return None
    file_name = _one(store, named(source), prov.FILE_NAME) or ""
    refers_to = tuple(_all(store, named(iri), prov.REFERS_TO))
    where = _where(store, iri) if isinstance(selector, TextSpan) else None
    return MentionRecord(iri, source, file_name, selector, refers_to, where)


def mentions_of(store: GraphStore, entity: str) -> list[MentionRecord]:
    """The places that speak of this entity, in order of source and place."""
    places = [text(q.subject) for q in store.quads(None, prov.REFERS_TO, named(entity), GRAPH_PROVENANCE)]
    found = [m for m in (mention_record(store, place) for place in places) if m is not None]
    return sorted(found, key=lambda m: (m.file_name, _order(m.selector)))


def _statement(store: GraphStore, iri: str, quads: list[ox.Quad]) -> StatementRecord:
    by: dict[ox.NamedNode, list[ox.Quad]] = {}
    for quad in sorted(quads, key=str):
        by.setdefault(quad.predicate, []).append(quad)

    def texts(predicate: ox.NamedNode) -> tuple[str, ...]:
        return tuple(text(q.object) for q in by.get(predicate, ()))

    mentions = [m for m in (mention_record(store, m) for m in texts(prov.DERIVED_FROM)) if m is not None]
    graph = texts(prov.IN_GRAPH)[0]
    return StatementRecord(
        iri=iri,
        subject=texts(prov.SUBJECT)[0],
        predicate=texts(prov.PREDICATE)[0],
        object=plain(by[prov.OBJECT][0].object),
        source=graph,
        status=status_of(graph),
        confidence=float(texts(prov.CONFIDENCE)[0]),
        runs=texts(prov.GENERATED_BY),
        extractors=texts(prov.EXTRACTOR),
        reason=next(iter(texts(prov.REASON)), ""),
        mentions=tuple(sorted(mentions, key=lambda m: (m.source, _order(m.selector)))),
        assertion=next(iter(texts(prov.ASSERTION)), "asserted"),
        said_by=texts(prov.SAID_BY),
        units=texts(prov.UNIT),
    )


def _where(store: GraphStore, mention: str) -> DocumentPlace | None:
    path = _one(store, named(mention + "/element"), prov.VALUE)
    if path is not None:
        return DocumentPlace(path=path)
    value = _one(store, named(mention + "/fragment"), prov.VALUE) or ""
    cell = re.fullmatch(r"cell=(\d+),(\d+)", value)
    if cell is not None:
        return DocumentPlace(cell=(int(cell[1]), int(cell[2])))
    time = re.fullmatch(r"t=([\d.]+),([\d.]+)", value)
    if time is not None:
        return DocumentPlace(time=(float(time[1]), float(time[2])))
    fragment = re.fullmatch(
        r"page=(\d+)(?:&viewrect=([\d.]+),([\d.]+),([\d.]+),([\d.]+))?",
        value,
    )
    if fragment is None:
        return None
    page, *box = fragment.groups()
    if box[0] is None:
        return DocumentPlace(int(page))
    x, y, w, h = map(float, box)
    return DocumentPlace(int(page), (x, y, w, h))


def _selector(store: GraphStore, mention: str) -> Selector | None:
    start, end = (_one(store, named(mention + "/position"), part) for part in (prov.START, prov.END))
    if start is not None and end is not None:
        exact = _one(store, named(mention + "/quote"), prov.EXACT)
        return None if exact is None else TextSpan(int(start), int(end), exact)
    fragment = _one(store, named(mention + "/fragment"), prov.VALUE)
    if fragment is not None:
        box = re.fullmatch(r"xywh=(-?\d+),(-?\d+),(\d+),(\d+)", fragment)
        if box:
            return Region(*(int(n) for n in box.groups()))
        span = re.fullmatch(r"t=([\d.]+),([\d.]+)", fragment)
        return TimeSpan(float(span[1]), float(span[2])) if span else None
    return None


def _order(selector: Selector) -> tuple[float, ...]:
    if isinstance(selector, Region):
        return (selector.y, selector.x, selector.w, selector.h)
    return (selector.start, selector.end)


def _all(store: GraphStore, subject: ox.NamedNode, predicate: ox.NamedNode) -> list[str]:
    return sorted(_texts(store, subject, predicate))


def _one(store: GraphStore, subject: ox.NamedNode, predicate: ox.NamedNode) -> str | None:
    return next(_texts(store, subject, predicate), None)


def _texts(store: GraphStore, subject: ox.NamedNode, predicate: ox.NamedNode) -> Iterator[str]:
    return (text(q.object) for q in store.quads(subject, predicate, None, GRAPH_PROVENANCE))
