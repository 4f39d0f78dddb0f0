"""DOCX by python-docx: paragraphs and tables in order, each with its path, and pictures with captions."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import docx
from docx.document import Document as Opened
from docx.opc.exceptions import PackageNotFoundError
from docx.table import Table
from docx.text.paragraph import Paragraph
from lxml import etree

from kgfuse.errors import SourceError
from kgfuse.sources.document import MAX_PICTURES, Document, Picture
from kgfuse.sources.elements import CAPTION, Gathered
from kgfuse.sources.embedded import save

MAX_UNPACKED: Final = 400_000_000
_CAPTION_STYLE: Final = "Caption"
_MAX_NESTED: Final = 20
_A: Final = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_R: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_WP: Final = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"


def read(path: Path, where: str, into: Path) -> Document:
    """Read a document.

    Args:
        path: the file.
        where: what to call it in errors.
        into: folder for the pictures.

    Raises:
        SourceError: damaged, a bomb, or without anything to read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > MAX_UNPACKED:
            raise SourceError(f"unpacks to {unpacked:,} bytes", where=where, remedy="split it")
        opened = docx.Document(str(path))
        found = _Found(opened, into)
        found.blocks(opened, "/w:document/w:body", 0)
        title = opened.core_properties.title or ""
    except (zipfile.BadZipFile, PackageNotFoundError, KeyError, ValueError, etree.LxmlError, AttributeError) as e:
        raise SourceError(
            f"is a damaged DOCX: {e}"[:300], where=where, remedy="open it in a word processor and save it again"
        ) from e
    text = found.gathered.text
    if not text and not found.pictures:
        raise SourceError("is a document without text or pictures", where=where, remedy="leave it out")
    notes = (*found.notes, *found.gathered.notes())
    return Document(text, found.gathered.places, tuple(found.pictures), notes, title.strip())


class _Found:
    """What is gathered on the way through a document."""

    def __init__(self, opened: Opened, into: Path) -> None:
        self.gathered = Gathered()
        self.pictures: list[Picture] = []
        self.notes: list[str] = []
        self._opened, self._into = opened, into
        self._waiting: list[int] = []
        self._before = ""

    def blocks(self, holder: Any, path: str, depth: int) -> None:
        """Take in paragraphs and tables of the body, or of a cell."""
        if depth > _MAX_NESTED:
            self.notes.append(f"tables nested more than {_MAX_NESTED} deep were left out")
            return
        paragraphs = tables = 0
        for block in holder.iter_inner_content():
            if isinstance(block, Paragraph):
                paragraphs += 1
                self._paragraph(block, f"{path}/w:p[{paragraphs}]")
            elif isinstance(block, Table):
                tables += 1
                self._table(block, f"{path}/w:tbl[{tables}]", depth)

    def _paragraph(self, paragraph: Paragraph, path: str) -> None:
        text = paragraph.text
        is_caption = bool(text.strip()) and (
            paragraph._p.style == _CAPTION_STYLE or CAPTION.match(text.strip()) is not None
        )
        if self._waiting and text.strip():
            if is_caption:
                self._caption(text)
            self._waiting.clear()
        for picture in self._saved(paragraph, path):
            self._waiting.append(len(self.pictures))
            self.pictures.append(picture)
        if self._before and self._waiting:
            self._caption(self._before)
        elif is_caption and self._waiting:
            self._caption(text)
        self._before = text if is_caption and not self._waiting else ""
        self.gathered.add(text, path)

    def _caption(self, text: str) -> None:
        for n in self._waiting:
            self.pictures[n] = replace(self.pictures[n], caption=" ".join(text.split())[:1000])

    def _table(self, table: Table, path: str, depth: int) -> None:
        """Cells in order; one that spans several is read once."""
        for n, row in enumerate(table.rows, 1):
            seen: set[Any] = set()
            for m, cell in enumerate(row.cells, 1):
                if cell._tc not in seen:
                    seen.add(cell._tc)
                    self.blocks(cell, f"{path}/w:tr[{n}]/w:tc[{m}]", depth + 1)

    def _saved(self, paragraph: Paragraph, path: str) -> Iterator[Picture]:
        for drawing in paragraph._p.iter(f"{_WP}inline", f"{_WP}anchor"):
            described = drawing.find(f"{_WP}docPr")
            alternative = (described.get("descr") or "") if described is not None else ""
            for blip in drawing.iter(f"{_A}blip"):
                part = self._opened.part.related_parts.get(blip.get(f"{_R}embed"))
                if part is None:
                    continue
                number = len(self.pictures) + 1
                if len(self.pictures) >= MAX_PICTURES:
                    return
                saved = save(part.blob, number, self._into, self.notes)
                if saved is not None:
                    yield replace(saved, path=path, alternative=" ".join(alternative.split())[:1000])
