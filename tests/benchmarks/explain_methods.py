"""The methods that the benchmark of explanations compares: how each ranks an item's own statements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from kgfuse.explain.effects import own_edges
from kgfuse.fuse.blocks import fit_blocks, item_nodes
from kgfuse.fuse.config import TrainConfig
from kgfuse.fuse.data import FloatArray, FusionData, GraphArrays, IntArray, Split
from kgfuse.fuse.gnn import GraphExpert
from kgfuse.fuse.loop import run
from kgfuse.fuse.stages import Stages
from kgfuse.fuse.train import by_name, fit

OURS: Final = "kgfuse"
_EPOCHS: Final = 50
Answer = Callable[[IntArray], FloatArray]
"""Edges to leave out → probabilities of the classes."""


@dataclass(frozen=True, eq=False, slots=True)
class Explained:
    """One item's answer by one model.

    Args:
        answer: of the model.
        importance: method → (n,) of the item's own edges, the more important the larger.
    """

    answer: Answer
    importance: Mapping[str, FloatArray]

    @property
    def label(self) -> int:
        """The class that the model answers with."""
        return int(self.answer(np.zeros(0, np.int64)).argmax())


def by_expert(data: FusionData, split: Split, items: Sequence[int], config: TrainConfig) -> list[Explained]:
    """The R-GCN part alone, which graph explainers can look into."""
    expert, found = _expert(data, split, config), []
    for item in items:
        near = _around(data.graph, int(data.item_node[item]))
        answer, own = _answer(expert, data, item, near), own_edges(data, item)
        library = _by_library(expert, data, item, near, config.seed)
        found.append(Explained(answer, {**_by_trying(answer, own), **library}))
    return found


def by_model(data: FusionData, split: Split, items: Sequence[int], config: TrainConfig) -> list[Explained]:
    """The whole model."""
    model = fit(data, split, config)
    ready, target = model.prepare(data), data.targets[0].name

    def explained(item: int) -> Explained:
        def answer(edges: IntArray) -> FloatArray:
            drop = np.zeros(len(data.graph.edges), np.bool_)
            drop[edges] = True
            found = model.predict(data, np.array([item]), drop_edges=drop, prepared=ready)[target]
            return np.asarray(found.probabilities[0])

        return Explained(answer, _by_trying(answer, own_edges(data, item)))

    return [explained(item) for item in items]


class Reference(nn.Module):
    """The trained R-GCN on PyTorch Geometric's layers, which its explainers can look into."""

    def __init__(self, expert: GraphExpert, target: str) -> None:
        from torch_geometric.nn import FastRGCNConv

        super().__init__()
        self.layers = nn.ModuleList()
        for own in expert.encoder.convolutions:
            state = own.state_dict()
            bases, width, _ = state["weight"].shape
            layer = FastRGCNConv(width, width, state["comp"].shape[0], num_bases=bases)
            layer.load_state_dict(state)
            self.layers.append(layer)
        self.norms, self.head = expert.encoder.norms, expert.heads[expert.targets[target]]

    def forward(self, x: Tensor, edge_index: Tensor, edge_type: Tensor) -> Tensor:
        """(V, width) states before the first layer to (V, C) logits."""
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = x + functional.relu(norm(layer(x, edge_index, edge_type)))
        logits: Tensor = self.head(x)
        return logits


def _expert(data: FusionData, split: Split, config: TrainConfig) -> GraphExpert:
    """The R-GCN part, trained as in a model, whether or not the model would keep it."""
    train, validation = by_name(data, split.train), by_name(data, split.validation)
    spec, around = fit_blocks(data, train, config)
    stages = Stages(data, config, torch.device("cpu"), train, validation, spec, around)
    expert = stages.graph()
    assert expert is not None
    run(stages.graph_stage(expert))
    return expert.eval()


def _around(graph: GraphArrays, node: int) -> IntArray:
    """Numbers of the edges within two steps of a node: all that two layers read."""
    edges, inside = graph.edges, np.zeros(len(graph.nodes), np.bool_)
    inside[node] = True
    for _ in range(2):
        used = inside[edges[:, 0]] | inside[edges[:, 2]]
        inside[edges[used][:, [0, 2]].ravel()] = True
    return np.flatnonzero(used).astype(np.int64)


def _answer(expert: GraphExpert, data: FusionData, item: int, near: IntArray) -> Answer:
    target = data.targets[0]
    own, nothing = item_nodes(data), {target.name: np.full(len(target.classes.iris), -1, np.int64)}

    def answer(edges: IntArray) -> FloatArray:
        graph = replace(data.graph, edges=data.graph.edges[np.setdiff1d(near, edges)])
        with torch.no_grad():
            logits = expert(expert.prepare(graph, data.item_node[[item]], nothing, own))[target.name]
        return np.asarray(torch.softmax(logits[0], 0).numpy())

    return answer


def _by_trying(answer: Answer, own: IntArray) -> dict[str, FloatArray]:
    """Importance of each own edge: what its removal costs, and the mean of that and of what it brings alone."""
    before, none = answer(np.zeros(0, np.int64)), answer(own)
    label = int(before.argmax())
    removal = np.array([before[label] - answer(np.array([edge]))[label] for edge in own], np.float32)
    alone = np.array([answer(own[own != edge])[label] - none[label] for edge in own], np.float32)
    return {OURS: (removal + alone) / 2, "removal": removal}


def _by_library(expert: GraphExpert, data: FusionData, item: int, near: IntArray, seed: int) -> dict[str, FloatArray]:
    """Importance of each own edge by PyTorch Geometric's explainers, both directions of it added."""
    from torch_geometric.explain import CaptumExplainer, Explainer, GNNExplainer

    graph, target = replace(data.graph, edges=data.graph.edges[near]), data.targets[0].name
    classes = {target: np.full(len(data.targets[0].classes.iris), -1, np.int64)}
    ready = expert.prepare(graph, data.item_node[[item]], classes, item_nodes(data))
    encoder = expert.encoder
    with torch.no_grad():
        x = encoder.embedding(ready.slot) + encoder.start
        if encoder.literal is not None:
            x = x + encoder.literal(ready.literals) * ready.literals.shape[1] ** 0.5
    edge_index, edge_type = ready.aggregation.edges()
    place = {int(edge): n for n, edge in enumerate(near)}
    own = np.array([place[int(edge)] for edge in own_edges(data, item)])
    kind = {"mode": "multiclass_classification", "task_level": "node", "return_type": "raw"}
    found = {}
    for name, algorithm in (
        ("GNNExplainer", GNNExplainer(epochs=_EPOCHS)),
        ("integrated gradients", CaptumExplainer("IntegratedGradients", n_steps=20, internal_batch_size=1)),
    ):
        torch.manual_seed(seed)
        model = Reference(expert, target).eval()  # a layer that was explained once keeps traces of it
        explainer = Explainer(model, algorithm, explanation_type="model", edge_mask_type="object", model_config=kind)
        mask = explainer(x, edge_index, edge_type=edge_type, index=int(ready.items[0])).edge_mask.detach().numpy()
        found[name] = np.asarray(mask[own] + mask[len(near) + own], np.float32)
    return found
