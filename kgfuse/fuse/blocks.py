"""Blocks: what the model knows of each item, one array per view, centred on the training items and of equal norm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from kgfuse.fuse.bags import choose_bag
from kgfuse.fuse.config import TrainConfig
from kgfuse.fuse.data import BoolArray, FloatArray, FusionData, IntArray, Modality
from kgfuse.fuse.statements import (
    Adjacency,
    Lookup,
    StatementBag,
    adjacency,
    bag_rows,
    has_statements,
    look_up,
    reduce_rows,
    surroundings,
)

MODALITY_OF: Final[Mapping[str, Modality]] = {
    "text": "text",
    "image": "image",
    "statements": "graph",
    "surroundings": "graph",
}


@dataclass(frozen=True, eq=False, slots=True)
class BlockSpec:
    """Fitted preparation of the blocks.

    Args:
        mean: training mean of each block that is in use; its keys are the blocks, in order.
        bag: the fitted bag of statements, where the graph is in use.
    """

    mean: Mapping[str, FloatArray]
    bag: StatementBag | None

    @property
    def names(self) -> tuple[str, ...]:
        """The blocks in use."""
        return tuple(self.mean)

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """The modalities in use, each once, in order."""
        return tuple(dict.fromkeys(MODALITY_OF[name] for name in self.mean))


@dataclass(frozen=True, eq=False, slots=True)
class Prepared:
    """What is computed once per graph and model: the edges by node, and the bag's pairs in this graph's terms."""

    index: Adjacency
    lookup: Lookup | None


@dataclass(frozen=True, eq=False, slots=True)
class Blocks:
    """The blocks of some items.

    Args:
        values: name → (n, d) rows of norm one, zero where missing.
        present: name → (n,) which rows are there.
    """

    values: Mapping[str, FloatArray]
    present: Mapping[str, BoolArray]


def fit_blocks(data: FusionData, train: IntArray, config: TrainConfig) -> tuple[BlockSpec, Prepared]:
    """Learn means and the bag of statements from the training items; blocks that none of them has are left out."""
    index = adjacency(data.graph)
    bag = None
    if "graph" in config.modalities and has_statements(index, data.item_node[train]).any():
        bag = choose_bag(data, index, train, config)
    prepared = Prepared(index, None if bag is None else look_up(bag, index))
    raw, present = _raw(data, prepared, train, bag, config.modalities, None)
    mean = {}
    for name, values in raw.items():
        rows = _unit(values[present[name]])
        if len(rows) and np.abs(rows).sum() > 0:
            mean[name] = rows.mean(axis=0).astype(np.float32)
    return BlockSpec(mean, bag), prepared


def prepare(spec: BlockSpec, data: FusionData) -> Prepared:
    """Index the graph for :func:`make_blocks`."""
    index = adjacency(data.graph)
    return Prepared(index, None if spec.bag is None else look_up(spec.bag, index))


def make_blocks(
    spec: BlockSpec, data: FusionData, prepared: Prepared, rows: IntArray, drop: BoolArray | None = None
) -> Blocks:
    """The blocks of ``rows``.

    Args:
        spec: the fitted preparation.
        data: any items; relations and nodes are matched with those of the fit by name.
        prepared: of ``data.graph``.
        rows: (n,) items.
        drop: (E,) edges to leave out.
    """
    raw, present = _raw(data, prepared, rows, spec.bag, spec.modalities, drop)
    values = {name: centre(raw[name], spec.mean[name]) * present[name][:, None] for name in spec.names}
    return Blocks(values, {name: present[name] for name in spec.names})


def centre(values: FloatArray, mean: FloatArray) -> FloatArray:
    """Rows of norm one, moved by the training mean, of norm one again."""
    return _unit(_unit(values) - mean)


def _raw(
    data: FusionData,
    prepared: Prepared,
    rows: IntArray,
    bag: StatementBag | None,
    modalities: tuple[Modality, ...],
    drop: BoolArray | None,
) -> tuple[dict[str, FloatArray], dict[str, BoolArray]]:
    values: dict[str, FloatArray] = {}
    present: dict[str, BoolArray] = {}
    if "text" in modalities and data.text.shape[1]:
        values["text"], present["text"] = data.text[rows], data.text_mask[rows]
    if "image" in modalities and data.image.shape[1]:
        values["image"], present["image"] = data.image[rows], data.image_mask[rows]
    if "graph" in modalities and bag is not None and prepared.lookup is not None:
        index, nodes = prepared.index, data.item_node[rows]
        there = has_statements(index, nodes, drop)
        if bag.components.shape[1]:
            values["statements"] = reduce_rows(bag, bag_rows(bag, prepared.lookup, index, nodes, drop))
            present["statements"] = there
        if data.graph.features.shape[1]:
            around = surroundings(index, nodes, item_nodes(data), drop)
            values["surroundings"] = around
            present["surroundings"] = np.abs(around).sum(axis=1) > 0
    return values, present


def item_nodes(data: FusionData) -> BoolArray:
    """(V,) which nodes of the graph are items."""
    mask = np.zeros(len(data.graph.nodes), np.bool_)
    mask[data.item_node[data.item_node >= 0]] = True
    return mask


def _unit(values: FloatArray) -> FloatArray:
    norm = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(values / np.maximum(norm, 1e-12), np.float32)
