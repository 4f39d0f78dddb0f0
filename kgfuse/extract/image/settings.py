"""Settings of the picture extractor."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from kgfuse.encode.image_steps import Contrast, ImagePipeline


class ImageSettings(BaseModel):
    """How pictures are read.

    Attributes:
        model: a torchvision classification model by name; ``None`` takes the one that ships.
        device: where it runs.
        pipeline: what is done to each picture first; boxes always refer to the upright original.
        reading: what is done to it then for OCR alone. By default the contrast of faint pictures is raised: on rendered
            lines that grey made illegible (6 to 78 of 256 levels) the character error rate fell from 1 to 0.
        tags: say what the picture depicts where the calibrated probability of the tag reaches ``tag_threshold``.
        tag_threshold: calibrated probability that a tag is right, below which it is turned away.
        box_threshold: share of the activation map's maximum above which a cell belongs to the tag's box.
        ocr: read lines of text: ``auto`` where a quick look finds some, ``on`` always and enlarged, ``off`` never.
        ocr_threshold: confidence below which a line is dropped.
        colours: say the dominant colours with their regions.
        colour_share: smallest share of the foreground that makes a colour dominant.
        relations: say how the regions of tags and lines lie to one another. Off by default: of a page of text these
            would be most of what its graph says.
        exif: say when, where and with what device the picture was taken, where its EXIF tells.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str | None = None
    device: str = "auto"
    pipeline: ImagePipeline = Field(default_factory=ImagePipeline)
    reading: ImagePipeline = ImagePipeline(steps=(Contrast(below=96),))
    tags: bool = True
    tag_threshold: float = Field(default=0.7, ge=0, le=1)
    box_threshold: float = Field(default=0.4, ge=0, le=1)
    ocr: Literal["auto", "on", "off"] = "auto"
    ocr_threshold: float = Field(default=0.8, ge=0, le=1)
    colours: bool = True
    colour_share: float = Field(default=0.12, ge=0, le=1)
    exif: bool = True
    relations: bool = False

    @property
    def preprocessing(self) -> list[dict[str, Any]]:
        """The record of all steps; those for OCR alone say so."""
        reading = [] if self.ocr == "off" else self.reading.record
        return [*self.pipeline.record, *({**step, "for": "ocr"} for step in reading)]
