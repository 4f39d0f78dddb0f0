"""Abstention at a chosen risk: from which confidence on few enough answers are wrong, by held-out items."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import ceil, log
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, betaincinv

from kgfuse.fuse.data import BoolArray

_FINE: Final = 1.05
_STARTS: Final = 1.5


@dataclass(frozen=True, slots=True)
class Promise:
    """What held-out items let a model promise of the answers that it gives to one question.

    Args:
        risk: the greatest share of wrong answers among those given.
        sure: confidence that it is not greater on items drawn as the held-out ones were.
        threshold: an answer is given where its confidence is at least this; ``None`` where nothing can be promised, and
            no answer is given.
        items: held-out items that judged.
        answered: how many of them got an answer.
        wrong: how many of these answers are wrong.
        bound: upper bound of the share of wrong answers, at the confidence that the search for the threshold left.
    """

    risk: float
    sure: float
    threshold: float | None
    items: int
    answered: int
    wrong: int
    bound: float

    @property
    def kept(self) -> bool:
        """Whether anything can be promised."""
        return self.threshold is not None

    @property
    def coverage(self) -> float:
        """Share of the held-out items that got an answer; 0 where there are none."""
        return self.answered / self.items if self.items else 0.0

    def said(self) -> str:
        """The promise in words, or why there is none."""
        asked = f"at most {self.risk:.1%} wrong answers with {self.sure:.0%} confidence"
        if self.kept:
            return (
                f"{asked}: answers {self.answered} of {self.items} held-out items ({self.coverage:.0%}), "
                f"{self.wrong} of them wrongly; gives none below {self.threshold:.3f}"
            )
        needed = fewest(self.risk, self.sure)
        if self.items < needed:
            why = f"{self.items} held-out items judge, and even without one error {needed} are needed"
        else:
            why = f"of {self.items} held-out items too many are wrong, however sure the model is"
        return f"{asked} CANNOT be promised: {why}; no answer is given (raise risk, or label more validation items)"

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return asdict(self)


def fewest(risk: float, sure: float) -> int:
    """Held-out answers that are needed, all of them right, to promise a risk.

    >>> fewest(0.05, 0.95)
    59
    """
    return ceil(log(1 - sure) / log(1 - risk))


def promise(confidence: npt.NDArray[np.floating], wrong: BoolArray, risk: float, sure: float) -> Promise:
    """Choose the least confidence from which on answers may be given.

    Selective classification with guaranteed risk (Geifman & El-Yaniv 2017, arXiv:1705.08500): of the ``m`` items above
    the ``k``-th greatest confidence, ``k`` fixed beforehand, the errors are binomial, so that the exact binomial tail
    (Clopper & Pearson 1934) tests whether the risk there is too great. Many ``k`` are tried: from the surest on, each
    hands what it may err on to the next as long as it passes, and some have a share of their own, so that a single
    error among the surest is not the end (the fallback procedure, Wiens 2003; learn then test, Angelopoulos et al.
    2021, arXiv:2110.01052). The chance that the risk is greater than promised is below ``1 - sure`` in all, where less
    sure answers are not more often right than surer ones.

    Args:
        confidence: (n,) of the answers to items that the model has not learned from.
        wrong: (n,) whether the answer is wrong.
        risk: greatest share of wrong answers among those given, above 0 and below 1.
        sure: confidence of the promise, above 0 and below 1.
    """
    order = np.sort(confidence)[::-1]
    errors = np.sort(confidence[wrong])[::-1]
    best: tuple[int, int, float, float] | None = None
    left, passed = 0.0, False
    for rank, share in _levels(len(order), risk, sure):
        left = share + (left if passed else 0.0)
        edge = float(order[rank - 1]) if rank <= len(order) else -np.inf
        above = int(np.searchsorted(-order, -edge, side="left"))
        missed = int(np.searchsorted(-errors, -edge, side="left"))
        passed = above > 0 and left > 0 and float(bdtr(missed, above, risk)) <= left
        if passed:
            least = float(np.nextafter(order.dtype.type(edge), order.dtype.type(np.inf))) if edge > -np.inf else 0.0
            bound = float(betaincinv(missed + 1, above - missed, 1 - left)) if missed < above else 1.0
            best = above, missed, least, bound
    if best is None:
        return Promise(risk, sure, None, len(order), 0, 0, 1.0)
    return Promise(risk, sure, best[2], len(order), *best[:2], best[3])


def _levels(count: int, risk: float, sure: float) -> list[tuple[int, float]]:
    """Ranks to try, rising, each with the chance of error of its own; they depend on nothing but the numbers given.

    The rank after the last stands for all items. The first share is half of the whole, each one after it half of the
    last; ranks between have none.
    """
    doubt, everything = 1 - sure, count + 1
    first = ceil(log(doubt / 2) / log(1 - risk)) + 1
    starts = []
    while first < everything:
        starts.append(first)
        first = max(first + 1, round(first * _STARTS))
    starts.append(everything)
    shares = {rank: doubt / 2 ** (number + 1) for number, rank in enumerate(starts)}
    shares[everything] = doubt - sum(shares[rank] for rank in starts[:-1])
    ranks, at = set(starts), starts[0]
    while at < everything:
        ranks.add(at)
        at = max(at + 1, round(at * _FINE))
    return [(rank, shares.get(rank, 0.0)) for rank in sorted(ranks)]
