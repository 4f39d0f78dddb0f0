from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from kgfuse.encode.preprocess_image import render_svg
from kgfuse.extract.image.colours import ColourName, Palette, dominant_colours
from kgfuse.extract.image.lab import difference, parse_srgb, to_lab

NAMES = {
    "black": "#121212",
    "white": "#f7f7f4",
    "red": "#d0202a",
    "green": "#3a9a35",
    "blue": "#2f6fd0",
    "yellow": "#f7e11c",
    "grey": "#868686",
}
PALETTE = Palette(ColourName(f"urn:{name}", name, parse_srgb(code) or (0, 0, 0)) for name, code in NAMES.items())


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [  # Sharma, Wu and Dalal 2005, table 1, pairs 1, 7, 9, 17, 19, 25, 34
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
        ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0009), 7.1792),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((50.0, 2.5, 0.0), (56.0, -27.0, -3.0), 31.9030),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_difference_is_ciede2000(one: tuple[float, ...], other: tuple[float, ...], expected: float) -> None:
    a, b = np.array(one), np.array(other)
    assert difference(a, b) == pytest.approx(expected, abs=1e-4)
    assert difference(b, a) == pytest.approx(expected, abs=1e-4)


def test_grey_has_no_chroma() -> None:
    lab = to_lab(np.array([[0, 0, 0], [119, 119, 119], [255, 255, 255]]))
    assert np.allclose(lab[:, 1:], 0, atol=0.02)
    assert lab[:, 0] == pytest.approx([0, 50.0, 100], abs=0.1)


def test_a_filled_shape_gives_its_colour_and_its_box() -> None:
    image = Image.new("RGB", (300, 200), "white")
    ImageDraw.Draw(image).rectangle((60, 40, 209, 139), fill="#d0202a")
    (patch,) = dominant_colours(image, PALETTE)
    assert patch.name.label == "red"
    assert patch.share > 0.9
    assert patch.difference < 3
    assert patch.on_background
    assert patch.boxes[0] == pytest.approx((0.2, 0.2, 0.5, 0.5), abs=0.02)


def test_outlines_do_not_count_and_filled_black_does() -> None:
    outlined = Image.new("RGB", (256, 256), "white")
    ImageDraw.Draw(outlined).ellipse((40, 40, 215, 215), fill="#f7e11c", outline="black", width=6)
    assert [patch.name.label for patch in dominant_colours(outlined, PALETTE, least=0.05)] == ["yellow"]
    filled = Image.new("RGB", (256, 256), "white")
    ImageDraw.Draw(filled).ellipse((40, 40, 215, 215), fill="black")
    assert [patch.name.label for patch in dominant_colours(filled, PALETTE)] == ["black"]


def test_white_inside_the_drawing_counts_and_white_around_it_does_not() -> None:
    image = Image.new("RGB", (200, 200), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((20, 20, 179, 179), fill="#2f6fd0")
    draw.rectangle((60, 60, 139, 139), fill="white")
    found = {patch.name.label: patch for patch in dominant_colours(image, PALETTE)}
    assert set(found) == {"blue", "white"}
    assert found["white"].share == pytest.approx(0.25, abs=0.03)


def test_a_drawing_in_the_style_of_emoji() -> None:
    svg = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 72 72">
    <circle cx="36" cy="40" r="24" fill="#ea5a47" stroke="#000" stroke-width="2"/>
    <path d="M36 16 q8 -12 18 -8 q-4 10 -18 8" fill="#5c9e31" stroke="#000" stroke-width="2"/></svg>"""
    labels = [patch.name.label for patch in dominant_colours(render_svg(svg, 256), PALETTE)]
    assert labels == ["red"]


def test_no_colours_in_the_vocabulary_means_none_are_said() -> None:
    assert dominant_colours(Image.new("RGB", (50, 50), "red"), Palette([])) == []


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (300, 1)])
def test_tiny_and_narrow_pictures_do_no_harm(size: tuple[int, int]) -> None:
    for patch in dominant_colours(Image.new("RGB", size, "#d0202a"), PALETTE):
        assert patch.name.label == "red"
