"""Statements of the graph beside what they were read from: document pages, texts, table rows, pictures, recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from kgfuse.encode.preprocess_text import sentences
from kgfuse.explain.chain import Evidence, Place
from kgfuse.extract.image.likeness import PERCEPTUAL_HASH
from kgfuse.graph.records import MentionRecord, StatementRecord
from kgfuse.terms.mentions import Region, TextSpan, Value
from kgfuse.workspace.report.chains import (
    Line,
    MarkedPicture,
    MarkedText,
    Signed,
    document_pages,
    heard,
    in_places,
    marked_pictures,
    marked_texts,
)
from kgfuse.workspace.report.recordings import Clip
from kgfuse.workspace.report.sources import named_originals
from kgfuse.workspace.whereabouts import place_of

if TYPE_CHECKING:
    from kgfuse.workspace.workspace import Workspace

_NONE: Final = Signed("", 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Stated:
    """What one source states; the numbers of the lines are those of the boxes."""

    key: str
    source: str
    lines: tuple[Line, ...]
    texts: tuple[MarkedText, ...]
    pictures: tuple[MarkedPicture, ...]
    clips: tuple[Clip, ...]


def by_source(ws: Workspace, statements: Sequence[StatementRecord]) -> list[Stated]:
    """Statements by the source that makes them, in the order given; those without a place, and hashes, are left out."""
    groups: dict[str, list[Evidence]] = {}
    for statement in statements:
        evidence = _evidence(ws, statement)
        if evidence.places and statement.predicate != PERCEPTUAL_HASH:
            groups.setdefault(evidence.places[0].source, []).append(evidence)
    return [_stated(ws, f"s{n}", name, group) for n, (name, group) in enumerate(groups.items(), 1)]


def _stated(ws: Workspace, key: str, name: str, group: Sequence[Evidence]) -> Stated:
    lines = tuple(
        Line(n, f"{key}-e{n}", True, _NONE, evidence, where=in_places(evidence.places))
        for n, evidence in enumerate(group, 1)
    )
    found = named_originals(ws, {p.source for e in group for p in e.places}, name)
    pictures = (*document_pages(ws, lines), *marked_pictures(lines, found))
    return Stated(key, name, lines, marked_texts(lines, found), pictures, tuple(heard(ws, lines)))


def _evidence(ws: Workspace, statement: StatementRecord) -> Evidence:
    value = statement.object
    said = value.lexical if isinstance(value, Value) else ws.graph.label(value)
    words = f"{ws.graph.label(statement.subject)} · {ws.graph.label(statement.predicate)} · {said}"
    places = [p for m in statement.mentions if (p := _place(ws, m)) is not None]
    return Evidence(
        subject=statement.subject,
        predicate=statement.predicate,
        object=str(value),
        text=words,
        effect=0.0,
        follows=(),
        confidence=statement.confidence,
        extractor=", ".join(statement.extractors),
        reason=statement.reason,
        places=tuple(places),
    )


def _place(ws: Workspace, mention: MentionRecord) -> Place | None:
    """Where a mention stands, with its sentence, or the row of its cell."""
    row = ws._parts.catalog.source(mention.file_name)
    selector = mention.selector
    if row is None:
        return None
    if isinstance(selector, Region):
        return Place(row.name, "image", box=(selector.x, selector.y, selector.w, selector.h), sha256=row.sha256)
    if not isinstance(selector, TextSpan) or not row.text_sha256:
        return None
    text = ws._parts.blobs.read_text(row.text_sha256)
    if row.kind == "table":
        start = text.rfind("\n", 0, selector.start) + 1
        context = text[start:].partition("\n")[0]
    else:
        here = (selector.start, selector.end, selector.exact)
        start, _, context = next((s for s in sentences(text) if s[0] <= selector.start < s[1]), here)
    where = place_of(ws._parts.blobs, row, selector.start, selector.end)
    at = (selector.start, selector.end, selector.exact)
    spot = Place(row.name, "text", *at, context_start=start, context=context)
    return replace(spot, page=where.page, where=where.words, seconds=where.time)
