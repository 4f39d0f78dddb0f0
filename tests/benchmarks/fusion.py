"""Graph-aware fusion against its best single modality and the strongest simple fusions, on real data sets.

    python -m tests.benchmarks.fusion --sets openmoji,openclipart,grocery,aifb,mutag --data DIR [--seeds 5] [--out DIR]
        [--trials 20]

All choices are made on validation items, from which all models learn in the end; test items are looked at once.
Differences are paired, split by split. With ``--trials`` kgfuse also searches settings on each split, by the items to
learn from and those for validation, and stands in the table once more. A set that is not there is named, the others
run, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from kgfuse.fuse.ablation import T95
from kgfuse.fuse.config import TrainConfig
from kgfuse.fuse.search.budget import Search
from kgfuse.fuse.search.run import search
from kgfuse.fuse.train import fit
from tests.benchmarks import common
from tests.benchmarks.fusion_rivals import FUSIONS, RIVALS
from tests.benchmarks.fusion_sets import grocery, openclipart, openmoji, rdf_nodes
from tests.benchmarks.fusion_sets.case import Case, CaseSet, Features, MissingDataError

SETS: Final = ("openmoji", "openclipart", "grocery", "aifb", "mutag")
OURS: Final = "kgfuse"
SEARCHED: Final = "kgfuse, searched"
MARGIN: Final = 0.01


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    p = common.parser(__doc__ or "")
    p.add_argument("--data", type=Path, help="folder of the data sets")
    p.add_argument("--sets", default=",".join(SETS), help="names, with commas")
    p.add_argument("--salt", type=int, default=0, help="picks other splits")
    p.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of the training")
    p.add_argument("--trials", type=int, help="also search settings, with so many trials a split")
    p.add_argument("--features", type=Path, help="keep the encoders' vectors here (default: a temporary folder)")
    p.set_defaults(seeds=5)
    options = p.parse_args(arguments)
    torch.set_num_threads(common.environment()["cores"])
    wanted = [name for name in options.sets.split(",") if name]
    if unknown := sorted(set(wanted) - set(SETS)):
        p.error(f"--sets: no set is called {unknown[0]!r}; there are {', '.join(SETS)}")
    results, missing = [], []
    with tempfile.TemporaryDirectory() as folder:
        features = Features(options.features or Path(folder))
        for name in wanted:
            try:
                for case_set in _cases(name, options, features):
                    results.append(_run(case_set, options))
            except MissingDataError as error:
                missing.append(f"{name}: {error}")
                print(f"\n{missing[-1]}", file=sys.stderr)
    common.write(options.out, "fusion", {"sets": results, "missing": missing})
    return 1 if missing else 0


def _cases(name: str, options: argparse.Namespace, features: Features) -> Iterator[CaseSet]:
    if name == "openmoji":
        yield from openmoji.case_sets(options.data, features, options.seeds, options.salt)
    elif name == "openclipart":
        yield from openclipart.case_sets(options.data, features, options.seeds, options.salt)
    elif name == "grocery":
        yield from grocery.case_sets(options.data, features, options.seeds, options.salt)
    else:
        yield from rdf_nodes.case_sets(name, options.data, features, options.seeds)


def _run(case_set: CaseSet, options: argparse.Namespace) -> dict[str, Any]:
    runs: list[dict[str, Any]] = []
    for case in case_set.cases:
        began = time.perf_counter()
        scores = dict(case.extra)
        if not case.among:  # none of these has anything to say of a class without a training item
            scores |= {name: value for name, rival in RIVALS.items() if (value := rival(case)) is not None}
        simple = time.perf_counter() - began
        began = time.perf_counter()
        config = TrainConfig(seed=case.seed, refit=True).with_overrides(options.set)
        ours, kept = _ours(case, config)
        scores[OURS] = ours
        seconds = {"rivals": round(simple, 1), OURS: round(time.perf_counter() - began, 1)}
        run = {"seed": case.seed, "scores": scores, "kept": kept, "seconds": seconds}
        if options.trials:
            found = search(case.data, case.split, config, Search(trials=options.trials))
            scores[SEARCHED] = _ours(case, found.config)[0] if found.chosen else ours
            run["search"] = found.to_dict()
            seconds[SEARCHED] = round(time.perf_counter() - began, 1)
            print(f"{case_set.name} seed {case.seed}: {found.verdict()}", file=sys.stderr)
        runs.append(run)
        print(f"{case_set.name} seed {case.seed}: {_line(scores)}", file=sys.stderr)
    return _judge(case_set, runs)


def _line(scores: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in scores.items())


def _ours(case: Case, config: TrainConfig) -> tuple[float, dict[str, float]]:
    model = fit(case.data, case.split, config)
    target = case.data.targets[0]
    answer = model.predict(case.data, case.split.test)[target.name]
    columns = np.array(case.among or range(answer.probabilities.shape[1]))
    right = columns[answer.probabilities[:, columns].argmax(1)] == target.labels[case.split.test]
    return float(right.mean()), {k: w for k, w in model.stacks[target.name].weight.items() if w}


def _judge(case_set: CaseSet, runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Print one set's table; return its record."""
    names = list(runs[0]["scores"])
    each = {name: [r["scores"][name] for r in runs] for name in names}
    rows = []
    margin = 1 / len(case_set.cases[0].split.test) if case_set.tiny else MARGIN
    differences: dict[str, Any] = {}
    for name in names:
        said = common.shown(each[name])
        if name != OURS:
            low, mean = paired(each[OURS], each[name])
            differences[name] = {"mean": mean, "low": low, "superior": low > 0, "non_inferior": low > -margin}
            said += f"   kgfuse − this {mean:+.3f}, 95 % above {low:+.3f}"
        rows.append((name, said))
    common.table(f"{case_set.name}: {case_set.about}; {len(runs)} splits", rows)
    means = {name: float(np.mean(values)) for name, values in each.items() if name not in (OURS, SEARCHED)}
    best = {
        "single": max((n for n in means if n not in FUSIONS), key=lambda n: means[n]),
        "simple": max((n for n in means if n in FUSIONS), key=lambda n: means[n], default=None),
    }
    for kind, name in best.items():
        if name is not None:
            d = differences[name]
            verdict = "superior" if d["superior"] else "no worse" if d["non_inferior"] else "not shown to be no worse"
            print(f"  against the best {kind} ({name}): {verdict}")
    return {"name": case_set.name, "about": case_set.about, "runs": list(runs), "best": best, "paired": differences}


def paired(ours: Sequence[float], other: Sequence[float]) -> tuple[float, float]:
    """Lower bound of the 95 % interval of the mean paired difference (Student's t over splits), and the mean."""
    found = np.array(ours) - np.array(other)
    if len(found) < 2:
        return -math.inf, float(found.mean())
    error = float(found.std(ddof=1)) / math.sqrt(len(found))
    return float(found.mean()) - T95[min(len(found) - 1, len(T95)) - 1] * error, float(found.mean())


if __name__ == "__main__":
    raise SystemExit(main())
