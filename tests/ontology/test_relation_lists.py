"""Ontologies as JSON lists of concepts and relations work like any other ontology file."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from kgfuse.errors import PackError
from kgfuse.extract.settings import ExtractSettings
from kgfuse.extract.text import TextExtractor
from kgfuse.ontology import Vocabulary, load_all
from kgfuse.terms.mentions import Mention, Source, Statement
from kgfuse.terms.namespaces import XSD, source_iri

FILMS = {
    "title": "Films",
    "id": "ont_films",
    "concepts": [
        {"qid": "Q1", "label": "film"},
        {"qid": "Q5", "label": "human"},
        {"qid": "filmStudio", "label": "filmStudio"},
    ],
    "relations": [
        {"pid": "P57", "label": "directedBy", "domain": "Q1", "range": "Q5"},
        {"pid": "P577", "label": "publication date", "domain": "Q1", "range": "date"},
        {"pid": "P1", "label": "made in", "domain": "Q99", "range": ""},
    ],
}


def vocabulary(file: Path) -> Vocabulary:
    return Vocabulary(load_all([str(file)]))


def by_label(found: Vocabulary, label: str) -> str:
    return next(iri for iri, p in found.properties.items() if p.label == label and "relations/" in iri)


@pytest.fixture
def films(tmp_path: Path) -> Path:
    file = tmp_path / "films.json"
    file.write_text(json.dumps(FILMS), encoding="utf-8")
    return file


def test_concepts_become_classes_and_relations_properties(films: Path) -> None:
    found = vocabulary(films)
    directed = found.properties[by_label(found, "directed by")]
    assert [found.label(c) for c in (*directed.domain, *directed.range)] == ["film", "human"]
    date = found.properties[by_label(found, "publication date")]
    assert (date.kind, date.range) == ("data", (XSD + "date",))
    made = found.properties[by_label(found, "made in")]
    assert (made.kind, made.domain, made.range) == ("object", (), ())


def test_texts_are_read_with_it_at_once(films: Path) -> None:
    found = vocabulary(films)
    extractor = TextExtractor(found, ExtractSettings().text)
    text = "Playtime was directed by Jacques Tati."
    source = Source(source_iri("a.txt"), "a.txt", "text", "text/plain", "0" * 64, text=text)
    said = [s for s in extractor.extract(source) if isinstance(s, Statement)]
    assert [
        (s.subject.label, s.predicate, s.object.label)
        for s in said
        if isinstance(s.subject, Mention) and isinstance(s.object, Mention)
    ] == [("Playtime", by_label(found, "directed by"), "Jacques Tati")]


def test_a_gzipped_file_is_the_same_ontology(films: Path) -> None:
    packed = films.with_suffix(".json.gz")
    packed.write_bytes(gzip.compress(films.read_bytes()))
    one, two = vocabulary(films), vocabulary(packed)
    assert sorted(one.properties) == sorted(two.properties)
    assert two.packs[-1].name == "films"


def test_a_concept_without_a_label_is_named(tmp_path: Path) -> None:
    file = tmp_path / "bad.json"
    file.write_text(json.dumps({**FILMS, "concepts": [{"qid": "Q1"}]}), encoding="utf-8")
    with pytest.raises(PackError, match="has no label"):
        vocabulary(file)


def test_broken_gzip_is_said_to_be_broken(tmp_path: Path) -> None:
    file = tmp_path / "bad.ttl.gz"
    file.write_bytes(b"\x1f\x8b\x08" + b"x" * 20)
    with pytest.raises(PackError, match="not valid gzip"):
        vocabulary(file)
