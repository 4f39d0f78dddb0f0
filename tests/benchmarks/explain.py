"""Are the statements named as the reason the reason? Removal beside GNNExplainer, integrated gradients and chance.

    python -m tests.benchmarks.explain [--data DIR] [--seeds N] [--items 30] [--out DIR]

Each method ranks the statements about an item. The model then answers without the best of them (comprehensiveness: the
more it loses, the better) and with nothing but them (sufficiency: the less it loses, the better), mean over one, two,
three and five statements. Controls are statements drawn at random, and others whose ends have nearly the degree of
those that kgfuse names. GNNExplainer (Ying et al. 2019) and integrated gradients (Sundararajan et al. 2017), as PyTorch
Geometric and Captum have them, read graph networks only: they are compared on the R-GCN part alone, and the whole model
with the controls. On a planted graph the true reason is known. Grocery photos state nothing, so they have no statements
to rank; OpenMoji needs ``--data DIR`` with ``openmoji/openmoji.json``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

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
from tests.benchmarks import common
from tests.benchmarks.fusion_sets import openmoji
from tests.benchmarks.fusion_sets.case import Features, MissingDataError
from tests.fuse.planted import halves, planted

OURS: Final = "kgfuse"
RANDOM: Final = "drawn at random"
MATCHED: Final = "of like degree"
_SIZES: Final = (1, 2, 3, 5)
_DRAWS: Final = 5
_LEAST: Final = 4
_EPOCHS: Final = 50
Answer = Callable[[IntArray], FloatArray]
"""Edges to leave out → probabilities of the classes."""


@dataclass(frozen=True, eq=False, slots=True)
class Problem:
    """A data set with the relation that alone carries the truth, where that is known."""

    name: str
    data: FusionData
    split: Split
    reason: str = ""


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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    p = common.parser(__doc__ or "")
    p.add_argument("--data", type=Path, help="folder of the data sets")
    p.add_argument("--items", type=int, default=30, help="test items to explain, of each set and seed")
    options = p.parse_args(arguments)
    torch.set_num_threads(common.environment()["cores"])
    results, missing = [], []
    with tempfile.TemporaryDirectory() as folder:
        for name, problems in (("planted", _planted), ("openmoji", _openmoji)):
            try:
                results.append(_judge([_run(one, n, options) for n, one in enumerate(problems(options, Path(folder)))]))
            except MissingDataError as error:
                missing.append(f"{name}: {error}")
                print(f"\n{missing[-1]}", file=sys.stderr)
    common.write(options.out, "explain", {"sets": results, "missing": missing, "items": options.items})
    return 1 if missing else 0


def _planted(options: argparse.Namespace, folder: Path) -> list[Problem]:
    found = []
    for seed in range(options.seeds):
        data = planted(items=240, seed=seed, noise=4)
        found.append(Problem("planted reason", data, halves(data, seed), "hasPart"))
    return found


def _openmoji(options: argparse.Namespace, folder: Path) -> list[Problem]:
    sets = openmoji.case_sets(options.data, Features(folder), options.seeds, 0)
    return [Problem("openmoji, all edges", case.data, case.split) for case in next(iter(sets)).cases]


def _run(problem: Problem, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    data, split = problem.data, problem.split
    config = TrainConfig(seed=seed, device="cpu")
    target = data.targets[0]
    chance = np.random.default_rng(seed)
    able = [n for n in split.test.tolist() if len(own_edges(data, n)) >= _LEAST]
    items = sorted(chance.permutation(able)[: options.items].tolist())
    expert = _expert(data, split, config)
    whole = fit(data, split, config)
    ready = whole.prepare(data)
    parts: dict[str, list[dict[str, Any]]] = {"R-GCN alone": [], "whole model": []}
    for item in items:
        near = _around(data.graph, int(data.item_node[item]))
        answer = _answer(expert, data, item, near)
        ranked = {
            OURS: _by_both(answer, own_edges(data, item)),
            "removal": _by_removal(answer, own_edges(data, item)),
            **_by_library(expert, data, item, near, target.name),
        }
        parts["R-GCN alone"].append(_measured(data, item, answer, ranked, chance, problem.reason))

        def said(edges: IntArray, item: int = item) -> FloatArray:
            drop = np.zeros(len(data.graph.edges), np.bool_)
            drop[edges] = True
            found = whole.predict(data, np.array([item]), drop_edges=drop, prepared=ready)[target.name]
            return np.asarray(found.probabilities[0])

        ranked = {OURS: _by_both(said, own_edges(data, item)), "removal": _by_removal(said, own_edges(data, item))}
        parts["whole model"].append(_measured(data, item, said, ranked, chance, problem.reason))
    print(f"{problem.name} seed {seed}: {len(items)} items explained", file=sys.stderr)
    return {"name": problem.name, "seed": seed, "items": items, "parts": parts}


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


def _by_removal(answer: Answer, own: IntArray) -> FloatArray:
    """Importance of each own edge: what the answer's probability loses without it."""
    before = answer(np.zeros(0, np.int64))
    label = int(before.argmax())
    return np.array([before[label] - answer(np.array([edge]))[label] for edge in own], np.float32)


def _by_both(answer: Answer, own: IntArray) -> FloatArray:
    """Importance of each own edge: mean of what its removal costs and of what it brings alone."""
    before, none = answer(np.zeros(0, np.int64)), answer(own)
    label = int(before.argmax())
    alone = [answer(own[own != edge])[label] - none[label] for edge in own]
    return (_by_removal(answer, own) + np.array(alone, np.float32)) / 2


def _by_library(expert: GraphExpert, data: FusionData, item: int, near: IntArray, target: str) -> dict[str, FloatArray]:
    """Importance of each own edge by PyTorch Geometric's explainers, both directions of it added."""
    from torch_geometric.explain import CaptumExplainer, Explainer, GNNExplainer

    graph = replace(data.graph, edges=data.graph.edges[near])
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
        torch.manual_seed(0)
        model = Reference(expert, target).eval()  # a layer that was explained once keeps traces of it
        explainer = Explainer(model, algorithm, explanation_type="model", edge_mask_type="object", model_config=kind)
        mask = explainer(x, edge_index, edge_type=edge_type, index=int(ready.items[0])).edge_mask.detach().numpy()
        found[name] = np.asarray(mask[own] + mask[len(near) + own], np.float32)
    return found


def _measured(
    data: FusionData,
    item: int,
    answer: Answer,
    ranked: Mapping[str, FloatArray],
    chance: np.random.Generator,
    reason: str,
) -> dict[str, Any]:
    own = own_edges(data, item)
    before = answer(np.zeros(0, np.int64))
    label = int(before.argmax())
    orders = {name: [own[np.argsort(-importance, kind="stable")]] for name, importance in ranked.items()}
    orders[RANDOM] = [chance.permutation(own) for _ in range(_DRAWS)]
    orders[MATCHED] = [_matched(data, item, orders[OURS][0], chance) for _ in range(_DRAWS)]
    scores: dict[str, Any] = {}
    for name, some in orders.items():
        falls = [
            (before[label] - answer(order[:k])[label], before[label] - answer(np.setdiff1d(own, order[:k]))[label])
            for order in some
            for k in _SIZES
            if k < len(own)
        ]
        comprehensive, sufficient = (float(v) for v in np.mean(falls, axis=0))
        scores[name] = {"comprehensiveness": comprehensive, "sufficiency": sufficient}
        if reason:
            true = data.graph.edges[own, 1] == data.graph.relations.index(reason)
            count = int(true.sum())
            named = [np.isin(order[:count], own[true]).mean() for order in some]
            scores[name]["true among named"] = float(np.mean(named))
        if name == OURS:
            scores[name]["named"] = [int(edge) for edge in some[0][:3]]
    return scores


def _matched(data: FusionData, item: int, order: IntArray, chance: np.random.Generator) -> IntArray:
    """Own edges in an order that puts others of nearly the same degree in the place of each."""
    edges, node = data.graph.edges, data.item_node[item]
    degree = np.bincount(edges[:, [0, 2]].ravel(), minlength=len(data.graph.nodes))
    far = {int(e): degree[edges[e, 2] if edges[e, 0] == node else edges[e, 0]] for e in order}
    left, found = list(map(int, order)), []
    for edge in map(int, order):
        others = [e for e in left if e != edge] or left
        near = sorted(others, key=lambda e: (abs(int(far[e]) - int(far[edge])), e))[:3]
        chosen = int(chance.choice(near))
        left.remove(chosen)
        found.append(chosen)
    return np.array(found, np.int64)


def _judge(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Print one set's tables; return its record."""
    record: dict[str, Any] = {"name": runs[0]["name"], "runs": list(runs), "means": {}}
    for part in runs[0]["parts"]:
        rows: list[tuple[str, str]] = []
        means: dict[str, dict[str, list[float]]] = {}
        for name in runs[0]["parts"][part][0]:
            keys = [k for k in runs[0]["parts"][part][0][name] if k != "named"]
            each = {k: [float(np.mean([one[name][k] for one in r["parts"][part]])) for r in runs] for k in keys}
            means[name] = each
            rows.append((name, ", ".join(f"{k} {common.shown(v)}" for k, v in each.items())))
        record["means"][part] = means
        count = sum(len(r["items"]) for r in runs)
        common.table(f"{runs[0]['name']}, {part}: {count} answers, {len(runs)} seed(s)", rows)
    return record


if __name__ == "__main__":
    raise SystemExit(main())
