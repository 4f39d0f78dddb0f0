"""Regions of a picture, and what the CNN makes of the picture with some of them greyed out.

Occlusion as in Zeiler and Fergus 2014 (arXiv:1311.2901).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from kgfuse.explain.chain import Place

if TYPE_CHECKING:
    from kgfuse.workspace.prediction import Context

GRID = 3
GREY = (127, 127, 127)


class Occlusion:
    """The cells of an item's first picture.

    Attributes:
        places: where each cell is; empty for an item without a picture that can be read.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._seen: dict[frozenset[int], npt.NDArray[np.float32]] = {}
        self.places: list[Place] = []
        sample = context.dataset.samples[context.row]
        if not sample.pictures or not context.dataset.data.image_mask[context.row]:
            return
        source = sample.pictures[0]
        if source.path is None:
            return
        self._picture = context.parts.settings.extract.image.pipeline.open(source.path)
        for left, top, right, bottom in self._cells():
            region = self._picture.region(left, top, right - left, bottom - top)
            box = (region.x, region.y, region.w, region.h)
            self.places.append(Place(source.name, "image", box=box, sha256=source.sha256))

    def features(self, hidden: Collection[int]) -> npt.NDArray[np.float32]:
        """Features (dim,) with these cells greyed out; those of the untouched picture where none is."""
        chosen = frozenset(hidden)
        if chosen not in self._seen:
            copy = self._picture.image.copy()
            cells = self._cells()
            for n in chosen:
                copy.paste(GREY, cells[n])
            tuned = self._context.tuned
            if tuned is not None:
                self._seen[chosen] = tuned.tail.look_at([copy])[0][0]
            else:
                self._seen[chosen] = self._context.parts.image_encoder.encode([copy])[0]
        return self._seen[chosen]

    def _cells(self) -> list[tuple[int, int, int, int]]:
        width, height = self._picture.image.size
        xs = [n * width // GRID for n in range(GRID + 1)]
        ys = [n * height // GRID for n in range(GRID + 1)]
        return [(xs[c], ys[r], xs[c + 1], ys[r + 1]) for r in range(GRID) for c in range(GRID)]
