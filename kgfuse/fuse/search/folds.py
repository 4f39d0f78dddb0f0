"""On which items the trials of a search are judged, none of which a trial's own fit has looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from kgfuse.errors import TrainingError
from kgfuse.fuse.config import TrainConfig
from kgfuse.fuse.data import FusionData, IntArray, Split
from kgfuse.fuse.groups import deal_groups, grouping
from kgfuse.fuse.metrics import item_losses
from kgfuse.fuse.train import by_name, fit

FEW: Final = 1_000
"""Labelled validation items from which on they alone judge."""
FOLDS: Final = 5
Way: TypeAlias = Literal["cross-validation", "validation halves"]
Losses: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Plan:
    """How each trial is judged.

    A fit stops early, weighs its parts and sets its temperature on its validation items, so their loss flatters it,
    and flatters those settings most that leave it most to choose. Therefore each fold's judges serve nothing else:

    * ``cross-validation``: a fifth of the training and validation items judges, the rest is shared out to learn from
      and to validate, as the split shares them; five times, until each item has judged once.
    * ``validation halves``: the training items stay as they are, one half of the validation items validates and the
      other judges, then the other way round. Half as much to validate on, but two fits only, and right also where the
      features themselves were learned from the training items' labels.

    Items of one group (:attr:`~kgfuse.fuse.data.FusionData.groups`) are never on two sides.

    Args:
        way: which of the two.
        folds: splits whose ``test`` items judge.
        again: the same, dealt anew: judges for what won on ``folds``, which chance has favoured there.
        weight: target → factor of its items' losses, so that their mean is the mean over the targets.
        groups: group of the item behind each loss of ``folds``, in the order of :func:`losses`; ``None`` where each
            item stands alone.
        groups_again: the same for ``again``.
    """

    way: Way
    folds: tuple[Split, ...]
    again: tuple[Split, ...]
    weight: dict[str, float]
    groups: IntArray | None = None
    groups_again: IntArray | None = None

    @property
    def items(self) -> int:
        """How many items judge."""
        return sum(len(fold.test) for fold in self.folds)


def make_plan(data: FusionData, split: Split, seed: int, *, learned_features: bool = False) -> Plan:
    """Deal the items of training and validation out; the split's test items are in none of the folds.

    Args:
        data: items and targets.
        split: of the run; below :data:`FEW` labelled validation items all of its items take turns to judge.
        seed: of the dealing.
        learned_features: features of the training items know their labels (a fine-tuned CNN), or training items have
            copies among them: only validation items may judge.

    Raises:
        TrainingError: too few items to judge by.
    """
    labelled = np.any([target.labelled for target in data.targets], axis=0)
    train, validation = (by_name(data, part[labelled[part]]) for part in (split.train, split.validation))
    rest = by_name(data, split.train[~labelled[split.train]])
    way: Way = "cross-validation" if len(validation) < FEW and not learned_features else "validation halves"
    groups = None if grouping(data.groups, np.concatenate([train, validation])) is None else data.groups
    rounds: list[tuple[Split, ...]] = []
    for number in range(2):
        rng = np.random.default_rng([seed, number, 20261130])
        if way == "validation halves":
            if len(validation) < 4:
                raise TrainingError(
                    f"{len(validation)} labelled validation items are too few to judge the trials of a search by",
                    remedy="mark more items as validation",
                )
            half = _dealt(data, validation, 2, rng, groups)
            parts = [validation[half == side] for side in (0, 1)]
            learn = np.concatenate([rest, train])
            rounds.append(tuple(Split(learn, parts[1 - side], parts[side]) for side in (0, 1)))
            continue
        pool = by_name(data, np.concatenate([train, validation]))
        if len(pool) < 2 * FOLDS:
            raise TrainingError(
                f"{len(pool)} labelled items are too few to search settings on", remedy="label more items"
            )
        share = max(2, round(len(pool) / max(1, len(validation))))
        fold = _dealt(data, pool, FOLDS, rng, groups)
        splits = []
        for side in range(FOLDS):
            others = pool[fold != side]
            part = _dealt(data, others, share, rng, groups)
            splits.append(Split(np.concatenate([rest, others[part > 0]]), others[part == 0], pool[fold == side]))
        rounds.append(tuple(splits))
    judges = np.concatenate([fold.test for fold in rounds[0]])
    counts = {target.name: int(target.labelled[judges].sum()) for target in data.targets}
    whole = sum(counts.values())
    weight = {name: whole / (len(counts) * count) if count else 0.0 for name, count in counts.items()}
    clusters = [None if groups is None else _judges(data, folds, groups) for folds in rounds]
    return Plan(way, rounds[0], rounds[1], weight, *clusters)


def deal(strata: Sequence[str], parts: int, rng: np.random.Generator) -> IntArray:
    """Part 0 to ``parts`` - 1 of each item, at random, with every stratum spread evenly over the parts.

    >>> sorted(deal(["a", "a", "b", "b"], 2, np.random.default_rng(0))[:2].tolist())
    [0, 1]
    """
    chance = rng.permutation(len(strata))
    order = sorted(range(len(strata)), key=lambda at: (strata[at], chance[at]))
    dealt = np.zeros(len(strata), np.int64)
    dealt[order] = np.arange(len(strata)) % parts
    return dealt


def _dealt(data: FusionData, rows: IntArray, parts: int, rng: np.random.Generator, groups: IntArray | None) -> IntArray:
    own, strata = grouping(groups, rows), _strata(data, rows)
    return deal(strata, parts, rng) if own is None else deal_groups(strata, own, parts, rng)


def _judges(data: FusionData, folds: Sequence[Split], groups: IntArray) -> IntArray:
    """Group of the item behind each number that :func:`losses` gives, fold after fold."""
    return np.concatenate([groups[fold.test[t.labelled[fold.test]]] for fold in folds for t in data.targets])


def _strata(data: FusionData, rows: IntArray) -> list[str]:
    found = [""] * len(rows)
    for target in data.targets:
        best = target.labels.argmax(axis=1) if target.multi_label else np.asarray(target.labels, np.int64)
        for at, row in enumerate(rows.tolist()):
            if not found[at] and target.labelled[row]:
                found[at] = f"{target.name} {target.classes.iris[best[row]]}"
    return found


def losses(data: FusionData, fold: Split, config: TrainConfig, plan: Plan) -> Losses:
    """Log-loss of each (judging item, target), by a model fitted without them, calibrated as ever; six decimals."""
    model = fit(data, fold, config)
    answers = model.predict(data, fold.test)
    found = []
    for target in data.targets:
        known = target.labelled[fold.test]
        own = item_losses(answers[target.name].logits[known], target.labels[fold.test][known])
        found.append(own * plan.weight[target.name])
    joined = np.round(np.concatenate(found), 6)
    if not np.isfinite(joined).all():
        raise TrainingError("the loss is not finite")
    return np.asarray(joined, np.float64)
