"""Cross-modal alignment: two views of items (text, picture, graph) brought into one space where it pays.

Learned from items that have both views; no label is read. What is kept (how the projections are made, and how much the
*words* count beside them: what either view says in the space of the text encoder, such as the names of the classes
that a CNN sees) is what finds the right partner best among held-out items. Where nothing that was learned does so
clearly better than the words alone, these are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from kgfuse.encode.device import one_thread_each
from kgfuse.fuse.trials import CHANCE, try_all
from kgfuse.fuse.views import Alignment, View, means_of, speak

LEAST_PAIRS: Final = 40
"""Items with both views below which nothing is learned."""


def fit_alignment(names: Sequence[str], left: View, right: View, *, seed: int = 0) -> Alignment | None:
    """Align two views of items that have both.

    Args:
        names: n unique names; the order of the items does not matter.
        left: of the items.
        right: of the same items.
        seed: of folds and training.

    Returns:
        the words alone where pairs are few or the same over and over; ``None`` where there is nothing to compare:
        neither pairs to learn from that find each other better than by chance, nor words on both sides.
    """
    if len(names) < LEAST_PAIRS or not (_varies(left) and _varies(right)):
        return words_alone(left, right, len(names))
    trials = try_all(names, left, right, seed=seed)
    kept = trials.kept()
    if kept == CHANCE:
        return None
    with one_thread_each():
        return trials.fitted(kept)


def words_alone(left: View, right: View, pairs: int = 0) -> Alignment | None:
    """Compare what two views say in words, with nothing learned; the views need not be of the same items.

    Args:
        left: rows of one view; their mean is taken away where they are enough to have one.
        right: rows of the other.
        pairs: how many items have both.

    Returns:
        ``None`` where a view says nothing in words.
    """
    if not speak(left, right):
        return None
    means = [
        mean if len(view.words) >= LEAST_PAIRS else np.zeros_like(mean)
        for view, mean in zip((left, right, left, right), means_of(left, right), strict=True)
    ]
    return Alignment(None, None, 1.0, (means[0], means[1], means[2], means[3]), pairs)


def _varies(view: View) -> bool:
    """Whether there are enough different rows for every part of the items to have some."""
    return len(np.unique(view.values.round(5), axis=0)) > LEAST_PAIRS // 2
