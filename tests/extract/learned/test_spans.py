"""Places that arguments may take: their ends are those of names, phrases and values, and they lie in the text."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kgfuse.encode.reader import is_proposed
from kgfuse.extract.learned.artefact import RelationReader
from kgfuse.extract.learned.decode import candidates
from kgfuse.extract.learned.spans import MOST, proposed, word_places
from kgfuse.extract.learned.tokens import padded_places, tokenise
from tests.extract.learned.conftest import SCHEMA, sentences


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "The Acharya Institute of Technology is in Bangalore, Karnataka.",
            {"Acharya Institute of Technology", "Bangalore", "Karnataka", "The Acharya Institute of Technology"},
        ),
        ("Spirited Away is a 2001 Japanese animated fantasy film.", {"Spirited Away", "2001", "fantasy film", "film"}),
        ('Its motto is "Nurturing Excellence".', {'"Nurturing Excellence"', "Nurturing Excellence"}),
        ("Alan Shepard's ship weighs 12,500 kg.", {"Alan Shepard", "ship", "12,500"}),
        ("It’s the “Ícolo” of Ana.", {"Ícolo", "Ana"}),
        ("", set()),
        ("and of", set()),
    ],
)
def test_names_phrases_and_values_are_proposed(text: str, wanted: set[str]) -> None:
    (found,) = proposed([text])
    assert wanted <= {text[start:end] for start, end in found}
    if not wanted:
        assert not found


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=80), max_size=3))
def test_places_lie_in_the_text_and_do_not_depend_on_others(texts: list[str]) -> None:
    for text, found in zip(texts, proposed(texts), strict=True):
        assert found == tuple(sorted(set(found)))
        for start, end in found:
            assert 0 <= start < end <= len(text)
            assert text[start:end].strip()
        assert proposed([text]) == [found]


def test_long_and_hostile_texts_cost_no_more_than_their_beginning(reader: RelationReader) -> None:
    texts = ["Ann" + " " * 300_000 + "Bob", '"' * 50_000, "x " * 1_000_000, "A of " * 30_000, "1" + "," * 200_000 + "x"]
    assert all(end <= 1_500 for found in proposed(texts) for _, end in found)
    rows = word_places(tokenise(reader.tokenizer, texts), texts)
    assert all(len(row) <= MOST for row in rows)
    assert len(reader.read(texts, SCHEMA)) == len(texts)


def test_places_are_whole_words_that_are_read(reader: RelationReader) -> None:
    texts = [e.text for e in sentences(20, 9)] + ["Oslo " * 400]
    tokens = tokenise(reader.tokenizer, texts)
    rows = word_places(tokens, texts)
    assert len(rows[-1]) <= MOST
    for words, row in zip(tokens, rows, strict=True):
        assert all(0 <= first <= last < len(words.begin) for first, last in row)
    assert all(rows[:-1])


def test_proposed_places_are_candidates_though_the_reader_would_not_find_them(reader: RelationReader) -> None:
    texts = ["Velvet Lantern, which Greta Moreau and her friends like, was lost by Nils Petrov of Bergen."]
    tokens = tokenise(reader.tokenizer, texts)
    vectors = reader._vectors_of(SCHEMA)
    (row,) = candidates(reader.reader, texts, tokens, vectors, -100.0)
    named = {texts[0][slice(*c.object)] for c in row if c.named[1]}
    assert {"Greta Moreau", "Nils Petrov", "Bergen"} <= named
    assert len({(c.relation, c.subject, c.object) for c in row}) == len(row)
    own = {c.object for c in row if not c.named[1]}
    assert not own & {c.object for c in row if c.named[1]}


def test_membership_is_of_both_ends() -> None:
    places = padded_places([[(0, 1), (3, 3)], []], 4)
    assert places.shape == (2, 8, 2)
    begin, end = torch.tensor([[[[0, 0, 3, -1]]]] * 2), torch.tensor([[[[1, 2, 3, -1]]]] * 2)
    assert is_proposed(places, begin, end).tolist() == [[[[True, False, True, False]]], [[[False] * 4]]]
