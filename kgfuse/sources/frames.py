"""TIFF and GIF by Pillow: the pages or frames after the first are pictures of their own."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path
from typing import Final

from PIL import Image, UnidentifiedImageError

from kgfuse.errors import SourceError
from kgfuse.sources.document import Document, Picture

MAX_PAGES: Final = 500
MAX_FRAMES: Final = 50
MAX_PIXELS: Final = 100_000_000
_DAMAGED: Final = (
    OSError, SyntaxError, ValueError, EOFError, TypeError, IndexError, struct.error, Image.DecompressionBombError,
)  # fmt: skip


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
    except _DAMAGED as e:
        if not pages:
            raise SourceError(f"is a damaged TIFF: {e}", where=where, remedy="save it anew") from e
        notes.append(f"the pages after page {pages[-1].page} are damaged and were left out")
    if count > MAX_PAGES:
        notes.append(f"only the first {MAX_PAGES} of {count} pages were read")
    return Document("", None, tuple(pages), tuple(notes[:20]))


def read_animation(path: Path, where: str, into: Path) -> Document:
    """Read the frames after the first of a GIF, each as it is seen; one like the frame before it is passed over.

    Args:
        path: the file.
        where: what to call it in errors.
        into: folder for the frames.

    Raises:
        SourceError: no GIF that can be read.
    """
    frames: list[Picture] = []
    notes: list[str] = []
    number = 1
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=("GIF",)) as image:
                if image.width * image.height > MAX_PIXELS:
                    size = f"{image.width} × {image.height} pixels"
                    raise SourceError(f"has frames of {size}", where=where, remedy="scale it down")
                before = image.convert("RGBA").tobytes()
                while _seek(image, number := number + 1):
                    if number > MAX_FRAMES:
                        notes.append(f"only the first {MAX_FRAMES} frames were read")
                        break
                    frame = image.convert("RGBA")
                    if (pixels := frame.tobytes()) == before:
                        continue
                    before, name = pixels, f"frame-{number}.png"
                    frame.save(into / name)
                    frames.append(Picture(name, name, "image/png", page=number))
    except UnidentifiedImageError as e:
        raise SourceError("is no GIF that can be read", where=where, remedy="save it anew") from e
    except SourceError:
        raise
    except _DAMAGED as e:
        if number == 1:
            raise SourceError(f"is a damaged GIF: {e}", where=where, remedy="save it anew") from e
        notes.append(f"frame {number} and those after it are damaged and were left out")
    return Document("", None, tuple(frames), tuple(notes))


def _seek(image: Image.Image, number: int) -> bool:
    """Go to this frame, from 1, if there is one."""
    try:
        image.seek(number - 1)
    except EOFError:
        return False
    return True


def _plain(image: Image.Image) -> Image.Image:
    """The page in a mode that PNG has."""
    return image.copy() if image.mode in ("1", "L", "RGB", "RGBA", "P") else image.convert("RGB")
