"""The words around two places speak for a relation that the examples said so, and for no other."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgfuse.extract.learned.clues import Clues, Judgement
from kgfuse.extract.learned.decode import Candidate, overlap, without_rivals, worthwhile

LABELS = ("director", "birth place")
NAMES = ("Ana Abel", "Karl Costa", "Olga Novak", "Hugo Keller")
PLACES = ("Oslo", "Lima", "Red River", "Golden Tower")


def _candidate(text: str, relation: int, subject: str, object_: str) -> Candidate:
    s, o = text.index(subject), text.index(object_)
    return Candidate(relation, (s, s + len(subject)), (o, o + len(object_)), 0.0)


def _examples() -> list[Judgement]:
    found = []
    for name, place in itertools.product(NAMES, PLACES):
        directed, born = f"{place} was directed by {name}.", f"{name} was born in {place}."
        for text, subject, object_, right in (
            (directed, place, name, (True, False)),
            (born, name, place, (False, True)),
        ):
            row = [_candidate(text, relation, subject, object_) for relation in (0, 1)]
            found.append(Judgement(text, row, LABELS, np.array(right), np.ones(2, np.float32)))
    return found


def test_words_of_the_examples_tell_relations_of_new_names_apart() -> None:
    clues = Clues.learn(_examples())
    text = "Silent Winter was directed by Mara Petrov, who was born in Quito."
    directed = clues.scores(text, [_candidate(text, r, "Silent Winter", "Mara Petrov") for r in (0, 1)], LABELS)
    born = clues.scores(text, [_candidate(text, r, "Mara Petrov", "Quito") for r in (0, 1)], LABELS)
    assert directed[0] > directed[1] + 1
    assert born[1] > born[0] + 1


def test_what_was_learned_does_not_depend_on_the_order_of_the_relations_asked() -> None:
    clues = Clues.learn(_examples())
    text = "Silent Winter was directed by Mara Petrov."
    one = clues.scores(text, [_candidate(text, 0, "Silent Winter", "Mara Petrov")], LABELS)
    other = clues.scores(text, [_candidate(text, 1, "Silent Winter", "Mara Petrov")], LABELS[::-1])
    assert one[0] == other[0]


def test_an_ontology_takes_over_what_another_says_of_a_relation_of_that_label() -> None:
    clues = Clues.learn(_examples())
    text = "Silent Winter was directed by Mara Petrov."
    one = _candidate(text, 0, "Silent Winter", "Mara Petrov")
    known, strange = (clues.scores(text, [one], [label])[0] for label in ("director", "population"))
    assert known > strange + 1


def test_without_examples_of_both_kinds_nothing_is_said() -> None:
    wrong = [Judgement(j.text, j.found, LABELS, np.zeros(2, bool), j.weight) for j in _examples()]
    for clues in (Clues.none(), Clues.learn([]), Clues.learn(wrong)):
        assert clues.scores("Ana Abel was born in Oslo.", _examples()[0].found, LABELS).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("at", [[3, 2], [2, 2], [1]])
def test_altered_clues_are_refused(at: list[int]) -> None:
    with pytest.raises(ValueError, match="rising"):
        Clues(np.array(at, np.int32), np.zeros(2, np.float32), 0.0)


def test_clues_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="no number"):
        Clues(np.array([1], np.int32), np.array([np.nan], np.float32), 0.0)
    with pytest.raises(ValueError, match="rising"):
        Clues(np.array([1.0]), np.zeros(1, np.float32), 0.0)  # type: ignore[arg-type]


SPANS = st.tuples(st.integers(0, 12), st.integers(1, 5)).map(lambda t: (t[0], t[0] + t[1]))
CANDIDATES = st.lists(st.tuples(st.integers(0, 2), SPANS, SPANS, st.floats(0, 1)), max_size=12)


@given(CANDIDATES)
def test_of_rivals_the_surest_stays(drawn: list[tuple[int, tuple[int, int], tuple[int, int], float]]) -> None:
    found = [Candidate(r, s, o, 0.0) for r, s, o, _ in drawn]
    p = [q for *_, q in drawn]
    kept = without_rivals(found, p)
    assert [p[n] for n in kept] == sorted((p[n] for n in kept), reverse=True)
    for a, b in itertools.combinations(kept, 2):
        assert found[a].relation != found[b].relation or not overlap(found[a], found[b])
    for n in set(range(len(found))) - set(kept):
        assert any(
            found[k].relation == found[n].relation and overlap(found[k], found[n]) and p[k] >= p[n] for k in kept
        )


@given(st.lists(st.floats(0.001, 1), max_size=10), st.floats(0, 3))
def test_as_many_are_taken_as_promise_the_highest_f1(drawn: list[float], missing: float) -> None:
    p = sorted(drawn, reverse=True)
    total = max(sum(p) + missing, 1.0)
    promised = [2 * sum(p[:n]) / (n + total) for n in range(len(p) + 1)]
    taken = worthwhile(p, missing)
    assert promised[taken] == pytest.approx(max(promised))
    assert taken > 0 or not p
