"""Loss, accuracy and calibration error of predicted scores, single-label and multi-label."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kgfuse.fuse.data import BoolArray, FloatArray, IntArray

DoubleArray = npt.NDArray[np.float64]


def log_softmax(logits: npt.NDArray[np.floating]) -> DoubleArray:
    """Row-wise log-probabilities."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def item_losses(logits: npt.NDArray[np.floating], labels: IntArray | BoolArray) -> DoubleArray:
    """(n,) negative log-likelihood per item: softmax for (n,) labels, mean over classes of sigmoids for (n, C)."""
    if labels.ndim == 1:
        return np.asarray(-log_softmax(logits)[np.arange(len(labels)), labels])
    scores = logits.astype(np.float64)
    return np.asarray((np.logaddexp(0.0, scores) - scores * labels).mean(axis=1))


def probabilities(logits: npt.NDArray[np.floating], multi_label: bool) -> FloatArray:
    """Softmax over the classes, or a sigmoid for each."""
    if multi_label:
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits.astype(np.float64), -60, 60))), np.float32)
    return np.asarray(np.exp(log_softmax(logits)), np.float32)


def accuracy(
    scores: npt.NDArray[np.floating], labels: IntArray | BoolArray, threshold: FloatArray | None = None
) -> float:
    """Share of right answers; for multi-label the F1 over all (item, class) decisions (micro).

    Args:
        scores: (n, C) probabilities.
        labels: (n,) classes or (n, C) bool.
        threshold: (C,) from which probability on a class is given; .5 where ``None``.
    """
    if not len(labels):
        return float("nan")
    if labels.ndim == 1:
        return float(np.mean(scores.argmax(axis=1) == labels))
    given = scores >= (0.5 if threshold is None else threshold)
    right = float(np.sum(given & labels))
    return 2 * right / max(1.0, float(given.sum() + labels.sum()))


def calibration_error(scores: npt.NDArray[np.floating], labels: IntArray, bins: int = 10) -> float:
    """Expected calibration error of single-label probabilities (Guo et al. 2017), equal-width bins."""
    if not len(labels):
        return float("nan")
    confidence, right = scores.max(axis=1), scores.argmax(axis=1) == labels
    place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gap = sum(
        abs(float(confidence[place == b].sum() - right[place == b].sum())) for b in range(bins) if (place == b).any()
    )
    return gap / len(labels)
