"""The consistent set of greatest weight: an exact choice among things that cannot all be had together.

Choices that share a constraint form a component, and components are decided alone: most are of a handful of choices,
whatever the size of the whole. Each becomes a mixed-integer programme.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from kgfuse.extract.gating.programme import solve

LARGEST: Final = 400
"""Components of more free choices are decided greedily: by weight, each that fits what was taken before."""
Disjoint = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class Option:
    """One of the values that a bound counts.

    Args:
        choices: any of these makes it so.
        when: it counts only where one of these holds as well; empty counts it always.
    """

    choices: tuple[int, ...]
    when: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Bound:
    """At most so many of some options.

    Args:
        options: what is counted.
        most: how many are allowed.
        when: it binds only where one of these choices holds; empty binds always.
        name: for whoever explains it.
    """

    options: tuple[Option, ...]
    most: int
    when: tuple[int, ...] = ()
    name: object = None

    def count(self, chosen: frozenset[int] | set[int]) -> int:
        """Options that hold."""
        return sum(
            not chosen.isdisjoint(o.choices) and (not o.when or not chosen.isdisjoint(o.when)) for o in self.options
        )

    def holds(self, chosen: frozenset[int] | set[int]) -> bool:
        """Whether the choice keeps to it."""
        return bool(self.when and chosen.isdisjoint(self.when)) or self.count(chosen) <= self.most


@dataclass(slots=True)
class Problem:
    """What there is to choose from, in a fixed order, and what cannot be had together.

    Args:
        weights: of each choice, positive.
        fixed: choices that hold whatever they contradict; contradictions among themselves bind nobody.
        claims: by node, each choice with the classes of which it makes the node one. They must leave a way to take
            the node to be something that contradicts none of them.
        bounds: how many of what.
        disjoint: whether nothing is of both classes.
    """

    weights: Sequence[int]
    disjoint: Disjoint
    fixed: frozenset[int] = frozenset()
    claims: Mapping[str, Sequence[tuple[int, tuple[str, ...]]]] = field(default_factory=dict)
    bounds: Sequence[Bound] = ()


@dataclass(slots=True)
class Tight:
    """The constraints of a problem that cannot all be met, and where each choice meets them."""

    problem: Problem
    claims: dict[str, list[tuple[int, tuple[str, ...]]]]
    bounds: list[Bound]
    nodes_of: dict[int, list[str]]
    bounds_of: dict[int, list[Bound]]

    def fits(self, chosen: set[int], one: int) -> bool:
        """Whether a consistent set stays so with one more."""
        taken = chosen | {one}
        return self.open_node(taken, one) is None and self.full_bound(taken, one) is None

    def open_node(self, taken: set[int], one: int) -> str | None:
        """The node of a choice that its claims leave no way to be anything; ``None`` where there is a way."""
        for node in self.nodes_of.get(one, ()):
            if not possible((c for n, c in self.claims[node] if n in taken), self.problem.disjoint):
                return node
        return None

    def full_bound(self, taken: set[int], one: int) -> Bound | None:
        """The bound of a choice that would be overstepped."""
        return next((b for b in self.bounds_of.get(one, ()) if not b.holds(taken)), None)


def best(problem: Problem) -> tuple[frozenset[int], Tight]:
    """The consistent set of greatest weight; of sets that weigh the same, one of more choices, or of earlier ones.

    Returns:
        The choices, and the constraints that stood between them.
    """
    tight = _tighten(problem)
    chosen = set(range(len(problem.weights)))
    for component in _components(tight):
        chosen.difference_update(component)
        chosen.update(_decide(tight, component))
    return frozenset(chosen), tight


def possible(claims: Iterable[tuple[str, ...]], disjoint: Disjoint) -> bool:
    """Whether one class of each claim can be picked so that no two are disjoint."""
    ordered = sorted(set(claims), key=lambda c: (len(c), c))

    def pick(n: int, taken: tuple[str, ...]) -> bool:
        if n == len(ordered):
            return True
        return any(
            pick(n + 1, (*taken, cls)) for cls in ordered[n] if not any(disjoint(cls, t) for t in taken if t != cls)
        )

    return pick(0, ())


def _tighten(problem: Problem) -> Tight:
    known: dict[frozenset[tuple[str, ...]], bool] = {}
    fixed = set(problem.fixed)
    claims: dict[str, list[tuple[int, tuple[str, ...]]]] = {}
    for node, said in problem.claims.items():
        kinds = frozenset(c for _, c in said)
        if len(kinds) < 2:
            continue
        if kinds not in known:
            known[kinds] = possible(kinds, problem.disjoint)
        if not known[kinds]:
            claims[node] = _tellable(said, fixed, problem.disjoint)
    bounds = []
    for bound in problem.bounds:
        if len(bound.options) <= bound.most:
            continue
        certain = bound.count(fixed) if not bound.when or not fixed.isdisjoint(bound.when) else 0
        most = max(bound.most, certain)
        bounds.append(bound if most == bound.most else Bound(bound.options, most, bound.when, bound.name))
    nodes_of: defaultdict[int, list[str]] = defaultdict(list)
    for node, said in claims.items():
        for n in dict.fromkeys(n for n, _ in said):
            nodes_of[n].append(node)
    bounds_of: defaultdict[int, list[Bound]] = defaultdict(list)
    for bound in bounds:
        for n in members(bound):
            bounds_of[n].append(bound)
    return Tight(problem, claims, bounds, dict(nodes_of), dict(bounds_of))


def members(bound: Bound) -> list[int]:
    """Every choice that a bound depends on."""
    return sorted({*bound.when, *(n for o in bound.options for n in (*o.choices, *o.when))})


def _tellable(
    said: Sequence[tuple[int, tuple[str, ...]]], fixed: set[int], disjoint: Disjoint
) -> list[tuple[int, tuple[str, ...]]]:
    """The claims that can clash; of fixed ones that clash among themselves, those that come first."""
    atoms = sorted({a for _, classes in said for a in classes})
    free = {a for a in atoms if not any(disjoint(a, b) for b in atoms if b != a)}
    kept: list[tuple[int, tuple[str, ...]]] = []
    certain: set[tuple[str, ...]] = set()
    for n, classes in said:
        if not free.isdisjoint(classes):
            continue
        if n in fixed and classes not in certain:
            if not possible((*certain, classes), disjoint):
                continue
            certain.add(classes)
        kept.append((n, classes))
    return kept


def _components(tight: Tight) -> list[list[int]]:
    """Choices that no person decided, by what they share; fixed ones are constants and join nothing."""
    parent: dict[int, int] = {}

    def find(n: int) -> int:
        while parent.setdefault(n, n) != n:
            parent[n] = n = parent[parent[n]]
        return n

    groups = [[n for n, _ in said] for said in tight.claims.values()] + [members(b) for b in tight.bounds]
    for group in groups:
        loose = [n for n in group if n not in tight.problem.fixed]
        for n in loose:
            parent[find(n)] = find(loose[0])
    found: defaultdict[int, list[int]] = defaultdict(list)
    for n in sorted(parent):
        found[find(n)].append(n)
    return sorted(found.values())


def _decide(tight: Tight, component: Sequence[int]) -> set[int]:
    problem = tight.problem
    nodes = sorted({node for n in component for node in tight.nodes_of.get(n, ())})
    bounds = list({id(b): b for n in component for b in tight.bounds_of.get(n, ())}.values())
    if not nodes and len(bounds) == 1 and (simple := _simple(problem, bounds[0])) is not None:
        return simple
    if len(component) <= LARGEST:
        claims = {node: tight.claims[node] for node in nodes}
        found = solve(component, problem.weights, problem.fixed, claims, bounds, problem.disjoint)
        if found is not None:
            return found
    taken = set(problem.fixed)
    for n in sorted(component, key=lambda n: (-problem.weights[n], n)):
        if tight.fits(taken, n):
            taken.add(n)
    return taken.intersection(component)


def _simple(problem: Problem, bound: Bound) -> set[int] | None:
    """The best of one unconditional bound: its heaviest options. ``None`` where it is not as simple as that."""
    if bound.when or any(o.when for o in bound.options):
        return None
    seen: set[int] = set()
    for option in bound.options:
        if not seen.isdisjoint(option.choices):
            return None
        seen.update(option.choices)
    certain = [o for o in bound.options if not problem.fixed.isdisjoint(o.choices)]
    loose = [o for o in bound.options if problem.fixed.isdisjoint(o.choices)]
    loose.sort(key=lambda o: (-sum(problem.weights[n] for n in o.choices), o.choices))
    kept = (*certain, *loose[: max(bound.most - len(certain), 0)])
    return {n for o in kept for n in o.choices} - problem.fixed
