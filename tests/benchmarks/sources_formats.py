"""Formats of the source benchmark: how a file is made, how kgfuse reads it, and how the bare library does.

Both sides read the same file from disk, and give the same words (a test says so): the bare side with what its library
has for it and no more, in the shortest way that does not tear words apart, run them together or leave marks in them.
"""

from __future__ import annotations

import csv
import io
import json
import random
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from kgfuse.sources.mapping import TableForm
from tests.sources import made

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

Read = Callable[[Path, Path], str | Path | int]
"""Called with a file and a folder to write to; returns the words, the file that they were written to, or how many
things were written to the folder."""
WORDS = tuple(f"{made.FULL} {made.REST}".rstrip(".").replace(",", "").split())
BLOCKS = "h1, h2, h3, h4, h5, h6, p, li, dt, dd, td, th, pre, figcaption, blockquote"
"""Elements whose words are told apart; all words of the body in one call would be torn apart at each link or mark."""
ROWS = 5_000
PAGES = 10
MEMBERS = 200


@dataclass(frozen=True, slots=True)
class Format:
    """One format."""

    suffix: str
    unit: str
    items: int
    library: str
    files: int
    make: Callable[[Path, int], object]
    ours: Read
    bare: Read


def _sentences(seed: int, count: int) -> list[str]:
    rng = random.Random(seed)
    return [f"{' '.join(rng.choices(WORDS, k=14)).capitalize()}." for _ in range(count)]


# texts


def _make_text(path: Path, seed: int) -> object:
    return path.write_text("\r\n".join(_sentences(seed, 200)), encoding="utf-8", newline="")


def _make_signs(path: Path, seed: int) -> object:
    text = "\n".join(_sentences(seed, 200)).replace("lemmings", "“lémmings”")
    return path.write_text(text, encoding="utf-8", newline="")


def _read_text(path: Path, into: Path) -> str:
    from kgfuse.sources.texts import stored

    return stored(path.read_bytes(), "text/plain", path)[0].text


def _bare_text(path: Path, into: Path) -> str:
    return path.read_text(encoding="utf-8")


def _read_language(path: Path, into: Path) -> str:
    from kgfuse.sources.language import language

    return language(path.read_text(encoding="utf-8"))


def _bare_language(path: Path, into: Path) -> str:
    from kgfuse.sources.language import _identifier

    return str(_identifier().classify(path.read_text(encoding="utf-8"))[0])


def _make_markdown(path: Path, seed: int) -> object:
    lines = _sentences(seed, 200)
    return path.write_text("\n\n".join(f"- **{a[:9]}** {a[9:]}" if n % 3 else f"## {a}" for n, a in enumerate(lines)))


def _read_markdown(path: Path, into: Path) -> str:
    from kgfuse.sources.texts import stored

    return stored(path.read_bytes(), "text/markdown", path)[0].text


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table")


def _bare_markdown(path: Path, into: Path) -> str:
    tokens = _parser().parse(path.read_text(encoding="utf-8"))
    blocks = (token.children or () for token in tokens if token.type == "inline")
    return "\n\n".join("".join(child.content for child in block) for block in blocks)


# documents


def _make_html(path: Path, seed: int) -> object:
    body = "".join(
        f"<p>{a[:20]}<b>{a[20:30]}</b><a href='{n}'>{a[30:]}</a></p>" for n, a in enumerate(_sentences(seed, 200))
    )
    return path.write_text(f"<!DOCTYPE html><html><body><nav><a>home</a></nav><main>{body}</main></body></html>")


def _read_html(path: Path, into: Path) -> str:
    from kgfuse.sources.html import read

    return read(path, path.name, into).text


def _bare_html(path: Path, into: Path) -> str:
    from selectolax.lexbor import LexborHTMLParser

    main = LexborHTMLParser(path.read_bytes()).css_first("main")
    return "\n\n".join(block.text() for block in main.css(BLOCKS)) if main is not None else ""


def _make_pdf(path: Path, seed: int) -> object:
    lines = _sentences(seed, 40 * PAGES)
    return path.write_bytes(made.pdf([lines[n::PAGES] for n in range(PAGES)]))


def _make_figures(path: Path, seed: int) -> object:
    lines = _sentences(seed, 10 * PAGES)
    sizes = {n + 1: (300 + n, 200) for n in range(PAGES)}
    captions = {n + 1: f"Figure {n + 1}: an owl" for n in range(PAGES)}
    return path.write_bytes(made.pdf([lines[n::PAGES] for n in range(PAGES)], pictures=sizes, captions=captions))


def _read_pdf(path: Path, into: Path) -> str:
    from kgfuse.sources.pdf import read

    return read(path, path.name, into).text


def _bare_pdf(path: Path, into: Path) -> str:
    import pypdfium2

    pdf = pypdfium2.PdfDocument(path)
    pages: list[str] = []
    for page in pdf:
        words = page.get_textpage()
        pages.append(words.get_text_range())
        words.close()
        page.close()
    pdf.close()
    return "\n".join(pages)


def _bare_figures(path: Path, into: Path) -> str:
    import pypdfium2
    import pypdfium2.raw

    pdf = pypdfium2.PdfDocument(path)
    pages: list[str] = []
    for page in pdf:
        words = page.get_textpage()
        pages.append(words.get_text_range())
        for n, thing in enumerate(page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE])):
            thing.get_bitmap(render=False).to_pil().convert("RGB").save(into / f"{len(pages)}-{n}.png")
        words.close()
        page.close()
    pdf.close()
    return "\n".join(pages)


def _make_word(path: Path, seed: int) -> object:
    import docx

    opened = docx.Document()
    for line in _sentences(seed, 200):
        opened.add_paragraph(line)
    table = opened.add_table(10, 3)
    for n, line in enumerate(_sentences(seed + 1, 30)):
        table.cell(n // 3, n % 3).text = line
    return opened.save(str(path))


def _read_word(path: Path, into: Path) -> str:
    from kgfuse.sources.word import read

    return read(path, path.name, into).text


def _bare_word(path: Path, into: Path) -> str:
    import docx
    from docx.table import Table

    pieces: list[str] = []
    for block in docx.Document(str(path)).iter_inner_content():
        if isinstance(block, Table):
            pieces += (cell.text for row in block.rows for cell in row.cells)
        else:
            pieces.append(block.text)
    return "\n".join(pieces)


def _make_tiff(path: Path, seed: int) -> object:
    from PIL import Image

    pages = [Image.effect_noise((800, 600), 20 + n + seed) for n in range(PAGES)]
    return pages[0].save(path, save_all=True, append_images=pages[1:])


def _read_tiff(path: Path, into: Path) -> int:
    from kgfuse.sources.frames import read

    return len(read(path, path.name, into).pictures)


def _bare_tiff(path: Path, into: Path) -> int:
    from PIL import Image

    with Image.open(path) as image:
        for n in range(1, PAGES):
            image.seek(n)
            image.save(into / f"{n}.png")
    return PAGES - 1


# tables and archives


def _records(seed: int) -> list[dict[str, object]]:
    rng = random.Random(seed)
    return [
        {
            "sku": f"a{n}",
            "name": " ".join(rng.choices(WORDS, k=3)),
            "price": (10 * rng.randrange(9900) + 5) / 1000,  # a whole number would be written in two ways
            "stock": n,
        }
        for n in range(ROWS)
    ]


def _make_csv(path: Path, seed: int) -> object:
    with path.open("w", newline="") as f:
        writer = csv.DictWriter(f, list(_records(0)[0]))
        writer.writeheader()
        return writer.writerows(_records(seed))


def _make_json_lines(path: Path, seed: int) -> object:
    return path.write_text("\n".join(map(json.dumps, _records(seed))))


def _make_sheet(path: Path, seed: int) -> object:
    records = _records(seed)
    return path.write_bytes(made.sheet([list(records[0]), *(list(r.values()) for r in records)]))


def _make_parquet(path: Path, seed: int) -> object:
    import polars as pl

    return pl.DataFrame(_records(seed)).write_parquet(path)


def _read_table(path: Path, into: Path) -> Path:
    from kgfuse.sources.identify import identify
    from kgfuse.sources.tables import CSV, JSON_LINES, read

    found = identify(path)
    kind = found.media_type if found.kind == "table" else {".jsonl": JSON_LINES}.get(path.suffix, CSV)
    read(path, kind, TableForm(), path.name, None, into / "table")
    return into / "table"


def _bare_csv(path: Path, into: Path) -> Path:
    with path.open(newline="", encoding="utf-8") as f, (into / "bare").open("w", encoding="utf-8") as out:
        out.writelines("\t".join(row) + "\n" for row in csv.reader(f))
    return into / "bare"


def _bare_json_lines(path: Path, into: Path) -> Path:
    with path.open(encoding="utf-8") as f, (into / "bare").open("w", encoding="utf-8") as out:
        first = json.loads(next(f))
        out.write("\t".join(first) + "\n")
        rows = chain((first,), map(json.loads, f))
        out.writelines("\t".join(map(str, row.values())) + "\n" for row in rows)
    return into / "bare"


def _bare_sheet(path: Path, into: Path) -> Path:
    import fastexcel

    cells = fastexcel.read_excel(path).load_sheet(0, header_row=None, dtypes="string").to_polars()
    with (into / "bare").open("w", encoding="utf-8") as out:
        out.writelines("\t".join(c or "" for c in row) + "\n" for row in cells.iter_rows())
    return into / "bare"


def _bare_parquet(path: Path, into: Path) -> Path:
    import polars as pl

    cells = pl.read_parquet(path)
    with (into / "bare").open("w", encoding="utf-8") as out:
        out.write("\t".join(cells.columns) + "\n")
        out.writelines("\t".join(map(str, row)) + "\n" for row in cells.iter_rows())
    return into / "bare"


def _make_zip(path: Path, seed: int) -> object:
    return made.zipped(path, {f"{n // 20}/{n}.txt": "\n".join(_sentences(n, 40)).encode() for n in range(MEMBERS)})


def _read_zip(path: Path, into: Path) -> int:
    import tempfile

    from kgfuse.sources.archives import ZIP, Budget, unpack

    with tempfile.TemporaryDirectory(dir=into) as folder:
        return MEMBERS - len(list(unpack(path, ZIP, Path(folder), Budget(path.stat().st_size))))


def _bare_zip(path: Path, into: Path) -> int:
    import tempfile

    with tempfile.TemporaryDirectory(dir=into) as folder, zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        archive.extractall(folder)
        return MEMBERS


FORMATS = {
    "text": Format("txt", "texts", 1, "Path.read_text", 300, _make_text, _read_text, _bare_text),
    "text-signs": Format("txt", "texts", 1, "Path.read_text", 300, _make_signs, _read_text, _bare_text),
    "language": Format("txt", "texts", 1, "py3langid", 300, _make_text, _read_language, _bare_language),
    "markdown": Format("md", "texts", 1, "markdown-it", 100, _make_markdown, _read_markdown, _bare_markdown),
    "html": Format("html", "pages", 1, "selectolax", 200, _make_html, _read_html, _bare_html),
    "pdf": Format("pdf", "pages", PAGES, "pypdfium2", 40, _make_pdf, _read_pdf, _bare_pdf),
    "pdf-figures": Format("pdf", "pages", PAGES, "pypdfium2, Pillow", 10, _make_figures, _read_pdf, _bare_figures),
    "docx": Format("docx", "documents", 1, "python-docx", 30, _make_word, _read_word, _bare_word),
    "tiff": Format("tif", "pages", PAGES - 1, "Pillow", 5, _make_tiff, _read_tiff, _bare_tiff),
    "csv": Format("csv", "rows", ROWS, "csv", 10, _make_csv, _read_table, _bare_csv),
    "jsonl": Format("jsonl", "rows", ROWS, "json", 10, _make_json_lines, _read_table, _bare_json_lines),
    "xlsx": Format("xlsx", "rows", ROWS, "fastexcel", 10, _make_sheet, _read_table, _bare_sheet),
    "parquet": Format("parquet", "rows", ROWS, "polars", 10, _make_parquet, _read_table, _bare_parquet),
    "zip": Format("zip", "members", MEMBERS, "zipfile", 10, _make_zip, _read_zip, _bare_zip),
}
