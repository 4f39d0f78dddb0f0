from __future__ import annotations

import json

import pyoxigraph as ox
import pytest
import rdflib

from kgfuse.errors import PackError
from kgfuse.reason.shapes import memory_graph, validate
from tests.reason.turtle import PREFIXES, graph_of


def shapes(text: str) -> rdflib.Graph:
    head = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in PREFIXES.items())
    return rdflib.Graph().parse(data=head + text, format="turtle")


ONE_WEIGHT = shapes(
    """:Thing sh:targetClass :Product ;
         sh:property [ sh:path :weight ; sh:maxCount 1 ; sh:message "one weight only" ] ;
         sh:property [ sh:path :name ; sh:minCount 1 ; sh:datatype xsd:string ; sh:severity sh:Warning ] ."""
)


def test_a_violation_names_focus_path_value_message_severity_shape_and_sources() -> None:
    store = graph_of(
        catalogue=':pear a :Product ; :weight 1 ; :name "Pear" .',
        label=":pear :weight 2 .",
        flyer=":plum a :Product ; :name 7 .",
    )
    weight, name = validate(store, ONE_WEIGHT)
    assert (weight.focus, weight.path, weight.value) == (
        ":pear".replace(":", PREFIXES[""]),
        PREFIXES[""] + "weight",
        None,
    )
    assert (weight.message, weight.severity, weight.shape) == ("one weight only", "Violation", PREFIXES[""] + "Thing")
    assert weight.sources == (PREFIXES[""] + "catalogue", PREFIXES[""] + "label")
    assert (name.value, name.severity) == ('"7"^^<http://www.w3.org/2001/XMLSchema#integer>', "Warning")
    assert name.component == "DatatypeConstraintComponent"
    assert name.sources == (PREFIXES[""] + "flyer",)
    assert json.loads(json.dumps(weight.to_dict()))["focus"] == weight.focus


def test_what_is_predicted_or_provenance_is_not_checked() -> None:
    store = graph_of(
        a=':pear a :Product ; :weight 1 ; :name "Pear" .', predicted=":pear :weight 2 . :plum a :Product ."
    )
    assert validate(store, ONE_WEIGHT) == []


def test_a_missing_value_names_who_speaks_of_the_node() -> None:
    (missing,) = validate(graph_of(flyer=":plum a :Product ."), ONE_WEIGHT)
    assert missing.component == "MinCountConstraintComponent"
    assert missing.sources == (PREFIXES[""] + "flyer",)


def test_paths_are_written_as_in_sparql() -> None:
    shape = shapes(
        """:S sh:targetClass :C ; sh:property [
           sh:path ( [ sh:inversePath :p ] [ sh:zeroOrMorePath :q ] ) ; sh:minCount 3 ] ."""
    )
    (found,) = validate(graph_of(a=":x a :C . :y :p :x ."), shape)
    assert found.path == f"(^{PREFIXES['']}p/{PREFIXES['']}q*)"


def test_sparql_constraints_run_but_may_not_call_other_servers() -> None:
    text = """:S sh:targetClass :C ; sh:sparql [ sh:message "no friends of oneself" ;
        sh:select "SELECT $this WHERE { %s }" ] ."""
    store = graph_of(a=":x a :C ; :friend :x .")
    (found,) = validate(store, shapes(text % "$this <http://example.org/friend> $this"))
    assert found.message == "no friends of oneself"
    with pytest.raises(PackError, match="SERVICE") as caught:
        validate(store, shapes(text % "SERVICE <http://127.0.0.1/> { $this ?p ?o }"))
    assert caught.value.where == PREFIXES[""] + "S"


def test_broken_shapes_are_reported_as_such() -> None:
    with pytest.raises(PackError, match="shapes"):
        validate(
            graph_of(a=":x a :C ."), shapes(":S a sh:NodeShape ; sh:targetClass :C ; sh:property [ sh:minCount 1 ] .")
        )


def test_literals_reach_the_shapes_unchanged() -> None:
    store = graph_of(a=':x :p "007"^^:odd, "x"^^xsd:integer, "Käse"@de-AT .')
    assert {(str(o), o.language) for o in memory_graph(store).objects()} == {
        ("007", None),
        ("x", None),
        ("Käse", "de-at"),
    }


def test_a_violation_names_the_words_that_it_was_read_from() -> None:
    from kgfuse.graph.provenance import replace_provenance
    from kgfuse.graph.provenance_lines import fact_lines, fact_triples
    from kgfuse.graph.store import GraphStore
    from kgfuse.reason.shapes import Violation
    from kgfuse.terms.mentions import Fact, Mention, TextSpan
    from kgfuse.terms.namespaces import source_iri

    source, ex = source_iri("owl.txt"), "https://example.org/"
    mention = Mention(source, TextSpan(4, 9, "seven"), "seven", "text.values")
    fact = Fact(
        ex + "owl", ex + "eats", ex + "seven", source, (mention,), "text.pattern", 0.9, "a pattern", "urn:x:run"
    )
    store = GraphStore()
    store.replace_graph(source, fact_triples([fact])[source])
    replace_provenance(store, source, fact_lines([fact]))
    store.replace_graph(
        source_iri("b.nq"), [ox.Triple(ox.NamedNode(ex + "owl"), ox.NamedNode(ex + "has"), ox.BlankNode())]
    )
    shapes = rdflib.Graph().parse(
        data="""@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix ex: <https://example.org/> .
        ex:S a sh:NodeShape ; sh:targetNode ex:owl ; sh:closed true ;
          sh:property [ sh:path ex:eats ; sh:class ex:Animal ] , [ sh:path ex:has ; sh:nodeKind sh:IRI ] ."""
    )
    found = {v.path: v for v in validate(store, shapes)}
    assert [m.selector for m in found[ex + "eats"].mentions] == [TextSpan(4, 9, "seven")]
    assert found[ex + "eats"].sources == (source,)
    for one in found.values():
        assert Violation.from_dict(json.loads(json.dumps(one.to_dict()))) == one
