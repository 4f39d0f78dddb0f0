"""Which reader reads which kind of document."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

from kgfuse.errors import SourceError
from kgfuse.sources.document import Document

Reader: TypeAlias = Callable[[Path, str, Path, str | None], Document]
"""Called with the file, its name for errors, a folder for pictures, and the encoding that a person named."""

PDF: Final = "application/pdf"
HTML: Final = "text/html"
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ODT: Final = "application/vnd.oasis.opendocument.text"
TIFF: Final = "image/tiff"
GIF: Final = "image/gif"
DOCUMENTS: Final = frozenset({PDF, HTML, DOCX, ODT, TIFF, GIF})
"""Media types that are read in a process of their own."""


def reader(media_type: str) -> Reader:
    """The reader of a media type; its library is imported now."""
    if media_type == PDF:
        from kgfuse.sources.pdf import read as read_pdf

        return lambda path, where, into, encoding: read_pdf(path, where, into)
    if media_type == HTML:
        from kgfuse.sources.html import read as read_html

        return read_html
    if media_type == DOCX:
        from kgfuse.sources.word import read as read_word

        return lambda path, where, into, encoding: read_word(path, where, into)
    if media_type == ODT:
        from kgfuse.sources.odt import read as read_odt

        return lambda path, where, into, encoding: read_odt(path, where, into)
    if media_type == TIFF:
        from kgfuse.sources.frames import read as read_pages

        return lambda path, where, into, encoding: read_pages(path, where, into)
    if media_type == GIF:
        from kgfuse.sources.frames import read_animation

        return lambda path, where, into, encoding: read_animation(path, where, into)
    raise SourceError(f"no reader knows {media_type}")
