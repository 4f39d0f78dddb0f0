"""What was found in one text, transcript or picture that is read without a workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from kgfuse.terms.mentions import DocumentPlace, Region, SourceKind, TextSpan, Value

Spot: TypeAlias = TextSpan | Region
"""Characters of a text, or a box of a picture."""


@dataclass(frozen=True, slots=True)
class Place:
    """Something that is named or shown.

    Args:
        at: where; of characters, ``text[start:end] == exact``.
        label: its normalised name.
        iri: what it was resolved to; empty where no statement needed it.
        types: class IRIs.
        extractors: who found it.
        confidence: 0 to 1.
    """

    at: Spot
    label: str
    iri: str
    types: tuple[str, ...]
    extractors: tuple[str, ...]
    confidence: float


@dataclass(frozen=True, slots=True)
class End:
    """Subject or object of a statement: an IRI or a literal, and where it stands, as far as that is known."""

    label: str
    iri: str = ""
    value: Value | None = None
    at: Spot | None = None


@dataclass(frozen=True, slots=True)
class Stated:
    """A statement that is made; with ``rule`` and ``why`` one that was turned away.

    Args:
        subject, object: its ends.
        property: IRI.
        confidence: 0 to 1; the highest where several extractors found it in the same place.
        extractors: who found it.
        reason: for people.
        evidence: the words or boxes it rests on, in reading order.
        rule: of the gate that turned it away; empty where it holds.
        why: the gate's sentence for people.
    """

    subject: End
    property: str
    object: End
    confidence: float
    extractors: tuple[str, ...]
    reason: str
    evidence: tuple[Spot, ...]
    rule: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """All that was found in one source; ``problem`` says why nothing was.

    Args:
        name: of the source.
        text: as it is stored, or the transcript; empty for pictures.
        places: what is named or shown.
        statements: those that hold.
        rejected: those that the gate turned away.
        problem: one sentence.
        kind: what the source is.
        media_type: of the file.
        path: of its bytes, where they lie in a file.
        where: where characters stand in the file (page and box, element, seconds), by the text's spans.
    """

    name: str
    text: str
    places: tuple[Place, ...] = ()
    statements: tuple[Stated, ...] = ()
    rejected: tuple[Stated, ...] = ()
    problem: str = ""
    kind: SourceKind = "text"
    media_type: str = "text/plain"
    path: Path | None = None
    where: Mapping[TextSpan, DocumentPlace] = field(default_factory=dict)

    @property
    def spots(self) -> frozenset[Spot]:
        """All places in the source that anything was found at."""
        stated = [*self.statements, *self.rejected]
        ends = [end.at for s in stated for end in (s.subject, s.object) if end.at is not None]
        return frozenset((*(p.at for p in self.places), *ends, *(spot for s in stated for spot in s.evidence)))

    def whereabouts(self, stated: Stated) -> str:
        """Where a statement stands, in words: characters, then page, element or seconds; or a box.

        >>> end = End("owl", at=Region(10, 20, 30, 40))
        >>> Document("a.png", "").whereabouts(Stated(End("a.png"), "p", end, 1.0, (), "", (Region(10, 20, 30, 40),)))
        '10,20 30×40 px'
        """
        spots = [end.at for end in (stated.subject, stated.object) if end.at is not None] or list(stated.evidence)
        spans = sorted((s for s in spots if isinstance(s, TextSpan)), key=reading_order)
        boxes = [f"{s.x},{s.y} {s.w}×{s.h} px" for s in dict.fromkeys(spots) if isinstance(s, Region)]
        if not spans:
            more = f" and {len(boxes) - 1} more" if len(boxes) > 1 else ""
            return f"{boxes[0]}{more}" if boxes else ""
        characters = f"{spans[0].start}–{max(s.end for s in spans)}"
        places = [place for span in spans if (place := self.where.get(span)) is not None]
        times = [place.time for place in places if place.time is not None]
        if times:
            whole = DocumentPlace(time=(min(a for a, _ in times), max(b for _, b in times)))
            return f"{characters} ({whole.words})"
        return f"{characters} ({places[0].words})" if places and places[0].words else characters


def reading_order(spot: Spot) -> tuple[int, int, int, int]:
    """Key that sorts characters by their offsets, boxes from top to bottom."""
    return (spot.start, spot.end, 0, 0) if isinstance(spot, TextSpan) else (spot.y, spot.x, spot.h, spot.w)


def extent(spot: Spot) -> int:
    """Characters, or pixels."""
    return spot.end - spot.start if isinstance(spot, TextSpan) else spot.w * spot.h
