"""What a person drops into a folder: which files are sources, of what kind, and whether they can be read at all.

A file's kind is told by its content where content tells, by its name for RDF syntaxes.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kgfuse.errors import SourceError
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
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_TEXT: Final = (
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a zip archive or office file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x7fELF", "a program"),
)
MAX_TEXT_CHARACTERS: Final = 1_000_000
MAX_FILE_BYTES: Final = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Identified:
    """A readable file and what it is."""

    path: Path
    kind: SourceKind
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
    for magic, what in _NOT_TEXT:
        if head.startswith(magic):
            raise SourceError(f"is {what}, which is not read yet", where=path, remedy="convert it to text or pictures")
    if b"<svg" in head.lower():
        return Identified(path, "image", "image/svg+xml")
    if path.suffix.lower() in RDF_TYPES:
        return Identified(path, "rdf", RDF_TYPES[path.suffix.lower()])
    if b"\x00" in head and not head.startswith(tuple(bom for bom, _ in _BOMS)):
        raise SourceError("is binary and of no kind that kgfuse reads", where=path, remedy="add text, pictures or RDF")
    if size > 4 * MAX_TEXT_CHARACTERS + 4:
        raise SourceError(f"has more than {MAX_TEXT_CHARACTERS:,} characters", where=path, remedy="split it")
    return Identified(path, "text", "text/markdown" if path.suffix.lower() in (".md", ".markdown") else "text/plain")


def decode(data: bytes, where: Path | str, encoding: str | None = None) -> str:
    """Decode a text by its byte order mark, else as UTF-8, else as the encoding that the caller names.

    Line ends and normal forms stay as they are: offsets count code points of exactly this string.

    Raises:
        SourceError: wrong encoding, or longer than ``MAX_TEXT_CHARACTERS``.
    """
    found = next((name for bom, name in _BOMS if data.startswith(bom)), None)
    try:
        text = data.decode(found or encoding or "utf-8")
    except UnicodeDecodeError as e:
        line = data.count(b"\n", 0, e.start) + 1
        raise SourceError(
            f"not valid {found or encoding or 'UTF-8'} at byte {e.start}",
            where=f"{where}:{line}",
            remedy="save it as UTF-8, or name its encoding with --encoding",
        ) from e
    except LookupError as e:
        raise SourceError(f"no encoding is called {encoding!r}", where=where, remedy="such as cp1252 or utf-16") from e
    if len(text) > MAX_TEXT_CHARACTERS:
        raise SourceError(
            f"has {len(text):,} characters, more than {MAX_TEXT_CHARACTERS:,}", where=where, remedy="split it"
        )
    if not text.strip():
        raise SourceError("holds nothing but white space", where=where, remedy="remove it or fill it")
    if "\x00" in text:
        raise SourceError("holds NUL characters", where=where, remedy="is it a text, and in this encoding?")
    return text
