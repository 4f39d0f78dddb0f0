"""What holds, seen from Python: neighbours, paths, rdflib, NetworkX, PyG and arrays agree with the store."""

import networkx
import numpy as np
import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgfuse.errors import UsageError
from kgfuse.graph.arrays import arrays, triple_arrays
from kgfuse.graph.paths import Step
from kgfuse.graph.provenance import replace_provenance
from kgfuse.graph.provenance_lines import fact_lines, fact_triples
from kgfuse.graph.store import GraphStore
from kgfuse.graph.views import KnowledgeGraph
from kgfuse.terms.mentions import Fact, Mention, TextSpan, Value
from kgfuse.terms.namespaces import GRAPH_PREDICTED, RDF, ontology_graph, source_iri

EX = "https://example.org/"
ONTOLOGY = """
@prefix ex: <https://example.org/> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
ex:Bird rdfs:subClassOf ex:Animal ; rdfs:label "bird" ; skos:definition "has feathers" .
ex:Mouse rdfs:subClassOf ex:Animal .
ex:eats rdfs:label "frisst"@de , "eats"@en ; ex:seeAlso ex:Animal .
"""
TEXT = "The owl eats mice."


@pytest.fixture(scope="module")
def kg() -> KnowledgeGraph:
    store = GraphStore(prefixes={"ex": EX})
    store.replace_graph(ontology_graph("zoo"), ox.parse(ONTOLOGY, ox.RdfFormat.TURTLE))
    source = source_iri("owl.txt")
    mention = Mention(source, TextSpan(13, 17, TEXT[13:17]), "mice", "text.lexicon", entity=EX + "mouse")

    def fact(s: str, p: str, o: str | Value) -> Fact:
        return Fact(s, p, o, source, (mention,), "text.pattern", 0.8, "a pattern", "https://w3id.org/kgfuse/run/1")

    facts = [
        fact(EX + "owl", EX + "eats", EX + "mouse"),
        fact(EX + "mouse", EX + "eats", EX + "corn"),
        fact(EX + "owl", EX + "weight", Value("2", "http://www.w3.org/2001/XMLSchema#integer")),
        fact(EX + "owl", RDF + "type", EX + "Bird"),
        fact(EX + "wren", RDF + "type", EX + "Bird"),
        fact(EX + "owl", "https://schema.org/name", Value("Owl")),
    ]
    store.replace_graph(source, fact_triples(facts)[source])
    replace_provenance(store, source, fact_lines(facts))
    imported = [ox.Triple(*(ox.NamedNode(EX + x) for x in ("corn", "grownIn", "field")))]
    store.replace_graph(source_iri("farm.ttl"), imported)
    predicted = [ox.Triple(*(ox.NamedNode(EX + x) for x in ("owl", "likes", "wren")))]
    store.replace_graph(GRAPH_PREDICTED, predicted)
    return KnowledgeGraph(store)


def test_neighbours_are_seen_in_both_directions_with_their_sources(kg):
    found = {(n.direction, n.property_label, n.label): n for n in kg.neighbors("ex:mouse")}
    assert set(found) == {("out", "eats", "corn"), ("in", "eats", "Owl")}
    owl = found["in", "eats", "Owl"]
    assert (owl.node, owl.confidence, owl.sources) == (EX + "owl", 0.8, (source_iri("owl.txt"),))
    (field,) = kg.neighbors("ex:corn", properties=["ex:grownIn"])
    assert (field.confidence, field.sources) == (1.0, (source_iri("farm.ttl"),))
    assert [n.label for n in kg.neighbors("ex:corn", min_confidence=0.9)] == ["field"]


def test_what_is_only_predicted_is_no_neighbour(kg):
    assert EX + "likes" not in {n.property for n in kg.neighbors("ex:owl")}


def test_a_path_goes_along_facts_in_either_direction(kg):
    assert kg.path("ex:field", "ex:owl") == (
        Step(EX + "corn", EX + "grownIn", EX + "field", False),
        Step(EX + "mouse", EX + "eats", EX + "corn", False),
        Step(EX + "owl", EX + "eats", EX + "mouse", False),
    )
    assert kg.path("ex:owl", "ex:owl") == ()
    assert kg.path("ex:owl", "ex:field", max_hops=2) is None
    assert kg.path("ex:owl", "ex:field", properties=["ex:eats"]) is None


def test_a_path_takes_no_axiom_and_types_only_when_asked(kg):
    assert kg.path("ex:owl", "ex:wren") is None
    assert kg.path("ex:eats", "ex:Animal") is None
    assert kg.path("ex:owl", "ex:wren", through_types=True) == (
        Step(EX + "owl", RDF + "type", EX + "Bird", True),
        Step(EX + "wren", RDF + "type", EX + "Bird", False),
    )


edges = st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=14)


@settings(deadline=None, max_examples=80)
@given(edges=edges, a=st.integers(0, 7), b=st.integers(0, 7))
def test_a_path_is_as_short_as_networkx_finds_and_holds_together(edges, a, b):
    store = GraphStore()
    n = [ox.NamedNode(f"{EX}n{i}") for i in range(8)]
    store.replace_graph(source_iri("g"), [ox.Triple(n[s], ox.NamedNode(EX + "p"), n[o]) for s, o in edges])
    reference = networkx.Graph(edges)
    reference.add_nodes_from(range(8))
    path = KnowledgeGraph(store).path(n[a].value, n[b].value, max_hops=8)
    if not networkx.has_path(reference, a, b):
        assert path is None
        return
    assert path is not None
    assert len(path) == networkx.shortest_path_length(reference, a, b)
    place = n[a].value
    for step in path:
        assert place == (step.subject if step.forward else step.object)
        place = step.object if step.forward else step.subject
    assert place == n[b].value


def test_labels_prefer_english_and_fall_back_to_the_iri(kg):
    assert kg.label("ex:eats") == "eats"
    assert kg.label("https://w3id.org/kgfuse/entity/granny%20smith") == "granny smith"


def test_a_description_has_types_and_definition(kg):
    assert kg.describe("ex:Bird").definition == "has feathers"
    assert kg.describe("ex:owl").types == (EX + "Bird",)


def test_a_name_without_prefix_is_told(kg):
    with pytest.raises(UsageError, match="such as ent:barn-owl"):
        kg.neighbors("Barn owl")


def test_triples_match_a_pattern(kg):
    assert list(kg.triples("ex:owl", "ex:weight")) == [
        (EX + "owl", EX + "weight", Value("2", "http://www.w3.org/2001/XMLSchema#integer"))
    ]


def test_provenance_leads_to_the_characters(kg):
    (record,) = kg.provenance_of("ex:owl", "ex:eats", "ex:mouse")
    span = record.mentions[0].selector
    assert TEXT[span.start : span.end] == span.exact == "mice"
    assert len(kg.statements_about("ex:owl", "ex:eats")) == 1


def test_rdflib_sees_what_holds_as_its_default_graph(kg):
    found = kg.rdflib.query("SELECT ?x { ?x ex:eats ex:mouse }")
    assert [str(row.x) for row in found] == [EX + "owl"]
    assert len(kg.rdflib.default_graph) == len(kg)


def test_networkx_has_labels_confidence_sources_and_values(kg):
    graph = kg.to_networkx()
    edge = graph.edges[EX + "owl", EX + "mouse", EX + "eats"]
    assert edge["label"] == "eats"
    assert edge["confidence"] == 0.8
    assert edge["sources"] == (source_iri("owl.txt"),)
    assert graph.nodes[EX + "owl"]["values"]["ex:weight"] == [2]
    assert kg.to_networkx(literals=True).number_of_edges() == len(kg)


def test_pyg_goes_both_ways(kg):
    graph = kg.to_pyg()
    assert graph.data.edge_index.shape == (2, len(kg))
    i = graph.view.node_index[EX + "owl"]
    assert graph.view.nodes[i] == EX + "owl"
    assert graph.data.num_nodes == len(graph.view.nodes)
    back = {
        (graph.view.nodes[s], graph.view.relations[p], graph.view.nodes[o])
        for (s, o), p in zip(graph.data.edge_index.t().tolist(), graph.data.edge_type.tolist(), strict=True)
    }
    assert (EX + "owl", EX + "eats", EX + "mouse") in back


def test_arrays_leave_out_what_is_excluded_with_its_nodes(kg):
    label = ox.Triple(*(ox.NamedNode(x) for x in (EX + "wren", RDF + "type", EX + "Bird")))
    for exclude in ({label}, lambda t: t == label):
        view = arrays(kg.store, exclude)
        assert EX + "wren" not in view.nodes
        assert len(view.edges) == len(kg) - 1


def test_arrays_of_named_graphs_hold_only_these(kg):
    view = arrays(kg.store, graphs=[source_iri("farm.ttl")])
    assert view.nodes == (EX + "corn", EX + "field")
    assert view.edges.tolist() == [[0, 0, 1]]
    assert arrays(kg.store, graphs=[]).edges.shape == (0, 3)


def test_arrays_keep_literals_and_confidence(kg):
    view = arrays(kg.store)
    weight = view.relation_index[EX + "weight"]
    (row,) = np.flatnonzero(view.edges[:, 1] == weight)
    assert view.literals[int(view.edges[row, 2])].lexical == "2"
    assert view.confidence[row] == np.float32(0.8)


@settings(deadline=None, max_examples=40)
@given(edges=edges, data=st.data())
def test_arrays_do_not_depend_on_the_order_of_triples(edges, data):
    triples = [
        ox.Triple(ox.NamedNode(f"{EX}n{s}"), ox.NamedNode(f"{EX}p{s % 2}"), ox.Literal(str(o)))
        for s, o in sorted(edges)
    ]
    one, two = triple_arrays(triples), triple_arrays(data.draw(st.permutations(triples)))
    assert (one.nodes, one.relations) == (two.nodes, two.relations)
    assert np.array_equal(one.edges, two.edges)
