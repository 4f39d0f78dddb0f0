"""PyTorch Geometric: node types by class, relations by property, literals as features, and the way back to IRIs."""

import numpy as np
import pyoxigraph as ox
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kgfuse.graph.arrays import arrays
from kgfuse.graph.pyg_view import THING, node_classes
from kgfuse.graph.views import KnowledgeGraph
from kgfuse.terms.mentions import Value
from kgfuse.terms.namespaces import GRAPH_INFERRED, RDF, RDFS, XSD, ontology_graph
from tests.graph.samples import EX, filled

TYPE, SUBCLASS = RDF + "type", RDFS + "subClassOf"


def iri(s, p, o, c=1.0):
    return (EX + s, p if ":" in p else EX + p, EX + o, c)


def number(s, p, n, datatype="integer"):
    return (EX + s, EX + p, Value(n, XSD + datatype), 1.0)


@pytest.fixture
def kg():
    said = [
        iri("owl", TYPE, "Bird"),
        iri("owl", TYPE, "Animal"),
        iri("wren", TYPE, "Bird"),
        iri("mouse", TYPE, "Animal"),
        iri("owl", "eats", "mouse", 0.5),
        iri("wren", "near", "field"),
        number("owl", "weight", "4"),
        number("wren", "weight", "2"),
        number("owl", "seen", "2024-05-01", "date"),
        (EX + "owl", EX + "name", Value("Owl"), 1.0),
        (EX + "owl", EX + "name", Value("Eule", language="de"), 1.0),
    ]
    store = filled(said)
    store.replace_graph(ontology_graph("zoo"), [ox.Triple(*map(ox.NamedNode, (EX + "Bird", SUBCLASS, EX + "Animal")))])
    return KnowledgeGraph(store)


def test_a_node_type_is_the_most_special_class(kg):
    graph = kg.to_pyg(hetero=True)
    assert graph.nodes["ex:Bird"] == (EX + "owl", EX + "wren")
    assert graph.nodes["ex:Animal"] == (EX + "mouse",)
    assert graph.types["ex:Bird"] == EX + "Bird"
    assert set(graph.nodes["owl:Thing"]) == {EX + "field", EX + "Bird", EX + "Animal"}
    assert graph.data.validate()


def test_relations_lead_from_type_to_type_and_back_to_iris(kg):
    graph = kg.to_pyg(hetero=True)
    eats = graph.data["ex:Bird", "ex:eats", "ex:Animal"]
    (s,), (o,) = eats.edge_index.tolist()
    assert (graph.iri("ex:Bird", s), graph.relations["ex:eats"], graph.iri("ex:Animal", o)) == (
        EX + "owl",
        EX + "eats",
        EX + "mouse",
    )
    assert graph.place(EX + "mouse") == ("ex:Animal", 0)
    assert eats.edge_confidence.tolist() == [0.5]
    triples = sum(store.edge_index.shape[1] for store in graph.data.edge_stores)
    assert triples == sum(not isinstance(o, Value) for _, _, o in kg.triples())


def test_numbers_and_dates_are_normalised_columns_with_a_mask(kg):
    graph = kg.to_pyg(hetero=True)
    bird = graph.data["ex:Bird"]
    columns = {f.property: i for i, f in enumerate(graph.features["ex:Bird"])}
    assert set(columns) == {EX + "weight", EX + "seen"}
    weight, seen = columns[EX + "weight"], columns[EX + "seen"]
    assert bird.x[:, weight].tolist() == [1.0, -1.0]
    assert (graph.features["ex:Bird"][weight].mean, graph.features["ex:Bird"][weight].deviation) == (3.0, 1.0)
    assert bird.x_mask[:, seen].tolist() == [True, False]
    assert graph.features["ex:Bird"][seen].mean == 19844.0  # days
    assert graph.data["ex:Animal"].x.shape == (1, 0)


def test_texts_are_left_to_the_callers_encoder(kg):
    assert kg.to_pyg(hetero=True).texts["ex:Bird"] == {EX + "name": [("Eule", "Owl"), ()]}


def test_homogeneous_with_features_has_no_literal_nodes(kg):
    graph = kg.to_pyg(literals="features")
    assert graph.data.num_nodes == len(graph.view.nodes) == 6
    assert not graph.view.literals
    owl = graph.view.node_index[EX + "owl"]
    assert graph.data.x.shape == (6, 2)
    assert graph.data.x_mask[owl].all()
    assert graph.texts[EX + "name"][owl] == ("Eule", "Owl")
    edges = zip(*graph.data.edge_index.tolist(), graph.data.edge_type.tolist(), strict=True)
    back = {(graph.view.nodes[s], graph.view.relations[p], graph.view.nodes[o]) for s, o, p in edges}
    assert back == {t for t in kg.triples() if not isinstance(t[2], Value)}


def test_what_is_excluded_is_in_no_type(kg):
    label = ox.Triple(*map(ox.NamedNode, (EX + "wren", TYPE, EX + "Bird")))
    assert kg.to_pyg({label}, hetero=True).place(EX + "wren")[0] == "owl:Thing"


def test_an_inferred_class_counts_where_none_is_asserted(kg):
    kg.store.replace_graph(GRAPH_INFERRED, [ox.Triple(*map(ox.NamedNode, (EX + "field", TYPE, EX + "Place")))])
    assert kg.to_pyg(hetero=True).place(EX + "field")[0] == "ex:Place"


def test_what_is_no_number_is_masked():
    kg = KnowledgeGraph(filled([number("a", "w", "NaN", "double"), number("b", "w", "3", "double")]))
    graph = kg.to_pyg(literals="features")
    assert graph.data.x_mask.squeeze().tolist() == [False, True]
    assert torch.isfinite(graph.data.x).all()


def test_an_empty_graph_is_an_empty_graph():
    kg = KnowledgeGraph(filled([]))
    assert kg.to_pyg(hetero=True).nodes == {}
    assert kg.to_pyg(literals="features").data.num_nodes == 0


pairs = st.sets(st.tuples(st.sampled_from("ABCD"), st.sampled_from("ABCD")), max_size=6)


@settings(deadline=None, max_examples=50)
@given(below=pairs, types=st.sets(st.sampled_from("ABCD"), max_size=4))
def test_no_class_of_the_node_is_more_special_than_the_one_chosen(below, types):
    store = filled([*(iri(a, SUBCLASS, b) for a, b in below), *(iri("x", TYPE, t) for t in types), iri("x", "p", "x")])
    view = arrays(store)
    chosen = node_classes(store, view)[view.node_index[EX + "x"]]
    if not types:
        assert chosen == THING
        return
    reach = np.eye(4, dtype=bool)
    for a, b in below:
        reach["ABCD".index(a), "ABCD".index(b)] = True
    for _ in range(4):
        reach |= (reach.astype(int) @ reach.astype(int)) > 0
    at = "ABCD".index(chosen.removeprefix(EX))
    assert chosen.removeprefix(EX) in types
    assert not any(reach["ABCD".index(t), at] and not reach[at, "ABCD".index(t)] for t in types)
