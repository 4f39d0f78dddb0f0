"""From what everything comes to, to the graph: every source's graph that changed is written, and reasoned on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import pyoxigraph as ox

import kgfuse
from kgfuse.catalog import SourceRow
from kgfuse.extract.protocol import kinds_read, run_iri
from kgfuse.graph.journal import ALL
from kgfuse.graph.provenance import remove_provenance, replace_provenance
from kgfuse.graph.provenance_lines import Review, RunRecord, fact_lines, review_lines, run_lines, source_lines
from kgfuse.graph.writing import Writer
from kgfuse.sources.sandbox import Sandbox
from kgfuse.terms.mentions import REVIEW, Fact
from kgfuse.terms.namespaces import GRAPH_PREDICTED, KGF, digest, ontology_graph, source_iri
from kgfuse.workspace import facts as graph_facts
from kgfuse.workspace.duplicates import DUPLICATE_RUN, duplicate_run
from kgfuse.workspace.neighbours import NEIGHBOUR_RUN, neighbour_run
from kgfuse.workspace.parts import OnEvent, Parts
from kgfuse.workspace.reasoning import MARK, bring_up_to_date, mark
from kgfuse.workspace.resolving import Resolved
from kgfuse.workspace.whereabouts import whereabouts


def write(parts: Parts, outcome: Resolved, on_event: OnEvent) -> int:
    """Write every graph whose content differs from what was written last; return how many were written."""
    parts.catalog.set_state("built", "")
    marks = {key.removeprefix("graph:"): mark for key, mark in parts.catalog.states("graph:").items()}
    contents: dict[str, str | None] = {}

    def done(graphs: list[str]) -> None:
        with parts.catalog.transaction():
            for graph in graphs:
                if graph in contents:
                    parts.catalog.set_state(f"graph:{graph}", contents[graph])

    with Writer(parts.store, done) as writer, Sandbox() as sandbox:
        _write_graphs(parts, outcome, on_event, writer, contents, marks, sandbox)
        on_event("reason", 0, 1, "")
        bring_up_to_date(parts, writer)
        writer.finish()
    parts.catalog.set_state(MARK, mark(parts))
    on_event("reason", 1, 1, "")
    _forget_predictions(parts)
    return len(contents)


def _write_graphs(
    parts: Parts,
    outcome: Resolved,
    on_event: OnEvent,
    writer: Writer,
    contents: dict[str, str | None],
    marks: Mapping[str, str],
    sandbox: Sandbox,
) -> None:
    """Hand the writer every graph that changed; ``contents`` gets the mark of each, ``None`` for one that goes."""
    unfinished = set(marks) if ALL in writer.interrupted else set(writer.interrupted)

    def changed(graph: str, content: str) -> bool:
        if marks.get(graph) == content and graph not in unfinished:
            return False
        contents[graph] = content
        return True

    wanted: set[str] = set()
    for pack in parts.packs:
        graph = ontology_graph(pack.name)
        wanted.add(graph)
        if changed(graph, pack.sha256):
            writer.replace(graph, [graph_facts.lines(pack.triples)])
    rows = list(parts.catalog.sources())
    facts = graph_facts.by_source(outcome.resolution.facts)
    runs = _runs(parts, outcome)
    on_event("write", 0, len(rows), "")
    for n, row in enumerate(rows, 1):
        graph = source_iri(row.name)
        wanted.add(graph)
        mine = facts.get(graph, [])
        own = [] if row.kind == "rdf" else list(structural(parts, row))
        reviewed = outcome.reviews.get(graph, ())
        if changed(graph, _content_hash(row, own, mine, reviewed)):
            pieces: Iterable[bytes] = [graph_facts.lines([*own, *map(graph_facts.fact_triple, mine)])]
            confidence: list[float] | None = [1.0] * len(own) + [f.confidence for f in mine]
            if row.kind == "rdf":
                pieces, confidence = _imported(parts, row), None
            provenance = _provenance(parts, row, mine, runs, reviewed, sandbox)
            if graph not in marks and graph not in unfinished:
                told = "".join(provenance).encode()
            else:
                told = b""
                replace_provenance(parts.store, graph, provenance)
            writer.replace(graph, pieces, confidence=confidence, provenance=told)
        on_event("write", n, len(rows), row.name)
    for graph in sorted(marks.keys() - wanted):
        contents[graph] = None
        remove_provenance(parts.store, graph)
        writer.replace(graph, [])


def _imported(parts: Parts, row: SourceRow) -> Iterable[bytes]:
    """Lines of an RDF source; one that does not parse says nothing, and is recorded."""
    try:
        # read once before anything is written: a file that breaks half-way must leave nothing behind
        for _ in graph_facts.rdf_lines(parts.blobs.path(row.sha256), row):
            pass
    except (SyntaxError, ValueError) as e:
        parts.catalog.record_problem(
            row.name, "import", f"{row.location}: does not parse: {e}", "mend the file and add it again"
        )
        return []
    parts.catalog.clear_problem(row.name, "import")
    return graph_facts.rdf_lines(parts.blobs.path(row.sha256), row)


def _forget_predictions(parts: Parts) -> None:
    """Take away what was predicted of items that are gone."""
    said = list(parts.store.quads(graph=GRAPH_PREDICTED))
    items = {f"<{i.iri}>" for i in parts.catalog.items()}
    about = {str(q.subject): str(q.object) for q in said if q.predicate.value == KGF + "aboutItem"}
    kept = [q for q in said if about.get(str(q.subject), str(q.subject)) in items]
    if len(kept) < len(said):
        parts.store.replace_graph(GRAPH_PREDICTED, kept)


def structural(parts: Parts, row: SourceRow) -> Iterable[ox.Triple]:
    """What a source states by itself, before anything is extracted from it."""
    if row.kind in ("manifest", "table"):
        for item in parts.catalog.items(manifest=row.name):
            yield from graph_facts.item_triples(item, parts.catalog.sources(item=item.iri))
        return
    if row.kind == "audio":
        yield from graph_facts.recording_triples(row)
    if row.parent is not None:
        yield from graph_facts.part_triples(row, parts.catalog)
    elif row.item is not None:
        owner = parts.catalog.item(row.item)
        if owner is not None:
            yield from graph_facts.item_triples(owner, [row])


def _runs(parts: Parts, outcome: Resolved) -> dict[str, RunRecord]:
    """What each run was, by the name that its facts know it under."""
    kinds = {r.kind for r in parts.catalog.sources()}
    used = {f.run for f in outcome.resolution.facts}
    names = {run_iri(e): e.name for e in parts.extractors if kinds_read(e) & kinds}
    runs = {
        e.run: RunRecord((names.get(e.run, REVIEW),), kgfuse.__version__, {}, dict(e.parameters))
        for e in outcome.extractions
    }
    if NEIGHBOUR_RUN in used:
        runs[NEIGHBOUR_RUN] = neighbour_run(parts)
    if DUPLICATE_RUN in used:
        runs[DUPLICATE_RUN] = duplicate_run()
    return runs


def _provenance(
    parts: Parts,
    row: SourceRow,
    mine: Sequence[Fact],
    runs: Mapping[str, RunRecord],
    reviewed: Iterable[Review],
    sandbox: Sandbox,
) -> Iterator[str]:
    yield from source_lines(parts.source(row))
    for review in reviewed:
        yield from review_lines(review)
    named = [replace(f, run=runs[f.run].iri) for f in mine]
    document = whereabouts(parts.blobs, row, sandbox) if mine else None
    yield from fact_lines(named, document.of(m for f in mine for m in f.evidence) if document else None)
    for record in {runs[f.run].iri: runs[f.run] for f in mine}.values():
        yield from run_lines(record)


def _content_hash(
    row: SourceRow, structural: Iterable[ox.Triple], mine: Iterable[Fact], reviewed: Iterable[Review]
) -> str:
    said = (*sorted(map(str, structural)), *sorted(map(repr, mine)), *sorted(map(repr, reviewed)))
    places = [row.meta["places"]] if "places" in row.meta else []
    made = [row.meta["transcriber"]] if "transcriber" in row.meta else []
    return digest(row.name, row.sha256, row.media_type, *places, *made, *said)
