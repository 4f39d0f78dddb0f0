"""Which way of aligning two views finds the right partners best, among items that it was not learned from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from kgfuse.encode.device import one_thread_each
from kgfuse.fuse.blocks import centre
from kgfuse.fuse.data import FloatArray, IntArray
from kgfuse.fuse.partners import Floats, Ranked, found, reciprocal
from kgfuse.fuse.projections import Canonical, Projections, Recipe, contrastive
from kgfuse.fuse.views import Alignment, View, centred_words, means_of, speak, unit

RIDGES: Final = (0.01, 0.1, 1.0)
POWERS: Final = (0.0, 1.0, 2.0)
EPOCHS: Final = (10, 30, 100)
SHARES: Final = (0.0, 0.1, 0.25, 0.5)
_ACCEPT: Final = 3.0
"""Standard errors: the best of a hundred choices looks better than it is."""
_FOLDS: Final = 4
_MANY: Final = 1_000
"""Pairs from which on one fold is held out in place of four, and at most so many of them judge."""
_MOST: Final = 5_000
"""Pairs that are learned from; of more, so many are drawn by the seed."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What may be kept: a recipe for projections, or none, and the share of the words."""

    recipe: Recipe | None
    share: float


WORDS: Final = Choice(None, 1.0)
CHANCE: Final = Choice(None, 0.0)


@dataclass(frozen=True, eq=False, slots=True)
class Trials:
    """All choices, judged on items that they were not learned from.

    Args:
        left: the items, in the order of their names.
        right: the same.
        seed: of folds and training.
        ranked: where the held-out items of each fold find their partners.
    """

    left: View
    right: View
    seed: int
    ranked: Mapping[Choice, Sequence[Ranked]]

    def best(self, among: Iterable[Choice]) -> Choice:
        """The one with the highest mean reciprocal rank; of equal ones the first."""
        return max(among, key=lambda choice: float(self._reciprocal(choice).mean()))

    def _reciprocal(self, choice: Choice) -> Floats:
        return reciprocal(self.ranked[choice])

    def kept(self) -> Choice:
        """The best one if it clearly beats the words alone (or chance), else those."""
        base = WORDS if WORDS in self.ranked else CHANCE
        best = self.best(choice for choice in self.ranked if choice.recipe is not None)
        gain = self._reciprocal(best) - self._reciprocal(base)
        return best if gain.mean() > _ACCEPT * gain.std(ddof=1) / np.sqrt(len(gain)) else base

    def fitted(self, choice: Choice) -> Alignment:
        """Learned from all items."""
        means, recipe = means_of(self.left, self.right), choice.recipe
        made: Projections | None = None
        if recipe is not None:
            a, b = centre(self.left.values, means[0]), centre(self.right.values, means[1])
            made = Canonical(a, b).by(recipe) if recipe.ridges else None
            if recipe.epochs:
                made = next(contrastive(a, b, (recipe.epochs,), made, seed=self.seed))[1]
        words = found(self.ranked[WORDS]) if WORDS in self.ranked else None
        return Alignment(made, recipe, choice.share, means, len(self.left.values), found(self.ranked[choice]), words)


@one_thread_each()
def try_all(
    names: Sequence[str],
    left: View,
    right: View,
    *,
    seed: int = 0,
    from_chance: bool = False,
) -> Trials:
    """Every choice on every fold: learned from the others, judged on it.

    Args:
        names: n unique names.
        left: of the items.
        right: of the same items.
        seed: of folds and training.
        from_chance: whether contrastive training is tried without the canonical projections to start from, too.
    """
    order = np.array(sorted(range(len(names)), key=names.__getitem__), np.int64)
    if len(order) > _MOST:
        order = order[np.sort(np.random.default_rng([seed, 20261130]).permutation(len(order))[:_MOST])]
    left, right = left[order], right[order]
    speaking = speak(left, right)
    folds = [_Fold.of(left, right, *rows) for rows in _folds(len(order), seed)]
    ranked: dict[Choice, list[Ranked]] = {}

    def judge(recipe: Recipe, made: Projections, fold: _Fold) -> None:
        similar = unit(fold.held[0] @ made[0]) @ unit(fold.held[1] @ made[1]).T
        for share in SHARES if speaking else (0.0,):
            table = np.asarray((1 - share) * similar + share * fold.alike, np.float32)
            ranked.setdefault(Choice(recipe, share), []).append(Ranked.of(table))

    for fold in folds:
        if speaking:
            ranked.setdefault(WORDS, []).append(Ranked.of(fold.alike))
        else:
            ranked.setdefault(CHANCE, []).append(Ranked.by_chance(len(fold.alike)))
        for recipe, made in fold.canonical.all(RIDGES, POWERS):
            judge(recipe, made, fold)
    trials = Trials(left, right, seed, ranked)
    best = trials.best(c for c in ranked if c.recipe is not None).recipe
    assert best is not None
    for fold in folds:
        for epoch, made in contrastive(*fold.learned, EPOCHS, fold.canonical.by(best), seed=seed):
            judge(Recipe(best.ridges, best.power, epoch), made, fold)
        if from_chance:
            for epoch, made in contrastive(*fold.learned, EPOCHS, seed=seed):
                judge(Recipe((), 0.0, epoch), made, fold)
    return trials


@dataclass(frozen=True, eq=False, slots=True)
class _Fold:
    """What is learned from and what is held out, centred on what is learned from.

    ``alike`` is how similar the words of the held-out items are.
    """

    canonical: Canonical
    learned: tuple[FloatArray, FloatArray]
    held: tuple[FloatArray, FloatArray]
    alike: FloatArray

    @classmethod
    def of(cls, left: View, right: View, learned: IntArray, held: IntArray) -> _Fold:
        means = means_of(left[learned], right[learned])
        values = [centre(v.values, mean) for v, mean in ((left, means[0]), (right, means[1]))]
        said = [centred_words(v.words[held], mean) for v, mean in ((left, means[2]), (right, means[3]))]
        a, b = (rows[learned] for rows in values)
        return cls(Canonical(a, b), (a, b), (values[0][held], values[1][held]), said[0] @ said[1].T)


def _folds(count: int, seed: int) -> Iterator[tuple[IntArray, IntArray]]:
    order = np.random.default_rng([seed, 20261130]).permutation(count)
    if count >= _MANY:
        held = min(count // _FOLDS, _MANY)
        yield np.sort(order[held:]), np.sort(order[:held])
        return
    for number in range(_FOLDS):
        own = np.arange(count) % _FOLDS == number
        yield np.sort(order[~own]), np.sort(order[own])
