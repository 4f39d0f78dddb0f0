"""Filtered ranks of held-out triples among all entities, and the figures that sum them up.

A triple (s, r, o) asks two questions: (s, r, ?) and, under the reciprocal relation, (o, r⁻¹, ?). Answers that are known
to be true, other than the one asked for, do not count (the filtered setting of Bordes et al. 2013). Answers of equal
score share the mean of their ranks ("realistic" in Berrendorf et al. 2020), so that a model that says the same of
everything gains nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kgfuse.errors import TrainingError

Ints: TypeAlias = NDArray[np.int64]
Scores: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""Subjects (B,) and relations (B,), reciprocal ones included → a score for each entity (B, V)."""

_CELLS: Final = 1 << 22  # scores held at once: 16 MB in float32


@dataclass(frozen=True, eq=False, slots=True)
class Known:
    """The objects of each (subject, relation) that occurs, one after another.

    Args:
        key: (Q,) sorted, ``relation * entities + subject``.
        offset: (Q + 1,) query q has the objects ``offset[q]`` to ``offset[q + 1]``.
        object: (N,) sorted within a query.
        entities: V.
    """

    key: Ints
    offset: Ints
    object: Ints
    entities: int

    @classmethod
    def of(cls, triples: Ints, entities: int) -> Known:
        """Group triples (N, 3) of subject, relation, object; each counts once."""
        keys = triples[:, 1] * entities + triples[:, 0]
        order = np.lexsort((triples[:, 2], keys))
        keys, objects = keys[order], triples[order, 2]
        fresh = np.ones(len(keys), np.bool_)
        fresh[1:] = (keys[1:] != keys[:-1]) | (objects[1:] != objects[:-1])
        key, first = np.unique(keys[fresh], return_index=True)
        return cls(key, np.append(first, int(fresh.sum())).astype(np.int64), objects[fresh], entities)

    def cells(self, subject: Ints, relation: Ints) -> tuple[Ints, Ints]:
        """Row of the query and known object, for all of them: what is to be masked in scores (B, V)."""
        wanted = relation * self.entities + subject
        if not len(self.key):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        at = np.minimum(np.searchsorted(self.key, wanted), len(self.key) - 1)
        there = self.key[at] == wanted
        start = self.offset[at]
        count = np.where(there, self.offset[at + 1] - start, 0)
        row = np.repeat(np.arange(len(wanted)), count)
        within = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
        return row, self.object[np.repeat(start, count) + within]


@dataclass(frozen=True, slots=True)
class Ranking:
    """How well held-out answers rank.

    Args:
        mrr: mean of 1 / rank.
        hits: k → share of the ranks that are at most k.
        queries: how many questions were asked, two a triple.
    """

    mrr: float
    hits: dict[int, float]
    queries: int

    @classmethod
    def of(cls, ranks: NDArray[np.float64]) -> Ranking:
        """Sum up ranks; zeros where there are none."""
        if not len(ranks):
            return cls(0.0, dict.fromkeys((1, 3, 10), 0.0), 0)
        return cls(float((1 / ranks).mean()), {k: float((ranks <= k).mean()) for k in (1, 3, 10)}, len(ranks))


def both_ways(triples: Ints, relations: int) -> Ints:
    """The triples (N, 3), then each turned round under its reciprocal relation ``r + relations`` (Lacroix 2018)."""
    turned = triples[:, [2, 1, 0]] + np.array([0, relations, 0])
    return np.concatenate([triples, turned]).astype(np.int64)


def filtered_ranks(
    scores: Scores, queries: Ints, known: Known, *, allowed: Tensor | None = None, device: torch.device | None = None
) -> NDArray[np.float64]:
    """Rank the object of each query, known answers aside.

    Args:
        scores: of all entities for queries.
        queries: (N, 3) subject, relation, object, as :func:`both_ways` gives them.
        known: what is true.
        allowed: (2R, V) which entities a relation may lead to; others come after all that may. The object asked for
            counts as allowed.
        device: of the queries that ``scores`` is given.

    Raises:
        TrainingError: a score is no number, or infinite.
    """
    ranks = np.empty(len(queries), np.float64)
    step = max(1, _CELLS // known.entities)
    for start in range(0, len(queries), step):
        part = queries[start : start + step]
        subject, relation, truth = torch.from_numpy(part).to(device or "cpu").unbind(1)
        found = scores(subject, relation)
        if not bool(torch.isfinite(found).all()):
            raise TrainingError("the link predictor's scores are no numbers", remedy="lower its learning rate")
        own = found.gather(1, truth[:, None])
        found = without(found, known, part)
        if allowed is not None:
            found = found.masked_fill(~allowed[relation.to(allowed.device)].to(found.device), -torch.inf)
        found.scatter_(1, truth[:, None], -torch.inf)
        better, equal = (found > own).sum(1), (found == own).sum(1)
        ranks[start : start + step] = (1 + better + equal / 2).cpu().numpy()
    return ranks


def without(scores: Tensor, known: Known, queries: Ints) -> Tensor:
    """A copy of scores (B, V) in which the known answers of the queries (B, 2 or more columns) are minus infinity."""
    row, column = known.cells(queries[:, 0], queries[:, 1])
    out = scores.clone()
    out[torch.from_numpy(row).to(scores.device), torch.from_numpy(column).to(scores.device)] = -torch.inf
    return out
