"""Edges on disk and the neighbour sampler: the whole graph where all is taken, even and repeatable where it is not."""

from __future__ import annotations

import tempfile
import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric.data import Data
from torch_geometric.loader import LinkLoader, NodeLoader
from torch_geometric.sampler import NegativeSampling, NodeSamplerInput

from kgfuse.encode.edge_files import EdgeFiles, write_edges
from kgfuse.encode.graph import RelationalEncoder
from kgfuse.encode.relational import prepare
from kgfuse.encode.sampler import NeighbourSampler, _distinct, _mixed
from kgfuse.errors import SourceError, UsageError

NODES, RELATIONS = 200, 5


def triples(seed: int = 0, edges: int = 1_500) -> np.ndarray:
    chance = np.random.default_rng(seed)
    return np.stack(
        [chance.integers(NODES, size=edges), chance.integers(RELATIONS, size=edges), chance.integers(NODES, size=edges)]
    )


def on_disk(folder: Path, edges: np.ndarray, batch: int = 400) -> EdgeFiles:
    starts = range(0, edges.shape[1], batch)
    return write_edges(folder, lambda: (tuple(edges[:, at : at + batch]) for at in starts), NODES, RELATIONS)


def loader(sampler: NeighbourSampler, features: torch.Tensor, **options: object) -> NodeLoader:
    data = Data(x=features, edge_index=torch.empty(2, 0, dtype=torch.int64))
    return NodeLoader(data, sampler, transform=sampler.with_relations, **options)


def test_files_hold_the_edges_grouped_by_destination(tmp_path: Path) -> None:
    edges = triples()
    files = on_disk(tmp_path, edges)
    destination = np.repeat(np.arange(NODES), np.diff(files.offset))
    found = Counter(zip(files.source.tolist(), files.relation.tolist(), destination.tolist(), strict=True))
    assert found == Counter(zip(*edges.tolist(), strict=True))


@given(st.integers(1, 12), st.integers(1, 7), st.data())
@settings(max_examples=50)
def test_files_do_not_depend_on_how_edges_come_in_batches(nodes: int, batch: int, data: st.DataObject) -> None:
    ends = st.integers(0, nodes - 1)
    drawn = data.draw(st.lists(st.tuples(ends, st.integers(0, 2), ends), max_size=30))
    edges = np.array(drawn, np.int64).reshape(-1, 3)
    starts = range(0, len(edges), batch)
    with tempfile.TemporaryDirectory() as folder:
        files = write_edges(Path(folder), lambda: (tuple(edges[at : at + batch].T) for at in starts), nodes, 3)
        order = np.argsort(edges[:, 2], kind="stable")
        assert np.array_equal(files.source, edges[order, 0])
        assert np.array_equal(files.relation, edges[order, 1])
        assert np.array_equal(files.offset, np.searchsorted(edges[order, 2], np.arange(nodes + 1)))
        assert sorted(file.name for file in Path(folder).iterdir()) == ["offset.npy", "relation.npy", "source.npy"]


def test_memory_for_writing_does_not_grow_with_the_graph(tmp_path: Path) -> None:
    def peak(nodes: int) -> int:
        chance = np.random.default_rng(0)
        edges = [chance.integers(limit, size=20_000) for limit in (nodes, RELATIONS, nodes)]
        tracemalloc.start()
        try:
            write_edges(tmp_path / str(nodes), lambda: [tuple(edges)], nodes, RELATIONS)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(1_000)  # what is imported on the first call does not count
    assert peak(5_000_000) < peak(200_000) + 1_000_000  # an array of one number a node would take 40 MB


def test_taking_all_neighbours_gives_what_the_whole_graph_gives(tmp_path: Path) -> None:
    edges = triples()
    features = torch.randn(NODES, 6, generator=torch.Generator().manual_seed(0))
    encoder = RelationalEncoder(
        features=6, embedded=0, relations=RELATIONS, width=8, layers=2, bases=2, dropout=0.0
    ).eval()
    source, relation, target = torch.from_numpy(edges)
    whole = encoder(features, torch.zeros(NODES, dtype=torch.int64), prepare(source, relation, target, NODES))
    sampler = NeighbourSampler(on_disk(tmp_path, edges), (-1, -1))
    seen = 0
    for batch in loader(sampler, features, input_nodes=torch.arange(NODES).flip(0), batch_size=32):
        grouped = prepare(batch.edge_index[0], batch.edge_type, batch.edge_index[1], batch.num_nodes)
        states = encoder(batch.x, torch.zeros(batch.num_nodes, dtype=torch.int64), grouped)
        assert torch.allclose(states[: batch.batch_size], whole[batch.n_id[: batch.batch_size]], atol=1e-5)
        seen += batch.batch_size
    assert seen == NODES


def test_sampled_edges_are_edges_and_no_node_has_more_than_its_share(tmp_path: Path) -> None:
    edges = triples()
    files = on_disk(tmp_path, edges)
    there = set(zip(*edges.tolist(), strict=True))
    for batch in loader(NeighbourSampler(files, (3, 2)), torch.zeros(NODES, 1), batch_size=16):
        node = batch.n_id.numpy()
        assert len(set(node.tolist())) == len(node)
        assert len(set(batch.e_id.tolist())) == len(batch.e_id)
        source, target = node[batch.edge_index.numpy()]
        assert set(zip(source.tolist(), batch.edge_type.tolist(), target.tolist(), strict=True)) <= there
        assert sum(batch.num_sampled_nodes) == len(node)
        hop, first = batch.num_sampled_nodes, batch.num_sampled_edges[0]
        degree = np.diff(files.offset)
        expected = np.minimum(degree[node[: hop[0]]], 3)
        assert np.array_equal(np.bincount(batch.edge_index[1][:first].numpy(), minlength=hop[0]), expected)
        expected = np.minimum(degree[node[hop[0] : hop[0] + hop[1]]], 2)
        later = batch.edge_index[1][first:].numpy() - hop[0]
        assert np.array_equal(np.bincount(later, minlength=hop[1]), expected)


def test_batches_depend_on_seed_and_nodes_but_not_on_the_worker(tmp_path: Path) -> None:
    files = on_disk(tmp_path, triples())

    def drawn(seed: int, workers: int) -> list[list[int]]:
        batches = loader(
            NeighbourSampler(files, (3, 2), seed), torch.zeros(NODES, 1), batch_size=64, num_workers=workers
        )
        return [batch.e_id.tolist() for batch in batches]

    assert drawn(1, 0) == drawn(1, 2)
    assert drawn(1, 0) != drawn(2, 0)


@settings(max_examples=40, deadline=None)
@given(number=st.integers(1, 8), more=st.lists(st.integers(1, 60), min_size=1, max_size=6), salt=st.integers(0, 2**63))
def test_draws_are_distinct_and_in_range(number: int, more: list[int], salt: int) -> None:
    degree = np.array(more) + number
    chosen = _distinct(degree, number, _mixed(np.arange(len(more), dtype=np.uint64), salt))
    assert (np.diff(chosen, axis=1) > 0).all()
    assert (chosen >= 0).all()
    assert (chosen < degree[:, None]).all()


def test_draws_are_even() -> None:
    rows, degree, number = 20_000, 12, 5
    chosen = _distinct(np.full(rows, degree), number, _mixed(np.arange(rows, dtype=np.uint64), 0))
    expected = rows * number / degree
    deviation = (np.bincount(chosen.ravel(), minlength=degree) - expected) / (expected * (1 - number / degree)) ** 0.5
    assert np.abs(deviation).max() < 4


def test_links_are_sampled_with_negatives_that_the_seed_fixes(tmp_path: Path) -> None:
    edges = triples()
    sampler = NeighbourSampler(on_disk(tmp_path, edges), (4,))
    data = Data(x=torch.arange(NODES)[:, None], edge_index=torch.empty(2, 0, dtype=torch.int64))
    label_index = torch.from_numpy(edges[[0, 2], :50])

    def batches() -> list[Data]:
        negatives = NegativeSampling("binary", amount=1)
        return list(LinkLoader(data, sampler, edge_label_index=label_index, neg_sampling=negatives, batch_size=25))

    first, second = batches(), batches()
    assert len(first) == 2
    for one, other, at in zip(first, second, (0, 25), strict=True):
        named = one.n_id[one.edge_label_index]
        assert torch.equal(named[:, :25], label_index[:, at : at + 25])
        assert one.edge_label.tolist() == [1.0] * 25 + [0.0] * 25
        assert torch.equal(named, other.n_id[other.edge_label_index])


def test_what_cannot_be_sampled_or_read_is_refused(tmp_path: Path) -> None:
    files = on_disk(tmp_path / "edges", triples())
    for fanouts in ((), (0,), (3, -2)):
        with pytest.raises(UsageError, match="fanouts"):
            NeighbourSampler(files, fanouts)
    for nodes in ([1, 1], [NODES], [-1]):
        with pytest.raises(UsageError, match="a batch names"):
            NeighbourSampler(files, (1,)).sample_from_nodes(NodeSamplerInput(None, torch.tensor(nodes)))
    with pytest.raises(UsageError, match="destination"):
        write_edges(tmp_path / "far", lambda: [(np.array([0]), np.array([0]), np.array([NODES]))], NODES, RELATIONS)
    with pytest.raises(SourceError, match="write the edges again"):
        EdgeFiles.open(tmp_path / "nothing")
    np.save(tmp_path / "edges" / "relation.npy", np.zeros(3, np.uint8))
    with pytest.raises(SourceError, match="lengths"):
        EdgeFiles.open(tmp_path / "edges")


def test_batches_that_differ_between_the_two_readings_are_refused(tmp_path: Path) -> None:
    one = (np.array([0, 1]), np.array([0, 0]), np.array([1, 1]))
    for second, told in (((one[0][:1], one[1][:1], one[2][:1]), "fewer"), ((*one[:2], np.array([0, 1])), "other")):
        readings = iter([[one], [second]])
        with pytest.raises(UsageError, match=told):
            write_edges(tmp_path, lambda readings=readings: next(readings), 2, 1)
