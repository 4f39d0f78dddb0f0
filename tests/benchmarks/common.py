"""What all benchmarks share: options, the record of the machine, tables, and the JSON file."""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = (
    "kgfuse",
    "torch",
    "torch-geometric",
    "transformers",
    "torchvision",
    "spacy",
    "rdflib",
    "pyoxigraph",
    "numpy",
)


def parser(description: str, *, data: bool = False) -> argparse.ArgumentParser:
    """Options that every benchmark has."""
    p = argparse.ArgumentParser(description=description)
    if data:
        p.add_argument("--data", type=Path, required=True, help="folder of the data set")
    p.add_argument("--out", type=Path, help="folder for result.json")
    p.add_argument("--seeds", type=int, default=1, help="how many runs")
    return p


def environment() -> dict[str, Any]:
    """Versions and device of this run."""
    import torch

    device = torch.cuda.get_device_name(0) if torch.cuda.is_available() else f"{platform.machine()} CPU"
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except ImportError:
            found[name] = "checkout"
    return {
        "python": platform.python_version(),
        "versions": found,
        "device": device,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": torch.get_num_threads(),
    }


def summary(values: Sequence[float]) -> dict[str, Any]:
    """Mean, sample standard deviation and the single values."""
    sd = statistics.stdev(values) if len(values) > 1 else 0.0
    return {"mean": statistics.fmean(values), "sd": sd, "values": list(values)}


def shown(values: Sequence[float], digits: int = 3) -> str:
    """``mean ± sd``; a single value alone."""
    s = summary(values)
    return f"{s['mean']:.{digits}f} ± {s['sd']:.{digits}f}" if len(values) > 1 else f"{s['mean']:.{digits}f}"


def peak_memory_mb(children: bool = False) -> float:
    """Largest resident set so far, of this process or of its largest child."""
    who = resource.RUSAGE_CHILDREN if children else resource.RUSAGE_SELF
    scale = 1024 * 1024 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(who).ru_maxrss / scale, 1)


def table(title: str, rows: Sequence[tuple[str, str]]) -> None:
    """Print two aligned columns."""
    print(f"\n{title}")
    width = max(len(left) for left, _ in rows)
    for left, right in rows:
        print(f"  {left:<{width}}  {right}")


def write(out: Path | None, name: str, result: dict[str, Any]) -> None:
    """Write ``result.json`` with the record of the machine."""
    if out is None:
        return
    out.mkdir(parents=True, exist_ok=True)
    record = {"benchmark": name, "environment": environment(), **result}
    (out / "result.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
    print(f"\n{out / 'result.json'}")
