"""What a document reader gives: one text with its places, and the pictures that stand in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kgfuse.sources.places import Places

MAX_PICTURES: Final = 500
MIN_SIDE: Final = 32
"""Pixels; smaller pictures are icons and rules."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in a document.

    Args:
        name: within the document, such as ``page-2-picture-1.png``.
        file: name of the file that holds it, in the folder that the reader was given.
        media_type: of that file.
        page: from 1; 0 where the document has no pages.
        path: of its element; empty for pages.
        caption: the words under or over it.
        alternative: the text that stands for it.
        beside: path of a file beside the document that holds it, relative to the document; ``file`` is empty then.
    """

    name: str
    file: str
    media_type: str
    page: int = 0
    path: str = ""
    caption: str = ""
    alternative: str = ""
    beside: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it was read.

    Args:
        text: normalised; may be blank where the document is all pictures.
        places: where its characters stand.
        pictures: in document order.
        notes: what was left out, and why, in sentences.
        title: of the document, where it says one.
    """

    text: str
    places: Places | None = None
    pictures: tuple[Picture, ...] = ()
    notes: tuple[str, ...] = ()
    title: str = ""
