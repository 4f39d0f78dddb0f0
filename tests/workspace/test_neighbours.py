"""The nearest pictures: the same as by sorting all, of equal ones the first."""

from __future__ import annotations

import numpy as np
import pytest

from kgfuse.workspace.neighbours import highest


@pytest.mark.parametrize("k", [0, 1, 5, 40, 100])
def test_the_highest_are_those_of_a_stable_sort(k: int) -> None:
    rng = np.random.default_rng(k)
    for _ in range(20):
        scores = rng.integers(-3, 4, 40).astype(np.float32)
        scores[rng.integers(0, 40, 5)] = -np.inf
        assert highest(scores, k).tolist() == np.argsort(-scores, kind="stable")[:k].tolist()
