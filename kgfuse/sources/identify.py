"""What a person drops into a folder: which files are sources, of what kind, and whether they can be read at all.

A file's kind is told by its content where content tells, by its name for RDF syntaxes.
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from kgfuse.encode.svg import is_svg
from kgfuse.errors import SourceError
from kgfuse.sources.archives import TAR, ZIP
from kgfuse.sources.decoding import MAX_TEXT_CHARACTERS, marked, wide
from kgfuse.sources.readers import DOCX, HTML, ODT, PDF
from kgfuse.sources.sound_kinds import sound_kind
from kgfuse.terms.mentions import SourceKind

RDF_TYPES: Final = {
    ".ttl": "text/turtle",
    ".nt": "application/n-triples",
    ".nq": "application/n-quads",
    ".trig": "application/trig",
    ".rdf": "application/rdf+xml",
    ".owl": "application/rdf+xml",
    ".jsonld": "application/ld+json",
    ".n3": "text/n3",
}
_MAGIC: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
)
_PACKED: Final = (
    (b"\x1f\x8b", "application/gzip"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
)
_NOT_READ: Final = (
    (b"\x7fELF", "a program", "leave it out"),
    (b"MZ", "a program", "leave it out"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it, or pack it as zip"),
    (b"Rar!", "a RAR archive", "unpack it, or pack it as zip"),
    (b"{\\rtf", "rich text", "save it as DOCX or PDF"),
    (b"SQLite format 3", "a database", "export its tables as CSV"),
    (b"RIFF", "a film, or sound in a rare form", "save its sound as WAV, FLAC, MP3 or Ogg"),
)
_COMPOUND: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_JUNK: Final = b"\xef\xbb\xbf \t\r\n\x0c"
_HTML_HEAD: Final = re.compile(rb"(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)[\s>]", re.I | re.S)
_HTML_NAMES: Final = frozenset({".html", ".htm", ".xhtml"})
_MARKDOWN: Final = frozenset({".md", ".markdown"})
PAGES: Final = _HTML_NAMES
"""How files are called that may name pictures beside them."""
TABLE_NAMES: Final = frozenset({".csv", ".tsv", ".jsonl", ".ndjson"})
PARQUET: Final = "application/vnd.apache.parquet"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
XLS: Final = "application/vnd.ms-excel"
ODS: Final = "application/vnd.oasis.opendocument.spreadsheet"
_READ: Final = "texts, documents, tables, pictures, recordings, archives and RDF are read"
_LOOK: Final = 10_000
_LOOK_BYTES: Final = 1 << 22
MAX_FILE_BYTES: Final = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Identified:
    """A readable file and what it is."""

    path: Path
    kind: SourceKind | Literal["archive"]
    media_type: str


def walk(folder: Path) -> Iterator[Path]:
    """All files below a folder in name order; hidden ones and other workspaces are passed over."""
    for root, directories, names in os.walk(folder, followlinks=False):
        directories[:] = sorted(
            d for d in directories if not d.startswith(".") and not (Path(root) / d / "kgfuse.toml").exists()
        )
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(root) / name


def identify(path: Path) -> Identified:
    """Tell what a file is.

    Raises:
        SourceError: missing, empty, unreadable, too large, or of no kind that kgfuse reads.
    """
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise SourceError("not a regular file", where=path, remedy="name files or folders")
        with path.open("rb") as f:
            head = f.read(4096)
    except FileNotFoundError as e:
        raise SourceError("no such file", where=path, remedy="check the path") from e
    except OSError as e:
        raise SourceError(f"cannot be read: {e.strerror}", where=path, remedy="check its permissions") from e
    if size == 0:
        raise SourceError("is empty", where=path, remedy="remove it or fill it")
    if size > MAX_FILE_BYTES:
        raise SourceError(f"has {size:,} bytes, more than {MAX_FILE_BYTES:,}", where=path, remedy="split it")
    for magic, media_type in _MAGIC:
        if head.startswith(magic):
            return Identified(path, "image", media_type)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Identified(path, "image", "image/webp")
    if (sound := sound_kind(head)) is not None:
        return Identified(path, "audio", sound)
    if head.lstrip(_JUNK).startswith(b"%PDF-"):
        return Identified(path, "text", PDF)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zipped(path)
    if head.startswith(b"PAR1"):
        return Identified(path, "table", PARQUET)
    for magic, media_type in _PACKED:
        if head.startswith(magic):
            return Identified(path, "archive", media_type)
    if head[257:262] == b"ustar":
        return Identified(path, "archive", TAR)
    if head.startswith(_COMPOUND):
        return _compound(path)
    for magic, what, remedy in _NOT_READ:
        if head.startswith(magic):
            raise SourceError(f"is {what}, which is not read", where=path, remedy=remedy)
    suffix = path.suffix.lower()
    if suffix in RDF_TYPES:
        return Identified(path, "rdf", RDF_TYPES[suffix])
    if suffix not in _MARKDOWN and (_HTML_HEAD.match(head.lstrip(_JUNK)) or suffix in _HTML_NAMES):
        return Identified(path, "text", HTML)
    if is_svg(head):
        return Identified(path, "image", "image/svg+xml")
    if b"\x00" in head and marked(head) is None and wide(head) is None:
        raise SourceError("is binary and of no kind that kgfuse reads", where=path, remedy=_READ)
    if size > 4 * MAX_TEXT_CHARACTERS + 4 and suffix not in TABLE_NAMES:
        raise SourceError(f"has more than {MAX_TEXT_CHARACTERS:,} characters", where=path, remedy="split it")
    return Identified(path, "text", "text/markdown" if suffix in _MARKDOWN else "text/plain")


def _zipped(path: Path) -> Identified:
    """What a zip file is: a document, a table, or an archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist()[:_LOOK])
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as e:
        raise SourceError(f"is a damaged zip or office file: {e}", where=path, remedy="fetch or save it again") from e
    if "word/document.xml" in names:
        return Identified(path, "text", DOCX)
    if names & {"xl/workbook.xml", "xl/workbook.bin"}:
        return Identified(path, "table", XLSX)
    if {"mimetype", "content.xml"} <= names:
        with zipfile.ZipFile(path) as archive, archive.open("mimetype") as f:
            said = f.read(100)
        if said.startswith(ODS.encode()):
            return Identified(path, "table", ODS)
        if said.startswith(ODT.encode()):
            return Identified(path, "text", ODT)
        raise SourceError("is an OpenDocument file, which is not read", where=path, remedy="save it as DOCX or PDF")
    if "ppt/presentation.xml" in names:
        raise SourceError("is a presentation, which is not read", where=path, remedy="export it as PDF")
    return Identified(path, "archive", ZIP)


def _compound(path: Path) -> Identified:
    """An old office file: a table is read, a text is not."""
    with path.open("rb") as f:
        data = f.read(_LOOK_BYTES)
    if "Workbook".encode("utf-16-le") in data:
        return Identified(path, "table", XLS)
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise SourceError("is an office file under a password", where=path, remedy="save it without the password")
    raise SourceError("is an old office file, which is not read", where=path, remedy="save it as DOCX or PDF")
