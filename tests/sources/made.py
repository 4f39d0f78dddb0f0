"""Documents that tests make, byte by byte or with the libraries that office people's programs resemble."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import docx
from PIL import Image

HEADING = "Owls of the north"
FULL = "The snowy owl lives in the Arctic and eats lemmings, which it hunts by day and by"
REST = "night over the open tundra."
CAPTION = "Figure 1: A snowy owl near the sea."


def png(colour: str = "red", size: tuple[int, int] = (64, 48), form: str = "PNG") -> bytes:
    held = io.BytesIO()
    Image.new("RGB", size, colour).save(held, form)
    return held.getvalue()


def objects(parts: Sequence[bytes], *, trailer: bytes = b"") -> bytes:
    """A PDF of these objects, the first its catalog."""
    made = bytearray(b"%PDF-1.5\n")
    at = []
    for n, part in enumerate(parts, 1):
        at.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (n, part)
    start = len(made)
    made += b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1)
    made += b"".join(b"%010d 00000 n \n" % offset for offset in at)
    made += b"trailer <</Size %d /Root 1 0 R %s>>\nstartxref\n%d\n%%%%EOF\n" % (len(parts) + 1, trailer, start)
    return bytes(made)


def stream(data: bytes, entries: bytes = b"") -> bytes:
    packed = zlib.compress(data)
    return b"<</Length %d /Filter /FlateDecode %s>>\nstream\n%s\nendstream" % (len(packed), entries, packed)


def pdf(
    pages: Sequence[Sequence[str]],
    *,
    pictures: Mapping[int, tuple[int, int]] | None = None,
    rotate: int = 0,
    title: str = "",
    captions: Mapping[int, str] | None = None,
) -> bytes:
    """A PDF with these lines a page, 15 points apart, 72 from the left, the first 720 up.

    Args:
        pages: lines of Latin-1 text.
        pictures: width and height of a picture on page ``n`` from 1, drawn 200 × 150 at (72, 400).
        rotate: of all pages, in degrees.
        title: of the document.
        captions: a line under that picture.
    """
    pictures, captions = pictures or {}, captions or {}
    parts: list[bytes] = [
        b"<</Type /Catalog /Pages 2 0 R>>",
        b"",
        b"<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>",
    ]
    kids = []
    for number, lines in enumerate(pages, 1):
        drawn = b"BT /F1 11 Tf 15 TL 72 720 Td "
        drawn += b" ".join(b"(%s) Tj T*" % _escaped(line) for line in lines) + b" ET"
        resources = b"/Font <</F1 3 0 R>>"
        if number in pictures:
            width, height = pictures[number]
            pixels = bytes((number * 40 + n) % 256 for n in range(width * height * 3))
            entries = b"/Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8 /ColorSpace /DeviceRGB"
            parts.append(stream(pixels, entries % (width, height)))
            resources += b" /XObject <</P %d 0 R>>" % len(parts)
            drawn += b" q 200 0 0 150 72 400 cm /P Do Q"
        if number in captions:
            drawn += b" BT /F1 9 Tf 72 385 Td (%s) Tj ET" % _escaped(captions[number])
        parts.append(stream(drawn))
        content = len(parts)
        parts.append(
            b"<</Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Rotate %d /Resources <<%s>> /Contents %d 0 R>>"
            % (rotate, resources, content)
        )
        kids.append(b"%d 0 R" % len(parts))
    parts[1] = b"<</Type /Pages /Count %d /Kids [%s]>>" % (len(kids), b" ".join(kids))
    trailer = b""
    if title:
        parts.append(b"<</Title (%s)>>" % _escaped(title))
        trailer = b"/Info %d 0 R" % len(parts)
    return objects(parts, trailer=trailer)


def _escaped(text: str) -> bytes:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)").encode("latin-1")


def report() -> bytes:
    """A page with a heading, a paragraph over two lines and a picture with its caption; and a second page."""
    return pdf(
        [[HEADING, FULL, REST], ["The tawny owl eats mice."]],
        pictures={1: (64, 48)},
        captions={1: CAPTION},
        title="Owls",
    )


def word(path: Path) -> Path:
    """A heading, paragraphs, a picture with its caption and alternative text, and a table."""
    made = docx.Document()
    made.add_heading(HEADING, 1)
    made.add_paragraph("The snowy owl eats lemmings.")
    made.add_picture(io.BytesIO(png()))
    made.inline_shapes[0]._inline.docPr.set("descr", "A red field")
    made.add_paragraph(CAPTION, style="Caption")
    table = made.add_table(2, 2)
    for n, text in enumerate(("bird", "food", "tawny owl", "mice")):
        table.cell(n // 2, n % 2).text = text
    made.core_properties.title = "Owls"
    made.save(str(path))
    return path


ODT = "application/vnd.oasis.opendocument.text"
ODT_HEAD = (
    "<office:document-content "
    + " ".join(
        f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for prefix, name in (
            ("office", "office"), ("text", "text"), ("table", "table"), ("draw", "drawing"), ("svg", "svg-compatible"),
        )
    )
    + ' xmlns:xlink="http://www.w3.org/1999/xlink"><office:body><office:text>'
)  # fmt: skip


def odt(body: str, *, prolog: str = "", members: Mapping[str, bytes] | None = None) -> bytes:
    """An OpenDocument text with this body."""
    content = f"{prolog}{ODT_HEAD}{body}</office:text></office:body></office:document-content>"
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", ODT, zipfile.ZIP_STORED)
        archive.writestr("content.xml", content)
        for name, data in (members or {}).items():
            archive.writestr(name, data)
    return held.getvalue()


PAGE = """<!DOCTYPE html>
<html><head><title>Owls &amp; others</title><style>p { color: red }</style></head><body>
<nav><a href="/">home</a></nav>
<header><h1>The site</h1></header>
<main><h1>Owls of the north</h1>
<p>The <b>snowy</b> owl   eats
lemmings.<br>It hunts by day.</p>
<script>alert("The owl is a plant.")</script>
<p hidden>Not shown.</p>
<figure><img src="pictures/owl%201.png" alt="A white owl"><figcaption>Fig. 1: the owl</figcaption></figure>
<img src="https://example.org/far.png" alt="far">
<ul><li><a href="1">one</a></li><li><a href="2">two</a></li><li><a href="3">three</a></li></ul>
<ul><li>It is white.</li><li>It is large.</li></ul>
<table><tr><th>bird</th><th>food</th></tr><tr><td>tawny owl</td><td>mice</td></tr></table>
<pre>a = 1
  b = 2</pre>
<p>The tawny owl lives in the forest, in parks and in gardens, and is heard at night far more often than it is seen.</p>
</main><footer>Imprint</footer></body></html>
"""


def zipped(path: Path, members: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def sheet(rows: Sequence[Sequence[object]]) -> bytes:
    """An Excel file with one sheet, its texts inline and its numbers as numbers."""
    lines = []
    for n, row in enumerate(rows, 1):
        made = []
        for m, cell in enumerate(row):
            place = f"{chr(65 + m)}{n}"
            if isinstance(cell, int | float):
                made.append(f'<c r="{place}"><v>{cell}</v></c>')
            elif cell:
                made.append(f'<c r="{place}" t="inlineStr"><is><t>{cell}</t></is></c>')
        lines.append(f'<row r="{n}">{"".join(made)}</row>')
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
            f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/></Types>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{office}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="Stock" sheetId="1" r:id="r1"/></sheets>'
            "</workbook>",
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{office}/worksheet" '
            'Target="worksheets/sheet1.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/worksheets/sheet1.xml",
            f'<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="{main}"><sheetData>{"".join(lines)}</sheetData>'
            "</worksheet>",
        )
    return held.getvalue()
