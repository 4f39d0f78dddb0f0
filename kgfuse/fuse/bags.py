"""Which bag of statements tells the classes apart: one that weighs rare pairs, or one that counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch

from kgfuse.fuse.calibrate import fit_sharpness
from kgfuse.fuse.config import TrainConfig
from kgfuse.fuse.data import FloatArray, FusionData, IntArray, Target
from kgfuse.fuse.experts import LinearExpert, Problem
from kgfuse.fuse.groups import folds, grouping, standard_error
from kgfuse.fuse.metrics import DoubleArray, item_losses
from kgfuse.fuse.statements import Adjacency, StatementBag, bag_rows, fit_bag, look_up, reduce_rows

FOLDS: Final = 4


def choose_bag(data: FusionData, index: Adjacency, train: IntArray, config: TrainConfig) -> StatementBag:
    """The bag that the configuration asks for; left to choose, the one whose regression does better on held-out folds.

    Where statements are few and telling, rare ones say most (inverse document frequency); where an item has many of a
    kind, as a molecule has atoms, their number does. The former stands unless the latter is better by more than
    ``config.accept`` standard errors.

    Args:
        data: items and graph; labels of the training items are read.
        index: of its graph.
        train: (n,) training items.
        config: of the run.
    """
    nodes = data.item_node[train]
    if config.bag.counted != "auto":
        return fit_bag(index, nodes, config.bag, config.seed, config.bag.counted)
    bags = [fit_bag(index, nodes, config.bag, config.seed, counted) for counted in (False, True)]
    losses: list[list[DoubleArray]] = [[], []]
    groups = grouping(data.groups, train)
    judges: list[IntArray] = []
    for target in data.targets:
        known = np.flatnonzero(target.labelled[train])
        if len(known) < 2 * FOLDS:
            continue
        for own, bag in zip(losses, bags, strict=True):
            rows = reduce_rows(bag, bag_rows(bag, look_up(bag, index), index, nodes[known]))
            own.append(_held_out(rows, target, train[known], config.linear.strengths, grouping(groups, known)))
        judges.append(known)
    if not losses[0]:
        return bags[0]
    fall = np.concatenate(losses[0]) - np.concatenate(losses[1])
    error = standard_error(fall, None if groups is None else groups[np.concatenate(judges)])
    return bags[int(float(fall.mean()) > config.accept * error)]


def _held_out(
    rows: FloatArray, target: Target, items: IntArray, strengths: Sequence[float], groups: IntArray | None
) -> DoubleArray:
    """(n,) losses of the items by regressions on the other folds, at the best strength and temperature."""
    norm = np.linalg.norm(rows - rows.mean(axis=0), axis=1, keepdims=True)
    features = torch.from_numpy(((rows - rows.mean(axis=0)) / np.maximum(norm, 1e-12)).astype(np.float32))
    labels = target.labels[items]
    truth = torch.from_numpy(labels)
    count = len(target.classes.iris)
    fold = torch.from_numpy(folds(len(items), FOLDS, groups))
    found: list[DoubleArray] = []
    for strength in strengths:
        scores = torch.zeros(len(items), count)
        for number in range(FOLDS):
            rest, held = fold != number, fold == number
            none = features[:0], truth[:0]
            problem = Problem(features[rest], truth[rest], count, *none, torch.ones(count))
            expert = LinearExpert(features.shape[1], {target.name: count})
            expert.fit(target.name, problem, (strength,), iterations=40)
            scores[held] = expert.forward(features[held])[target.name]
        logits = scores.numpy()
        found.append(item_losses(logits * np.float32(fit_sharpness(logits, labels)), labels))
    return min(found, key=lambda losses: float(losses.mean()))
