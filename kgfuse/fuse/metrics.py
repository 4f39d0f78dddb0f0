"""Loss, accuracy and calibration error of predicted scores, single-label and multi-label."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from kgfuse.fuse.data import BoolArray, FloatArray, FusionData, IntArray
from kgfuse.fuse.kinship import distances
from kgfuse.fuse.reliability import BINS, reliability

if TYPE_CHECKING:
    from kgfuse.fuse.model import FusionModel, Prediction

DoubleArray = npt.NDArray[np.float64]


def log_softmax(logits: npt.NDArray[np.floating]) -> DoubleArray:
    """Row-wise log-probabilities."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def item_losses(logits: npt.NDArray[np.floating], labels: IntArray | BoolArray, doubt: float = 0.0) -> DoubleArray:
    """(n,) negative log-likelihood per item: softmax for (n,) labels, mean over classes of sigmoids for (n, C).

    Args:
        logits: (n, C).
        labels: (n,) or (n, C).
        doubt: chance that a label is wrong; the other answers share it evenly.
    """
    if labels.ndim == 1:
        likelihood = log_softmax(logits)
        losses = -likelihood[np.arange(len(labels)), labels]
        return np.asarray((1 - doubt) * losses - doubt * likelihood.mean(axis=1) if doubt else losses)
    scores = logits.astype(np.float64)
    return np.asarray((np.logaddexp(0.0, scores) - scores * (labels * (1 - doubt) + doubt / 2)).mean(axis=1))


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


def calibration_error(scores: npt.NDArray[np.floating], labels: IntArray, bins: int = BINS) -> float:
    """Expected calibration error of single-label probabilities (Guo et al. 2017), equal-width bins."""
    return reliability(scores, labels, bins).error


def evaluate(model: FusionModel, data: FusionData, index: IntArray, target: str) -> dict[str, float]:
    """How the model does on the labelled ones of the items ``index``; see :func:`judge`."""
    known = index[data.target(target).labelled[index]]
    return judge(model.predict(data, known)[target], data, known)


def judge(prediction: Prediction, data: FusionData, index: IntArray) -> dict[str, float]:
    """Figures of a prediction made for the labelled items ``index``.

    Returns:
        single-label: ``items, accuracy, macro_f1, log_loss, calibration_error, abstained`` and, where the classes have
        superclasses, ``ancestor_accuracy`` (the right ancestors of the best class) and ``mistake_distance`` (how far in
        the hierarchy wrong answers lie from the right ones, on average: :func:`kgfuse.fuse.kinship.distances`);
        multi-label: ``items, micro_f1,
        macro_f1, exact_match, log_loss, abstained``. Accuracy counts the best class even where the model abstains;
        where it abstains from some, ``wrong_if_given`` is the share of wrong answers among those given (multi-label:
        answers that name a wrong class).
    """
    target = data.target(prediction.target)
    labels = target.labels[index]
    result: dict[str, float] = {"items": float(len(index))}
    if not len(index):
        return result
    if target.multi_label:
        truth = np.asarray(labels, np.bool_)
        right = float(np.sum(prediction.given & truth))
        result["micro_f1"] = 2 * right / max(1.0, float(prediction.given.sum() + truth.sum()))
        result["macro_f1"] = _macro_f1(prediction.given, truth)
        result["exact_match"] = float(np.mean((prediction.given == truth).all(axis=1)))
        result["log_loss"] = float(item_losses(prediction.logits, truth).mean())
        return result | _abstention(prediction, truth)
    best = np.where(prediction.answer >= 0, prediction.answer, prediction.probabilities.argmax(axis=1))
    classes = np.arange(prediction.probabilities.shape[1])
    result["accuracy"] = float(np.mean(best == labels))
    result["macro_f1"] = _macro_f1(best[:, None] == classes, labels[:, None] == classes)
    result["log_loss"] = float(item_losses(prediction.logits, labels).mean())
    result["calibration_error"] = calibration_error(prediction.probabilities, np.asarray(labels, np.int64))
    result |= _abstention(prediction, np.asarray(labels[:, None] == classes))
    if target.classes.membership.shape[1]:
        member = target.classes.membership
        result["ancestor_accuracy"] = float(np.mean((member[best] == member[labels]).all(axis=1)))
        wrong = np.flatnonzero(best != labels)
        if len(wrong):
            result["mistake_distance"] = float(distances(target.classes)[labels[wrong], best[wrong]].mean())
    return result


def _abstention(prediction: Prediction, truth: npt.NDArray[np.bool_]) -> dict[str, float]:
    given = prediction.answer >= 0
    found = {"abstained": float(np.mean(~given))}
    if given.any() and not given.all():
        found["wrong_if_given"] = float(np.mean((prediction.given[given] & ~truth[given]).any(axis=1)))
    return found


def _macro_f1(given: npt.NDArray[np.bool_], truth: npt.NDArray[np.bool_]) -> float:
    """Mean F1 over the classes that occur in the truth."""
    both = (given & truth).sum(axis=0)
    f1 = 2 * both / np.maximum(1, given.sum(axis=0) + truth.sum(axis=0))
    occurs = truth.any(axis=0)
    return float(f1[occurs].mean()) if occurs.any() else float("nan")
