"""An ontology of works and the people, firms and places behind them, and a text extractor for it, built once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kgfuse.extract.settings import ExtractSettings
from kgfuse.extract.text import TextExtractor, build
from kgfuse.ontology.pack import load_pack
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.mentions import Mention, Statement, TextSpan, Value
from tests.extract.conftest import text_source

WORKS = """
@prefix w: <http://example.org/works#> .
@prefix kgf: <https://w3id.org/kgfuse#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix qudt: <http://qudt.org/schema/qudt/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix unit: <http://qudt.org/vocab/unit/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
w:Person a owl:Class ; rdfs:label "person"@en ; kgf:nerLabel "PERSON" .
w:Organisation a owl:Class ; rdfs:label "organisation"@en ; kgf:nerLabel "ORG" .
w:Company a owl:Class ; rdfs:subClassOf w:Organisation ; rdfs:label "company"@en .
w:Film a owl:Class ; rdfs:label "film"@en .
w:Place a owl:Class ; rdfs:label "place"@en ; kgf:nerLabel "GPE", "LOC" .
w:Organ a owl:Class ; rdfs:label "organ"@en .
w:directed a owl:ObjectProperty ; rdfs:label "directed"@en ; rdfs:domain w:Person ; rdfs:range w:Film .
w:founded a owl:ObjectProperty ; rdfs:label "founded"@en ; rdfs:domain w:Person ; rdfs:range w:Organisation .
w:acquired a owl:ObjectProperty ; rdfs:label "acquired"@en ; rdfs:domain w:Company ; rdfs:range w:Company .
w:bornIn a owl:ObjectProperty ; rdfs:label "was born in"@en ; rdfs:domain w:Person ; rdfs:range w:Place .
w:basedIn a owl:ObjectProperty ; rdfs:label "is based in"@en ; rdfs:range w:Place .
w:won a owl:ObjectProperty ; rdfs:label "won"@en .
w:advises a owl:ObjectProperty ; rdfs:label "advises"@en .
w:affects a owl:ObjectProperty ; rdfs:label "affects"@en ; rdfs:range w:Organ .
w:released a owl:DatatypeProperty ; rdfs:label "was released in"@en ; rdfs:range xsd:gYear .
w:height a owl:DatatypeProperty ; rdfs:label "rises to"@en ; rdfs:range xsd:decimal ; kgf:unit unit:M .
w:weighs a owl:ObjectProperty ; rdfs:label "weighs"@en ; rdfs:range qudt:QuantityValue .
w:code a owl:DatatypeProperty ; rdfs:label "carries"@en ; rdfs:range xsd:string .
w:codeShape sh:path w:code ; sh:pattern "^[A-Z]{2}-[0-9]{3}$" .
w:northKorea a w:Place ; rdfs:label "North Korea"@en .
w:southKorea a w:Place ; rdfs:label "South Korea"@en .
w:leftLung a w:Organ ; rdfs:label "left lung"@en .
w:rightLung a w:Organ ; rdfs:label "right lung"@en .
w:oxford a w:Place ; rdfs:label "Oxford"@en .
w:universityOfOxford a w:Organisation ; rdfs:label "University of Oxford"@en .
w:mercuryTown a w:Place ; rdfs:label "Mercury"@en .
w:mercuryFilm a w:Film ; rdfs:label "Mercury"@en .
w:inception a w:Film ; rdfs:label "Inception"@en .
"""


@pytest.fixture(scope="session")
def works(tmp_path_factory: pytest.TempPathFactory) -> TextExtractor:
    file = tmp_path_factory.mktemp("works") / "works.ttl"
    file.write_text(WORKS, encoding="utf-8")
    return build(Vocabulary([load_pack(Path(file))]), ExtractSettings())


def spell(node: Mention | Value | str) -> str:
    """A node as a test writes it."""
    if isinstance(node, Mention):
        return node.label if node.entity is None else node.entity.rsplit("#", 1)[-1].rsplit("/", 1)[-1]
    return node.lexical if isinstance(node, Value) else node.rsplit("#", 1)[-1]


def exact(mention: Mention) -> str:
    assert isinstance(mention.selector, TextSpan)
    return mention.selector.exact


Reads = Callable[..., dict[str, list[str]]]


@pytest.fixture(scope="session")
def reads(works: TextExtractor) -> Reads:
    """What a text says as "subject predicate object", with the words that each rests on but for the sentence."""

    def run(text: str, label: str | None = None) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for s in works.extract(text_source(text, label)):
            if isinstance(s, Mention):
                assert isinstance(s.selector, TextSpan)
                assert text[s.selector.start : s.selector.end] == s.selector.exact
            elif isinstance(s, Statement) and s.predicate.startswith("http://example.org"):
                words = [exact(m) for m in s.evidence if m.extractor != "text.sentence"]
                found.setdefault(f"{spell(s.subject)} {spell(s.predicate)} {spell(s.object)}", words)
        return found

    return run
