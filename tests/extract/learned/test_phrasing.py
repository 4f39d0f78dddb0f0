"""Sentences phrased from labels: every relation is met, and every span holds what it should."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from kgfuse.extract.learned.phrasing import phrased
from kgfuse.extract.learned.schema import Relation, Schema, words
from kgfuse.extract.learned.variation import Names

NAMES = Names({("person", "name"): tuple(f"Ana Abel {n}" for n in range(9))}, {"name": ("Oslo", "ßéta", "Red River")})
LABELS = st.text(st.characters(categories=("L", "Nd"), include_characters="_ "), min_size=1, max_size=12).filter(
    lambda label: bool(words(label))
)


@given(st.lists(LABELS, min_size=1, max_size=5, unique=True), st.integers(0, 99))
def test_every_relation_is_said_and_every_span_holds_its_name(labels: list[str], seed: int) -> None:
    schema = Schema("s", tuple(Relation(label, label, "person", "place") for label in labels))
    found = phrased(schema, NAMES, random.Random(seed), copies=2)
    assert len(found) == 2 * len(labels)
    assert {t.relation for e in found for t in e.triples} == set(labels)
    for example in found:
        for t in example.triples:
            assert t.subject_span is not None
            assert t.object_span is not None
            assert example.text[slice(*t.subject_span)] == t.subject
            assert example.text[slice(*t.object_span)] == t.object
            assert words(t.relation) in example.text


def test_names_are_of_the_kind_where_some_are_known_and_repeat_with_the_seed() -> None:
    schema = Schema("s", (Relation("r", "friend", "Person", "Ship"),))
    found = phrased(schema, NAMES, random.Random(1), copies=20)
    assert all(e.triples[0].subject.startswith("Ana Abel") for e in found)
    assert {e.triples[0].object for e in found} <= {"Oslo", "ßéta", "Red River"}
    assert found == phrased(schema, NAMES, random.Random(1), copies=20)
    assert len({e.text for e in found}) > 10


def test_without_any_name_there_is_one_nevertheless() -> None:
    schema = Schema("s", (Relation("r", "lives in"),))
    assert phrased(schema, Names({}, {}), random.Random(0))[0].text == "Zog lives in Zog."
