"""Lexicon, values and preprocessing by themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgfuse.encode.preprocess_text import Clean, Fold, Lemmas, Sentences, StopWords, TextPipeline, sentences
from kgfuse.errors import ModelError
from kgfuse.extract.settings import TextSettings
from kgfuse.extract.text import TextExtractor
from kgfuse.extract.text.lexicon import Lexicon, words_of
from kgfuse.extract.text.nlp import load
from kgfuse.extract.values import date, number, value_of, year
from kgfuse.ontology.pack import Term
from kgfuse.terms.namespaces import XSD


def term(name: str) -> Term:
    return Term("http://example.org/" + name.replace(" ", "-"), name, (name,), (), "individual")


def names(text: str, *known: str) -> list[str]:
    doc = load(TextSettings().model)(text)
    hits = Lexicon({k: [term(k)] for k in known}).hits(doc, words_of(doc))
    return [doc[h.start : h.end].text for h in hits]


def test_the_longest_name_wins() -> None:
    assert names("Fry it in olive oil or oil.", "oil", "olive oil") == ["olive oil", "oil"]


def test_plurals_hyphens_and_case_do_not_matter() -> None:
    assert names("Granny-Smith apples and BERRIES", "granny smith apple", "berry") == ["Granny-Smith apples", "BERRIES"]


def test_a_name_never_starts_inside_a_word() -> None:
    assert names("The category of cats", "cat") == ["cats"]


def test_decomposed_letters_match_composed_ones() -> None:
    assert names("a cafe\u0301 nearby", "caf\u00e9") == ["cafe\u0301"]


def test_one_name_among_a_hundred_thousand_is_found() -> None:
    nlp = load(TextSettings().model)
    doc = nlp("The old stone bridge crosses item 77777 near the river. " * 40)
    large = Lexicon({f"item {n}": [term(f"item {n}")] for n in range(100_000)} | {"river": [term("river")]})
    assert len(large.hits(doc, words_of(doc))) == 80


def test_values_are_normalised_by_datatype() -> None:
    assert value_of("about 1,200", (XSD + "integer",)) is not None
    assert [number("one hundred and five"), number("2.50"), number("no number")] == ["105", "2.5", None]
    assert [date("the 3rd of March 1998"), date("30 February 2000")] == ["1998-03-03", None]
    assert [year("around 1758"), year("in ١٩٦٩")] == ["1758", "1969"]
    assert value_of("2.5", (XSD + "integer",)) is None


def test_a_missing_pipeline_says_what_to_do() -> None:
    with pytest.raises(ModelError, match="no_such_pipeline"):
        load("no_such_pipeline")


def test_the_model_s_hash_is_recorded(extractor: TextExtractor) -> None:
    assert len(str(extractor.parameters["model_sha256"])) == 64


def test_a_text_pipeline_is_recorded_and_repeatable() -> None:
    pipeline = TextPipeline(steps=(Clean(), Fold(), StopWords(), Lemmas()))
    assert TextPipeline.model_validate_json(pipeline.model_dump_json()) == pipeline
    assert pipeline.bag("The foxes and the fox were running.") == {"fox": 2, "run": 1}


def test_former_settings_of_a_text_pipeline_are_read() -> None:
    former = {"unicode": "NFKC", "case": True, "stop_words": True, "lemmas": True, "sentences": 2}
    steps = (Clean(unicode="NFKC"), Sentences(most=2), Fold(), StopWords(), Lemmas())
    assert TextPipeline.model_validate(former) == TextPipeline(steps=steps)
    assert TextPipeline.model_validate({"unicode": "NFC", "spaces": True, "punctuation": True}) == TextPipeline()
    assert TextPipeline.model_validate({"punctuation": False}).apply("An owl, awake!") == "An owl awake"


@given(st.text(max_size=300))
def test_sentences_keep_their_offsets_and_lose_no_letter(text: str) -> None:
    found = sentences(text)
    assert all(text[a:b] == s for a, b, s in found)
    assert "".join("".join(s.split()) for _, _, s in found) == "".join(text.split())


@given(st.text(max_size=100))
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    once = TextPipeline().apply(text)
    assert TextPipeline().apply(once) == once
