"""A PDF report with figures becomes a graph; every statement opens on its page, with the words or the figure boxed.

    python -m examples.report_pdf --out bridges

Writes ``inspection.pdf`` (two pages, two drawn figures), the workspace ``bridges.kg`` with the pack of
``examples/bridges``, and ``report.html``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from PIL import Image, ImageDraw

from examples import command
from kgfuse import Workspace
from kgfuse.graph.records import MentionRecord, StatementRecord
from kgfuse.terms.mentions import Region, TextSpan
from kgfuse.terms.namespaces import KGF
from kgfuse.workspace.report import write_statements

PACK = Path(__file__).with_name("bridges")
TITLE = "Inspection of two bridges"
PAGES = (
    (
        (
            f"{TITLE}.",
            "The Mill Bridge crosses the Arle, a hundred metres below the weir.",
            "The Mill Bridge is built of sandstone.",
            "The Mill Bridge shows cracks.",
        ),
        "goldenrod",
        "Figure 1: The Mill Bridge from the south.",
    ),
    (
        ("The Harbour Bridge spans the Arle.", "The Harbour Bridge shows rust."),
        "red",
        "Figure 2: The Harbour Bridge at low water.",
    ),
)


def draw(colour: str) -> Image.Image:
    """A bridge of this colour, from the side."""
    image = Image.new("RGB", (320, 160), "white")
    pen = ImageDraw.Draw(image)
    for box in ((20, 50, 300, 80), (60, 80, 90, 150), (230, 80, 260, 150)):
        pen.rectangle(box, fill=colour)
    return image


def write_pdf(path: Path) -> None:
    """Write the report: lines of text, a figure and its caption on each page."""
    with rc_context({"pdf.fonttype": 42}), PdfPages(path, metadata={"Title": TITLE, "CreationDate": None}) as pdf:
        for lines, colour, caption in PAGES:
            page = Figure(figsize=(8.27, 11.69))
            for n, line in enumerate(lines):
                page.text(0.1, 0.9 - 0.03 * n, line, fontsize=11)
            axes = page.add_axes((0.1, 0.5, 0.5, 0.18))
            axes.axis("off")
            axes.imshow(np.asarray(draw(colour)), interpolation="none")
            page.text(0.1, 0.48, caption, fontsize=9)
            pdf.savefig(page)


def read(ws: Workspace) -> list[StatementRecord]:
    """What was read in text and figures, without the bare mentions of names and the figures' hashes."""
    left_out = (f"{KGF}mentions", f"{KGF}perceptualHash")
    return [s for s in ws.graph.statements() if s.extractors and s.predicate not in left_out]


def place(mention: MentionRecord) -> str:
    """Where a mention stands: page and box, or the figure and its pixels."""
    match mention.selector, mention.where:
        case TextSpan(exact=exact), where if where is not None and where.box is not None:
            x, y, w, h = where.box
            return f"“{exact}” on page {where.page}, box {x},{y} {w}×{h} pt"
        case Region(x, y, w, h), _:
            return f"{mention.file_name}, box {x},{y} {w}×{h} px"
    return mention.file_name


def run(out: Path) -> list[StatementRecord]:
    """Write the PDF, build the graph, write the page; return what was read."""
    out.mkdir(parents=True, exist_ok=True)
    write_pdf(out / "inspection.pdf")
    home = out / "bridges.kg"
    with command.opened(home, PACK) as ws:
        ws.add(out / "inspection.pdf")
        ws.build()
        found = read(ws)
        write_statements(ws, found, out / "report.html", title=TITLE)
        for s in found:
            print(" · ".join(ws.graph.label(str(part)) for part in (s.subject, s.predicate, s.object)))
            for mention in s.mentions:
                print(f"    {place(mention)}")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run, and say where the page is."""
    return command.main(__doc__ or "", run, "report.html", argv=argv)


if __name__ == "__main__":
    sys.exit(main())
