"""What a model says of items that nothing in it has learned from, the weights and temperature of its sum included."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from kgfuse.fuse.answers import Logic, sure_enough
from kgfuse.fuse.calibrate import Stack
from kgfuse.fuse.config import TrainConfig
from kgfuse.fuse.data import BoolArray, FloatArray, IntArray
from kgfuse.fuse.groups import folds, grouping
from kgfuse.fuse.selective import Promise, promise

FOLDS: Final = 5
Labels = IntArray | BoolArray


@dataclass(frozen=True, eq=False, slots=True)
class Held:
    """Held-out items of one target.

    Args:
        logits: (n, C).
        labels: (n,) or (n, C), of the items that ``known`` (n,) marks.
        known: which items have a label.
        thresholds: (n, C) from which on classes are given; ``None`` for a single-label target.
    """

    logits: FloatArray
    labels: Labels
    known: BoolArray
    thresholds: FloatArray | None


def cross_fitted(
    scores: Mapping[str, FloatArray],
    labels: Labels,
    known: BoolArray,
    whole: Stack,
    weigh: Callable[[Mapping[str, FloatArray], Labels, IntArray], Stack],
    groups: IntArray | None = None,
) -> Held:
    """Validation items, each judged by a sum that was weighed and calibrated on the others.

    Args:
        scores: part → (n, C).
        labels: of all n items; read where known.
        known: (n,) which items have a label; the others get the logits of ``whole``.
        whole: weighed on all of them.
        weigh: scores and labels of some of the items, and which these are, to a stack.
        groups: (n,) of the items; ``None`` where each stands alone.
    """
    logits = whole.combine(scores).copy()
    thresholds = None if whole.thresholds is None else np.broadcast_to(whole.thresholds, logits.shape).copy()
    rows = np.flatnonzero(known)
    fold = folds(len(rows), FOLDS, grouping(groups, rows))
    for number in np.unique(fold).tolist() if len(rows) >= 2 * FOLDS else ():
        own = fold == number
        stack = weigh({name: value[rows[~own]] for name, value in scores.items()}, labels[rows[~own]], rows[~own])
        logits[rows[own]] = stack.combine({name: value[rows[own]] for name, value in scores.items()})
        if thresholds is not None and stack.thresholds is not None:
            thresholds[rows[own]] = stack.thresholds
    return Held(logits, labels, known, thresholds)


def promises(held: Mapping[str, Held], logic: Logic, config: TrainConfig) -> dict[str, Promise]:
    """What each target's answers can promise; nothing where no risk is set.

    The held-out items took part in a few choices of the parts that judge them: epochs, penalties, joint weights. So the
    promise is exact for these parts as they are chosen, and close to it for the choosing.

    Each target is promised its risk alone, not all of them at once. Of a multi-label target an answer is all classes
    given to an item: it is wrong if one of them is; its confidence is the least of theirs; naming none is no answer.

    Args:
        held: target → held-out items, the same for all targets.
        logic: of the targets.
        config: ``risk``, ``risk_confidence``, ``abstain``.
    """
    if config.risk is None:
        return {}
    scores = {name: logic.probabilities(name, own.logits) for name, own in held.items()}
    answers = logic.decide(scores, {name: own.thresholds for name, own in held.items()})
    made = {}
    for name, own in held.items():
        said = answers[name]
        judged = own.known & said.given.any(axis=1) & sure_enough(said, scores[name], config.abstain, None)
        wrong = said.wrong(own.labels)
        found = promise(said.confidence[judged], wrong[judged], config.risk, config.risk_confidence)
        made[name] = replace(found, items=int(own.known.sum()))  # with those that get no answer in any case
    return made
