"""The bag of statements: names, directions, two hops, new graphs, removed edges."""

from __future__ import annotations

import numpy as np

from kgfuse.fuse.config import BagConfig
from kgfuse.fuse.data import GraphArrays
from kgfuse.fuse.statements import adjacency, bag_rows, fit_bag, look_up, reduce_rows, surroundings

# a and b eat x; x lives in y; c is eaten by a.
GRAPH = GraphArrays(
    ("a", "b", "c", "x", "y"),
    ("eats", "livesIn"),
    np.array([[0, 0, 3], [1, 0, 3], [3, 1, 4], [0, 0, 2]]),
    np.eye(5, 3, dtype=np.float32),
)


def test_pairs_name_relation_direction_and_end() -> None:
    bag = fit_bag(adjacency(GRAPH), np.array([0, 1]), BagConfig(min_items=1), seed=0)
    assert ("eats>", "", "x") in bag.pairs
    assert ("eats>", "", "") in bag.pairs
    assert ("eats>", "livesIn>", "y") in bag.pairs
    assert ("eats>", "eats<", "b") in bag.pairs
    assert ("eats>", "eats<", "a") in bag.pairs
    assert not any(node == "a" and second == "" for _, second, node in bag.pairs)


def test_a_pair_of_fewer_items_than_asked_for_does_not_count() -> None:
    bag = fit_bag(adjacency(GRAPH), np.array([0, 1, 1, 1, 1, 1, 1, 1]), BagConfig(min_items=2, hops=1), seed=0)
    assert ("eats>", "", "x") in bag.pairs
    assert ("eats>", "", "c") not in bag.pairs


def test_reduced_rows_keep_the_angles_between_training_items() -> None:
    index = adjacency(GRAPH)
    nodes = np.array([0, 1, 2])
    bag = fit_bag(index, nodes, BagConfig(min_items=1), seed=0)
    rows = bag_rows(bag, look_up(bag, index), index, nodes)
    dense = np.zeros((3, len(bag.pairs)), np.float32)
    dense[rows.row, rows.column] = rows.value
    reduced = reduce_rows(bag, rows)
    assert np.allclose(np.linalg.norm(dense, axis=1), 1, atol=1e-6)
    assert np.allclose(reduced @ reduced.T, dense @ dense.T, atol=1e-4)


def test_another_graph_is_read_by_names_and_dropped_edges_are_not_read() -> None:
    index = adjacency(GRAPH)
    bag = fit_bag(index, np.array([0, 1]), BagConfig(min_items=1), seed=0)
    other = GraphArrays(("new", "x"), ("zzz", "eats"), np.array([[0, 1, 1], [0, 0, 1]]), np.zeros((2, 3), np.float32))
    around = adjacency(other)
    rows = bag_rows(bag, look_up(bag, around), around, np.array([0]))
    assert {bag.pairs[column] for column in rows.column} == {("eats>", "", "x"), ("eats>", "", "")}
    nothing = bag_rows(bag, look_up(bag, around), around, np.array([0]), np.array([True, True]))
    assert not len(nothing.column)


def test_surroundings_are_the_mean_of_featured_neighbours_that_are_not_items() -> None:
    items = np.array([True, True, False, False, False])
    around = surroundings(adjacency(GRAPH), np.array([0, 3, -1]), items)
    assert np.allclose(around[0], GRAPH.features[2])  # x has no features
    assert np.allclose(around[1], 0)  # only items and y, which has none
    assert np.allclose(around[2], 0)
