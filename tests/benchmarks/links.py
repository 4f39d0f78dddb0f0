"""Link prediction with and without the R-GCN encoder: ranks on published splits, and time against PyKEEN.

    python -m tests.benchmarks.links --data DIR [--sets umls,codex-s] [--seeds N] [--pykeen PYTHON] [--out DIR]

DIR holds ``link-prediction/umls`` and the like, and ``codex/data/triples/codex-s``. Filtered ranks among all entities,
both ends of each test triple, ties by their mean rank. Everything is chosen on the validation triples; the test triples
are looked at once, with all known triples filtered. PYTHON is the interpreter of an environment with PyKEEN, which then
runs ComplEx of the same dimension on the same triples (``links_pykeen.py``): once as ``pykeen.pipeline`` sets it up,
once with the recipe that kgfuse follows. Seconds are processor time on one thread (wall time on a GPU), of training
alone: other jobs on the machine falsify them less, but still, only their ratios count.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from kgfuse.encode.device import one_thread, resolve
from kgfuse.encode.fit_links import LinkEpoch, fit_factors
from kgfuse.encode.links import Frequency, LinkData, LinkSettings
from kgfuse.encode.ranking import Ints, Known, Ranking, both_ways, filtered_ranks
from kgfuse.fuse.links import choose
from tests.benchmarks import common

FOLDERS: Final = {
    "umls": "link-prediction/umls",
    "kinship": "link-prediction/kinship",
    "nations": "link-prediction/nations",
    "codex-s": "codex/data/triples/codex-s",
}
PARTS: Final = ("train", "valid", "test")
MEMBERS: Final = {
    "codex-s": {
        "ComplEx": LinkSettings(rank=512, n3=0.015, epochs=40, patience=6),
        "DistMult": LinkSettings(decoder="distmult", rank=512, n3=0.01, epochs=40, patience=6, seed=100),
        "R-GCN, DistMult": LinkSettings(
            decoder="distmult", rank=128, layers=1, lr=0.005, n3=0.001, dropout=0.2, batch=512, epochs=40, patience=6
        ),
    },
}
USUAL: Final = {
    "ComplEx": LinkSettings(rank=128, evenness=1.0),
    "DistMult": LinkSettings(decoder="distmult", rank=128, evenness=1.0, seed=100),
    "R-GCN, ComplEx": LinkSettings(rank=64, layers=1, lr=0.01, n3=0.001, batch=128, evenness=1.0),
}
PUBLISHED: Final = {"umls": "ConvE .94, hits@10 .99", "codex-s": "ComplEx .465"}
SETUPS: Final = ("strong", "default")


@dataclass(frozen=True)
class Split:
    """A published set: names, and triples by part."""

    name: str
    entities: tuple[str, ...]
    relations: tuple[str, ...]
    rows: dict[str, list[tuple[str, str, str]]]

    @classmethod
    def read(cls, name: str, data: Path) -> Split:
        """Read ``train``, ``valid`` and ``test``, tab-separated, plain or gzipped.

        Raises:
            SystemExit: a file is missing.
        """
        rows = {part: _rows(data / FOLDERS[name] / f"{part}.txt") for part in PARTS}
        everything = [row for part in rows.values() for row in part]
        entities = tuple(sorted({n for s, _, o in everything for n in (s, o)}))
        return cls(name, entities, tuple(sorted({p for _, p, _ in everything})), rows)

    def triples(self, part: str) -> Ints:
        """(N, 3)."""
        at = {name: n for n, name in enumerate(self.entities)}
        relation = {name: n for n, name in enumerate(self.relations)}
        return np.array([(at[s], relation[p], at[o]) for s, p, o in self.rows[part]], np.int64)


def _rows(file: Path) -> list[tuple[str, str, str]]:
    packed = file.with_name(file.name + ".gz")
    if not file.is_file() and not packed.is_file():
        raise SystemExit(f"--data has no {file}")
    text = file.read_text(encoding="utf-8") if file.is_file() else gzip.decompress(packed.read_bytes()).decode()
    rows = (line.split("\t") for line in text.splitlines() if line)
    return [(s, p, o) for s, p, o in rows]


@one_thread()
def run(split: Split, seed: int, encoder: bool) -> dict[str, Any]:
    """Train the members, choose among them, and rank the test triples by each and by the mixture."""
    device = resolve("auto")
    train, valid, test = (split.triples(part) for part in PARTS)
    sizes = len(split.entities), len(split.relations)
    known = Known.of(np.concatenate([both_ways(t, sizes[1]) for t in (train, valid, test)]), sizes[0])
    seen = Known.of(np.concatenate([both_ways(t, sizes[1]) for t in (train, valid)]), sizes[0])
    queries = both_ways(test, sizes[1])
    histories: dict[str, list[dict[str, float]]] = {}
    members: dict[str, Any] = {"frequency": Frequency.of(train, *sizes)}
    for name, settings in MEMBERS.get(split.name, USUAL).items():
        if settings.layers and not encoder:
            continue
        history = histories[name] = []

        def note(epoch: LinkEpoch, history: list[dict[str, float]] = history) -> None:
            if epoch.ranking is not None:
                spent = epoch.processor_seconds if device.type == "cpu" else epoch.seconds
                history.append({"epoch": epoch.epoch, "seconds": spent, "mrr": epoch.ranking.mrr})

        one = replace(settings, seed=settings.seed + seed)
        members[name] = fit_factors(LinkData(train, valid, *sizes), one, device, note).factors.to("cpu")
        best = max(history, key=lambda h: h["mrr"])
        print(f"{split.name} seed {seed}: {name} validation MRR {best['mrr']:.4f}", file=sys.stderr, flush=True)
    mixture = choose(list(members.values()), valid, seen, sizes[1])
    scorers = {name: member.scores for name, member in members.items()} | {"mixture": mixture.scores}
    figures = {name: Ranking.of(filtered_ranks(scores, queries, known)) for name, scores in scorers.items()}
    return {
        "seed": seed,
        "test": {name: {"mrr": r.mrr, **{f"hits@{k}": v for k, v in r.hits.items()}} for name, r in figures.items()},
        "weights": dict(zip(members, mixture.weights, strict=True)),
        "history": histories,
    }


def peer(split: Split, python: str, setup: str, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """ComplEx by PyKEEN in its own environment.

    Raises:
        SystemExit: it failed.
    """
    settings = MEMBERS.get(split.name, USUAL)["ComplEx"]
    with tempfile.TemporaryDirectory() as folder:
        for part, rows in split.rows.items():
            text = "".join("\t".join(row) + "\n" for row in rows)
            (Path(folder) / f"{part}.txt").write_text(text, encoding="utf-8")
        script = Path(__file__).with_name("links_pykeen.py")
        wanted = {"setup": setup, "dimension": settings.rank, "penalty": settings.n3, "seed": seed}
        wanted |= {"epochs": options.peer_epochs, "patience": settings.patience, "seconds": options.peer_seconds}
        command = [python, str(script), folder, *(f"--{name}={value}" for name, value in wanted.items())]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"PyKEEN failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    for entry in found["history"]:
        entry["seconds"] = entry["processor_seconds"] if found["device"] == "cpu" else entry["seconds"]
    return found


def reached(history: Sequence[dict[str, float]], mrr: float) -> float | None:
    """Seconds until validation was as good; ``None`` where it never was."""
    return next((entry["seconds"] for entry in history if entry["mrr"] >= mrr), None)


def measure(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """One set, all seeds; prints its table."""
    split = Split.read(name, options.data)
    sizes = f"{len(split.entities):,} entities, {len(split.relations)} relations, {len(split.rows['train']):,} triples"
    runs = []
    for seed in range(options.seeds):
        own = run(split, seed, options.encoder)
        own["peers"] = {}
        for setup in options.setups.split(",") if options.pykeen else ():
            if seed < options.peer_seeds:
                own["peers"][setup] = peer(split, options.pykeen, setup, seed, options)
                print(f"{name} seed {seed}: PyKEEN {setup} {own['peers'][setup]['test']}", file=sys.stderr, flush=True)
        runs.append(own)
    rows = [(method, _figures([r["test"][method] for r in runs])) for method in runs[0]["test"]]
    for setup in runs[0]["peers"]:
        rows.append((f"PyKEEN ComplEx, {setup}", _figures([r["peers"][setup]["test"] for r in runs if r["peers"]])))
    common.table(f"{name}: {sizes}; {len(runs)} seeds; published {PUBLISHED.get(name, '–')}", rows)
    kept = {m: common.shown([r["weights"][m] for r in runs], 2) for m in runs[0]["weights"]}
    print("  weights in the mixture: " + ", ".join(f"{m} {w}" for m, w in kept.items()))
    for setup in runs[0]["peers"]:
        print(f"  {_race([r for r in runs if r['peers']], setup)}")
    return {"set": name, "runs": runs}


def _figures(found: Sequence[dict[str, float]]) -> str:
    return "  ".join(f"{key} {common.shown([f[key] for f in found])}" for key in ("mrr", "hits@1", "hits@3", "hits@10"))


def _race(runs: Sequence[dict[str, Any]], setup: str) -> str:
    """Time until both are as good, on validation, as the less good of the two gets."""
    lines = []
    for r in runs:
        ours, theirs = r["history"]["ComplEx"], r["peers"][setup]["history"]
        goal = min(max(h["mrr"] for h in ours), max(h["mrr"] for h in theirs))
        a, b = reached(ours, goal), reached(theirs, goal)
        assert a is not None
        assert b is not None
        top = max(ours, key=lambda h: h["mrr"])
        lines.append(
            f"validation MRR {goal:.3f}: kgfuse's ComplEx {a:.1f} s, PyKEEN {setup} {b:.1f} s, {b / a:.1f} times;"
            f" kgfuse's own best {top['mrr']:.3f} after {top['seconds']:.1f} s"
        )
    return "\n  ".join(lines)


def add_options(p: argparse.ArgumentParser) -> None:
    """Options beside those of all benchmarks."""
    p.add_argument("--sets", default="umls,codex-s", help=f"of {', '.join(FOLDERS)}, with commas")
    p.add_argument("--encoder", action=argparse.BooleanOptionalAction, default=True, help="with the R-GCN encoder")
    p.add_argument("--pykeen", metavar="PYTHON", help="interpreter of an environment with PyKEEN")
    p.add_argument("--setups", default=",".join(SETUPS), help="of PyKEEN, with commas")
    p.add_argument("--peer-seeds", type=int, default=1, metavar="N", help="PyKEEN's runs")
    p.add_argument("--peer-epochs", type=int, default=100, metavar="N", help="of PyKEEN, at most")
    p.add_argument("--peer-seconds", type=float, default=1e9, metavar="S", help="processor time of PyKEEN, at most")


def tables(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure all sets.

    Raises:
        SystemExit: a set is unknown, or not there.
    """
    wanted = [name for name in options.sets.split(",") if name]
    if unknown := sorted(set(wanted) - set(FOLDERS)):
        raise SystemExit(f"--sets: no set is called {unknown[0]!r}; there are {', '.join(FOLDERS)}")
    torch.set_num_threads(1)
    return [measure(name, options) for name in wanted]


def main() -> None:
    p = common.parser(__doc__.splitlines()[0], data=True)
    add_options(p)
    options = p.parse_args()
    common.write(options.out, "links", {"sets": tables(options)})


if __name__ == "__main__":
    main()
