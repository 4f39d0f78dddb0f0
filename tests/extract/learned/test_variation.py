"""Copies of examples with other names stay true: every span holds the words of its label."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from kgfuse.extract.learned.corpus import Annotated
from kgfuse.extract.learned.examples import Example, Triple
from kgfuse.extract.learned.schema import Relation, Schema
from kgfuse.extract.learned.variation import Names, vary

SCHEMA = Schema(
    "films", (Relation("director", "director", "film", "human"), Relation("year", "year", "film", "", True))
)
EXAMPLES = tuple(
    Example(f"{film} is a {year} film directed by {who}. {film} did well.",
            (Triple(film, "director", who), Triple(film, "year", str(year))))
    for film, year, who in (
        ("Red Desert", 1964, "Michelangelo Antonioni"), ("Stalker", 1979, "Andrei Tarkovsky"),
        ("Playtime", 1967, "Jacques Tati"), ("Ran", 1985, "Akira Kurosawa"), ("Alien", 1979, "Ridley Scott"),
        ("Heat", 1995, "Michael Mann"), ("Jaws", 1975, "Steven Spielberg"), ("Gertrud", 1964, "Carl Dreyer"),
        ("Fargo", 1996, "Joel Coen"),
    )
)  # fmt: skip
NAMES = Names.of([Annotated(SCHEMA, EXAMPLES)])


@given(st.sampled_from(EXAMPLES), st.integers(0, 10_000))
def test_every_span_of_a_copy_holds_its_label(example: Example, seed: int) -> None:
    copy = vary(example, SCHEMA, NAMES, random.Random(seed))
    assert len(copy.triples) == len(example.triples)
    for triple in copy.triples:
        assert triple.subject_span is not None
        assert triple.object_span is not None
        assert copy.text[slice(*triple.subject_span)] == triple.subject
        assert copy.text[slice(*triple.object_span)] == triple.object


def test_copies_differ_and_repeat_with_the_seed() -> None:
    copies = {vary(EXAMPLES[0], SCHEMA, NAMES, random.Random(n)).text for n in range(20)}
    assert len(copies) > 5
    assert vary(EXAMPLES[0], SCHEMA, NAMES, random.Random(3)) == vary(EXAMPLES[0], SCHEMA, NAMES, random.Random(3))


def test_names_that_overlap_stay_as_they_are() -> None:
    text = "Athens International Airport serves Athens."
    example = Example(text, (Triple("Athens International Airport", "director", "Athens"),))
    for seed in range(20):
        assert vary(example, SCHEMA, NAMES, random.Random(seed)).text == text


def test_a_subject_that_is_not_named_is_where_the_text_speaks_of_it() -> None:
    example = Example("The film was directed by Akira Kurosawa.", (Triple("Ran", "director", "Akira Kurosawa"),))
    for seed in range(10):
        copy = vary(example, SCHEMA, NAMES, random.Random(seed))
        (triple,) = copy.triples
        assert triple.subject_span == (0, len("The film"))
