"""Pages of PDF documents with the lines marked that an answer's evidence stands in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from kgfuse.errors import KgfuseError
from kgfuse.explain.chain import Place
from kgfuse.sources.sandbox import Sandbox, Spot
from kgfuse.workspace.report.pictures import Mark, Picture, inline, within
from kgfuse.workspace.whereabouts import Whereabouts, whereabouts

if TYPE_CHECKING:
    from kgfuse.workspace.workspace import Workspace

SIDE: Final = 900
MOST: Final = 3
"""Pages shown of one document: those with most of what is cited."""


def pages(ws: Workspace, marked: Sequence[tuple[Place, Mark]]) -> list[tuple[str, Picture, tuple[Mark, ...]]]:
    """Name, picture and marks of the pages on which places stand.

    Args:
        ws: the workspace.
        marked: places in texts, each with a mark to draw there; its box is filled in here.
    """
    by_source: dict[str, list[tuple[Place, Mark]]] = {}
    for place, mark in marked:
        if place.page:
            by_source.setdefault(place.source, []).append((place, mark))
    shown = []
    with Sandbox() as sandbox:
        for name, mine in sorted(by_source.items()):
            row = ws._parts.catalog.source(name)
            document = whereabouts(ws._parts.blobs, row, sandbox) if row is not None else None
            if document is not None:
                try:
                    shown += _pages(document, mine)
                except KgfuseError:
                    continue  # what is damaged by now is told by `kgfuse check`
    return shown


def _pages(document: Whereabouts, mine: Sequence[tuple[Place, Mark]]) -> list[tuple[str, Picture, tuple[Mark, ...]]]:
    on_page: dict[int, list[tuple[Spot, Mark]]] = {}
    spots = document.spots([(place.start, place.end) for place, _ in mine])
    for (_, mark), lines in zip(mine, spots, strict=True):
        for n, spot in enumerate(lines):
            on_page.setdefault(spot.page, []).append((spot, mark if n == 0 else replace(mark, number=0)))
    shown = []
    for page in sorted(sorted(on_page, key=lambda p: -_weight(on_page[p]))[:MOST]):
        path = document.blobs.path(document.row.sha256)
        png, width, height = document.sandbox.render(path, document.row.name, page, SIDE)
        name = f"{document.row.name}, page {page}"
        picture = replace(inline(png, name, SIDE), width=round(width), height=round(height))
        shown.append((name, picture, tuple(_mark(spot, mark, picture) for spot, mark in on_page[page])))
    return shown


def _weight(marks: Sequence[tuple[Spot, Mark]]) -> int:
    return sum(10 if "cited" in mark.kind else 1 for _, mark in marks)


def _mark(spot: Spot, mark: Mark, picture: Picture) -> Mark:
    x, y, w, h = within((round(spot.x), round(spot.y), round(spot.w), round(spot.h)), picture)
    return replace(mark, x=x, y=y, w=w, h=h)
