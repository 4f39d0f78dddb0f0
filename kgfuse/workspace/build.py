"""``build``: transcribe, extract, resolve and gate, write the graphs that changed, reason, validate.

Extractions are kept in the catalog by all that they depend on; everything after them is a function of the set of
extractions. So a build that is killed anywhere is simply run again, and what did not change is not done again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from kgfuse.extract.protocol import kinds_read, run_iri
from kgfuse.graph.published import publish
from kgfuse.reason.shapes import Violation, validate
from kgfuse.terms.mentions import Rejected
from kgfuse.terms.namespaces import GRAPH_PROVENANCE, KGF, OA, digest
from kgfuse.workspace import identity
from kgfuse.workspace.extraction import extract_pending
from kgfuse.workspace.parts import OnEvent, Parts, silent
from kgfuse.workspace.reasoning import contradictions
from kgfuse.workspace.resolving import resolved
from kgfuse.workspace.review.decisions import decisions
from kgfuse.workspace.review.examples import FILE as EXAMPLES
from kgfuse.workspace.review.examples import write_examples
from kgfuse.workspace.searching import refresh_index
from kgfuse.workspace.transcribing import transcribe_pending
from kgfuse.workspace.writing import write


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


def build(parts: Parts, on_event: OnEvent = silent, *, retry: bool = False, workers: int | None = 1) -> BuildReport:
    """Bring the graph up to date with the catalog.

    Args:
        parts: the workspace.
        on_event: told about progress.
        retry: try again what failed to be extracted before.
        workers: processes that extract; ``None`` is as many as are worth it.
    """
    report = BuildReport()
    with _timed(report, "transcribe"):
        transcribe_pending(parts, on_event, retry=retry, workers=workers)
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
        report.graphs_written = write(parts, outcome, on_event)
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
    parts.catalog.set_state("rejected", json.dumps([rejected_record(r) for r in report.rejected]))
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
        *(run_iri(e) for e in parts.extractors if kinds_read(e) & kinds),
        *(f"{r.name} {r.sha256} {r.item} {r.parent} {json.dumps(dict(r.meta), sort_keys=True)}" for r in rows),
        *(repr(i) for i in catalog.items()),
        *(f"{source} {key}" for source, key in sorted(catalog.extraction_keys())),
        *(repr(replace(d, decided_at="")) for d in catalog.decisions.all()),
        *(repr(w) for w in identity.wishes(catalog)),
        parts.gazetteer.sha256 if parts.gazetteer else "",
    )


def rejected_record(r: Rejected) -> dict[str, object]:
    """What was turned away, as it is kept and listed."""
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
