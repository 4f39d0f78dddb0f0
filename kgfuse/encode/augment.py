"""Training augmentations for pictures: typed, seeded, recorded with the run."""

from __future__ import annotations

from typing import Any

from PIL import Image, ImageFilter
from pydantic import BaseModel, ConfigDict, Field


class Augmentation(BaseModel):
    """What is varied, by chance, each time a picture is shown in training. Everything at zero changes nothing.

    Args:
        rotation: largest turn either way, in degrees.
        flip: chance of a mirror image.
        crop: smallest share of the area that is kept; 1 keeps all.
        blur: chance of a Gaussian blur with a radius of up to 2 pixels.
        edges: chance of showing the edge map instead.
        jitter: largest relative change of brightness, contrast and saturation, and of hue by a tenth of it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rotation: float = Field(default=0, ge=0, le=180)
    flip: float = Field(default=0, ge=0, le=1)
    crop: float = Field(default=1, gt=0, le=1)
    blur: float = Field(default=0, ge=0, le=1)
    edges: float = Field(default=0, ge=0, le=1)
    jitter: float = Field(default=0, ge=0, le=1)

    def apply(self, image: Image.Image, seed: int) -> Image.Image:
        """Return a variation of an RGB picture, of its size; the same seed gives the same variation."""
        import torch
        from torchvision.transforms import v2

        steps: list[Any] = []
        if self.crop < 1:
            size = (image.height, image.width)
            steps.append(v2.RandomResizedCrop(size, scale=(self.crop, 1.0), ratio=(0.75, 4 / 3), antialias=True))
        if self.flip:
            steps.append(v2.RandomHorizontalFlip(self.flip))
        if self.rotation:
            bilinear = v2.InterpolationMode.BILINEAR
            steps.append(v2.RandomRotation(self.rotation, interpolation=bilinear, fill=255))
        if self.jitter:
            steps.append(v2.ColorJitter(self.jitter, self.jitter, self.jitter, min(0.5, self.jitter / 10)))
        if self.blur:
            steps.append(v2.RandomApply([v2.GaussianBlur(5, sigma=(0.1, 2.0))], self.blur))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            for step in steps:
                image = step(image)
            return edge_map(image) if self.edges and float(torch.rand(())) < self.edges else image


def edge_map(image: Image.Image) -> Image.Image:
    """Outlines of a picture: dark on white, three equal channels."""
    edges = image.convert("L").filter(ImageFilter.FIND_EDGES)
    return edges.point(lambda value: 255 - value).convert("RGB")
