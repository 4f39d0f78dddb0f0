"""Pictures that travel inside the page, and boxes drawn over them."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from kgfuse.encode.preprocess_image import open_image

SIDE: Final = 256

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as the page shows it.

    Args:
        uri: ``data:`` URI of a small copy.
        width, height: pixels of the upright original, in which boxes are counted.
        alt: what it shows, in words.
    """

    uri: str
    width: int
    height: int
    alt: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A box over a picture, in its pixels.

    Args:
        x, y, w, h: left, top, width, height; inside the picture.
        key: of the statement or passage it belongs to.
        number: shown in its corner; 0 shows none.
        kind: CSS class.
        strength: 0 to 1: how strongly it is filled.
        title: shown on hovering.
    """

    x: float
    y: float
    w: float
    h: float
    key: str
    number: int = 0
    kind: str = "stated"
    strength: float = 0.0
    title: str = ""


def inline(source: Path | bytes, alt: str, side: int = SIDE) -> Picture:
    """A small upright copy of a picture as a ``data:`` URI, never the file itself: a drawing may hold scripts.

    Raises:
        SourceError: no picture, or a damaged one.
    """
    image = open_image(source)
    width, height = image.size
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    png, jpeg = io.BytesIO(), io.BytesIO()
    image.save(png, "PNG", optimize=True)
    image.save(jpeg, "JPEG", quality=85, optimize=True)
    kind, data = min((("png", png.getvalue()), ("jpeg", jpeg.getvalue())), key=lambda pair: len(pair[1]))
    return Picture(f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}", width, height, alt)


def within(box: Box, picture: Picture) -> Box:
    """The part of a box that lies in the picture, at least one pixel of it.

    >>> within((90, -5, 30, 20), Picture("", 100, 100, ""))
    (90, 0, 10, 15)
    """
    x, y, w, h = box
    left, top = min(max(x, 0), picture.width - 1), min(max(y, 0), picture.height - 1)
    right, bottom = max(min(x + w, picture.width), left + 1), max(min(y + h, picture.height), top + 1)
    return left, top, right - left, bottom - top
