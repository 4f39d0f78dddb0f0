"""Pictures that lie in an office file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

from PIL import Image

from kgfuse.sources.document import MIN_SIDE, Picture

MAX_PIXELS: Final = 100_000_000
_FORMATS: Final = {
    "PNG": "png", "JPEG": "jpeg", "GIF": "gif", "TIFF": "tiff", "BMP": "bmp", "WEBP": "webp",
}  # fmt: skip


def save(data: bytes, number: int, into: Path, notes: list[str]) -> Picture | None:
    """Save a picture as it is; ``None`` for icons, and for what is left out, which ``notes`` takes.

    Args:
        data: of the picture.
        number: in the document, from 1.
        into: folder for it.
        notes: takes why it was left out.
    """
    try:
        with Image.open(io.BytesIO(data), formats=tuple(_FORMATS)) as image:
            form, (width, height) = _FORMATS[str(image.format)], image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        notes.append(f"picture {number} is in a form that is not read, and was left out")
        return None
    if min(width, height) < MIN_SIDE:
        return None
    if width * height > MAX_PIXELS:
        notes.append(f"picture {number} of {width} × {height} pixels was left out")
        return None
    name = f"picture-{number}.{form}"
    (into / name).write_bytes(data)
    return Picture(name, name, f"image/{form}")
