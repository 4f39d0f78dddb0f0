"""Where the characters of a document stand in its file: page and box, path of the element, cell, or seconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kgfuse.catalog import Blobs, SourceRow
from kgfuse.errors import KgfuseError
from kgfuse.sources.places import (
    CharacterPlaces,
    ElementPlaces,
    LineEndPlaces,
    PagePlaces,
    Places,
    TablePlaces,
    TimePlaces,
    loads,
)
from kgfuse.sources.sandbox import Sandbox, Spot
from kgfuse.terms.mentions import DocumentPlace, Mention, TextSpan


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Looks places up in one document.

    Args:
        blobs: of the workspace.
        row: of the document.
        places: of its text.
        sandbox: opens the file.
    """

    blobs: Blobs
    row: SourceRow
    places: Places
    sandbox: Sandbox

    def spots(self, spans: Sequence[tuple[int, int]]) -> list[list[Spot]]:
        """A box for each line that a span touches, where the document has pages."""
        if not isinstance(self.places, PagePlaces):
            return [[] for _ in spans]
        pieces = [(n, piece) for n, span in enumerate(spans) for piece in self.places.on_pages(*span)]
        path = self.blobs.path(self.row.sha256)
        found: list[list[Spot]] = [[] for _ in spans]
        boxes = self.sandbox.boxes(path, self.row.name, [piece for _, piece in pieces])
        for (n, _), spots in zip(pieces, boxes, strict=True):
            found[n] += spots
        return found

    def of(self, mentions: Iterable[Mention]) -> Mapping[str, DocumentPlace]:
        """Page and box, path, cell or seconds of each mention of characters, by its IRI."""
        spans = {m.iri: (m.selector.start, m.selector.end) for m in mentions if isinstance(m.selector, TextSpan)}
        found = self.at(spans.values())
        return {iri: found[span] for iri, span in spans.items() if span in found}

    def at(self, spans: Iterable[tuple[int, int]]) -> Mapping[tuple[int, int], DocumentPlace]:
        """Page and box, path, cell or seconds of characters, by their start and end.

        A file that cannot be opened any more tells the page alone.
        """
        asked = list(dict.fromkeys(spans))
        match self.places:
            case ElementPlaces():
                return {span: DocumentPlace(path=self.places.path(span[0])) for span in asked}
            case TablePlaces():
                text = self.blobs.read_text(self.row.text_sha256 or "")
                return {span: DocumentPlace(cell=self.places.cell(text, span[0])) for span in asked}
            case TimePlaces() as places:
                heard = {span: places.seconds(*span) for span in asked}
                return {span: DocumentPlace(time=time) for span, time in heard.items() if time is not None}
            case CharacterPlaces() | LineEndPlaces():
                return {}
        try:
            found = self.spots(asked)
        except KgfuseError:
            found = [[] for _ in asked]
        return {span: _around(self.places.page(span[0]), spots) for span, spots in zip(asked, found, strict=True)}


def whereabouts(blobs: Blobs, row: SourceRow, sandbox: Sandbox) -> Whereabouts | None:
    """Looks places up in a source; ``None`` where its text is as its file has it."""
    sha = row.meta.get("places")
    return None if sha is None else Whereabouts(blobs, row, loads(blobs.read_bytes(sha)), sandbox)


def place_of(blobs: Blobs, row: SourceRow, start: int, end: int) -> DocumentPlace:
    """Where characters stand in their document, without the box; an empty place where it has no places."""
    sha = row.meta.get("places")
    if sha is None or start < 0:
        return DocumentPlace()
    match loads(blobs.read_bytes(sha)):
        case PagePlaces() as places:
            return DocumentPlace(places.page(start))
        case ElementPlaces() as places:
            return DocumentPlace(path=places.path(start))
        case TablePlaces() as places:
            return DocumentPlace(cell=places.cell(blobs.read_text(row.text_sha256 or ""), start))
        case TimePlaces() as places:
            return DocumentPlace(time=places.seconds(start, end))
        case _:
            return DocumentPlace()


def _around(page: int, spots: Sequence[Spot]) -> DocumentPlace:
    """The box around all that stands on the first page."""
    here = [s for s in spots if s.page == page]
    if not here:
        return DocumentPlace(page=page)
    x, y = min(s.x for s in here), min(s.y for s in here)
    right, bottom = max(s.x + s.w for s in here), max(s.y + s.h for s in here)
    return DocumentPlace(page, (x, y, round(right - x, 1), round(bottom - y, 1)))
