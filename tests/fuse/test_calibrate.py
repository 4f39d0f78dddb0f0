"""Temperature, residuals and thresholds are set by validation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kgfuse.fuse.calibrate import UNSEEN, VECTOR, Stack, fit_sharpness, fit_stack
from kgfuse.fuse.metrics import calibration_error, item_losses, probabilities
from kgfuse.fuse.vector import fit_vector


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


def test_weights_set_together_are_the_best_and_useless_parts_lose_theirs() -> None:
    first, labels = scores(0, 1.0)
    second = (np.random.default_rng(7).normal(size=first.shape) + 2.0 * np.eye(5)[labels]).astype(np.float32)
    worse = (second + 3 * np.random.default_rng(8).normal(size=first.shape)).astype(np.float32)
    parts = {"worse": worse, "first": first, "second": second}
    stack = fit_stack(parts, labels, accept=1.0, jointly=True)
    best = item_losses(stack.combine(parts), labels).mean()
    for name in parts:
        for factor in (0.8, 1.25):
            moved = replace(stack, weight={**stack.weight, name: stack.weight[name] * factor})
            assert item_losses(moved.combine(parts), labels).mean() >= best - 1e-6
    assert stack.weight["worse"] < 0.1 * stack.weight["second"]
    assert stack.base == ("worse", "first", "second")


def test_where_no_part_says_anything_the_first_stands_and_all_answers_are_about_as_likely() -> None:
    chance = np.random.default_rng(0)
    labels = chance.integers(3, size=300)
    wrong = -5 * np.eye(3, dtype=np.float32)[labels] + 0.1 * chance.normal(size=(300, 3)).astype(np.float32)
    stack = fit_stack({"linear": wrong, "kernel": wrong}, labels, accept=1.0, jointly=True)
    assert 0 < stack.weight["linear"] < 0.01
    assert probabilities(stack.combine({"linear": wrong, "kernel": wrong}), False).max() < 0.4


@given(st.integers(0, 10_000), st.floats(0.1, 4))
def test_a_part_that_never_met_a_class_leaves_it_its_probability(seed: int, weight: float) -> None:
    chance = np.random.default_rng(seed)
    unseen = np.tile(np.array([0, 0, 0, 1, 1], np.float32), (60, 1))
    parts = {"linear": chance.normal(size=(60, 5)), "layer": 5 * chance.normal(size=(60, 5)), UNSEEN: unseen}
    parts = {name: scores.astype(np.float32) for name, scores in parts.items()}
    stack = Stack(
        {"linear": 1.0, "layer": 1.0, UNSEEN: 1.0}, {"layer": weight, "linear": 1.0, UNSEEN: 0.7}, 1.0, None, ()
    )
    stack = replace(stack, base=("linear", UNSEEN))
    alone = replace(stack, weight={**stack.weight, "layer": 0.0})
    after, before = (probabilities(s.combine(parts), False) for s in (stack, alone))
    assert np.allclose(after[:, 3:], before[:, 3:], atol=1e-5)
    shared = after[:, :3] / after[:, :3].sum(1, keepdims=True)
    expected = probabilities((parts["linear"] + np.float32(weight) * parts["layer"])[:, :3], False)
    assert np.allclose(shared, expected, atol=1e-4)


def skewed(seed: int, count: int, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Scores that make too much of one class, and are too sure of another."""
    logits, labels = scores(seed, 2.0, count, classes)
    return (logits * np.array([1, 1, 4, 1]) + np.array([3, 0, 0, 0])).astype(np.float32), labels


def test_a_class_that_is_given_too_often_is_put_right_by_a_vector_and_not_by_a_temperature() -> None:
    stacks = {kind: fit_stack({"a": skewed(0, 600)[0]}, skewed(0, 600)[1], accept=1.0, calibrate=kind)
              for kind in ("temperature", "vector", "auto")}  # fmt: skip
    logits, labels = skewed(1, 4_000)
    losses = {kind: item_losses(stack.combine({"a": logits}), labels).mean() for kind, stack in stacks.items()}
    assert losses["vector"] < 0.9 * losses["temperature"]
    assert losses["auto"] == losses["vector"]
    stack = stacks["vector"]
    assert stack.trials[-1].name == VECTOR
    again = probabilities(stack.uncalibrated(stack.combine({"a": logits})), False)
    assert np.allclose(again, probabilities(stack.total({"a": logits}), False), atol=1e-4), "what it did can be undone"


def test_a_vector_is_left_out_where_a_temperature_is_enough_and_does_little_where_it_is_asked_for() -> None:
    logits, labels = scores(0, 2.0, 60)
    draws = [scores(seed, 2.0, 60) for seed in range(20)]
    chosen = [fit_stack({"a": 3 * x}, y, accept=2.0, calibrate="auto").vector is not None for x, y in draws]
    assert sum(chosen) <= 2
    fresh, truth = scores(1, 2.0, 4_000)
    plain, vector = (fit_stack({"a": 3 * logits}, labels, accept=1.0, calibrate=k) for k in ("temperature", "vector"))
    one, other = (item_losses(stack.combine({"a": 3 * fresh}), truth).mean() for stack in (plain, vector))
    assert other < 1.05 * one
    assert fit_stack({"a": 3 * logits}, labels, accept=1.0, calibrate=True).sharpness == plain.sharpness
    assert fit_stack({"a": logits}, labels, accept=1.0, calibrate=False).sharpness == 1
    assert fit_stack({"a": logits[:9]}, labels[:9], accept=1.0, calibrate="vector").vector is None, "too few to tell"


@given(st.integers(0, 10_000), st.booleans())
def test_a_strong_pull_leaves_the_temperature_and_a_class_without_items_keeps_its_own(seed: int, several: bool) -> None:
    logits, labels = scores(seed, 1.0, 80, 4)
    labels = np.where(labels == 3, 0, labels)
    truth = np.eye(4, dtype=np.bool_)[labels] if several else labels
    held = fit_vector(logits, truth, 1e9)
    assert np.allclose(held.scale, 1, atol=1e-3)
    assert np.allclose(held.bias, 0, atol=1e-3)
    free = fit_vector(logits, truth, 1.0)
    assert (free.scale[3], free.bias[3]) == (1, 0)
    doubt = 1 / 82
    assert item_losses(free.of(logits, several), truth, doubt).mean() <= item_losses(logits, truth, doubt).mean() + 1e-9
