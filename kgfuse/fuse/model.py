"""A trained fusion model: its parts, how they add up, and what it predicts."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from kgfuse.encode.device import one_thread, resolve
from kgfuse.errors import ModelError
from kgfuse.fuse.answers import Answers, Logic, sure_enough
from kgfuse.fuse.blocks import MODALITY_OF, Blocks, BlockSpec, Prepared, item_nodes, make_blocks, prepare
from kgfuse.fuse.calibrate import Stack
from kgfuse.fuse.config import TrainConfig
from kgfuse.fuse.data import BoolArray, FloatArray, FusionData, IntArray, Modality
from kgfuse.fuse.experts import KernelExpert, LinearExpert
from kgfuse.fuse.gnn import GraphExpert
from kgfuse.fuse.layer import FusionLayer
from kgfuse.fuse.loop import Curve
from kgfuse.fuse.prototypes import PrototypeExpert
from kgfuse.fuse.tensors import TargetInfo, array, arrays, block_tensors, class_matches, class_tensors, level, told

CHUNK = 2_048


@dataclass(frozen=True, eq=False, slots=True)
class Prediction:
    """Answers to one target for n items.

    Args:
        target: its name.
        classes: C class names.
        probabilities: (n, C) calibrated; rows sum to one for a single-label target; of a multi-label one no class is
            more likely than one above it, and disjoint ones have at most one as their sum.
        logits: (n, C) what they were made from.
        gates: (n, M) share that the fusion layer gives each of ``modalities``; equal where no layer was kept, zero
            where missing.
        modalities: M names.
        answer: (n,) the best class, -1 where the model abstains.
        given: (n, C) the classes given: the best one, or for multi-label all above their thresholds, as far as the
            ontology lets them go together, also with the answers to the model's other targets.
        ancestors: A names of superclasses.
        ancestor_probabilities: (n, A), none below any class under it: see :meth:`kgfuse.fuse.answers.Logic.ancestors`.
    """

    target: str
    classes: tuple[str, ...]
    probabilities: FloatArray
    logits: FloatArray
    gates: FloatArray
    modalities: tuple[Modality, ...]
    answer: IntArray
    given: BoolArray
    ancestors: tuple[str, ...]
    ancestor_probabilities: FloatArray


@dataclass(frozen=True, eq=False, slots=True)
class Parts:
    """What each part of the model says before they are added up: target → part → (n, C), and the layer's gates."""

    scores: Mapping[str, Mapping[str, FloatArray]]
    gates: FloatArray


@dataclass(eq=False, slots=True)
class FusionModel:
    """A trained model. Parts that are ``None`` were not fitted; a stack says which parts count.

    Args:
        config: of the run that made it.
        spec: preparation of the blocks.
        targets: what it predicts.
        layer: the fusion layer (network).
        linear: logistic regression on the joined blocks, on which the layer builds.
        prototypes: classes placed by their items, descriptions and relatives.
        kernel: kernel ridge on the joined blocks.
        graph: the R-GCN part.
        stacks: target → how the parts add up.
        metrics: of the run, on validation (and whatever the caller adds).
        curves: losses of each part that learned by gradient, also of parts that were not kept; empty for a model that
            was saved before they were.
    """

    config: TrainConfig
    spec: BlockSpec
    targets: tuple[TargetInfo, ...]
    layer: FusionLayer | None = None
    linear: LinearExpert | None = None
    prototypes: PrototypeExpert | None = None
    kernel: KernelExpert | None = None
    graph: GraphExpert | None = None
    stacks: dict[str, Stack] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    curves: tuple[Curve, ...] = ()
    _logic: Logic | None = field(default=None, init=False, repr=False)

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """The modalities it reads."""
        return self.spec.modalities

    def modules(self) -> dict[str, nn.Module]:
        """The fitted parts by name."""
        parts: dict[str, nn.Module | None] = {
            "layer": self.layer,
            "linear": self.linear,
            "prototypes": self.prototypes,
            "kernel": self.kernel,
            "graph": self.graph,
        }
        return {name: part for name, part in parts.items() if part is not None}

    def prepare(self, data: FusionData) -> Prepared:
        """Index a graph once, for many predictions on it."""
        return prepare(self.spec, data)

    @one_thread()
    def predict(
        self,
        data: FusionData,
        index: IntArray,
        *,
        drop_modalities: Set[Modality] = frozenset(),
        drop_edges: BoolArray | None = None,
        prepared: Prepared | None = None,
    ) -> dict[str, Prediction]:
        """Classify items, also ones that were not there in training.

        Args:
            data: items and graph; relations, shared nodes and classes are matched by name. Labels are not read.
            index: (n,) items to classify.
            drop_modalities: predict as if the items lacked these.
            drop_edges: (E,) predict as if these edges did not exist.
            prepared: ``model.prepare(data)`` where the caller has it already, for many calls on one graph.
        """
        parts = self.parts(data, index, drop_modalities, drop_edges, prepared)
        logits = {target.name: self.stacks[target.name].combine(parts.scores[target.name]) for target in self.targets}
        scores = {name: self.logic.probabilities(name, own) for name, own in logits.items()}
        answers = self.logic.decide(scores, {name: self.stacks[name].thresholds for name in scores})
        return {
            target.name: self._prediction(target, parts, logits[target.name], scores[target.name], answers[target.name])
            for target in self.targets
        }

    @property
    def logic(self) -> Logic:
        """What its classes say of each other."""
        if self._logic is None:
            self._logic = Logic([(target.name, target.classes, target.multi_label) for target in self.targets])
        return self._logic

    def parts(
        self,
        data: FusionData,
        rows: IntArray,
        drop_modalities: Set[Modality] = frozenset(),
        drop_edges: BoolArray | None = None,
        prepared: Prepared | None = None,
    ) -> Parts:
        """Scores of every part for ``rows``."""
        self._check_widths(data)
        rows = np.asarray(rows, np.int64)
        around = self.prepare(data) if prepared is None else prepared
        blocks = make_blocks(self.spec, data, around, rows, drop_edges)
        told = {} if "text" in drop_modalities else self._told(data, "text", rows)
        scores: dict[str, dict[str, list[FloatArray]]] = {target.name: {} for target in self.targets}
        gates = []
        for at in range(0, max(1, len(rows)), CHUNK):
            chunk = slice(at, at + CHUNK)
            here = {target: own[chunk] for target, own in told.items()}
            for name, part, gate in self._block_parts(blocks, chunk, drop_modalities, here):
                if gate is not None:
                    gates.append(gate)
                for target, value in part.items():
                    scores[target].setdefault(name, []).append(value)
        result = {
            target: {name: np.concatenate(value) for name, value in own.items()} for target, own in scores.items()
        }
        if self.graph is not None and "graph" not in drop_modalities:
            for name, value in self._graph_part(data, rows, drop_edges, around).items():
                result[name]["graph"] = value
        if "image" not in drop_modalities:
            for target, prior in self._told(data, "image", rows).items():
                result[target]["image"] = prior
        share = np.concatenate(gates) if gates else self._even_gates(blocks, drop_modalities)
        return Parts(result, share)

    def _block_parts(
        self, blocks: Blocks, chunk: slice, dropped: Set[Modality], told: Mapping[str, FloatArray]
    ) -> list[tuple[str, dict[str, FloatArray], FloatArray | None]]:
        values, present = block_tensors(blocks, chunk, dropped, self.device)
        joined = torch.cat([values[name] for name in self.spec.names], dim=1)
        out: list[tuple[str, dict[str, FloatArray], FloatArray | None]] = []
        with torch.no_grad():
            base: dict[str, dict[str, FloatArray]] = {"text": dict(told)} if told else {}
            if self.linear is not None:
                base["linear"] = self._levelled(self.linear(joined))
            if self.prototypes is not None:
                base["prototypes"] = arrays(self.prototypes(joined))
            if self.kernel is not None:
                base["kernel"] = self._levelled(self.kernel(joined))
            base["unseen"] = {
                target.name: np.broadcast_to((~target.seen).astype(np.float32), (len(joined), len(target.seen)))
                for target in self.targets
                if self.stacks and "unseen" in self.stacks[target.name].weight
            }
            nodes = self.class_tensors()
            if self.config.matching and self.config.head == "fusion":
                for target, found in class_matches(values, nodes).items():
                    for name, score in found.items():
                        base.setdefault(name, {})[target] = array(score)
            out.extend((name, scores, None) for name, scores in base.items())
            if self.layer is not None:
                self.layer.eval()
                result = self.layer(values, present, nodes, self._offset(base))
                out.append(("layer", arrays(result.logits), array(result.gates)))
        return out

    def _offset(self, base: Mapping[str, Mapping[str, FloatArray]]) -> dict[str, Tensor]:
        """What the layer builds on: the base as it was weighed before the layer learned."""
        return {
            name: torch.from_numpy(
                stack.total({part: scores[name] for part, scores in base.items() if name in scores})
            ).to(self.device)
            for name, stack in self.stacks.items()
        }

    def _graph_part(
        self, data: FusionData, rows: IntArray, drop: BoolArray | None, around: Prepared
    ) -> dict[str, FloatArray]:
        if self.graph is None:
            return {}
        few = len(rows) * 4 < len(data.items)
        ready = self.graph.prepare(
            data.graph,
            data.item_node[rows],
            self.class_places(data),
            item_nodes(data),
            drop,
            around.index if few else None,
        )
        self.graph.eval()
        with torch.no_grad():
            return self._levelled(self.graph(ready.to(self.device)))

    def _levelled(self, scores: Mapping[str, Tensor]) -> dict[str, FloatArray]:
        """A part that has never met a class says nothing of it: the class scores the mean of the others."""
        levelled = {}
        for target in self.targets:
            seen = torch.from_numpy(target.seen).to(scores[target.name].device)
            levelled[target.name] = level(scores[target.name], seen)
        return arrays(levelled)

    def _told(self, data: FusionData, modality: Literal["text", "image"], rows: IntArray) -> dict[str, FloatArray]:
        """Target → (n, C) what the classifier of one modality says that came with the data, where one did."""
        if modality not in self.spec.modalities:
            return {}
        there = (data.text_mask if modality == "text" else data.image_mask)[rows]
        given = {other.name: other for other in data.targets}
        return {
            target.name: own
            for target in self.targets
            if target.name in given and (own := told(given[target.name], target, modality, rows, there)) is not None
        }

    def _even_gates(self, blocks: Blocks, dropped: Set[Modality]) -> FloatArray:
        columns = []
        for modality in self.spec.modalities:
            own = [blocks.present[name] for name in self.spec.names if MODALITY_OF[name] == modality]
            columns.append(np.any(own, axis=0) & (modality not in dropped))
        there = np.stack(columns, axis=1).astype(np.float32)
        return np.asarray(there / np.maximum(there.sum(axis=1, keepdims=True), 1), np.float32)

    def _prediction(
        self, target: TargetInfo, parts: Parts, logits: FloatArray, scores: FloatArray, answers: Answers
    ) -> Prediction:
        promise = self.stacks[target.name].promise
        answers = answers.only(sure_enough(answers, scores, self.config.abstain, promise))
        return Prediction(
            target=target.name,
            classes=target.classes.iris,
            probabilities=scores,
            logits=logits,
            gates=parts.gates,
            modalities=self.spec.modalities,
            answer=answers.best,
            given=answers.given,
            ancestors=target.classes.ancestors,
            ancestor_probabilities=self.logic.ancestors(target.name, scores),
        )

    @property
    def device(self) -> torch.device:
        """Where its parts are."""
        for part in self.modules().values():
            for tensor in (*part.parameters(), *part.buffers()):
                return tensor.device
        return resolve(self.config.device)

    def class_tensors(self) -> dict[str, dict[str, Tensor]]:
        """Features of the described classes in the space of the blocks: target → ``text``, ``image`` → (C, d)."""
        return class_tensors(self.spec, self.targets, self.device)

    def class_places(self, data: FusionData) -> dict[str, IntArray]:
        """Target → (C,) nodes of its classes in ``data.graph``, by the data's own targets or else by name."""
        places: dict[str, IntArray] = {}
        given = {
            target.name: dict(zip(target.classes.iris, target.classes.node, strict=True)) for target in data.targets
        }
        by_name: dict[str, int] | None = None
        for target in self.targets:
            own = given.get(target.name)
            if own is None:
                if by_name is None:
                    by_name = {name: number for number, name in enumerate(data.graph.nodes)}
                own = {iri: np.int64(by_name.get(iri, -1)) for iri in target.classes.iris}
            places[target.name] = np.array([own.get(iri, -1) for iri in target.classes.iris], np.int64)
        return places

    def _check_widths(self, data: FusionData) -> None:
        found = {"text": data.text, "image": data.image, "surroundings": data.graph.features}
        for name, own in found.items():
            if name in self.spec.mean and own.shape[1] not in (0, len(self.spec.mean[name])):
                raise ModelError(
                    f"{name} features have {own.shape[1]} numbers, the model was trained on "
                    f"{len(self.spec.mean[name])}",
                    remedy="encode with the model's own encoders",
                )
