"""Verbs that the parser takes for nouns, though the ontology knows them as verbs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgfuse.extract.settings import ExtractSettings
from kgfuse.extract.text import TextExtractor, build
from kgfuse.extract.text.misread import Misread
from kgfuse.extract.text.nlp import load
from kgfuse.ontology.pack import load_pack
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.mentions import Mention, Statement
from tests.extract.conftest import spell, text_source

HUNT = """
@prefix h: <http://example.org/hunt#> .
@prefix kgf: <https://w3id.org/kgfuse#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
h:Animal a owl:Class ; rdfs:label "animal"@en .
h:Bird a owl:Class ; rdfs:subClassOf h:Animal ; rdfs:label "bird"@en .
h:activeAt a owl:ObjectProperty ; rdfs:label "active at"@en ; kgf:trigger "hunts at" .
h:eats a owl:ObjectProperty ; rdfs:label "eats"@en ; kgf:trigger "grazes on", "hunts", "catches" .
h:hasPart a owl:ObjectProperty ; rdfs:label "has part"@en ; kgf:trigger "has" .
h:kind a owl:ObjectProperty ; rdfs:label "kind"@en ; kgf:trigger "is counted among" ; rdfs:range rdfs:Class .
h:Time a owl:Class ; rdfs:label "time of day"@en .
h:night a h:Time ; rdfs:label "night"@en .
h:dusk a h:Time ; rdfs:label "dusk"@en .
h:Part a owl:Class ; rdfs:label "part"@en .
h:eye a h:Part ; rdfs:label "eye"@en .
h:goose a owl:Class ; rdfs:subClassOf h:Bird ; rdfs:label "goose"@en .
"""
MISREAD = [
    ("The owl hunts at night.", "owl activeAt night"),
    ("The bat hunts at night.", "bat activeAt night"),
    ("The fox hunts at dusk and eats mice.", "fox activeAt dusk"),
    ("The fox hunts at dusk and eats mice.", "fox eats mice"),
    ("The parrot catches insects.", "parrot eats insect"),
    ("The owl hunts at night. It has large eyes.", "owl hasPart eye"),
]
TRUE_NOUNS = [
    "The fox hunts were banned in 2004.",
    "They love the owl hunts at night.",
    "The fox hunts at dusk were banned.",
    "Night hunts at sea cost money.",
]


@pytest.fixture(scope="module")
def hunting(tmp_path_factory: pytest.TempPathFactory) -> TextExtractor:
    file = Path(tmp_path_factory.mktemp("hunt")) / "hunt.ttl"
    file.write_text(HUNT, encoding="utf-8")
    return build(Vocabulary([load_pack(file)]), ExtractSettings())


def said(extractor: TextExtractor, text: str) -> set[str]:
    found = [s for s in extractor.extract(text_source(text, None)) if isinstance(s, Statement)]
    for s in found:
        for m in s.evidence:
            assert text[m.selector.start : m.selector.end] == m.selector.exact
    words = {f"{_word(s.subject)} {spell(s.predicate)} {_word(s.object)}" for s in found}
    return {w for w in words if " mentions " not in w}


def _word(node: object) -> str:
    return node.label if isinstance(node, Mention) else spell(node)  # type: ignore[arg-type]


@pytest.mark.parametrize(("text", "statement"), MISREAD)
def test_a_verb_of_the_ontology_is_read_as_one(hunting: TextExtractor, text: str, statement: str) -> None:
    assert statement in {s.replace("mouse", "mice") for s in said(hunting, text)}
    assert not any("hunt " in s for s in said(hunting, text)), "no hunt does anything"


@pytest.mark.parametrize("text", TRUE_NOUNS)
def test_nouns_stay_nouns(hunting: TextExtractor, text: str) -> None:
    doc = load("auto")(text)
    assert hunting._misread.mended(doc) is doc


def test_words_that_the_ontology_does_not_know_are_left_to_the_parser(hunting: TextExtractor) -> None:
    bare = Misread(load("auto"), build(Vocabulary([]), ExtractSettings())._triggers)
    doc = load("auto")("The owl hunts at night.")
    assert bare.mended(doc) is doc
    assert hunting._misread.mended(doc) is not doc


@settings(max_examples=40, deadline=None)
@given(
    words=st.lists(st.sampled_from(["the", "owl", "fox", "hunts", "grazes", "at", "night", "eats", ",", ".", "\n\n"]))
)
def test_a_mended_text_has_the_same_words_and_one_tree_a_sentence(hunting: TextExtractor, words: list[str]) -> None:
    doc = load("auto")(" ".join(words))
    mended = hunting._misread.mended(doc)
    assert mended.text == doc.text
    assert [t.idx for t in mended] == [t.idx for t in doc]
    assert [e.text for e in mended.ents] == [e.text for e in doc.ents]
    for sent in mended.sents:
        assert sum(t.head == t for t in sent) == 1
        assert all(t.head in sent for t in sent)


@pytest.mark.parametrize(
    "text",
    [
        "Some people came. When owls are hungry, they have large eyes.",
        "Some people came. Owls, which are shy, live in forests; they have large eyes.",
    ],
)
def test_a_pronoun_takes_up_the_subject_of_the_clause_before(hunting: TextExtractor, text: str) -> None:
    found = said(hunting, text)
    assert "owl hasPart eye" in found or "Owls hasPart eye" in found
    assert not any(s.startswith("people") for s in found)


def test_the_birds_are_not_one_goose_that_was_named_before(hunting: TextExtractor) -> None:
    found = said(hunting, "The goose grazes on the grass. Geese are counted among the birds.")
    assert "goose eats grass" in found
    assert any(s.endswith("kind bird") for s in found)
    assert not any(s.endswith("kind goose") for s in found)


@pytest.mark.parametrize("text", ["the owl hunts at " * 4000, "The owl hunts at, " * 12 + "night."])
def test_a_text_made_to_be_parsed_again_is_not(
    hunting: TextExtractor, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []
    monkeypatch.setattr(Misread, "_again", lambda self, token, sent: tried.append(token))
    doc = load("auto")(text)
    hunting._misread.mended(doc)
    assert len(tried) <= 2 * sum(1 for _ in doc.sents)
    assert len(tried) < 200
