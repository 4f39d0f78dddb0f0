"""Sources: each format's reader beside the bare library that it stands on, in items a CPU second and peak memory.

    python -m tests.benchmarks.sources [--out DIR] [--seeds N] [--quick]

Files are made from a seed. Both sides read the same files from disk, in turn, in one process, until each has taken
LEAST; peak memory is each side's alone, in a process of its own. CPU seconds, since machines are seldom idle. The bare
side does the least that gives the same words: no places, captions or normal form.
"""

from __future__ import annotations

import multiprocessing
import random
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from tests.benchmarks import common
from tests.benchmarks.sources_formats import FORMATS, Format

QUICK = 0.1
LEAST = 0.5


def alone(work: Callable[..., Any], *arguments: Any) -> Any:
    """The result of a call in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def speed(name: str, folder: str, seeds: int) -> dict[str, Any]:
    """Items a CPU second of both sides."""
    form = FORMATS[name]
    files = sorted(Path(folder).iterdir())
    per_s: dict[str, list[float]] = {"ours": [], "bare": []}
    with tempfile.TemporaryDirectory() as into:
        for side in per_s:
            _read(form, side, files, into)
        for seed in range(seeds):
            rng, seconds, items = random.Random(seed), dict.fromkeys(per_s, 0.0), dict.fromkeys(per_s, 0)
            while min(seconds.values()) < LEAST:
                for side in rng.sample(sorted(per_s), 2):
                    began = time.process_time()
                    _read(form, side, files, into)
                    seconds[side] += time.process_time() - began
                    items[side] += form.items * len(files)
            for side, found in per_s.items():
                found.append(items[side] / seconds[side])
    ratio = [a / b for a, b in zip(per_s["ours"], per_s["bare"], strict=True)]
    return {"format": name, "unit": form.unit, "files": len(files), "per_s": per_s, "ratio": ratio}


def memory(name: str, side: str, folder: str) -> float:
    """Peak memory of one side."""
    with tempfile.TemporaryDirectory() as into:
        _read(FORMATS[name], side, sorted(Path(folder).iterdir()), into)
    return common.peak_memory_mb()


def _read(form: Format, side: str, files: list[Path], into: str) -> None:
    read = form.ours if side == "ours" else form.bare
    for path in files:
        read(path, Path(into))


def add(folder: str) -> dict[str, Any]:
    """Files a second of ``add`` as a whole: everything above, hashing, blobs and catalog included."""
    from kgfuse.catalog import Blobs, Catalog
    from kgfuse.ontology import Vocabulary, load_all
    from kgfuse.workspace.intake import Intake

    with tempfile.TemporaryDirectory() as workspace:
        catalog = Catalog(Path(workspace))
        intake = Intake(catalog, Blobs(Path(workspace) / "blobs"), Vocabulary(load_all(["field-guide"])))
        began = time.perf_counter()
        report = intake.add([folder])
        seconds = time.perf_counter() - began
        found = {"sources": report.added, "problems": report.problems, "seconds": seconds}
        catalog.close()
    return found | {
        "per_s": report.added / seconds,
        "peak_mb": common.peak_memory_mb(),
        "child_mb": common.peak_memory_mb(True),
    }


def main() -> None:
    """Run the benchmark."""
    parser = common.parser(__doc__ or "")
    parser.add_argument("--quick", action="store_true", help="a tenth of the files")
    options = parser.parse_args()
    share = QUICK if options.quick else 1.0
    result: dict[str, Any] = {"formats": []}
    with tempfile.TemporaryDirectory() as top:
        for name, form in FORMATS.items():
            folder = Path(top) / name
            folder.mkdir()
            for n in range(max(1, round(form.files * share))):
                form.make(folder / f"{n:04}.{form.suffix}", n)
            row = alone(speed, name, str(folder), options.seeds)
            row |= {f"{side}_mb": alone(memory, name, side, str(folder)) for side in ("ours", "bare")}
            result["formats"].append(row)
            common.table(
                f"{name}, {row['files']} files, {options.seeds} runs: {row['unit']} a CPU second, peak memory",
                [
                    (f"bare {form.library}", f"{common.shown(row['per_s']['bare'], 1)}   {row['bare_mb']:,.0f} MB"),
                    ("kgfuse", f"{common.shown(row['per_s']['ours'], 1)}   {row['ours_mb']:,.0f} MB"),
                    ("ratio (target 0.85)", common.shown(row["ratio"], 2)),
                ],
            )
        whole = result["add"] = alone(add, top)
    common.table(
        "add, all of these files as one folder",
        [
            ("sources a second", f"{whole['per_s']:.1f}   {whole['sources']:,} sources"),
            ("peak memory", f"{whole['peak_mb']:,.0f} MB, and {whole['child_mb']:,.0f} MB where documents are read"),
        ],
    )
    for row in result["formats"]:
        row["per_s"] = {side: common.summary(values) for side, values in row["per_s"].items()}
        row["ratio"] = common.summary(row["ratio"])
    common.write(options.out, "sources", result)


if __name__ == "__main__":
    main()
