"""The command line that the examples with a workspace and a page share: ``--out``, errors as a line, where to look."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from kgfuse import Workspace
from kgfuse.errors import KgfuseError


def opened(home: Path, pack: Path) -> Workspace:
    """The workspace of an earlier run, or a new one with the pack."""
    return Workspace.open(home) if home.exists() else Workspace.create(home, ontologies=[str(pack)])


def main(about: str, run: Callable[[Path], object], *written: str, argv: Sequence[str] | None = None) -> int:
    """Run an example in the folder that ``--out`` names, and say where its files are."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    options = parser.parse_args(argv)
    try:
        run(options.out)
    except KgfuseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("", *(options.out / name for name in written), sep="\n")
    return 0
