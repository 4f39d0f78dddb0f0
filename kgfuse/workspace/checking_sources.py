"""Checks of what the graph rests on: bytes, named graphs, and every place that a mention names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pyoxigraph as ox

from kgfuse.catalog import SourceRow
from kgfuse.errors import KgfuseError
from kgfuse.graph import provenance_terms as prov
from kgfuse.graph.nodes import text
from kgfuse.graph.records import mention_record
from kgfuse.graph.store import holds
from kgfuse.terms.mentions import Region, Selector, TextSpan, TimeSpan
from kgfuse.terms.namespaces import (
    GRAPH_INFERRED,
    GRAPH_PROVENANCE,
    KGF,
    MENTION,
    digest,
    ontology_graph,
    source_iri,
)
from kgfuse.workspace.checking_findings import BUILD, Checked, Finding, stale
from kgfuse.workspace.parts import Parts


def sources(parts: Parts, checked: Checked) -> Iterator[Finding]:
    """Every source has its bytes, with the hash that the catalog says, and a time; the graph knows it as it is."""
    for row in parts.catalog.sources():
        checked["sources"] += 1
        for sha in dict.fromkeys(filter(None, (row.sha256, row.text_sha256))):
            checked["files"] += 1
            found = _hash(parts, sha)
            if not found:
                yield Finding("content", row.name, f"its content is lost: {sha}", "add the file again")
            elif found != sha:
                yield Finding("content", row.name, f"its content was changed: SHA-256 is {found}", "add the file again")
        if not row.added_at:
            yield Finding("time", row.name, "nothing says when it was added", "add the file again")
        if stale(parts, row):
            yield Finding("not built", row.name, "was added or changed since the last build", BUILD)


def graphs(parts: Parts, checked: Checked) -> Iterator[Finding]:
    """Every graph is of a source or an ontology that is there, and was written to its end."""
    present = {graph for graph in parts.store.graphs() if holds(graph)}
    known = {source_iri(row.name) for row in parts.catalog.sources()}
    packs = {ontology_graph(pack.name): pack for pack in parts.packs}
    marks = {key.removeprefix("graph:"): mark for key, mark in parts.catalog.states("graph:").items()}
    checked["graphs"] = len(present)
    for graph in sorted(present - known - packs.keys() - {GRAPH_INFERRED}):
        yield Finding("graph", graph, "the store has a graph that no source and no ontology accounts for")
    for graph in sorted((present & (known | packs.keys())) - marks.keys()):
        yield Finding("graph", graph, "the catalog does not know that this graph was written", BUILD)
    for graph, mark in marks.items():
        if graph not in known and graph not in packs:
            yield Finding("graph", graph, "the catalog knows a graph whose source is gone", BUILD)
        elif not mark:
            yield Finding("graph", graph, "was not written to its end", BUILD)
        elif graph in packs and mark != packs[graph].sha256:
            yield Finding("not built", graph, "the ontology was changed since the last build", BUILD)
    described = parts.store.quads(None, prov.TYPE, ox.NamedNode(KGF + "Source"), GRAPH_PROVENANCE)
    for iri in sorted({text(quad.subject) for quad in described} - known):
        yield Finding("graph", iri, "the provenance describes a source that is gone")


def mentions(parts: Parts, checked: Checked) -> Iterator[Finding]:
    """Characters are those of the stored text, boxes lie inside their picture, times are in order.

    One source at a time, so that one text is in memory.
    """
    for row in parts.catalog.sources():
        if stale(parts, row):
            continue  # told by `sources`; the places are those of the bytes before
        source, told = source_iri(row.name), _Told(parts, row)
        for quad in parts.store.quads(None, prov.HAS_SOURCE, ox.NamedNode(source), GRAPH_PROVENANCE):
            checked["mentions"] += 1
            iri = text(quad.subject)
            record = mention_record(parts.store, iri)
            if record is None:
                continue  # told by the shapes
            wrong = told.wrong(record.selector)
            if wrong:
                yield Finding(wrong[0], row.name, f"{wrong[1]}, as {iri} says")
            elif not isinstance(record.selector, TimeSpan) and iri != MENTION + digest(source, repr(record.selector)):
                yield Finding("mention", iri, f"its IRI is not that of its place in {row.name}")


class _Told:
    """What a source says of places in it; read when first asked."""

    def __init__(self, parts: Parts, row: SourceRow) -> None:
        self._parts, self._row = parts, row
        self._text: str | None = None
        self._size: tuple[int, int] | None = None

    def wrong(self, place: Selector) -> tuple[str, str] | None:
        """The rule that a place breaks, and how."""
        try:
            if isinstance(place, TextSpan):
                return self._characters(place)
            if isinstance(place, Region):
                return self._box(place)
        except KgfuseError as e:
            return "content", f"{place} cannot be looked up: {e.what}"
        return None if 0 <= place.start <= place.end else ("time span", f"{place} is not in order")

    def _characters(self, place: TextSpan) -> tuple[str, str] | None:
        if self._text is None:
            if not self._row.text_sha256:
                return "characters", f"{place} is in a source that has no text"
            self._text = self._parts.blobs.read_text(self._row.text_sha256)
        if 0 <= place.start < place.end and self._text[place.start : place.end] == place.exact:
            return None
        there = self._text[place.start : place.end] if place.start >= 0 else ""
        return "characters", f"at {place.start}–{place.end} stands {there!r}, not {place.exact!r}"

    def _box(self, place: Region) -> tuple[str, str] | None:
        if self._size is None:
            from kgfuse.encode.preprocess_image import open_image

            self._size = open_image(self._parts.blobs.path(self._row.sha256)).size
        width, height = self._size
        if min(place.x, place.y) >= 0 and place.x + place.w <= width and place.y + place.h <= height:
            return None
        return "box", f"{place} is not inside the picture of {width} × {height}"


def _hash(parts: Parts, sha: str) -> str:
    """SHA-256 of a blob as it is now; empty where it is lost."""
    try:
        with parts.blobs.path(sha).open("rb") as f:
            return hashlib.file_digest(f, "sha256").hexdigest()
    except (KgfuseError, OSError):
        return ""
