"""Precision, recall and F1 of every class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kgfuse.fuse.data import BoolArray


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """How one class was answered.

    Args:
        support: items that have it.
        given: items that were said to have it.
        right: items that have it and were said to.
    """

    support: int
    given: int
    right: int

    @property
    def precision(self) -> float | None:
        """Share of the items said to have it that do; ``None`` where none was said to."""
        return self.right / self.given if self.given else None

    @property
    def recall(self) -> float | None:
        """Share of the items that have it that were said to; ``None`` where none has."""
        return self.right / self.support if self.support else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of both, ``2 right / (given + support)``; ``None`` where no item has it nor was said to."""
        return 2 * self.right / (self.given + self.support) if self.given + self.support else None


@dataclass(frozen=True, slots=True)
class Means:
    """Means over classes; a precision that is undefined counts as 0."""

    precision: float
    recall: float
    f1: float
    support: int


def class_figures(given: BoolArray, truth: BoolArray) -> tuple[ClassFigures, ...]:
    """The figures of each of C classes.

    Args:
        given: (n, C) answers.
        truth: (n, C) what holds.
    """
    counts = zip(truth.sum(axis=0), given.sum(axis=0), (given & truth).sum(axis=0), strict=True)
    return tuple(ClassFigures(*map(int, row)) for row in counts)


def macro(figures: tuple[ClassFigures, ...]) -> Means:
    """Mean over the classes that some item has, each counting the same."""
    return _mean([f for f in figures if f.support], weighted=False)


def weighted(figures: tuple[ClassFigures, ...]) -> Means:
    """Mean over the classes that some item has, each counting for its items."""
    return _mean([f for f in figures if f.support], weighted=True)


def micro(figures: tuple[ClassFigures, ...]) -> Means:
    """Over all decisions at once; with one answer an item all three are the accuracy."""
    total = ClassFigures(*(sum(getattr(f, name) for f in figures) for name in ("support", "given", "right")))
    return Means(total.precision or 0.0, total.recall or 0.0, total.f1 or 0.0, total.support)


def _mean(figures: list[ClassFigures], *, weighted: bool) -> Means:
    weight = np.array([f.support if weighted else 1 for f in figures], np.float64)
    if not len(weight):
        return Means(0.0, 0.0, 0.0, 0)
    columns = [[getattr(f, name) or 0.0 for f in figures] for name in ("precision", "recall", "f1")]
    precision, recall, f1 = (float(np.average(column, weights=weight)) for column in columns)
    return Means(precision, recall, f1, sum(f.support for f in figures))
