"""``build``: extract, resolve and gate, write the graphs that changed, reason, validate.

Extractions are kept in the catalog by all that they depend on; everything after them is a function of the set of
extractions. So a build that is killed anywhere is simply run again, and what did not change is not done again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pyoxigraph as ox

import kgfuse
from kgfuse.catalog import SourceRow
from kgfuse.extract.protocol import run_iri
from kgfuse.extract.resolve import Resolution, resolve
from kgfuse.graph.journal import ALL
from kgfuse.graph.provenance import (
    Review,
    RunRecord,
    fact_lines,
    remove_provenance,
    replace_provenance,
    review_lines,
    run_lines,
    source_lines,
)
from kgfuse.graph.published import publish
from kgfuse.graph.writing import Writer
from kgfuse.reason.shapes import Violation, validate
from kgfuse.terms.mentions import REVIEW, Extraction, Fact, Rejected
from kgfuse.terms.namespaces import (
    GRAPH_PREDICTED,
    GRAPH_PROVENANCE,
    KGF,
    OA,
    digest,
    ontology_graph,
    source_iri,
)
from kgfuse.workspace import facts as graph_facts
from kgfuse.workspace import identity
from kgfuse.workspace.extraction import extract_pending, extractions
from kgfuse.workspace.givens import givens
from kgfuse.workspace.neighbours import NEIGHBOUR_RUN, neighbour_facts, neighbour_run
from kgfuse.workspace.parts import OnEvent, Parts, silent
from kgfuse.workspace.reasoning import MARK, bring_up_to_date, contradictions, mark
from kgfuse.workspace.review.decisions import Judged, decisions, judge, reviews, settled
from kgfuse.workspace.review.examples import FILE as EXAMPLES
from kgfuse.workspace.review.examples import write_examples
from kgfuse.workspace.searching import refresh_index


@dataclass(slots=True)
class BuildReport:
    """What a build did and what the graph holds now.

    ``decisions`` of people hold; ``lapsed`` ones are on words that changed since.
    """

    extracted: int = 0
    sources: int = 0
    items: int = 0
    graphs_written: int = 0
    asserted: int = 0
    inferred: int = 0
    statements: int = 0
    mentions: int = 0
    entities: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    contradictions: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    decisions: int = 0
    lapsed: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    unchanged: bool = False


@dataclass(frozen=True, slots=True)
class Resolved:
    """All that the extractions and the decisions of people come to."""

    extractions: tuple[Extraction, ...]
    resolution: Resolution
    judged: Judged
    reviews: Mapping[str, Sequence[Review]]


def resolved(parts: Parts) -> Resolved:
    """Resolve all extractions: decisions applied, entities named, statements gated, visual neighbours added."""
    found = tuple(extractions(parts))
    known = parts.known_items(parts.catalog.items())
    judged = judge(parts, found)
    said = (*judged.machine, *judged.people)
    resolution = resolve(
        said,
        parts.vocabulary,
        known,
        parts.settings.extract,
        givens(parts),
        identity.wishes(parts.catalog),
        parts.gazetteer,
    )
    near = neighbour_facts(parts, found)
    resolution = settled(replace(resolution, facts=(*resolution.facts, *near)), judged)
    # what a person turned away still tells the leak mask which words reveal an answer
    return Resolved((*found, *judged.people), resolution, judged, reviews(judged, resolution, parts, known))


def build(parts: Parts, on_event: OnEvent = silent, *, retry: bool = False, workers: int | None = 1) -> BuildReport:
    """Bring the graph up to date with the catalog.

    Args:
        parts: the workspace.
        on_event: told about progress.
        retry: try again what failed to be extracted before.
        workers: processes that extract; ``None`` is as many as are worth it.
    """
    report = BuildReport()
    with _timed(report, "extract"):
        report.extracted = extract_pending(parts, on_event, retry=retry, workers=workers)
    refresh(parts, report, on_event)
    return report


def refresh(parts: Parts, report: BuildReport, on_event: OnEvent = silent) -> None:
    """Everything after extraction: from the extractions at hand to a graph that holds, reasons and validates."""
    state = _inputs(parts)
    if parts.catalog.get_state("built") == state:
        report.unchanged = True
        report.violations = [Violation.from_dict(v) for v in json.loads(parts.catalog.get_state("violations") or "[]")]
        report.contradictions = json.loads(parts.catalog.get_state("contradictions") or "[]")
        _count(parts, report)
        return
    on_event("resolve", 0, 1, "")
    with _timed(report, "resolve"):
        outcome = resolved(parts)
    on_event("resolve", 1, 1, "")
    with _timed(report, "write"):
        report.graphs_written = _write(parts, outcome, on_event)
    report.rejected = list(outcome.resolution.rejected)
    if parts.settings.validate_shapes:
        on_event("validate", 0, 1, "")
        with _timed(report, "validate"):
            report.violations = check_shapes(parts)
        on_event("validate", 1, 1, "")
    with _timed(report, "contradictions"):
        report.contradictions = [found.to_dict() for found in contradictions(parts).found]
    with _timed(report, "index"):
        refresh_index(parts)
    if outcome.judged.decisions or (parts.folder / EXAMPLES).exists():
        write_examples(parts, outcome.judged.decisions)  # what a source said goes with it
    if parts.gazetteer is not None:
        parts.gazetteer.prune()
    parts.store.flush()
    parts.catalog.set_state("violations", json.dumps([v.to_dict() for v in report.violations]))
    parts.catalog.set_state("contradictions", json.dumps(report.contradictions))
    parts.catalog.set_state("rejected", json.dumps([_rejected_record(r) for r in report.rejected]))
    identity.keep(parts.catalog, outcome.resolution.identity)
    parts.catalog.set_state("entities", str(len(outcome.resolution.entities)))
    parts.catalog.set_state("built", state)
    publish(parts.store, parts.folder)
    _count(parts, report)


@contextmanager
def _timed(report: BuildReport, stage: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    report.seconds[stage] = round(time.perf_counter() - began, 3)


def check_shapes(parts: Parts) -> list[Violation]:
    """Validate the graph against the SHACL shapes of all packs."""
    shapes = [pack.shapes for pack in parts.packs if pack.shapes is not None]
    return validate(parts.store, shapes)


def _inputs(parts: Parts) -> str:
    """One hash over all that the graph depends on."""
    catalog = parts.catalog
    rows = catalog.sources()
    kinds = {r.kind for r in rows}
    return digest(
        parts.vocabulary.sha256,
        parts.settings.model_dump_json(),
        *(run_iri(e) for e in parts.extractors if e.kinds & kinds),
        *(f"{r.name} {r.sha256} {r.item} {r.parent}" for r in rows),
        *(repr(i) for i in catalog.items()),
        *(f"{source} {key}" for source, key in sorted(catalog.extraction_keys())),
        *(repr(replace(d, decided_at="")) for d in catalog.decisions.all()),
        *(repr(w) for w in identity.wishes(catalog)),
        parts.gazetteer.sha256 if parts.gazetteer else "",
    )


def _write(parts: Parts, outcome: Resolved, on_event: OnEvent) -> int:
    """Write every graph whose content differs from what was written last; return how many were written."""
    parts.catalog.set_state("built", "")
    marks = {key.removeprefix("graph:"): mark for key, mark in parts.catalog.states("graph:").items()}
    contents: dict[str, str | None] = {}

    def done(graphs: list[str]) -> None:
        with parts.catalog.transaction():
            for graph in graphs:
                if graph in contents:
                    parts.catalog.set_state(f"graph:{graph}", contents[graph])

    with Writer(parts.store, done) as writer:
        _write_graphs(parts, outcome, on_event, writer, contents, marks)
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
            provenance = _provenance(parts, row, mine, runs, reviewed)
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
    if row.kind == "manifest":
        for item in parts.catalog.items(manifest=row.name):
            yield from graph_facts.item_triples(item, parts.catalog.sources(item=item.iri))
    elif row.item is not None and row.parent is None:
        owner = parts.catalog.item(row.item)
        if owner is not None:
            yield from graph_facts.item_triples(owner, [row])


def _runs(parts: Parts, outcome: Resolved) -> dict[str, RunRecord]:
    """What each run was, by the name that its facts know it under."""
    kinds = {r.kind for r in parts.catalog.sources()}
    used = {f.run for f in outcome.resolution.facts}
    names = {run_iri(e): e.name for e in parts.extractors if e.kinds & kinds}
    runs = {
        e.run: RunRecord((names.get(e.run, REVIEW),), kgfuse.__version__, {}, dict(e.parameters))
        for e in outcome.extractions
    }
    if NEIGHBOUR_RUN in used:
        runs[NEIGHBOUR_RUN] = neighbour_run(parts)
    return runs


def _provenance(
    parts: Parts, row: SourceRow, mine: Iterable[Fact], runs: Mapping[str, RunRecord], reviewed: Iterable[Review]
) -> Iterator[str]:
    yield from source_lines(parts.source(row))
    for review in reviewed:
        yield from review_lines(review)
    named = [replace(f, run=runs[f.run].iri) for f in mine]
    yield from fact_lines(named)
    for record in {runs[f.run].iri: runs[f.run] for f in mine}.values():
        yield from run_lines(record)


def _content_hash(
    row: SourceRow, structural: Iterable[ox.Triple], mine: Iterable[Fact], reviewed: Iterable[Review]
) -> str:
    said = (*sorted(map(str, structural)), *sorted(map(repr, mine)), *sorted(map(repr, reviewed)))
    return digest(row.name, row.sha256, row.media_type, *said)


def _rejected_record(r: Rejected) -> dict[str, object]:
    s = r.statement
    return {
        "source": s.source,
        "subject": s.subject if isinstance(s.subject, str) else s.subject.label,
        "predicate": s.predicate,
        "object": s.object
        if isinstance(s.object, str)
        else getattr(s.object, "label", getattr(s.object, "lexical", "")),
        "confidence": round(s.confidence, 4),
        "rule": r.rule,
        "reason": r.reason,
    }


def _count(parts: Parts, report: BuildReport) -> None:
    counts = parts.store.counts()
    report.sources = len(parts.catalog.sources())
    report.items = len(parts.catalog.items())
    report.asserted = counts.sources
    report.inferred = counts.inferred
    report.statements = parts.store.nodes_with(KGF + "inGraph", GRAPH_PROVENANCE)
    report.mentions = parts.store.nodes_with(OA + "hasSource", GRAPH_PROVENANCE)
    report.entities = int(parts.catalog.get_state("entities") or 0)
    report.problems = [p.message for p in parts.catalog.problems()]
    held, lapsed = decisions(parts)
    report.decisions, report.lapsed = len(held), len(lapsed)
