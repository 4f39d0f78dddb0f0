"""A relation's description is read in three parts, each of which has word pieces whatever it is called."""

from __future__ import annotations

import pytest
import torch

from kgfuse.extract.learned.artefact import RelationReader
from kgfuse.extract.learned.tokens import MAX_PIECES, described, padded_descriptions


def test_parts_are_the_pieces_of_label_domain_and_range(reader: RelationReader) -> None:
    (one,) = described(reader.tokenizer, [("filming location", "film or show", "city")])
    pieces = reader.tokenizer.convert_ids_to_tokens(list(one.ids))
    assert [pieces[a:b] for a, b in one.parts] == [["filming", "location"], ["film", "or", "show"], ["city"]]


@pytest.mark.parametrize(
    "parts",
    [
        ("to: to", "to to", ": to :"),
        ("", "", ""),
        ("\u202e", "\ud800", "\u0301"),
        ("many " * 300, "thing", "value"),
        ("owns", "many " * 300, "value"),
    ],
)
def test_no_part_is_empty(reader: RelationReader, parts: tuple[str, str, str]) -> None:
    found = described(reader.tokenizer, [parts, ("director", "film", "human")])
    assert all(len(one.ids) <= MAX_PIECES for one in found)
    ids, mask, where = padded_descriptions(found)
    assert (where & mask[:, None] == where).all()
    assert where.any(-1).all()
    vectors = reader.reader.describe(ids, mask, where)
    assert vectors.shape == (2, 3, reader.reader.kind.shape[1])
    assert torch.isfinite(vectors).all()


def test_words_that_look_like_the_signs_between_parts_stay_in_their_part(reader: RelationReader) -> None:
    (one,) = described(reader.tokenizer, [("travels to: far", "person to be", "town")])
    pieces = reader.tokenizer.convert_ids_to_tokens(list(one.ids))
    assert [pieces[a:b] for a, b in one.parts] == [["travels", "to", ":", "far"], ["person", "to", "be"], ["town"]]
