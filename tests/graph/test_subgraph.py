"""Parts of the graph without SPARQL: subgraphs, frames, counts, statements by confidence, source and time."""

from collections import Counter

import networkx
import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgfuse.errors import UsageError
from kgfuse.graph.views import KnowledgeGraph
from kgfuse.terms.mentions import Value
from kgfuse.terms.namespaces import GRAPH_INFERRED, RDF, RDFS, XSD, source_iri
from tests.graph.samples import EX, filled

P = EX + "p"


def edge(a, b, c=1.0, p=P):
    return (EX + a, p, EX + b, c)


@pytest.fixture
def kg():
    day = Value("2024-05-01", XSD + "date")
    one = [
        edge("a", "b", 0.9),
        edge("c", "b", 0.4),
        edge("c", "d"),
        (EX + "b", RDFS + "label", Value('Bee "B"'), 1.0),
        (EX + "b", EX + "day", day, 0.7),
        (EX + "b", RDF + "type", EX + "Bird", 1.0),
        (EX + "d", RDF + "type", EX + "Bird", 1.0),
    ]
    two = [edge("a", "b", 0.5), (EX + "c", EX + "at", Value("2024-06-01T12:00:00Z", XSD + "dateTime"), 1.0)]
    store = filled(one, two)
    store.replace_graph(GRAPH_INFERRED, [ox.Triple(*(ox.NamedNode(EX + x) for x in ("b", "of", "a")))])
    return KnowledgeGraph(store)


def test_a_subgraph_has_what_is_near_with_labels_values_and_sources(kg):
    near = kg.subgraph("ex:a")
    assert [(n.iri, n.label, n.hops) for n in near.nodes] == [(EX + "a", "a", 0), (EX + "b", 'Bee "B"', 1)]
    assert near.nodes[1].types == (EX + "Bird",)
    assert near.nodes[1].values[EX + "day"] == (Value("2024-05-01", XSD + "date"),)
    found = {(e.predicate, e.confidence, e.status, e.sources) for e in near.edges}
    assert (P, 0.9, "asserted", (source_iri("one"), source_iri("two"))) in found
    assert (EX + "of", 1.0, "inferred", (GRAPH_INFERRED,)) in found
    assert not near.truncated


def test_a_subgraph_keeps_to_hops_properties_confidence_and_limit(kg):
    def nodes(*names, **options):
        return "".join(sorted(n.iri.removeprefix(EX) for n in kg.subgraph(names, **options).nodes))

    assert nodes("ex:a", hops=0) == "a"
    assert nodes("ex:a", hops=3) == "abcd"
    assert nodes("ex:a", hops=3, min_confidence=0.5) == "ab"
    assert nodes("ex:a", hops=3, properties=["ex:of"]) == "ab"
    assert nodes("ex:a", "ex:d") == "abcd"
    assert nodes("ex:unknown") == ""
    cut = kg.subgraph("ex:a", hops=3, limit=1)
    assert cut.truncated
    assert [(e.subject, e.object) for e in cut.edges] == [(EX + "b", EX + "a")]  # the surest of the nearest


def test_a_subgraph_goes_to_networkx_pandas_and_turtle(kg):
    near = kg.subgraph("ex:a")
    graph = near.to_networkx()
    assert graph.edges[EX + "a", EX + "b", P]["confidence"] == 0.9
    assert graph.nodes[EX + "b"]["label"] == 'Bee "B"'
    frame = near.to_pandas()
    triples = {tuple(map(str, q.triple)) for q in ox.parse(near.to_turtle().encode(), ox.RdfFormat.TURTLE)}
    assert len(frame) == len(triples) == 5
    assert "ex:day" in near.to_turtle()
    alone = kg.subgraph("ex:day")
    assert (alone.to_turtle(), len(alone.to_pandas())) == ("", 0)
    assert list(alone.to_networkx()) == [EX + "day"]


links = st.sets(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")), min_size=1, max_size=14)


@settings(deadline=None, max_examples=50)
@given(links=links, hops=st.integers(0, 4))
def test_a_subgraph_is_the_ego_graph_of_networkx(links, hops):
    kg = KnowledgeGraph(filled([edge(s, o) for s, o in links]))
    start = min(links)[0]
    reference = networkx.ego_graph(networkx.Graph(links), start, radius=hops)
    found = kg.subgraph(EX + start, hops)
    assert {n.iri.removeprefix(EX) for n in found.nodes} == set(reference)
    between = {(s, o) for s, o in links if s in reference and o in reference}
    assert {(e.subject.removeprefix(EX), e.object.removeprefix(EX)) for e in found.edges} == between


def test_pandas_has_every_triple_with_who_says_it(kg):
    frame = kg.to_pandas()
    assert len(frame) == len(kg)
    (row,) = frame[(frame.subject == EX + "a") & (frame.predicate == P)].itertuples()
    assert (row.object, row.confidence, row.status) == (EX + "b", 0.9, "asserted")
    assert row.sources == (source_iri("one"), source_iri("two"))
    assert Counter(frame.status) == {"asserted": 8, "inferred": 1}


def test_statistics_count_what_a_query_counts(kg):
    found = kg.statistics()
    assert found.triples == len(kg) == 9
    assert found.status == {"asserted": 8, "ontology": 0, "inferred": 1}
    rows = kg.store.query("SELECT ?p (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p").to_pandas()
    assert found.properties == dict(zip(rows["p"], rows["n"], strict=True))
    assert (found.nodes, found.literals, found.relations, found.labelled) == (5, 3, 6, 1)
    assert found.classes == {EX + "Bird": 2}
    assert found.degree.most == found.degree.hubs[EX + "b"] == 4


def test_an_empty_graph_has_statistics_and_views():
    kg = KnowledgeGraph(filled([]))
    assert kg.statistics().triples == len(kg.to_pandas()) == kg.to_networkx().number_of_nodes() == 0
    assert kg.path("ex:a", "ex:b") is None
    assert kg.statements() == []


def test_statements_match_by_pattern_source_and_confidence(kg):
    assert [(r.source, r.confidence) for r in kg.statements("ex:a", "ex:p", "ex:b")] == [
        (source_iri("one"), 0.9),
        (source_iri("two"), 0.5),
    ]
    assert [r.confidence for r in kg.statements("ex:a", min_confidence=0.6)] == [0.9]
    assert [r.confidence for r in kg.statements("ex:a", source=source_iri("two"))] == [0.5]
    (dated,) = kg.statements(object=Value("2024-05-01", XSD + "date"))
    assert dated.mentions[0].selector.exact == "x"
    assert kg.statements("ex:nobody") == kg.statements(source="ex:nobody") == []
    assert len(kg.statements(limit=2)) == 2


@pytest.mark.parametrize(
    ("options", "subjects"),
    [
        ({"since": "2024-05-01"}, "bc"),
        ({"since": "2024-05-01T18:00:00"}, "bc"),
        ({"since": "2024-05-02"}, "c"),
        ({"until": "2024-05-01"}, "b"),
        ({"until": "2024-06-01T12:00:00+00:00"}, "bc"),
        ({"until": "2024-06-01T11:59:59Z"}, "b"),
        ({"since": "2024-01-01", "time_property": "ex:at"}, "c"),
        ({"since": "2025-01-01"}, ""),
    ],
)
def test_statements_are_of_subjects_dated_within(kg, options, subjects):
    assert "".join(sorted({r.subject.removeprefix(EX) for r in kg.statements(**options)})) == subjects


def test_a_time_that_is_none_is_told(kg):
    with pytest.raises(UsageError, match="neither a date nor a time"):
        kg.statements(since="yesterday")
