"""Are the statements named as the reason the reason? Removal beside GNNExplainer, integrated gradients and chance.

    python -m tests.benchmarks.explain [--data DIR] [--seeds N] [--items 30] [--models 3] [--out DIR]

Each method ranks the statements about an item. The model then answers without the best of them (comprehensiveness: the
more it loses, the better) and with nothing but them (sufficiency: the less it loses, the better), mean over one, two,
three and five statements. Controls are statements drawn at random, and others whose ends have nearly the degree of
those that kgfuse names. GNNExplainer (Ying et al. 2019) and integrated gradients (Sundararajan et al. 2017), as PyTorch
Geometric and Captum have them, read graph networks only: they are compared on the R-GCN part alone, and the whole model
with the controls. On a planted graph the true reason is known. The same items are also explained by ``--models`` models
that differ in nothing but the seed of their training: a reason that lies in the data is named again, by all of them.
Grocery photos state nothing, so they have no statements to rank; OpenMoji needs ``--data DIR`` with
``openmoji/openmoji.json``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from kgfuse.explain.effects import own_edges
from kgfuse.fuse.config import TrainConfig
from kgfuse.fuse.data import FusionData, IntArray, Split
from tests.benchmarks import common
from tests.benchmarks.explain_methods import OURS, Explained, by_expert, by_model
from tests.benchmarks.explain_stability import RANDOM, Ranked, stability
from tests.benchmarks.fusion_sets import openmoji
from tests.benchmarks.fusion_sets.case import Features, MissingDataError
from tests.fuse.planted import halves, planted

MATCHED: Final = "of like degree"
PARTS: Final = {"R-GCN alone": by_expert, "whole model": by_model}
_SIZES: Final = (1, 2, 3, 5)
_DRAWS: Final = 5
_LEAST: Final = 4
_APART: Final = 1_000
"""Between the seeds of the models of one data set, so that no two sets share one."""


@dataclass(frozen=True, eq=False, slots=True)
class Problem:
    """A data set with the relation that alone carries the truth, where that is known."""

    name: str
    data: FusionData
    split: Split
    reason: str = ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    p = common.parser(__doc__ or "")
    p.add_argument("--data", type=Path, help="folder of the data sets")
    p.add_argument("--items", type=int, default=30, help="test items to explain, of each set and seed")
    p.add_argument("--models", type=int, default=3, help="seeds of training that explain the same items")
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
    chance = np.random.default_rng(seed)
    able = [n for n in split.test.tolist() if len(own_edges(data, n)) >= _LEAST]
    items = sorted(chance.permutation(able)[: options.items].tolist())
    parts, stable = {}, {}
    for part, explain in PARTS.items():
        models = [
            explain(data, split, items, TrainConfig(seed=seed + _APART * number, device="cpu"))
            for number in range(max(1, options.models))
        ]
        ranked = [[Ranked(one.label, one.importance) for one in model] for model in models]
        parts[part] = [
            _measured(data, item, one, chance, problem.reason) for item, one in zip(items, models[0], strict=True)
        ]
        stable[part] = stability(ranked, seed)
    print(f"{problem.name} seed {seed}: {len(items)} items explained", file=sys.stderr)
    return {"name": problem.name, "seed": seed, "items": items, "parts": parts, "stability": stable}


def _measured(
    data: FusionData, item: int, explained: Explained, chance: np.random.Generator, reason: str
) -> dict[str, Any]:
    own, answer = own_edges(data, item), explained.answer
    before = answer(np.zeros(0, np.int64))
    label = explained.label
    orders = {name: [own[np.argsort(-importance, kind="stable")]] for name, importance in explained.importance.items()}
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
    record: dict[str, Any] = {"name": runs[0]["name"], "runs": list(runs), "means": {}, "stability": {}}
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
        record["stability"][part] = _judge_stability(part, runs)
    return record


def _judge_stability(part: str, runs: Sequence[dict[str, Any]]) -> dict[str, dict[str, list[float]]]:
    """Print how alike the rankings of models with different seeds are, where there is more than one; return it."""
    found = [run["stability"][part] for run in runs if run["stability"][part]["alike"]]
    if not found:
        return {}
    each = {
        name: {key: [run["methods"][name][key] for run in found] for key in values}
        for name, values in found[0]["methods"].items()
    }
    rows = [(name, ", ".join(f"{k} {common.shown(v)}" for k, v in values.items())) for name, values in each.items()]
    alike, pairs = (sum(run[key] for run in found) for key in ("alike", "pairs"))
    common.table(f"{runs[0]['name']}, {part}, over seeds of training: {alike} of {pairs} pairs of answers agree", rows)
    return each


if __name__ == "__main__":
    raise SystemExit(main())
