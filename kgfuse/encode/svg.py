"""Drawings: SVG to pixels, with nothing fetched from outside the file."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Final

from PIL import Image

from kgfuse.errors import SourceError

_MAX_BYTES: Final = 20_000_000
_MAX_SIDE: Final = 4096
_ROOT: Final = re.compile(rb"<(?:[\w.-]+:)?svg[\s>/]")
_ENTITY: Final = re.compile(r"""<!ENTITY\s+([\w.-]+)\s+("[^"]*"|'[^']*')\s*>""")
_HREF: Final = re.compile(r"""((?:[\w.-]+:)?href\s*=\s*)("(?!\s*(?:#|data:))[^"]*"|'(?!\s*(?:#|data:))[^']*')""")


def is_svg(data: bytes) -> bool:
    """Whether bytes begin like an SVG document (after declaration, comments and doctype)."""
    head = data[:4096]
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        head = head.decode("utf-16", "replace").encode()
    head = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith(b"<") and _ROOT.search(head) is not None


def render_svg(source: Path | bytes, size: int = 256, *, where: str = "") -> Image.Image:
    """Render a drawing on white.

    References to anything outside the file are cut before rendering; entities that could expand are refused.

    Args:
        source: a file or its bytes.
        size: longer side in pixels, 1 to 4096; the shape is kept.
        where: what to call it in errors.

    Raises:
        SourceError: not an SVG, too large, or beyond the renderer's limits.
    """
    import resvg_py

    place = where or (str(source) if isinstance(source, Path) else "drawing")
    side = max(1, min(size, _MAX_SIDE))
    try:
        data = source.read_bytes() if isinstance(source, Path) else source
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror or error}", where=place) from error
    text = _harmless(_decode(data, place), place)
    try:
        png = bytes(
            resvg_py.svg_to_bytes(svg_string=text, width=side, height=side, background="white", skip_system_fonts=True)
        )
        with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
            return image.convert("RGB")
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of the renderer is no Exception
        raise SourceError(f"a drawing that cannot be rendered: {error}", where=place, remedy="save it anew") from error


def _decode(data: bytes, where: str) -> str:
    if len(data) > _MAX_BYTES:
        raise SourceError(f"a drawing of {len(data):,} bytes", where=where, remedy="simplify it")
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    declared = re.match(rb"""<\?xml[^>]*encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""", data)
    if declared and encoding != "utf-16":
        name = declared.group(1).decode("ascii").lower()
        encoding = encoding if name.startswith("utf") else name
    try:
        text = data.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise SourceError(
            f"a drawing in an unknown encoding: {error}", where=where, remedy="save it as UTF-8"
        ) from error
    return re.sub(r"^<\?xml[^>]*\?>", "", text)


def _harmless(text: str, where: str) -> str:
    """Cut references to other files; allow only short, flat entities (drawing programs use them for namespaces)."""
    if "<!ENTITY" in text:
        for _, quoted in _ENTITY.findall(text):
            if len(quoted) > 200 or "&" in quoted or "<" in quoted:
                raise SourceError("a drawing whose entities expand", where=where, remedy="save it as plain SVG")
        if len(_ENTITY.findall(text)) != text.count("<!ENTITY"):
            raise SourceError("a drawing with external entities", where=where, remedy="save it as plain SVG")
    return _HREF.sub(lambda match: f'{match.group(1)}"#"', text)
