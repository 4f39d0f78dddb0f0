"""Temperature, residuals and thresholds are set by validation."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kgfuse.fuse.calibrate import fit_head_start, fit_sharpness, fit_stack
from kgfuse.fuse.metrics import calibration_error, item_losses, probabilities


def scores(seed: int, strength: float, count: int = 400, classes: int = 5) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    labels = chance.integers(classes, size=count)
    logits = chance.normal(size=(count, classes)) + strength * np.eye(classes)[labels]
    return logits.astype(np.float32), labels


def test_an_over_confident_model_is_calmed() -> None:
    logits, labels = scores(0, 2.0)
    loud = logits * 10
    sharpness = fit_sharpness(loud, labels)
    before = calibration_error(probabilities(loud, False), labels)
    after = calibration_error(probabilities(loud * np.float32(sharpness), False), labels)
    assert 0.1 < sharpness < 0.4
    assert after < 0.5 * before


def test_a_helpful_residual_stays_and_a_useless_one_goes() -> None:
    base, labels = scores(0, 1.5)
    helpful = np.random.default_rng(7).normal(size=base.shape) + 1.5 * np.eye(5)[labels]
    useless = np.random.default_rng(8).normal(size=base.shape)
    parts = {"layer": base, "useless": useless.astype(np.float32), "helpful": helpful.astype(np.float32)}
    stack = fit_stack(parts, labels, accept=1.0)
    assert stack.weight["helpful"] > 0 == stack.weight["useless"]
    assert item_losses(stack.combine(parts), labels).mean() < item_losses(base, labels).mean()


def test_rows_that_a_part_knows_nothing_of_are_left_to_the_others() -> None:
    base, labels = scores(0, 1.5)
    partial = (4 * np.eye(5)[labels]).astype(np.float32)
    partial[::2] = np.nan
    stack = fit_stack({"layer": base, "image": partial}, labels, accept=1.0)
    combined = stack.combine({"layer": base, "image": partial})
    assert np.isfinite(combined).all()
    assert (combined[::2].argmax(axis=1) == base[::2].argmax(axis=1)).all()


def test_rare_labels_get_a_lower_threshold_than_one_half() -> None:
    chance = np.random.default_rng(3)
    labels = chance.random((500, 2)) < np.array([0.5, 0.08])
    logits = (chance.normal(size=(500, 2)) + 1.5 * labels + np.array([-0.7, -3.0])).astype(np.float32)
    stack = fit_stack({"layer": logits}, labels, accept=1.0)
    assert stack.thresholds is not None
    assert stack.thresholds[1] < 0.5
    assert (fit_stack({"layer": logits}, labels, accept=1.0, own_thresholds=False).thresholds == 0.5).all()


@given(st.integers(0, 10_000), st.floats(0, 3))
def test_a_head_start_costs_no_more_than_it_may(seed: int, cost: float) -> None:
    chance = np.random.default_rng(seed)
    logits = chance.normal(size=(60, 5)).astype(np.float32) + np.array([2, 2, 2, 0, 0], np.float32)
    labels = chance.integers(0, 3, 60)
    logits[np.arange(60), labels] += 2
    seen = np.array([True, True, True, False, False])
    start = fit_head_start(logits, labels, seen, cost)
    assert start >= 0

    def right(by: float) -> int:
        return int(((logits + np.float32(by) * ~seen).argmax(1) == labels).sum())

    may = int(cost * np.sqrt(right(0) / 60 * (1 - right(0) / 60) / 60) * 60)
    assert right(0) - right(start) <= may
    if cost:
        assert right(0) - right(start + 1e-3) >= min(may, right(0) - 1) or start == 0
    assert fit_head_start(logits, labels, np.ones(5, np.bool_), cost) == 0
