"""Do probabilities mean what they say? Bins of stated probability beside the share that was right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from kgfuse.fuse.data import IntArray

BINS: Final = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers whose probability lies in one interval.

    Args:
        low, high: its bounds; ``low`` belongs to it, ``high`` only to the last one.
        count: how many answers.
        right: how many of them are right.
        confidence: their mean probability; NaN where there are none.
    """

    low: float
    high: float
    count: int
    right: int
    confidence: float

    @property
    def share(self) -> float:
        """The share that is right; NaN where there are no answers."""
        return self.right / self.count if self.count else float("nan")


@dataclass(frozen=True, slots=True)
class Reliability:
    """A reliability diagram's numbers.

    Args:
        bins: of equal width, from 0 to 1.
        error: expected calibration error (Guo et al. 2017, arXiv:1706.04599): the mean distance of stated probability
            and share right over the bins, weighted by their counts.
    """

    bins: tuple[Bin, ...]
    error: float


def reliability(scores: npt.NDArray[np.floating], labels: IntArray, bins: int = BINS) -> Reliability:
    """Compare the best class's probability with how often it is right.

    Args:
        scores: (n, C) probabilities of a single-label target.
        labels: (n,) true classes.
        bins: how many, of equal width.
    """
    confidence, right = scores.max(axis=1, initial=0.0), scores.argmax(axis=1) == labels
    place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    found, gap = [], 0.0
    for number in range(bins):
        own = place == number
        count, hits, stated = int(own.sum()), int(right[own].sum()), float(confidence[own].sum(dtype=np.float64))
        mean = stated / count if count else float("nan")
        found.append(Bin(number / bins, (number + 1) / bins, count, hits, mean))
        gap += abs(stated - hits)
    return Reliability(tuple(found), gap / len(labels) if len(labels) else float("nan"))
