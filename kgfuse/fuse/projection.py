"""A plane on which items that the model reads alike lie side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from kgfuse.fuse.blocks import make_blocks
from kgfuse.fuse.data import FloatArray, FusionData, IntArray
from kgfuse.fuse.model import FusionModel

DoubleArray: TypeAlias = npt.NDArray[np.float64]
_FEW: Final = 12
_WIDTH: Final = 50
_PERPLEXITY: Final = 30.0


@dataclass(frozen=True, eq=False, slots=True)
class Plane:
    """Items on a plane.

    Args:
        places: (n, 2), 0 to 1.
        method: ``t-SNE`` (van der Maaten and Hinton 2008), or ``PCA`` for fewer items than that makes sense for.
        perplexity: of t-SNE; 0 for PCA.
    """

    places: FloatArray
    method: Literal["t-SNE", "PCA"]
    perplexity: float


def joined(model: FusionModel, data: FusionData, rows: IntArray) -> FloatArray:
    """(n, D) what the model's parts read of some items: all blocks side by side, each of norm one or zero."""
    blocks = make_blocks(model.spec, data, model.prepare(data), rows)
    return np.concatenate([blocks.values[name] for name in model.spec.names], axis=1)


def plane(vectors: FloatArray, seed: int = 0) -> Plane:
    """Lay items out so that neighbours stay neighbours; on one thread, so that the same items give the same plane.

    Args:
        vectors: (n, D) with n of one or more.
        seed: of t-SNE.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        reduced = _principal(vectors.astype(np.float64), _WIDTH)
        if len(vectors) < _FEW or not reduced.any():
            return Plane(_fitted(reduced[:, :2]), "PCA", 0.0)
        from sklearn.manifold import TSNE

        perplexity = min(_PERPLEXITY, (len(vectors) - 1) / 3)
        first = reduced[:, :2] / max(float(reduced[:, 0].std()), 1e-12) * 1e-4
        tsne = TSNE(perplexity=perplexity, init=first.astype(np.float32), random_state=seed, n_jobs=1)
        return Plane(_fitted(tsne.fit_transform(reduced)), "t-SNE", perplexity)


def _principal(vectors: DoubleArray, width: int) -> DoubleArray:
    """(n, at least 2) scores on the principal components, each turned so that its largest weight is positive."""
    centred = vectors - vectors.mean(axis=0)
    left, size, right = np.linalg.svd(centred, full_matrices=False)
    sign = np.sign(right[np.arange(len(right)), np.abs(right).argmax(axis=1)])
    scores = (left * size * np.where(sign == 0, 1, sign))[:, :width]
    scores[:, size[:width] < 1e-9 * max(1.0, float(size[0]))] = 0.0
    return np.pad(scores, ((0, 0), (0, max(0, 2 - scores.shape[1]))))


def _fitted(places: DoubleArray) -> FloatArray:
    """Moved and scaled, both ways by the same factor, into the unit square; to four digits."""
    low, high = places.min(axis=0), places.max(axis=0)
    span = max(float((high - low).max()), 1e-12)
    return np.asarray(np.round((places - (low + high) / 2) / span + 0.5, 4), np.float32)
