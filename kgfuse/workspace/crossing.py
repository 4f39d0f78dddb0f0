"""Search across modalities: a text finds texts, pictures and statements that mean it, and so does a picture."""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from kgfuse.errors import SourceError, UsageError
from kgfuse.fuse.align import LEAST_PAIRS, words_alone
from kgfuse.fuse.data import MODALITIES, FloatArray, Modality
from kgfuse.fuse.views import View, unit
from kgfuse.graph import labels as names
from kgfuse.workspace.aligning import Aligned, Shelf, spoken
from kgfuse.workspace.encoderview import text_features
from kgfuse.workspace.parts import Parts
from kgfuse.workspace.searching import types_of

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

OWN: Final = 3.5
"""How far a text lies above all others for a query that means it, in standard deviations: measured on the demo's
articles, the first sentence looking for the rest. The same is taken for pictures."""
UNKNOWN: Final = 1.0
"""The same across modalities where too few items have both to measure it."""

Floats: TypeAlias = npt.NDArray[np.float64]
Query: TypeAlias = tuple[Modality, View]
"""Modality and one row of what is looked for."""


@dataclass(frozen=True, slots=True)
class Match:
    """An item that means what a text or a picture means.

    Args:
        item: its IRI.
        label: of it; else its source's name.
        types: IRIs of its classes.
        score: how far it lies above the mean of all items, in standard deviations, over the modalities searched; each
            counts as far as it was seen to find the right ones.
        modality: that speaks for it most.
        similarity: cosine of that modality, -1 to 1.
        similarities: of all its modalities.
        sources: by modality, the text or picture that is most similar; statements have none.
        methods: by modality, how it was compared: ``same`` (two texts, two pictures), ``canonical``, ``contrastive``,
            ``words``, or a mixture.
    """

    item: str
    label: str
    types: tuple[str, ...]
    score: float
    modality: Modality
    similarity: float
    similarities: dict[Modality, float]
    sources: dict[Modality, str]
    methods: dict[Modality, str]


def queries(parts: Parts, text: str | None, image: str | Path | Picture | None) -> list[Query]:
    """What is looked for, as the encoders see it.

    Args:
        parts: the workspace.
        text: any text.
        image: path of a picture, or the picture.

    Raises:
        SourceError: the picture cannot be read.
        UsageError: the text is blank.
    """
    found: list[Query] = []
    if text is not None:
        if not text.strip():
            raise UsageError("there is nothing to look for", remedy="give a text or a picture")
        vector = text_features(parts, [parts.settings.encoders.texts.apply(text)])
        found.append(("text", View(vector, vector)))
    if image is not None:
        features = _look(parts, image)
        found.append(("image", View(features, spoken(parts, features))))
    return found


def cross_search(
    parts: Parts,
    found: Aligned,
    asked: Sequence[Query],
    limit: int,
    within: Collection[Modality] = MODALITIES,
) -> list[Match]:
    """Items that mean what a text, a picture, or both together mean.

    Args:
        parts: the workspace.
        found: its shelves and alignments.
        asked: what is looked for.
        limit: at most so many.
        within: which of the items' modalities are looked at.

    Returns:
        Highest score first, then by IRI.

    Raises:
        UsageError: there is no such modality.
    """
    if unknown := set(within) - set(MODALITIES):
        raise UsageError(f"no modality is called {min(unknown)!r}", remedy=f"one of: {', '.join(MODALITIES)}")
    totals: dict[str, dict[Modality, float]] = {}
    best: dict[tuple[str, Modality], tuple[float, str, str]] = {}
    weights = 0.0
    for kind, query in asked:
        for modality, shelf in found.shelves.items():
            if modality not in within or (compared := _compare(found, kind, query, modality, shelf)) is None:
                continue
            scores, method, weight = compared
            weights += weight**2
            top = _by_item(shelf, scores)
            rows = np.array(list(top.values()), np.int64)
            spread = (scores[rows] - scores[rows].mean()) / max(float(scores[rows].std()), 1e-9)
            for item, row, z in zip(top, rows.tolist(), spread.tolist(), strict=True):
                own = totals.setdefault(item, {})
                own[modality] = own.get(modality, 0.0) + weight * z
                told = float(scores[row]), shelf.sources[row], method
                best[item, modality] = max(told, best.get((item, modality), told), key=lambda t: t[0])
    length = max(weights, 1e-9) ** 0.5
    ranked = sorted(totals, key=lambda item: (-round(sum(totals[item].values()) / length, 5), item))
    return [_match(parts, item, totals[item], best, length) for item in ranked[: max(limit, 0)]]


def _look(parts: Parts, image: str | Path | Picture) -> FloatArray:
    """(1, dim) features of a picture, prepared as those of the workspace are."""
    source = _bytes(image) if isinstance(image, Image.Image) else Path(image)
    return parts.image_encoder.encode([parts.settings.extract.image.pipeline.open(source).image])


def _bytes(image: Picture) -> bytes:
    """A picture in memory as a file, so that it goes the way of all files."""
    try:
        upright = ImageOps.exif_transpose(image)
        kept = upright if upright.mode in {"1", "L", "LA", "P", "RGB", "RGBA", "I;16"} else upright.convert("RGB")
        buffer = io.BytesIO()
        kept.save(buffer, "PNG", compress_level=1)
    except (OSError, ValueError, SyntaxError, MemoryError) as error:
        raise SourceError(f"a damaged picture: {error}", where="picture", remedy="open it anew") from error
    return buffer.getvalue()


def _compare(
    found: Aligned, kind: Modality, query: View, modality: Modality, shelf: Shelf
) -> tuple[Floats, str, float] | None:
    """Cosines (n,) of a query and a shelf's rows, how they came about, and how much they count."""
    if kind == modality:
        rows, own = unit(shelf.view.values), unit(query.values)
        if kind == "image" and len(rows) >= LEAST_PAIRS:  # features of a CNN all point one way
            mean = rows.mean(axis=0)
            rows, own = unit(rows - mean), unit(own - mean)
        return _rounded(rows @ own[0]), "same", OWN
    forth = MODALITIES.index(kind) < MODALITIES.index(modality)
    alignment = found.alignments.get((kind, modality) if forth else (modality, kind))
    if alignment is None and kind not in found.shelves:  # no picture is there, but one may be looked for
        alignment = words_alone(query, shelf.view) if forth else words_alone(shelf.view, query)
    if alignment is None:
        return None
    here, there = (alignment.left, alignment.right) if forth else (alignment.right, alignment.left)
    scores = _rounded(there(shelf.view) @ here(query)[0])
    weight = UNKNOWN if alignment.kept is None else max(alignment.kept.distance[0 if forth else 1], 0.0)
    return scores, alignment.method, weight


def _rounded(scores: FloatArray) -> Floats:
    """So that one in the last place does not change the order."""
    return scores.astype(np.float64).round(5)


def _by_item(shelf: Shelf, scores: Floats) -> dict[str, int]:
    """The best row of each item, the first of equal ones."""
    top: dict[str, int] = {}
    for row, item in enumerate(shelf.items):
        if item not in top or scores[row] > scores[top[item]]:
            top[item] = row
    return top


def _match(
    parts: Parts,
    item: str,
    totals: dict[Modality, float],
    best: dict[tuple[str, Modality], tuple[float, str, str]],
    length: float,
) -> Match:
    own = {m: best[item, m] for m in MODALITIES if m in totals}
    modality = max(own, key=lambda m: totals[m])
    sources = {m: name for m, (_, name, _) in own.items() if name}
    return Match(
        item=item,
        label=names.label(parts.store, item),
        types=types_of(parts, item),
        score=round(sum(totals.values()) / length, 5),
        modality=modality,
        similarity=own[modality][0],
        similarities={m: score for m, (score, _, _) in own.items()},
        sources=sources,
        methods={m: method for m, (_, _, method) in own.items()},
    )
