"""An ontology with nothing but labels: what its nouns and participles name is read from the words that texts use."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgfuse.extract.settings import ExtractSettings
from kgfuse.extract.text import TextExtractor, build
from kgfuse.extract.text.paraphrase import paraphrases
from kgfuse.ontology.pack import load_pack
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.mentions import Statement
from tests.extract.conftest import text_source
from tests.extract.text.conftest import spell

_DATES = ("opened", "birth date", "founding year", "died")
_FIGURES = ("length", "height", "weight", "age", "number of employees", "revenue")
_THINGS = (
    "founder",
    "headquarters",
    "chief executive officer",
    "symptoms",
    "author",
    "owner",
    "birth place",
    "built by",
)
_PREFIXES = "".join(
    f"@prefix {name}: <{iri}> .\n"
    for name, iri in {
        "p": "http://example.org/plain#",
        "owl": "http://www.w3.org/2002/07/owl#",
        "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
        "xsd": "http://www.w3.org/2001/XMLSchema#",
    }.items()
)


def _name(label: str) -> str:
    return label.replace(" ", "-")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> TextExtractor:
    lines = [_PREFIXES, 'p:Pump a owl:Class ; rdfs:label "pump" .']
    for kind, labels, extent in (
        ("Datatype", _DATES, "xsd:date"),
        ("Datatype", _FIGURES, "xsd:decimal"),
        ("Object", _THINGS, ""),
    ):
        for label in labels:
            taken = "xsd:gYear" if label == "founding year" else extent
            ranges = f" ; rdfs:range {taken}" if taken else ""
            lines.append(f'p:{_name(label)} a owl:{kind}Property ; rdfs:label "{label}"{ranges} .')
    file = tmp_path_factory.mktemp("plain") / "plain.ttl"
    file.write_text("\n".join(lines), encoding="utf-8")
    return build(Vocabulary([load_pack(Path(file))]), ExtractSettings())


def said(extractor: TextExtractor, text: str) -> set[str]:
    found = [s for s in extractor.extract(text_source(text, None)) if isinstance(s, Statement)]
    return {
        f"{spell(s.subject)} {spell(s.predicate)} {spell(s.object)}"
        for s in found
        if s.predicate.startswith("http://example.org")
    }


SAYS = [
    ("The Mill Bridge was opened on 3 May 1932.", "Mill Bridge opened 1932-05-03"),
    ("The Old Bridge opened on 4 June 1950 in Rome.", "Old Bridge opened 1950-06-04"),
    ("The Red Bridge, opened on 3 May 1932, is old.", "Red Bridge opened 1932-05-03"),
    ("Anna Keller was born in Rome on 3 May 1950.", "Anna Keller birth-date 1950-05-03"),
    ("Anna Keller was born in Rome on 3 May 1950.", "Anna Keller birth-place Rome"),
    ("Anna Keller died on 4 June 1999.", "Anna Keller died 1999-06-04"),
    ("Acme Ltd was founded by Jane Miller in 1976.", "Acme Ltd founding-year 1976"),
    ("Acme Ltd was founded by Jane Miller in 1976.", "Acme Ltd founder Jane Miller"),
    ("Pump P-101 was built by Siemens in hall 2.", "P-101 built-by Siemens"),
    ("The pump P-102 has a length of 3 m.", "P-102 length 3"),
    ("The weight of pump P-103 is 90 kg.", "P-103 weight 90"),
    ("The length of pump P-103 reached 95 cm.", "P-103 length 95"),
    ("The owner of hall 2 is Siemens.", "hall 2 owner Siemens"),
    ("The film Super Capers, distributed by Acme Ltd, has a revenue of 300 dollars.", "Super Capers revenue 300"),
    ("The novel Zog was written by Jane Miller.", "Zog author Jane Miller"),
    ("Acme Ltd is owned by Beta Ltd in Rome.", "Acme Ltd owner Beta Ltd"),
    ("The Harbour Viaduct has a length of 1,204 m.", "Harbour Viaduct length 1204"),
    ("The Green Bridge is a viaduct with a length of 300 m.", "Green Bridge length 300"),
    ("The Tower Bridge is 244 m long.", "Tower Bridge length 244"),
    ("The Tower Bridge is 65 metres high.", "Tower Bridge height 65"),
    ("The Black Bridge weighs 300 t. It is red.", "Black Bridge weight 300"),
    ("Jane Miller is 43 years old.", "Jane Miller age 43"),
    ("Acme Ltd has 3,200 employees.", "Acme Ltd number-of-employees 3200"),
    ("Acme Ltd has a revenue of 3.2 million dollars.", "Acme Ltd revenue 3200000"),
    ("The headquarters of Acme Ltd are in Berlin.", "Acme Ltd headquarters Berlin"),
    ("Acme Ltd is based in Berlin.", "Acme Ltd headquarters Berlin"),
    ("Acme Ltd was founded in 1976. Its headquarters are in Berlin.", "Acme Ltd headquarters Berlin"),
    (
        "Acme Ltd grew in 1976. Its revenue was 3 million dollars. It has 20 employees.",
        "Acme Ltd number-of-employees 20",
    ),
    ("John Smith, chief executive officer of Acme Ltd, was ill.", "Acme Ltd chief-executive-officer John Smith"),
    ("Symptoms of influenza include fever.", "influenza symptoms fever"),
    ("Common symptoms of influenza are fever and cough.", "influenza symptoms fever"),
]


@pytest.mark.parametrize(("text", "expected"), SAYS, ids=[t for t, _ in SAYS])
def test_a_plain_label_is_said_by(plain: TextExtractor, text: str, expected: str) -> None:
    assert expected in said(plain, text)


NOTHING = [
    "The Mill Bridge was opened by the Queen in Rome.",
    "Acme Ltd was founded by Jane Miller before 1976.",
    "Acme Ltd has a director of operations and a revenue.",
    "Influenza does not have symptoms in Berlin.",
    "Jane Miller was 3 m from the door.",
]


@pytest.mark.parametrize("text", NOTHING)
def test_no_date_or_figure_comes_of_what_is_none(plain: TextExtractor, text: str) -> None:
    things = {_name(label) for label in _THINGS}
    assert [s for s in said(plain, text) if not any(f" {name} " in s for name in things)] == []


def test_a_long_row_of_codes_is_read(plain: TextExtractor) -> None:
    row = " ".join(f"P-{n}" for n in range(4_000))
    assert said(plain, f"Pump {row} has a length of 3 m.") is not None
    assert "P-7 length 3" in said(plain, f"{row}.\n\nPump P-7 has a length of 3 m.")


def test_an_ontology_s_own_words_come_before_paraphrases(plain: TextExtractor) -> None:
    assert paraphrases("builder") == ("is built by",)
    assert said(plain, "The Mill Bridge was built by Jane Miller.") == {"Mill Bridge built-by Jane Miller"}
    assert paraphrases("birth date") == (), "when is only said of what takes a date"
