"""The graph part of the model: an R-GCN over the whole graph, a head on the items' states, a match with class nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from kgfuse.encode.graph import RelationalEncoder
from kgfuse.encode.relational import Aggregation, prepare
from kgfuse.fuse.config import GraphConfig
from kgfuse.fuse.data import BoolArray, GraphArrays, IntArray
from kgfuse.fuse.intervals import values
from kgfuse.fuse.statements import Adjacency

CANDIDATES: Final = 4_096
"""Nodes that an edge's target is told from, beside the targets of the others."""
ASKED: Final = 2_048
"""Edges that are predicted in one step, at most."""


@dataclass(frozen=True, eq=False, slots=True)
class PreparedGraph:
    """A graph in the model's terms.

    Args:
        literals: (V, Df) features, zero rows for items; where the model reads numbers and dates, four columns more.
        slot: (V,) row of the embedding table, 0 for none.
        aggregation: its edges, both directions.
        items: (n,) node of each item asked for, -1 for none.
        classes: target → (C,) node of each class, -1 for none.
    """

    literals: Tensor
    slot: Tensor
    aggregation: Aggregation
    items: Tensor
    classes: Mapping[str, Tensor]

    def to(self, device: torch.device) -> PreparedGraph:
        """The same on another device."""
        return PreparedGraph(
            self.literals.to(device),
            self.slot.to(device),
            self.aggregation.to(device),
            self.items.to(device),
            {name: where.to(device) for name, where in self.classes.items()},
        )


class GraphExpert(nn.Module):
    """Reads an item from its typed neighbourhood.

    Args:
        relations: names of the training graph's relations.
        embedded: names of the shared nodes that have an embedding.
        features: width of the literal features, with :data:`~kgfuse.fuse.intervals.VALUES` more where there are
            numbers or dates to read.
        classes: target → number of classes.
        config: widths and dropout.
    """

    def __init__(
        self,
        relations: Sequence[str],
        embedded: Sequence[str],
        features: int,
        classes: Mapping[str, int],
        config: GraphConfig,
    ) -> None:
        super().__init__()
        self.relations, self.embedded = tuple(relations), tuple(embedded)
        self.targets = {name: f"t{number}" for number, name in enumerate(classes)}
        self.layers, self.dropout, self.features = config.layers, config.dropout, features
        self.encoder = RelationalEncoder(
            features=features,
            embedded=len(self.embedded),
            relations=2 * max(1, len(self.relations)),
            width=config.width,
            layers=config.layers,
            bases=config.bases,
            dropout=config.dropout,
        )
        self.heads = nn.ModuleDict(
            {self.targets[name]: nn.Linear(config.width, number) for name, number in classes.items()}
        )
        self.item_side = nn.Linear(config.width, config.width, bias=False)
        self.match_scale = nn.ParameterDict({key: nn.Parameter(torch.zeros(())) for key in self.targets.values()})
        self.link: nn.Parameter | None = None
        if config.links:
            self.link = nn.Parameter(0.1 * torch.randn(2 * max(1, len(self.relations)), config.width))

    def prepare(
        self,
        graph: GraphArrays,
        items: IntArray,
        classes: Mapping[str, IntArray],
        own: BoolArray,
        drop: BoolArray | None = None,
        index: Adjacency | None = None,
    ) -> PreparedGraph:
        """Match a graph with the model by names.

        Args:
            graph: any graph; edges whose relation the model does not know are left out.
            items: (n,) nodes to be read.
            classes: target → (C,) nodes of the classes.
            own: (V,) nodes whose literal features belong to another modality (the items).
            drop: (E,) edges left out.
            index: where given, only the part of the graph that reaches the items and classes is taken.
        """
        known = {name: number for number, name in enumerate(self.relations)}
        code = np.array([known.get(name, -1) for name in graph.relations], np.int64)
        keep = code[graph.edges[:, 1]] >= 0 if len(graph.edges) else np.zeros(0, np.bool_)
        if drop is not None:
            keep &= ~drop
        nodes = np.arange(len(graph.nodes), dtype=np.int64)
        if index is not None:
            seeds = np.concatenate([items, *classes.values()])
            nodes, reached = _receptive_field(index, seeds[seeds >= 0], self.layers)
            keep &= reached
        place = np.full(len(graph.nodes) + 1, -1, np.int64)
        place[nodes] = np.arange(len(nodes))
        edges = graph.edges[keep]
        source, target, relation = place[edges[:, 0]], place[edges[:, 2]], code[edges[:, 1]]
        aggregation = prepare(
            torch.from_numpy(np.concatenate([source, target])),
            torch.from_numpy(np.concatenate([2 * relation, 2 * relation + 1])),
            torch.from_numpy(np.concatenate([target, source])),
            len(nodes),
        )
        table = {name: number + 1 for number, name in enumerate(self.embedded)}
        slot = np.array([table.get(graph.nodes[node], 0) for node in nodes], np.int64)
        literals = graph.features[nodes] * ~own[nodes, None]
        if self.features > graph.features.shape[1]:
            literals = np.concatenate([literals, values([graph.nodes[node] for node in nodes])], axis=1)
        return PreparedGraph(
            torch.from_numpy(np.asarray(literals, np.float32)),
            torch.from_numpy(slot),
            aggregation,
            torch.from_numpy(place[items]),
            {name: torch.from_numpy(place[where]) for name, where in classes.items()},
        )

    def forward(self, graph: PreparedGraph) -> dict[str, Tensor]:
        """Target → logits (n, C); rows of items without a node are zero."""
        return self.logits(self.states(graph), graph)

    def states(self, graph: PreparedGraph) -> Tensor:
        """(V, width) states of all nodes."""
        found: Tensor = self.encoder(graph.literals, graph.slot, graph.aggregation)
        return found

    def logits(self, states: Tensor, graph: PreparedGraph) -> dict[str, Tensor]:
        """What states say of the items: target → logits (n, C)."""
        there = (graph.items >= 0).to(states.dtype)[:, None]
        item = functional.dropout(states[graph.items.clamp(min=0)], self.dropout, self.training)
        logits = {}
        for name, key in self.targets.items():
            score = self.heads[key](item)
            where = graph.classes.get(name)
            if where is not None and bool((where >= 0).any()):
                match = self.item_side(item) @ states[where.clamp(min=0)].T
                score = score + self.match_scale[key] * match * (where >= 0).to(states.dtype)
            logits[name] = score * there
        return logits

    def link_loss(self, states: Tensor, source: Tensor, relation: Tensor, target: Tensor) -> Tensor:
        """Mean cross-entropy of the targets of edges (B,) among many nodes, by DistMult (Yang et al. 2015).

        Args:
            states: (V, width), computed without these edges.
            source: (B,) nodes.
            relation: (B,) directions counted apart, as the aggregation has them.
            target: (B,) nodes.
        """
        assert self.link is not None
        some = torch.randperm(len(states), device=states.device)[:CANDIDATES]
        wrong, at = torch.unique(torch.cat([target, some]), return_inverse=True)
        scores = (states[source] * self.link[relation]) @ states[wrong].T
        return functional.cross_entropy(scores, at[: len(target)])


def without_some(edges: Aggregation, share: float, most: int = ASKED) -> tuple[Aggregation, Tensor]:
    """Leave edges out by torch's chance, each in both directions.

    Args:
        edges: the second half is the first one turned round.
        share: of the edges.
        most: of them.

    Returns:
        What is left, and the places of what is not.
    """
    half = len(edges.source) // 2
    chosen = torch.randperm(half, device=edges.source.device)[: min(most, int(share * half))]
    left = torch.ones(half, dtype=torch.bool, device=edges.source.device)
    left[chosen] = False
    keep = left.repeat(2)
    rest = prepare(edges.source[keep], edges.relation[keep], edges.destination[keep], edges.nodes)
    return rest, torch.cat([chosen, chosen + half])


def shared_nodes(graph: GraphArrays, own: BoolArray, min_degree: int) -> tuple[str, ...]:
    """Names of the nodes that get an embedding: not items, and with at least ``min_degree`` edges; sorted."""
    degree = np.bincount(graph.edges[:, [0, 2]].ravel(), minlength=len(graph.nodes))
    return tuple(sorted(graph.nodes[node] for node in np.flatnonzero((degree >= min_degree) & ~own)))


def _receptive_field(index: Adjacency, seeds: IntArray, layers: int) -> tuple[IntArray, BoolArray]:
    """Nodes within ``layers`` steps of the seeds, and the edges (E,) that messages to the seeds run along."""
    inside = np.zeros(len(index.graph.nodes), np.bool_)
    inside[seeds] = True
    used = np.zeros(len(index.graph.edges), np.bool_)
    edges = index.graph.edges
    for _ in range(layers):
        used = inside[edges[:, 0]] | inside[edges[:, 2]]
        reached = edges[used]
        inside[reached[:, 0]] = True
        inside[reached[:, 2]] = True
    return np.flatnonzero(inside), used
