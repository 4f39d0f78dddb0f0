"""A component of the joint decision as a mixed-integer programme, solved exactly by HiGHS."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from kgfuse.extract.gating.choose import Bound

_NODES: Final = 20_000
"""Branches after which a component counts as too hard. A limit of time would make the outcome depend on the machine."""


class _Rows:
    """Columns between 0 and 1, and rows of the form ``a · x <= b``; fixed choices are constants."""

    def __init__(self, component: Sequence[int], fixed: Collection[int]) -> None:
        self.column = {n: i for i, n in enumerate(component)}
        self.fixed = fixed
        self.whole = [1] * len(component)
        self.entries: list[tuple[int, int, float]] = []
        self.limits: list[float] = []

    def new(self, *, whole: bool) -> int:
        self.whole.append(int(whole))
        return len(self.whole) - 1

    def add(self, terms: Sequence[tuple[int, float]], limit: float) -> None:
        row = len(self.limits)
        self.entries += [(row, column, factor) for column, factor in terms]
        self.limits.append(limit)

    def at_most(self, choices: Sequence[tuple[int, float]], terms: Sequence[tuple[int, float]], limit: float) -> None:
        """The same over choices and columns: what is fixed goes to the other side."""
        loose = [(self.column[n], f) for n, f in choices if n not in self.fixed]
        self.add([*loose, *terms], limit - sum(f for n, f in choices if n in self.fixed))


def solve(
    component: Sequence[int],
    weights: Sequence[int],
    fixed: Collection[int],
    claims: Mapping[str, Sequence[tuple[int, tuple[str, ...]]]],
    bounds: Sequence[Bound],
    disjoint: Callable[[str, str], bool],
) -> set[int] | None:
    """The choices of a component that weigh most together; ``None`` where that is too hard.

    Args:
        component: choices to decide on.
        weights: of all choices, whole numbers.
        fixed: choices that hold.
        claims: by node, choices with the classes of which they make it one.
        bounds: how many of what.
        disjoint: whether nothing is of both classes.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import coo_array

    rows = _Rows(component, fixed)
    for node in sorted(claims):
        _node(rows, claims[node], disjoint)
    for bound in bounds:
        _bound(rows, bound)
    width, n = len(rows.whole), len(component)
    cost = np.zeros(width)
    # whole weights, and less than one unit of preference in all: ties go to more choices, and to those that come first
    cost[:n] = [-float(weights[c]) - (n - i) / (n * (n + 1)) for i, c in enumerate(component)]
    at, columns, values = zip(*rows.entries, strict=True)
    matrix = coo_array((values, (at, columns)), shape=(len(rows.limits), width)).tocsr()
    result = milp(
        cost,
        integrality=np.array(rows.whole),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(matrix, -np.inf, np.array(rows.limits)),
        options={"mip_rel_gap": 0.0, "node_limit": _NODES},
    )
    if result.status != 0 or result.x is None:
        return None
    return {c for c, x in zip(component, result.x[:n], strict=True) if x > 0.5}


def _node(rows: _Rows, said: Sequence[tuple[int, tuple[str, ...]]], disjoint: Callable[[str, str], bool]) -> None:
    """A column for each class that the node may be taken for; a claim needs one of its own, and disjoint ones clash."""
    atoms = sorted({a for _, classes in said for a in classes})
    held = {a: rows.new(whole=True) for a in atoms}
    for i, a in enumerate(atoms):
        for b in atoms[i + 1 :]:
            if disjoint(a, b):
                rows.add([(held[a], 1.0), (held[b], 1.0)], 1.0)
    for n, classes in dict.fromkeys(said):
        rows.at_most([(n, 1.0)], [(held[a], -1.0) for a in classes], 0.0)


def _bound(rows: _Rows, bound: Bound) -> None:
    counted: list[int] = []
    for option in bound.options:
        column = rows.new(whole=False)
        counted.append(column)
        for n in option.choices:
            if option.when:
                for w in option.when:
                    rows.at_most([(n, 1.0), (w, 1.0)], [(column, -1.0)], 1.0)
            else:
                rows.at_most([(n, 1.0)], [(column, -1.0)], 0.0)
    total = [(column, 1.0) for column in counted]
    if not bound.when:
        rows.add(total, float(bound.most))
    slack = float(len(counted) - bound.most)
    for w in bound.when:
        rows.at_most([(w, slack)], total, float(len(counted)))
