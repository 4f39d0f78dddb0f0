"""The perceptual hash: the same for copies of a picture, another for another drawing or another colour."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter
from sklearn.datasets import load_sample_image

from kgfuse.extract.image.likeness import Likeness, colour_gap, likeness


def photo(name: str = "china.jpg") -> Image.Image:
    return Image.fromarray(load_sample_image(name))


def compressed(image: Image.Image) -> Image.Image:
    data = io.BytesIO()
    image.save(data, "JPEG", quality=40)
    return Image.open(data)


def heart(colour: str) -> Image.Image:
    image = Image.new("RGB", (200, 200), "white")
    ImageDraw.Draw(image).polygon([(100, 180), (20, 80), (60, 30), (100, 60), (140, 30), (180, 80)], fill=colour)
    return image


def apart(a: Image.Image, b: Image.Image) -> tuple[int, float]:
    one, other = likeness(a), likeness(b)
    return (one.bits ^ other.bits).bit_count(), colour_gap(one, other)


@pytest.mark.parametrize(
    "copy",
    [
        compressed(photo()),
        photo().resize((320, 213)),
        photo().resize((900, 600)),
        photo().filter(ImageFilter.GaussianBlur(1)),
    ],
    ids=["JPEG", "half", "larger", "blurred"],
)
def test_a_copy_has_nearly_the_same_hash(copy: Image.Image) -> None:
    bits, colours = apart(photo(), copy)
    assert bits <= 4
    assert colours <= 6


def test_other_pictures_differ_in_many_bits() -> None:
    assert apart(photo(), photo("flower.jpg"))[0] > 16
    assert apart(photo(), photo().transpose(Image.Transpose.FLIP_LEFT_RIGHT))[0] > 16


def test_another_colour_of_one_drawing_is_told_by_colour_alone() -> None:
    bits, colours = apart(heart("#d0202a"), heart("#2050d0"))
    assert bits <= 4
    assert colours > 40


def test_a_plain_picture_has_no_bits_and_its_colour() -> None:
    rng = np.random.default_rng(0)
    noisy = Image.fromarray((128 + rng.integers(-1, 2, (64, 64, 3))).astype(np.uint8))
    assert likeness(noisy).bits == 0
    assert apart(Image.new("RGB", (1, 1), "red"), Image.new("RGB", (3000, 2), "blue")) == (0, pytest.approx(176, abs=2))


def test_its_text_reads_back() -> None:
    found = likeness(heart("teal"))
    assert Likeness.of_text(found.text) == found
    with pytest.raises(ValueError, match="400 digits"):
        Likeness.of_text(found.text[:-2])
