"""The verifier learns from right and wrong candidates; where all are right it believes the reader."""

from __future__ import annotations

import numpy as np
import pytest

from kgfuse.extract.learned.calibrate import Judged, cross_fitted, fit
from kgfuse.extract.learned.decode import Candidate
from kgfuse.extract.learned.features import NAMES


def judged(logits: list[float], right: list[bool]) -> list[Judged]:
    found = []
    for n, (logit, is_right) in enumerate(zip(logits, right, strict=True)):
        features = np.zeros(len(NAMES), np.float32)
        features[0] = logit
        found.append(Judged(n, "r", Candidate(0, (0, 3), (5, 9), logit), features, is_right, False))
    return found


def test_where_every_candidate_is_right_the_reader_is_believed() -> None:
    logits = [-4.0, -1.0, 0.0, 2.0, 6.0]
    found = cross_fitted(judged(logits, [True] * 5), 0.3)
    assert found == pytest.approx(1 / (1 + np.exp(-np.array(logits))), abs=1e-6)


def test_wrong_ones_teach_what_the_log_odds_are_worth() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(3, 3, 400)
    right = rng.random(400) < 1 / (1 + np.exp(-(logits - 3)))  # the reader is too sure by three
    verifier = fit(judged(logits.tolist(), right.tolist()), 0.3)
    features = np.stack([j.features for j in judged([0.0, 3.0, 8.0], [True] * 3)])
    low, middle, high = verifier.probabilities(features, ["r"] * 3)
    assert low < 0.25
    assert 0.35 < middle < 0.65
    assert high > 0.85


@pytest.mark.parametrize("count", [0, 4])
def test_nothing_right_is_said_to_be_so(count: int) -> None:
    with pytest.raises(ValueError, match="nothing right"):
        fit(judged([1.0] * count, [False] * count), 0.3)
