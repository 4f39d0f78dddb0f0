"""Writing in any direction is read, its box around it as it stands."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image, ImageDraw, ImageFont

from kgfuse.extract.image.ocr import LineReader


@pytest.fixture(scope="module")
def reader() -> LineReader:
    return LineReader()


def written(angle: float) -> Image.Image:
    image = Image.new("RGB", (640, 640), "white")
    ImageDraw.Draw(image).text((140, 295), "FRESH APPLES", fill="black", font=ImageFont.load_default(50))
    return image.rotate(angle, fillcolor="white")


@pytest.mark.parametrize("angle", [0, 10, 90, 180, 270])
def test_lines_come_in_the_order_in_which_they_are_read(reader: LineReader, angle: float) -> None:
    image = Image.new("RGB", (700, 700), "white")
    lines = ("HARBOUR BRIDGE", "CLOSED TODAY", "USE THE FERRY")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(44)
    for n, line in enumerate(lines):
        pen.text((130, 230 + 80 * n), line, fill="black", font=font)
    found = reader.read(image.rotate(angle, fillcolor="white"), least=0.8)
    assert [line.text.replace(" ", "") for line in found] == [line.replace(" ", "") for line in lines]


def test_small_print_of_a_small_picture_is_read_with_its_box(reader: LineReader) -> None:
    image = Image.new("RGB", (220, 60), "white")
    ImageDraw.Draw(image).text((20, 25), "best before 2031", fill="black", font=ImageFont.load_default(11))
    (line,) = reader.read(image, least=0.8)
    assert line.text.replace(" ", "") == "bestbefore2031"
    assert 10 < line.box[0] < 24
    assert line.box[0] + line.box[2] < 140


@pytest.mark.parametrize("angle", [-30, -10, 10, 30, 90, 180, 270])
def test_turned_writing_is_read_with_its_box(reader: LineReader, angle: float) -> None:
    image = written(angle)
    (line,) = reader.read(image, least=0.8)
    assert line.text.replace(" ", "") == "FRESHAPPLES"
    inked = Image.eval(image.convert("L"), lambda v: 255 * (v < 128)).getbbox()
    assert inked is not None
    left, top, width, height = line.box
    found = (left, top, left + width, top + height)
    assert all(abs(a - b) < 25 for a, b in zip(found, inked, strict=True))


def test_threads_that_read_at_once_read_what_one_reads(reader: LineReader) -> None:
    small = written(0).resize((320, 320))
    asked = [(written(0), False), (small, True), (written(90), False), (small, False)] * 4
    alone = [(reader.glance(image), reader.read(image, close=close)) for image, close in asked]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda one: (reader.glance(one[0]), reader.read(one[0], close=one[1])), asked)) == alone
