"""How much each modality contributes to an answer: exact Shapley values over the modalities."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import factorial

import numpy as np

from kgfuse.fuse.data import FloatArray, FusionData, IntArray, Modality
from kgfuse.fuse.model import FusionModel


@dataclass(frozen=True, eq=False, slots=True)
class Shares:
    """Contributions of the modalities to the probability of one class per item.

    Args:
        modalities: M names.
        contribution: (n, M) Shapley values: they sum to ``full - empty``.
        empty: (n,) probability when the model sees nothing of the item.
        full: (n,) probability when it sees everything.
    """

    modalities: tuple[Modality, ...]
    contribution: FloatArray
    empty: FloatArray
    full: FloatArray

    @property
    def share(self) -> FloatArray:
        """(n, M) size of each contribution as a part of all, between 0 and 1; zero rows where nothing contributes."""
        size = np.abs(self.contribution)
        total = size.sum(axis=1, keepdims=True)
        return np.asarray(np.where(total > 1e-9, size / np.maximum(total, 1e-9), 0.0), np.float32)


def modality_shares(
    model: FusionModel, data: FusionData, index: IntArray, target: str, classes: IntArray | None = None
) -> Shares:
    """Shapley values of text, picture and graph, from all subsets of them (Shapley 1953; at most 2³ predictions).

    Args:
        model: a trained model.
        data: the items.
        index: (n,) items to explain.
        target: which question.
        classes: (n,) whose probability is explained; the best class of each item by default.
    """
    modalities = model.modalities
    prepared = model.prepare(data)
    number = len(modalities)
    worth: dict[frozenset[Modality], FloatArray] = {}
    chosen = classes
    for size in range(number, -1, -1):
        for kept in combinations(modalities, size):
            hidden = frozenset(modalities) - frozenset(kept)
            found = model.predict(data, index, drop_modalities=hidden, prepared=prepared)[target].probabilities
            if chosen is None:
                chosen = found.argmax(axis=1).astype(np.int64)
            worth[frozenset(kept)] = found[np.arange(len(index)), chosen]
    contribution = np.zeros((len(index), number), np.float32)
    for column, modality in enumerate(modalities):
        others = [other for other in modalities if other != modality]
        for size in range(number):
            weight = factorial(size) * factorial(number - size - 1) / factorial(number)
            for kept in combinations(others, size):
                without = frozenset(kept)
                contribution[:, column] += np.float32(weight) * (worth[without | {modality}] - worth[without])
    return Shares(modalities, contribution, worth[frozenset()], worth[frozenset(modalities)])
