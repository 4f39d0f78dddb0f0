"""Texts, pictures and recordings with what was extracted from them, as one page: marks, arrows, reasons, filters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from markupsafe import Markup, escape

from kgfuse.terms.mentions import Region, TextSpan
from kgfuse.workspace.report.extracted_media import Box, boxed, heard
from kgfuse.workspace.report.highlight import Span, pieces

if TYPE_CHECKING:
    from kgfuse.extract.document import Document, Place, Spot, Stated
    from kgfuse.ontology import Vocabulary
    from kgfuse.workspace.report.pictures import Picture
    from kgfuse.workspace.report.recordings import Clip

HUES: Final = 12
_BLOCK: Final = 4000
_LONGEST: Final = 600  # characters of an evidence quote


@dataclass(frozen=True, slots=True)
class Kind:
    """A class of mentions, as the legend shows it; ``hue`` is the number of its colour, 0 for none."""

    key: str
    label: str
    hue: int
    count: int


@dataclass(frozen=True, slots=True)
class Line:
    """A statement of the list: keys of the marks that it leads from and to, and all that people read of it."""

    key: str
    source: str
    target: str
    kind: str
    subject: str
    property: str
    object: str
    confidence: float
    by: str
    reason: str
    why: str
    quotes: tuple[str, ...]
    evidence: str
    where: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One source of the page: blocks of marked characters (paragraphs), or a picture with boxes, and its statements.

    Of a recording ``clips`` are what its statements rest on.
    """

    key: str
    name: str
    blocks: tuple[Markup, ...]
    lines: tuple[Line, ...]
    problem: str
    picture: Picture | None = None
    boxes: tuple[Box, ...] = ()
    clips: tuple[Clip, ...] = ()


def write_extracted(documents: Sequence[Document], vocabulary: Vocabulary, path: Path) -> None:
    """Write documents with what was found in them as a page that loads nothing from elsewhere.

    Args:
        documents: from :class:`kgfuse.extract.documents.Reader`; their files are still there.
        vocabulary: names of classes and properties.
        path: of the page; written whole or not at all.

    Raises:
        WorkspaceError: it cannot be written.
    """
    import kgfuse
    from kgfuse.workspace.report.page import render, write

    kinds = _kinds(documents, vocabulary)
    shown = [_shown(d, n, kinds, vocabulary) for n, d in enumerate(documents, 1)]
    lines = [line for d in shown for line in d.lines]
    properties = Counter(line.property for line in lines)
    html = render(
        "extracted.html",
        own="extracted",
        version=kgfuse.__version__,
        packs=[p for p in vocabulary.packs if p.name != "general"] or vocabulary.packs,
        documents=shown,
        kinds=[k for k in kinds.values() if k.count],
        properties=sorted(properties.items(), key=lambda p: (-p[1], p[0])),
        holding=sum(not line.why for line in lines),
        away=sum(bool(line.why) for line in lines),
    )
    write(path, html)


def _kinds(documents: Iterable[Document], vocabulary: Vocabulary) -> dict[str, Kind]:
    """Classes by IRI, most frequent first; beyond the palette, colours are used again."""
    counts = Counter(_class(p, vocabulary) for d in documents for p in d.places)
    order = sorted((c for c in counts if c), key=lambda c: (-counts[c], c))
    kinds = {c: Kind(f"k{n}", vocabulary.label(c), n % HUES + 1, counts[c]) for n, c in enumerate(order)}
    return {**kinds, "": Kind("k", "no class known", 0, counts[""])}


def _class(place: Place, vocabulary: Vocabulary) -> str:
    """The most special class of a mention; of several, the first by IRI."""
    types = [t for t in place.types if not any(t != o and t in vocabulary.ancestors(o) for o in place.types)]
    if types:
        return types[0]
    return place.iri if place.iri in vocabulary.classes else ""


def _shown(document: Document, number: int, kinds: dict[str, Kind], vocabulary: Vocabulary) -> Shown:
    key = f"d{number}"
    marks = {p.at: f"{key}m{n}" for n, p in enumerate(document.places)}
    found: list[tuple[Spot, str, str, str]] = []
    for place in document.places:
        kind = kinds[_class(place, vocabulary)]
        found.append((place.at, marks[place.at], kind.key, _title(place, kind)))
    lines: list[Line] = []
    for stated in (*document.statements, *document.rejected):
        ends = []
        for end in (stated.subject, stated.object):
            if end.at is not None and end.at not in marks:
                marks[end.at] = f"{key}m{len(marks)}"
                found.append((end.at, marks[end.at], "k", "value" if end.value else end.label))
            ends.append(marks[end.at] if end.at else "")
        evidence = []
        for n, spot in enumerate(stated.evidence):
            if spot not in marks:
                evidence.append(f"{key}e{len(lines)}-{n}")
                found.append((spot, evidence[-1], "evidence", ""))
            elif isinstance(spot, Region) and marks[spot] not in ends:
                evidence.append(marks[spot])
        lines.append(_line(stated, f"{key}s{len(lines)}", ends, evidence, vocabulary, document))
    hues = {k.key: k.hue for k in kinds.values()}
    spans = [Span(spot.start, spot.end, *rest) for spot, *rest in found if isinstance(spot, TextSpan)]
    blocks = tuple(_block(document.text, a, b, spans, hues) for a, b in _paragraphs(document.text))
    shown = Shown(key, document.name, blocks, tuple(lines), document.problem, clips=tuple(heard(document)))
    if document.kind != "image":
        return shown
    boxes = [Box(spot, k, kind, title, hues.get(kind, 0)) for spot, k, kind, title in found if isinstance(spot, Region)]
    picture, within = boxed(document, boxes)
    return replace(shown, picture=picture, boxes=within)


def _title(place: Place, kind: Kind) -> str:
    exact = place.at.exact if isinstance(place.at, TextSpan) else place.label
    name = f" = {place.label}" if place.label != exact else ""
    return f"{exact}{name}: {kind.label} ({', '.join(place.extractors)}, {place.confidence:.2f})"


def _line(
    stated: Stated, key: str, ends: Sequence[str], evidence: Sequence[str], vocabulary: Vocabulary, document: Document
) -> Line:
    quotes = tuple(q for spot in stated.evidence if isinstance(spot, TextSpan) and (q := _quote(spot)))
    longest = tuple(sorted(quotes, key=len)[-1:]) if len(quotes) > 1 else quotes
    return Line(
        key=key,
        source=ends[0],
        target=ends[1],
        kind="away" if stated.rule else "holds",
        subject=stated.subject.label,
        property=vocabulary.label(stated.property),
        object=stated.object.label,
        confidence=stated.confidence,
        by=", ".join(stated.extractors),
        reason=stated.reason,
        why=f"{stated.rule}: {stated.why}" if stated.rule else "",
        quotes=longest,
        evidence=" ".join(evidence),
        where=document.whereabouts(stated),
    )


def _quote(span: TextSpan) -> str:
    return span.exact if len(span.exact) <= _LONGEST else span.exact[: _LONGEST - 1] + "…"


def _paragraphs(text: str) -> list[tuple[int, int]]:
    """Edges of paragraphs and of the blank lines between them; together they are the text.

    A paragraph of many lines is cut between lines: the page draws the arrows of one block at a time.
    """
    found: list[tuple[int, int]] = []
    start = end = 0
    was_blank = False
    for line in text.splitlines(keepends=True):
        is_blank = not line.strip()
        if start < end and (is_blank != was_blank or end - start > _BLOCK):
            found.append((start, end))
            start = end
        end, was_blank = end + len(line), is_blank
    return [*found, (start, end)] if start < end else found


def _block(text: str, start: int, end: int, spans: Iterable[Span], hues: dict[str, int]) -> Markup:
    """HTML of a paragraph; without its tags it is the text.

    The innermost mention colours a piece, those around it underline it.
    """
    here = [
        Span(s.start - start, s.end - start, s.key, s.kind, s.title) for s in spans if s.start < end and s.end > start
    ]
    found = []
    for piece in pieces(end - start, here):
        inner = escape(text[start + piece.start : start + piece.end])
        marks = sorted((s for s in piece.spans if s.kind != "evidence"), key=lambda s: (s.end - s.start, s.start))
        keys = " ".join(dict.fromkeys(s.key for s in piece.spans))
        if marks:
            nested = " nested" if len(marks) > 1 else ""
            inner = Markup('<mark class="h{}{}" data-kind="{}" data-k="{}" title="{}">{}</mark>').format(
                hues[marks[0].kind], nested, marks[0].kind, keys, "; ".join(s.title for s in marks), inner
            )
        elif piece.spans:
            inner = Markup('<span data-k="{}">{}</span>').format(keys, inner)
        found.append(inner)
    return Markup("").join(found)
