"""Fit a fusion model: the strong base first, then the residuals, each of which validation must accept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from kgfuse.encode.device import one_thread, resolve
from kgfuse.errors import TrainingError
from kgfuse.fuse.blocks import Prepared, fit_blocks
from kgfuse.fuse.calibrate import STEPS, Stack, fit_stack
from kgfuse.fuse.closed import Base, Honest
from kgfuse.fuse.config import TrainConfig
from kgfuse.fuse.data import BoolArray, FloatArray, FusionData, IntArray, Split, check_data
from kgfuse.fuse.groups import grouping
from kgfuse.fuse.heldout import Held, Labels, cross_fitted, promises
from kgfuse.fuse.loop import Checkpoints, Curve, EpochEvent, Stage, run
from kgfuse.fuse.metrics import accuracy, calibration_error, item_losses, probabilities
from kgfuse.fuse.model import FusionModel
from kgfuse.fuse.stages import Stages

_SIMPLE: Final = ("linear", "text", "image")
"""What late fusion adds up: the regression on the joined blocks, and classifiers that came with the data."""


@one_thread()
def fit(
    data: FusionData,
    split: Split,
    config: TrainConfig,
    *,
    resume_folder: Path | None = None,
    log_folder: Path | None = None,
    on_epoch: Callable[[EpochEvent], None] | None = None,
) -> FusionModel:
    """Train on ``split.train``, select on ``split.validation``; ``split.test`` is not looked at.

    Args:
        data: items, graph and targets; labels outside train and validation are not read.
        split: which items serve what.
        config: all settings.
        resume_folder: checkpoints are written there and, where present, taken up again.
        log_folder: TensorBoard logs are written there.
        on_epoch: called after each epoch of each part.

    Raises:
        TrainingError: the arrays do not fit together, nothing can be learned from them, or nothing is left to judge
            a model on that learns from the validation items too.
        ModelError: a checkpoint of another run lies in ``resume_folder``.
    """
    check_data(data, split)
    if config.refit and not len(split.test):
        raise TrainingError(
            "refit learns from the validation items, and no test items are there to judge the model on",
            remedy="mark some items as test, or leave refit off",
        )
    device = resolve(config.device)
    train, validation = by_name(data, split.train), by_name(data, split.validation)
    spec, around = fit_blocks(data, train, config)
    if not spec.names:
        raise TrainingError(
            "no training item has any of: " + ", ".join(config.modalities), remedy="add texts, pictures or statements"
        )
    run_ = Stages(data, config, device, train, validation, spec, around)
    checkpoints = None
    if resume_folder is not None:
        checkpoints = Checkpoints(resume_folder, config.checkpoint_every, fingerprint(data, split, config))
    writer = None
    if log_folder is not None:
        from torch.utils.tensorboard import SummaryWriter

        writer = SummaryWriter(str(log_folder))
    log = None if writer is None else writer.add_scalar

    curves: list[Curve] = []

    def learn(stage: Stage) -> int:
        curves.append(run(stage, checkpoints=checkpoints, on_epoch=on_epoch, log=log))
        return curves[-1].kept

    model = FusionModel(config, spec, run_.infos)
    closing = run_.closing()
    base = closing.fit()
    _take(model, base)
    sharpness: dict[str, float] = {}
    lasted: dict[str, int] = {}
    offsets: tuple[dict[str, Tensor], dict[str, Tensor]] = {}, {}
    if config.head == "fusion":
        offsets = _base(model, run_, closing.honest(base))
        sharpness = {name: stack.sharpness for name, stack in model.stacks.items()}
        model.layer = run_.layer(sharpness)
        lasted["layer"] = learn(run_.layer_stage(model.layer, *offsets))
    if config.gnn.enabled and config.head == "fusion" and spec.bag is not None:
        model.graph = run_.graph()
        if model.graph is not None:
            lasted["graph"] = learn(run_.graph_stage(model.graph))
    _stack(model, data, validation, around, (train, offsets[0]))
    _let_go(model)
    if config.refit:
        everything = by_name(data, np.concatenate([split.train, split.validation]))
        again = Stages(data, config, device, everything, np.zeros(0, np.int64), spec, around)
        _refit(
            model,
            again,
            sharpness,
            lambda stage: learn(replace(stage, until=lasted[stage.name], name=f"{stage.name} again")),
        )
    model.curves = tuple(curves)
    if writer is not None:
        for name, value in model.metrics["validation"].items():
            writer.add_scalar(f"validation/{name}/accuracy", value["accuracy"], 0)
        writer.close()
    return model


def _refit(model: FusionModel, stages: Stages, sharpness: Mapping[str, float], learn: Callable[[Stage], int]) -> None:
    """Fit every part that was kept once more, on all labelled items; what validation chose stays as it is.

    Weights and temperature were chosen on items that the parts had not seen, so that they fit the parts as they will
    do on new items.
    """
    model.targets = stages.infos
    if model.linear is None:
        raise TrainingError("the regression comes first")
    closing = stages.closing()
    base = closing.fit(like=Base(model.linear, model.prototypes, model.kernel))
    _take(model, base)
    if model.layer is not None:
        honest = closing.honest(base).train
        offsets = {
            name: torch.from_numpy(model.stacks[name].total(parts)).to(stages.device) for name, parts in honest.items()
        }
        model.layer = stages.layer(sharpness)
        learn(stages.layer_stage(model.layer, offsets, {}))
    if model.graph is not None:
        model.graph = stages.graph()
        if model.graph is not None:
            learn(stages.graph_stage(model.graph))


def _take(model: FusionModel, base: Base) -> None:
    model.linear, model.prototypes, model.kernel = base.linear, base.prototypes, base.kernel


def _let_go(model: FusionModel) -> None:
    """Forget the parts that no target kept."""
    used = {name for stack in model.stacks.values() for name, weight in stack.weight.items() if weight}
    model.layer = model.layer if "layer" in used else None
    model.prototypes = model.prototypes if "prototypes" in used else None
    model.kernel = model.kernel if "kernel" in used else None
    model.graph = model.graph if "graph" in used else None


def by_name(data: FusionData, index: IntArray) -> IntArray:
    """The items in the order of their names, so that their order in the data does not matter."""
    return np.array(sorted(index.tolist(), key=lambda row: data.items[row]), np.int64)


def fingerprint(data: FusionData, split: Split, config: TrainConfig) -> str:
    """SHA-256 over configuration and all that is learned from."""
    digest = hashlib.sha256(config.model_dump_json().encode())
    graph = data.graph
    for names in (data.items, graph.nodes, graph.relations):
        digest.update("\n".join(names).encode())
    arrays = [data.item_node, data.text, data.image, data.text_mask, data.image_mask, graph.edges, graph.features]
    arrays += [split.train, split.validation]
    arrays += [] if data.groups is None else [data.groups]
    for target in data.targets:
        digest.update("\n".join((target.name, *target.classes.iris)).encode())
        arrays += [target.labels[split.train], target.labels[split.validation]]
        arrays += [target.classes.text, target.classes.image]
        arrays += [own for own in (target.image_logits, target.text_logits) if own is not None]
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _base(model: FusionModel, stages: Stages, honest: Honest) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Weigh the base's parts; return honest scores of the training items and of the validation items.

    All labelled items judge, not only the few kept for validation, since the parts are cross-fitted. Where classes have
    no items, some items judge as if their classes had none, too.
    """
    train, validation = {}, {}
    for target in model.targets:
        name = target.name
        known, held_known = stages.known_rows(name)
        judged = {
            part: np.concatenate([scores[known], honest.validation[name][part][held_known]])
            for part, scores in honest.train[name].items()
        }
        labels = stages.both_labels(name)
        if name in honest.rows:
            judged = {part: np.concatenate([scores, honest.pretended[name][part]]) for part, scores in judged.items()}
            labels = np.concatenate([labels, stages.train_labels(name)[honest.rows[name]]])
        groups = stages.both_groups(name, honest.rows.get(name, np.zeros(0, np.int64)))
        base = fit_stack(judged, labels, accept=model.config.accept, jointly=True, groups=groups)
        if (
            not target.seen.all() and name not in honest.rows
        ):  # none can judge for unseen classes; what is known of them does
            base = replace(base, weight={part: max(weight, STEPS[0]) for part, weight in base.weight.items()})
        model.stacks[name] = base
        train[name] = torch.from_numpy(base.total(honest.train[name])).to(stages.device)
        validation[name] = torch.from_numpy(base.total(honest.validation[name])).to(stages.device)
    return train, validation


def _stack(
    model: FusionModel,
    data: FusionData,
    validation: IntArray,
    around: Prepared,
    crossed: tuple[IntArray, Mapping[str, Tensor]],
) -> None:
    """Weigh the parts on validation, and record how the sum does there.

    Args:
        model: with its parts.
        data: of the run.
        validation: items.
        around: the graph, indexed.
        crossed: training items, and target → sums (n, C) of the base's parts, fitted on other items.
    """
    config = model.config
    parts = model.parts(data, validation, prepared=around)
    report: dict[str, dict[str, object]] = {}
    held: dict[str, Held] = {}
    for info in model.targets:
        target = data.target(info.name)
        known, labels = target.labelled[validation], target.labels[validation]
        scores = dict(parts.scores[info.name])
        used = {part: own for part, own in scores.items() if config.head != "linear" or part in _SIMPLE}
        groups = None if data.groups is None else data.groups[validation]
        consistent = partial(model.logic.probabilities, info.name)
        weigh = _weigher(config, model.stacks.get(info.name), consistent, groups)
        rows = np.flatnonzero(known)
        stack = weigh({name: value[rows] for name, value in used.items()}, labels[rows], rows)
        model.stacks[info.name] = stack
        if config.risk is not None:
            held[info.name] = cross_fitted(used, labels, known, stack, weigh, groups)
        report[info.name] = _report(stack, {name: value[known] for name, value in scores.items()}, labels[known])
    for name, found in promises(_with_training_items(model, held, data, *crossed), model.logic, config).items():
        model.stacks[name] = replace(model.stacks[name], promise=found)
        report[name]["promise"] = found.to_dict()
    model.metrics["validation"] = report


def _weigher(
    config: TrainConfig,
    base: Stack | None,
    consistent: Callable[[FloatArray], FloatArray],
    groups: IntArray | None,
) -> Callable[[Mapping[str, FloatArray], Labels, IntArray], Stack]:
    """What weighs the parts of one target by some items; its thresholds are set on ``consistent`` probabilities."""

    def weigh(scores: Mapping[str, FloatArray], labels: Labels, rows: IntArray) -> Stack:
        return fit_stack(
            scores,
            labels,
            accept=config.accept,
            calibrate=config.calibrate,
            own_thresholds=config.thresholds == "validation",
            base=base,
            shares=consistent,
            groups=grouping(groups, rows),
        )

    return weigh


def _with_training_items(
    model: FusionModel, held: Mapping[str, Held], data: FusionData, train: IntArray, sums: Mapping[str, Tensor]
) -> dict[str, Held]:
    """Where nothing but the cross-fitted base counts, training items judge as well, by parts that never saw them.

    Not where a CNN was fine-tuned: its features have seen the labels of all training items.
    """
    stacks = {name: model.stacks[name] for name in held}
    kept = {name for stack in stacks.values() for name, weight in stack.weight.items() if weight}
    crossed = all(kept <= set(stack.base) for stack in stacks.values())
    if not sums or not crossed or any(target.image_logits is not None for target in data.targets):
        return dict(held)
    both = {}
    for name, own in held.items():
        target, stack = data.target(name), stacks[name]
        logits = stack.calibrated(sums[name].float().cpu().numpy())
        given = None if stack.thresholds is None else np.broadcast_to(stack.thresholds, logits.shape)
        both[name] = Held(
            np.concatenate([own.logits, logits]),
            np.concatenate([own.labels, target.labels[train]]),
            np.concatenate([own.known, target.labelled[train]]),
            None if own.thresholds is None or given is None else np.concatenate([own.thresholds, given]),
        )
    return both


def _report(stack: Stack, scores: Mapping[str, FloatArray], labels: IntArray | BoolArray) -> dict[str, object]:
    if not len(labels):
        return {"items": 0, "accuracy": None}
    logits = stack.combine(scores)
    shares = probabilities(logits, labels.ndim == 2)
    single = {
        name: accuracy(probabilities(np.nan_to_num(value), labels.ndim == 2), labels) for name, value in scores.items()
    }
    report: dict[str, object] = {
        "items": len(labels),
        "accuracy": accuracy(shares, labels, stack.thresholds),
        "loss": float(item_losses(logits, labels).mean()),
        "parts": single,
        "weights": dict(stack.weight),
    }
    if labels.ndim == 1:
        report["calibration_error"] = calibration_error(shares, np.asarray(labels, np.int64))
    return report
