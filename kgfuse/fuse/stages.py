"""What the stages of one training run share, and how each part of the model is fitted from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from kgfuse.errors import TrainingError
from kgfuse.fuse.blocks import BlockSpec, Prepared, item_nodes, make_blocks
from kgfuse.fuse.calibrate import fit_sharpness
from kgfuse.fuse.closed import Closing
from kgfuse.fuse.config import TrainConfig
from kgfuse.fuse.data import BoolArray, FloatArray, FusionData, IntArray, Modality, Target
from kgfuse.fuse.experts import Problem
from kgfuse.fuse.gnn import GraphExpert, PreparedGraph, shared_nodes, without_some
from kgfuse.fuse.groups import grouping
from kgfuse.fuse.intervals import VALUES, values
from kgfuse.fuse.kinship import nearness
from kgfuse.fuse.layer import FusionLayer, LayerOutput
from kgfuse.fuse.loop import Stage, seeded
from kgfuse.fuse.metrics import item_losses
from kgfuse.fuse.tensors import TargetInfo, block_tensors, class_tensors, told

LEFT_OUT: Final = 0.1
"""Share of the edges that a step of the R-GCN part predicts, where ``gnn.links`` is set."""


class Stages:
    """Tensors of the training and validation items, labels, class weights."""

    def __init__(
        self,
        data: FusionData,
        config: TrainConfig,
        device: torch.device,
        train: IntArray,
        validation: IntArray,
        spec: BlockSpec,
        around: Prepared,
    ) -> None:
        self.data, self.config, self.device = data, config, device
        self.train, self.validation, self.spec, self.around = train, validation, spec, around
        self.infos = tuple(_info(target, train) for target in data.targets)
        self.classes = {info.name: len(info.classes.iris) for info in self.infos}
        everything = slice(None)
        none: frozenset[Modality] = frozenset()
        self.values, self.present = block_tensors(
            make_blocks(spec, data, around, train),
            everything,
            none,
            device,
        )
        self.held_values, self.held_present = block_tensors(
            make_blocks(spec, data, around, validation),
            everything,
            none,
            device,
        )
        self.class_nodes = class_tensors(spec, self.infos, device)
        self.labels = {t.name: torch.from_numpy(t.labels[train]).to(device) for t in data.targets}
        self.known = {t.name: torch.from_numpy(t.labelled[train]).to(device) for t in data.targets}
        self.weight = {t.name: _class_weights(t, train, config).to(device) for t in data.targets}
        self.kin = {i.name: torch.from_numpy(nearness(i.classes, i.seen)).to(device) for i in self.infos}
        self.seen = {info.name: torch.from_numpy(info.seen).to(device) for info in self.infos}

    def layer(self, sharpness: Mapping[str, float]) -> FusionLayer:
        """A fresh fusion layer, seeded, that says what the base says at its ``sharpness``."""
        described = [
            info.name
            for info in self.infos
            if self.config.matching > 0 and any(bool(t.abs().sum() > 0) for t in self.class_nodes[info.name].values())
        ]
        widths = {name: len(mean) for name, mean in self.spec.mean.items()}
        with seeded(self.config.seed, self.device):
            net = FusionLayer(widths, self.classes, self.seen, described, self.config)
        for name, key in net.targets.items():
            net.offset_scale[key].data.fill_(sharpness[name])
        return net.to(self.device)

    def layer_stage(self, net: FusionLayer, offsets: Mapping[str, Tensor], held_offset: Mapping[str, Tensor]) -> Stage:
        """How the fusion layer learns on top of the base: its scores of the training and the validation items."""
        size = min(self.config.batch_size, max(16, len(self.train) // 8))

        def steps(epoch: int) -> list[Tensor]:
            shuffle = torch.Generator().manual_seed(self.config.seed * 7_919 + epoch)
            order = torch.randperm(len(self.train), generator=shuffle).to(self.device)
            return [order[at : at + size] for at in range(0, len(order), size)]

        def loss(rows: Tensor) -> Tensor:
            values = {name: tensor[rows] for name, tensor in self.values.items()}
            present = _drop_modalities(net, {name: t[rows] for name, t in self.present.items()}, self.config)
            return self._layer_loss(
                net(values, present, self.class_nodes, {k: t[rows] for k, t in offsets.items()}), rows
            )

        def evaluate() -> float:
            with torch.no_grad():
                out: LayerOutput = net(self.held_values, self.held_present, self.class_nodes, held_offset)
            return self._validation_loss(out.logits)

        return self._stage("layer", net, steps, loss, evaluate, self.config.lr, self.config.weight_decay)

    def _layer_loss(self, out: LayerOutput, rows: Tensor) -> Tensor:
        total = torch.zeros((), device=self.device)
        for name in self.classes:
            total = total + self._loss(name, out.logits[name], rows)
            if self.config.auxiliary and len(out.auxiliary[name]) > 1:
                for logits, there in out.auxiliary[name]:
                    total = total + self.config.auxiliary * self._loss(name, logits, rows, there)
            if self.config.matching and name in out.matching:
                total = total + self.config.matching * self._loss(name, out.matching[name], rows)
        return total

    def _loss(self, name: str, logits: Tensor, rows: Tensor, there: Tensor | None = None) -> Tensor:
        keep = self.known[name][rows] if there is None else self.known[name][rows] & there
        if not bool(keep.any()):
            return logits.sum() * 0.0
        labels, logits = self.labels[name][rows][keep], logits[keep].float()
        if labels.ndim == 2:
            truth = labels.float() * (1 - self.config.label_smoothing) + self.config.label_smoothing / 2
            return (
                functional.binary_cross_entropy_with_logits(
                    logits, truth, pos_weight=self.weight[name], reduction="none"
                )
                .sum(1)
                .mean()
            )
        logits = logits.masked_fill(~self.seen[name], -1e4)
        seen, smoothing = self.seen[name], self.config.label_smoothing
        likelihood = torch.log_softmax(logits, dim=1)
        weight = self.weight[name][labels]
        hard = -likelihood.gather(1, labels[:, None])[:, 0]
        even = -(likelihood * seen).sum(1) / seen.sum()
        if self.config.kin_smoothing:
            near, share = self.kin[name][labels], self.config.kin_smoothing
            hard = (1 - share) * hard - share * (likelihood * near).sum(1)
        return (weight * ((1 - smoothing) * hard + smoothing * even)).sum() / weight.sum()

    def _validation_loss(self, logits: Mapping[str, Tensor]) -> float:
        """Mean log-loss over the targets, each at its best temperature: over-confidence is mended later."""
        losses = []
        for target in self.data.targets:
            known = target.labelled[self.validation]
            labels = target.labels[self.validation][known]
            if len(labels) and target.name in logits:
                scores = logits[target.name].float().cpu().numpy()[known]
                losses.append(float(item_losses(scores * np.float32(fit_sharpness(scores, labels)), labels).mean()))
        return float(np.mean(losses)) if losses else 0.0

    def _has_validation(self) -> bool:
        return any(target.labelled[self.validation].any() for target in self.data.targets)

    def _stage(
        self,
        name: str,
        net: torch.nn.Module,
        steps: Callable[[int], list[Tensor]],
        loss: Callable[[Tensor], Tensor],
        evaluate: Callable[[], float],
        lr: float,
        weight_decay: float,
    ) -> Stage:
        own = self.config if name == "layer" else self.config.gnn
        return Stage(
            name=name,
            net=net,
            steps=steps,
            loss=loss,
            evaluate=evaluate if self._has_validation() else None,
            lr=lr,
            weight_decay=weight_decay,
            epochs=own.epochs,
            patience=own.patience,
            seed=self.config.seed,
            amp=self.config.amp,
        )

    def closing(self) -> Closing:
        """What fits the base on these items."""
        return Closing(
            self.config,
            self.spec,
            self.infos,
            self._problems(),
            self.class_nodes,
            self.values,
            self.held_values,
            self.told(),
            grouping(self.data.groups, self.train),
        )

    def told(self) -> dict[str, tuple[FloatArray, FloatArray]]:
        """Target → what a cross-fitted text classifier says of the training and of the validation items."""
        found = {}
        if "text" in self.config.modalities:
            for info in self.infos:
                target, mask = self.data.target(info.name), self.data.text_mask
                both = [told(target, info, "text", rows, mask[rows]) for rows in (self.train, self.validation)]
                if both[0] is not None and both[1] is not None:
                    found[info.name] = both[0], both[1]
        return found

    def known_rows(self, name: str) -> tuple[BoolArray, BoolArray]:
        """Which training and which validation items have a label."""
        target = self.data.target(name)
        return target.labelled[self.train], target.labelled[self.validation]

    def train_labels(self, name: str) -> IntArray | BoolArray:
        """Known labels of the training items."""
        target = self.data.target(name)
        return target.labels[self.train][target.labelled[self.train]]

    def both_labels(self, name: str) -> IntArray | BoolArray:
        """Known labels of the training items, then of the validation items."""
        target = self.data.target(name)
        known, held_known = self.known_rows(name)
        return np.concatenate([target.labels[self.train][known], target.labels[self.validation][held_known]])

    def both_groups(self, name: str, again: IntArray) -> IntArray | None:
        """Groups of the items of :meth:`both_labels`, and once more of some of the labelled training items."""
        target = self.data.target(name)
        known = self.train[target.labelled[self.train]]
        judges = [known, self.validation[target.labelled[self.validation]], known[again]]
        alone = grouping(self.data.groups, np.concatenate([self.train, self.validation])) is None
        return None if alone else grouping(self.data.groups, np.concatenate(judges))

    def _problems(self) -> dict[str, tuple[Problem, IntArray]]:
        joined = torch.cat([self.values[name] for name in self.spec.names], dim=1)
        held = torch.cat([self.held_values[name] for name in self.spec.names], dim=1)
        problems = {}
        for target in self.data.targets:
            rows = np.flatnonzero(target.labelled[self.train])
            held_rows = np.flatnonzero(target.labelled[self.validation])
            at, held_at = torch.from_numpy(rows).to(self.device), torch.from_numpy(held_rows).to(self.device)
            problem = Problem(
                features=joined[at],
                labels=self.labels[target.name][at],
                classes=self.classes[target.name],
                validation=held[held_at],
                validation_labels=torch.from_numpy(target.labels[self.validation][held_rows]).to(self.device),
                weight=self.weight[target.name],
            )
            problems[target.name] = (problem, rows)
        return problems

    def graph(self) -> GraphExpert | None:
        """A fresh R-GCN part, seeded; ``None`` where the graph has no edges."""
        graph, own = self.data.graph, item_nodes(self.data)
        if not len(graph.edges):
            return None
        used = np.unique(graph.edges[:, 1])
        relations = tuple(sorted(graph.relations[number] for number in used))
        embedded = shared_nodes(graph, own, self.config.gnn.min_degree)
        with seeded(self.config.seed, self.device):
            width = graph.features.shape[1] + VALUES * bool(values(graph.nodes).any())
            expert = GraphExpert(relations, embedded, width, self.classes, self.config.gnn)
        return expert.to(self.device)

    def graph_stage(self, net: GraphExpert) -> Stage:
        """How the R-GCN part learns: the whole graph in one step an epoch."""
        places = {t.name: t.classes.node for t in self.data.targets}
        both = np.concatenate([self.train, self.validation])
        own = item_nodes(self.data)
        prepared = net.prepare(self.data.graph, self.data.item_node[both], places, own).to(self.device)
        learn = torch.arange(len(self.train), device=self.device)
        seen: PreparedGraph = replace(prepared, items=prepared.items[: len(self.train)])
        held: PreparedGraph = replace(prepared, items=prepared.items[len(self.train) :])

        gnn, most = self.config.gnn, len(self.data.graph.edges)

        def loss(rows: Tensor) -> Tensor:
            total, graph = torch.zeros((), device=self.device), seen
            if gnn.edge_dropout:
                graph = replace(seen, aggregation=without_some(seen.aggregation, gnn.edge_dropout, most)[0])
            if net.link is not None:  # the labels are read off the same states: one pass a step
                edges = graph.aggregation
                rest, asked = without_some(edges, LEFT_OUT)
                graph = replace(graph, aggregation=rest)
            states = net.states(graph)
            if net.link is not None and len(asked):
                ends = edges.source[asked], edges.relation[asked], edges.destination[asked]
                total = total + self.config.gnn.links * net.link_loss(states, *ends)
            logits = net.logits(states, graph)
            for name in self.classes:
                total = total + self._loss(name, logits[name], rows, seen.items >= 0)
            return total

        def evaluate() -> float:
            with torch.no_grad():
                return self._validation_loss(net(held))

        return self._stage("graph", net, lambda _: [learn], loss, evaluate, gnn.lr, gnn.weight_decay)


def _info(target: Target, train: IntArray) -> TargetInfo:
    known = train[target.labelled[train]]
    count = len(target.classes.iris)
    if not len(known):
        raise TrainingError(f"no training item has a label for {target.name!r}", remedy="label some training items")
    if target.multi_label:
        seen = target.labels[known].any(axis=0)
    else:
        seen = np.bincount(target.labels[known].astype(np.int64), minlength=count) > 0
        if seen.sum() < 2:
            raise TrainingError(
                f"all training items of {target.name!r} have one class", remedy="label items of at least two classes"
            )
    classes = replace(target.classes, node=np.full(count, -1, np.int64))
    return TargetInfo(target.name, classes, target.multi_label, np.asarray(seen, np.bool_))


def _class_weights(target: Target, train: IntArray, config: TrainConfig) -> Tensor:
    """(C,) loss weights: of a class (single-label), or of its positives against its negatives (multi-label)."""
    count = len(target.classes.iris)
    known = train[target.labelled[train]]
    if config.class_weights == "none":
        return torch.ones(count)
    if target.multi_label:
        positive = target.labels[known].sum(axis=0)
        ratio = (len(known) - positive) / np.maximum(positive, 1)
    else:
        frequency = np.bincount(target.labels[known].astype(np.int64), minlength=count)
        ratio = len(known) / (max(1, int((frequency > 0).sum())) * np.maximum(frequency, 1))
    power = 0.5 if config.class_weights == "sqrt" else 1.0
    return torch.from_numpy(np.clip(ratio**power, 0.1, 10.0).astype(np.float32))


def _drop_modalities(net: FusionLayer, present: dict[str, Tensor], config: TrainConfig) -> dict[str, Tensor]:
    """With the configured chance an item loses one modality, never its last."""
    kinds = len(net.modalities)
    if not config.modality_dropout or kinds < 2:
        return present
    some = next(iter(present.values()))
    available = torch.stack(
        [
            torch.stack([present[name] for name, at in zip(net.names, net.place, strict=True) if at == m]).any(0)
            for m in range(kinds)
        ],
        dim=1,
    )
    victim = torch.where(available, torch.rand(available.shape, device=some.device), -1.0).argmax(1)
    hit = (torch.rand(len(some), device=some.device) < config.modality_dropout) & (available.sum(1) > 1)
    return {name: present[name] & ~(hit & (victim == at)) for name, at in zip(net.names, net.place, strict=True)}
