"""The surest paths: as many as asked for, best first, none passing a node twice, each with who says so."""

from itertools import islice, pairwise
from math import log, prod

import networkx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgfuse.graph.paths import Step
from kgfuse.graph.views import KnowledgeGraph
from kgfuse.terms.namespaces import source_iri
from tests.graph.samples import EX, filled

P, Q = EX + "p", EX + "q"


def edge(a, b, c=1.0, p=P):
    return (EX + a, p, EX + b, c)


@pytest.fixture
def kg():
    sure = [edge("a", "b", 0.9), edge("c", "b", 0.9), edge("c", "d", 0.9)]
    return KnowledgeGraph(filled([*sure, edge("a", "x", 0.5), edge("x", "d", 0.8), edge("a", "d", 0.3, Q)]))


def test_paths_come_by_the_product_of_their_confidences(kg):
    found = kg.paths("ex:a", "ex:d")
    assert [p.nodes for p in found] == [tuple(EX + n for n in w) for w in ("abcd", "axd", "ad")]
    assert [p.confidence for p in found] == pytest.approx([0.729, 0.4, 0.3])


def test_a_path_leads_to_who_says_each_step(kg):
    (best,) = kg.paths("ex:a", "ex:d", k=1)
    assert best.steps[1] == Step(EX + "c", P, EX + "b", False)
    assert best.steps[1].confidence == 0.9
    (record,) = best.provenance[1]
    assert (record.subject, record.object, record.source) == (EX + "c", EX + "b", source_iri("one"))
    assert record.mentions[0].selector.exact == "x"


def test_paths_keep_to_properties_hops_and_confidence(kg):
    def found(**options):
        return ["".join(n.removeprefix(EX) for n in p.nodes) for p in kg.paths("ex:a", "ex:d", **options)]

    assert found(properties=["ex:p"]) == ["abcd", "axd"]
    assert found(max_hops=2) == ["axd", "ad"]
    assert found(min_confidence=0.9) == ["abcd"]
    assert found(k=0) == found(max_hops=0) == []
    assert kg.paths("ex:a", "ex:nowhere") == []
    assert len(kg.path("ex:a", "ex:d")) == 1
    assert len(kg.path("ex:a", "ex:d", min_confidence=0.5)) == 2


def test_of_several_edges_the_surest_is_taken():
    kg = KnowledgeGraph(filled([edge("a", "b", 0.5), edge("a", "b", 0.7, Q), edge("b", "a", 0.6)]))
    (only,) = kg.paths("ex:a", "ex:b")
    assert only.steps == (Step(EX + "a", Q, EX + "b", True),)


edges = st.dictionaries(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")), st.sampled_from([0.25, 0.5, 0.8, 1.0]), max_size=14
)


@settings(deadline=None, max_examples=80)
@given(edges=edges, k=st.integers(1, 6), hops=st.integers(1, 5))
def test_they_are_the_paths_that_networkx_ranks_first(edges, k, hops):
    kg = KnowledgeGraph(filled([edge(s, o, c) for (s, o), c in edges.items()]))
    reference = networkx.Graph()
    reference.add_nodes_from("ab")
    for (s, o), c in edges.items():
        known = reference.get_edge_data(s, o, {"c": 0.0})["c"]
        reference.add_edge(s, o, c=max(c, known), cost=-log(max(c, known)))
    ranked = (
        networkx.shortest_simple_paths(reference, "a", "b", "cost") if networkx.has_path(reference, "a", "b") else ()
    )
    within = [p for p in ranked if len(p) <= hops + 1]
    wanted = [prod(reference.edges[e]["c"] for e in pairwise(p)) for p in islice(within, k)]
    found = kg.paths("ex:a", "ex:b", k, max_hops=hops)
    assert [p.confidence for p in found] == pytest.approx(wanted)
    assert all(len(set(p.nodes)) == len(p.nodes) for p in found)
    assert len({p.nodes for p in found}) == len(found)
