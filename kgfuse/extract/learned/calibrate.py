"""From log-odds to probabilities, and the threshold: a small verifier fitted on examples the reader never saw.

The verifier is a logistic regression on the reader's log-odds, the words' and what the candidate looks like
(`features`), on the products of two of these, and on an offset of each relation, drawn to zero. Thresholds are chosen
on probabilities that were cross-fitted.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kgfuse.extract.learned.decode import Candidate, without_rivals, worthwhile
from kgfuse.extract.learned.features import NAMES

_FOLDS: Final = 5
_STRENGTH: Final = 0.003
_SCALE: Final = 3.0
_OFFSET: Final = 2.0
_REACH: Final = 3.0
_MISSING: Final = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0)
_GRID: Final = tuple(round(0.05 + 0.025 * n, 3) for n in range(27))


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate of a development sentence.

    Args:
        sentence: its number.
        relation: key.
        candidate: as it was found.
        features: of `features.matrix`.
        right: the annotation has it.
        open: the annotation is not complete and has no triple of this relation in these places: its absence proves
            little.
    """

    sentence: int
    relation: str
    candidate: Candidate
    features: NDArray[np.float32]
    right: bool
    open: bool


@dataclass(frozen=True, slots=True)
class Verifier:
    """Probabilities from features.

    Args:
        mean, scale: of the features.
        weights: of the scaled features, then of the products of two of them (the upper triangle, by rows).
        offsets: by relation; zero for those not seen.
        bias: of all.
    """

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    offsets: Mapping[str, float]
    bias: float

    def __post_init__(self) -> None:
        size = len(NAMES)
        if (len(self.mean), len(self.scale), len(self.weights)) != (size, size, size + size * (size + 1) // 2):
            raise ValueError(f"a verifier has {size} features and the products of any two")
        if not np.isfinite([*self.mean, *self.scale, *self.weights, *self.offsets.values(), self.bias]).all():
            raise ValueError("a number of the verifier is none")
        if min(self.scale) <= 0:
            raise ValueError("a scale of the verifier is not positive")

    @classmethod
    def of_reader(cls) -> Verifier:
        """Takes the reader's log-odds as they are."""
        size, reach = len(NAMES), 5.0
        weights = [0.0] * (size + size * (size + 1) // 2)
        weights[0] = reach / _SCALE
        return cls((0.0,) * size, (reach,) * size, tuple(weights), {}, 0.0)

    def probabilities(self, features: NDArray[np.float32], relations: Sequence[str]) -> NDArray[np.float64]:
        """(n,) probabilities of (n, features)."""
        inputs = _inputs(features, np.array(self.mean), np.array(self.scale))
        offsets = np.array([self.offsets.get(r, 0.0) for r in relations])
        found: NDArray[np.float64] = 1 / (1 + np.exp(-(inputs @ np.array(self.weights) + offsets + self.bias)))
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


def _inputs(features: NDArray[Any], mean: NDArray[np.float64], scale: NDArray[np.float64]) -> NDArray[np.float64]:
    scaled = np.clip((features - mean) / scale, -_REACH, _REACH)
    first, second = np.triu_indices(scaled.shape[1])
    return np.hstack((scaled * _SCALE, scaled[:, first] * scaled[:, second]))


def fit(judged: Sequence[Judged], unsaid: float) -> Verifier:
    """Fit on development candidates; a negative that proves little counts ``unsaid``.

    Where all of them are right there is nothing to learn, and the reader is believed.

    Raises:
        ValueError: none of them is right.
    """
    from sklearn.linear_model import LogisticRegression

    features = np.stack([j.features for j in judged]).astype(np.float64) if judged else np.zeros((0, len(NAMES)))
    right = np.array([j.right for j in judged])
    if not right.any():
        raise ValueError("in the development sentences nothing right is found")
    if right.all():
        return Verifier.of_reader()
    weight = np.array([unsaid if j.open and not j.right else 1.0 for j in judged])
    mean, scale = features.mean(0), features.std(0) + 1e-6
    names = sorted({j.relation for j in judged})
    place = {name: n for n, name in enumerate(names)}
    offsets = np.zeros((len(judged), len(names)))
    offsets[np.arange(len(judged)), [place[j.relation] for j in judged]] = _OFFSET
    inputs = _inputs(features, mean, scale)
    model = LogisticRegression(C=_STRENGTH, max_iter=1000)
    model.fit(np.hstack((inputs, offsets)), right, sample_weight=weight)
    found = model.coef_[0]
    size = inputs.shape[1]
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


@dataclass(frozen=True, slots=True)
class Chosen:
    """A candidate that no surer one of its sentence rules out, with its cross-fitted probability."""

    judged: Judged
    probability: float


def chosen(judged: Sequence[Judged], probabilities: NDArray[np.float64]) -> list[Chosen]:
    """What is left of candidates without their rivals, sentence by sentence, the surest first."""
    by_sentence: dict[int, list[int]] = {}
    for n, one in enumerate(judged):
        by_sentence.setdefault(one.sentence, []).append(n)
    found = []
    for numbers in by_sentence.values():
        p = [float(probabilities[n]) for n in numbers]
        kept = without_rivals([judged[n].candidate for n in numbers], p)
        found += [Chosen(judged[numbers[k]], p[k]) for k in kept]
    return found


def threshold(found: Sequence[Chosen], gold: Sequence[int]) -> float:
    """The least probability with the highest mean F1 over sentences.

    Args:
        found: of `chosen`.
        gold: how many triples each sentence has.
    """
    return max(_GRID, key=lambda t: (round(mean_f1([c for c in found if c.probability >= t], gold), 9), -t))


def missing(found: Sequence[Chosen], gold: Sequence[int]) -> float:
    """The allowance of `worthwhile` with the highest mean F1 over sentences."""
    return max(_MISSING, key=lambda m: (round(mean_f1(_worthwhile(found, m), gold), 9), -m))


def _worthwhile(found: Sequence[Chosen], allowance: float) -> list[Chosen]:
    taken = []
    for _, group in itertools.groupby(found, key=lambda c: c.judged.sentence):
        here = list(group)
        taken += here[: worthwhile([c.probability for c in here], allowance)]
    return taken


def mean_f1(taken: Sequence[Chosen], gold: Sequence[int]) -> float:
    """Mean F1 over sentences.

    Where an annotation is not complete, a candidate that proves little counts as wrong by its own improbability only.
    """
    hits, said = np.zeros(len(gold)), np.zeros(len(gold))
    for c in taken:
        one = c.judged
        hits[one.sentence] += one.right
        said[one.sentence] += (1 - c.probability) if one.open and not one.right else 1.0
    return float(np.mean(2 * hits / np.maximum(said + np.array(gold, dtype=float), 1e-9)))


def expected_error(probabilities: NDArray[np.float64], right: NDArray[np.bool_], bins: int = 10) -> float:
    """Expected calibration error over bins of equal width (Guo et al. 2017, arXiv:1706.04599)."""
    places = np.minimum((probabilities * bins).astype(int), bins - 1)
    error = 0.0
    for n in range(bins):
        inside = places == n
        if inside.any():
            error += inside.mean() * abs(float(probabilities[inside].mean()) - float(right[inside].mean()))
    return float(error)
