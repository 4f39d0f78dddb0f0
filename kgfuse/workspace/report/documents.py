"""Texts with their entities marked and their statements as arrows, as one page that needs nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from kgfuse.terms.mentions import Mention, Statement, TextSpan
from kgfuse.workspace.documents import Document, node_label, spans_of
from kgfuse.workspace.report.highlight import Span, marked
from kgfuse.workspace.report.page import render, write

if TYPE_CHECKING:
    from kgfuse.ontology import Vocabulary

_COLOURS = 8


@dataclass(frozen=True, slots=True)
class Card:
    """A statement beside its text.

    Args:
        key: of its marks; subject and object add ``-s`` and ``-o``.
        subject, label, object: what it says, for people.
        property: prefixed name.
        confidence: 0 to 1.
        reason: why it was read so.
        quote: the sentence it stands in.
        extractor: who read it.
        rule, why: of the gate, where it was turned away.
    """

    key: str
    subject: str
    label: str
    property: str
    object: str
    confidence: float
    reason: str
    quote: str
    extractor: str
    rule: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A text ready to be shown."""

    name: str
    text: Markup
    cards: tuple[Card, ...]
    away: tuple[Card, ...]


def write_documents(documents: Sequence[Document], vocabulary: Vocabulary, path: Path) -> None:
    """Write the page, whole or not at all.

    Raises:
        WorkspaceError: it cannot be written.
    """
    import kgfuse

    colours = _colours(documents)
    sheets = [_sheet(n, d, vocabulary, colours) for n, d in enumerate(documents)]
    counts = Counter(c.property for s in sheets for c in s.cards)
    html = render(
        "documents.html",
        assets="documents",
        version=kgfuse.__version__,
        packs=vocabulary.packs,
        sheets=sheets,
        properties=sorted(counts.items(), key=lambda p: (-p[1], p[0])),
        classes=[(vocabulary.label(cls), number) for cls, number in colours.items()],
        away=sum(len(s.away) for s in sheets),
    )
    write(path, html)


def _colours(documents: Sequence[Document]) -> dict[str, int]:
    """A colour number for each class that is most frequent among the mentions; the others share the last one."""
    counts = Counter(m.types[0] for d in documents for m in d.mentions if m.types)
    frequent = sorted(counts, key=lambda c: (-counts[c], c))[: _COLOURS - 1]
    return {cls: n for n, cls in enumerate(frequent)}


def _sheet(number: int, document: Document, vocabulary: Vocabulary, colours: dict[str, int]) -> Sheet:
    cards = [_card(f"d{number}-a{n}", document, s, vocabulary) for n, s in enumerate(document.statements)]
    away = []
    for n, r in enumerate(document.rejected):
        card = _card(f"d{number}-r{n}", document, r.statement, vocabulary)
        away.append(Card(**{f: getattr(card, f) for f in Card.__slots__} | {"rule": r.rule, "why": r.reason}))  # type: ignore[attr-defined]
    spans = [s for m in document.mentions if (s := _mention_span(m, vocabulary, colours)) is not None]
    for key, statement in (
        *((c.key, s) for c, s in zip(cards, document.statements, strict=True)),
        *((c.key, r.statement) for c, r in zip(away, document.rejected, strict=True)),
    ):
        for role, place in spans_of(statement).items():
            if place is not None:
                spans.append(Span(place.start, place.end, f"{key}-{role[0]}", "said"))
    return Sheet(document.name, marked(document.text, spans), tuple(cards), tuple(away))


def _mention_span(mention: Mention, vocabulary: Vocabulary, colours: dict[str, int]) -> Span | None:
    place = mention.selector
    if not isinstance(place, TextSpan) or not mention.types:
        return None
    colour = colours.get(mention.types[0], _COLOURS - 1)
    title = ", ".join(vocabulary.label(t) for t in mention.types)
    return Span(place.start, place.end, "m", f"class c{colour}", title)


def _card(key: str, document: Document, statement: Statement, vocabulary: Vocabulary) -> Card:
    spans = [m.selector for m in statement.evidence if isinstance(m.selector, TextSpan)]
    widest = max(spans, key=lambda s: s.end - s.start, default=None)
    return Card(
        key,
        node_label(statement.subject, vocabulary),
        vocabulary.label(statement.predicate),
        vocabulary.shrink(statement.predicate),
        node_label(statement.object, vocabulary),
        statement.confidence,
        statement.reason,
        document.text[widest.start : widest.end] if widest else "",
        statement.extractor,
    )
