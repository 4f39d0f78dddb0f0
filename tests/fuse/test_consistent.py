"""Parents never below children, disjoint classes never together: nearest probabilities, likeliest sets."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kgfuse.fuse.consistent import Rules, side_by_side
from kgfuse.fuse.data import no_pairs

ORDER = np.array([[1, 0], [2, 0], [3, 1]])  # 3 below 1 below 0, 2 below 0


@st.composite
def rules(draw: st.DrawFn) -> Rules:
    """Any order and any exclusions between a few classes, also equal ones, and ones that can be nothing."""
    count = draw(st.integers(2, 6))
    pairs = [(a, b) for a in range(count) for b in range(a)]
    below = draw(st.lists(st.sampled_from([*pairs, *((b, a) for a, b in pairs)]), unique=True, max_size=6))
    apart = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=5))
    return Rules(count, np.array(below, np.int64).reshape(-1, 2), np.array(apart, np.int64).reshape(-1, 2))


def allowed(own: Rules) -> np.ndarray:
    """All sets of classes that keep to the rules, told one by one."""
    found = []
    for bits in product([False, True], repeat=own.count):
        orderly = all(bits[b] or not bits[a] for a, b in own.below.tolist())
        if orderly and not any(bits[a] and bits[b] for a, b in own.apart.tolist()):
            found.append(bits)
    return np.array(found, np.bool_)


@given(rules(), st.integers(0, 10_000))
def test_the_nearest_probabilities_keep_to_the_rules_and_none_are_nearer(own: Rules, seed: int) -> None:
    chance = np.random.default_rng(seed)
    before = chance.random((5, own.count)).astype(np.float32)
    after = own.nearest(before)
    assert (after >= 0).all()
    assert (after <= 1).all()
    for child, parent in own.below.tolist():
        assert (after[:, child] <= after[:, parent]).all()
    for a, b in own.apart.tolist():
        assert (after[:, a] + after[:, b] <= 1 + 1e-6).all()
    # of a convex set the nearest point is the one from which all others lie at a right angle or more
    sets = allowed(own).astype(np.float64)
    assert ((before - after)[:, None, :] * (sets[None] - after[:, None, :])).sum(axis=2).max() < 1e-5
    assert np.allclose(own.nearest(after), after, atol=1e-6)


@given(rules(), st.integers(0, 10_000))
def test_what_keeps_to_the_rules_stays_as_it_is(own: Rules, seed: int) -> None:
    sets = allowed(own)
    shares = np.random.default_rng(seed).dirichlet(np.ones(len(sets)), size=4)
    mixed = (shares @ sets).astype(np.float32)
    assert np.allclose(own.nearest(mixed), mixed, atol=1e-6)


@settings(max_examples=60)
@given(rules(), st.integers(0, 10_000))
def test_the_set_chosen_is_the_heaviest_of_all_that_keep_to_the_rules(own: Rules, seed: int) -> None:
    weights = np.random.default_rng(seed).normal(size=(3, own.count))
    chosen = own.choose(weights)
    assert own.holds(chosen).all()
    sets = allowed(own)
    assert np.allclose((weights * chosen).sum(axis=1), (weights @ sets.T).max(axis=1), atol=1e-6)
    for row in weights:
        greedy = own._greedy(row)
        assert own.holds(greedy[None]).all(), "what is too hard to do exactly keeps to the rules all the same"


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.integers(0, 8))
def test_several_questions_get_the_likeliest_answers_that_go_together(seed: int, pairs: int) -> None:
    chance = np.random.default_rng(seed)
    between = np.stack([chance.integers(3, size=pairs), chance.integers(4, size=pairs)], axis=1)
    own = [(Rules(3, no_pairs(), no_pairs()), True), (Rules(4, ORDER, no_pairs()), False)]
    both = side_by_side(own, [(0, 1, between)])
    weights = np.concatenate([np.log(chance.dirichlet(np.ones(3), 4)), chance.normal(size=(4, 4))], axis=1)
    chosen = both.choose(weights)
    assert both.holds(chosen).all()
    best = []
    for row in weights:
        choices = [
            row[kind] + row[3:][np.array(bits)].sum()
            for kind in range(3)
            for bits in allowed(own[1][0]).tolist()
            if not any(a == kind and bits[b] for a, b in between.tolist())
        ]
        best.append(max(choices))
    assert np.allclose((weights * chosen).sum(axis=1), best, atol=1e-6)


def test_where_every_pair_of_answers_clashes_one_question_stays_open() -> None:
    plain = Rules(2, no_pairs(), no_pairs())
    both = side_by_side([(plain, True), (plain, True)], [(0, 1, np.array([[0, 0], [0, 1], [1, 0], [1, 1]]))])
    chosen = both.choose(np.log([[0.9, 0.1, 0.6, 0.4]]))
    assert chosen.sum() == 1


def test_a_chain_of_classes_shares_out_what_is_out_of_order() -> None:
    own = Rules(4, ORDER, np.array([[1, 2]]))
    assert np.allclose(own.nearest(np.array([[0.2, 0.4, 0.1, 0.6]], np.float32)), [[0.4, 0.4, 0.1, 0.4]])
    assert np.allclose(own.nearest(np.array([[1.0, 0.9, 0.7, 0.1]], np.float32)), [[1.0, 0.6, 0.4, 0.1]])
    assert own.upward(np.array([[False, False, False, True]])).tolist() == [[True, True, False, True]]
    assert own.clashing[3, 2], "what is below one of two disjoint classes is disjoint with the other"
    plain = Rules(3, no_pairs(), np.array([[0, 1], [1, 2], [0, 2]]))
    assert [c.tolist() for c in plain.cliques] == [[0, 1, 2]]
    assert np.allclose(plain.nearest(np.array([[0.9, 0.9, 0.05]], np.float32)), [[0.5, 0.5, 0.0]])
