"""Pictures with boxes, and clips of recordings, on the page of ``kgfuse extract``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from kgfuse.errors import KgfuseError
from kgfuse.explain.chain import Place
from kgfuse.sources.sandbox import Sandbox
from kgfuse.terms.mentions import Region, TextSpan
from kgfuse.workspace.report.pictures import Picture, inline, within
from kgfuse.workspace.report.recordings import Clip, Said, cut, played

if TYPE_CHECKING:
    from kgfuse.extract.document import Document

SIDE: Final = 900


@dataclass(frozen=True, slots=True)
class Box:
    """A box over a picture, in its pixels.

    Args:
        region: where.
        key: of the mention or evidence.
        kind: of the mention's class; ``evidence`` where it is none.
        title: shown on hovering.
        hue: number of its colour.
    """

    region: Region
    key: str
    kind: str
    title: str
    hue: int


def boxed(document: Document, boxes: Iterable[Box]) -> tuple[Picture | None, tuple[Box, ...]]:
    """A picture as the page shows it, and the boxes on it, the larger ones first so that all can be pointed at."""
    try:
        picture = inline(document.path, document.name, SIDE) if document.path is not None else None
    except KgfuseError:
        picture = None  # the document's problem says so
    if picture is None:
        return None, ()
    drawn = []
    for box in boxes:
        x, y, w, h = within((box.region.x, box.region.y, box.region.w, box.region.h), picture)
        drawn.append(replace(box, region=Region(x, y, w, h)))
    return picture, tuple(sorted(drawn, key=lambda box: -box.region.w * box.region.h))


def heard(document: Document) -> list[Clip]:
    """Clips of a recording with the words that its statements rest on; none of other sources."""
    if document.kind != "audio" or document.path is None:
        return []
    said = []
    for number, stated in enumerate(document.statements, 1):
        for spot in stated.evidence:
            place = document.where.get(spot) if isinstance(spot, TextSpan) else None
            if isinstance(spot, TextSpan) and place is not None and place.time is not None:
                at = Place(document.name, "text", spot.start, spot.end, spot.exact, seconds=place.time)
                said.append((played(place.time, place.time), Said(at, "", number, cited=False)))
    try:
        with Sandbox() as sandbox:
            return cut(document.name, document.path, document.media_type, said, sandbox) if said else []
    except KgfuseError:
        return []  # the words and their seconds are there all the same
