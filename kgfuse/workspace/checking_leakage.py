"""Items of different splits that share a text, a picture or a group, or whose pictures are near duplicates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import networkx
import pyoxigraph as ox

from kgfuse.catalog import SourceRow
from kgfuse.graph.nodes import text
from kgfuse.terms.namespaces import source_iri
from kgfuse.workspace.checking_findings import Checked, Finding
from kgfuse.workspace.duplicates import NEAR_DUPLICATE
from kgfuse.workspace.parts import Parts

_REMEDY = "put both items into one split, or leave one of them out"


def across_splits(parts: Parts, checked: Checked) -> Iterator[Finding]:
    """Name what stands in more than one split."""
    yield from _duplicates(parts, checked)
    yield from _groups(parts)


def _groups(parts: Parts) -> Iterator[Finding]:
    """Every group with items in several splits, by its name, with one item of each."""
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for item in parts.catalog.items():
        if item.group is not None and item.split is not None:
            found[item.group].setdefault(item.split, item.identifier)
    for group, firsts in sorted(found.items()):
        if len(firsts) > 1:
            who = " and ".join(f"{identifier} ({split})" for split, identifier in sorted(firsts.items()))
            remedy = "put all items of the group into one split, or give them no group"
            yield Finding("group across splits", group, f"group {group!r} holds {who}", remedy)


def _duplicates(parts: Parts, checked: Checked) -> Iterator[Finding]:
    """Name every pair of sources that are duplicates across splits, each once, by their names.

    Texts are compared by content, pictures by content and by the near duplicates of the last build: all that are linked
    to one picture are alike.
    """
    split = {item.iri: item.split for item in parts.catalog.items() if item.split}
    rows = [row for row in parts.catalog.sources() if row.item in split and row.kind in ("text", "image")]
    checked["sources of items in splits"] = len(rows)
    found: dict[tuple[str, str], tuple[SourceRow, SourceRow, str]] = {}

    def note(a: SourceRow, b: SourceRow, why: str) -> None:
        a, b = sorted((a, b), key=lambda row: row.name)
        if split[a.item or ""] != split[b.item or ""]:
            found.setdefault((a.name, b.name), (a, b, why))

    def note_all(group: Sequence[SourceRow], why: str) -> None:
        firsts = {split[row.item or ""]: row for row in reversed(group)}
        for row in group:
            for first in firsts.values():
                note(row, first, why)

    same: defaultdict[str, list[SourceRow]] = defaultdict(list)
    for row in rows:
        same[row.text_sha256 or row.sha256].append(row)
    for group in same.values():
        note_all(group, "has the same content as")
    named = {source_iri(row.name): row for row in rows}
    links = parts.store.quads(p=ox.NamedNode(NEAR_DUPLICATE))
    alike = networkx.Graph((text(quad.subject), text(quad.object)) for quad in links)
    for iris in networkx.connected_components(alike):
        note_all([named[iri] for iri in sorted(iris) if iri in named], "looks like")
    for _, (a, b, why) in sorted(found.items()):
        what = f"{a.name} ({split[a.item or '']}) {why} {b.name} ({split[b.item or '']})"
        yield Finding("duplicate across splits", a.name, what, _REMEDY)
