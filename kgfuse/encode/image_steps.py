"""The steps that a picture goes through before a model sees it, and the way back from its boxes to the original.

Each step is a picture in, a picture out; one that moves pixels says where they were.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias

import numpy as np
from PIL import Image, ImageFilter, ImageOps
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from kgfuse.encode.preprocess_image import open_image
from kgfuse.encode.skew import skew
from kgfuse.encode.steps import Step, records
from kgfuse.terms.mentions import Region

Affine: TypeAlias = tuple[float, float, float, float, float, float]
"""a, b, c, d, e, f: the point (u, v) lies at (a u + b v + c, d u + e v + f)."""
_STILL: Final[Affine] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture after the pipeline, and where its pixels lie in the upright original.

    Args:
        image: what the model sees, RGB.
        width: of the upright original.
        height: of the upright original.
        back: from points of ``image`` to those of the upright original.
    """

    image: Image.Image
    width: int
    height: int
    back: Affine = _STILL

    def then(self, image: Image.Image, back: Affine = _STILL) -> Prepared:
        """The picture after one more step; ``back`` leads from its points to those of the picture before the step."""
        a, b, c, d, e, f = self.back
        p, q, r, s, t, u = back
        whole = (a * p + b * s, a * q + b * t, a * r + b * u + c, d * p + e * s, d * q + e * t, d * r + e * u + f)
        return replace(self, image=image, back=whole)

    def region(self, x: float, y: float, w: float, h: float) -> Region:
        """Return a box of the prepared picture in pixels of the upright original: inside it, at least 1 × 1.

        Where the picture was turned, it is the upright box around the turned one.
        """
        a, b, c, d, e, f = self.back
        corners = [(u, v) for u in (x, x + w) for v in (y, y + h)]
        across = [round(a * u + b * v + c) for u, v in corners]
        down = [round(d * u + e * v + f) for u, v in corners]
        x0 = min(max(min(across), 0), self.width - 1)
        y0 = min(max(min(down), 0), self.height - 1)
        x1 = min(max(max(across), x0 + 1), self.width)
        y1 = min(max(max(down), y0 + 1), self.height)
        return Region(x0, y0, x1 - x0, y1 - y0)


class Orient(Step):
    """Turn the picture upright as its EXIF says; it is the first step, and boxes are those of the upright picture."""

    step: Literal["orient"] = "orient"

    def apply(self, picture: Prepared) -> Prepared:
        """Nothing: done when the picture was opened."""
        return picture


class Crop(Step):
    """Cut a square from the centre.

    Args:
        share: of the shorter side that is kept.
    """

    step: Literal["crop"] = "crop"
    share: float = Field(default=1.0, gt=0, le=1)

    def apply(self, picture: Prepared) -> Prepared:
        """Cut."""
        width, height = picture.image.size
        side = max(1, round(min(width, height) * self.share))
        left, top = (width - side) // 2, (height - side) // 2
        return picture.then(picture.image.crop((left, top, left + side, top + side)), (1, 0, left, 0, 1, top))


class Resize(Step):
    """Scale down; smaller pictures stay as they are.

    Args:
        longest: side, in pixels.
    """

    step: Literal["resize"] = "resize"
    longest: int = Field(default=1600, ge=32)

    def apply(self, picture: Prepared) -> Prepared:
        """Scale, bicubic."""
        width, height = picture.image.size
        if max(width, height) <= self.longest:
            return picture
        factor = self.longest / max(width, height)
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        scaled = picture.image.resize(size, Image.Resampling.BICUBIC)
        return picture.then(scaled, (width / size[0], 0, 0, 0, height / size[1], 0))


class Denoise(Step):
    """Take specks away.

    Args:
        method: ``median`` of 3 × 3 pixels (salt and pepper), or ``bilateral`` (grain; keeps edges).
    """

    step: Literal["denoise"] = "denoise"
    method: Literal["median", "bilateral"] = "median"

    def apply(self, picture: Prepared) -> Prepared:
        """Filter."""
        if self.method == "median":
            return picture.then(picture.image.filter(ImageFilter.MedianFilter(3)))
        import cv2

        pixels = cv2.bilateralFilter(np.asarray(picture.image), d=5, sigmaColor=35, sigmaSpace=5)
        return picture.then(Image.fromarray(pixels))


class Deskew(Step):
    """Turn slanting lines of text level; a picture without such lines stays as it is.

    Args:
        most: degrees either way that are looked at.
    """

    step: Literal["deskew"] = "deskew"
    most: float = Field(default=10.0, gt=0, le=30)

    def apply(self, picture: Prepared) -> Prepared:
        """Turn about the centre, on white, so that nothing is cut off."""
        angle = math.radians(skew(picture.image, self.most))
        if angle == 0:
            return picture
        width, height = picture.image.size
        cos, sin = math.cos(angle), math.sin(angle)
        across, down = math.ceil(width * cos + height * abs(sin)), math.ceil(width * abs(sin) + height * cos)
        back = (
            cos, -sin, (width - cos * across + sin * down) / 2,
            sin, cos, (height - sin * across - cos * down) / 2,
        )  # fmt: skip
        turned = picture.image.transform(
            (across, down), Image.Transform.AFFINE, back, Image.Resampling.BICUBIC, fillcolor="white"
        )
        return picture.then(turned, back)


class Contrast(Step):
    """Make faint things plain.

    Args:
        method: ``stretch`` (the whole range of brightness for the whole picture) or ``local`` (CLAHE, by tiles).
        below: only of pictures whose brightness spans less than this, of 256 levels, the outer hundredths left out.
    """

    step: Literal["contrast"] = "contrast"
    method: Literal["stretch", "local"] = "stretch"
    below: int = Field(default=256, ge=1, le=256)

    def apply(self, picture: Prepared) -> Prepared:
        """Change brightness, not colour."""
        if _span(picture.image) >= self.below:
            return picture
        if self.method == "stretch":
            return picture.then(ImageOps.autocontrast(picture.image, cutoff=1, preserve_tone=True))
        import cv2

        lab = cv2.cvtColor(np.asarray(picture.image), cv2.COLOR_RGB2LAB)
        lab[..., 0] = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(8, 8)).apply(lab[..., 0])
        return picture.then(Image.fromarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)))


def _span(image: Image.Image) -> int:
    """Levels of brightness between the first and the last hundredth of the pixels."""
    counts = np.cumsum(image.convert("L").histogram())
    low, high = np.searchsorted(counts, (0.01 * counts[-1], 0.99 * counts[-1]))
    return int(high - low)


class Grey(Step):
    """Take colour away: three equal channels."""

    step: Literal["grey"] = "grey"

    def apply(self, picture: Prepared) -> Prepared:
        """Drop colour."""
        return picture.then(picture.image.convert("L").convert("RGB"))


ImageStep: TypeAlias = Annotated[
    Orient | Crop | Resize | Denoise | Deskew | Contrast | Grey, Field(discriminator="step")
]
_FORMER: Final = frozenset({"orient", "mode", "crop", "max_side", "denoise"})


class ImagePipeline(BaseModel):
    """What is done to a picture before any extractor or encoder sees it; recorded in the run.

    Args:
        steps: in order.

    >>> ImagePipeline(steps=({"step": "orient"}, {"step": "crop", "share": 0.5})).steps[1].share
    0.5
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: tuple[ImageStep, ...] = (Orient(), Resize())

    @model_validator(mode="before")
    @classmethod
    def _of_former_settings(cls, values: Any) -> Any:
        """Workspaces that were made when there was one setting for each step keep their settings."""
        if not isinstance(values, dict) or not values.keys() <= _FORMER or not values:
            return values
        steps: list[dict[str, Any]] = [{"step": "orient"}] if values.get("orient", True) else []
        if values.get("crop") is not None:
            steps.append({"step": "crop", "share": values["crop"]})
        if values.get("max_side", 1600) is not None:
            steps.append({"step": "resize", "longest": values.get("max_side", 1600)})
        if values.get("denoise", "none") != "none":
            steps.append({"step": "denoise", "method": values["denoise"]})
        if values.get("mode", "rgb") == "grey":
            steps.append({"step": "grey"})
        return {"steps": steps}

    @field_validator("steps")
    @classmethod
    def _upright_first(cls, steps: tuple[ImageStep, ...]) -> tuple[ImageStep, ...]:
        if any(one.step == "orient" for one in steps[1:]):
            raise ValueError("orient can only be the first step, since boxes are those of the upright picture")
        return steps

    @property
    def record(self) -> list[dict[str, Any]]:
        """Each step with its version and parameters."""
        return records(self.steps)

    def open(self, source: Path | bytes) -> Prepared:
        """Open a picture and prepare it.

        Raises:
            SourceError: see :func:`open_image`.
        """
        return self.apply(open_image(source, orient=any(one.step == "orient" for one in self.steps)))

    def apply(self, image: Image.Image) -> Prepared:
        """Prepare an upright RGB picture."""
        return self.continued(Prepared(image, *image.size))

    def continued(self, picture: Prepared) -> Prepared:
        """Go on with a picture that other steps prepared."""
        for one in self.steps:
            picture = one.apply(picture)
        return picture
