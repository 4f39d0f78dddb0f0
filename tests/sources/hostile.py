"""Files that are broken, lie, or were made to harm: name, bytes, and whether something in them is still usable."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from tests.sources.made import ODT, objects, odt, pdf, png, sheet, stream

LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True)
)
EXTERNAL = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">'
SECRET = b"root:x:0:0"


@dataclass(frozen=True)
class Hostile:
    """A file; ``refused`` when it must end in a problem, otherwise it may be read in part."""

    name: str
    content: bytes
    refused: bool = True


def _partly(name: str, content: bytes) -> Hostile:
    return Hostile(name, content, refused=False)


def _zip(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return held.getvalue()


def _tar(name: str, content: bytes = b"x", kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.size, info.type, info.linkname = (len(content) if kind == tarfile.REGTYPE else 0), kind, link
        archive.addfile(info, io.BytesIO(content))
    return held.getvalue()


def _nested(depth: int) -> bytes:
    data = _zip({"a.txt": b"The owl eats mice."})
    for _ in range(depth):
        data = _zip({"a.zip": data})
    return data


def _png_of(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG that claims a size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data or zlib.compress(b"")) + chunk(b"IEND", b"")
    )


def _office(body: str, part: str = "word/document.xml") -> bytes:
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    types = (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{kind}"/></Types>'
    )
    links = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
        'Target="word/document.xml"/></Relationships>'
    )
    return _zip({"[Content_Types].xml": types.encode(), "_rels/.rels": links.encode(), part: body.encode()})


def _word(text: str, prolog: str = "") -> str:
    main = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    return f'{prolog}<w:document xmlns:w="{main}"><w:body>{text}</w:body></w:document>'


def _paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def _endless_pages() -> bytes:
    kids = b"[" + b" ".join([b"3 0 R"] * 12_000) + b"]"
    page = b"<</Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources <</Font <</F1 5 0 R>>>>>>"
    return objects(
        [
            b"<</Type /Catalog /Pages 2 0 R>>",
            b"<</Type /Pages /Count 12000 /Kids %s>>" % kids,
            page,
            stream(b"BT /F1 11 Tf 72 700 Td (The owl eats mice.) Tj ET"),
            b"<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>",
        ]
    )


def _pdf_with(content: bytes, entries: bytes = b"", extra: tuple[bytes, ...] = ()) -> bytes:
    page = b"<</Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources <<%s>>>>" % entries
    pages = b"<</Type /Pages /Count 1 /Kids [3 0 R]>>"
    return objects([b"<</Type /Catalog /Pages 2 0 R>>", pages, page, stream(content), *extra])


def corpus() -> Iterator[Hostile]:
    """All of them."""
    yield from _plain()
    yield from _pictures()
    yield from _archives()
    yield from _pdfs()
    yield from _markup()
    yield from _office_files()
    yield from _tables()


def _wav(rate: int, channels: int) -> bytes:
    """A WAV file whose header says so."""
    form = struct.pack("<HHIIHH", 1, channels, rate, rate, 2, 16)
    return b"RIFF\xff\xff\xff\x7fWAVEfmt \x10\x00\x00\x00" + form + b"data\xff\xff\xff\x7f" + bytes(999)


def _plain() -> Iterator[Hostile]:
    yield Hostile("empty.txt", b"")
    yield Hostile("blank.txt", b" \r\n\t" * 9)
    yield Hostile("nul.txt", b"An owl.\x00" * 9)
    yield Hostile("binary.txt", bytes(range(256)) * 4)
    yield Hostile("program.txt", b"\x7fELF" + bytes(99))
    yield Hostile("windows.txt", b"MZ" + bytes(99))
    yield Hostile("half-utf16.txt", b"\xff\xfeo\x00w")
    yield Hostile("bad-utf8.txt", b"An owl \xff\xfe eats \xc3 mice")
    yield Hostile("too-long.txt", b"owl " * 300_000)
    yield Hostile("one-line.txt", b"owl" * 500_000)
    yield Hostile("bom-only.txt", b"\xef\xbb\xbf")
    yield _partly("marks.txt", ("o" + "\u0301" * 200_000).encode())
    yield _partly("right-to-left.txt", "\u202eThe owl eats mice.\u202c".encode())
    yield Hostile("recording.txt", b"ID3" + bytes(99))
    yield Hostile("cut.flac", b"fLaC\x00\x00\x00\x22" + bytes(34))
    yield Hostile("lies.ogg", b"OggS The owl eats mice. " * 9)
    yield Hostile("rates.wav", _wav(0xFFFFFFFF, 65_535))
    yield Hostile("film.wav", b"RIFF\x00\x00\x00\x00AVI LIST" + bytes(99))
    yield Hostile("database.txt", b"SQLite format 3\x00" + bytes(99))
    yield Hostile("rich.doc", b"{\\rtf1 An owl.}")
    yield Hostile("old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    yield Hostile("archive.7z", b"7z\xbc\xaf\x27\x1c" + bytes(99))
    yield Hostile("archive.rar", b"Rar!\x1a\x07" + bytes(99))


def _pictures() -> Iterator[Hostile]:
    yield Hostile("wild.tif", b"II*\x00" + b"\xff" * 64)
    yield Hostile("loop.tif", b"II*\x00\x08\x00\x00\x00" + b"\x00\x00" + b"\x08\x00\x00\x00" * 3)


def unreadable_pictures() -> Iterator[Hostile]:
    """Pictures whose kind is clear, and that are refused when they are looked at."""
    yield Hostile("huge.png", _png_of(2_000_000_000, 2_000_000_000))
    yield Hostile("bomb.png", _png_of(30_000, 30_000, zlib.compress(bytes(9_000_000))))
    yield Hostile("no-pixels.png", _png_of(0, 0))
    yield Hostile("cut.png", png()[:40])
    yield Hostile("cut.jpg", png(form="JPEG")[:60])
    yield Hostile("lies.jpg", b"\xff\xd8\xff" + b"The owl eats mice. " * 9)
    scan = png(form="TIFF")
    yield Hostile("cut.tif", scan[: len(scan) // 2])
    yield Hostile("cut.webp", b"RIFF\x00\x00\x00\x00WEBP")
    yield Hostile(
        "laughs.svg", f"<?xml version='1.0'?>{LAUGHS}]><svg xmlns='http://www.w3.org/2000/svg'>&j;</svg>".encode()
    )
    yield Hostile(
        "external.svg", f"{EXTERNAL}]><svg xmlns='http://www.w3.org/2000/svg'><text>&a;</text></svg>".encode()
    )
    yield Hostile("cut.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><rect")


def _archives() -> Iterator[Hostile]:
    zeros = bytes(250_000_000)
    yield Hostile("bomb.zip", _zip({"a.txt": zeros}))
    yield Hostile("bomb.gz", gzip.compress(zeros, 9))
    yield Hostile("bomb.bz2", bz2.compress(zeros))
    yield Hostile("bomb.xz", lzma.compress(zeros, preset=0))
    yield Hostile("nested.zip", _nested(9))
    yield Hostile("traversal.zip", _zip({"../../evil.txt": b"evil"}))
    yield Hostile("absolute.zip", _zip({"/evil.txt": b"evil"}))
    yield Hostile("windows.zip", _zip({"C:\\evil.txt": b"evil", "..\\evil.txt": b"evil"}))
    yield Hostile("traversal.tar", _tar("../evil.txt"))
    yield Hostile("link.tar", _tar("passwd.txt", kind=tarfile.SYMTYPE, link="/etc/passwd"))
    yield Hostile("hard-link.tar", _tar("passwd.txt", kind=tarfile.LNKTYPE, link="/etc/passwd"))
    yield Hostile("device.tar", _tar("zero", kind=tarfile.CHRTYPE))
    yield Hostile("nothing.zip", _zip({}))
    yield Hostile("cut.zip", _zip({"a.txt": b"The owl eats mice." * 99})[:60])
    yield Hostile("tail.zip", b"PK\x03\x04" + b"\xff" * 200)
    yield Hostile("cut.tar.gz", gzip.compress(_tar("a.txt", bytes(range(256)) * 999))[:99])
    yield Hostile("no-gzip.gz", b"\x1f\x8b" + bytes(40))
    yield Hostile("odd-names.zip", _zip({"a\x01b.txt": b"The owl.", "x" * 300 + ".txt": b"The owl."}))
    yield Hostile(
        "encrypted.zip", _zip({"a.txt": b"The owl eats mice."}).replace(b"\x14\x00\x00\x00", b"\x14\x00\x01\x00")
    )


def _pdfs() -> Iterator[Hostile]:
    good = pdf([["The owl eats mice."]])
    yield Hostile("cut.pdf", good[: len(good) // 3])
    yield Hostile("head.pdf", b"%PDF-1.7\n")
    yield Hostile("lies.pdf", b"%PDF-1.7\n" + b"The owl eats mice. " * 99)
    yield Hostile("no-pages.pdf", objects([b"<</Type /Catalog /Pages 2 0 R>>", b"<</Type /Pages /Count 0 /Kids []>>"]))
    yield Hostile(
        "own-parent.pdf", objects([b"<</Type /Catalog /Pages 2 0 R>>", b"<</Type /Pages /Count 9 /Kids [2 0 R]>>"])
    )
    yield Hostile("own-catalog.pdf", objects([b"<</Type /Catalog /Pages 1 0 R>>"]))
    yield Hostile("bomb.pdf", _pdf_with(b"q " * 20_000_000))
    yield _partly("12000-pages.pdf", _endless_pages())
    yield Hostile("deep.pdf", _pdf_with(b"", b"/X " + b"[" * 50_000 + b"]" * 50_000))
    picture = b"/Type /XObject /Subtype /Image /Width 60000 /Height 60000 /BitsPerComponent 8 /ColorSpace /DeviceRGB"
    drawn = b"BT /F1 11 Tf 72 700 Td (The owl eats mice.) Tj ET q 200 0 0 200 72 300 cm /P Do Q"
    font = b"<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>"
    entries = b"/Font <</F1 6 0 R>> /XObject <</P 5 0 R>>"
    yield Hostile(
        "huge-picture.pdf", _pdf_with(drawn, entries, (stream(bytes(9_000_000), picture), font)), refused=False
    )
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources <</XObject <</P 5 0 R>>>>"
    yield Hostile("own-form.pdf", _pdf_with(b"/P Do", b"/XObject <</P 5 0 R>>", (stream(b"/P Do", form),)))
    yield _partly("absurd-page.pdf", good.replace(b"[0 0 612 792]", b"[0 0 9e9 9e9]"))
    script = b"/Type /Catalog /OpenAction <</S /JavaScript /JS (app.alert(1))>>"
    yield _partly("script.pdf", good.replace(b"/Type /Catalog", script))


def _markup() -> Iterator[Hostile]:
    yield Hostile("deep.html", b"<html>" + b"<div>" * 200_000 + b"x")
    yield Hostile("deep-bold.html", b"<html>" + b"<b>" * 100_000 + b"x")
    yield Hostile("nothing.html", b"<html><script>alert(1)</script></html>")
    yield _partly("open-tags.html", b"<html><p>The owl eats mice." + b"<a" * 200_000)
    yield _partly("open-comments.html", b"<html><p>The owl eats mice." + b"<!--" * 200_000)
    yield Hostile(
        "attributes.html", b"<html><p " + b" ".join(b"a%d=1" % n for n in range(50_000)) + b">The owl.", refused=False
    )
    yield _partly("entities.html", f"<html>{LAUGHS}]><p>The owl &j; eats mice.".encode())
    yield Hostile(
        "external.html", f"<!DOCTYPE html>{EXTERNAL}]><html><p>The owl &a; eats mice.".encode(), refused=False
    )
    yield Hostile(
        "outside.html", b"<html><p>The owl eats mice.<img src='../../../../etc/passwd'><img src='//x/y'>", refused=False
    )
    yield _partly("data.html", b"<html><p>The owl.<img src='data:image/png;base64,%%%%'>")
    yield _partly("quotes.md", b">" * 50_000 + b" The owl eats mice.")
    yield _partly("brackets.md", b"[" * 50_000 + b"The owl" + b"](" * 50_000)
    yield _partly("stars.md", b"*" * 50_000 + b"The owl" + b"_" * 50_000)
    yield Hostile("large.html", b"<html>" + b"<p>owl</p>" * 3_500_000)


def _office_files() -> Iterator[Hostile]:
    good = _word(_paragraph("The owl eats mice."))
    yield Hostile("good-but-cut.docx", _office(good)[:400])
    yield Hostile("no-document.docx", _zip({"word/document.xml": b"", "[Content_Types].xml": b""}))
    yield Hostile("no-xml.docx", _office("The owl eats mice."))
    yield Hostile("laughs.docx", _office(_word(_paragraph("&j;"), LAUGHS + "]>")))
    yield _partly("external.docx", _office(_word(_paragraph("The owl &a;"), EXTERNAL + "]>")))
    yield Hostile("bomb.docx", _office(_word(_paragraph(" " * 450_000_000))))
    deep = "<w:tbl><w:tr><w:tc>" * 3_000 + _paragraph("owl") + "</w:tc></w:tr></w:tbl>" * 3_000
    yield Hostile("deep.docx", _office(_word(deep)))
    yield Hostile("blank.docx", _office(_word("")))
    yield Hostile("presentation.pptx", _zip({"ppt/presentation.xml": b"<x/>"}))
    yield Hostile(
        "slides.odp", _zip({"mimetype": b"application/vnd.oasis.opendocument.presentation", "content.xml": b""})
    )
    kind = ODT.encode()
    words = "<text:p>The owl eats mice.</text:p>"
    yield Hostile("no-text.odt", _zip({"mimetype": kind, "content.xml": b"<x/>"}))
    yield Hostile("no-xml.odt", _zip({"mimetype": kind, "content.xml": b"The owl eats mice."}))
    yield Hostile("cut.odt", odt(words)[:-30])
    yield Hostile("blank.odt", odt("<text:p> </text:p>"))
    yield Hostile("locked.odt", odt(words, members={"META-INF/manifest.xml": b"<m:encryption-data/>"}))
    yield Hostile("laughs.odt", odt("<text:p>&j;</text:p>", prolog=LAUGHS + "]>"))
    yield _partly("external.odt", odt("<text:p>The owl &a;</text:p>", prolog=EXTERNAL + "]>"))
    yield Hostile("bomb.odt", odt(f"<text:p>{' ' * 120_000_000}</text:p>"))
    yield Hostile("deep.odt", odt("<text:section>" * 3_000 + words + "</text:section>" * 3_000))
    yield _partly("spaces.odt", odt('<text:p>The owl<text:s text:c="99999999999"/>eats.</text:p>'))
    outside = '<draw:frame><draw:image xlink:href="../../../../etc/passwd"/></draw:frame>'
    yield Hostile("outside.odt", odt(f"{words}<text:p>{outside}</text:p>"), refused=False)
    picture = '<draw:frame><draw:image xlink:href="Pictures/a.png"/></draw:frame>'
    members = {"Pictures/a.png": _png_of(60_000, 60_000)}
    yield _partly("large-picture.odt", odt(f"{words}<text:p>{picture}</text:p>", members=members))


def _tables() -> Iterator[Hostile]:
    good = sheet([["id", "food"], ["owl", "mice"]])
    yield Hostile("unmapped.xlsx", good)
    for name, content in (
        ("cut.xlsx", good[: len(good) // 2]),
        ("no-sheet.xlsx", _zip({"xl/workbook.xml": b"<workbook/>", "[Content_Types].xml": b"<Types/>"})),
        ("lies.parquet", b"PAR1" + b"\xff" * 300 + b"PAR1"),
        ("open-quote.csv", b'id,food\n"owl,mice\n'),
        ("no-rows.csv", b"id,food\n"),
        ("wide.csv", b"id,food," + b",".join(b"c%d" % n for n in range(5_000)) + b"\nowl,mice\n"),
        ("deep.jsonl", b'{"id": "owl", "food": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"),
        ("numbers.jsonl", json.dumps({"id": "owl"}).encode() + b'\n{"id": ' + b"9" * 100_000 + b"}\n"),
        ("nul.csv", b"id,food\nowl,\x00\n" * 3),
    ):
        yield Hostile(f"mapped/{name}", content)
        yield Hostile(
            f"mapped/{name}.toml", b'[item]\nid = "{id}"\n[columns.food]\nproperty = "fg:eats"\n', refused=False
        )
