"""Each step does what its name says, is recorded, and leads its boxes back to the upright original."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont
from pydantic import ValidationError

from kgfuse.encode.image_steps import Contrast, Crop, Denoise, Deskew, Grey, ImagePipeline, Orient, Resize
from kgfuse.encode.skew import skew

RED = (220, 20, 30)


def page(angle: float = 0.0, mark: tuple[int, int, int, int] = (420, 150, 470, 200)) -> tuple[Image.Image, Image.Image]:
    """Lines of writing with a red mark among them, turned so that lines descend by ``angle``; and the mark alone."""
    font = ImageFont.load_default(size=18)
    sheet = Image.new("RGB", (700, 500), "white")
    draw = ImageDraw.Draw(sheet)
    for n in range(14):
        draw.text((60, 50 + 28 * n), "The snowy owl hunts lemmings by day in the north", fill="black", font=font)
    only = Image.new("L", sheet.size, 0)
    draw.rectangle(mark, fill=RED)
    ImageDraw.Draw(only).rectangle(mark, fill=255)
    turn = {"resample": Image.Resampling.BICUBIC, "expand": True}
    return sheet.rotate(-angle, fillcolor="white", **turn), only.rotate(-angle, **turn)  # type: ignore[arg-type]


def reds(image: Image.Image) -> tuple[int, int, int, int]:
    pixels = np.asarray(image).astype(int)
    red = (pixels[..., 0] > 150) & (pixels[..., 1] < 90) & (pixels[..., 2] < 90)
    box = Image.fromarray(red).getbbox()
    assert box is not None
    return box


boxes = st.tuples(*[st.floats(-500, 3000, allow_nan=False)] * 4)
any_step = st.one_of(
    st.builds(Crop, share=st.floats(0.01, 1)),
    st.builds(Resize, longest=st.integers(32, 300)),
    st.builds(Denoise, method=st.sampled_from(["median", "bilateral"])),
    st.just(Deskew()),
    st.builds(Contrast, method=st.sampled_from(["stretch", "local"])),
    st.just(Grey()),
)


@given(
    size=st.tuples(st.integers(1, 400), st.integers(1, 400)), steps=st.lists(any_step, max_size=3).map(tuple), box=boxes
)
@settings(max_examples=60, deadline=None)
def test_a_box_lies_inside_the_original_whatever_the_steps(size, steps, box) -> None:
    image = page(3)[0].resize(size)
    prepared = ImagePipeline(steps=steps).apply(image)
    region = prepared.region(*box)
    assert region.w >= 1
    assert region.h >= 1
    assert region.x >= 0
    assert region.y >= 0
    assert region.x + region.w <= size[0]
    assert region.y + region.h <= size[1]


def test_the_whole_prepared_picture_is_the_cut_of_the_original() -> None:
    prepared = ImagePipeline(steps=(Crop(share=0.5), Resize(longest=32))).apply(Image.new("RGB", (400, 200)))
    assert prepared.image.size == (32, 32)
    region = prepared.region(0, 0, 32, 32)
    assert (region.x, region.y, region.w, region.h) == (150, 50, 100, 100)


@pytest.mark.parametrize("angle", [-6.0, -3.0, 1.5, 3.0, 8.0])
def test_lines_that_slant_are_made_level_and_boxes_lead_back(angle: float) -> None:
    slanting, mark = page(angle)
    assert abs(skew(slanting, 10) - angle) <= 0.3
    steps = (Orient(), Deskew(), Crop(share=0.95), Resize(longest=500))
    prepared = ImagePipeline(steps=steps).apply(slanting)
    assert abs(skew(prepared.image, 10)) <= 0.3
    left, top, right, bottom = reds(prepared.image)
    region = prepared.region(left, top, right - left, bottom - top)
    true = mark.point(lambda value: 255 if value > 127 else 0).getbbox()
    assert true is not None
    found = (region.x, region.y, region.x + region.w, region.y + region.h)
    assert all(abs(a - b) <= 5 for a, b in zip(found, true, strict=True))


@pytest.mark.parametrize("seed", [0, 1])
def test_a_picture_without_lines_is_not_turned(seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 255, (300, 400, 3), dtype=np.uint8)
    assert skew(Image.fromarray(noise), 10) == 0
    assert skew(Image.new("RGB", (300, 300), "white"), 10) == 0
    assert skew(page(0)[0], 10) == 0


def test_denoising_removes_specks_and_grey_has_no_colour() -> None:
    pixels = np.full((40, 40, 3), 200, dtype=np.uint8)
    pixels[20, 20] = (255, 0, 0)
    image = Image.fromarray(pixels)
    assert ImagePipeline(steps=(Denoise(),)).apply(image).image.getpixel((20, 20)) == (200, 200, 200)
    grey = np.asarray(ImagePipeline(steps=(Grey(), Denoise(method="bilateral"))).apply(image).image)
    assert (grey[..., 0] == grey[..., 1]).all()


@pytest.mark.parametrize("method", ["stretch", "local"])
def test_contrast_makes_the_faint_plain(method: str) -> None:
    faint = Image.blend(page()[0], Image.new("RGB", (700, 500), "white"), 0.85)
    plain = ImagePipeline(steps=({"step": "contrast", "method": method},)).apply(faint).image  # type: ignore[arg-type]
    spread = [float(np.asarray(image.convert("L")).std()) for image in (faint, plain)]
    assert spread[1] > 1.3 * spread[0]


def test_contrast_leaves_alone_what_spans_enough() -> None:
    faint = Image.blend(page()[0], Image.new("RGB", (700, 500), "white"), 0.85)
    step = Contrast(below=96)
    assert ImagePipeline(steps=(step,)).apply(page()[0]).image.tobytes() == page()[0].tobytes()
    assert ImagePipeline(steps=(step,)).apply(faint).image.tobytes() != faint.tobytes()


def test_by_default_pictures_are_turned_upright_and_scaled_down_only(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.linear_gradient("L").resize((3200, 800)).convert("RGB").save(tmp_path / "a.png", exif=exif)
    prepared = ImagePipeline().open(tmp_path / "a.png")
    assert (prepared.width, prepared.height, prepared.image.size) == (800, 3200, (400, 1600))
    with Image.open(tmp_path / "a.png") as stored:
        upright = stored.transpose(Image.Transpose.ROTATE_270)
    assert prepared.image.tobytes() == upright.resize((400, 1600), Image.Resampling.BICUBIC).tobytes()
    assert ImagePipeline().record == [
        {"step": "orient", "version": 1},
        {"step": "resize", "version": 1, "longest": 1600},
    ]


def test_steps_are_checked_and_former_settings_are_read() -> None:
    former = {"orient": True, "mode": "grey", "crop": 0.5, "max_side": 64, "denoise": "median"}
    assert ImagePipeline.model_validate(former).steps == (
        Orient(),
        Crop(share=0.5),
        Resize(longest=64),
        Denoise(),
        Grey(),
    )
    assert (
        ImagePipeline.model_validate({"orient": True, "mode": "rgb", "max_side": 1600, "denoise": "none"})
        == ImagePipeline()
    )
    again = ImagePipeline(steps=(Orient(), Deskew(most=5), Contrast()))
    assert ImagePipeline.model_validate_json(again.model_dump_json()) == again
    for wrong in ([{"step": "sharpen"}], [{"step": "crop", "share": 2}], [{"step": "grey"}, {"step": "orient"}]):
        with pytest.raises(ValidationError):
            ImagePipeline.model_validate({"steps": wrong})
