"""Five questions that people would ask of the field guide, in SPARQL: the files of ``examples/queries``.

    kgfuse demo --out field-guide
    python -m examples.queries field-guide/field-guide.kg
    python -m examples.queries field-guide/field-guide.kg insect-eaters

On the command line the same is ``kgfuse query field-guide/field-guide.kg examples/queries/insect-eaters.rq``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from kgfuse import Workspace
from kgfuse.errors import KgfuseError, UsageError

FOLDER = Path(__file__).with_name("queries")


@dataclass(frozen=True, slots=True)
class Question:
    """A query with the question that it answers.

    Args:
        name: of the file, without suffix.
        question: the first line of its comment.
        sparql: the whole file.
    """

    name: str
    question: str
    sparql: str


def questions(names: Sequence[str] = ()) -> list[Question]:
    """The questions with these names, or all.

    Raises:
        UsageError: there is none of that name.
    """
    known = {path.stem: path for path in sorted(FOLDER.glob("*.rq"))}
    missing = [n for n in names if n not in known]
    if missing:
        raise UsageError(f"no question is called {missing[0]!r}", where=FOLDER, remedy=f"there are: {', '.join(known)}")
    found = []
    for name in names or known:
        sparql = known[name].read_text(encoding="utf-8")
        found.append(Question(name, sparql.splitlines()[0].removeprefix("#").strip(), sparql))
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Ask, and print the answers as tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path, help="a field-guide workspace, such as the one of `kgfuse demo`")
    parser.add_argument("names", nargs="*", help="which questions; all where not given")
    parser.add_argument("--rows", type=int, default=12, help="print at most so many rows of each")
    options = parser.parse_args(argv)
    console = Console()
    try:
        with Workspace.open(options.workspace) as ws:
            for q in questions(options.names):
                console.print(f"\n[bold]{q.question}[/bold]  ({q.name}.rq)")
                console.print(ws.query(q.sparql).table(options.rows))
    except KgfuseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
