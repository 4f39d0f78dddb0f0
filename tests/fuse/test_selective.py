"""A promised share of wrong answers holds on new items, or nothing is promised."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgfuse.fuse.artefact import load, save
from kgfuse.fuse.data import Split, Target
from kgfuse.fuse.metrics import evaluate
from kgfuse.fuse.selective import fewest, promise
from kgfuse.fuse.train import fit
from tests.fuse.planted import FAST, planted

RISK, SURE = 0.1, 0.9


def drawn(chance: np.random.Generator, count: int, power: float, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Answers that are right with chance ``p``, of which the model says ``p ** power``; some are wrong in any case."""
    right = chance.beta(3, 1, size=count)
    wrong = chance.random(count) > right * (1 - noise)
    return (right**power).astype(np.float32), wrong


def kept_or_broken(seed: int, items: int, power: float, noise: float) -> tuple[bool, bool]:
    chance = np.random.default_rng(seed)
    found = promise(*drawn(chance, items, power, noise), RISK, SURE)
    if found.threshold is None:
        return False, False
    confidence, wrong = drawn(chance, 60_000, power, noise)
    given = confidence >= found.threshold
    return True, bool(wrong[given].mean() > RISK) if given.any() else False


@pytest.mark.parametrize(
    ("power", "noise", "items"),
    [(1.0, 0.0, 300), (1.0, 0.0, 3_000), (0.1, 0.0, 500), (0.1, 0.04, 3_000), (8.0, 0.0, 500), (1.0, 0.2, 1_000)],
    ids=["calibrated", "calibrated, many", "over-confident", "over-confident, noise", "under-confident", "hopeless"],
)
def test_the_promise_is_broken_as_rarely_as_it_says(power: float, noise: float, items: int) -> None:
    draws = [kept_or_broken(seed, items, power, noise) for seed in range(400)]
    broken = sum(b for _, b in draws)
    assert broken <= 0.1 * 400 + 3 * np.sqrt(400 * 0.1 * 0.9)
    kept = np.mean([k for k, _ in draws])
    assert kept == pytest.approx(0, abs=0.1) if noise == 0.2 else kept > 0.5


def test_a_threshold_at_the_stated_risk_would_break_it_where_the_model_is_over_confident() -> None:
    confidence, wrong = drawn(np.random.default_rng(0), 60_000, 0.1, 0.0)
    assert wrong[confidence >= 1 - RISK].mean() > RISK


def test_many_held_out_items_are_answered_nearly_as_often_as_the_risk_allows() -> None:
    chance = np.random.default_rng(1)
    found = promise(*drawn(chance, 20_000, 1.0, 0.0), RISK, SURE)
    confidence, wrong = drawn(chance, 200_000, 1.0, 0.0)
    order = np.argsort(-confidence)
    share = np.cumsum(wrong[order]) / np.arange(1, len(order) + 1)
    most = np.flatnonzero(share <= RISK).max() / len(order)
    assert found.coverage == pytest.approx(most, abs=0.06)


def test_a_model_without_errors_answers_everything_if_enough_items_say_so() -> None:
    enough = fewest(RISK, SURE)
    right = np.zeros(enough, np.bool_)
    found = promise(np.linspace(0.5, 0.9, enough), right, RISK, SURE)
    assert (found.threshold, found.answered, found.coverage) == (0.0, enough, 1.0)
    assert found.bound == pytest.approx(RISK, abs=0.01)
    fewer = promise(np.linspace(0.5, 0.9, enough - 1), right[1:], RISK, SURE)
    assert not fewer.kept
    assert f"{enough} are needed" in fewer.said()


def test_one_error_among_the_surest_is_not_the_end() -> None:
    wrong = np.zeros(2_000, np.bool_)
    wrong[0] = True
    assert promise(np.linspace(1, 0.5, 2_000), wrong, RISK, SURE).coverage == 1


@given(st.integers(0, 10_000), st.integers(0, 400), st.floats(0.01, 0.5), st.floats(0.5, 0.99), st.integers(1, 5))
def test_what_is_told_is_what_the_threshold_does(seed: int, items: int, risk: float, sure: float, levels: int) -> None:
    chance = np.random.default_rng(seed)
    confidence = (chance.integers(1, 10**levels, size=items) / 10**levels).astype(np.float32)
    wrong = chance.random(items) > confidence**0.2
    found = promise(confidence, wrong, risk, sure)
    if found.threshold is None:
        assert (found.answered, found.wrong, found.coverage) == (0, 0, 0.0)
        return
    given = confidence >= found.threshold
    assert (found.answered, found.wrong) == (int(given.sum()), int(wrong[given].sum()))
    assert found.wrong <= found.risk * found.answered
    assert found.bound <= risk + 1e-9
    again = chance.permutation(items)
    assert promise(confidence[again], wrong[again], risk, sure) == found


def test_a_trained_model_keeps_its_promise_on_test_items_and_remembers_it(tmp_path: Path) -> None:
    data = planted(items=1_000, in_text=0.7, in_image=0.3, in_graph=False)
    order = np.random.default_rng(3).permutation(1_000)
    split = Split(order[:300], order[300:600], order[600:])
    config = FAST.with_overrides({"risk": 0.1, "gnn.enabled": False})
    model = fit(data, split, config)
    found = model.stacks["kind"].promise
    assert found is not None
    assert found.kept
    assert found.items >= 300
    assert 0.2 < found.coverage < 1
    figures = evaluate(model, data, split.test, "kind")
    assert figures["accuracy"] < 0.9, "without abstaining, more are wrong than was asked for"
    assert figures["wrong_if_given"] <= 0.1
    assert 0 < figures["abstained"] < 0.8
    save(model, tmp_path)
    again = load(tmp_path, "cpu").predict(data, split.test)["kind"]
    assert np.array_equal(again.answer, model.predict(data, split.test)["kind"].answer)


def test_where_too_few_items_judge_nothing_is_promised_and_nothing_answered() -> None:
    data = planted(items=60)
    order = np.random.default_rng(0).permutation(60)
    split = Split(order[:20], order[20:40], order[40:])
    model = fit(data, split, FAST.with_overrides({"risk": 0.05}))
    found = model.stacks["kind"].promise
    assert found is not None
    assert not found.kept
    assert "CANNOT" in found.said()
    assert "59 are needed" in found.said()
    answer = model.predict(data, split.test)["kind"]
    assert (answer.answer == -1).all()
    assert not answer.given.any()
    assert np.allclose(answer.probabilities.sum(axis=1), 1, atol=1e-5), "what is likely is told all the same"


def test_the_linear_baseline_is_judged_by_validation_items_alone() -> None:
    data = planted(items=160, in_text=2.0, in_graph=False)
    order = np.random.default_rng(0).permutation(160)
    split = Split(order[:40], order[40:120], order[120:])
    model = fit(data, split, FAST.with_overrides({"risk": 0.3, "head": "linear"}))
    found = model.stacks["kind"].promise
    assert found is not None
    assert found.items == 80


def test_of_several_labels_an_answer_is_wrong_if_one_of_them_is() -> None:
    data = planted(items=600, in_text=2.0, in_graph=False)
    kinds = data.targets[0].labels
    tags = np.stack([kinds < 2, kinds % 2 == 0, kinds == 3], axis=1)
    classes = planted(classes=3).targets[0].classes
    data = replace(data, targets=(Target("tags", classes, tags),))
    order = np.random.default_rng(3).permutation(600)
    split = Split(order[:200], order[200:400], order[400:])
    model = fit(data, split, FAST.with_overrides({"risk": 0.2, "gnn.enabled": False}))
    found = model.stacks["tags"].promise
    assert found is not None
    assert found.kept
    answer = model.predict(data, split.test)["tags"]
    answered = answer.answer >= 0
    assert answer.given[answered].any(axis=1).all()
    assert not answer.given[~answered].any()
    assert (answer.given & ~tags[split.test]).any(axis=1)[answered].mean() <= 0.2
