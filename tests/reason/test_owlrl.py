"""Our closure is owlrl's, an independent implementation, once what says nothing is set aside."""

from __future__ import annotations

import pyoxigraph as ox
import pytest

from kgfuse.ontology import load_all
from kgfuse.reason.closure import closure
from kgfuse.reason.rules import RULES, Rule
from tests.reason.alignment import compare
from tests.reason.test_closure import ONTOLOGY, example_of
from tests.reason.turtle import triples
from tests.reason.university import Campus, ontology, university

SHOP = """@prefix retail: <https://w3id.org/kgfuse/retail#> . @prefix fg: <https://w3id.org/kgfuse/field-guide#> .
@prefix gen: <https://w3id.org/kgfuse/general#> .
:apple a retail:Fruit ; gen:hasColour gen:red ; gen:partOf :basket . :basket gen:partOf :shop .
:owl a fg:Animal ; fg:eats :mouse ; fg:livesIn fg:rainforest . :mouse a fg:Animal ; fg:comesFrom fg:Japan .
"""


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.name)
def test_each_rule(rule: Rule) -> None:
    graph, _ = example_of(rule)
    assert compare(closure(graph), graph)[:2] == (set(), set())


def test_an_ontology_of_many_constructs() -> None:
    graph = triples(ONTOLOGY + ":tawny a :Owl ; :devours :mouse . :mouse a :Animal . :claw :partOf :toe, :foot .")
    assert compare(closure(graph), graph)[:2] == (set(), set())


@pytest.mark.parametrize("pack", ["general", "field-guide", "retail"])
def test_the_shipped_packs_with_data(pack: str) -> None:
    graph: list[ox.Triple] = [t for p in load_all([pack]) for t in p.triples] + triples(SHOP)
    assert compare(closure(graph), graph)[:2] == (set(), set())


def test_generated_universities() -> None:
    campus = Campus(ontology())
    graph = campus.triples(university(campus, 1200))
    assert compare(closure(graph), graph)[:2] == (set(), set())


def test_the_comparison_sees_what_is_missing_and_what_is_too_much() -> None:
    graph = triples(":a rdfs:subClassOf :b . :x a :a .")
    assert compare(set(), graph)[0] == set(triples(":x a :b ."))
    assert compare(closure(graph) | set(triples(":x a :c .")), graph)[1] == set(triples(":x a :c ."))
