"""Visual neighbours: items whose pictures look alike to the CNN, as weighted statements with both pictures named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

import kgfuse
from kgfuse.graph.provenance_lines import RunRecord
from kgfuse.terms.mentions import Extraction, Fact, Mention, Region
from kgfuse.terms.namespaces import KGF, source_iri
from kgfuse.workspace.links import OWL_CLASS
from kgfuse.workspace.parts import Parts

EXTRACTOR = "image.neighbours"
SIMILAR = KGF + "visuallySimilarTo"
NEIGHBOUR_RUN = "neighbours"
"""Stands for the run in facts until the graph names it by its content."""
_CELLS = 1 << 24  # cosines held at once: 64 MB


def neighbour_run(parts: Parts) -> RunRecord:
    """The run that finds neighbours."""
    encoder = parts.image_encoder
    settings = parts.settings.neighbours.model_dump(mode="json")
    settings["preprocessing"] = parts.settings.extract.image.pipeline.record
    return RunRecord((EXTRACTOR,), kgfuse.__version__, {encoder.name: encoder.sha256}, settings)


@dataclass(frozen=True, eq=False, slots=True)
class Gallery:
    """The workspace's pictures as the CNN sees them.

    Args:
        sources: name and item of each picture, in name order.
        directions: (n, dim) centred features of length one.
        mean: (dim,) what they were centred by.
    """

    sources: tuple[tuple[str, str], ...]
    directions: npt.NDArray[np.float32]
    mean: npt.NDArray[np.float32]

    def direction(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Centred and scaled features (m, dim) of any pictures."""
        x = np.asarray(features, np.float32) - self.mean
        return np.asarray(x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9), np.float32)


def gallery(parts: Parts) -> Gallery:
    """All pictures of items that are not class nodes; the order in which they were added plays no part."""
    class_nodes = {i.iri for i in parts.catalog.items() if OWL_CLASS in i.types}
    rows = [r for r in parts.catalog.sources(kind="image") if r.item and r.item not in class_nodes]
    if not rows:
        return Gallery((), np.zeros((0, 0), np.float32), np.zeros(0, np.float32))
    features, known = parts.features.get(parts.picture_key, [r.sha256 for r in rows])
    sources = tuple((r.name, r.item or "") for r, k in zip(rows, known, strict=True) if k)
    x = np.asarray(features[known], np.float32)
    mean = x.mean(axis=0) if len(x) else np.zeros(x.shape[1], np.float32)
    empty = Gallery(sources, x, mean)
    return Gallery(sources, empty.direction(x), mean)


def neighbour_facts(parts: Parts, extractions: Sequence[Extraction]) -> list[Fact]:
    """Each picture's nearest pictures of other items, by the cosine of centred CNN features.

    The set of pictures decides the centre, so neighbours are computed anew whenever it changes.
    """
    pictures = gallery(parts)
    if parts.settings.neighbours.k == 0 or len(pictures.sources) < 3:
        return []
    return nearest(parts, pictures, pictures.sources, pictures.directions, extractions)


def nearest(
    parts: Parts,
    pictures: Gallery,
    sources: Sequence[tuple[str, str]],
    directions: npt.NDArray[np.float32],
    extractions: Sequence[Extraction],
) -> list[Fact]:
    """Facts that link pictures (name and item, with their directions) to their neighbours in the gallery."""
    settings = parts.settings.neighbours
    whole = {e.source: m for e in extractions for m in e.mentions if _is_whole(m)}
    numbers: dict[str, int] = {}
    items = np.array([numbers.setdefault(item, len(numbers)) for _, item in pictures.sources], np.int64)
    facts: list[Fact] = []
    block = max(1, _CELLS // max(len(items), 1))
    for start in range(0, len(sources), block):
        cosine = np.round(directions[start : start + block] @ pictures.directions.T, 3)
        for (name, item), scores in zip(sources[start : start + block], cosine, strict=True):
            mention = whole.get(source_iri(name))
            if mention is None:
                continue
            scores[items == numbers.get(item, -1)] = -np.inf
            for j in highest(scores, settings.k).tolist():
                if scores[j] >= settings.minimum:
                    facts.append(_fact(name, item, pictures.sources[j], float(scores[j]), mention))
    return facts


def highest(scores: npt.NDArray[np.float32], k: int) -> npt.NDArray[np.int64]:
    """Places of the ``k`` highest scores, the highest first; of equal ones the first."""
    k = min(k, len(scores))
    if k == 0:
        return np.zeros(0, np.int64)
    least = np.partition(scores, len(scores) - k)[len(scores) - k]
    there = np.flatnonzero(scores >= least)
    return np.asarray(there[np.argsort(-scores[there], kind="stable")][:k], np.int64)


def _is_whole(mention: Mention) -> bool:
    region = mention.selector
    return mention.extractor == "image.picture" and isinstance(region, Region)


def _fact(name: str, item: str, other: tuple[str, str], cosine: float, mention: Mention) -> Fact:
    return Fact(
        subject=item,
        predicate=SIMILAR,
        object=other[1],
        source=source_iri(name),
        evidence=(mention,),
        extractor=EXTRACTOR,
        confidence=min(max(cosine, 0.0), 1.0),
        reason=f"CNN features point the same way as those of {other[0]} (cosine {cosine:.3f})",
        run=NEIGHBOUR_RUN,
    )
