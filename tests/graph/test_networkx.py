"""NetworkX from the columns is what reading the store triple by triple gives; results go back as triples."""

import networkx
import numpy as np
import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgfuse.errors import UsageError
from kgfuse.graph import labels as names
from kgfuse.graph.networkx_view import of_triples, triples_of
from kgfuse.graph.views import KnowledgeGraph
from kgfuse.terms.mentions import Value
from kgfuse.terms.namespaces import GRAPH_PREDICTED, RDFS, SKOS, XSD, source_iri
from tests.graph.samples import EX, filled

iris = st.sampled_from([EX + n for n in ("a", "a/b", "ab", "a%20b", "é")])
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
values = st.one_of(
    st.builds(Value, texts),
    st.builds(lambda t, tag: Value(t, language=tag), texts, st.sampled_from(["en", "de", "en-gb"])),
    st.builds(lambda n: Value(str(n), XSD + "integer"), st.integers(-20, 20)),
    st.builds(lambda d: Value(d.isoformat(), XSD + "date"), st.dates()),
    st.builds(lambda t: Value(t, EX + "odd"), texts),
)
properties = st.sampled_from([EX + "p", EX + "q", RDFS + "label", SKOS + "prefLabel"])
facts = st.lists(st.tuples(iris, properties, st.one_of(iris, values), st.sampled_from([0.25, 0.8, 1.0])), max_size=12)


def same(one, two):
    assert list(one.nodes(data=True)) == list(two.nodes(data=True))
    assert list(one.edges(keys=True, data=True)) == list(two.edges(keys=True, data=True))


@settings(deadline=None, max_examples=60)
@given(one=facts, two=facts, literals=st.booleans())
def test_columns_give_what_the_store_gives_triple_by_triple(one, two, literals):
    kg = KnowledgeGraph(filled(one, two))
    same(kg.to_networkx(literals=literals), of_triples(kg.store, kg.short, literals=literals))


@settings(deadline=None, max_examples=40)
@given(said=facts)
def test_labels_from_columns_are_those_of_the_store(said):
    store = filled(said)
    columns = store.columns
    found = {columns.terms[n][1:-1]: text for n, text in names.labels(columns).items()}
    assert all(names.label(store, iri) == text for iri, text in found.items())
    assert all(names.label(store, iri) == names.fallback(iri) for iri in {s for s, *_ in said} - set(found))


def test_named_graphs_are_seen_alone():
    store = filled([(EX + "a", EX + "p", EX + "b", 0.5)], [(EX + "a", EX + "q", EX + "c", 1.0)])
    graph = KnowledgeGraph(store).to_networkx(graphs=[source_iri("two")])
    assert list(graph.edges(keys=True)) == [(EX + "a", EX + "c", EX + "q")]


def test_what_is_predicted_is_seen_when_its_graph_is_named():
    store = filled([(EX + "a", RDFS + "label", Value("A"), 1.0)])
    store.replace_graph(GRAPH_PREDICTED, [ox.Triple(*(ox.NamedNode(EX + n) for n in "apb"))])
    kg = KnowledgeGraph(store)
    assert kg.to_networkx().number_of_edges() == 0
    graph = kg.to_networkx(graphs=[GRAPH_PREDICTED])
    assert graph.nodes[EX + "a"]["label"] == "A"
    assert graph.has_edge(EX + "a", EX + "b", EX + "p")


def test_what_an_algorithm_finds_becomes_triples():
    store = filled([(EX + "a", EX + "p", EX + "b", 0.5), (EX + "c", EX + "p", EX + "b", 0.5)])
    kg = KnowledgeGraph(store)
    found = triples_of(networkx.in_degree_centrality(kg.to_networkx()), EX + "centrality")
    store.replace_graph(source_iri("centrality"), found)
    assert list(kg.triples("ex:b", "ex:centrality")) == [(EX + "b", EX + "centrality", Value("1", XSD + "double"))]


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (3, f'"3"^^<{XSD}integer>'),
        (np.int64(3), f'"3"^^<{XSD}integer>'),
        (np.float32(0.5), f'"0.5"^^<{XSD}double>'),
        (float("inf"), f'"INF"^^<{XSD}double>'),
        (True, f'"true"^^<{XSD}boolean>'),
        (np.bool_(False), f'"false"^^<{XSD}boolean>'),
        ("a cluster", '"a cluster"'),
        (EX + "x", f"<{EX}x>"),
        (Value(EX + "x"), f'"{EX}x"'),
    ],
)
def test_python_values_become_xsd_literals(value, form):
    assert [str(t.object) for t in triples_of({EX + "a": value}, EX + "p")] == [form]


def test_a_value_that_is_none_is_told_with_its_node():
    with pytest.raises(UsageError, match="no value for a statement") as told:
        triples_of({EX + "a": object()}, EX + "p")
    assert EX + "a" in str(told.value)
