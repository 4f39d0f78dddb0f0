"""The texts and pictures that an answer's evidence stands in."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kgfuse.errors import KgfuseError
from kgfuse.workspace.report.pictures import Picture, inline

if TYPE_CHECKING:
    from kgfuse.explain.chain import Explanation
    from kgfuse.workspace.prediction import Prediction
    from kgfuse.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Originals:
    """What an item's sources hold.

    Args:
        texts: stored text by source name.
        pictures: small copy by source name.
    """

    texts: Mapping[str, str]
    pictures: Mapping[str, Picture]


def originals(ws: Workspace, explanation: Explanation, prediction: Prediction | None) -> Originals:
    """Texts and pictures of the item and of whatever else its evidence names, those that can still be read.

    Args:
        ws: the workspace.
        explanation: whose places are looked up.
        prediction: what was explained; tells where the files of an item lie that is not in the workspace.
    """
    places = [p for e in explanation.statements for p in e.places] + [p.place for p in explanation.passages]
    texts, files = _stored(ws, {p.source for p in places}, explanation.item)
    if prediction is not None:
        context = prediction._context
        for source in context.dataset.samples[context.row].pictures:
            if source.path is not None:
                files.setdefault(source.name, source.path)
    return _originals(texts, files, explanation.name)


def named_originals(ws: Workspace, names: Collection[str], of: str) -> Originals:
    """Texts and pictures of these names; ``of`` says what the pictures are of."""
    return _originals(*_stored(ws, names), of)


def _stored(ws: Workspace, names: Collection[str], item: str = "") -> tuple[dict[str, str], dict[str, Path]]:
    """Texts, and files of pictures, that have one of these names or belong to the item."""
    texts: dict[str, str] = {}
    files: dict[str, Path] = {}
    for row in ws._parts.catalog.sources():
        if row.item != item and row.name not in names:
            continue
        if row.text_sha256:
            texts[row.name] = ws._parts.blobs.read_text(row.text_sha256)
        elif row.kind == "image":
            files[row.name] = ws._parts.blobs.path(row.sha256)
    return texts, files


def _originals(texts: Mapping[str, str], files: Mapping[str, Path], of: str) -> Originals:
    pictures = {n: p for n, path in sorted(files.items()) if (p := _picture(path, of)) is not None}
    return Originals(dict(sorted(texts.items())), pictures)


def item_pictures(ws: Workspace) -> dict[str, Path]:
    """The first picture of every item that has one."""
    found: dict[str, Path] = {}
    for row in sorted(ws.sources(), key=lambda r: r.name):
        if row.kind == "image" and row.item is not None:
            found.setdefault(row.item, ws._parts.blobs.path(row.sha256))
    return found


def _picture(path: Path, name: str) -> Picture | None:
    try:
        return inline(path, f"Picture of {name}")
    except KgfuseError:
        return None
