"""From log-odds to probabilities, and the threshold: a small verifier fitted on examples the reader never saw.

The verifier is a logistic regression on the reader's log-odds and on what the candidate looks like (`features`), with
an offset of its own for each relation, drawn to zero. Thresholds are chosen on probabilities that were cross-fitted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_FOLDS: Final = 5
_OFFSET: Final = 0.5
_GRID: Final = tuple(round(0.05 + 0.025 * n, 3) for n in range(27))


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate of a development sentence.

    Args:
        sentence: its number.
        relation: key.
        features: of `features.matrix`.
        right: the annotation has it.
        open: the annotation is not complete and has no triple of this relation in these places: its absence proves
            little.
    """

    sentence: int
    relation: str
    features: NDArray[np.float32]
    right: bool
    open: bool


@dataclass(frozen=True, slots=True)
class Verifier:
    """Probabilities from features.

    Args:
        mean, scale: of the features.
        weights: of the scaled features.
        offsets: by relation; zero for those not seen.
        bias: of all.
    """

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    offsets: Mapping[str, float]
    bias: float

    def probabilities(self, features: NDArray[np.float32], relations: Sequence[str]) -> NDArray[np.float64]:
        """(n,) probabilities of (n, features)."""
        scaled = (features - np.array(self.mean)) / np.array(self.scale)
        offsets = np.array([self.offsets.get(r, 0.0) for r in relations])
        found: NDArray[np.float64] = 1 / (1 + np.exp(-(scaled @ np.array(self.weights) + offsets + self.bias)))
        return found

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "mean": list(self.mean), "scale": list(self.scale), "weights": list(self.weights),
            "offsets": dict(self.offsets), "bias": self.bias,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Verifier:
        """The verifier of `to_dict`."""
        return cls(
            tuple(record["mean"]), tuple(record["scale"]), tuple(record["weights"]), record["offsets"], record["bias"]
        )


def fit(judged: Sequence[Judged], unsaid: float) -> Verifier:
    """Fit on development candidates; a negative that proves little counts ``unsaid``."""
    from sklearn.linear_model import LogisticRegression

    features = np.stack([j.features for j in judged]).astype(np.float64)
    right = np.array([j.right for j in judged])
    weight = np.array([unsaid if j.open and not j.right else 1.0 for j in judged])
    mean, scale = features.mean(0), features.std(0) + 1e-6
    names = sorted({j.relation for j in judged})
    place = {name: n for n, name in enumerate(names)}
    offsets = np.zeros((len(judged), len(names)))
    offsets[np.arange(len(judged)), [place[j.relation] for j in judged]] = _OFFSET
    if right.all() or not right.any():
        raise ValueError("development sentences without right or without wrong candidates")
    model = LogisticRegression(C=1.0, max_iter=500)
    model.fit(np.hstack(((features - mean) / scale, offsets)), right, sample_weight=weight)
    found = model.coef_[0]
    size = features.shape[1]
    return Verifier(
        tuple(map(float, mean)),
        tuple(map(float, scale)),
        tuple(map(float, found[:size])),
        {name: float(found[size + n] * _OFFSET) for name, n in place.items()},
        float(model.intercept_[0]),
    )


def cross_fitted(judged: Sequence[Judged], unsaid: float) -> NDArray[np.float64]:
    """Probability of every candidate by a verifier that saw none of its sentence."""
    found = np.zeros(len(judged))
    fold = np.array([j.sentence % _FOLDS for j in judged])
    for n in range(_FOLDS):
        rest, held = np.flatnonzero(fold != n).tolist(), np.flatnonzero(fold == n).tolist()
        if len(held):
            verifier = fit([judged[k] for k in rest], unsaid)
            found[held] = verifier.probabilities(
                np.stack([judged[k].features for k in held]), [judged[k].relation for k in held]
            )
    return found


def threshold(judged: Sequence[Judged], probabilities: NDArray[np.float64], gold: Sequence[int]) -> float:
    """The threshold with the highest mean F1 over sentences.

    Where an annotation is not complete, a candidate that proves little counts as wrong by its own improbability only.

    Args:
        judged: candidates.
        probabilities: of them.
        gold: how many triples each sentence has.
    """
    best, chosen = -1.0, 0.5
    for value in _GRID:
        hits, said = np.zeros(len(gold)), np.zeros(len(gold))
        for one, p in zip(judged, probabilities, strict=True):
            if p >= value:
                hits[one.sentence] += one.right
                said[one.sentence] += (1 - p) if one.open and not one.right else 1.0
        wanted = np.array(gold, dtype=float)
        f1 = float(np.mean(2 * hits / np.maximum(said + wanted, 1e-9)))
        if f1 > best + 1e-9:
            best, chosen = f1, value
    return chosen


def expected_error(probabilities: NDArray[np.float64], right: NDArray[np.bool_], bins: int = 10) -> float:
    """Expected calibration error over bins of equal width (Guo et al. 2017, arXiv:1706.04599)."""
    places = np.minimum((probabilities * bins).astype(int), bins - 1)
    error = 0.0
    for n in range(bins):
        inside = places == n
        if inside.any():
            error += inside.mean() * abs(float(probabilities[inside].mean()) - float(right[inside].mean()))
    return float(error)
