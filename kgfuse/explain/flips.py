"""What would change an answer: the fewest parts of its evidence without which it is another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

BUDGET = 150
"""Predictions that a search may take."""
_ONE_BY_ONE = 32


@dataclass(frozen=True, slots=True)
class Flip:
    """Parts of the evidence whose joint removal changes the answer; none can be left out, but where they are very many.

    Args:
        parts: their numbers, rising.
        answer: the class without them.
        smallest: every smaller set was tried, and none changes the answer.
    """

    parts: tuple[int, ...]
    answer: int
    smallest: bool


def smallest_flip(
    without: Callable[[tuple[int, ...]], int], effects: Sequence[float], answer: int, budget: int = BUDGET
) -> Flip | None:
    """Search for the fewest parts without which the answer changes.

    Parts are removed one after the other, those with the largest effect first, until the answer changes (from the
    thirty-third on, in twice as many at a time); what can stay is put back; then all smaller sets are tried, as far
    as the budget goes.

    Args:
        without: numbers of parts to the class without them.
        effects: of each part alone on the answer's probability.
        answer: the class with all of them.
        budget: calls of ``without``, about.

    Returns:
        ``None`` where the answer stays whatever is removed in that order.
    """
    order = sorted(range(len(effects)), key=lambda n: (-effects[n], n))
    found = _until_it_changes(without, order, answer)
    if not found:
        return None
    left = budget - len(found)
    for part in reversed(found[-max(budget, 1) :]):
        fewer = tuple(n for n in found if n != part)
        if fewer and without(fewer) != answer:
            found = fewer
    for size in range(1, len(found)):
        left -= comb(len(order), size)
        if left < 0:
            return _flip(found, without, smallest=False)
        smaller = next((some for some in combinations(order, size) if without(some) != answer), None)
        if smaller is not None:
            return _flip(smaller, without, smallest=True)
    return _flip(found, without, smallest=True)


def _until_it_changes(without: Callable[[tuple[int, ...]], int], order: Sequence[int], answer: int) -> tuple[int, ...]:
    """The first parts of the order without which the answer changes, where it does not with one fewer; or none."""
    before = 0
    for count in _counts(len(order)):
        if without(tuple(order[:count])) == answer:
            before = count
            continue
        while count - before > 1:
            middle = (before + count) // 2
            before, count = (middle, count) if without(tuple(order[:middle])) == answer else (before, middle)
        return tuple(order[:count])
    return ()


def _counts(size: int) -> Iterator[int]:
    count = 0
    while count < size:
        count = min(count + 1 if count < _ONE_BY_ONE else 2 * count, size)
        yield count


def _flip(parts: tuple[int, ...], without: Callable[[tuple[int, ...]], int], *, smallest: bool) -> Flip:
    return Flip(tuple(sorted(parts)), without(parts), smallest)
