"""What crosses the boundary between extraction and the graph: sources, mentions and statements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from kgfuse.terms.namespaces import MENTION, XSD, digest

REVIEW: Final = "review"
"""What a person accepted or corrected carries this in place of an extractor's name; nothing turns it away."""
SourceKind: TypeAlias = Literal["text", "image", "audio", "rdf", "manifest", "table"]
Assertion: TypeAlias = Literal["asserted", "negated", "speculated", "attributed"]
"""How a source says something: as a fact, denied, as a possibility, or as what somebody else says."""


@dataclass(frozen=True, slots=True)
class TextSpan:
    """Characters ``start`` (inclusive) to ``end`` (exclusive), in Unicode code points of the stored text."""

    start: int
    end: int
    exact: str


@dataclass(frozen=True, slots=True)
class Region:
    """A box in pixels of the upright picture: left, top, width, height."""

    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """Seconds ``start`` to ``end`` of a recording."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class DocumentPlace:
    """Where characters of a stored text stand in the document that it was read from.

    Args:
        page: from 1; 0 where the document has no pages.
        box: left, top, width, height in points from the upper left corner of the page as it is shown.
        path: XPath of the element, where the document has elements.
        cell: row and column of the table, from 1.
        time: seconds of the recording from when to when the words are spoken.
    """

    page: int = 0
    box: tuple[float, float, float, float] | None = None
    path: str = ""
    cell: tuple[int, int] | None = None
    time: tuple[float, float] | None = None

    @property
    def words(self) -> str:
        """The place in words, without its box.

        >>> DocumentPlace(time=(1.2, 3.0)).words
        '1.20–3.00 s'
        """
        if self.time is not None:
            return f"{self.time[0]:.2f}–{self.time[1]:.2f} s"
        if self.cell is not None:
            return f"row {self.cell[0]}, column {self.cell[1]}"
        return f"page {self.page}" if self.page else self.path


Selector: TypeAlias = TextSpan | Region | TimeSpan


@dataclass(frozen=True, slots=True)
class Source:
    """One text, picture, recording, RDF file or manifest, as an extractor sees it.

    Args:
        iri: the source's IRI, which is also the name of its graph.
        name: relative path, unique in the workspace.
        kind: what it is.
        media_type: such as ``text/plain`` or ``image/png``.
        sha256: of the stored bytes.
        item: IRI of the item it belongs to, or ``None``.
        item_label: that item's label, or ``None``.
        item_types: class IRIs of that item (never its target label).
        text: the stored text, for texts; the transcript, for recordings.
        path: the stored bytes, for everything else.
        language: ISO 639 code of the text's language; empty where it is not known.
        mapping: what a table's columns mean, as JSON; see ``kgfuse.sources.mapping``.
        transcription: how a recording's transcript was made, as JSON.
        heard: of a transcript, where each word begins, and the probability that it was heard rightly.
    """

    iri: str
    name: str
    kind: SourceKind
    media_type: str
    sha256: str
    item: str | None = None
    item_label: str | None = None
    item_types: tuple[str, ...] = ()
    text: str | None = None
    path: Path | None = None
    language: str = ""
    mapping: str = ""
    transcription: str = ""
    heard: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Mention:
    """A place in a source that speaks of something.

    A mention has one place. Of a name in pieces ("North" and "Korea", in "North and South Korea") it is the piece that
    the name has to itself; the words that it shares are mentions of their own, and stand beside it in the evidence.

    Args:
        source: IRI of the source.
        selector: where in it.
        label: the normalised surface form that resolution matches.
        extractor: who found it, such as ``text.lexicon``.
        types: class IRIs the extractor is sure of; may be empty.
        entity: IRI where the extractor knows it (lexicon entry, the item itself); ``None`` leaves it to resolution.
        confidence: 0 to 1.
    """

    source: str
    selector: Selector
    label: str
    extractor: str
    types: tuple[str, ...] = ()
    entity: str | None = None
    confidence: float = 1.0

    @property
    def iri(self) -> str:
        """Derived from the place alone, so two extractors that see the same place share the mention."""
        return MENTION + digest(self.source, repr(self.selector))


@dataclass(frozen=True, slots=True)
class Value:
    """A literal: lexical form, datatype IRI, language tag (empty where none).

    ``unit`` is the IRI of the QUDT unit that a number is in. It is no part of the literal: the statement node keeps
    it, as ``kgf:unit``.
    """

    lexical: str
    datatype: str = XSD + "string"
    language: str = ""
    unit: str = ""


Node: TypeAlias = Mention | str
"""A mention yet to be resolved, or an IRI."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A candidate triple with its evidence; the gate decides whether it enters the graph.

    Args:
        subject: a mention or an IRI.
        predicate: property IRI.
        object: a mention, an IRI or a literal.
        evidence: at least one mention: the words or pixels it rests on.
        extractor: who proposed it, such as ``text.pattern``.
        confidence: 0 to 1.
        reason: one short sentence for people.
        source: IRI of the source that says so.
        assertion: how the source says it; what is not ``asserted`` stays out of the graph by default, and is kept
            with its reason.
        said_by: who says so, where the source names somebody ("the ministry", in "the ministry said that …").
    """

    subject: Node
    predicate: str
    object: Node | Value
    evidence: tuple[Mention, ...]
    extractor: str
    confidence: float
    reason: str
    source: str
    assertion: Assertion = "asserted"
    said_by: Mention | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """A resolved statement: IRIs and literals only, ready for the graph.

    ``run`` is the IRI of the extraction run; ``statement`` IRIs are derived by the graph layer. ``said_by`` is the
    name of whoever the source says it of, where it is not the source's own word.
    """

    subject: str
    predicate: str
    object: str | Value
    source: str
    evidence: tuple[Mention, ...]
    extractor: str
    confidence: float
    reason: str
    run: str
    assertion: Assertion = "asserted"
    said_by: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A statement that the gate turned away, and why."""

    statement: Statement
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Extraction:
    """All that one run found in one source."""

    source: str
    run: str
    mentions: tuple[Mention, ...]
    statements: tuple[Statement, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)


_SELECTORS: Final[dict[str, type[TextSpan] | type[Region] | type[TimeSpan]]] = {
    "text": TextSpan,
    "region": Region,
    "time": TimeSpan,
}
