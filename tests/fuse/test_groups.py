"""Groups of items: whole in folds and splits, counted once in standard errors; of one item, they change nothing."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgfuse.errors import TrainingError
from kgfuse.fuse.calibrate import fit_stack
from kgfuse.fuse.groups import deal_groups, folds, grouping, standard_error
from kgfuse.fuse.search.folds import make_plan
from kgfuse.fuse.train import fingerprint, fit
from tests.fuse.planted import FAST, halves, planted

numbers = st.lists(st.integers(0, 8), min_size=1, max_size=40)
losses = st.lists(st.floats(-5, 5), min_size=2, max_size=40)


@given(numbers)
def test_grouping_keeps_who_is_with_whom(drawn: list[int]) -> None:
    groups = np.array(drawn, np.int64)
    found = grouping(groups, np.arange(len(groups)))
    if len(set(drawn)) == len(drawn):
        assert found is None
        return
    assert found is not None
    assert np.array_equal(found[:, None] == found[None, :], groups[:, None] == groups[None, :])
    assert [n for i, n in enumerate(found) if n not in found[:i]] == list(range(found.max() + 1))


def test_grouping_asks_only_of_the_rows_it_is_given() -> None:
    groups = np.array([7, 7, 5, 4])
    assert grouping(groups, np.array([1, 2, 3])) is None
    assert grouping(groups, np.array([2, 0, 1])).tolist() == [0, 1, 1]  # type: ignore[union-attr]
    assert grouping(None, np.array([0])) is None


@given(numbers, st.integers(2, 5))
def test_folds_keep_groups_whole_and_are_as_even_as_these_allow(drawn: list[int], number: int) -> None:
    groups = grouping(np.array(drawn, np.int64), np.arange(len(drawn)))
    dealt = folds(len(drawn), number, groups)
    if groups is None or groups.max() == 0:
        assert np.array_equal(dealt, np.arange(len(drawn)) % number)
        return
    assert all(len(set(dealt[groups == group].tolist())) == 1 for group in range(groups.max() + 1))
    size = np.bincount(dealt, minlength=number)
    assert size.max() - size.min() <= np.bincount(groups).max()


@given(st.integers(2, 60), st.integers(2, 6))
def test_folds_of_groups_of_one_item_are_those_of_items(count: int, number: int) -> None:
    assert np.array_equal(folds(count, number, np.arange(count)), folds(count, number))


@given(losses, st.randoms(use_true_random=False))
def test_standard_error_over_groups_of_one_item_is_that_over_items(drawn: list[float], chance: object) -> None:
    values, groups = np.array(drawn), list(range(len(drawn)))
    chance.shuffle(groups)  # type: ignore[attr-defined]
    assert math.isclose(standard_error(values, np.array(groups)), standard_error(values), rel_tol=1e-9, abs_tol=1e-12)


@given(losses, st.integers(2, 4))
def test_repeating_what_a_group_says_makes_nothing_surer(drawn: list[float], times: int) -> None:
    values, groups = np.array(drawn), np.arange(len(drawn))
    repeated = standard_error(np.tile(values, times), np.tile(groups, times))
    assert math.isclose(repeated, standard_error(values), rel_tol=1e-9, abs_tol=1e-9)


def test_one_group_alone_is_no_evidence() -> None:
    assert standard_error(np.array([1.0, 1.1, 0.9]), np.zeros(3, np.int64)) == math.inf


@given(numbers, st.integers(2, 10), st.integers(0, 3))
def test_dealt_groups_stay_whole(drawn: list[int], parts: int, seed: int) -> None:
    groups, strata = np.array(drawn, np.int64), [str(n % 3) for n in range(len(drawn))]
    if len(set(drawn)) < 2:
        with pytest.raises(TrainingError, match="of one group"):
            deal_groups(strata, groups, parts, np.random.default_rng(seed))
        return
    dealt = deal_groups(strata, groups, parts, np.random.default_rng(seed))
    assert set(dealt.tolist()) <= set(range(parts))
    assert all(len(set(dealt[groups == group].tolist())) == 1 for group in set(drawn))
    assert np.array_equal(dealt, deal_groups(strata, groups, parts, np.random.default_rng(seed)))


def two_parts(helped: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """A base that knows nothing, and a part that is right on some items and wrong on the others."""
    labels = np.arange(len(helped)) % 2
    told = np.where(helped, labels, 1 - labels)
    return {"base": np.zeros((len(helped), 2), np.float32), "part": np.eye(2, dtype=np.float32)[told] * 3}, labels


def test_a_part_must_help_many_groups_and_not_many_items_of_one() -> None:
    helped = np.array([True] * 30 + [False] * 10)
    parts, labels = two_parts(helped)
    one_helped = np.array([0] * 30 + [1 + n // 2 for n in range(10)])
    assert fit_stack(parts, labels, accept=1.0).trials[0].accepted
    assert fit_stack(parts, labels, accept=1.0, groups=np.arange(40) % 10).trials[0].accepted
    assert not fit_stack(parts, labels, accept=1.0, groups=one_helped).trials[0].accepted


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 1_000))
def test_a_model_on_groups_of_one_item_is_the_model_without_groups(seed: int) -> None:
    data = planted(items=60, seed=seed, in_text=0.5)
    split = halves(data, seed)
    names = np.random.default_rng(seed).permutation(10_000)[:60]
    plain, alone = fit(data, split, FAST), fit(replace(data, groups=names), split, FAST)
    assert plain.metrics == alone.metrics
    assert [s.trials for s in plain.stacks.values()] == [s.trials for s in alone.stacks.values()]
    found = [model.predict(data, split.test)["kind"].probabilities for model in (plain, alone)]
    assert np.array_equal(*found)


def test_a_model_on_groups_is_told_apart_and_learns_all_the_same() -> None:
    data = planted(items=120, in_text=0.5)
    split = halves(data)
    grouped = replace(data, groups=np.arange(120) // 3)
    assert fingerprint(grouped, split, FAST) != fingerprint(data, split, FAST)
    model = fit(grouped, split, FAST)
    answers = model.predict(grouped, split.test)["kind"].probabilities.argmax(1)
    assert (answers == data.targets[0].labels[split.test]).mean() > 0.8


def test_groups_that_do_not_fit_the_items_are_refused() -> None:
    data = planted(items=60)
    with pytest.raises(TrainingError, match="groups has shape"):
        fit(replace(data, groups=np.arange(59)), halves(data), FAST)


def test_folds_of_a_search_keep_groups_whole() -> None:
    data = planted(items=120)
    groups = np.arange(120) // 5
    split = replace(halves(data), test=np.zeros(0, np.int64))
    plan = make_plan(replace(data, groups=groups), split, 0)
    for fold in (*plan.folds, *plan.again):
        sides = [set(groups[part].tolist()) for part in (fold.train, fold.validation, fold.test)]
        assert sum(map(len, sides)) == len(set().union(*sides))
    assert plan.groups is not None
    assert plan.groups.tolist() == [groups[row] for fold in plan.folds for row in fold.test]
    assert make_plan(data, split, 0).groups is None
