"""What the writing in a picture says: a text's statements, with boxes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from kgfuse.extract.image.extractor import SHOWS_TEXT, ImageExtractor
from kgfuse.extract.image.settings import ImageSettings
from kgfuse.extract.image.wording import Line, Wording, as_text, plain_case
from kgfuse.extract.settings import TextSettings
from kgfuse.extract.text.statements import MENTIONS
from kgfuse.ontology.pack import load_pack
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.mentions import Mention, Region, Source, Statement

EX = "https://example.org/"
PACK = """
@prefix : <https://example.org/> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix kgf: <https://w3id.org/kgfuse#> .
:Bridge a owl:Class ; rdfs:label "bridge" .
:River a owl:Class ; rdfs:label "river" .
:Drink a owl:Class ; rdfs:label "drink" .
:Espresso a owl:Class ; rdfs:subClassOf :Drink ; rdfs:label "espresso" .
:elbe a :River ; rdfs:label "Elbe" .
:crosses a owl:ObjectProperty ; rdfs:label "crosses" ; rdfs:domain :Bridge ; rdfs:range :River ; kgf:trigger "crosses" .
"""
ITEM = Source(EX + "source", "sign.png", "image", "image/png", "0" * 64, item=EX + "item", item_label="photo 1")


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    path = tmp_path_factory.mktemp("pack") / "small.ttl"
    path.write_text(PACK, encoding="utf-8")
    return Vocabulary([load_pack(path)])


@pytest.fixture(scope="module")
def wording(vocabulary: Vocabulary) -> Wording:
    return Wording(vocabulary, TextSettings())


def line(text: str, y: int = 10, confidence: float = 0.9) -> Line:
    return Line(text, Region(10, y, 200, 30), confidence)


def said(wording: Wording, *lines: Line, source: Source = ITEM) -> list[Statement]:
    return [one for one in wording.found(lines, source) if isinstance(one, Statement)]


def test_a_sentence_over_two_lines_is_a_statement_with_the_box_of_both(wording: Wording) -> None:
    found = said(wording, line("The Harbour Bridge", 10), line("crosses the Elbe.", 45))
    (crosses,) = (s for s in found if s.predicate == EX + "crosses")
    assert isinstance(crosses.object, Mention)
    assert crosses.object.entity == EX + "elbe"
    assert crosses.object.selector == Region(10, 45, 200, 30)
    assert Region(10, 10, 200, 65) in {m.selector for m in crosses.evidence}
    assert all(isinstance(m.selector, Region) and m.source == ITEM.iri for m in crosses.evidence)
    assert crosses.confidence < 0.9


def test_a_sign_that_names_a_thing_or_a_class_is_enough(wording: Wording) -> None:
    found = {
        s.object.entity: s for s in said(wording, line("ELBE"), line("ESPRESSO", 200)) if isinstance(s.object, Mention)
    }
    assert set(found) == {EX + "elbe", EX + "Espresso"}
    assert {s.predicate for s in found.values()} == {MENTIONS}
    assert found[EX + "Espresso"].evidence[0].selector == Region(10, 200, 200, 30)


def test_lines_that_stand_apart_are_no_sentence() -> None:
    text, starts = as_text([line("The Harbour Bridge", 10), line("crosses the Elbe.", 300)])
    assert text == "The Harbour Bridge\n\ncrosses the Elbe."
    assert [text[start:][:3] for start in starts] == ["The", "cro"]


def test_a_heading_is_no_part_of_the_sentence_below_it() -> None:
    assert as_text([line("CAUTION", 10), line("The bridge", 45), line("is closed", 80)])[0] == (
        "Caution\n\nThe bridge\nis closed"
    )
    assert as_text([line("THE BRIDGE", 10), line("is closed", 45)])[0] == "The Bridge\nis closed"


def test_capitals_become_a_title_of_the_same_length() -> None:
    assert plain_case("UNIVERSITY OF HAMBURG") == "University of Hamburg"
    assert plain_case("Platform 4B") == "Platform 4B"
    assert all(len(plain_case(t)) == len(t) for t in ("STRASSE", "İSTANBUL", "ﬁ", "NHS", ""))


def test_writing_in_another_language_is_left_alone(wording: Wording) -> None:
    german = "Diese Brücke über die Elbe ist wegen Bauarbeiten bis auf weiteres gesperrt, bitte benutzen Sie die Fähre."
    assert said(wording, line(german)) == []


def test_a_picture_without_an_item_mentions_nothing(wording: Wording) -> None:
    alone = Source(EX + "source", "sign.png", "image", "image/png", "0" * 64)
    assert said(wording, line("ELBE"), source=alone) == []


def test_the_picture_extractor_reads_what_is_written(vocabulary: Vocabulary, tmp_path: Path) -> None:
    image = Image.new("RGB", (520, 160), "white")
    ImageDraw.Draw(image).text((40, 50), "ESPRESSO BAR", fill="black", font=ImageFont.load_default(52))
    image.save(tmp_path / "sign.png")
    sha = hashlib.sha256((tmp_path / "sign.png").read_bytes()).hexdigest()
    source = Source(EX + "source", "sign.png", "image", "image/png", sha, item=EX + "item", path=tmp_path / "sign.png")
    extractor = ImageExtractor(vocabulary, ImageSettings(device="cpu"), TextSettings())
    found = [one for one in extractor.extract(source) if isinstance(one, Statement)]
    (shown,) = (s for s in found if s.predicate == SHOWS_TEXT)
    (named,) = (s for s in found if s.predicate == MENTIONS)
    assert isinstance(named.object, Mention)
    assert named.object.entity == EX + "Espresso"
    assert named.object.selector == shown.evidence[0].selector
    plain = ImageExtractor(vocabulary, ImageSettings(device="cpu"))
    assert not any(isinstance(s, Statement) and s.predicate == MENTIONS for s in plain.extract(source))
    assert plain.fingerprint != extractor.fingerprint
