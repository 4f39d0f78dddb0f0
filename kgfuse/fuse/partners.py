"""How well the partners of items are found by similarity: ranks, recall, distance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kgfuse.fuse.data import FloatArray

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Found:
    """How well partners are found among held-out items, both directions together unless said otherwise.

    Args:
        reciprocal: mean reciprocal rank.
        recall: at 1, 5 and 10.
        rank: the median.
        distance: by how many standard deviations the partner's similarity lies above the mean of all, left to right
            and right to left.
    """

    reciprocal: float
    recall: tuple[float, float, float]
    rank: float
    distance: tuple[float, float]


@dataclass(frozen=True, eq=False, slots=True)
class Ranked:
    """Where each of n items finds its partner, left to right and right to left.

    Args:
        ranks: (2, n) from 1; of equals the middle one.
        distances: (2, n) how far its similarity lies above the mean of all, in standard deviations.
    """

    ranks: Floats
    distances: Floats

    @classmethod
    def of(cls, similarities: FloatArray) -> Ranked:
        """From similarities (n, n), partners on the diagonal."""
        both = [_one_way(similarities), _one_way(similarities.T)]
        return cls(np.stack([b[0] for b in both]), np.stack([b[1] for b in both]))

    @classmethod
    def by_chance(cls, count: int) -> Ranked:
        """What to expect of chance: ranks whose reciprocals are the mean reciprocal rank of a random order."""
        expected = count / float((1 / np.arange(1, count + 1)).sum())
        return cls(np.full((2, count), expected), np.zeros((2, count)))


def _one_way(table: FloatArray) -> tuple[Floats, Floats]:
    own = np.diag(table)[:, None]
    rank = 1 + (table > own).sum(axis=1) + ((table == own).sum(axis=1) - 1) / 2
    return rank, (own[:, 0] - table.mean(axis=1)) / np.maximum(table.std(axis=1), 1e-9)


def reciprocal(folds: Sequence[Ranked]) -> Floats:
    """Reciprocal ranks of all items in both directions."""
    return np.concatenate([1 / fold.ranks.ravel() for fold in folds])


def found(folds: Sequence[Ranked]) -> Found:
    """The figures over several folds."""
    rank = np.concatenate([fold.ranks.ravel() for fold in folds])
    recall = [float((rank <= k).mean()) for k in (1, 5, 10)]
    distance = np.concatenate([fold.distances for fold in folds], axis=1).mean(axis=1)
    return Found(
        float((1 / rank).mean()),
        (recall[0], recall[1], recall[2]),
        float(np.median(rank)),
        (float(distance[0]), float(distance[1])),
    )
