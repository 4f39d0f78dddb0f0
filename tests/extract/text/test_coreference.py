"""What pronouns, surnames and "the film" stand for, with the words that tell; and what is left open."""

from __future__ import annotations

import pytest

from kgfuse.extract.text import TextExtractor
from kgfuse.terms.mentions import Mention, Statement, TextSpan
from tests.extract.conftest import text_source
from tests.extract.text.conftest import Reads


@pytest.mark.parametrize(
    ("text", "said", "words"),
    [
        (
            "Marie Curie was born in Warsaw. She founded the Radium Institute.",
            "Marie Curie founded Radium Institute",
            ["She", "Radium Institute", "Marie Curie"],
        ),
        (
            "Inception was released in 2010. It won a medal.",
            "inception won medal",
            ["It", "medal", "Inception"],
        ),
        (
            "Inception was released in 2010. The film won a medal.",
            "inception won medal",
            ["The film", "medal", "Inception"],
        ),
        (
            "Inception was released in 2010. Christopher Nolan directed the film.",
            "Christopher Nolan directed inception",
            ["Christopher Nolan", "the film", "Inception"],
        ),
        (
            "Acme Corporation is based in Berlin. The company acquired Widget Limited.",
            "Acme Corporation acquired Widget Limited",
            ["The company", "Widget Limited", "Acme Corporation"],
        ),
        (
            "Marie Curie was born in Warsaw. Curie founded the Radium Institute.",
            "Marie Curie founded Radium Institute",
            ["Curie", "Radium Institute", "Marie Curie"],
        ),
        (
            "Anna Novak says that she was born in Prague.",
            "Anna Novak bornIn Prague",
            ["she", "Prague", "Anna Novak"],
        ),
        (
            "The owls are rare. They won a medal.",
            "owl won medal",
            ["They", "medal", "owls"],
        ),
    ],
)
def test_the_antecedent_is_named_and_its_words_are_evidence(
    reads: Reads, text: str, said: str, words: list[str]
) -> None:
    assert reads(text)[said] == words


def test_a_chain_of_pronouns_goes_back_to_the_name(reads: Reads) -> None:
    found = reads("Christopher Nolan directed Inception. He was born in London. He met Emma Thomas. He won a medal.")
    assert found["Christopher Nolan won medal"] == ["He", "medal", "Christopher Nolan"]


def test_a_title_tells_which_of_two_is_meant(reads: Reads) -> None:
    found = reads("Mr. Brown met Mrs. White. She was born in Paris. He was born in Rome.")
    assert {"White bornIn Paris", "Brown bornIn Rome"} <= found.keys()


@pytest.mark.parametrize(
    "text",
    [
        "John Smith met Peter Jones. He was born in Paris.",
        "Anna Novak told Mary Jones that she was born in Prague.",
        "Anna Novak and Mary Jones met in Rome. They founded Acme Corporation.",
        "She was born in Paris.",
        "The river is long. He was born in Paris.",
    ],
)
def test_where_two_fit_or_none_nothing_is_said(reads: Reads, text: str) -> None:
    assert reads(text) == {}


def test_the_company_is_neither_of_two_companies(reads: Reads) -> None:
    assert reads("Acme Corporation acquired Widget Limited. The company is based in Berlin.").keys() == {
        "Acme Corporation acquired Widget Limited"
    }
    found = reads("Acme Corporation is based in Berlin. Beta Corporation is based in Rome. The company won a medal.")
    assert not any("won" in said for said in found)


def test_a_surname_that_two_share_stays_itself(reads: Reads) -> None:
    assert reads("Marie Curie met Pierre Curie. Curie was born in Paris.").keys() == {"Curie bornIn Paris"}


def test_what_is_far_back_is_not_taken_up(reads: Reads) -> None:
    filler = "The weather was fine. " * 5
    assert not any("won" in said for said in reads(f"Marie Curie was born in Warsaw. {filler}She won a medal."))


def test_the_document_s_subject_is_taken_up_with_the_place_that_names_it(reads: Reads) -> None:
    found = reads(
        "Inception is a film by Christopher Nolan. The film was released in 2010. It won a medal.", "Inception"
    )
    assert found["inception released 2010"] == ["film", "2010", "Inception"]
    assert found["inception won medal"] == ["It", "medal", "Inception"]


def test_the_reason_says_what_stands_for_what(works: TextExtractor) -> None:
    text = "Marie Curie was born in Warsaw. She won a medal."
    (said,) = [s for s in works.extract(text_source(text, None)) if isinstance(s, Statement) and "won" in s.predicate]
    assert "She = “Marie Curie” (0–11)" in said.reason
    antecedent = [m for m in said.evidence if isinstance(m.selector, TextSpan) and m.selector.start == 0]
    assert any(m.label == "Marie Curie" for m in antecedent)
    assert isinstance(said.subject, Mention)
    assert said.confidence < 0.9
