"""Arrays that do not fit are refused, and edges that give labels away are found and taken out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kgfuse.errors import TrainingError
from kgfuse.fuse.data import FusionData, Split, check_data, find_leaks, label_edges, without_edges
from kgfuse.fuse.train import fit
from tests.fuse.planted import FAST, halves, planted


def leaking(data: FusionData) -> FusionData:
    """The same with an edge ``isA`` from every item, test items included, to a node of its class."""
    target, graph = data.targets[0], data.graph
    first = len(graph.nodes)
    count = len(target.classes.iris)
    label_of = np.stack([data.item_node, np.full(len(data.items), 2), first + target.labels], axis=1)
    nodes = (*graph.nodes, *target.classes.iris)
    features = np.concatenate([graph.features, np.zeros((count, graph.features.shape[1]), np.float32)])
    classes = replace(target.classes, node=np.arange(first, first + count))
    leaky = replace(
        graph,
        nodes=nodes,
        relations=(*graph.relations, "isA"),
        edges=np.concatenate([graph.edges, label_of]),
        features=features,
    )
    return replace(data, graph=leaky, targets=(replace(target, classes=classes),))


def test_a_planted_leak_is_found_and_removed() -> None:
    clean = planted(in_graph=False)
    dirty = leaking(clean)
    assert find_leaks(replace(clean, targets=dirty.targets, graph=replace(dirty.graph, edges=clean.graph.edges))) == ()
    (leak,) = find_leaks(dirty)
    assert (leak.relation, leak.edges, leak.agreement) == ("isA", 160, 1.0)
    split = halves(clean)
    truth = clean.targets[0].labels[split.test]
    cheat = fit(dirty, split, FAST).predict(dirty, split.test)["kind"].answer
    assert np.mean(cheat == truth) > 0.95
    mended = replace(dirty, graph=without_edges(dirty.graph, label_edges(dirty)))
    assert find_leaks(mended) == ()
    honest = fit(mended, split, FAST).predict(mended, split.test)["kind"].answer
    assert np.mean(honest == truth) < 0.6


def test_only_the_named_relations_count_as_label_edges() -> None:
    dirty = leaking(planted())
    assert label_edges(dirty, ["hasPart"]).sum() == 0
    assert label_edges(dirty, ["isA"]).sum() == len(dirty.items)


def test_labels_of_test_items_do_not_reach_the_model() -> None:
    data = planted()
    split = halves(data)
    shuffled = data.targets[0].labels.copy()
    shuffled[split.test] = np.random.default_rng(1).integers(4, size=len(split.test))
    other = replace(data, targets=(replace(data.targets[0], labels=shuffled),))
    left = fit(data, split, FAST).predict(data, split.test)["kind"].probabilities
    right = fit(other, split, FAST).predict(other, split.test)["kind"].probabilities
    assert np.array_equal(left, right)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"text": np.zeros((3, 16), np.float32)}, "text has shape"),
        ({"item_node": np.full(160, 10_000)}, "item_node"),
        ({"items": ("same",) * 160}, "same name"),
        ({"text": np.full((160, 16), np.nan, np.float32)}, "NaN"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(change: dict[str, object], part: str) -> None:
    with pytest.raises(TrainingError, match=part):
        check_data(replace(planted(), **change))


def test_a_split_whose_parts_overlap_is_refused() -> None:
    some = np.arange(10)
    with pytest.raises(TrainingError, match="two parts of the split"):
        check_data(planted(), Split(some, some, some))
    with pytest.raises(TrainingError, match="no item to learn from"):
        check_data(planted(), Split(some[:0], some, some[:0]))
