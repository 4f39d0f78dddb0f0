"""Statements are counted where their number tells the classes apart, and weighed by rarity elsewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kgfuse.fuse.bags import choose_bag
from kgfuse.fuse.blocks import fit_blocks, make_blocks
from kgfuse.fuse.data import FusionData, GraphArrays
from kgfuse.fuse.metrics import evaluate
from kgfuse.fuse.statements import adjacency
from kgfuse.fuse.train import fit
from tests.fuse.planted import FAST, halves, planted

GRAPH_ONLY = FAST.with_overrides({"modalities": ("graph",), "gnn.enabled": False})
KINDS = 3


def molecules(seed: int = 0, items: int = 150) -> FusionData:
    """Items with atoms of three kinds, of which their class has most; every item has some of all kinds."""
    plain = planted(seed=seed, items=items, classes=KINDS)
    chance = np.random.default_rng(seed)
    labels = plain.targets[0].labels
    nodes = [f"item:{n}" for n in range(items)] + [f"kind:{k}" for k in range(KINDS)]
    edges = []
    for item in range(items):
        for kind in range(KINDS):
            for _ in range(int(chance.integers(1, 5)) + 4 * (labels[item] == kind)):
                edges += [(item, 0, len(nodes)), (len(nodes), 1, items + kind)]
                nodes.append(f"atom:{len(nodes)}")
    graph = GraphArrays(
        tuple(nodes), ("hasAtom", "ofKind"), np.array(edges, np.int64), np.zeros((len(nodes), 0), np.float32)
    )
    return replace(plain, graph=graph)


@pytest.mark.parametrize("seed", range(2))
def test_what_matters_by_its_number_is_counted(seed: int) -> None:
    data = molecules(seed)
    split = halves(data)
    model = fit(data, split, GRAPH_ONLY)
    assert model.spec.bag is not None
    assert model.spec.bag.counted
    blind = fit(data, split, GRAPH_ONLY.with_overrides(["bag.counted=false"]))
    counted, uncounted = (evaluate(m, data, split.test, "kind")["accuracy"] for m in (model, blind))
    assert counted > uncounted + 0.2


def test_what_matters_by_being_there_is_weighed_by_rarity() -> None:
    data = planted(items=160)
    bag = choose_bag(data, adjacency(data.graph), halves(data).train, GRAPH_ONLY)
    assert not bag.counted


def test_only_labels_of_training_items_choose() -> None:
    data = molecules()
    split = halves(data)
    labels = data.targets[0].labels.copy()
    rest = np.concatenate([split.validation, split.test])
    labels[rest] = np.random.default_rng(1).permutation(labels[rest])
    other = replace(data, targets=(replace(data.targets[0], labels=labels),))
    one, two = (choose_bag(d, adjacency(d.graph), split.train, GRAPH_ONLY) for d in (data, other))
    assert one.counted == two.counted
    assert np.array_equal(one.components, two.components)


def test_counts_are_those_of_what_is_left_of_the_graph() -> None:
    data = molecules()
    spec, around = fit_blocks(data, halves(data).train, GRAPH_ONLY)
    drop = np.zeros(len(data.graph.edges), np.bool_)
    drop[np.flatnonzero(data.graph.edges[:, 0] == 0)[:3]] = True
    whole = make_blocks(spec, data, around, np.array([0, 1])).values["statements"]
    less = make_blocks(spec, data, around, np.array([0, 1]), drop).values["statements"]
    assert not np.allclose(whole[0], less[0], atol=1e-3)
    assert np.allclose(whole[1], less[1])
