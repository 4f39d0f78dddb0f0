"""Picture features, class scores and class-activation maps from a CNN, in one forward pass."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from kgfuse.encode.backbone import LITE0_READING, Backbone, Reading, efficientnet_lite0, torchvision_model
from kgfuse.encode.device import resolve
from kgfuse.encode.weights import EFFICIENTNET_LITE0


@dataclass(frozen=True, slots=True)
class Look:
    """What the CNN says about one picture.

    Args:
        features: float32 (dim,), the pooled last feature map.
        logits: float32 (classes,).
        maps: float32 (dim, h, w), the last feature map, where the class scores are linear in its mean; else ``None``.
        window: left, top, width, height of the part that was seen, in pixels of the picture that was given.
    """

    features: NDArray[np.float32]
    logits: NDArray[np.float32]
    maps: NDArray[np.float32] | None
    window: tuple[float, float, float, float]


class ImageEncoder:
    """Pictures to features, class scores and maps.

    On the CPU each picture goes through alone, so its numbers are the same whatever else is looked at; on a GPU
    pictures go in batches of 32.

    Args:
        model: name of a torchvision classification model; ``None`` is EfficientNet-lite0 as packaged.
        device: ``auto``, ``cpu``, ``cuda`` …
        weights: a file of tensors for a torchvision model, instead of its default weights.

    Attributes:
        name: what was loaded.
        sha256: hash of weights and preprocessing, under which features are cached.
        dim: width of the features.
        classes: names of the scores' classes, ImageNet's.
        class_weights: float32 (classes, dim), the linear head, where a class-activation map exists; else ``None``.
        class_bias: float32 (classes,), the head's bias, empty where it has none.

    Raises:
        ModelError: the weights are missing, altered or do not fit.
    """

    def __init__(self, model: str | None = None, device: str = "auto", *, weights: Path | None = None) -> None:
        backbone: Backbone = efficientnet_lite0() if model is None else torchvision_model(model, weights)
        self.device = resolve(device)
        self._backbone = backbone
        self._net = backbone.net.to(self.device).to(memory_format=torch.channels_last)
        self._batch = 32 if self.device.type == "cuda" else 1
        self.name: str = backbone.name
        self.dim: int = backbone.dim
        self.classes: tuple[str, ...] = backbone.classes
        self.class_weights: NDArray[np.float32] | None = backbone.class_weights
        self.class_bias: NDArray[np.float32] = backbone.class_bias
        self.sha256: str = _model_hash(backbone.reading, backbone.sha256)

    def look(self, image: Image.Image) -> Look:
        """Look at one upright RGB picture."""
        return next(self.look_all([image]))

    def look_all(self, images: Iterable[Image.Image]) -> Iterator[Look]:
        """Look at pictures one after the other, in order; at most a batch is held in memory."""
        stream = iter(images)
        while batch := list(islice(stream, self._batch)):
            yield from self._look(batch)

    def encode(self, images: Iterable[Image.Image]) -> NDArray[np.float32]:
        """Return only the features, float32 (n, dim)."""
        rows = [look.features for look in self.look_all(images)]
        return np.stack(rows) if rows else np.zeros((0, self.dim), dtype=np.float32)

    def class_shares(self, features: NDArray[np.float32]) -> NDArray[np.float32] | None:
        """Return what share each class has of what pictures show, softened; ``None`` where there is no linear head.

        At half the logits the names of several classes together say more of a picture than the first one (measured on
        drawings, most of which ImageNet has no class for).

        Args:
            features: (n, dim) of pictures.

        Returns:
            float32 (n, classes), rows that sum to one.
        """
        if self.class_weights is None:
            return None
        logits = features @ self.class_weights.T + (self.class_bias if len(self.class_bias) else 0.0)
        softened = np.exp(0.5 * (logits - logits.max(axis=1, keepdims=True)))
        return np.asarray(softened / softened.sum(axis=1, keepdims=True), np.float32)

    def _look(self, images: list[Image.Image]) -> Iterator[Look]:
        seen = [see(image, self._backbone.reading) for image in images]
        pixels = torch.from_numpy(np.stack([array for array, _ in seen]))
        with torch.inference_mode():
            inputs = pixels.to(self.device).contiguous(memory_format=torch.channels_last)
            features, logits, maps = self._net(inputs)
        for at, (_, window) in enumerate(seen):
            yield Look(
                features=features[at].float().cpu().numpy(),
                logits=logits[at].float().cpu().numpy(),
                maps=None if maps is None else maps[at].float().cpu().contiguous().numpy(),
                window=window,
            )


def packaged_sha256() -> str:
    """Return the ``sha256`` of the default encoder without loading it."""
    return _model_hash(LITE0_READING, EFFICIENTNET_LITE0.sha256)


def _model_hash(reading: Reading, weights: str) -> str:
    return hashlib.sha256(f"image|{reading}|{weights}".encode()).hexdigest()


def see(image: Image.Image, reading: Reading) -> tuple[NDArray[np.float32], tuple[float, float, float, float]]:
    """Scale the short side, cut the centre, normalise.

    Returns:
        float32 (3, crop, crop), and left, top, width, height of the cut in pixels of ``image``.
    """
    width, height = image.size
    short = min(width, height)
    size = (
        max(reading.crop, int(reading.resize * width / short)),
        max(reading.crop, int(reading.resize * height / short)),
    )
    left, top = round((size[0] - reading.crop) / 2), round((size[1] - reading.crop) / 2)
    # Only the part that is seen is scaled: a panorama a thousand times as wide as high costs no more than a square.
    window = (
        left * width / size[0],
        top * height / size[1],
        reading.crop * width / size[0],
        reading.crop * height / size[1],
    )
    box = (window[0], window[1], min(window[0] + window[2], width), min(window[1] + window[3], height))
    cut = image.convert("RGB").resize((reading.crop, reading.crop), reading.resample, box=box)
    pixels = np.asarray(cut, dtype=np.float32).transpose(2, 0, 1)
    mean = np.array(reading.mean, dtype=np.float32)[:, None, None]
    sd = np.array(reading.sd, dtype=np.float32)[:, None, None]
    return (pixels - mean) / sd, window
