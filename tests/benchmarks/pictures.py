"""Pictures in bulk: how fast a workspace adds and builds from them, and what memory it takes, by their number.

    python -m tests.benchmarks.pictures [--counts 500 2000] [--out DIR]

Pictures are made from a seed, a rectangle and a disc on grain, JPEG of 640 × 480; each count runs in a process of its
own. Memory that is bounded hardly grows with the count. CPU seconds are those of all threads: on two idle cores at most
twice the pictures a CPU second can be had a second.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from tests.benchmarks import common
from tests.benchmarks.sources import alone

SIZE = (640, 480)


def make(path: Path, seed: int) -> None:
    """Write one picture."""
    rng = np.random.default_rng(seed)
    image = Image.fromarray(rng.integers(120, 160, (SIZE[1], SIZE[0], 3), dtype=np.uint8))
    draw = ImageDraw.Draw(image)
    for shape in (draw.rectangle, draw.ellipse):
        x, y, w, h = rng.integers((0, 0, 80, 80), (400, 300, 240, 180)).tolist()
        shape((x, y, x + w, y + h), fill=tuple(rng.integers(0, 255, 3).tolist()))
    image.save(path, quality=90)


def bulk(count: int) -> dict[str, Any]:
    """Add and build that many pictures."""
    from kgfuse import Workspace

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pictures").mkdir()
        for seed in range(count):
            make(folder / "pictures" / f"{seed:05}.jpg", seed)
        seconds, cpu = {}, {}
        with Workspace.create(folder / "w.kg", ["field-guide"]) as ws:
            for stage, work in (("add", lambda: ws.add(folder / "pictures")), ("build", ws.build)):
                began, busy = time.perf_counter(), time.process_time()
                work()
                seconds[stage], cpu[stage] = time.perf_counter() - began, time.process_time() - busy
    return {"pictures": count, "seconds": seconds, "cpu_seconds": cpu, "peak_mb": common.peak_memory_mb()}


def main() -> None:
    """Run the benchmark."""
    parser = common.parser(__doc__ or "")
    parser.add_argument("--counts", type=int, nargs="+", default=[500, 2000])
    options = parser.parse_args()
    rows = []
    for count in options.counts:
        row = alone(bulk, count)
        rows.append(row)
        speeds = [
            (stage, f"{count / seconds:.1f} a second, {count / row['cpu_seconds'][stage]:.1f} a CPU second")
            for stage, seconds in row["seconds"].items()
        ]
        common.table(f"{count:,} pictures", [*speeds, ("peak memory", f"{row['peak_mb']:,.0f} MB")])
    common.write(options.out, "pictures", {"rows": rows})


if __name__ == "__main__":
    main()
