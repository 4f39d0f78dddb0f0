"""``kgfuse demo``: time by stage and peak memory.

    python -m tests.benchmarks.demo [--seeds N] [--out DIR]

Each run is a process of its own in a fresh folder.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks import common


def main() -> None:
    """Run the benchmark."""
    options = common.parser(__doc__ or "").parse_args()
    runs = []
    for _ in range(options.seeds):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "kgfuse.cli.main", "demo", "--out", str(Path(folder) / "demo"), "--json"]
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
            runs.append(json.loads(done.stdout))
    stages = list(runs[0]["seconds"])
    rows = [(stage, common.shown([r["seconds"][stage] for r in runs], 1)) for stage in stages]
    common.table(f"kgfuse demo, seconds, {len(runs)} runs", rows)
    memory = [r["peak_memory_mb"] for r in runs]
    common.table("peak memory, MB", [("whole run", common.shown(memory, 0))])
    target = next(iter(runs[0]["ablation"]["targets"].values()))
    splits = len(runs[0]["ablation"]["seeds"])
    common.table(
        f"accuracy on test items, {splits} random splits",
        [(row["name"], f"{row['mean']:.3f} ± {row['sd']:.3f}") for row in target["rows"]],
    )
    seconds = {stage: common.summary([r["seconds"][stage] for r in runs]) for stage in stages}
    result = {"seconds": seconds, "peak_memory_mb": common.summary(memory), "runs": runs}
    common.write(options.out, "demo", result)


if __name__ == "__main__":
    main()
