"""Opening pictures safely, and the typed pipeline that each goes through before a model sees it."""

from __future__ import annotations

import io
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from PIL import ExifTags, Image, ImageFilter, UnidentifiedImageError
from pydantic import BaseModel, ConfigDict, Field

from kgfuse.encode.svg import is_svg, render_svg
from kgfuse.errors import SourceError
from kgfuse.terms.mentions import Region

__all__ = ["ImagePipeline", "Prepared", "open_image", "render_svg"]

MAX_PIXELS: Final = 100_000_000
MAX_FILE_BYTES: Final = 200_000_000
_FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "PPM", "ICO")

_TURNS: Final[dict[object, Image.Transpose]] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What brings a picture of this EXIF orientation upright."""


def open_image(source: Path | bytes, *, orient: bool = True, svg_size: int = 512) -> Image.Image:
    """Open a picture of any supported format as upright RGB; transparent parts become white.

    The format is told by content, never by name. Of an animation or a multi-page file the first frame is taken.

    Args:
        source: a file, or its bytes.
        orient: turn the picture as its EXIF orientation says.
        svg_size: longer side of a drawing when it is an SVG.

    Raises:
        SourceError: missing, empty, truncated, absurdly large, or no picture.
    """
    where = str(source) if isinstance(source, Path) else "picture"
    data = _read(source, where)
    if is_svg(data):
        return render_svg(data, svg_size, where=where)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
                _check_size(image.size, where)
                image.load()
                return _on_white(_upright(image) if orient else image)
    except UnidentifiedImageError as error:
        raise SourceError(
            "not a picture that can be read", where=where, remedy="JPEG, PNG, WebP, GIF, TIFF, BMP or SVG"
        ) from error
    except Image.DecompressionBombError as error:
        raise SourceError("too many pixels", where=where, remedy="scale it down") from error
    except (OSError, SyntaxError, ValueError, EOFError, OverflowError, MemoryError, IndexError, TypeError) as error:
        raise SourceError(f"a damaged picture: {error}", where=where, remedy="save it anew") from error


def _upright(image: Image.Image) -> Image.Image:
    """Turn a picture as its EXIF says; damaged EXIF says nothing."""
    try:
        turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation))
    except (OSError, SyntaxError, ValueError, EOFError, OverflowError, IndexError, KeyError, TypeError, struct.error):
        return image
    return image if turn is None else image.transpose(turn)


def _read(source: Path | bytes, where: str) -> bytes:
    if isinstance(source, bytes):
        data = source
    else:
        try:
            size = source.stat().st_size
            if size > MAX_FILE_BYTES:
                raise SourceError(f"a picture file of {size:,} bytes", where=where, remedy="scale it down")
            data = source.read_bytes()
        except OSError as error:
            raise SourceError(f"cannot be read: {error.strerror or error}", where=where) from error
    if not data:
        raise SourceError("an empty file", where=where, remedy="fetch it again")
    return data


def _check_size(size: tuple[int, int], where: str) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise SourceError(f"{width} × {height} pixels is more than {MAX_PIXELS:,}", where=where, remedy="scale it down")
    if width < 1 or height < 1:
        raise SourceError("a picture without pixels", where=where)


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode in {"I", "I;16", "I;16B", "I;16L", "F"}:
        values = np.nan_to_num(np.asarray(image, dtype=np.float64))
        low, span = values.min(), max(np.ptp(values), 1e-12)
        return Image.fromarray(((values - low) * (255.0 / span)).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        colour = image.convert("RGBA")
        ground = Image.new("RGBA", colour.size, (255, 255, 255, 255))
        return Image.alpha_composite(ground, colour).convert("RGB")
    return image.convert("RGB")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture after the pipeline, and where its pixels lie in the upright original.

    Args:
        image: what the model sees, RGB.
        left: original x of the prepared picture's left edge.
        top: original y of its top edge.
        scale_x: original pixels per prepared pixel, across.
        scale_y: and down.
        width: of the upright original.
        height: of the upright original.
    """

    image: Image.Image
    left: float
    top: float
    scale_x: float
    scale_y: float
    width: int
    height: int

    def region(self, x: float, y: float, w: float, h: float) -> Region:
        """Return a box of the prepared picture in pixels of the upright original: inside it, at least 1 × 1."""
        x0 = min(max(round(self.left + x * self.scale_x), 0), self.width - 1)
        y0 = min(max(round(self.top + y * self.scale_y), 0), self.height - 1)
        x1 = min(max(round(self.left + (x + w) * self.scale_x), x0 + 1), self.width)
        y1 = min(max(round(self.top + (y + h) * self.scale_y), y0 + 1), self.height)
        return Region(x0, y0, x1 - x0, y1 - y0)


class ImagePipeline(BaseModel):
    """What is done to a picture before any extractor or encoder sees it; recorded in the run.

    Args:
        orient: turn it as EXIF says.
        mode: ``rgb``, or ``grey`` (three equal channels).
        crop: share of the shorter side kept, cut from the centre as a square; ``None`` keeps all.
        max_side: scale down to this longer side; ``None`` keeps the size.
        denoise: ``median`` (salt and pepper) or ``bilateral`` (keeps edges); off by default.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    orient: bool = True
    mode: Literal["rgb", "grey"] = "rgb"
    crop: float | None = Field(default=None, gt=0, le=1)
    max_side: int | None = Field(default=1600, ge=32)
    denoise: Literal["none", "median", "bilateral"] = "none"

    def open(self, source: Path | bytes) -> Prepared:
        """Open a picture and prepare it.

        Raises:
            SourceError: see :func:`open_image`.
        """
        return self.apply(open_image(source, orient=self.orient))

    def apply(self, image: Image.Image) -> Prepared:
        """Prepare an upright RGB picture."""
        width, height = image.size
        left = top = 0
        scale_x = scale_y = 1.0
        if self.crop is not None:
            side = max(1, round(min(width, height) * self.crop))
            left, top = (width - side) // 2, (height - side) // 2
            image = image.crop((left, top, left + side, top + side))
        if self.max_side is not None and max(image.size) > self.max_side:
            before = image.size
            factor = self.max_side / max(before)
            image = image.resize(
                (max(1, round(before[0] * factor)), max(1, round(before[1] * factor))), Image.Resampling.BICUBIC
            )
            scale_x, scale_y = before[0] / image.width, before[1] / image.height
        if self.denoise == "median":
            image = image.filter(ImageFilter.MedianFilter(3))
        elif self.denoise == "bilateral":
            image = _bilateral(image)
        if self.mode == "grey":
            image = image.convert("L").convert("RGB")
        return Prepared(image, left, top, scale_x, scale_y, width, height)


def _bilateral(image: Image.Image) -> Image.Image:
    import cv2

    return Image.fromarray(cv2.bilateralFilter(np.asarray(image), d=5, sigmaColor=35, sigmaSpace=5))
