"""From probabilities to answers: which classes are given, how sure that is, and where no answer is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logit

from kgfuse.fuse.consistent import Rules, side_by_side
from kgfuse.fuse.data import BoolArray, ClassNodes, FloatArray, IntArray
from kgfuse.fuse.metrics import DoubleArray, probabilities
from kgfuse.fuse.selective import Promise


@dataclass(frozen=True, eq=False, slots=True)
class Answers:
    """Answers to one question for n items.

    Args:
        best: (n,) the best class, -1 where no answer is given.
        given: (n, C) the classes given.
        confidence: (n,) of the answer: the probability of its class, or, of several, the least; 0 without any.
    """

    best: IntArray
    given: BoolArray
    confidence: FloatArray

    def wrong(self, labels: IntArray | BoolArray) -> BoolArray:
        """(n,) whether an answer names a class that the item does not have; classes left out do not count.

        Args:
            labels: (n,) or (n, C).
        """
        true = labels if labels.ndim == 2 else np.arange(self.given.shape[1]) == labels[:, None]
        return np.asarray((self.given & ~true).any(axis=1), np.bool_)

    def only(self, sure: BoolArray) -> Answers:
        """No answer where ``sure`` (n,) is false."""
        return replace(self, best=np.where(sure, self.best, -1), given=self.given & sure[:, None])


class Logic:
    """What the classes of a model's questions say of each other, and answers that keep to it.

    A single-label question has one class and its superclasses; the classes of a multi-label one are ordered by the
    ontology and may exclude each other; and those of one question may exclude those of another.

    Args:
        targets: name, classes and whether an item may have several, of each question.
    """

    def __init__(self, targets: Sequence[tuple[str, ClassNodes, bool]]) -> None:
        self.classes = {name: classes for name, classes, _ in targets}
        self.several = {name: several for name, _, several in targets}
        self.rules = {name: Rules(len(own.iris), own.below, own.apart) for name, own, _ in targets}
        names = list(self.classes)
        between = [
            (n, names.index(other), pairs)
            for n, own in enumerate(self.classes.values())
            for other, pairs in own.elsewhere.items()
            if other in self.classes and len(pairs)
        ]
        self.all = side_by_side([(self.rules[name], not self.several[name]) for name in names], between)

    def probabilities(self, name: str, logits: FloatArray) -> FloatArray:
        """(n, C) probabilities of a question's classes: no child above its parents, disjoint ones at most 1 together.

        Args:
            name: of the question.
            logits: (n, C).
        """
        scores = probabilities(logits, self.several[name])
        return self.rules[name].nearest(scores) if self.several[name] else scores

    def decide(
        self, scores: Mapping[str, FloatArray], thresholds: Mapping[str, FloatArray | None]
    ) -> dict[str, Answers]:
        """Answer all questions everywhere, by the likeliest classes that go together.

        To a single-label question that is the likeliest class, to a multi-label one all classes from their thresholds
        on, unless these break a rule: then the set that does not whose log-odds, counted from the thresholds, add up to
        most, over all questions (the likeliest of the worlds that the ontology allows, were the classes independent
        otherwise: Deng et al. 2014, "Large-scale object classification using label relation graphs").

        Args:
            scores: question → (n, C) probabilities.
            thresholds: question → (C,) or (n, C) from which on classes of a multi-label question are given.
        """
        if self.all.empty:
            return {name: self._answers(name, own, _each(own, thresholds[name])) for name, own in scores.items()}
        weights = [_weights(scores[name], thresholds[name]) for name in self.classes]
        given = self.all.choose(np.concatenate(weights, axis=1))
        ends = np.cumsum([own.shape[1] for own in weights])[:-1]
        return {
            name: self._answers(name, scores[name], own)
            for name, own in zip(self.classes, np.split(given, ends, axis=1), strict=True)
        }

    def _answers(self, name: str, scores: FloatArray, given: BoolArray) -> Answers:
        """With the best of the classes given; of a multi-label question that gets none, the likeliest all the same."""
        some: BoolArray = np.asarray(given.any(axis=1), np.bool_)
        best = np.where(some[:, None] & ~given, -1.0, scores).argmax(axis=1).astype(np.int64)
        least = np.where(given, scores, 1).min(axis=1, initial=1.0)
        best = best if self.several[name] else np.where(some, best, -1)
        return Answers(best, given, np.where(some, least, 0).astype(np.float32))

    def ancestors(self, name: str, scores: FloatArray) -> FloatArray:
        """(n, A) probabilities of superclasses: none is below any class under it.

        Single-label: the sum over the classes under it, itself included where it is one. Multi-label: the chance of at
        least one of them if they were independent, but no more than any class has that lies above all of them.

        Args:
            name: of the question.
            scores: (n, C) consistent probabilities.
        """
        classes = self.classes[name]
        itself = np.array([[iri == own for own in classes.ancestors] for iri in classes.iris], np.bool_)
        member: BoolArray = np.logical_or(classes.membership, itself.reshape(classes.membership.shape))
        if not self.several[name]:
            return np.asarray(np.minimum(scores @ member.astype(np.float32), 1), np.float32)
        some = 1 - np.exp(np.log1p(-np.minimum(scores, 1 - 1e-7)) @ member.astype(np.float32))
        under = self.rules[name].above | np.eye(len(member), dtype=np.bool_)
        outside = member.T.astype(np.float32) @ np.asarray(~under, np.float32)
        for a in np.flatnonzero(member.any(axis=0)).tolist():
            some[:, a] = np.maximum(some[:, a], scores[:, member[:, a]].max(axis=1))  # rounding puts it a hair below
            least = scores[:, outside[a] == 0].min(axis=1, initial=1.0)
            some[:, a] = np.minimum(some[:, a], least)
        return np.asarray(some, np.float32)


def _each(scores: FloatArray, thresholds: FloatArray | None) -> BoolArray:
    likeliest = np.arange(scores.shape[1]) == scores.argmax(axis=1)[:, None]
    return np.asarray(likeliest if thresholds is None else scores >= thresholds, np.bool_)


def _weights(scores: FloatArray, thresholds: FloatArray | None) -> DoubleArray:
    if thresholds is None:
        return np.log(np.maximum(scores.astype(np.float64), 1e-12))
    least = np.asarray(thresholds, np.float64)
    odds, start = (logit(np.clip(own, 1e-6, 1 - 1e-6)) for own in (scores.astype(np.float64), least))
    return np.asarray(odds - start, np.float64)


def sure_enough(answers: Answers, scores: FloatArray, abstain: float | None, promise: Promise | None) -> BoolArray:
    """(n,) which answers are given: the best class reaches ``abstain``, and the answer what was promised needs."""
    sure = np.take_along_axis(scores, answers.best[:, None], axis=1)[:, 0] >= (abstain or 0.0)
    if promise is not None:
        least = np.inf if promise.threshold is None else promise.threshold
        sure &= answers.confidence >= least
    return np.asarray(sure, np.bool_)
