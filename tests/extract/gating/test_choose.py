"""The choice is the best there is: as good as trying every subset, whatever the constraints."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from kgfuse.extract.gating import choose
from kgfuse.extract.gating.choose import Bound, Option, Problem, best

CLASSES = "ABCD"
CLASH = {frozenset("AB"), frozenset("CD"), frozenset("BC")}


def disjoint(a: str, b: str) -> bool:
    return frozenset((a, b)) in CLASH


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    n = draw(st.integers(1, 8))
    numbers = st.integers(0, n - 1)
    some = st.lists(numbers, max_size=2, unique=True).map(tuple)
    classes = st.lists(st.sampled_from(CLASSES), min_size=1, max_size=2, unique=True).map(lambda c: tuple(sorted(c)))
    option = st.builds(Option, st.lists(numbers, min_size=1, max_size=2, unique=True).map(tuple), some)
    bound = st.builds(Bound, st.lists(option, min_size=1, max_size=4).map(tuple), st.integers(0, 2), some)
    return Problem(
        draw(st.lists(st.integers(1, 9), min_size=n, max_size=n)),
        disjoint,
        frozenset(),
        draw(st.dictionaries(st.sampled_from("xy"), st.lists(st.tuples(numbers, classes), max_size=6), max_size=2)),
        draw(st.lists(bound, max_size=3)),
    )


def consistent(problem: Problem, chosen: set[int]) -> bool:
    """Word for word what the constraints say, by trying every way to read the nodes."""
    for said in problem.claims.values():
        claims = [classes for n, classes in said if n in chosen]
        ways = product(*claims)
        if not any(not any(disjoint(a, b) for a in way for b in way) for way in ways):
            return False
    for bound in problem.bounds:
        if len(bound.options) <= bound.most or (bound.when and not chosen & set(bound.when)):
            continue
        held = [o for o in bound.options if chosen & set(o.choices) and (not o.when or chosen & set(o.when))]
        if len(held) > bound.most:
            return False
    return True


@settings(max_examples=300, deadline=None)
@given(problems())
def test_no_consistent_set_weighs_more(problem: Problem) -> None:
    n = len(problem.weights)
    subsets = ({i for i, b in enumerate(bits) if b} for bits in product((0, 1), repeat=n))
    greatest = max(sum(problem.weights[i] for i in s) for s in subsets if consistent(problem, s))
    chosen, tight = best(problem)
    assert consistent(problem, set(chosen))
    assert sum(problem.weights[i] for i in chosen) == greatest
    for left in set(range(n)) - chosen:
        assert not tight.fits(set(chosen), left)


@settings(max_examples=60, deadline=None)
@given(problems())
def test_the_greedy_way_contradicts_nothing_either(problem: Problem) -> None:
    largest, choose.LARGEST = choose.LARGEST, 0  # type: ignore[misc]
    try:
        chosen, _ = best(problem)
    finally:
        choose.LARGEST = largest  # type: ignore[misc]
    assert consistent(problem, set(chosen))


def test_what_is_fixed_holds_and_wins() -> None:
    bound = Bound((Option((0,)), Option((1,)), Option((2,))), 1)
    assert best(Problem([9, 1, 9], disjoint, frozenset((1,)), {}, [bound]))[0] == {1}
    both = Problem([9, 1, 9], disjoint, frozenset((1, 2)), {}, [bound])
    assert best(both)[0] == {1, 2}


def test_of_equals_more_are_taken_and_then_the_first() -> None:
    claims = {"x": [(0, ("A",)), (1, ("B",)), (2, ("B",))]}
    assert best(Problem([2, 1, 1], disjoint, frozenset(), claims))[0] == {1, 2}
    assert best(Problem([1, 1], disjoint, frozenset(), {"x": [(0, ("B",)), (1, ("A",))]}))[0] == {0}
