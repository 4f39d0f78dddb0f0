from __future__ import annotations

import contextlib
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kgfuse.encode.preprocess_image import open_image, render_svg
from kgfuse.errors import SourceError


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


GOOD = encoded(Image.effect_noise((64, 64), 50).convert("RGB"), "JPEG")
EXPANDS = b"""<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><title>&b;</title></svg>"""
EXTERNAL = b"""<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>&a;</text></svg>"""


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "empty"),
        (b"\0" * 5000, "not a picture"),
        (b"just some words", "not a picture"),
        (GOOD[: len(GOOD) // 2], "damaged"),
        (encoded(Image.new("RGB", (64, 64)), "PNG")[:60], "damaged"),
        (png_header(60000, 60000), "pixels"),
        (png_header(2**31 - 1, 2**31 - 1), "pixels"),
        (EXPANDS, "entities"),
        (EXTERNAL, "entities"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'", "cannot be rendered"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' width='0' height='0'/>", "cannot be rendered"),
        (b"%PDF-1.7 and so on", "not a picture"),
    ],
)
def test_what_is_no_sound_picture_is_refused_with_a_reason(data: bytes, fault: str, tmp_path: Path) -> None:
    path = tmp_path / "picture.jpg"
    path.write_bytes(data)
    with pytest.raises(SourceError, match=fault) as caught:
        open_image(path)
    assert "picture.jpg" in str(caught.value)


@given(data=st.binary(max_size=400), head=st.sampled_from([b"", GOOD[:200], b"GIF89a", b"RIFF    WEBP", b"<svg "]))
@settings(max_examples=60, deadline=None)
def test_no_bytes_raise_anything_else(data: bytes, head: bytes) -> None:
    with contextlib.suppress(SourceError):
        assert open_image(head + data).mode == "RGB"


def test_a_missing_file_is_a_source_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        open_image(tmp_path / "absent.png")


def test_the_orientation_of_exif_is_applied() -> None:
    image = Image.new("RGB", (40, 20), "white")
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(image, "JPEG", exif=exif)
    assert open_image(data).size == (20, 40)
    assert open_image(data, orient=False).size == (40, 20)


@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM" + b"\xff" * 40])
def test_damaged_exif_leaves_the_picture_as_it_is(exif: bytes) -> None:
    assert open_image(encoded(Image.new("RGB", (40, 20), "white"), "JPEG", exif=exif)).size == (40, 20)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "CMYK", "I;16", "F", "RGB"])
def test_every_mode_becomes_rgb_and_what_is_transparent_white(mode: str) -> None:
    kind = "TIFF" if mode in {"CMYK", "F", "I;16"} else "PNG"
    image = Image.new(mode, (8, 8))
    if mode == "P":
        image.info["transparency"] = 0
    opened = open_image(encoded(image, kind))
    assert opened.mode == "RGB"
    if mode in {"RGBA", "LA", "P"}:
        assert opened.getpixel((4, 4)) == (255, 255, 255)


def test_a_drawing_keeps_its_shape_and_reads_nothing_from_outside(tmp_path: Path) -> None:
    Image.new("RGB", (10, 10), "blue").save(tmp_path / "secret.png")
    inside = b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:x="http://www.w3.org/1999/xlink" width="10" height="20">'
    for place in (f"{tmp_path}/secret.png", f"file://{tmp_path}/secret.png"):
        for name in ("href", "x:href", "href "):
            image = f'<image {name}="{place}" width="10" height="20"/></svg>'.encode()
            rendered = render_svg(inside + image, 100)
            assert rendered.size == (50, 100)
            assert np.asarray(rendered).min() == 255


def test_short_flat_entities_of_drawing_programs_are_allowed() -> None:
    data = b"""<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY ns_svg "http://www.w3.org/2000/svg">]>
    <svg xmlns="&ns_svg;" width="4" height="4"><rect width="4" height="4" fill="#ff0000"/></svg>"""
    assert open_image(data).getpixel((2, 2)) == (255, 0, 0)
