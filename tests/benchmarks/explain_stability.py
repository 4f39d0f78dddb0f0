"""Do models that differ in the seed of their training alone name the same statements as the reason?

Only answers that agree are compared: other answers have other reasons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
from scipy.stats import rankdata

from kgfuse.fuse.data import FloatArray

RANDOM: Final = "drawn at random"
TOP: Final = 3


@dataclass(frozen=True, eq=False, slots=True)
class Ranked:
    """How one model explains its answer on one item.

    Args:
        label: the class that it answers with.
        importance: method → (n,) of the item's own statements, the more important the larger.
    """

    label: int
    importance: Mapping[str, FloatArray]


def stability(models: Sequence[Sequence[Ranked]], seed: int) -> dict[str, Any]:
    """Mean likeness over all pairs of models and all items on which the two answer alike.

    Args:
        models: of each, the same items in the same order.
        seed: of the control, which ranks at random.

    Returns:
        ``pairs`` of answers, how many are ``alike``, and of these ``methods`` → name → :func:`likeness`; no methods
        where no two answers agree.
    """
    chance = np.random.default_rng([seed, 20261130])
    found: dict[str, list[dict[str, float]]] = {}
    pairs = alike = 0
    for left, right in combinations(models, 2):
        for one, other in zip(left, right, strict=True):
            pairs += 1
            if one.label != other.label:
                continue
            alike += 1
            for name, importance in one.importance.items():
                found.setdefault(name, []).append(likeness(importance, other.importance[name]))
            count = len(next(iter(one.importance.values())))
            found.setdefault(RANDOM, []).append(likeness(*chance.random((2, count)).astype(np.float32)))
    methods = {
        name: {key: float(np.mean([value[key] for value in values])) for key in values[0]}
        for name, values in found.items()
    }
    return {"pairs": pairs, "alike": alike, "methods": methods}


def likeness(left: FloatArray, right: FloatArray) -> dict[str, float]:
    """How alike two rankings of the same n statements are.

    Args:
        left: (n,) importance by one model.
        right: (n,) by the other.

    Returns:
        ``overlap@3``, the share of the three best that both name (of fewer statements: all but one), and ``Spearman``,
        the correlation of the ranks, -1 to 1; 0 where either ranks nothing above anything.
    """
    top = max(1, min(TOP, len(left) - 1))
    best = [set(np.argsort(-values, kind="stable")[:top].tolist()) for values in (left, right)]
    ranks = [rankdata(values) - (len(values) + 1) / 2 for values in (left, right)]
    norm = float(np.sqrt((ranks[0] ** 2).sum() * (ranks[1] ** 2).sum()))
    return {
        f"overlap@{TOP}": len(best[0] & best[1]) / top,
        "Spearman": float((ranks[0] * ranks[1]).sum() / norm) if norm else 0.0,
    }
