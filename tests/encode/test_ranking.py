"""Filtered ranks are what counting by hand gives."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kgfuse.encode import ranking
from kgfuse.encode.ranking import Ints, Known, Ranking, both_ways, filtered_ranks
from kgfuse.errors import TrainingError

ENTITIES, RELATIONS = 6, 2
triple = st.tuples(st.integers(0, ENTITIES - 1), st.integers(0, RELATIONS - 1), st.integers(0, ENTITIES - 1))


def by_hand(scores: torch.Tensor, queries: Ints, known: set[tuple[int, ...]], allowed: torch.Tensor) -> list[float]:
    """Ranks, one candidate after another."""
    found = []
    for s, r, o in queries.tolist():
        own = float(scores[r, s, o])
        others = [
            float(scores[r, s, e]) for e in range(ENTITIES) if e != o and (s, r, e) not in known and bool(allowed[r, e])
        ]
        found.append(1 + sum(x > own for x in others) + sum(x == own for x in others) / 2)
    return found


@given(
    st.lists(triple, min_size=1, max_size=40),
    st.lists(triple, min_size=1, max_size=10),
    st.integers(0, 2**31),
    st.integers(1, 3),
    st.booleans(),
)
def test_ranks_are_those_counted_by_hand(
    train: list[tuple[int, int, int]], test: list[tuple[int, int, int]], seed: int, levels: int, masked: bool
) -> None:
    chance = torch.Generator().manual_seed(seed)
    scores = torch.randint(levels, (2 * RELATIONS, ENTITIES, ENTITIES), generator=chance).float()  # ties abound
    allowed = torch.rand(2 * RELATIONS, ENTITIES, generator=chance) > (0.3 if masked else -1)
    both = both_ways(np.array([*train, *test], np.int64), RELATIONS)
    queries = both_ways(np.array(test, np.int64), RELATIONS)
    found = filtered_ranks(
        lambda s, r: scores[r, s], queries, Known.of(both, ENTITIES), allowed=allowed if masked else None
    )
    expected = by_hand(scores, queries, {tuple(t) for t in both.tolist()}, allowed)
    assert found.tolist() == expected


@given(st.lists(triple, max_size=40), st.lists(triple, max_size=12))
def test_known_cells_are_all_and_only_the_known_objects(
    train: list[tuple[int, int, int]], asked: list[tuple[int, int, int]]
) -> None:
    known = Known.of(np.array(train, np.int64).reshape(-1, 3), ENTITIES)
    queries = np.array(asked, np.int64).reshape(-1, 3)
    row, column = known.cells(queries[:, 0], queries[:, 1])
    expected = {(n, o) for n, (s, r, _) in enumerate(asked) for a, b, o in train if (a, b) == (s, r)}
    assert len(row) == len(expected)
    assert set(zip(row.tolist(), column.tolist(), strict=True)) == expected


def test_chunks_do_not_change_the_ranks(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(0)
    triples = np.unique(chance.integers(0, (30, 3, 30), (200, 3)), axis=0)
    scores = torch.rand(6, 30, 30)
    queries, known = both_ways(triples, 3), Known.of(both_ways(triples, 3), 30)
    whole = filtered_ranks(lambda s, r: scores[r, s], queries, known)
    monkeypatch.setattr(ranking, "_CELLS", 7 * 30)
    assert filtered_ranks(lambda s, r: scores[r, s], queries, known).tolist() == whole.tolist()


def test_saying_the_same_of_everything_gains_nothing() -> None:
    queries = np.array([[0, 0, 1]], np.int64)
    ranks = filtered_ranks(lambda s, r: torch.zeros(len(s), 11), queries, Known.of(queries, 11))
    assert ranks.tolist() == [6.0]


def test_scores_that_are_no_numbers_are_refused() -> None:
    queries = np.array([[0, 0, 1]], np.int64)
    with pytest.raises(TrainingError, match="no numbers"):
        filtered_ranks(lambda s, r: torch.full((len(s), 3), torch.nan), queries, Known.of(queries, 3))


def test_figures_sum_up_ranks() -> None:
    found = Ranking.of(np.array([1.0, 2.0, 4.0, 20.0]))
    assert found.mrr == pytest.approx((1 + 1 / 2 + 1 / 4 + 1 / 20) / 4)
    assert found.hits == {1: 0.25, 3: 0.5, 10: 0.75}
    assert found.queries == 4
    assert Ranking.of(np.zeros(0)).mrr == 0.0
