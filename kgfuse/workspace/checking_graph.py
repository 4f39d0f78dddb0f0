"""Checks of what the graph says: every triple has its provenance, and what holds is exactly what somebody says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import pyoxigraph as ox

from kgfuse.catalog import SourceRow
from kgfuse.errors import KgfuseError
from kgfuse.graph import provenance_terms as prov
from kgfuse.graph.columns import Columns, Draft, differ, union
from kgfuse.graph.nodes import plain, stored_triple, text
from kgfuse.graph.provenance_lines import statement_iri
from kgfuse.graph.store import holds
from kgfuse.terms.namespaces import GRAPH_PREDICTED, GRAPH_PROVENANCE, KGF, ontology_graph, source_iri
from kgfuse.workspace import facts as graph_facts
from kgfuse.workspace.checking_findings import Checked, Finding, stale
from kgfuse.workspace.parts import Parts
from kgfuse.workspace.writing import structural

_SHOWN: Final = 20  # findings of one rule that are told one by one
_PROVENANCE: Final = ox.NamedNode(GRAPH_PROVENANCE)


def triples(parts: Parts, checked: Checked) -> Iterator[Finding]:
    """Every triple of a source is what its file or the catalog says, or has its statement node, and none is missing."""
    rows = parts.catalog.sources()
    unbuilt = any(stale(parts, row) for row in rows)
    for row in rows:
        if stale(parts, row):
            continue  # told by `sources`
        if row.kind == "rdf":
            yield from _imported(parts, row, checked)
        else:
            yield from _extracted(parts, row, checked, is_whole=not unbuilt)
    for pack in parts.packs:
        graph = ontology_graph(pack.name)
        if parts.catalog.get_state(f"graph:{graph}") == pack.sha256:  # else told by `graphs`
            yield from _same(parts, graph, [graph_facts.lines(pack.triples)], pack.name)


def _imported(parts: Parts, row: SourceRow, checked: Checked) -> Iterator[Finding]:
    """An RDF source says what its file says, read again."""
    try:
        path = parts.blobs.path(row.sha256)
    except KgfuseError:
        return  # told by `sources`
    try:
        lines = list(graph_facts.rdf_lines(path, row))
    except (SyntaxError, ValueError):
        lines = []  # it is a problem of its own, and says nothing
    checked["imported triples"] += parts.store.size(source_iri(row.name))
    yield from _same(parts, source_iri(row.name), lines, row.name)


def _same(parts: Parts, graph: str, lines: Iterable[bytes], name: str) -> Iterator[Finding]:
    draft = Draft(Columns.empty())
    said = draft.encode(b"".join(lines))
    found = draft.encode(_dump(parts, ox.NamedNode(graph)))
    for here, there, what in (
        (found, said, "stands in the graph, but its file does not say so"),
        (said, found, "is said by its file, but is not in the graph"),
    ):
        for line in draft.decode(differ(here, there).head(_SHOWN)).decode().splitlines():
            yield Finding("import", name, f"{line.removesuffix(' .')} {what}")


def _extracted(parts: Parts, row: SourceRow, checked: Checked, *, is_whole: bool) -> Iterator[Finding]:
    """A triple of another source has its statement node, or is what the catalog says of the item."""
    graph, store = source_iri(row.name), parts.store
    said = {stored_triple(t) for t in structural(parts, row)}
    nodes = {q.subject for q in store.quads(None, prov.IN_GRAPH, ox.NamedNode(graph), GRAPH_PROVENANCE)}
    for quad in store.quads(graph=graph):
        triple = quad.triple
        is_said = triple in said
        said.discard(triple)
        node = ox.NamedNode(_statement(graph, triple))
        if node in nodes:
            nodes.discard(node)
            checked["extracted triples"] += 1
            if not all(
                ox.Quad(node, part, term, _PROVENANCE) in store.raw
                for part, term in zip((prov.SUBJECT, prov.PREDICATE, prov.OBJECT), triple, strict=True)
            ):
                yield Finding("statement", node.value, f"does not state {triple}, whose node it is")
        elif is_said:
            checked["structural triples"] += 1
        elif is_whole:
            yield Finding("statement", row.name, f"{triple} has no statement node that says where it is from")
    for left in sorted(map(text, nodes)):
        yield Finding("statement", left, f"states a triple that {row.name} does not have")
    for triple in sorted(said, key=str) if is_whole else ():
        yield Finding("statement", row.name, f"{triple} is known to the catalog, but is not in the graph")


def _statement(graph: str, triple: ox.Triple) -> str:
    subject, value = plain(triple.subject), plain(triple.object)
    return statement_iri(graph, subject if isinstance(subject, str) else "", triple.predicate.value, value)


def default_graph(parts: Parts, checked: Checked) -> Iterator[Finding]:
    """The default graph is exactly what sources, ontologies and the closure say, and so are the columns."""
    draft = Draft(Columns.empty())
    named = {g: draft.encode(_dump(parts, ox.NamedNode(g))) for g in parts.store.graphs() if holds(g)}
    expected, found = union(named), draft.encode(_dump(parts, ox.DefaultGraph()))
    predicted = draft.encode(_dump(parts, ox.NamedNode(GRAPH_PREDICTED)))
    checked["triples that hold"] = len(found)
    columns = parts.store.columns
    mirrored = draft.encode(Draft(columns).decode(columns.edges) if len(columns.edges) else b"")
    orphans = differ(found, expected)
    unsaid = differ(orphans, predicted)
    for wrong, what in (
        (unsaid, "holds, but no source, ontology or rule says so"),
        (differ(orphans, unsaid), "holds, but is only predicted"),
        (differ(expected, found), "is said, but is not in the default graph"),
        (differ(mirrored, expected), "is in the columns, but no graph says so"),
        (differ(expected, mirrored), "is said, but is not in the columns"),
    ):
        for line in draft.decode(wrong.head(_SHOWN)).decode().splitlines():
            yield Finding("default graph", line.removesuffix(" ."), what)
        if len(wrong) > _SHOWN:
            yield Finding("default graph", "", f"{len(wrong) - _SHOWN:,} more: {what}")


def _dump(parts: Parts, graph: ox.NamedNode | ox.DefaultGraph) -> bytes:
    return parts.store.raw.dump(format=ox.RdfFormat.N_TRIPLES, from_graph=graph) or b""


def predictions(parts: Parts, checked: Checked) -> Iterator[Finding]:
    """What is predicted is about items that are there."""
    items = {item.iri for item in parts.catalog.items()}
    for quad in parts.store.quads(None, ox.NamedNode(KGF + "aboutItem"), None, GRAPH_PREDICTED):
        checked["predictions"] += 1
        if text(quad.object) not in items:
            yield Finding("prediction", text(quad.object), "an answer about an item that is gone", "classify again")
