"""Dominant colours and where they are: named by the vocabulary, outlines and plain backgrounds left aside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from scipy import ndimage

from kgfuse.extract.image.lab import difference, parse_srgb, to_lab

_SIDE: Final = 192
_LEVELS: Final = 32
_FARTHEST: Final = 28.0
_LINE: Final = 0.02
_SOLID: Final = 0.15
_SPOT: Final = 0.015
_MOST_REGIONS: Final = 3


@dataclass(frozen=True, slots=True)
class ColourName:
    """A colour of the vocabulary.

    Args:
        iri: of the colour.
        label: its name.
        srgb: red, green, blue, 0 to 255.
    """

    iri: str
    label: str
    srgb: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class ColourPatch:
    """A dominant colour.

    Args:
        name: the vocabulary's nearest colour.
        share: of the foreground, 0 to 1.
        difference: mean CIEDE2000 between its pixels and the named colour.
        boxes: left, top, width, height of its largest areas, as shares of the picture, largest first.
        on_background: whether a plain background was left aside.
    """

    name: ColourName
    share: float
    difference: float
    boxes: tuple[tuple[float, float, float, float], ...]
    on_background: bool


class Palette:
    """The vocabulary's colours, with the nearest one of every sRGB cell (32 levels a channel) worked out once."""

    def __init__(self, names: Iterable[ColourName]) -> None:
        self.names = tuple(sorted(names, key=lambda name: name.iri))
        if not self.names:
            return
        axis = np.arange(_LEVELS) * (256 // _LEVELS) + 4
        cells = to_lab(np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3))
        named = to_lab(np.array([name.srgb for name in self.names]))
        distances = np.stack([difference(cells, one) for one in named], axis=1)
        self._nearest = distances.argmin(axis=1).astype(np.int16)
        self._distance = distances.min(axis=1).astype(np.float32)

    def name(self, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
        """Return for sRGB pixels (…, 3) the index of the nearest name and its CIEDE2000 distance."""
        shift = 8 - _LEVELS.bit_length() + 1
        cell = pixels.astype(np.int64) >> shift
        flat = (cell[..., 0] * _LEVELS + cell[..., 1]) * _LEVELS + cell[..., 2]
        return self._nearest[flat], self._distance[flat]


def colour_names(terms: Iterable[tuple[str, str, str | None]]) -> list[ColourName]:
    """Take the colours out of (IRI, label, sRGB or ``None``) entries of a lexicon."""
    found = []
    for iri, label, srgb in terms:
        rgb = parse_srgb(srgb) if srgb else None
        if rgb is not None:
            found.append(ColourName(iri, label, rgb))
    return found


def dominant_colours(image: Image.Image, palette: Palette, *, least: float = 0.12) -> list[ColourPatch]:
    """Find the colours that fill at least a share of the foreground, largest first.

    A plain background (one colour along most of the border, connected to it) does not count, nor do lines: an area
    must survive an erosion by 2 % of the picture's side. Areas below 1.5 % of the foreground are spots.

    Args:
        image: RGB.
        palette: the names to choose from.
        least: smallest share of the foreground.
    """
    if not palette.names:
        return []
    small = image.convert("RGB")
    small.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    pixels = np.asarray(small.filter(ImageFilter.MedianFilter(3)))
    foreground, plain = _foreground(pixels)
    total = int(foreground.sum())
    named, distance = palette.name(pixels)
    radius = max(1, round(_LINE * max(pixels.shape[:2])))
    patches = []
    for index, name in enumerate(palette.names):
        mask = foreground & (named == index) & (distance <= _FARTHEST)
        if mask.sum() < least * total:
            continue
        kept, boxes = _areas(mask, total, radius)
        share = float(kept.sum()) / total
        if share >= least:
            mean = float(distance[kept].mean())
            patches.append(ColourPatch(name, share, mean, boxes, plain))
    return sorted(patches, key=lambda patch: (-patch.share, patch.name.iri))


def _areas(
    mask: NDArray[np.bool_], total: int, radius: int
) -> tuple[NDArray[np.bool_], tuple[tuple[float, float, float, float], ...]]:
    """Keep the connected areas that are no spots and no lines; give the boxes of the largest."""
    labels, count = ndimage.label(mask)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    core = ndimage.binary_erosion(mask, iterations=radius, border_value=1)
    cores = np.bincount(labels[core].ravel(), minlength=count + 1)
    good = (sizes >= max(4, _SPOT * total)) & (cores >= _SOLID * sizes)
    good[0] = False
    height, width = mask.shape
    boxes = []
    slices = ndimage.find_objects(labels)
    for label in sorted(np.flatnonzero(good).tolist(), key=lambda at: (-sizes[at], at))[:_MOST_REGIONS]:
        rows, columns = slices[label - 1]
        boxes.append(
            (
                columns.start / width,
                rows.start / height,
                (columns.stop - columns.start) / width,
                (rows.stop - rows.start) / height,
            )
        )
    return good[labels], tuple(boxes)


def _foreground(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], bool]:
    """Mask out a plain background: a colour that most of the border has, where it is connected to the border."""
    everything = np.ones(pixels.shape[:2], dtype=bool)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    cells, counts = np.unique(border >> 4, axis=0, return_counts=True)
    most = (border >> 4 == cells[counts.argmax()]).all(axis=1)
    ground = to_lab(np.median(border[most], axis=0))
    if (np.linalg.norm(to_lab(border) - ground, axis=1) < 8).mean() < 0.6:
        return everything, False
    like = np.linalg.norm(to_lab(pixels) - ground, axis=2) < 8
    labels, _ = ndimage.label(like)
    touching = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    background = np.isin(labels, touching[touching > 0])
    foreground = ~background
    if background.mean() < 0.1 or foreground.mean() < 0.02:
        return everything, False
    return foreground, True
