"""What the text extractor reads out of a sentence, one construction of English at a time."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgfuse.extract.text.nlp import load

Says = Callable[..., set[str]]

EXPECTED = [
    ("The fox eats mice.", {"item:fox z:eats z:mouse"}),
    ("Foxes eat small mice.", {"item:fox z:eats z:mouse"}),
    ("It feeds on mice, insects and seeds.", {f"item:fox z:eats z:{o}" for o in ("mouse", "insect", "seed")}),
    ("The fox is found in forests and on rivers.", {"item:fox z:livesIn z:forest", "item:fox z:livesIn z:river"}),
    ("The fox lives in the woods.", {"item:fox z:livesIn z:forest"}),
    ("It is at home in forests.", {"item:fox z:livesIn z:forest"}),
    ("The fox lives in forests and eats mice.", {"item:fox z:livesIn z:forest", "item:fox z:eats z:mouse"}),
    ("Mice and insects are eaten by the fox.", {"item:fox z:eats z:mouse", "item:fox z:eats z:insect"}),
    ("The fox eats small animals such as mice.", {"item:fox z:eats z:mouse"}),
    ("It gobbles seeds.", {"item:fox z:eats z:seed"}),
    ("A tool made of steel, it is used for fishing.", {"item:fox z:madeOf z:steel", "item:fox z:usedFor z:fishing"}),
    ("Small red animal, made of wood.", {"item:fox z:madeOf z:wood", "item:fox z:colour z:red"}),
    ("Fox animals eat mice.", {"item:fox z:eats z:mouse"}),
    ("People use it for cooking.", {"item:fox z:usedFor z:cooking"}),
    ("It is used to cook.", {"item:fox z:usedFor z:cooking"}),
    ("The animal has a white tail.", {"item:fox z:hasPart z:tail", "item:fox z:colour z:white"}),
    ("The fox is red.", {"item:fox z:colour z:red"}),
    ("Its tail is white.", {"item:fox z:colour z:white"}),
    ("Its colour is red.", {"item:fox z:colour z:red"}),
    ("The fox is native to France.", {"item:fox z:nativeTo ~France"}),
    ("The fox belongs to the mammals.", {"item:fox z:kind z:Mammal"}),
    ("The fox is a kind of mammal.", {"item:fox z:kind z:Mammal"}),
    ("The fox is a small mammal.", {"item:fox type z:Mammal"}),
    ("It stands on four legs.", {"item:fox z:legs 4"}),
    ("It was discovered in 1758.", {"item:fox z:discovered 1758"}),
    ("Foxes cook with olive oil; the fox eats olive oil.", {"item:fox z:eats z:oliveOil"}),
]


@pytest.mark.parametrize(("text", "expected"), EXPECTED, ids=[t for t, _ in EXPECTED])
def test_a_sentence_says(says: Says, text: str, expected: set[str]) -> None:
    assert expected <= says(text)


DENIED = [
    ("The fox does not eat seeds.", "item:fox z:eats z:seed"),
    ("It never eats seeds.", "item:fox z:eats z:seed"),
    ("The fox has no wings.", "item:fox z:hasPart z:wing"),
    ("The fox is not red.", "item:fox z:colour z:red"),
    ("The fox does not eat mice or seeds.", "item:fox z:eats z:seed"),
]


@pytest.mark.parametrize(("text", "statement"), DENIED, ids=[t for t, _ in DENIED])
def test_what_is_denied_is_marked(says: Says, text: str, statement: str) -> None:
    found = says(text)
    assert "not " + statement in found
    assert statement not in found


def test_a_denial_does_not_reach_what_is_set_against_it(says: Says) -> None:
    found = says("The fox does not eat seeds but it lives in forests.")
    assert "item:fox z:livesIn z:forest" in found
    found = says("The fox not only eats mice.")
    assert "item:fox z:eats z:mouse" in found


def test_the_colour_of_what_is_eaten_is_not_the_subject_s(says: Says) -> None:
    assert "item:fox z:colour z:red" not in says("The fox eats red seeds.")


def test_another_subject_speaks_for_itself(says: Says) -> None:
    found = says("The fox eats insects that live in rivers. Owls eat mice.")
    assert "item:fox z:livesIn z:river" not in found
    assert "item:fox z:eats z:mouse" not in found
    assert "~owl z:eats z:mouse" in found


def test_a_text_without_item_has_entities_as_subjects(says: Says) -> None:
    found = says("Marie lives in forests. She eats seeds.", None)
    assert found >= {"~Marie z:livesIn z:forest", "~Marie z:eats z:seed"}


def test_without_its_label_the_first_subject_is_the_topic(says: Says) -> None:
    found = says("The squirrel eats seeds. Squirrels live in forests.", "photo 17")
    assert found >= {"item:photo%2017 z:eats z:seed", "item:photo%2017 z:livesIn z:forest"}


def test_the_item_mentions_lexicon_entries_and_named_entities_only(says: Says) -> None:
    found = says("The fox crossed a river in Norway with great luck.", mentions=True)
    assert found >= {"item:fox mentions z:river", "item:fox mentions ~Norway"}
    assert not any("luck" in f for f in found)


def test_a_verb_that_spells_a_noun_is_no_mention(says: Says) -> None:
    assert not any("seed" in f for f in says("The fox seeds the ground.", mentions=True))


HEADED = [
    ("Tools\n\nThe fox eats mice.", {"item:fox z:eats z:mouse"}),
    ("Tails\n \nForests and rivers\n\n\nThe fox lives in forests.", {"item:fox z:livesIn z:forest"}),
    ("The fox eats mice\n\nIt lives in forests", {"item:fox z:eats z:mouse", "item:fox z:livesIn z:forest"}),
    ("The fox\neats\nmice.", {"item:fox z:eats z:mouse"}),
]


@pytest.mark.parametrize(("text", "expected"), HEADED, ids=[t for t, _ in HEADED])
def test_a_heading_is_no_part_of_the_sentence_after_it(says: Says, text: str, expected: set[str]) -> None:
    assert says(text) == expected


@given(st.lists(st.sampled_from(("The fox eats mice", "Tools", "", "\n", "It lives in forests.")), max_size=6))
@settings(max_examples=30, deadline=None)
def test_no_sentence_spans_a_blank_line(parts: list[str]) -> None:
    doc = load("auto")("\n\n".join(parts))
    assert not any(re.search(r"\n\s*\n", sentence.text.strip()) for sentence in doc.sents)


OPEN = [
    (
        "The fox was found in forests or on rivers.",
        {"maybe item:fox z:livesIn z:forest", "maybe item:fox z:livesIn z:river"},
    ),
    ("It was discovered in France or Spain in 1758.", set()),
    ("It is a tool used for cooking or fishing.", {"item:fox z:usedFor z:cooking", "item:fox z:usedFor z:fishing"}),
    ("The fox eats mice or seeds.", {"item:fox z:eats z:mouse", "item:fox z:eats z:seed"}),
    ("The fox was found in forests and on rivers.", {"item:fox z:livesIn z:forest", "item:fox z:livesIn z:river"}),
]


@pytest.mark.parametrize(("text", "expected"), OPEN, ids=[t for t, _ in OPEN])
def test_or_leaves_open_what_happened_once(says: Says, text: str, expected: set[str]) -> None:
    assert {s for s in says(text) if "discovered" not in s} == expected


ABOUT = [
    ("Report", "Harbour Bridge was opened in May. The deck is made of steel.", {"~deck z:madeOf z:steel"}),
    ("Report", "The bridge is old. The deck is made of steel.", {"item:report z:madeOf z:steel"}),
    ("pina colada", "The piña colada is made of wood.", {"item:pina%20colada z:madeOf z:wood"}),
    ("Fuchs", "Füchse sind rot. The füchs eats mice.", {"item:fuchs z:eats z:mouse"}),
]


@pytest.mark.parametrize(("label", "text", "expected"), ABOUT, ids=[t for _, t, _ in ABOUT])
def test_whom_a_sentence_is_about(says: Says, label: str, text: str, expected: set[str]) -> None:
    assert says(text, label) == expected
