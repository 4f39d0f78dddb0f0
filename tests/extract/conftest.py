"""A small ontology and a text extractor for it, built once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kgfuse.extract.settings import ExtractSettings
from kgfuse.extract.text import TextExtractor, build
from kgfuse.ontology.pack import load_pack
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.mentions import Mention, Source, Statement, Value
from kgfuse.terms.namespaces import digest, item_iri, source_iri

ZOO = """
@prefix z: <http://example.org/zoo#> .
@prefix kgf: <https://w3id.org/kgfuse#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
z:Animal a owl:Class ; rdfs:label "animal"@en ; owl:disjointWith z:Habitat, z:Colour, z:Place .
z:Bird a owl:Class ; rdfs:subClassOf z:Animal ; rdfs:label "bird"@en .
z:Mammal a owl:Class ; rdfs:subClassOf z:Animal ; rdfs:label "mammal"@en ; owl:disjointWith z:Bird .
z:Habitat a owl:Class ; rdfs:label "habitat"@en ; owl:disjointWith z:Colour .
z:Colour a owl:Class ; rdfs:label "colour"@en .
z:Food a owl:Class ; rdfs:label "food"@en ; owl:disjointWith z:Habitat, z:Colour .
z:Part a owl:Class ; rdfs:label "part"@en .
z:Material a owl:Class ; rdfs:label "material"@en .
z:Place a owl:Class ; rdfs:label "place"@en ; kgf:nerLabel "GPE", "LOC" .
z:Use a owl:Class ; rdfs:label "use"@en .
z:eats a owl:ObjectProperty ; rdfs:label "eats"@en ; kgf:trigger "feeds on" ; rdfs:domain z:Animal ; rdfs:range z:Food .
z:livesIn a owl:ObjectProperty ; rdfs:label "lives in"@en ; kgf:trigger "is found in", "is at home in" ;
    rdfs:domain z:Animal ; rdfs:range z:Habitat .
z:hasPart a owl:ObjectProperty ; rdfs:label "has part"@en ; kgf:trigger "has" ; rdfs:range z:Part .
z:madeOf a owl:ObjectProperty ; rdfs:label "made of"@en ; rdfs:range z:Material .
z:usedFor a owl:ObjectProperty ; rdfs:label "used for"@en ; rdfs:range z:Use .
z:nativeTo a owl:ObjectProperty ; rdfs:label "is native to"@en ; rdfs:range z:Place .
z:colour a owl:ObjectProperty ; rdfs:label "has colour"@en ; rdfs:range z:Colour ; kgf:mentionSuffices true .
z:kind a owl:ObjectProperty ; rdfs:label "belongs to"@en ; kgf:trigger "is a kind of" ; rdfs:range rdfs:Class ;
    kgf:revealsLabel true .
z:legs a owl:DatatypeProperty ; rdfs:label "legs"@en ; kgf:trigger "stands on" ; rdfs:range xsd:integer .
z:discovered a owl:DatatypeProperty ; rdfs:label "discovered"@en ; kgf:trigger "was discovered in" ;
    rdfs:range xsd:gYear .
z:forest a z:Habitat ; skos:prefLabel "forest"@en ; skos:altLabel "woods"@en .
z:river a z:Habitat ; skos:prefLabel "river"@en .
z:mouse a z:Food ; skos:prefLabel "mouse"@en .
z:insect a z:Food ; skos:prefLabel "insect"@en .
z:seed a z:Food ; skos:prefLabel "seed"@en .
z:oliveOil a z:Food ; skos:prefLabel "olive oil"@en .
z:red a z:Colour ; skos:prefLabel "red"@en .
z:white a z:Colour ; skos:prefLabel "white"@en .
z:tail a z:Part ; skos:prefLabel "tail"@en .
z:wing a z:Part ; skos:prefLabel "wing"@en .
z:steel a z:Material ; skos:prefLabel "steel"@en .
z:wood a z:Material ; skos:prefLabel "wood"@en .
z:fishing a z:Use ; skos:prefLabel "fishing"@en .
z:cooking a z:Use ; skos:prefLabel "cooking"@en .
"""

Z = "http://example.org/zoo#"


@pytest.fixture(scope="session")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    folder = tmp_path_factory.mktemp("zoo")
    pattern = (
        '{"property": "z:eats", "pattern": [{"RIGHT_ID": "v", "RIGHT_ATTRS": {"LEMMA": "gobble"}},'
        ' {"LEFT_ID": "v", "REL_OP": ">", "RIGHT_ID": "o", "RIGHT_ATTRS": {"DEP": "dobj"}}], "object": "o"}'
    )
    Path(folder, "ontology.ttl").write_text(ZOO, encoding="utf-8")
    Path(folder, "patterns.jsonl").write_text(pattern + "\n", encoding="utf-8")
    about = 'name = "zoo"\nversion = "1"\ndescription = "a small zoo"\nlicence = "CC0-1.0"\n'
    about += '[prefixes]\nz = "http://example.org/zoo#"\n'
    Path(folder, "pack.toml").write_text(about, encoding="utf-8")
    return Vocabulary([load_pack(folder)])


@pytest.fixture(scope="session")
def extractor(zoo: Vocabulary) -> TextExtractor:
    return build(zoo, ExtractSettings())


def text_source(text: str, label: str | None = "Fox", name: str = "fox.txt") -> Source:
    """A text about an item with this label, or about nothing in particular."""
    return Source(
        iri=source_iri(name),
        name=name,
        kind="text",
        media_type="text/plain",
        sha256=digest(text),
        item=item_iri(label.casefold()) if label else None,
        item_label=label,
        item_types=(Z + "Animal",) if label else (),
        text=text,
    )


_PREFIX = {"negated": "not ", "speculated": "maybe ", "attributed": "they say "}


def spell(node: Mention | Value | str) -> str:
    """A node as a test writes it."""
    if isinstance(node, Value):
        return node.lexical
    iri = node.entity if isinstance(node, Mention) else node
    if iri is None:
        assert isinstance(node, Mention)
        return f"~{node.label}"
    return iri.replace(Z, "z:").replace("https://w3id.org/kgfuse/item/", "item:").rsplit("#", 1)[-1]


@pytest.fixture(scope="session")
def says(extractor: TextExtractor) -> Callable[..., set[str]]:
    """Statements of a text as "subject predicate object", denied ones with a leading "not"."""

    def run(text: str, label: str | None = "Fox", *, mentions: bool = False) -> set[str]:
        found = [s for s in extractor.extract(text_source(text, label)) if isinstance(s, Statement)]
        return {
            ("" if s.assertion == "asserted" else _PREFIX[s.assertion]) + f"{spell(s.subject)} {spell(s.predicate)} {spell(s.object)}"
            for s in found
            if mentions or not s.predicate.endswith("#mentions")
        }

    return run
