"""Real photos of groceries: accuracy on the test photos, through the public commands only.

    python -m tests.benchmarks.grocery --data DIR [--seeds N] [--shots K] [--out DIR]

Trains on ``train.txt``, selects on ``val.txt``, writes ``predictions.csv`` for ``val.txt`` and, where there is one,
``test.txt``, whether or not it carries labels.
"""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from examples.grocery import Photo, read_classes, read_photos, write_manifest
from tests.benchmarks import common

TARGET = "retail:Product"


def kgfuse(*arguments: str | Path, quiet: bool = False) -> Any:
    """Run a public command with ``--json`` and return what it says; progress goes to this process's stderr."""
    command = [sys.executable, "-m", "kgfuse.cli.main", *map(str, arguments), "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False, text=True)
    if done.returncode:
        raise SystemExit(f"kgfuse {arguments[0]} failed ({done.returncode}): {done.stdout[:2000]}")
    return json.loads(done.stdout)


def predict(workspace: Path, model: str, photos: Sequence[Photo]) -> list[dict[str, Any]]:
    """Answers for photos, in their order."""
    found: list[dict[str, Any]] = []
    for start in range(0, len(photos), 1000):
        chunk = [p.path for p in photos[start : start + 1000]]
        found += kgfuse("classify", workspace, *chunk, "--model", model, "--top", "1")["predictions"]
    return found


def coarse_answer(prediction: dict[str, Any]) -> tuple[str, float]:
    """The most probable coarse class; a superclass has the sum of its members' probabilities."""
    for ancestor in prediction["ancestors"]:
        if "/group/" in ancestor["iri"]:
            return str(ancestor["iri"]).rsplit("/", 1)[1], float(ancestor["probability"])
    raise SystemExit(f"{prediction['name']}: no coarse class among the ancestors")


def score(photos: Sequence[Photo], answers: Sequence[dict[str, Any]], data: Path) -> dict[str, float] | None:
    """Share of photos whose fine and coarse class are right; ``None`` where there are no labels."""
    classes = read_classes(data)
    pairs = [(classes[p.label], a) for p, a in zip(photos, answers, strict=True) if p.label is not None]
    if not pairs:
        return None
    fine = sum(a["label_iri"].rsplit("/", 1)[1] == c.name for c, a in pairs) / len(pairs)
    coarse = sum(coarse_answer(a)[0] == c.coarse for c, a in pairs) / len(pairs)
    return {"photos": len(pairs), "fine": fine, "coarse": coarse}


def write_predictions(path: Path, photos: Sequence[Photo], answers: Sequence[dict[str, Any]]) -> None:
    """One row a photo, with the names of ``classes.csv``."""
    with path.open("w", encoding="utf-8", newline="") as f:
        writer = csv.writer(f)
        writer.writerow(["path", "fine_label", "probability", "coarse_label"])
        for photo, a in zip(photos, answers, strict=True):
            fine = a["ranking"][0]["iri"].rsplit("/", 1)[1]
            writer.writerow([photo.path, fine, f"{a['probability']:.6f}", coarse_answer(a)[0]])


def main() -> None:
    """Run the benchmark."""
    parser = common.parser(__doc__ or "", data=True)
    parser.add_argument("--shots", type=int, help="training photos a class (default: all)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of the training")
    parser.add_argument("--workspace", type=Path, help="keep the workspace here (default: a temporary folder)")
    options = parser.parse_args()
    data = options.data.resolve()
    out: Path = options.out or Path("out/grocery")
    out.mkdir(parents=True, exist_ok=True)
    place = options.workspace or Path(tempfile.mkdtemp(prefix="kgfuse-grocery-"))
    runs, seconds = [], {}
    try:
        for seed in range(options.seeds):
            fresh = seed == 0 or options.shots is not None
            workspace = place / (f"seed{seed}.kg" if options.shots is not None else "grocery.kg")
            if fresh:
                manifest = out / f"manifest-{seed}.jsonl"
                write_manifest(data, manifest, options.shots, seed)
                seconds |= build(workspace, manifest)
            runs.append(train_and_judge(workspace, data, seed, options, out))
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


def train_and_judge(workspace: Path, data: Path, seed: int, options: Any, out: Path) -> dict[str, Any]:
    """Train with one seed and answer for validation and test photos."""
    photos = read_photos(data)
    judged = {s: [p for p in photos if p.split == s] for s in ("validation", "test")}
    settings = [x for s in (f"seed={seed}", *options.set) for x in ("--set", s)]
    began = time.perf_counter()
    trained = kgfuse("train", workspace, "--target", TARGET, "--name", f"seed{seed}", "--runs", "1", *settings)
    run: dict[str, Any] = {
        "seed": seed,
        "train_seconds": round(time.perf_counter() - began, 1),
        "ablation": trained["ablation"],
        "metrics": trained["metrics"],
    }
    everything: list[Photo] = []
    answers: list[dict[str, Any]] = []
    for name, own in judged.items():
        found = predict(workspace, f"seed{seed}", own) if own else []
        run[name] = score(own, found, data)
        everything += own
        answers += found
    if seed == 0:
        write_predictions(out / "predictions.csv", everything, answers)
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
        "seeds": len(runs),
        "runs": list(runs),
        "seconds": times,
        "peak_memory_mb": memory,
    }
    common.write(out, "grocery", result)


if __name__ == "__main__":
    main()
