"""A build that is killed at any moment is taken up again and ends in the same graph."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_killed_at_random_moments_a_build_ends_in_the_same_graph_with_every_source_once(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.workspace.crash", str(tmp_path), "8", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    killed = json.loads(done.stdout.splitlines()[-1])["killed"]
    assert killed["first build"] + killed["change"] >= 4, killed
