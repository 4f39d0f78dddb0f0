"""What text, picture and graph are worth: each alone, joined, fused; over seeds and splits, as paired differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from kgfuse.errors import TrainingError
from kgfuse.fuse.config import TrainConfig
from kgfuse.fuse.data import MODALITIES, BoolArray, FusionData, Split
from kgfuse.fuse.train import fit

LATE: Final = "late fusion"
FUSED: Final = "graph-aware fusion"
# Student's t, two-sided 95 %, by degrees of freedom 1..30; beyond that the normal's 1.96 is near enough.
T95: Final[tuple[float, ...]] = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One way of reading the items, over all runs.

    Args:
        name: ``text``, ``image``, ``graph``, ``late fusion`` or ``graph-aware fusion``.
        scores: accuracy per run (multi-label: share of items with exactly the right classes).
        right: per run, which test items were right.
        kept: per run, which residuals stayed and with what weight.
    """

    name: str
    scores: tuple[float, ...]
    right: tuple[BoolArray, ...]
    kept: tuple[dict[str, float], ...]

    @property
    def mean(self) -> float:
        """Mean score over the runs."""
        return float(np.mean(self.scores))

    @property
    def sd(self) -> float:
        """Sample standard deviation over the runs; 0 for a single run."""
        return float(np.std(self.scores, ddof=1)) if len(self.scores) > 1 else 0.0


@dataclass(frozen=True, slots=True)
class Difference:
    """Paired difference of two rows, run by run on the same items.

    Args:
        row: the better or worse one.
        against: what it is compared with.
        mean: of the differences.
        sd: of the differences.
        margin: half-width of the 95 % interval: the wider of that over runs and that over the test items.
    """

    row: str
    against: str
    mean: float
    sd: float
    margin: float

    @property
    def inside_noise(self) -> bool:
        """Whether the data do not tell the two apart."""
        return abs(self.mean) <= self.margin


@dataclass(frozen=True, slots=True)
class Ablation:
    """The comparison for each target.

    Args:
        rows: target → rows in the order text, image, graph, late fusion, graph-aware fusion.
        seeds: one a run.
        items: test items per run.
    """

    rows: dict[str, tuple[Row, ...]]
    seeds: tuple[int, ...]
    items: tuple[int, ...]

    def difference(self, target: str, row: str, against: str) -> Difference:
        """Paired difference ``row`` − ``against``."""
        by_name = {own.name: own for own in self.rows[target]}
        left, right = by_name[row], by_name[against]
        runs = np.array(left.scores) - np.array(right.scores)
        sd = float(np.std(runs, ddof=1)) if len(runs) > 1 else 0.0
        over_runs = T95[min(len(runs) - 1, len(T95)) - 1] * sd / math.sqrt(len(runs)) if len(runs) > 1 else 0.0
        per_run = [
            1.96 * float(np.std(a.astype(float) - b.astype(float))) / math.sqrt(max(1, len(a)))
            for a, b in zip(left.right, right.right, strict=True)
        ]
        return Difference(row, against, float(runs.mean()), sd, max(over_runs, float(np.mean(per_run))))

    def differences(self, target: str) -> tuple[Difference, ...]:
        """Graph-aware fusion against every other row."""
        names = [row.name for row in self.rows[target]]
        return tuple(self.difference(target, FUSED, name) for name in names if name != FUSED and FUSED in names)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
        return {
            "seeds": list(self.seeds),
            "items": list(self.items),
            "targets": {
                target: {
                    "rows": [
                        {
                            "name": row.name,
                            "scores": list(row.scores),
                            "mean": row.mean,
                            "sd": row.sd,
                            "kept": list(row.kept),
                        }
                        for row in rows
                    ],
                    "differences": [
                        {
                            "row": d.row,
                            "against": d.against,
                            "mean": d.mean,
                            "sd": d.sd,
                            "margin": d.margin,
                            "inside_noise": d.inside_noise,
                        }
                        for d in self.differences(target)
                    ],
                }
                for target, rows in self.rows.items()
            },
        }

    def table(self) -> str:
        """The comparison as aligned text."""
        lines = []
        for target, rows in self.rows.items():
            lines.append(f"{target}: accuracy over {len(self.seeds)} runs, {self.items[0]} test items each")
            against = {d.against: d for d in self.differences(target)}
            for row in rows:
                line = f"  {row.name:<20} {row.mean:6.3f} ± {row.sd:.3f}"
                if row.name in against:
                    d = against[row.name]
                    note = "inside the noise" if d.inside_noise else "outside the noise"
                    line += f"   fusion − this: {d.mean:+.3f} ± {d.sd:.3f} ({note})"
                lines.append(line)
        return "\n".join(lines)


def ablate(
    data: FusionData | Sequence[FusionData],
    splits: Sequence[Split],
    config: TrainConfig,
    seeds: Sequence[int],
    *,
    on_run: Callable[[int, int, str], None] | None = None,
) -> Ablation:
    """Train every row once per (split, seed) pair and score it on the test items.

    Where a split has no test items, its validation items stand in, and the figures are optimistic.

    Args:
        data: items, graph, targets; one a run where features were learned from the split's training items.
        splits: one a run.
        config: of the graph-aware fusion; the other rows take over what applies.
        seeds: one a run.
        on_run: called before each training with (number, total, row).

    Raises:
        TrainingError: as many splits as seeds are needed; or nothing can be learned.
    """
    if len(splits) != len(seeds) or not seeds:
        raise TrainingError(f"{len(splits)} splits for {len(seeds)} seeds", remedy="give one split for each seed")
    read = [data] * len(seeds) if isinstance(data, FusionData) else list(data)
    plans = _plans(config)
    total, number = len(plans) * len(seeds), 0
    found: dict[str, dict[str, list[tuple[float, BoolArray, dict[str, float]]]]] = {t.name: {} for t in read[0].targets}
    for own, split, seed in zip(read, splits, seeds, strict=True):
        for name, plan in plans.items():
            if on_run is not None:
                on_run(number, total, f"{name}, seed {seed}")
            number += 1
            for target, outcome in _run(own, split, plan.model_copy(update={"seed": seed})).items():
                found[target].setdefault(name, []).append(outcome)
    rows = {
        target: tuple(
            Row(name, *(tuple(column) for column in zip(*runs, strict=True)))
            for name, runs in by_row.items()
            if len(runs) == len(seeds)
        )
        for target, by_row in found.items()
    }
    if on_run is not None:
        on_run(total, total, "done")
    return Ablation(rows, tuple(seeds), tuple(len(_judged(split)) for split in splits))


def _plans(config: TrainConfig) -> dict[str, TrainConfig]:
    plans: dict[str, TrainConfig] = {
        modality: config.model_copy(update={"modalities": (modality,)})
        for modality in MODALITIES
        if modality in config.modalities
    }
    plans[LATE] = config.model_copy(update={"head": "linear"})
    plans[FUSED] = config.model_copy(update={"head": "fusion"})
    return plans


def _judged(split: Split) -> Any:
    return split.test if len(split.test) else split.validation


def _run(data: FusionData, split: Split, config: TrainConfig) -> dict[str, tuple[float, BoolArray, dict[str, float]]]:
    try:
        model = fit(data, split, config)
    except TrainingError:
        if len(config.modalities) > 1:
            raise
        return {}  # no training item has this modality: the row is left out
    judged = _judged(split)
    predictions = model.predict(data, judged)
    outcome = {}
    for target in data.targets:
        known = target.labelled[judged]
        labels = target.labels[judged][known]
        answer = predictions[target.name]
        if target.multi_label:
            right = (answer.given[known] == labels).all(axis=1)
        else:
            right = answer.probabilities[known].argmax(axis=1) == labels
        kept = {name: weight for name, weight in model.stacks[target.name].weight.items() if weight}
        outcome[target.name] = (float(np.mean(right)), np.asarray(right, np.bool_), kept)
    return outcome
