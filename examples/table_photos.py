"""A table joined to photos: rows become items, cells statements; SPARQL answers name the cell and the picture.

    python -m examples.table_photos --out orchard

Copies the table of ``examples/orchard`` and its mapping, draws the photos that it names, builds ``orchard.kg`` with the
pack of that folder, asks the folder's questions, and writes ``report.html`` with the cells and regions marked.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw
from rich.console import Console

from examples import command
from kgfuse.terms.namespaces import KGF
from kgfuse.workspace.report import write_statements

FOLDER = Path(__file__).with_name("orchard")
PHOTOS = {"topaz.png": "#d0202a", "granny.png": "#2f9e44", "golden.png": "#f4d21f"}


def prepare(folder: Path) -> None:
    """Table, mapping and photos, side by side."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("varieties.csv", "varieties.toml"):
        shutil.copyfile(FOLDER / name, folder / name)
    for name, colour in PHOTOS.items():
        image = Image.new("RGB", (240, 200), "white")
        pen = ImageDraw.Draw(image)
        pen.ellipse((50, 40, 190, 180), fill=colour)
        pen.line((120, 45, 130, 15), fill="black", width=5)
        image.save(folder / name)


def run(out: Path) -> dict[str, list[dict[str, str]]]:
    """Build, write the page and ask; return the answers by the name of the question."""
    prepare(out / "varieties")
    home = out / "orchard.kg"
    with command.opened(home, FOLDER) as ws:
        ws.add(out / "varieties")
        ws.build()
        read = [s for s in ws.graph.statements() if s.extractors and s.predicate != f"{KGF}mentions"]
        write_statements(ws, read, out / "report.html", title="Varieties of apples")
        console, answers = Console(), {}
        for path in sorted(FOLDER.glob("*.rq")):
            sparql = path.read_text(encoding="utf-8")
            found = ws.query(sparql)
            console.print(f"\n[bold]{sparql.splitlines()[0].removeprefix('# ')}[/bold]  ({path.name})")
            console.print(found.table())
            answers[path.stem] = list(found)
    return answers


def main(argv: Sequence[str] | None = None) -> int:
    """Run, and say where the page is."""
    return command.main(__doc__ or "", run, "report.html", argv=argv)


if __name__ == "__main__":
    sys.exit(main())
