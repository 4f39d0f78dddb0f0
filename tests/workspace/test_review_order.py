"""The order of questions: unsure, disputed, frequent and different ones first; better than at random, measured."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kgfuse.workspace.review.order import Question, order, worth
from tests.benchmarks.review import curve, world

questions = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from("pqr"), st.sampled_from("st"), st.floats(0, 1)), max_size=12
).map(lambda rows: [Question(c, 0.3, p, s, d, f"{n:02}") for n, (c, p, s, d) in enumerate(rows)])


def asked(*rows: tuple[float, str, str]) -> list[Question]:
    return [Question(c, 0.5, p, s, 0.0, f"{n:02}") for n, (c, p, s) in enumerate(rows)]


@given(questions, st.dictionaries(st.sampled_from("pqr"), st.tuples(st.integers(0, 9), st.integers(0, 9))))
def test_each_is_asked_once_and_a_limit_only_cuts(some: list[Question], answered: dict[str, tuple[int, int]]) -> None:
    full = order(some, None, answered)
    assert sorted(full) == list(range(len(some)))
    assert order(some, 4, answered) == full[:4]


@given(questions, st.randoms())
def test_the_order_of_finding_plays_no_part(some: list[Question], random: object) -> None:
    mixed = list(some)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert [mixed[n].key for n in order(mixed)] == [some[n].key for n in order(some)]


@given(questions)
def test_the_lazy_heap_chooses_what_a_plain_search_does(some: list[Question]) -> None:
    left, chosen, patterns, passages = list(range(len(some))), [], [], []
    alike = {p: sum(q.pattern == p for q in some) for p in "pqr"}

    def value(n: int) -> tuple[float, str]:
        q = some[n]
        now = worth(q, alike=alike[q.pattern]) * 1 / (1 + patterns.count(q.pattern)) / (1 + passages.count(q.passage))
        return -now, q.key

    while left:
        best = min(left, key=value)
        left.remove(best)
        chosen.append(best)
        patterns.append(some[best].pattern)
        passages.append(some[best].passage)
    assert order(some) == chosen


def test_unsure_ones_come_before_sure_ones_and_disputed_ones_before_agreed_ones() -> None:
    assert order(asked((0.95, "p", "s"), (0.55, "q", "t")))[0] == 1
    sure = Question(0.95, 0.5, "p", "s", 0.0, "0")
    assert worth(Question(0.95, 0.5, "p", "s", 0.9, "1")) > worth(sure)


def test_the_second_question_is_about_something_else() -> None:
    rows = asked((0.5, "p", "s"), (0.5, "p", "t"), (0.6, "q", "u"))
    assert order(rows)[:2] == [0, 2]


def test_what_was_answered_often_is_asked_late() -> None:
    rows = asked((0.5, "p", "s"), (0.7, "q", "t"))
    assert order(rows)[0] == 0
    assert order(rows, answered={"p": (8, 0)})[0] == 1


def test_an_answer_that_speaks_for_many_comes_first() -> None:
    rows = asked((0.5, "rare", "s"), *((0.6, "often", f"t{n}") for n in range(30)))
    assert rows[order(rows)[0]].pattern == "often"


def test_it_is_ahead_of_random_order_on_made_up_worlds_that_it_was_not_tuned_on() -> None:
    found = {
        name: float(np.mean([curve(world(seed), name, seed, (150,)) for seed in range(200, 208)]))
        for name in ("kgfuse review", "at random", "least sure first")
    }
    assert found["kgfuse review"] > found["at random"] > found["least sure first"]
