"""Calibration class by class: a temperature and a bias for each, held near the one temperature that all share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import minimize

from kgfuse.fuse.data import BoolArray, FloatArray, IntArray
from kgfuse.fuse.metrics import DoubleArray, item_losses, probabilities

STRENGTHS: Final = (1_000.0, 100.0, 10.0, 1.0)
FOLDS: Final = 5


@dataclass(frozen=True, eq=False, slots=True)
class Vector:
    """``scale · logits + bias``, class by class, on logits that share one temperature already.

    Args:
        scale: (C,) above zero; 1 for classes that no validation item has.
        bias: (C,) 0 for these.
    """

    scale: FloatArray
    bias: FloatArray

    def of(self, logits: FloatArray, multi_label: bool) -> FloatArray:
        """(n, C) calibrated logits; those of a single-label target count from the mean of their row."""
        centred = logits if multi_label else logits - logits.mean(axis=1, keepdims=True)
        return np.asarray(centred * self.scale + self.bias, np.float32)

    def undone(self, logits: FloatArray) -> FloatArray:
        """(n, C) the logits before, up to a constant for each row of a single-label target."""
        return np.asarray((logits - self.bias) / self.scale, np.float32)


@dataclass(frozen=True, eq=False, slots=True)
class VectorTrial:
    """A vector, and how it does in cross-validation against the temperature alone.

    Args:
        vector: fitted on all items.
        strength: of the pull towards the temperature that was chosen.
        gain: mean fall of the log-loss.
        error: standard error of that fall.
    """

    vector: Vector
    strength: float
    gain: float
    error: float


def fit_vector(logits: FloatArray, labels: IntArray | BoolArray, strength: float) -> Vector:
    """Vector scaling (Guo et al. 2017, arXiv:1706.04599, section 4.2), by penalised maximum likelihood.

    Args:
        logits: (n, C), at their best temperature.
        labels: (n,) or (n, C), at least one.
        strength: inverse variance of the Gaussian priors on each logarithm of a scale, and on each bias.
    """
    count, several = logits.shape[1], labels.ndim == 2
    truth = np.asarray(labels if several else np.arange(count) == labels[:, None], np.float64)
    doubt = 1.0 / (len(labels) + 2)  # as the temperature has it: see fit_sharpness
    wanted = truth * (1 - doubt) + doubt / (2 if several else count)
    values = logits.astype(np.float64)
    values = values if several else values - values.mean(axis=1, keepdims=True)
    free = truth.any(axis=0).astype(np.float64)
    each = len(values) * (count if several else 1)

    def loss(both: DoubleArray) -> tuple[float, DoubleArray]:
        scale, bias = np.exp(both[:count]), both[count:]
        made = values * scale + bias
        wrong = (probabilities(made, several) - wanted) / each
        slopes = np.concatenate([(wrong * values).sum(axis=0) * scale * free, wrong.sum(axis=0) * free])
        total = float(item_losses(made, labels, doubt).mean()) + strength * float(both @ both) / (2 * each)
        return total, slopes + strength * both / each

    bounds = [(-3.0, 3.0)] * count + [(-10.0, 10.0)] * count
    found = minimize(loss, np.zeros(2 * count), jac=True, bounds=bounds, method="L-BFGS-B").x
    return Vector(np.exp(found[:count]).astype(np.float32), found[count:].astype(np.float32))


def try_vector(logits: FloatArray, labels: IntArray | BoolArray) -> VectorTrial | None:
    """A vector with the strongest pull of those that do as well as the best in cross-validation.

    As well means within a standard error (Breiman et al. 1984, section 3.4.3).

    Args:
        logits: (n, C) of items that no part has learned from, at their best temperature.
        labels: of these items.

    Returns:
        ``None`` where the items are too few to tell.
    """
    several = labels.ndim == 2
    if len(labels) < 2 * FOLDS:
        return None
    before = item_losses(logits, labels)
    fold = np.arange(len(labels)) % FOLDS
    after = np.empty((len(STRENGTHS), len(labels)))
    for row, strength in zip(after, STRENGTHS, strict=True):
        for number in range(FOLDS):
            own = fold == number
            vector = fit_vector(logits[~own], labels[~own], strength)
            row[own] = item_losses(vector.of(logits[own], several), labels[own])
    worse = after - after[after.mean(axis=1).argmin()]
    noise = worse.std(axis=1, ddof=1) / np.sqrt(len(labels))
    chosen = int((worse.mean(axis=1) <= noise).argmax())
    fall = before - after[chosen]
    error = float(fall.std(ddof=1) / np.sqrt(len(fall)))
    return VectorTrial(fit_vector(logits, labels, STRENGTHS[chosen]), STRENGTHS[chosen], float(fall.mean()), error)
