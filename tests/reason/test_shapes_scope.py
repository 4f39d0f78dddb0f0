"""The part of the graph that shapes can touch is enough: they find in it what they find in the whole."""

from __future__ import annotations

import pyoxigraph as ox
import pytest
import rdflib
from hypothesis import given, settings
from hypothesis import strategies as st

from kgfuse.reason.shapes import quiet, run_pyshacl, validate
from kgfuse.reason.shapes_scope import memory_graph, scope_of
from kgfuse.reason.shapes_terms import path_text
from kgfuse.terms.namespaces import RDF, RDFS, SH
from tests.reason.test_shapes import shapes
from tests.reason.turtle import PREFIXES, graph_of

EX = PREFIXES[""]
NODES = [ox.NamedNode(EX + n) for n in ("a", "b", "c", "C", "D")]
PROPERTIES = [ox.NamedNode(i) for i in (EX + "p", EX + "q", EX + "r", RDF + "type", RDFS + "subClassOf")]
VALUES = [
    ox.Literal("x"),
    ox.Literal("y", language="en"),
    ox.Literal("2", datatype=ox.NamedNode(f"{PREFIXES['xsd']}integer")),
]
TARGETS = ("sh:targetClass :C", "sh:targetSubjectsOf :p", "sh:targetObjectsOf :q", "sh:targetNode :a", "a rdfs:Class")
PATHS = (
    *(":p", "rdf:type", "[ sh:inversePath :q ]", "( :p :q )", "( rdf:type [ sh:zeroOrMorePath rdfs:subClassOf ] )"),
    *(
        "[ sh:alternativePath ( :p :r ) ]",
        "[ sh:zeroOrMorePath :p ]",
        "[ sh:oneOrMorePath :q ]",
        "[ sh:zeroOrOnePath :r ]",
    ),
)
CONSTRAINTS = (
    *("sh:minCount 1", "sh:maxCount 1", "sh:class :C", "sh:class :D", "sh:nodeKind sh:IRI", "sh:equals :q"),
    *("sh:disjoint :r", "sh:lessThan :q", "sh:hasValue :b", 'sh:in ( :a "x" 2 )', "sh:datatype xsd:integer"),
    *("sh:not [ sh:class :C ]", "sh:node [ sh:property [ sh:path :r ; sh:minCount 1 ] ]", "sh:minLength 2"),
    *("sh:or ( [ sh:class :C ] [ sh:property [ sh:path :q ; sh:minCount 1 ] ] )", "sh:uniqueLang true"),
    *("sh:node [ sh:closed true ; sh:ignoredProperties ( rdf:type ) ; sh:property [ sh:path :p ] ]",),
    *("sh:qualifiedValueShape [ sh:class :C ] ; sh:qualifiedMinCount 1",),
)
CLOSED = "sh:closed true ; sh:ignoredProperties ( rdf:type )"

triples = st.builds(ox.Triple, st.sampled_from(NODES), st.sampled_from(PROPERTIES), st.sampled_from([*NODES, *VALUES]))


@st.composite
def shape(draw: st.DrawFn) -> rdflib.Graph:
    inner = [
        f"sh:property [ sh:path {draw(st.sampled_from(PATHS))} ; {draw(st.sampled_from(CONSTRAINTS))} ]"
        for _ in range(draw(st.integers(1, 3)))
    ]
    closed = [CLOSED] if draw(st.booleans()) else []
    return shapes(" ; ".join([f":C a sh:NodeShape ; {draw(st.sampled_from(TARGETS))}", *inner, *closed]) + " .")


def results(graph: rdflib.Graph, shapes: rdflib.Graph) -> list[tuple[str, ...]]:
    with quiet():
        report = run_pyshacl(graph, shapes)
    found = []
    for result in report.objects(None, rdflib.URIRef(SH + "result")):
        path = report.value(result, rdflib.URIRef(SH + "resultPath"))
        parts = (
            report.value(result, rdflib.URIRef(SH + p)) for p in ("focusNode", "value", "sourceConstraintComponent")
        )
        found.append((*map(repr, parts), "" if path is None else path_text(report, path)))
    return sorted(found)


@settings(deadline=None, max_examples=80)
@given(said=st.lists(triples, max_size=14), shape=shape())
def test_the_part_gives_the_same_results_as_the_whole(said: list[ox.Triple], shape: rdflib.Graph) -> None:
    store = ox.Store()
    for triple in said:
        store.add(ox.Quad(*triple))
    scope = scope_of(shape)
    assert scope is not None
    assert results(memory_graph(store, scope), shape) == results(memory_graph(store), shape)


def test_only_what_is_asked_for_is_copied() -> None:
    store = graph_of(a=":x a :C ; :p 1 ; :note 2 . :y a :Other ; :note 3 . :D rdfs:subClassOf :C . :z a :D .")
    copy = memory_graph(store, scope_of(shapes(":S sh:targetClass :C ; sh:property [ sh:path :p ; sh:minCount 1 ] .")))
    assert {(s.removeprefix(EX), p.rpartition("#")[2].removeprefix(EX)) for s, p, _ in copy} == {
        *(("x", "type"), ("x", "p"), ("z", "type"), ("D", "subClassOf"))
    }


@pytest.mark.parametrize(
    "beyond",
    [
        ':S sh:targetClass :C ; sh:sparql [ sh:select "SELECT $this { $this ?p $this }" ] .',
        ":S sh:targetClass :C ; sh:rule [] .",
        ":Component a sh:ConstraintComponent ; sh:parameter [ sh:path :most ] .",
    ],
)
def test_what_is_not_shacl_core_reads_the_whole(beyond: str) -> None:
    assert scope_of(shapes(beyond)) is None


@pytest.mark.parametrize(
    "wanted", [":price ; sh:hasValue 1.5", ":price ; sh:in ( 1.500 )", ':name ; sh:in ( "A" )', ":code ; sh:hasValue 7"]
)
def test_values_are_found_in_whatever_form_the_shapes_write_them(wanted: str) -> None:
    store = graph_of(a=':x :price 1.50 ; :name "A" ; :code 007 .')
    assert validate(store, shapes(f":S sh:targetNode :x ; sh:property [ sh:path {wanted} ] .")) == []


def test_each_result_is_told_even_where_two_look_alike() -> None:
    found = validate(
        graph_of(a=':x :name "a"@en, "b"@en, "c"@de, "d"@de .'),
        shapes(':S sh:targetNode :x ; sh:property [ sh:path :name ; sh:uniqueLang true ; sh:message "one each" ] .'),
    )
    assert [v.component for v in found] == ["UniqueLangConstraintComponent"] * 2


QUERIES = (
    "SELECT $this ?value WHERE { $this :p ?value . FILTER(?value = $this) }",
    "SELECT $this ?value WHERE { $this rdf:type ?value , ?other . ?value rdfs:subClassOf ?other }",
    "SELECT $this ?value WHERE { $this :p ?x . ?x rdfs:subClassOf* ?value . ?value :q|^:r :b }",
    "SELECT $this WHERE { $this :p ?x FILTER NOT EXISTS { ?x :q ?y } }",
    "SELECT $this (COUNT(?x) AS ?value) WHERE { { $this :p ?x } UNION { $this :q/:r ?x } } GROUP BY $this",
    "SELECT $this ?value WHERE { $this :p ?value OPTIONAL { ?value a ?c } FILTER(!BOUND(?c)) }",
)
BEYOND = (
    "SELECT $this ?value WHERE { $this ?any ?value }",
    "SELECT $this ?value WHERE { $this !:p ?value }",
    "SELECT $this ?value WHERE { $this :p ?x . { ?y :q* ?value } UNION { ?x :r ?value } }",
    "SELECT $this ?value WHERE { { $this :p ?y } { ?x :q? ?value } }",
    "SELECT nonsense",
)


def sparql_shape(target: str, query: str) -> rdflib.Graph:
    declared = ", ".join(f'[ sh:prefix "{name}" ; sh:namespace "{iri}"^^xsd:anyURI ]' for name, iri in PREFIXES.items())
    constraint = f'sh:sparql [ sh:prefixes :names ; sh:select """{query}""" ]'
    return shapes(f":names sh:declare {declared} . :C a sh:NodeShape ; {target} ; {constraint} .")


@settings(deadline=None, max_examples=80)
@given(said=st.lists(triples, max_size=14), target=st.sampled_from(TARGETS), query=st.sampled_from(QUERIES))
def test_the_part_that_queries_touch_is_enough_too(said: list[ox.Triple], target: str, query: str) -> None:
    asked = sparql_shape(target, query)
    scope = scope_of(asked)
    assert scope is not None
    store = ox.Store()
    store.extend(ox.Quad(*t) for t in said)
    assert results(memory_graph(store, scope), asked) == results(memory_graph(store), asked)


@pytest.mark.parametrize("query", BEYOND)
def test_a_query_that_may_touch_anything_reads_the_whole(query: str) -> None:
    assert scope_of(sparql_shape("sh:targetClass :C", query)) is None
