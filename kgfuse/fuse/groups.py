"""Items that are alike beyond their class: of one author, one patient, one shelf.

A model that has met some of a group knows more of the others than it will of a stranger's. So groups stay whole where
some items judge what was learned from others, and what a group says counts once, not once for each of its items.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Final

import numpy as np

from kgfuse.errors import TrainingError
from kgfuse.fuse.data import IntArray
from kgfuse.fuse.metrics import DoubleArray

_SEEDS: Final = 2**31


def grouping(groups: IntArray | None, rows: IntArray) -> IntArray | None:
    """Groups of some items; ``None`` where no two of these share one, since all are then on their own.

    Args:
        groups: (N,) of all items, or ``None``.
        rows: (n,) which items.

    Returns:
        (n,) numbers from 0, in the order in which the groups appear.
    """
    if groups is None:
        return None
    _, first, number = np.unique(groups[rows], return_index=True, return_inverse=True)
    if len(first) == len(rows):
        return None
    place = np.empty(len(first), np.int64)
    place[np.argsort(first)] = np.arange(len(first))
    return np.asarray(place[number], np.int64)


def folds(count: int, number: int, groups: IntArray | None = None) -> IntArray:
    """Folds of items that judge in turn: dealt one by one, groups as a whole, the largest first, to the smallest fold.

    Args:
        count: of the items.
        number: of folds; some stay empty where there are fewer groups.
        groups: (count,) as :func:`grouping` gives them; a single one is dealt like none, since nothing keeps apart.

    >>> folds(5, 2).tolist()
    [0, 1, 0, 1, 0]
    >>> folds(5, 2, np.array([0, 1, 1, 1, 2])).tolist()
    [1, 0, 0, 0, 1]
    """
    size = None if groups is None else np.bincount(groups)
    if groups is None or size is None or len(size) < 2:
        return np.arange(count) % number
    dealt, filled = np.zeros(len(size), np.int64), np.zeros(number, np.int64)
    for group in np.argsort(-size, kind="stable").tolist():
        dealt[group] = int(filled.argmin())
        filled[dealt[group]] += size[group]
    return np.asarray(dealt[groups], np.int64)


def standard_error(values: DoubleArray, groups: IntArray | None = None) -> float:
    """Standard error of the mean, robust to any likeness within groups.

    The cluster-robust estimate (Liang and Zeger 1986), with the factor G / (G - 1) for few groups: with groups of one
    item each, the usual one. Infinite where one item, or one group, is all there is.

    Args:
        values: (n,).
        groups: (n,) group numbers; ``None`` takes all for independent.

    >>> standard_error(np.array([1.0, 1.0, 3.0, 3.0]), np.array([0, 0, 1, 1]))
    1.0
    """
    count = len(values)
    if groups is None:
        return float(values.std(ddof=1)) / math.sqrt(count) if count > 1 else math.inf
    _, number = np.unique(groups, return_inverse=True)
    sums = np.bincount(number, weights=values - values.mean())
    if len(sums) < 2:
        return math.inf
    return math.sqrt(len(sums) / (len(sums) - 1) * float((sums**2).sum())) / count


def deal_groups(strata: Sequence[str], groups: IntArray, parts: int, rng: np.random.Generator) -> IntArray:
    """Part 0 to ``parts`` - 1 of each item, at random: groups stay whole, strata spread as evenly as they let them.

    Args:
        strata: (n,) class names.
        groups: (n,) group numbers.
        parts: how many, two or more.
        rng: chance.

    Raises:
        TrainingError: there is but one group.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    different = len(np.unique(groups))
    if different < 2:
        raise TrainingError(
            f"all {len(groups)} items that could be dealt out are of one group",
            remedy="give items of other groups, state the split, or leave the group out",
        )
    _, codes = np.unique(np.array(strata), return_inverse=True)
    parts = min(parts, different)
    if np.bincount(codes).max() < parts:  # no class has enough items to be spread
        codes = np.zeros_like(codes)
    dealt = np.zeros(len(strata), np.int64)
    dealer = StratifiedGroupKFold(parts, shuffle=True, random_state=int(rng.integers(_SEEDS)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # rare classes are in some parts only: there is no other way
        for part, (_, own) in enumerate(dealer.split(codes, codes, groups)):
            dealt[own] = part
    return dealt
