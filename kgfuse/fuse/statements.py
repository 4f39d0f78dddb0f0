"""The graph around an item as plain numbers: a bag of its statements, and the mean of its neighbours' features.

A *pair* is (relation and direction, neighbour), or two relations and the node at the end of the path; beside each the
same with the node left open, and, where it is a number or a date, with the intervals that this lies in. Pairs are
matched by name, so a model reads graphs that it has never seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch

from kgfuse.encode.graph import sparse_rows
from kgfuse.fuse.config import BagConfig
from kgfuse.fuse.data import BoolArray, FloatArray, GraphArrays, IntArray
from kgfuse.fuse.intervals import levels

BRANCHING: Final = 200  # a path does not continue through a node with more edges: hubs say little and cost much
ANY: Final = ""  # stands for an open node, or for the second relation of a one-step pair


@dataclass(frozen=True, eq=False, slots=True)
class Adjacency:
    """All edges as seen from either end, grouped by node, in an order that depends on names only.

    Args:
        graph: where it comes from.
        start: (V + 1,) offsets; node v has the half-edges ``start[v]`` to ``start[v + 1]``.
        relation: (2E,) 2·relation for outgoing, 2·relation + 1 for incoming half-edges.
        neighbour: (2E,) the other end.
        edge: (2E,) index of the edge in ``graph.edges``.
        intervals: names of the intervals that its numbers and dates lie in.
        within: (V, 2) which of these each node lies in, -1 for none.
    """

    graph: GraphArrays
    start: IntArray
    relation: IntArray
    neighbour: IntArray
    edge: IntArray
    intervals: tuple[str, ...]
    within: IntArray


@dataclass(frozen=True, eq=False, slots=True)
class Rows:
    """Sparse rows: ``count`` rows whose entries are (row, column, value)."""

    count: int
    row: IntArray
    column: IntArray
    value: FloatArray


@dataclass(frozen=True, eq=False, slots=True)
class Lookup:
    """A bag's pairs in the terms of one graph: sorted keys, and the column of each."""

    keys: IntArray
    column: IntArray


@dataclass(frozen=True, eq=False, slots=True)
class StatementBag:
    """A fitted bag: which pairs count, how much, and how they are reduced.

    Args:
        pairs: F names (first relation, second relation or "", node, interval or ""); relations end in ``>`` or ``<``.
        weight: (F,) inverse document frequency, or one where pairs are counted.
        components: (F, rank) right singular vectors of the training rows.
        hops: how far paths go.
        counted: whether a pair counts by the logarithm of how often it occurs, and not by how rare it is.
    """

    pairs: tuple[tuple[str, str, str], ...]
    weight: FloatArray
    components: FloatArray
    hops: int
    counted: bool = False


def adjacency(graph: GraphArrays) -> Adjacency:
    """Index the edges by node, both directions."""
    edges = graph.edges
    rank_of_node, rank_of_relation = _name_rank(graph.nodes), _name_rank(graph.relations)
    here = np.concatenate([edges[:, 0], edges[:, 2]])
    there = np.concatenate([edges[:, 2], edges[:, 0]])
    relation = np.concatenate([2 * edges[:, 1], 2 * edges[:, 1] + 1])
    name_rank = 2 * rank_of_relation[relation // 2] + relation % 2
    order = np.lexsort((rank_of_node[there], name_rank, here))
    start = np.zeros(len(graph.nodes) + 1, np.int64)
    np.cumsum(np.bincount(here, minlength=len(graph.nodes)), out=start[1:])
    number = np.tile(np.arange(len(edges), dtype=np.int64), 2)
    return Adjacency(graph, start, relation[order], there[order], number[order], *levels(graph.nodes))


def has_statements(index: Adjacency, nodes: IntArray, drop: BoolArray | None = None) -> BoolArray:
    """(n,) which of the ``nodes`` (-1: not in the graph) have an edge that is not dropped."""
    owner, _ = _expand(index, nodes, drop)
    return np.bincount(owner, minlength=len(nodes)).astype(np.bool_)


def fit_bag(index: Adjacency, nodes: IntArray, config: BagConfig, seed: int, counted: bool = False) -> StatementBag:
    """Learn which pairs count from the training items' nodes (no labels are read)."""
    keys, _, _ = _pair_keys(index, nodes, config.hops, None)
    unique, inverse = np.unique(keys, return_inverse=True)
    frequency = np.bincount(inverse, minlength=len(unique))
    kept = np.flatnonzero(frequency >= min(config.min_items, max(1, len(nodes) // 4)))
    names = _pair_names(index, unique[kept])
    order = sorted(range(len(kept)), key=lambda at: (-int(frequency[kept[at]]), names[at]))[: config.max_pairs]
    pairs = tuple(names[at] for at in order)
    weight = np.log1p(len(nodes) / np.maximum(frequency[kept[order]], 1)).astype(np.float32)
    if counted:
        weight = np.ones(len(pairs), np.float32)
    bag = StatementBag(pairs, weight, np.zeros((len(pairs), 0), np.float32), config.hops, counted)
    rows = bag_rows(bag, look_up(bag, index), index, nodes)
    return replace(bag, components=_components(rows, len(pairs), config.rank, seed))


def look_up(bag: StatementBag, index: Adjacency) -> Lookup:
    """Match the bag with a graph by names, once."""
    codes, places = _sizes(index)
    relation, node = _numbered(_relation_names(index.graph)), _numbered(_place_names(index))
    keys, columns = [], []
    for at, (first, second, place) in enumerate(bag.pairs):
        a, b, c = relation.get(first), relation.get(second), node.get(place)
        if a is not None and b is not None and c is not None:
            keys.append((a * codes + b) * places + c)
            columns.append(at)
    found = np.array(keys, np.int64)
    order = np.argsort(found, kind="stable")
    return Lookup(found[order], np.array(columns, np.int64)[order])


def bag_rows(
    bag: StatementBag, lookup: Lookup, index: Adjacency, nodes: IntArray, drop: BoolArray | None = None
) -> Rows:
    """The weighted rows of the ``nodes``, each of length one."""
    keys, owner, count = _pair_keys(index, nodes, bag.hops, drop)
    place = np.searchsorted(lookup.keys, keys)
    hit = place < len(lookup.keys)
    hit[hit] = lookup.keys[place[hit]] == keys[hit]
    row, column = owner[hit], lookup.column[place[hit]]
    value = bag.weight[column] * (np.log1p(count[hit]) if bag.counted else np.float32(1))
    norm = np.sqrt(np.bincount(row, weights=value.astype(np.float64) ** 2, minlength=len(nodes)))
    return Rows(len(nodes), row, column, (value / np.maximum(norm[row], 1e-12)).astype(np.float32))


def reduce_rows(bag: StatementBag, rows: Rows) -> FloatArray:
    """(n, rank) projection of the rows on the components."""
    matrix = _sparse(rows, len(bag.pairs))
    return np.asarray((matrix @ torch.from_numpy(bag.components)).numpy(), np.float32)


def surroundings(index: Adjacency, nodes: IntArray, own: BoolArray, drop: BoolArray | None = None) -> FloatArray:
    """(n, Df) mean of the neighbours' features.

    Args:
        index: the graph.
        nodes: (n,) whose neighbours; -1 gives a zero row.
        own: (V,) nodes whose features are left out, since they belong to another modality (the items).
        drop: (E,) edges left out.
    """
    features = index.graph.features
    carries = np.abs(features).sum(axis=1) > 0
    carries &= ~own
    owner, half = _expand(index, nodes, drop)
    keep = carries[index.neighbour[half]]
    owner, there = owner[keep], index.neighbour[half][keep]
    total = torch.zeros((len(nodes), features.shape[1]))
    total.index_add_(0, torch.from_numpy(owner), torch.from_numpy(features[there]))
    count = np.bincount(owner, minlength=len(nodes)).astype(np.float32)
    return np.asarray(total.numpy() / np.maximum(count, 1.0)[:, None], np.float32)


def _expand(index: Adjacency, nodes: IntArray, drop: BoolArray | None) -> tuple[IntArray, IntArray]:
    """All half-edges of the nodes: (position in ``nodes``, half-edge)."""
    present = np.flatnonzero(nodes >= 0)
    first, last = index.start[nodes[present]], index.start[nodes[present] + 1]
    size = last - first
    owner = np.repeat(present, size)
    offset = np.arange(int(size.sum()), dtype=np.int64) - np.repeat(np.cumsum(size) - size, size)
    half = np.repeat(first, size) + offset
    if drop is not None:
        keep = ~drop[index.edge[half]]
        owner, half = owner[keep], half[keep]
    return owner, half


def _pair_keys(
    index: Adjacency, nodes: IntArray, hops: int, drop: BoolArray | None
) -> tuple[IntArray, IntArray, IntArray]:
    """Distinct (pair, owner) entries, by owner, and how often each occurs."""
    codes, places = _sizes(index)
    owner, half = _expand(index, nodes, drop)
    first, middle = index.relation[half] + 1, index.neighbour[half]
    owners: list[IntArray] = []
    keys: list[IntArray] = []

    def add(owner: IntArray, first: IntArray, second: IntArray, end: IntArray) -> None:
        owners.extend((owner, owner))
        keys.extend((_key(first, second, end + 1, codes, places), _key(first, second, 0, codes, places)))
        for level in index.within[end].T:
            inside = np.flatnonzero(level >= 0)
            place = level[inside] + len(index.graph.nodes) + 1
            owners.append(owner[inside])
            keys.append(_key(first[inside], second[inside], place, codes, places))

    add(owner, first, np.zeros_like(first), middle)
    if hops > 1:
        degree = np.diff(index.start)
        onward = np.flatnonzero(degree[middle] <= BRANCHING)
        step, half = _expand(index, middle[onward], drop)
        via = onward[step]
        end = index.neighbour[half]
        away = end != nodes[owner[via]]
        via, half, end = via[away], half[away], end[away]
        add(owner[via], first[via], index.relation[half] + 1, end)
    all_owners, all_keys = np.concatenate(owners), np.concatenate(keys)
    order = np.lexsort((all_keys, all_owners))
    all_owners, all_keys = all_owners[order], all_keys[order]
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = (all_owners[1:] != all_owners[:-1]) | (all_keys[1:] != all_keys[:-1])
    first_of = np.flatnonzero(fresh)
    count = np.diff(np.append(first_of, len(order)))
    return all_keys[fresh], all_owners[fresh], count


def _key(first: IntArray, second: IntArray, node: IntArray | int, codes: int, places: int) -> IntArray:
    return np.asarray((first * codes + second) * places + node, np.int64)


def _pair_names(index: Adjacency, keys: IntArray) -> list[tuple[str, str, str]]:
    codes, places = _sizes(index)
    relation, node = _relation_names(index.graph), _place_names(index)
    rest, place = np.divmod(keys, places)
    first, second = np.divmod(rest, codes)
    return [(relation[a], relation[b], node[c]) for a, b, c in zip(first, second, place, strict=True)]


def _relation_names(graph: GraphArrays) -> list[str]:
    return [ANY, *(name + arrow for name in graph.relations for arrow in "><")]


def _place_names(index: Adjacency) -> list[str]:
    return [ANY, *index.graph.nodes, *index.intervals]


def _sizes(index: Adjacency) -> tuple[int, int]:
    return 2 * len(index.graph.relations) + 1, len(index.graph.nodes) + len(index.intervals) + 1


def _numbered(names: list[str]) -> Mapping[str, int]:
    return {name: number for number, name in enumerate(names)}


def _name_rank(names: tuple[str, ...]) -> IntArray:
    rank = np.empty(len(names), np.int64)
    rank[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
    return rank


def _sparse(rows: Rows, width: int) -> torch.Tensor:
    return sparse_rows(
        torch.from_numpy(rows.row), torch.from_numpy(rows.column), torch.from_numpy(rows.value), (rows.count, width)
    )


def _components(rows: Rows, width: int, rank: int, seed: int) -> FloatArray:
    """Right singular vectors of the sparse rows, exactly where the matrix is small, else by a seeded sketch."""
    rank = min(rank, width, rows.count)
    if rank == 0:
        return np.zeros((width, 0), np.float32)
    matrix = _sparse(rows, width)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if rows.count <= 600:
            dense = matrix.to_dense().double()
            value, left = torch.linalg.eigh(dense @ dense.T)
            order = torch.argsort(value, descending=True)[:rank]
            order = order[value[order] > 1e-9]
            vectors = (dense.T @ left[:, order]) / value[order].sqrt()
        else:
            sketch = torch.linalg.qr(matrix @ torch.randn(width, min(rank + 20, width, rows.count))).Q
            transposed = _sparse(Rows(width, rows.column, rows.row, rows.value), rows.count)
            for _ in range(2):
                sketch = torch.linalg.qr(matrix @ torch.linalg.qr(transposed @ sketch).Q).Q
            _, value, basis = torch.linalg.svd((transposed @ sketch).T, full_matrices=False)
            vectors = basis[:rank][value[:rank] > 1e-5].T
    return np.ascontiguousarray(vectors.to(torch.float32).numpy())
