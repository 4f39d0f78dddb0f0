"""Texts with what was extracted from them, as one page: marked mentions, arrows, reasons, filters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from markupsafe import Markup, escape

from kgfuse.workspace.report.highlight import Span, pieces

if TYPE_CHECKING:
    from kgfuse.extract.documents import Document, Place, Stated
    from kgfuse.ontology import Vocabulary
    from kgfuse.terms.mentions import TextSpan

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
    """One text of the page: blocks of marked characters (paragraphs), and its statements."""

    key: str
    name: str
    blocks: tuple[Markup, ...]
    lines: tuple[Line, ...]
    problem: str


def write_extracted(documents: Sequence[Document], vocabulary: Vocabulary, path: Path) -> None:
    """Write documents with what was found in them as a page that loads nothing from elsewhere.

    Args:
        documents: from :class:`kgfuse.extract.documents.Reader`.
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
    marks = {(p.start, p.end): f"{key}m{n}" for n, p in enumerate(document.places)}
    spans = []
    for place in document.places:
        cls = _class(place, vocabulary)
        kind = kinds[cls]
        spans.append(Span(place.start, place.end, marks[place.start, place.end], kind.key, _title(place, kind)))
    lines: list[Line] = []
    for stated in (*document.statements, *document.rejected):
        ends = []
        for end in (stated.subject, stated.object):
            if end.span is not None and (end.span.start, end.span.end) not in marks:
                at = end.span.start, end.span.end
                marks[at] = f"{key}m{len(marks)}"
                spans.append(Span(*at, marks[at], "k", "value" if end.value else end.label))
            ends.append(marks[end.span.start, end.span.end] if end.span else "")
        evidence = []
        for n, span in enumerate(stated.evidence):
            if (span.start, span.end) not in marks:
                evidence.append(f"{key}e{len(lines)}-{n}")
                spans.append(Span(span.start, span.end, evidence[-1], "evidence"))
        lines.append(_line(stated, f"{key}s{len(lines)}", ends, evidence, vocabulary, document))
    hues = {k.key: k.hue for k in kinds.values()}
    blocks = tuple(_block(document.text, a, b, spans, hues) for a, b in _paragraphs(document.text))
    return Shown(key, document.name, blocks, tuple(lines), document.problem)


def _title(place: Place, kind: Kind) -> str:
    name = f" = {place.label}" if place.label != place.exact else ""
    return f"{place.exact}{name}: {kind.label} ({', '.join(place.extractors)}, {place.confidence:.2f})"


def _line(
    stated: Stated, key: str, ends: Sequence[str], evidence: Sequence[str], vocabulary: Vocabulary, document: Document
) -> Line:
    spans = [e.span for e in (stated.subject, stated.object) if e.span is not None]
    quotes = tuple(q for q in map(_quote, stated.evidence) if q)
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
        where=f"{min(s.start for s in spans)}–{max(s.end for s in spans)}" if spans else "",
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
