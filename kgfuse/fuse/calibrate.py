"""What validation decides: temperatures, which residuals stay and how much they count, multi-label thresholds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

from kgfuse.fuse.config import Calibration
from kgfuse.fuse.data import BoolArray, FloatArray, IntArray
from kgfuse.fuse.groups import standard_error
from kgfuse.fuse.metrics import DoubleArray, item_losses, probabilities
from kgfuse.fuse.selective import Promise
from kgfuse.fuse.vector import Vector, try_vector

UNSEEN: Final = "unseen"
VECTOR: Final = "vector calibration"
NEGLIGIBLE: Final = 1e-3
_WEIGHED_TOGETHER: Final = 100_000_000  # numbers; of more, every other row or fewer
STEPS: Final[tuple[float, ...]] = (0.25, 0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True, slots=True)
class Trial:
    """One residual's test on validation.

    Args:
        name: of the residual.
        weight: the best weight tried; what it got if it was accepted.
        gain: mean fall of the validation log-loss.
        error: standard error of that fall over the validation items, or over their groups.
        accepted: whether it stays.
    """

    name: str
    weight: float
    gain: float
    error: float
    accepted: bool


@dataclass(frozen=True, eq=False, slots=True)
class Stack:
    """How the parts of a model add up for one target: logits = sharpness · Σ weight · scale · part.

    Where classes have no items, the parts after the base have never met these: they share out anew among the other
    classes what the base gives to them, and leave the rest as it is.

    Args:
        scale: part → factor that calibrates it alone.
        weight: part → weight, 0 for residuals that were not accepted; the base has 1.
        sharpness: inverse temperature of the sum.
        thresholds: (C,) for a multi-label target.
        trials: what was tried.
        base: the parts that were weighed together, on all labelled items.
        promise: from which confidence on answers are given, where a risk was asked for.
        vector: a temperature and a bias for each class after the sharpness, where these were chosen.
    """

    scale: Mapping[str, float]
    weight: Mapping[str, float]
    sharpness: float
    thresholds: FloatArray | None
    trials: tuple[Trial, ...]
    base: tuple[str, ...] = ()
    promise: Promise | None = None
    vector: Vector | None = None

    def combine(self, parts: Mapping[str, FloatArray]) -> FloatArray:
        """(n, C) logits of the sum; rows of a part that are NaN count as nothing known."""
        return self.calibrated(self.total(parts))

    def calibrated(self, total: FloatArray) -> FloatArray:
        """(n, C) logits of the weighed sum ``total``, calibrated."""
        logits = np.asarray(total * np.float32(self.sharpness), np.float32)
        return logits if self.vector is None else self.vector.of(logits, self.thresholds is not None)

    def uncalibrated(self, logits: FloatArray) -> FloatArray:
        """(n, C) what :meth:`calibrated` made these logits from, up to a constant in each row."""
        before = logits if self.vector is None else self.vector.undone(logits)
        return np.asarray(before / np.float32(self.sharpness), np.float32)

    def total(self, parts: Mapping[str, FloatArray]) -> FloatArray:
        """(n, C) the weighted sum of those parts that are given, before the temperature."""
        total: FloatArray | None = None
        unseen = parts.get(UNSEEN) if UNSEEN in self.weight else None
        for name in (*self.base, *(other for other in self.weight if other not in self.base)):
            if self.weight[name] and name in parts:
                term = np.nan_to_num(_bounded(parts[name])) * np.float32(self.weight[name] * self.scale[name])
                total = term if total is None else _with(total, term, None if name in self.base else unseen)
        if total is None:
            raise ValueError("a stack needs its base")
        return total


def _with(total: FloatArray, term: FloatArray, unseen: FloatArray | None) -> FloatArray:
    """(n, C) the sum; the probability of the ``unseen`` classes together stays what it was."""
    if unseen is None:
        return total + term
    met = unseen[0] == 0
    sums = logsumexp(total[:, met] + term[:, met], axis=1) - logsumexp(total[:, met], axis=1)
    return np.asarray(total + np.where(met, term, sums[:, None]), np.float32)


def fit_sharpness(logits: FloatArray, labels: IntArray | BoolArray) -> float:
    """Inverse temperature with the least log-loss (Guo et al. 2017), by golden-section search on its logarithm.

    Each label is trusted as far as n items allow, ``1 / (n + 2)`` short of certain (Platt 1999): a model without an
    error on few items does not become certain of everything.
    """
    doubt = 1.0 / (len(labels) + 2)
    low, high = np.log(0.02), np.log(50.0)
    ratio = (np.sqrt(5.0) - 1) / 2
    a, b = high - ratio * (high - low), low + ratio * (high - low)

    def loss(at: float) -> float:
        return float(item_losses(logits * np.float32(np.exp(at)), labels, doubt).mean())

    loss_a, loss_b = loss(a), loss(b)
    for _ in range(24):
        if loss_a <= loss_b:
            high, b, loss_b = b, a, loss_a
            a = high - ratio * (high - low)
            loss_a = loss(a)
        else:
            low, a, loss_a = a, b, loss_b
            b = low + ratio * (high - low)
            loss_b = loss(b)
    return float(np.exp((low + high) / 2))


def fit_stack(
    parts: Mapping[str, FloatArray],
    labels: IntArray | BoolArray,
    *,
    accept: float,
    calibrate: bool | Calibration = True,
    own_thresholds: bool = True,
    base: Stack | None = None,
    jointly: bool = False,
    shares: Callable[[FloatArray], FloatArray] | None = None,
    groups: IntArray | None = None,
) -> Stack:
    """Let the residuals earn their place.

    The first part is the base. Each other part, in order, is tried at a few weights; the best one stays if it lowers
    the log-loss by more than ``accept`` standard errors (paired, over items, or over groups of them).

    Args:
        parts: name → (n, C) logits of items that no part has learned from, the base first.
        labels: of these items; with fewer than two, the base stands alone, uncalibrated.
        accept: standard errors.
        calibrate: whether the sum gets a temperature; ``vector``: one and a bias for each class on top; ``auto``: these
            where cross-validation lowers the log-loss by more than ``accept`` standard errors.
        own_thresholds: multi-label: whether each class gets its own threshold, else .5.
        base: parts that were weighed before, on more items: they stay as they are, and the others are tried on top.
        jointly: whether the weights of the parts that stay are then set together (only where there is no ``base``). A
            part named ``unseen``, one for classes without items and else zero, is then always weighed, too.
        shares: logits to the probabilities that thresholds are set on; by themselves where ``None``.
        groups: (n,) of the items; ``None`` where each stands alone.
    """
    names = [name for name in parts if name != UNSEEN]
    multi_label = labels.ndim == 2
    count = next(iter(parts.values())).shape[1]
    if len(labels) < 2:
        half = np.full(count, 0.5, np.float32) if multi_label else None
        if base is not None:
            return replace(base, thresholds=half)
        weight = {name: float(number == 0) for number, name in enumerate(names)}
        return Stack(dict.fromkeys(names, 1.0), weight, 1.0, half, ())
    scale = {name: _own_sharpness(parts[name], labels) for name in names}
    if base is not None:
        scale |= base.scale
    ready = {name: np.nan_to_num(_bounded(parts[name])) * np.float32(scale[name]) for name in names}
    if base is None:
        total, weight, trials = ready[names[0]], {names[0]: 1.0}, []
    else:
        total, weight, trials = base.total(parts), dict(base.weight), list(base.trials)
    unseen = None if base is None or UNSEEN not in base.weight else parts[UNSEEN]
    current = item_losses(total * np.float32(fit_sharpness(total, labels)), labels)
    for name in [name for name in names if name not in weight]:
        best, best_losses = 0.0, current
        for step in STEPS:
            summed = _with(total, np.float32(step) * ready[name], unseen)
            losses = item_losses(summed * np.float32(fit_sharpness(summed, labels)), labels)
            if losses.mean() < best_losses.mean():
                best, best_losses = step, losses
        fall = current - best_losses
        error = standard_error(fall, groups)
        accepted = best > 0 and float(fall.mean()) > accept * error
        trials.append(Trial(name, best, float(fall.mean()), error, accepted))
        weight[name] = best if accepted else 0.0
        if accepted:
            total, current = _with(total, np.float32(best) * ready[name], unseen), best_losses
    if jointly and base is None:
        kept = {name: ready[name] for name in names if weight[name]}
        constant = parts.get(UNSEEN)
        weight |= _weighed_jointly(kept, constant, {name: weight[name] for name in kept}, labels)
        if constant is not None:
            scale[UNSEEN], kept[UNSEEN] = 1.0, constant
        total = np.sum([np.float32(weight[name]) * kept[name] for name in kept], axis=0)
    sharpness = fit_sharpness(total, labels) if calibrate else 1.0
    vector, logits = None, np.asarray(total * np.float32(sharpness), np.float32)
    tried = try_vector(logits, labels) if calibrate in ("vector", "auto") else None
    if tried is not None:
        accepted = calibrate == "vector" or tried.gain > accept * tried.error
        trials.append(Trial(VECTOR, tried.strength, tried.gain, tried.error, accepted))
        vector = tried.vector if accepted else None
        logits = logits if vector is None else vector.of(logits, multi_label)
    thresholds = None
    if multi_label:
        scores = probabilities(logits, multi_label=True) if shares is None else shares(logits)
        fitted = _thresholds(scores, np.asarray(labels, np.bool_))
        thresholds = fitted if own_thresholds else np.full(count, 0.5, np.float32)
    first = tuple(weight) if base is None else base.base
    return Stack(scale, weight, sharpness, thresholds, tuple(trials), first, vector=vector)


def _weighed_jointly(
    parts: Mapping[str, FloatArray],
    constant: FloatArray | None,
    start: Mapping[str, float],
    labels: IntArray | BoolArray,
) -> dict[str, float]:
    """Weights with the least log-loss, none below zero (Breiman 1996), and one of any sign for the constant."""
    names, size = list(parts), sum(own.size for own in parts.values())
    every = slice(None, None, 1 + size // _WEIGHED_TOGETHER)
    labels = labels[every]
    scores = np.stack([own[every] for own in (*parts.values(), *([] if constant is None else [constant]))])
    bounds: list[tuple[float | None, float | None]] = [(0.0, None)] * len(names)
    first = [start[name] for name in names]
    if constant is not None:
        bounds, first = [*bounds, (None, None)], [*first, 0.0]
    truth = np.zeros(scores.shape[1:], np.float64)
    if labels.ndim == 1:
        truth[np.arange(len(labels)), labels] = 1
    else:
        truth[:] = labels
    sharp = fit_sharpness(np.tensordot(np.array(first, np.float32), scores, 1), labels)

    def loss(weights: DoubleArray) -> tuple[float, DoubleArray]:
        logits = np.tensordot(weights.astype(np.float32), scores, 1)
        wrong = probabilities(logits, labels.ndim == 2) - truth
        per = len(labels) * (scores.shape[2] if labels.ndim == 2 else 1)
        slope = np.tensordot(scores, wrong.astype(np.float32), ([1, 2], [0, 1])) / per
        return float(item_losses(logits, labels).mean()), slope.astype(np.float64)

    found = minimize(loss, np.array(first) * sharp, jac=True, bounds=bounds, method="L-BFGS-B").x
    weights = dict(zip(names if constant is None else [*names, UNSEEN], found.tolist(), strict=True))
    if max(weights[name] for name in names) < NEGLIGIBLE:  # none says anything: the first stands for all
        weights[names[0]] = NEGLIGIBLE
    return {name: 0.0 if name != UNSEEN and value < NEGLIGIBLE else value for name, value in weights.items()}


def _own_sharpness(logits: FloatArray, labels: IntArray | BoolArray) -> float:
    known = np.isfinite(logits).all(axis=1)
    return fit_sharpness(_bounded(logits[known]), labels[known]) if known.sum() > 1 else 1.0


def _bounded(logits: FloatArray) -> FloatArray:
    return np.asarray(np.clip(logits, -1e4, 1e4), np.float32)


def _thresholds(scores: FloatArray, labels: BoolArray) -> FloatArray:
    """Per class the threshold with the best F1 on validation; .5 where no validation item has the class."""
    choices = np.linspace(0.1, 0.9, 17)
    chosen = np.full(scores.shape[1], 0.5, np.float32)
    for number in range(scores.shape[1]):
        truth = labels[:, number]
        if not truth.any():
            continue
        given = scores[:, number, None] >= choices
        f1 = 2 * (given & truth[:, None]).sum(0) / np.maximum(1, given.sum(0) + truth.sum())
        equal = choices[f1 >= f1.max() - 1e-12]
        chosen[number] = equal[np.argmin(np.abs(equal - 0.5))]
    return chosen
