"""Mentions are linked to identifiers of one's own, by name, type and context; what is unclear is not, and said."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from pathlib import Path

import pytest

from kgfuse.errors import SourceError
from kgfuse.extract.identity.gazetteer import Gazetteer
from kgfuse.extract.identity.same import Wish
from kgfuse.extract.resolve import Resolution, resolve
from kgfuse.ontology.pack import load_pack
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.mentions import Extraction, Mention, Statement, TextSpan
from kgfuse.terms.namespaces import ENTITY, RDF, RDFS, source_iri

G = "http://example.org/gaz#"
WD = "http://www.wikidata.org/entity/"
WORLD = """
@prefix g: <http://example.org/gaz#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
g:Person a owl:Class ; rdfs:label "person" ; owl:disjointWith g:Place . g:Place a owl:Class ; rdfs:label "place" .
g:City a owl:Class ; rdfs:subClassOf g:Place ; rdfs:label "city" .
g:livesIn a owl:ObjectProperty ; rdfs:label "lives in" ; rdfs:range g:Place .
g:knows a owl:ObjectProperty ; rdfs:label "knows" .
"""
TSV = (
    "id\tlabel\taliases\ttype\tdescription\n"
    "Q90\tParis\tCity of Light|Lutetia\tcity\tcapital of France on the Seine\n"
    "Q830149\tParis\t\tcity\ttown in Texas, United States\n"
    "Q47899\tParis\tParis Hilton\tg:Person\tAmerican heiress\n"
    "http://example.org/id/7\tLena Costa\t\tperson\tpainter\n"
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    file = Path(tmp_path_factory.mktemp("world"), "g.ttl")
    file.write_text(WORLD, encoding="utf-8")
    return Vocabulary([load_pack(file)])


@pytest.fixture
def places(world: Vocabulary, tmp_path: Path) -> Gazetteer:
    file = tmp_path / "places.tsv"
    file.write_text(TSV, encoding="utf-8")
    return Gazetteer([file], world, tmp_path / "cache")


def said(subject: str, prop: str, value: str, words: str, source: str = "a.txt", cls: str = "") -> Extraction:
    iri = source_iri(source)

    def mention(label: str, types: tuple[str, ...] = ()) -> Mention:
        return Mention(iri, TextSpan(0, len(label), label), label, "text.ner", types, None, 0.8)

    who, what, sentence = mention(subject), mention(value, (G + cls,) if cls else ()), mention(words)
    return Extraction(iri, "run", (), (Statement(who, G + prop, what, (sentence,), "test", 0.8, "test", iri),))


def ends(found: Resolution) -> set[tuple[str, str]]:
    return {(f.subject, f.object) for f in found.facts if f.predicate.startswith(G) and isinstance(f.object, str)}


def test_one_entry_that_fits_is_linked(world: Vocabulary, places: Gazetteer) -> None:
    text = said("Lena Costa", "livesIn", "the City of Light", "Lena Costa lives in the City of Light.")
    found = resolve([text], world, {}, gazetteer=places)
    assert ends(found) == {("http://example.org/id/7", ENTITY + "the-city-of-light")} or ends(found) == {
        ("http://example.org/id/7", WD + "Q90")
    }
    lena = [f for f in found.facts if f.subject == "http://example.org/id/7"]
    assert {(f.predicate, f.reason) for f in lena if f.predicate in (RDF + "type", RDFS + "label")} == {
        (RDF + "type", "places.tsv says so"),
        (RDFS + "label", "named so in places.tsv"),
    }
    assert any("the name fits (places.tsv)" in m.reason for m in found.identity.merges)


def test_types_and_words_around_decide_and_nothing_else_does(world: Vocabulary, places: Gazetteer) -> None:
    seine = said("Rui", "livesIn", "Paris", "Rui lives in Paris, where the Seine flows.", "a.txt")
    texas = said("Eva", "livesIn", "Paris", "Eva lives in Paris, a small town.", "b.txt")
    plain = said("Ana", "livesIn", "Paris", "Ana lives in Paris.", "c.txt")
    heiress = said("Ana", "knows", "Paris", "Ana knows Paris.", "d.txt", "Person")
    found = resolve([seine, texas, plain, heiress], world, {}, gazetteer=places)
    assert {(s[len(ENTITY) :], o) for s, o in ends(found)} == {
        ("rui", WD + "Q90"),
        ("eva", WD + "Q830149"),
        ("ana", ENTITY + "paris"),
        ("ana", WD + "Q47899"),
    }
    (unclear,) = found.identity.unclear
    assert (unclear.label, unclear.source, unclear.iris) == ("Paris", source_iri("c.txt"), (WD + "Q830149", WD + "Q90"))
    assert resolve([heiress, plain, texas, seine], world, {}, gazetteer=places) == found


def test_a_person_decides_what_is_unclear(world: Vocabulary, places: Gazetteer) -> None:
    text = said("Ana", "livesIn", "Paris", "Ana lives in Paris.")
    wish = Wish(ENTITY + "paris", WD + "Q90", same=True, by="Ada")
    found = resolve([text], world, {}, wishes=[wish], gazetteer=places)
    assert ends(found) == {(ENTITY + "ana", WD + "Q90")}
    assert found.entities[WD + "Q90"].label == "Paris"
    assert not found.identity.unclear
    lena = said("Lena Costa", "knows", "Ana", "They met.")
    wish = Wish(ENTITY + "lena-costa", "http://example.org/id/7", same=False, by="Ada")
    assert ends(resolve([lena], world, {}, wishes=[wish], gazetteer=places)) == {
        (ENTITY + "lena-costa", ENTITY + "ana")
    }


def test_json_lines_and_dumps_of_wikidata(world: Vocabulary, tmp_path: Path) -> None:
    plain = {"id": "http://example.org/id/1", "label": "Porto", "aliases": ["Oporto"], "type": "city"}
    entity = {
        "id": "Q597",
        "labels": {"pt": {"language": "pt", "value": "Lisboa"}, "en": {"language": "en", "value": "Lisbon"}},
        "descriptions": {"en": {"value": "capital of Portugal"}},
        "aliases": {"en": [{"value": "Lisbon, Portugal"}]},
        "claims": {"P31": [{"mainsnak": {"datavalue": {"value": {"id": "Q515"}}}}]},
    }
    (tmp_path / "own.jsonl").write_text(json.dumps(plain) + "\n", encoding="utf-8")
    with gzip.open(tmp_path / "dump.json.gz", "wt", encoding="utf-8") as stream:
        stream.write("[\n" + json.dumps(entity) + ",\n]\n")
    found = Gazetteer([tmp_path / "own.jsonl", tmp_path / "dump.json.gz"], world)
    (lisbon,) = found.find("lisboa")
    assert (lisbon.iri, lisbon.label, lisbon.types) == (WD + "Q597", "Lisbon", (WD + "Q515",))
    assert [e.iri for e in found.find("oporto")] == ["http://example.org/id/1"]


HEAD = "id\tlabel\ttype\n"
BROKEN = [
    ("a.tsv", "Q1\tParis\n", 1, "must name the columns"),
    ("a.tsv", HEAD + "Q1\tParis\tcity\nQ2\t\tcity\n", 3, "has no label"),
    ("a.tsv", HEAD + "\tParis\tcity\n", 2, "has no id"),
    ("a.tsv", HEAD + "Q1\tParis\tctiy\n", 2, "no class of the ontologies is called 'ctiy'"),
    ("a.tsv", HEAD + "Q1\tParis\tcity\tmore\n", 2, "4 cells"),
    ("a.csv", "id,label\nnowhere:1,Paris\n", 2, "nowhere"),
    ("a.jsonl", '{"id": "Q1", "label": "Paris"}\n{"id": \n', 2, "not valid JSON"),
    ("a.jsonl", "[1]\n", 1, "must be a JSON object"),
]


@pytest.mark.parametrize(("name", "content", "line", "what"), BROKEN)
def test_what_is_wrong_is_said_with_file_and_line(
    world: Vocabulary, tmp_path: Path, name: str, content: str, line: int, what: str
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(SourceError) as raised:
        Gazetteer([tmp_path / name], world, tmp_path / "cache")
    assert f"{name}:{line}" in raised.value.message
    assert what in raised.value.message
    assert not list((tmp_path / "cache").iterdir())


def test_missing_foreign_and_torn_files(world: Vocabulary, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Paris", encoding="utf-8")
    (tmp_path / "b.tsv").write_bytes(HEAD.encode() + b"Q1\t\xff\tcity\n")
    (tmp_path / "c.tsv.gz").write_bytes(gzip.compress((HEAD + "Q1\tParis\tcity\n" * 9).encode())[:40])
    for name in ("missing.tsv", "a.txt", "b.tsv", "c.tsv.gz"):
        with pytest.raises(SourceError):
            Gazetteer([tmp_path / name], world)


def test_many_rows_take_little_memory(world: Vocabulary, tmp_path: Path) -> None:
    file = tmp_path / "many.tsv"
    with file.open("w", encoding="utf-8") as stream:
        stream.write("id\tlabel\taliases\n")
        stream.writelines(f"Q{n}\tPlace number {n}\tP{n}|Platz {n}\n" for n in range(40_000))
    tracemalloc.start()
    found = Gazetteer([file], world, tmp_path / "cache")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40e6
    assert [e.iri for e in found.find("platz 39999")] == [WD + "Q39999"]
    assert Gazetteer([file], world, tmp_path / "cache").find("p7")[0].label == "Place number 7"
