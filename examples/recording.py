"""A recording becomes a graph; every answer names the seconds at which it is said, and the page plays them.

    python -m examples.recording --out inspection

Takes ``examples/bridges/inspection.ogg`` (spoken by espeak-ng; twelve seconds), writes the workspace ``inspection.kg``
with the pack of ``examples/bridges``, and ``report.html``. Needs ``pip install 'kgfuse[speech]'``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from examples import command
from kgfuse.terms.namespaces import KGF
from kgfuse.workspace.report import write_statements

PACK = Path(__file__).with_name("bridges")
RECORDING = PACK / "inspection.ogg"
TITLE = "A spoken inspection of two bridges"


def run(out: Path) -> list[dict[str, Any]]:
    """Transcribe, build the graph, ask it, write the page; return the answers."""
    out.mkdir(parents=True, exist_ok=True)
    home = out / "inspection.kg"
    with command.opened(home, PACK) as ws:
        for problem in (*ws.add(RECORDING).problems, *ws.build().problems):
            print(problem, file=sys.stderr)
        answers = ws.query((PACK / "heard.rq").read_text(encoding="utf-8")).to_pandas().to_dict("records")
        for row in answers:
            print(f"{row['bridge']} · {row['what']} · {row['found']}")
            print(f"    “{row['words']}” in inspection.ogg#{row['seconds']}")
        found = [s for s in ws.graph.statements() if s.extractors and s.predicate != f"{KGF}mentions"]
        write_statements(ws, found, out / "report.html", title=TITLE)
    return answers


def main(argv: Sequence[str] | None = None) -> int:
    """Run, and say where the page is."""
    return command.main(__doc__ or "", run, "report.html", argv=argv)


if __name__ == "__main__":
    sys.exit(main())
