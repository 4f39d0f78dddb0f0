"""``check``: proves that nothing stands in the graph without provenance, and that all that is cited is there.

Everything is read from the store itself, never from the columns that are kept beside it, which are checked too.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pyoxigraph as ox

from kgfuse.catalog import SourceRow
from kgfuse.errors import KgfuseError
from kgfuse.graph import provenance as prov
from kgfuse.graph.columns import Columns, Draft, differ, union
from kgfuse.graph.nodes import plain, text
from kgfuse.graph.provenance import statement_iri
from kgfuse.graph.store import holds
from kgfuse.reason.shapes import Violation, validate
from kgfuse.terms.mentions import Region, TextSpan, TimeSpan
from kgfuse.terms.namespaces import GRAPH_PREDICTED, GRAPH_PROVENANCE, KGF, source_iri
from kgfuse.workspace.build import structural
from kgfuse.workspace.checking_shapes import provenance_violations, read_shapes
from kgfuse.workspace.parts import OnEvent, Parts, silent

_SHOWN: Final = 20  # findings of one rule that are told one by one
_REBUILD: Final = "remove its source and add it again, or build the workspace again from its sources"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it must be.

    Args:
        rule: short name of what is broken.
        where: the source, statement or mention.
        what: for people.
        remedy: what to do.
    """

    rule: str
    where: str
    what: str
    remedy: str = _REBUILD


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was checked, and what was found.

    Args:
        checked: how many of each were looked at.
        findings: broken provenance; none in a healthy workspace.
        violations: of the packs' and the user's shapes: about the knowledge, not about its provenance.
    """

    checked: dict[str, int]
    findings: tuple[Finding, ...]
    violations: tuple[Violation, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "checked": self.checked,
            "findings": [asdict(f) for f in self.findings],
            "violations": [v.to_dict() for v in self.violations],
        }


def check(parts: Parts, shapes: Sequence[str | Path] = (), on_event: OnEvent = silent) -> CheckReport:
    """Check the whole workspace; only reads.

    Args:
        parts: the workspace.
        shapes: files of SHACL shapes, beside those of the packs.
        on_event: told about progress.

    Raises:
        PackError: a shapes file cannot be read; names file and line.
    """
    own = [read_shapes(Path(path)) for path in shapes]
    checked: dict[str, int] = defaultdict(int)
    findings: list[Finding] = []
    steps = (_sources, _triples, _default_graph, _mentions, _orphans, _shapes_of_provenance)
    for n, step in enumerate(steps):
        on_event("check", n, len(steps) + 1, step.__name__.strip("_").replace("_", " "))
        findings += step(parts, checked)
    on_event("check", len(steps), len(steps) + 1, "shapes")
    packs = [pack.shapes for pack in parts.packs if pack.shapes is not None]
    violations = validate(parts.store, [*packs, *own])
    on_event("check", len(steps) + 1, len(steps) + 1, "")
    return CheckReport(dict(checked), tuple(findings), tuple(violations))


def _sources(parts: Parts, checked: dict[str, int]) -> Iterator[Finding]:
    """Every source has its bytes, with the hash that the catalog says, a time, and its graph if it was built."""
    marks = {key.removeprefix("graph:") for key in parts.catalog.states("graph:")}
    present = {graph for graph in parts.store.graphs() if holds(graph)}
    for row in parts.catalog.sources():
        checked["sources"] += 1
        for sha in filter(None, (row.sha256, row.text_sha256)):
            try:
                found = hashlib.sha256(parts.blobs.read_bytes(sha)).hexdigest()
            except KgfuseError as e:
                yield Finding("content", row.name, f"its content is lost: {e.what}", "add the file again")
                continue
            if found != sha:
                yield Finding("content", row.name, f"its content was changed: SHA-256 is {found}", "add the file again")
        if not row.added_at:
            yield Finding("time", row.name, "nothing says when it was added", "add the file again")
        marks.discard(source_iri(row.name))
    inferred = {KGF + "inferred"}
    packs = {graph for graph in marks if graph in present}
    for graph in sorted(marks - packs):
        yield Finding("graph", graph, "the catalog knows a graph that the store does not have", "run `kgfuse build`")
    known = {source_iri(row.name) for row in parts.catalog.sources()}
    for graph in sorted(present - packs - known - inferred):
        yield Finding("graph", graph, "the store has a graph that no source and no ontology accounts for")


def _triples(parts: Parts, checked: dict[str, int]) -> Iterator[Finding]:
    """Every triple of a source is imported, structural, or has its statement node; every statement has its triple."""
    nodes: dict[str, set[str]] = defaultdict(set)
    for quad in parts.store.quads(None, prov.IN_GRAPH, None, GRAPH_PROVENANCE):
        nodes[text(quad.object)].add(text(quad.subject))
    for row in parts.catalog.sources():
        graph = source_iri(row.name)
        if row.kind == "rdf":
            checked["imported triples"] += parts.store.size(graph)
            continue
        said = set(structural(parts, row))
        expected = nodes.pop(graph, set())
        for quad in parts.store.quads(graph=graph):
            iri = _statement(graph, quad.triple)
            if iri in expected:
                expected.discard(iri)
                checked["extracted triples"] += 1
            elif quad.triple in said:
                checked["structural triples"] += 1
            else:
                yield Finding("statement", row.name, f"{quad.triple} has no statement node that says where it is from")
        for iri in sorted(expected):
            yield Finding("statement", iri, f"states a triple that {row.name} does not have")
    for graph in sorted(nodes):
        yield Finding("statement", graph, f"{len(nodes[graph])} statement nodes speak of a source that is gone")


def _statement(graph: str, triple: ox.Triple) -> str:
    subject, value = plain(triple.subject), plain(triple.object)
    return statement_iri(graph, subject if isinstance(subject, str) else "", triple.predicate.value, value)


def _default_graph(parts: Parts, checked: dict[str, int]) -> Iterator[Finding]:
    """The default graph is exactly what sources, ontologies and the closure say, and so are the columns."""
    raw, draft = parts.store.raw, Draft(Columns.empty())

    def rows(graph: ox.NamedNode | ox.DefaultGraph) -> Any:
        return draft.encode(raw.dump(format=ox.RdfFormat.N_TRIPLES, from_graph=graph) or b"")

    named = {g: rows(ox.NamedNode(g)) for g in parts.store.graphs() if holds(g)}
    expected, found = union(named), rows(ox.DefaultGraph())
    checked["triples that hold"] = len(found)
    columns = parts.store.columns
    mirrored = draft.encode(b"")
    if len(columns.edges):
        mirrored = draft.encode(Draft(columns).decode(columns.edges))
    for here, there, what in (
        (found, expected, "holds, but no source, ontology or rule says so"),
        (expected, found, "is said, but is not in the default graph"),
        (mirrored, expected, "is in the columns, but no graph says so"),
        (expected, mirrored, "is said, but is not in the columns"),
    ):
        wrong = differ(here, there)
        for line in draft.decode(wrong.head(_SHOWN)).decode().splitlines():
            yield Finding("default graph", line.removesuffix(" ."), what)
        if len(wrong) > _SHOWN:
            yield Finding("default graph", "", f"{len(wrong) - _SHOWN:,} more: {what}")


def _mentions(parts: Parts, checked: dict[str, int]) -> Iterator[Finding]:
    """Characters are those of the stored text, boxes lie inside their picture, times are in order."""
    from kgfuse.graph.records import mention_record

    rows = {source_iri(row.name): row for row in parts.catalog.sources()}
    texts: dict[str, str | None] = {}
    sizes: dict[str, tuple[int, int] | None] = {}
    for quad in parts.store.quads(None, prov.HAS_SOURCE, None, GRAPH_PROVENANCE):
        iri, source = text(quad.subject), text(quad.object)
        checked["mentions"] += 1
        record, row = mention_record(parts.store, iri), rows.get(source)
        if record is None or row is None:
            yield Finding("mention", iri, "has no place" if record is None else f"is in {source}, which is gone")
            continue
        place = record.selector
        if isinstance(place, TextSpan):
            stored = texts.setdefault(source, _text(parts, row))
            if stored is None or place.start < 0 or stored[place.start : place.end] != place.exact:
                yield Finding("characters", f"{row.name}:{place.start}", f"not {place.exact!r} there, as {iri} says")
        elif isinstance(place, Region):
            if source not in sizes:
                sizes[source] = _size(parts, row)
            size = sizes[source]
            inside = size and place.x >= 0 and place.y >= 0 and place.x + place.w <= size[0]
            if not size or not inside or place.y + place.h > size[1]:
                yield Finding("box", row.name, f"{place} is not inside the picture of {size}, as {iri} says")
        elif isinstance(place, TimeSpan) and not 0 <= place.start <= place.end:
            yield Finding("time span", row.name, f"{place} is not in order, as {iri} says")


def _text(parts: Parts, row: SourceRow) -> str | None:
    try:
        return parts.blobs.read_text(row.text_sha256) if row.text_sha256 else None
    except KgfuseError:  # told by _sources
        return None


def _size(parts: Parts, row: SourceRow) -> tuple[int, int] | None:
    from kgfuse.encode.preprocess_image import open_image

    try:
        size: tuple[int, int] = open_image(parts.blobs.path(row.sha256)).size
    except KgfuseError:
        return None
    return size


def _orphans(parts: Parts, checked: dict[str, int]) -> Iterator[Finding]:
    """Mentions, runs and predictions belong to something that is there."""
    store = parts.store
    used = {
        text(q.object)
        for predicate in (prov.DERIVED_FROM, prov.GENERATED_BY)
        for q in store.quads(None, predicate, None, GRAPH_PROVENANCE)
    }
    for kind in ("Mention", "Run"):
        for quad in store.quads(None, prov.TYPE, ox.NamedNode(KGF + kind), GRAPH_PROVENANCE):
            checked["runs"] += kind == "Run"
            if text(quad.subject) not in used:
                yield Finding("orphan", text(quad.subject), f"a {kind.lower()} that no statement refers to")
    items = {item.iri for item in parts.catalog.items()}
    for quad in store.quads(None, ox.NamedNode(KGF + "aboutItem"), None, GRAPH_PREDICTED):
        checked["predictions"] += 1
        if text(quad.object) not in items:
            yield Finding("prediction", text(quad.object), "an answer about an item that is gone", "classify again")


def _shapes_of_provenance(parts: Parts, checked: dict[str, int]) -> Iterator[Finding]:
    """The provenance conforms to its SHACL shapes."""
    for node, message in provenance_violations(parts.store, checked):
        yield Finding("provenance shape", node, message)
