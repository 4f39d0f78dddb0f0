"""The lexicon: inflected and multi-word forms, at any size."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgfuse.extract.settings import TextSettings
from kgfuse.extract.text.lexicon import Lexicon, fold, words_of
from kgfuse.extract.text.nlp import load
from tests.extract.test_text_parts import term


def found(text: str, lexicon: Lexicon) -> list[tuple[str, str]]:
    """Words that match, each with the first term that they name."""
    doc = load(TextSettings().model)(text)
    return [(doc[h.start : h.end].text, h.terms[0].label) for h in lexicon.hits(doc, words_of(doc))]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("two Granny-Smith apples", "granny smith apple"),
        ("the lungs of mice", "mouse"),
        ("He was baking a cake", "bake"),
        ("She bakes it daily", "bake"),
        ("the rights of way", "right of way"),
        ("caf\u00e9s", "cafe\u0301"),
        ("C++ compilers", "c++ compiler"),
        ("three-phase motors", "three phase motor"),
    ],
)
def test_a_name_is_found_in_its_inflected_forms(text: str, name: str) -> None:
    lexicon = Lexicon({name: [term(name)]})
    assert [label for _, label in found(text, lexicon)] == [name]


@pytest.fixture(scope="module")
def large() -> Lexicon:
    names = {f"part {n} of engine {n % 97}": [term(f"part {n}")] for n in range(60_000)}
    names |= {f"valve {n}": [term(f"valve {n}")] for n in range(40_000)}
    return Lexicon(names | {"valve": [term("valve")]})


def test_among_a_hundred_thousand_each_is_found_and_no_other(large: Lexicon) -> None:
    text = "Valves 7 and valve 39999 fit part 59999 of engine 53, not part 59999 of engine 54 or valve 40000."
    assert large.size >= 100_000
    assert found(text, large) == [
        ("Valves 7", "valve 7"),
        ("valve 39999", "valve 39999"),
        ("part 59999 of engine 53", "part 59999"),
        ("valve", "valve"),
    ]


WORD = st.sampled_from(("oil", "olive", "virgin", "of", "press", "mill", "oxford", "university"))
NAME = st.lists(WORD, min_size=1, max_size=4).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(names=st.sets(NAME, max_size=12), text=st.lists(WORD, max_size=12).map(" ".join))
def test_the_trie_finds_what_a_search_by_hand_finds(names: set[str], text: str) -> None:
    doc = load(TextSettings().model)(text)
    words = words_of(doc)
    lexicon = Lexicon({name: [term(name)] for name in names})
    hits = [(h.start, h.end) for h in lexicon.hits(doc, words)]
    forms = [set(w[1]) for w in words]
    expected, at = [], 0
    while at < len(words):
        ends = [
            at + len(parts)
            for parts in map(fold, names)
            if at + len(parts) <= len(words) and all(p in f for p, f in zip(parts, forms[at:], strict=False))
        ]
        end = max(ends, default=0)
        if end and (end - at > 1 or lexicon._hit(doc, at, end, ()) is not None):
            expected.append((at, end))
            at = end
        else:
            at += 1
    assert hits == expected
    inner = [(h.start, h.end) for hit in lexicon.hits(doc, words) for h in lexicon.inside(doc, words, hit)]
    assert all(any(a <= b and c <= d and (a, d) != (b, c) for a, d in hits) for b, c in inner)
