"""Formats of the source benchmark: how a file is made, how kgfuse reads it, and how the bare library does."""

from __future__ import annotations

import csv
import io
import json
import random
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kgfuse.sources.mapping import TableForm
from tests.sources import made

Read = Callable[[Path, Path], int]
"""Called with a file and a folder to write to; returns how many items (documents, pages, rows) were read."""
WORDS = tuple(f"{made.FULL} {made.REST}".rstrip(".").replace(",", "").split())
ROWS = 5_000
PAGES = 10
MEMBERS = 200


@dataclass(frozen=True, slots=True)
class Format:
    """One format."""

    suffix: str
    unit: str
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


def _read_text(path: Path, into: Path) -> int:
    from kgfuse.sources.texts import stored

    return bool(stored(path.read_bytes(), "text/plain", path)[0].text)


def _bare_text(path: Path, into: Path) -> int:
    return bool(path.read_bytes().decode())


def _read_language(path: Path, into: Path) -> int:
    from kgfuse.sources.language import language

    return bool(language(path.read_bytes().decode()))


def _bare_language(path: Path, into: Path) -> int:
    from kgfuse.sources.language import _identifier

    return bool(_identifier().classify(path.read_bytes().decode()))


def _make_markdown(path: Path, seed: int) -> object:
    lines = _sentences(seed, 200)
    return path.write_text("\n\n".join(f"- **{a[:9]}** {a[9:]}" if n % 3 else f"## {a}" for n, a in enumerate(lines)))


def _read_markdown(path: Path, into: Path) -> int:
    from kgfuse.sources.texts import stored

    return bool(stored(path.read_bytes(), "text/markdown", path)[0].text)


def _bare_markdown(path: Path, into: Path) -> int:
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").enable("table").parse(path.read_bytes().decode())
    return bool("\n".join(t.content for t in tokens if t.type == "inline"))


# documents


def _make_html(path: Path, seed: int) -> object:
    body = "".join(
        f"<p>{a[:20]}<b>{a[20:30]}</b><a href='{n}'>{a[30:]}</a></p>" for n, a in enumerate(_sentences(seed, 200))
    )
    return path.write_text(f"<!DOCTYPE html><html><body><nav><a>home</a></nav><main>{body}</main></body></html>")


def _read_html(path: Path, into: Path) -> int:
    from kgfuse.sources.html import read

    return bool(read(path, path.name, into).text)


def _bare_html(path: Path, into: Path) -> int:
    from selectolax.lexbor import LexborHTMLParser

    body = LexborHTMLParser(path.read_bytes().decode()).body
    return bool(body is not None and body.text(separator="\n"))


def _make_pdf(path: Path, seed: int) -> object:
    lines = _sentences(seed, 40 * PAGES)
    return path.write_bytes(made.pdf([lines[n::PAGES] for n in range(PAGES)]))


def _make_figures(path: Path, seed: int) -> object:
    lines = _sentences(seed, 10 * PAGES)
    sizes = {n + 1: (300 + n, 200) for n in range(PAGES)}
    captions = {n + 1: f"Figure {n + 1}: an owl" for n in range(PAGES)}
    return path.write_bytes(made.pdf([lines[n::PAGES] for n in range(PAGES)], pictures=sizes, captions=captions))


def _read_pdf(path: Path, into: Path) -> int:
    from kgfuse.sources.pdf import read

    return PAGES * bool(read(path, path.name, into).text)


def _bare_pdf(path: Path, into: Path) -> int:
    import pypdfium2

    pdf = pypdfium2.PdfDocument(path)
    count = 0
    for page in pdf:
        words = page.get_textpage()
        count += bool(words.get_text_range())
        words.close()
        page.close()
    pdf.close()
    return count


def _bare_figures(path: Path, into: Path) -> int:
    import pypdfium2
    import pypdfium2.raw

    pdf = pypdfium2.PdfDocument(path)
    count = 0
    for page in pdf:
        words = page.get_textpage()
        count += bool(words.get_text_range())
        for n, thing in enumerate(page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE])):
            thing.get_bitmap(render=False).to_pil().convert("RGB").save(into / f"{count}-{n}.png")
        words.close()
        page.close()
    pdf.close()
    return count


def _make_word(path: Path, seed: int) -> object:
    import docx

    opened = docx.Document()
    for line in _sentences(seed, 200):
        opened.add_paragraph(line)
    table = opened.add_table(10, 3)
    for n, line in enumerate(_sentences(seed + 1, 30)):
        table.cell(n // 3, n % 3).text = line
    return opened.save(str(path))


def _read_word(path: Path, into: Path) -> int:
    from kgfuse.sources.word import read

    return bool(read(path, path.name, into).text)


def _bare_word(path: Path, into: Path) -> int:
    import docx
    from docx.table import Table

    pieces: list[str] = []
    for block in docx.Document(str(path)).iter_inner_content():
        if isinstance(block, Table):
            pieces += (cell.text for row in block.rows for cell in row.cells)
        else:
            pieces.append(block.text)
    return bool("\n".join(pieces))


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
        {"sku": f"a{n}", "name": " ".join(rng.choices(WORDS, k=3)), "price": round(rng.random() * 99, 2), "stock": n}
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


def _read_table(path: Path, into: Path) -> int:
    from kgfuse.sources.identify import identify
    from kgfuse.sources.tables import CSV, JSON_LINES, read

    found = identify(path)
    kind = found.media_type if found.kind == "table" else {".jsonl": JSON_LINES}.get(path.suffix, CSV)
    return len(read(path, kind, TableForm(), path.name, None, into / "table").starts)


def _bare_csv(path: Path, into: Path) -> int:
    with path.open(newline="", encoding="utf-8") as f, (into / "bare").open("w") as out:
        return sum(bool(out.write("\t".join(row) + "\n")) for row in csv.reader(f)) - 1


def _bare_json_lines(path: Path, into: Path) -> int:
    with path.open(encoding="utf-8") as f, (into / "bare").open("w") as out:
        return sum(bool(out.write("\t".join(map(str, json.loads(line).values())) + "\n")) for line in f)


def _bare_sheet(path: Path, into: Path) -> int:
    import fastexcel

    cells = fastexcel.read_excel(path).load_sheet(0, header_row=None, dtypes="string").to_polars()
    with (into / "bare").open("w") as out:
        return sum(bool(out.write("\t".join(c or "" for c in row) + "\n")) for row in cells.iter_rows()) - 1


def _bare_parquet(path: Path, into: Path) -> int:
    import polars as pl

    with (into / "bare").open("w") as out:
        return sum(bool(out.write("\t".join(map(str, row)) + "\n")) for row in pl.read_parquet(path).iter_rows())


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
    "text": Format("txt", "texts", "bytes.decode", 300, _make_text, _read_text, _bare_text),
    "language": Format("txt", "texts", "py3langid", 300, _make_text, _read_language, _bare_language),
    "markdown": Format("md", "texts", "markdown-it", 100, _make_markdown, _read_markdown, _bare_markdown),
    "html": Format("html", "pages", "selectolax", 200, _make_html, _read_html, _bare_html),
    "pdf": Format("pdf", "pages", "pypdfium2", 40, _make_pdf, _read_pdf, _bare_pdf),
    "pdf-figures": Format("pdf", "pages", "pypdfium2, Pillow", 10, _make_figures, _read_pdf, _bare_figures),
    "docx": Format("docx", "documents", "python-docx", 30, _make_word, _read_word, _bare_word),
    "tiff": Format("tif", "pages", "Pillow", 5, _make_tiff, _read_tiff, _bare_tiff),
    "csv": Format("csv", "rows", "csv", 10, _make_csv, _read_table, _bare_csv),
    "jsonl": Format("jsonl", "rows", "json", 10, _make_json_lines, _read_table, _bare_json_lines),
    "xlsx": Format("xlsx", "rows", "fastexcel", 10, _make_sheet, _read_table, _bare_sheet),
    "parquet": Format("parquet", "rows", "polars", 10, _make_parquet, _read_table, _bare_parquet),
    "zip": Format("zip", "members", "zipfile", 10, _make_zip, _read_zip, _bare_zip),
}
