"""What would change an answer: a set that does, without a part too many, and the smallest where it says so."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kgfuse.explain.flips import smallest_flip
from kgfuse.explain.nearest import nearest_items
from kgfuse.fuse.train import fit
from tests.fuse.planted import FAST, halves, planted


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=7), st.floats(-0.5, 2.5), st.integers(0, 60))
def test_of_a_sum_the_smallest_set_is_found(weights: list[float], limit: float, budget: int) -> None:
    calls = []

    def without(parts: tuple[int, ...]) -> int:
        calls.append(parts)
        return 1 if sum(weights[n] for n in parts) > limit else 0

    answer = without(())
    found = smallest_flip(without, weights, answer, budget)
    numbers = range(len(weights))
    changing = [s for k in range(1, len(weights) + 1) for s in combinations(numbers, k) if without(s) != answer]
    if found is None:
        order = sorted(numbers, key=lambda n: (-weights[n], n))
        assert all(without(tuple(order[:k])) == answer for k in range(1, len(order) + 1))
        return
    assert without(found.parts) == found.answer != answer
    for part in found.parts:
        fewer = tuple(n for n in found.parts if n != part)
        assert not fewer or not found.smallest or without(fewer) == answer
    if found.smallest:
        assert len(found.parts) == min(map(len, changing))


def test_parts_that_only_change_it_together_are_found() -> None:
    needed = {1, 4}
    found = smallest_flip(lambda some: int(needed <= set(some)), [0.0, 0.1, 0.0, 0.0, 0.1], 0)
    assert found is not None
    assert (found.parts, found.answer, found.smallest) == ((1, 4), 1, True)
    assert smallest_flip(lambda some: 0, [0.3, 0.2], 0) is None
    assert smallest_flip(lambda some: 0, [], 0) is None
    calls = []
    hundreds = smallest_flip(lambda some: calls.append(some) or int(len(some) >= 700), [0.1] * 3_000, 0)
    assert hundreds is not None
    assert (len(hundreds.parts), hundreds.smallest) == (700, False)
    assert len(calls) < 400
    many = smallest_flip(lambda some: int(len(some) >= 4), [0.1] * 60, 0, budget=100)
    assert many is not None
    assert (len(many.parts), many.smallest) == (4, False)


def test_the_items_most_alike_are_of_one_kind_and_share_its_statements() -> None:
    data = planted(items=120, in_text=1.0)
    split, labels = halves(data), data.targets[0].labels
    model = fit(data, split, FAST)
    right = []
    for row in split.test[:20].tolist():
        found = nearest_items(model, data, row, split.train)
        assert len(found) == 3
        assert row not in {one.row for one in found}
        assert [one.likeness for one in found] == sorted((one.likeness for one in found), reverse=True)
        assert all(-1.001 <= one.likeness <= 1.001 and set(one.by) == {"text", "image", "graph"} for one in found)
        right += [labels[one.row] == labels[row] for one in found]
    assert np.mean(right) > 0.7
    (itself, *_) = nearest_items(model, data, int(split.test[0]), np.arange(len(data.items)))
    assert itself.row != split.test[0]
    assert nearest_items(model, data, 0, np.array([0])) == []
