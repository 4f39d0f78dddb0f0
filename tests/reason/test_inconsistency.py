from __future__ import annotations

import pyoxigraph as ox
import pytest

from kgfuse.reason.closure import closure
from kgfuse.reason.falsity import FALSITIES
from kgfuse.reason.inconsistency import Report, contradictory, inconsistencies, minimal
from kgfuse.terms.namespaces import GRAPH_INFERRED
from tests.reason.turtle import PREFIXES, graph_of, triples

EXAMPLES = {
    "eq-diff1": ":a owl:sameAs :b . :b owl:sameAs :c . :a owl:differentFrom :c .",
    "eq-diff2": "[] a owl:AllDifferent ; owl:members ( :a :b :c ) . :a owl:sameAs :c .",
    "eq-diff3": "[] a owl:AllDifferent ; owl:distinctMembers ( :a :b ) . :p a owl:FunctionalProperty . :x :p :a, :b .",
    "prp-irp": ":p a owl:IrreflexiveProperty . :q rdfs:subPropertyOf :p . :a :q :a .",
    "prp-asyp": ":p a owl:AsymmetricProperty . :a :p :b . :b :p :a .",
    "prp-pdw": ":p owl:propertyDisjointWith :q . :a :p :b ; :q :b .",
    "prp-adp": "[] a owl:AllDisjointProperties ; owl:members ( :p :q :r ) . :a :p :b ; :r :b .",
    "prp-npa1": "[] owl:sourceIndividual :a ; owl:assertionProperty :p ; owl:targetIndividual :b . :a :p :b .",
    "prp-npa2": "[] owl:sourceIndividual :a ; owl:assertionProperty :p ; owl:targetValue 7 . :a :p 7 .",
    "prp-fp": ":p a owl:FunctionalProperty . :a :p 7, 8 .",
    "cls-nothing2": ":C rdfs:subClassOf owl:Nothing . :a a :C .",
    "cls-com": ":C owl:complementOf :D . :a a :C, :D .",
    "cls-maxc1": ":C owl:maxCardinality 0 ; owl:onProperty :p . :a a :C ; :p :b .",
    "cls-maxc2": ":C owl:maxCardinality 1 ; owl:onProperty :p . :a a :C ; :p 7, 8 .",
    "cls-maxqc1": ":C owl:maxQualifiedCardinality 0 ; owl:onProperty :p ; owl:onClass :D . :a a :C ; :p :b . :b a :D .",
    "cls-maxqc2": ":C owl:maxQualifiedCardinality 0 ; owl:onProperty :p ; owl:onClass owl:Thing . :a a :C ; :p :b .",
    "cls-maxqc4": ":C owl:maxQualifiedCardinality 1 ; owl:onProperty :p ; owl:onClass owl:Thing . :a a :C ; :p 7, 8 .",
    "cax-dw": ":C owl:disjointWith :D . :a a :C, :D .",
    "cax-adc": "[] a owl:AllDisjointClasses ; owl:members ( :C :D :E ) . :a a :C, :E .",
    "dt-not-type": ":p rdfs:range xsd:integer . :a :p 'seven' .",
}


def reasoned(store: ox.Store) -> ox.Store:
    asserted = [q.triple for q in store.quads_for_pattern(None, None, None, ox.DefaultGraph())]
    for triple in closure(asserted):
        store.add(ox.Quad(*triple, ox.NamedNode(GRAPH_INFERRED)))
        store.add(ox.Quad(*triple))
    return store


def report(limit: int = 100, **graphs: str) -> Report:
    return inconsistencies(reasoned(graph_of(**graphs)), limit=limit)


def test_there_is_an_example_of_every_rule() -> None:
    assert set(EXAMPLES) == {rule.name for rule in FALSITIES}


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_rule_finds_its_contradiction_and_all_of_its_causes(name: str) -> None:
    found = report(pack=EXAMPLES[name])
    assert set(found.counts) == {name}
    (one,) = found.found
    assert one.rule == name
    # the third member of a list is part of the list, and so of the cause; nothing else is more than the cause
    assert len(one.asserted) == len(triples(EXAMPLES[name]))
    assert one.graphs == ((PREFIXES[""] + "pack",),) * len(one.asserted)
    assert contradictory(one.asserted)
    assert not [t for t in one.asserted if contradictory([u for u in one.asserted if u != t])]


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_said_without_any_one_of_the_causes_is_consistent(name: str) -> None:
    graph = triples(EXAMPLES[name])
    for triple in graph:
        assert not contradictory([t for t in graph if t != triple]), triple


@pytest.mark.parametrize(
    "text",
    [
        ":p a owl:FunctionalProperty . :a :p 7, 7.0 .",
        ":p a owl:FunctionalProperty . :a :p 'x'@en, 'x'@EN .",
        ":p a owl:FunctionalProperty . :a :p :b, :c .",
        ":p rdfs:range xsd:nonNegativeInteger . :a :p 7 .",
        ":p rdfs:range xsd:decimal . :a :p 7 .",
        ":p rdfs:range rdfs:Literal . :a :p 'x', 7 .",
        ":p rdfs:range :unknownType . :a :p 'x' .",
        ":p owl:inverseOf :q . :p a owl:AsymmetricProperty . :a :p :b ; :q :c .",
    ],
)
def test_what_only_looks_like_a_contradiction_is_none(text: str) -> None:
    assert report(pack=text).total == 0


@pytest.mark.parametrize(
    ("datatype", "value"),
    [
        ("xsd:nonNegativeInteger", "-7"),
        ("xsd:byte", "300"),
        ("xsd:integer", "7.5"),
        ("xsd:date", "'2024-02-30'^^xsd:date"),
        ("xsd:dateTime", "'2024-02-03'^^xsd:date"),
        ("xsd:boolean", "'yes'^^xsd:boolean"),
        ("rdf:langString", "'plain'"),
        ("xsd:string", "'tagged'@en"),
    ],
)
def test_a_value_outside_its_datatype_is_found(datatype: str, value: str) -> None:
    assert dict(report(pack=f":p rdfs:range {datatype} . :a :p {value} .").counts) == {"dt-not-type": 1}


def test_the_cause_is_traced_through_what_is_inferred_to_each_source() -> None:
    found = report(
        pack=""":Owl rdfs:subClassOf :Bird . :Bird owl:disjointWith :Fish . :swims rdfs:domain :Fish .
                :Bird rdfs:label "bird"@en, "Vogel"@de . :tawny rdfs:label "Tawny" .""",
        book=":tawny a :Owl . :tawny :eats :mouse .",
        film=":tawny :swims :lake .",
        novel=":tawny :swims :lake .",
    )
    (one,) = found.found
    assert one.message == "Tawny is both bird and Fish, which exclude each other"
    said = dict(zip(one.asserted, one.graphs, strict=True))
    (swims,) = triples(":tawny :swims :lake .")
    assert said[swims] == (PREFIXES[""] + "film", PREFIXES[""] + "novel")
    assert set(said) == set(
        triples(
            ":Owl rdfs:subClassOf :Bird . :Bird owl:disjointWith :Fish . :swims rdfs:domain :Fish . :tawny a :Owl ."
        )
    ) | {swims}
    assert set(triples(":Bird owl:disjointWith :Fish .")) <= set(one.axioms)
    assert one.to_dict()["asserted"][0]["graphs"]


def test_thousands_are_counted_and_few_explained_the_same_ones_every_time() -> None:
    text = ":C owl:disjointWith :D . :p rdfs:range xsd:integer . :a :p 'x' . " + " ".join(
        f":n{i:04} a :C, :D ." for i in range(2000)
    )
    first, again = report(5, pack=text), report(5, pack=text)
    assert first == again
    assert dict(first.counts) == {"cax-dw": 2000, "dt-not-type": 1}
    assert len(first.found) == 5
    assert {one.rule for one in first.found} == {"cax-dw", "dt-not-type"}


def test_minimal_spares_whatever_can_be_spared() -> None:
    graph = triples(":C owl:disjointWith :D . :a a :C, :D . :b a :C, :D . :C rdfs:subClassOf :E .")
    part = minimal(graph)
    assert len(part) == 3
    assert contradictory(part)
    assert minimal(triples(":a a :C .")) == []
