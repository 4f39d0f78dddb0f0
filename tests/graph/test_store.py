"""The default graph is exactly what holds, whatever is written, in whatever order, and wherever it was killed."""

import subprocess
import sys
from collections.abc import Iterator

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgfuse.errors import UsageError, WorkspaceError
from kgfuse.graph import canonical
from kgfuse.graph.store import GraphStore, holds
from kgfuse.terms.namespaces import GRAPH_INFERRED, GRAPH_PREDICTED, GRAPH_PROVENANCE, XSD, ontology_graph, source_iri

GRAPHS = [source_iri("a"), source_iri("b"), ontology_graph("general"), GRAPH_INFERRED, GRAPH_PREDICTED]
nodes = st.sampled_from([ox.NamedNode(f"https://example.org/{c}") for c in "abc"])
literals = st.sampled_from(
    [
        ox.Literal("red"),
        ox.Literal("red", language="en"),
        ox.Literal("1.50", datatype=ox.NamedNode(XSD + "decimal")),
        ox.Literal("01", datatype=ox.NamedNode(XSD + "integer")),
        ox.Literal('é\n"\u200f😀'),
    ]
)
triples = st.builds(ox.Triple, nodes | st.just(ox.BlankNode("b")), nodes, nodes | literals | st.just(ox.BlankNode("c")))
contents = st.frozensets(triples, max_size=6)


def triple(s: str, o: str = "o") -> ox.Triple:
    return ox.Triple(*(ox.NamedNode(f"https://example.org/{x}") for x in (s, "p", o)))


def holding(store: GraphStore) -> set[ox.Triple]:
    return {q.triple for q in store.quads()}


def said(store: GraphStore) -> set[ox.Triple]:
    return {q.triple for g in store.graphs() if holds(g) for q in store.quads(graph=g)}


@settings(deadline=None, max_examples=60)
@given(writes=st.lists(st.tuples(st.sampled_from(GRAPHS), contents), max_size=8))
def test_the_default_graph_is_the_union_of_what_holds(writes):
    store = GraphStore()
    for graph, content in writes:
        store.replace_graph(graph, content)
        assert holding(store) == said(store)
    assert store.repair() == (0, 0)


@settings(deadline=None, max_examples=60)
@given(base=st.dictionaries(st.sampled_from(GRAPHS), contents), graph=st.sampled_from(GRAPHS), content=contents)
def test_adding_and_removing_a_graph_gives_back_the_same_dataset(base, graph, content):
    base.pop(graph, None)
    store = GraphStore()
    for name, triples_ in base.items():
        store.replace_graph(name, triples_)
    before = store.canonical_hash()
    store.replace_graph(graph, content)
    store.remove_graph(graph)
    assert store.canonical_hash() == before
    assert graph not in store.graphs()


@settings(deadline=None, max_examples=60)
@given(content=st.dictionaries(st.sampled_from(GRAPHS), contents), data=st.data())
def test_the_order_of_adding_does_not_matter(content, data):
    hashes = set()
    for _ in range(2):
        store = GraphStore()
        for name in data.draw(st.permutations(sorted(content))):
            store.replace_graph(name, data.draw(st.permutations(sorted(content[name], key=str))))
        hashes.add(store.canonical_hash())
    assert len(hashes) == 1


@settings(deadline=None, max_examples=60)
@given(first=contents, second=contents, extra=st.sets(triples, max_size=3), lost=st.sets(triples, max_size=3))
def test_replacing_again_mends_what_a_killed_replacement_left(first, second, extra, lost):
    store, graph = GraphStore(), GRAPHS[0]
    store.replace_graph(graph, first)
    # as if killed within a replacement: some of the new already added, some of the old already gone from the default
    store.add_quads(ox.Quad(*t, g) for t in extra & second for g in (ox.NamedNode(graph), ox.DefaultGraph()))
    store.remove_quads(ox.Quad(*t) for t in lost & first)
    store.replace_graph(graph, second)
    clean = GraphStore()
    clean.replace_graph(graph, second)
    assert store.canonical_hash() == clean.canonical_hash()


@settings(deadline=None, max_examples=60)
@given(quads=st.lists(st.builds(ox.Quad, st.just(ox.BlankNode("x")) | nodes, nodes, nodes | literals), max_size=6))
def test_hashing_only_blank_nodes_equals_canonicalising_everything(quads):
    whole = ox.Dataset(quads)
    whole.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    lines = sorted((ox.serialize(whole, format=ox.RdfFormat.N_QUADS) or b"").split(b"\n"))
    assert canonical.canonical_lines(set(quads)) == [line for line in lines if line]


def test_blank_nodes_are_told_apart_by_what_is_said_of_them():
    def one(label: str) -> str:
        node = ox.BlankNode(label)
        return canonical.sha256([ox.Quad(node, ox.NamedNode("a:p"), ox.Literal("1"))])

    assert one("x") == one("y")


def test_a_triple_leaves_the_default_graph_with_its_last_source():
    store = GraphStore()
    for graph in GRAPHS[:2]:
        store.replace_graph(graph, [triple("s")])
    store.remove_graph(GRAPHS[0])
    assert holding(store) == {triple("s")}
    assert store.graphs_of(triple("s")) == [GRAPHS[1]]
    store.remove_graph(GRAPHS[1])
    assert holding(store) == set()


def test_predictions_and_provenance_never_hold():
    store = GraphStore()
    store.replace_graph(GRAPH_PREDICTED, [triple("s")])
    store.add_quads([ox.Quad(*triple("t"), ox.NamedNode(GRAPH_PROVENANCE))])
    assert holding(store) == set()
    assert not store.query("ASK { ?s ?p ?o }")
    assert store.query("ASK { GRAPH kgf:predicted { ?s ?p ?o } }")


def test_numbers_in_another_spelling_are_the_same_triple():
    store = GraphStore()
    s, p = ox.NamedNode("a:s"), ox.NamedNode("a:p")
    for spelling in ("1.50", "1.5", "01.5"):
        value = ox.Literal(spelling, datatype=ox.NamedNode(XSD + "decimal"))
        store.replace_graph(GRAPHS[0], [ox.Triple(s, p, value)])
        assert [q.object.value for q in store.quads(s)] == ["1.5"]


def test_replacing_tells_what_came_and_went_and_a_second_time_changes_nothing():
    store = GraphStore()
    store.replace_graph(GRAPHS[0], [triple("a"), triple("b")])
    assert store.replace_graph(GRAPHS[0], [triple("b"), triple("c")]) == (1, 1)
    assert store.replace_graph(GRAPHS[0], [triple("b"), triple("c")]) == (0, 0)


def test_more_triples_than_one_transaction_takes_are_streamed(tmp_path):
    store = GraphStore(tmp_path / "g")
    assert store.replace_graph(GRAPHS[0], (triple(f"s{i}") for i in range(25_000))) == (25_000, 0)
    assert store.replace_graph(GRAPHS[0], (triple(f"s{i}") for i in range(5, 25_005))) == (5, 5)
    assert store.size() == store.size(GRAPHS[0]) == 25_000
    assert store.counts().sources == 25_000


@pytest.mark.parametrize("count", [10, 25_000])
def test_triples_that_fail_half_way_leave_nothing(tmp_path, count):
    store = GraphStore(tmp_path / "g")
    store.replace_graph(GRAPHS[1], [triple("s0")])
    before = store.canonical_hash()

    def broken() -> Iterator[ox.Triple]:
        yield from (triple(f"s{i}") for i in range(count))
        raise SyntaxError("line 3")

    with pytest.raises(SyntaxError, match="line 3"):
        store.replace_graph(GRAPHS[0], broken())
    assert store.canonical_hash() == before


@pytest.mark.parametrize("count", [10, 25_000])
def test_killed_while_writing_it_opens_and_ends_the_same_when_done_again(tmp_path, count):
    code = (
        "import os, sys, pyoxigraph as ox\n"
        "from pathlib import Path\n"
        "from kgfuse.graph.store import GraphStore\n"
        "from tests.graph.test_store import GRAPHS, triple\n"
        "store, count = GraphStore(Path(sys.argv[1])), int(sys.argv[2])\n"
        "store.replace_graph(GRAPHS[0], [triple('s0'), triple('old')])\n"
        "def dying():\n"
        "    yield from (triple(f's{i}') for i in range(count))\n"
        "    os.kill(os.getpid(), 9)\n"
        "store.replace_graph(GRAPHS[1], dying())\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "g"), str(count)]
    assert subprocess.run(command, check=False).returncode == -9
    store, clean = GraphStore(tmp_path / "g"), GraphStore()
    for s in (store, clean):
        s.replace_graph(GRAPHS[0], [triple("s0"), triple("old")])
        s.replace_graph(GRAPHS[1], [triple(f"s{i}") for i in range(count)])
    assert store.canonical_hash() == clean.canonical_hash()


def test_provenance_is_not_replaced_as_a_whole():
    with pytest.raises(UsageError, match="shared by all sources"):
        GraphStore().replace_graph(GRAPH_PROVENANCE, [])


def test_an_update_does_what_it_says_and_repair_brings_the_default_graph_back():
    store = GraphStore()
    store.update("INSERT DATA { ent:a kgf:p ent:b . GRAPH src:a { ent:c kgf:p ent:d } }")
    assert store.repair() == (1, 1)
    assert [q.subject.value[-1] for q in store.quads()] == ["c"]


def test_a_snapshot_stays_as_it_was_and_can_be_read_beside_the_store(tmp_path):
    store = GraphStore(tmp_path / "g")
    store.replace_graph(GRAPHS[0], [triple("s")])
    snapshot = GraphStore(store.snapshot(tmp_path / "snapshot"), read_only=True)
    store.replace_graph(GRAPHS[0], [triple("t")])
    assert holding(snapshot) == {triple("s")}
    with pytest.raises(UsageError, match="read-only"):
        snapshot.replace_graph(GRAPHS[0], [])
    with pytest.raises(WorkspaceError, match="does not exist yet"):
        store.snapshot(tmp_path / "snapshot")


def test_what_was_written_is_there_after_opening_again(tmp_path):
    store = GraphStore(tmp_path / "g")
    store.replace_graph(GRAPHS[0], [triple("s")])
    before = store.canonical_hash()
    del store
    assert GraphStore(tmp_path / "g").canonical_hash() == before


def test_a_store_in_use_and_a_damaged_one_are_told(tmp_path):
    store = GraphStore(tmp_path / "g")
    with pytest.raises(WorkspaceError, match="another process has it open"):
        GraphStore(tmp_path / "g")
    del store
    (tmp_path / "g" / "CURRENT").write_text("nonsense")
    with pytest.raises(WorkspaceError, match=r"cannot be opened.*restore"):
        GraphStore(tmp_path / "g")
