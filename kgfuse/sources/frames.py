"""TIFF by Pillow: the pages after the first are pictures of their own."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Final

from PIL import Image, UnidentifiedImageError

from kgfuse.errors import SourceError
from kgfuse.sources.document import Document, Picture

MAX_PAGES: Final = 500
MAX_PIXELS: Final = 100_000_000


def read(path: Path, where: str, into: Path) -> Document:
    """Read the pages after the first of a TIFF.

    Args:
        path: the file.
        where: what to call it in errors.
        into: folder for the pages.

    Raises:
        SourceError: no TIFF that can be read.
    """
    pages: list[Picture] = []
    notes: list[str] = []
    count = 1
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=("TIFF",)) as image:
                count = int(getattr(image, "n_frames", 1))
                for number in range(2, min(count, MAX_PAGES) + 1):
                    image.seek(number - 1)
                    if image.width * image.height > MAX_PIXELS:
                        notes.append(f"page {number} of {image.width} × {image.height} pixels was left out")
                        continue
                    name = f"page-{number}.png"
                    _plain(image).save(into / name)
                    pages.append(Picture(name, name, "image/png", page=number))
    except UnidentifiedImageError as e:
        raise SourceError("is no TIFF that can be read", where=where, remedy="save it anew") from e
    except (OSError, SyntaxError, ValueError, EOFError, TypeError, Image.DecompressionBombError) as e:
        if not pages:
            raise SourceError(f"is a damaged TIFF: {e}", where=where, remedy="save it anew") from e
        notes.append(f"the pages after page {pages[-1].page} are damaged and were left out")
    if count > MAX_PAGES:
        notes.append(f"only the first {MAX_PAGES} of {count} pages were read")
    return Document("", None, tuple(pages), tuple(notes[:20]))


def _plain(image: Image.Image) -> Image.Image:
    """The page in a mode that PNG has."""
    return image.copy() if image.mode in ("1", "L", "RGB", "RGBA", "P") else image.convert("RGB")
