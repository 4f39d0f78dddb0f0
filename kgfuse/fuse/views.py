"""Views of items, and a space in which two of them compare."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kgfuse.fuse.blocks import centre
from kgfuse.fuse.data import BoolArray, FloatArray, IntArray
from kgfuse.fuse.partners import Found
from kgfuse.fuse.projections import Projections, Recipe


@dataclass(frozen=True, eq=False, slots=True)
class View:
    """One modality of n items.

    Args:
        values: (n, d) features.
        words: (n, d_text) the same in the space of the text encoder, zero rows where nothing is known.
    """

    values: FloatArray
    words: FloatArray

    def __getitem__(self, rows: IntArray | BoolArray) -> View:
        return View(self.values[rows], self.words[rows])


@dataclass(frozen=True, eq=False, slots=True)
class Alignment:
    """A pair of views in one space: cosines of :meth:`left` and :meth:`right` rows compare them.

    Args:
        projections: of the two views; ``None`` where the words alone are compared.
        recipe: how they were made.
        share: of the words in the similarity, 0 to 1.
        means: of the left values, right values, left words, right words.
        pairs: items that it was learned from.
        kept: what it does on held-out items; ``None`` where the pairs were too few to tell.
        words: what the words alone do there; ``None`` where a view has none.
    """

    projections: Projections | None
    recipe: Recipe | None
    share: float
    means: tuple[FloatArray, FloatArray, FloatArray, FloatArray]
    pairs: int
    kept: Found | None = None
    words: Found | None = None

    @property
    def method(self) -> str:
        """What is compared: ``canonical``, ``contrastive`` or both, ``words``, or a mixture."""
        parts = [] if self.recipe is None else [self.recipe.name]
        return " + ".join(parts + ["words"] * (self.share > 0))

    def left(self, view: View) -> FloatArray:
        """(n, k) rows of length one."""
        return self._rows(view, 0)

    def right(self, view: View) -> FloatArray:
        """(n, k) rows of length one."""
        return self._rows(view, 1)

    def _rows(self, view: View, side: int) -> FloatArray:
        said = centred_words(view.words, self.means[2 + side])
        if self.projections is None:
            return said
        projected = unit(centre(view.values, self.means[side]) @ self.projections[side])
        return joined(projected, said, self.share)


def joined(projected: FloatArray, said: FloatArray, share: float) -> FloatArray:
    """Rows whose products are (1 - share) · those of ``projected`` + share · those of ``said``."""
    if share == 0:
        return projected
    return np.concatenate([np.float32((1 - share) ** 0.5) * projected, np.float32(share**0.5) * said], axis=1)


def speak(left: View, right: View) -> bool:
    """Whether both views say anything in words."""
    return bool(np.abs(left.words).sum() > 0 and np.abs(right.words).sum() > 0)


def means_of(left: View, right: View) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Means of the rows of length one: left and right values, left and right words; zero rows do not count."""
    found = []
    for rows in (left.values, right.values, left.words, right.words):
        there = rows[np.abs(rows).sum(axis=1) > 0]
        mean = unit(there).mean(axis=0) if len(there) else np.zeros(rows.shape[1])
        found.append(np.asarray(mean, np.float32))
    return found[0], found[1], found[2], found[3]


def centred_words(words: FloatArray, mean: FloatArray) -> FloatArray:
    """Rows of length one, the mean taken away; zero rows stay."""
    there = np.abs(words).sum(axis=1) > 0
    return np.asarray(centre(words, mean) * there[:, None], np.float32)


def unit(values: FloatArray) -> FloatArray:
    """Rows of length one; zero rows stay."""
    norm = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(values / np.maximum(norm, 1e-12), np.float32)
