"""Opening pictures safely: any supported format becomes upright RGB, or is refused with the reason."""

from __future__ import annotations

import io
import struct
import warnings
from pathlib import Path
from typing import Final

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from kgfuse.encode.svg import is_svg, render_svg
from kgfuse.errors import SourceError

__all__ = ["open_image", "render_svg"]

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
