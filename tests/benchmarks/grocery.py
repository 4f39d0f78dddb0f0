"""Real photos of groceries: accuracy on the test photos, through the public commands only.

    python -m tests.benchmarks.grocery --data DIR [--seeds N] [--seed S] [--shots K] [--unseen N] [--out DIR]

Trains on ``train.txt``, selects on ``val.txt``, writes ``predictions.csv`` for ``val.txt`` and, where there is one,
``test.txt``, whether or not it carries labels. With ``--unseen N``, N classes drawn by the seed have no photo to learn
from or to select by, only their icon, description and place in the taxonomy; ``unseen_only_label`` is the best among
them, and their training photos are answered too, since no model has seen them.
"""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from examples.grocery import Photo, draw_classes, read_classes, read_photos, write_manifest
from tests.benchmarks import common

TARGET = "retail:Product"


def kgfuse(*arguments: str | Path, quiet: bool = False) -> Any:
    """Run a public command with ``--json`` and return what it says; progress goes to this process's stderr."""
    command = [sys.executable, "-m", "kgfuse.cli.main", *map(str, arguments), "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False, text=True)
    if done.returncode:
        raise SystemExit(f"kgfuse {arguments[0]} failed ({done.returncode}): {done.stdout[:2000]}")
    return json.loads(done.stdout)


def predict(workspace: Path, model: str, photos: Sequence[Photo], top: int = 1) -> list[dict[str, Any]]:
    """Answers for photos, in their order, each with its ``top`` possible ones."""
    found: list[dict[str, Any]] = []
    for start in range(0, len(photos), 1000):
        chunk = [p.path for p in photos[start : start + 1000]]
        found += kgfuse("classify", workspace, *chunk, "--model", model, "--top", str(top))["predictions"]
    return found


def coarse_answer(prediction: dict[str, Any]) -> tuple[str, float]:
    """The most probable coarse class; a superclass has the sum of its members' probabilities."""
    for ancestor in prediction["ancestors"]:
        if "/group/" in ancestor["iri"]:
            return str(ancestor["iri"]).rsplit("/", 1)[1], float(ancestor["probability"])
    raise SystemExit(f"{prediction['name']}: no coarse class among the ancestors")


def fine_name(iri: str) -> str:
    """The name that ``classes.csv`` has for a class."""
    return iri.rsplit("/", 1)[1]


def best_among(prediction: dict[str, Any], names: Collection[str]) -> str:
    """The best of some classes only; empty where there are none."""
    return next((name for r in prediction["ranking"] if (name := fine_name(r["iri"])) in names), "")


def score_unseen(
    photos: Sequence[Photo], answers: Sequence[dict[str, Any]], data: Path, unseen: Collection[str]
) -> dict[str, float] | None:
    """Share of the unseen classes' photos that are right among these classes, and among all."""
    classes = read_classes(data)
    pairs = [(classes[p.label].name, a) for p, a in zip(photos, answers, strict=True) if p.label is not None]
    own = [(name, a) for name, a in pairs if name in unseen]
    if not own:
        return None
    among = sum(best_among(a, unseen) == name for name, a in own) / len(own)
    fine = sum(fine_name(a["label_iri"]) == name for name, a in own) / len(own)
    return {"photos": len(own), "among_unseen": among, "among_all": fine}


def score(photos: Sequence[Photo], answers: Sequence[dict[str, Any]], data: Path) -> dict[str, float] | None:
    """Share of photos whose fine and coarse class are right; ``None`` where there are no labels."""
    classes = read_classes(data)
    pairs = [(classes[p.label], a) for p, a in zip(photos, answers, strict=True) if p.label is not None]
    if not pairs:
        return None
    fine = sum(fine_name(a["label_iri"]) == c.name for c, a in pairs) / len(pairs)
    coarse = sum(coarse_answer(a)[0] == c.coarse for c, a in pairs) / len(pairs)
    return {"photos": len(pairs), "fine": fine, "coarse": coarse}


def write_predictions(
    path: Path, photos: Sequence[Photo], answers: Sequence[dict[str, Any]], unseen: Collection[str] = ()
) -> None:
    """One row a photo, with the names of ``classes.csv``."""
    with path.open("w", encoding="utf-8", newline="") as f:
        writer = csv.writer(f)
        more = ["unseen_only_label"] if unseen else []
        writer.writerow(["path", "fine_label", "probability", "coarse_label", *more])
        for photo, a in zip(photos, answers, strict=True):
            row = [photo.path, fine_name(a["ranking"][0]["iri"]), f"{a['probability']:.6f}", coarse_answer(a)[0]]
            writer.writerow([*row, best_among(a, unseen)] if unseen else row)


def main() -> None:
    """Run the benchmark."""
    parser = common.parser(__doc__ or "", data=True)
    parser.add_argument("--seed", type=int, default=0, help="the first one")
    parser.add_argument("--unseen", type=int, default=0, help="classes without a photo to learn from")
    parser.add_argument("--shots", type=int, help="training photos a class (default: all)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of the training")
    parser.add_argument("--workspace", type=Path, help="keep the workspace here (default: a temporary folder)")
    options = parser.parse_args()
    data = options.data.resolve()
    out: Path = options.out or Path("out/grocery")
    out.mkdir(parents=True, exist_ok=True)
    place = options.workspace or Path(tempfile.mkdtemp(prefix="kgfuse-grocery-"))
    runs: list[dict[str, Any]] = []
    seconds: dict[str, float] = {}
    each_its_own = options.shots is not None or options.unseen > 0
    try:
        for seed in range(options.seed, options.seed + options.seeds):
            unseen = draw_classes(data, options.unseen, seed) if options.unseen else []
            workspace = place / (f"seed{seed}.kg" if each_its_own else "grocery.kg")
            if not runs or each_its_own:
                manifest = out / f"manifest-{seed}.jsonl"
                write_manifest(data, manifest, options.shots, seed, unseen)
                seconds |= build(workspace, manifest)
            runs.append(train_and_judge(workspace, data, seed, options, out, unseen))
    finally:
        if options.workspace is None:
            shutil.rmtree(place, ignore_errors=True)
    report(runs, seconds, options, out)


def build(workspace: Path, manifest: Path) -> dict[str, float]:
    """Fill a workspace; return seconds by stage."""
    seconds = {}
    if not workspace.exists():
        kgfuse("init", workspace, "-o", "retail", "--set", "extract.image.ocr=off")
    for verb, arguments in (("add", [manifest]), ("build", [])):
        began = time.perf_counter()
        kgfuse(verb, workspace, *arguments)
        seconds[verb] = round(time.perf_counter() - began, 1)
    return seconds


def train_and_judge(
    workspace: Path, data: Path, seed: int, options: Any, out: Path, unseen: Collection[str]
) -> dict[str, Any]:
    """Train with one seed and answer for validation and test photos, and for all photos of unseen classes."""
    photos, classes = read_photos(data), read_classes(data)
    judged = {s: [p for p in photos if p.split == s] for s in ("validation", "test")}
    spared = [p for p in photos if p.split == "train" and p.label is not None and classes[p.label].name in unseen]
    settings = [x for s in (f"seed={seed}", *options.set) for x in ("--set", s)]
    began = time.perf_counter()
    trained = kgfuse("train", workspace, "--target", TARGET, "--name", f"seed{seed}", "--runs", "1", *settings)
    run: dict[str, Any] = {
        "seed": seed,
        "unseen": list(unseen),
        "train_seconds": round(time.perf_counter() - began, 1),
        "ablation": trained["ablation"],
        "metrics": trained["metrics"],
    }
    everything: list[Photo] = []
    answers: list[dict[str, Any]] = []
    for name, own in (*judged.items(), ("spared", spared)):
        found = predict(workspace, f"seed{seed}", own, len(classes) if unseen else 1) if own else []
        run[name] = score(own, found, data)
        everything += own
        answers += found
    run["unseen_scores"] = score_unseen(everything, answers, data, unseen)
    if seed == options.seed:
        write_predictions(out / "predictions.csv", everything, answers, unseen)
    return run


def report(runs: Sequence[dict[str, Any]], seconds: dict[str, float], options: Any, out: Path) -> None:
    """Print the tables and write the JSON."""
    rows = []
    for split in ("validation", "test"):
        found = [r[split] for r in runs if r[split]]
        for grain in ("fine", "coarse"):
            if found:
                rows.append(
                    (f"{split}, {grain} ({found[0]['photos']} photos)", common.shown([f[grain] for f in found]))
                )
    without = [r["unseen_scores"] for r in runs if r["unseen_scores"]]
    for name, key in (("among these classes", "among_unseen"), ("among all classes", "among_all")):
        if without:
            photos = f"{without[0]['photos']} photos in the first run"
            rows.append(
                (f"{options.unseen} unseen classes, {name} ({photos})", common.shown([s[key] for s in without]))
            )
    common.table(f"Grocery, {len(runs)} seeds, " + (f"{options.shots} shots" if options.shots else "all photos"), rows)
    ablation = [(target, rows_["rows"]) for target, rows_ in runs[0]["ablation"]["targets"].items()]
    for target, own in ablation:
        judged = "test" if runs[0]["test"] else "validation"
        lines = []
        for n, row in enumerate(own):
            scores = [r["ablation"]["targets"][target]["rows"][n]["mean"] for r in runs]
            lines.append((row["name"], common.shown(scores)))
        common.table(f"ablation on {judged} photos, fine", lines)
    times = {**seconds, "train": common.summary([r["train_seconds"] for r in runs])["mean"]}
    common.table("seconds", [(k, f"{v:.0f}") for k, v in times.items()])
    memory = common.peak_memory_mb(children=True)
    print(f"\npeak memory of the largest process: {memory:.0f} MB")
    result = {
        "shots": options.shots,
        "unseen": runs[0]["unseen"],
        "seeds": len(runs),
        "runs": list(runs),
        "seconds": times,
        "peak_memory_mb": memory,
    }
    common.write(out, "grocery", result)


if __name__ == "__main__":
    main()
