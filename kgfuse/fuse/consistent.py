"""What classes say of each other: parents are never below their children, and disjoint classes never go together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from kgfuse.fuse.data import BoolArray, FloatArray, IntArray, no_pairs

Doubles = npt.NDArray[np.float64]
_ONLY_IF_NOTHING_ELSE: Final = 1_000.0
_NODES: Final = 20_000
"""Branches after which a decision counts as too hard: it is then made greedily."""


@dataclass(frozen=True, eq=False)
class Rules:
    """Rules between C classes, or between the classes of several questions side by side.

    Args:
        count: C.
        below: (P, 2) pairs of a class and one above it.
        apart: (Q, 2) pairs of classes that nothing has both of.
        groups: columns of which an item has exactly one: the single-label questions.
    """

    count: int
    below: IntArray
    apart: IntArray
    groups: tuple[IntArray, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to hold to."""
        return not len(self.below) and not len(self.apart)

    @cached_property
    def above(self) -> BoolArray:
        """(C, C) whether the second class lies above the first, through whatever others; not itself."""
        reach = np.eye(self.count, dtype=np.bool_)
        reach[self.below[:, 0], self.below[:, 1]] = True
        while True:
            further = (reach.astype(np.float32) @ reach.astype(np.float32)) > 0
            if (further == reach).all():
                return np.asarray(reach & ~np.eye(self.count, dtype=np.bool_), np.bool_)
            reach = further

    @property
    def _strict(self) -> BoolArray:
        """(C, C) the same without classes that lie above each other: they are one and the same."""
        return np.asarray(self.above & ~self.above.T, np.bool_)

    @cached_property
    def clashing(self) -> BoolArray:
        """(C, C) whether two classes exclude each other, by themselves or by what lies above them."""
        direct = np.zeros((self.count, self.count), np.bool_)
        direct[self.apart[:, 0], self.apart[:, 1]] = True
        over = (self.above | np.eye(self.count, dtype=np.bool_)).astype(np.float32)
        return np.asarray(over @ (direct | direct.T).astype(np.float32) @ over.T > 0, np.bool_)

    @property
    def impossible(self) -> BoolArray:
        """(C,) classes that nothing can have, since they clash with what lies above them."""
        return np.asarray(np.diag(self.clashing), np.bool_)

    @cached_property
    def cliques(self) -> tuple[IntArray, ...]:
        """Sets of possible classes that all exclude each other.

        Every excluding pair is in one of them, or lies below a pair that is.
        """
        clashing = self.clashing & ~self.impossible & ~self.impossible[:, None]
        over, pairs = self._strict.astype(np.float32), clashing.astype(np.float32)
        inherited = (over @ pairs + pairs @ over.T) > 0
        left, found = np.triu(clashing & ~inherited, 1), []
        for a, b in np.argwhere(left).tolist():
            if not left[a, b]:
                continue
            members, fits = [a, b], clashing[a] & clashing[b]
            while fits.any():
                members.append(int(fits.argmax()))
                fits = fits & clashing[members[-1]]
            own = np.array(sorted(members), np.int64)
            left[np.ix_(own, own)] = False
            found.append(own)
        return tuple(found)

    def holds(self, given: BoolArray) -> BoolArray:
        """(n,) whether sets of classes (n, C) keep to the rules."""
        broken = given[:, self.impossible].any(axis=1)
        if len(self.below):
            broken |= (given[:, self.below[:, 0]] & ~given[:, self.below[:, 1]]).any(axis=1)
        for clique in self.cliques:
            broken |= given[:, clique].sum(axis=1) > 1
        return np.asarray(~broken, np.bool_)

    def upward(self, given: BoolArray) -> BoolArray:
        """(n, C) sets of classes with all that lies above them."""
        return np.asarray(given | ((given.astype(np.float32) @ self.above.astype(np.float32)) > 0), np.bool_)

    @cached_property
    def _limits(self) -> tuple[Doubles, Doubles]:
        """``A`` (m, C) and ``b`` (m,): what a set of classes, or its probabilities, must keep to is ``A x <= b``."""
        strict = self._strict.astype(np.float32)
        pairs = np.argwhere(self.above & ~((strict @ strict) > 0))  # what others imply is left out
        order, cliques = np.zeros((len(pairs), self.count)), np.zeros((len(self.cliques), self.count))
        at = np.arange(len(pairs))
        order[at, pairs[:, 0]], order[at, pairs[:, 1]] = 1, -1
        for number, clique in enumerate(self.cliques):
            cliques[number, clique] = 1
        none = np.eye(self.count)[self.impossible]
        return np.concatenate([order, none, cliques]), np.repeat([0.0, 1.0], [len(order) + len(none), len(cliques)])

    def nearest(self, probabilities: FloatArray) -> FloatArray:
        """(n, C) the probabilities that keep to the rules and lie nearest to those given, by least squares.

        No class is more likely than one above it, and classes that all exclude each other have at most one as their
        sum: a least-distance problem, solved exactly as non-negative least squares (Lawson & Hanson 1974, chapter 23);
        for an order alone it is isotonic regression. Rows that keep to the rules stay as they are.

        Args:
            probabilities: (n, C).
        """
        limits, most = self._limits
        if not len(limits) or not len(probabilities):
            return probabilities
        out = probabilities.astype(np.float64)
        some = limits.any(axis=0)
        every = np.concatenate([limits, -np.eye(self.count)[some]])  # and no probability below zero
        ends = np.concatenate([most, np.zeros(int(some.sum()))])
        for row in np.flatnonzero((out @ limits.T > most + 1e-12).any(axis=1)):
            start, heeded = out[row].copy(), np.zeros(len(ends), np.bool_)
            while (broken := (every @ out[row] > ends + 1e-9) & ~heeded).any():
                heeded |= broken  # the nearest point under some limits is that under all where it breaks none
                out[row] = _nearest(start, every[heeded], ends[heeded])
        return self._lowered(np.clip(out, 0, 1))

    def _lowered(self, out: Doubles) -> FloatArray:
        """What rounding has left over is taken away: lowering a class breaks no rule but those below it."""
        out[:, self.impossible] = 0
        for clique in self.cliques:
            out[:, clique] /= np.maximum(1, out[:, clique].sum(axis=1, keepdims=True))
        for c in np.argsort(self.above.sum(axis=1), kind="stable").tolist():
            if self.above[c].any():
                out[:, c] = np.minimum(out[:, c], out[:, self.above[c]].min(axis=1))
        return out.astype(np.float32)

    def choose(self, weights: npt.NDArray[np.floating]) -> BoolArray:
        """(n, C) for each item the set of classes that keeps to the rules and weighs most.

        With log-odds as weights it is the likeliest of the sets that keep to the rules. Where what weighs most anyhow
        keeps to them, that is it; else an integer programme finds it exactly. Of a group none is taken only where every
        one of it clashes with all else that could be said.

        Args:
            weights: (n, C) what each class adds; of a group only the differences count.
        """
        free = np.ones(self.count, np.bool_)
        given = weights >= 0
        weights = weights.astype(np.float64)
        for group in self.groups:
            best = weights[:, group].argmax(axis=1)
            given[:, group] = np.arange(len(group)) == best[:, None]
            weights[:, group] += _ONLY_IF_NOTHING_ELSE - weights[:, group].max(axis=1, keepdims=True)
            free[group] = False
        for row in np.flatnonzero(~self.holds(given)):
            given[row] = self._heaviest(weights[row])
        return np.asarray(given, np.bool_)

    def _heaviest(self, weights: Doubles) -> BoolArray:
        from scipy.optimize import Bounds, LinearConstraint, milp

        limits, most = self._limits
        ones = np.zeros((len(self.groups), self.count))
        for number, group in enumerate(self.groups):
            ones[number, group] = 1
        both = np.concatenate([limits, ones])
        result = milp(
            -(weights + 1e-9),
            integrality=np.ones(self.count),
            bounds=Bounds(0, 1),
            constraints=LinearConstraint(both, -np.inf, np.concatenate([most, np.ones(len(ones))])),
            options={"mip_rel_gap": 0.0, "node_limit": _NODES},
        )
        if result.status == 0 and result.x is not None:
            return np.asarray(result.x > 0.5, np.bool_)
        return self._greedy(weights)

    def _greedy(self, weights: Doubles) -> BoolArray:
        given = np.zeros(self.count, np.bool_)
        for c in np.argsort(-weights, kind="stable"):
            more = given.copy()
            more[c] = True
            more = self.upward(more[None])[0]
            alone = all(more[group].sum() <= 1 for group in self.groups)
            if weights[more & ~given].sum() >= 0 and alone and bool(self.holds(more[None])[0]):
                given = more
        return given


def _nearest(start: Doubles, limits: Doubles, most: Doubles) -> Doubles:
    """The point with ``limits @ x <= most`` that lies nearest to ``start``, as non-negative least squares."""
    from scipy.optimize import nnls

    some = limits.any(axis=0)
    own = limits[:, some]
    goal = np.zeros(own.shape[1] + 1)
    goal[-1] = 1
    matrix = np.concatenate([-own.T, (limits @ start - most)[None]])
    left = matrix @ nnls(matrix, goal)[0] - goal
    moved = start.copy()
    moved[some] -= left[:-1] / left[-1]
    return moved


def side_by_side(parts: Sequence[tuple[Rules, bool]], between: Sequence[tuple[int, int, IntArray]]) -> Rules:
    """The rules of several questions as one.

    Args:
        parts: the rules of each, and whether an item has exactly one of its classes.
        between: numbers of two questions, and pairs of a class of the first and one of the second that clash.
    """
    starts = np.cumsum([0, *(rules.count for rules, _ in parts)])
    below = [rules.below + at for (rules, one), at in zip(parts, starts, strict=False) if not one]
    apart = [rules.apart + at for (rules, one), at in zip(parts, starts, strict=False) if not one]
    apart += [pairs + np.array([starts[a], starts[b]]) for a, b, pairs in between]
    groups = [np.arange(at, at + rules.count) for (rules, one), at in zip(parts, starts, strict=False) if one]
    none = [no_pairs()]
    return Rules(int(starts[-1]), np.concatenate(none + below), np.concatenate(none + apart), tuple(groups))
