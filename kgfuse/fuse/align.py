"""Cross-modal alignment: two views of items (text, picture, graph) brought into one space where it pays.

Learned from items that have both views; no label is read. What is kept (how the projections are made, and how much the
*words* count beside them: what either view says in the space of the text encoder, such as the names of the classes
that a CNN sees) is what finds the right partner best among held-out items. Where nothing that was learned does so
clearly better than the words alone, these are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from kgfuse.encode.device import one_thread
from kgfuse.fuse.blocks import centre
from kgfuse.fuse.data import BoolArray, FloatArray, IntArray
from kgfuse.fuse.partners import Floats, Found, Ranked, found, reciprocal
from kgfuse.fuse.projections import Canonical, Projections, Recipe, contrastive

LEAST_PAIRS: Final = 40
"""Items with both views below which nothing is learned."""
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


@dataclass(frozen=True, eq=False, slots=True)
class View:
    """One modality of n items.

    Args:
        values: (n, d) features.
        words: (n, d_text) the same in the space of the text encoder, zero rows where nothing is known.
    """

    values: FloatArray
    words: FloatArray

    def __getitem__(self, rows: IntArray | BoolArray) -> View:
        return View(self.values[rows], self.words[rows])


@dataclass(frozen=True, eq=False, slots=True)
class Alignment:
    """A pair of views in one space: cosines of :meth:`left` and :meth:`right` rows compare them.

    Args:
        projections: of the two views; ``None`` where the words alone are compared.
        recipe: how they were made.
        share: of the words in the similarity, 0 to 1.
        means: of the left values, right values, left words, right words.
        pairs: items that it was learned from.
        kept: what it does on held-out items; ``None`` where the pairs were too few to tell.
        words: what the words alone do there; ``None`` where a view has none.
    """

    projections: Projections | None
    recipe: Recipe | None
    share: float
    means: tuple[FloatArray, FloatArray, FloatArray, FloatArray]
    pairs: int
    kept: Found | None = None
    words: Found | None = None

    @property
    def method(self) -> str:
        """What is compared: ``canonical``, ``contrastive`` or both, ``words``, or a mixture."""
        parts = [] if self.recipe is None else [self.recipe.name]
        return " + ".join(parts + ["words"] * (self.share > 0))

    def left(self, view: View) -> FloatArray:
        """(n, k) rows of length one."""
        return self._rows(view, 0)

    def right(self, view: View) -> FloatArray:
        """(n, k) rows of length one."""
        return self._rows(view, 1)

    def _rows(self, view: View, side: int) -> FloatArray:
        said = _words(view.words, self.means[2 + side])
        if self.projections is None:
            return said
        projected = unit(centre(view.values, self.means[side]) @ self.projections[side])
        return joined(projected, said, self.share)


def joined(projected: FloatArray, said: FloatArray, share: float) -> FloatArray:
    """Rows whose products are (1 - share) · those of ``projected`` + share · those of ``said``."""
    if share == 0:
        return projected
    return np.concatenate([np.float32((1 - share) ** 0.5) * projected, np.float32(share**0.5) * said], axis=1)


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
        means, recipe = _means(self.left, self.right), choice.recipe
        made: Projections | None = None
        if recipe is not None:
            a, b = centre(self.left.values, means[0]), centre(self.right.values, means[1])
            made = Canonical(a, b).by(recipe) if recipe.ridges else None
            if recipe.epochs:
                made = next(contrastive(a, b, (recipe.epochs,), made, seed=self.seed))[1]
        words = found(self.ranked[WORDS]) if WORDS in self.ranked else None
        return Alignment(made, recipe, choice.share, means, len(self.left.values), found(self.ranked[choice]), words)


def fit_alignment(names: Sequence[str], left: View, right: View, *, seed: int = 0) -> Alignment | None:
    """Align two views of items that have both.

    Args:
        names: n unique names; the order of the items does not matter.
        left: of the items.
        right: of the same items.
        seed: of folds and training.

    Returns:
        the words alone where pairs are few or the same over and over; ``None`` where there is nothing to compare:
        neither pairs to learn from that find each other better than by chance, nor words on both sides.
    """
    if len(names) < LEAST_PAIRS or not (_varies(left) and _varies(right)):
        return words_alone(left, right, len(names))
    trials = try_all(names, left, right, seed=seed)
    kept = trials.kept()
    if kept == CHANCE:
        return None
    with one_thread():
        return trials.fitted(kept)


def fit_projections(names: Sequence[str], left: FloatArray, right: FloatArray, *, seed: int = 0) -> Projections | None:
    """Canonical projections of two views of items, for rows that are centred already.

    Quick beside :func:`fit_alignment`: nothing is trained.

    Args:
        names: n unique names; the order of the items does not matter.
        left: (n, d_left) rows of length one.
        right: (n, d_right) rows of the same items.
        seed: of the folds.

    Returns:
        ``None`` where they do not clearly bring partners together.
    """
    silent = np.zeros((len(names), 1), np.float32)
    views = View(left, silent), View(right, silent)
    if len(names) < LEAST_PAIRS or not all(map(_varies, views)):
        return None
    trials = try_all(names, *views, seed=seed, epochs=())
    with one_thread():
        return trials.fitted(trials.kept()).projections if trials.kept() != CHANCE else None


def words_alone(left: View, right: View, pairs: int = 0) -> Alignment | None:
    """Compare what two views say in words, with nothing learned; the views need not be of the same items.

    Args:
        left: rows of one view; their mean is taken away where they are enough to have one.
        right: rows of the other.
        pairs: how many items have both.

    Returns:
        ``None`` where a view says nothing in words.
    """
    if not _speak(left, right):
        return None
    means = [
        mean if len(view.words) >= LEAST_PAIRS else np.zeros_like(mean)
        for view, mean in zip((left, right, left, right), _means(left, right), strict=True)
    ]
    return Alignment(None, None, 1.0, (means[0], means[1], means[2], means[3]), pairs)


@one_thread()
def try_all(
    names: Sequence[str],
    left: View,
    right: View,
    *,
    seed: int = 0,
    epochs: Sequence[int] = EPOCHS,
    from_chance: bool = False,
) -> Trials:
    """Every choice on every fold: learned from the others, judged on it.

    Args:
        names: n unique names.
        left: of the items.
        right: of the same items.
        seed: of folds and training.
        epochs: of contrastive training that are tried; empty for none.
        from_chance: whether contrastive training is tried without the canonical projections to start from, too.
    """
    order = np.array(sorted(range(len(names)), key=names.__getitem__), np.int64)
    if len(order) > _MOST:
        order = order[np.sort(np.random.default_rng([seed, 20261130]).permutation(len(order))[:_MOST])]
    left, right = left[order], right[order]
    speaking = _speak(left, right)
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
    if not epochs:
        return trials
    best = trials.best(c for c in ranked if c.recipe is not None).recipe
    assert best is not None
    for fold in folds:
        for epoch, made in contrastive(*fold.learned, epochs, fold.canonical.by(best), seed=seed):
            judge(Recipe(best.ridges, best.power, epoch), made, fold)
        if from_chance:
            for epoch, made in contrastive(*fold.learned, epochs, seed=seed):
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
        means = _means(left[learned], right[learned])
        values = [centre(v.values, mean) for v, mean in ((left, means[0]), (right, means[1]))]
        said = [_words(v.words[held], mean) for v, mean in ((left, means[2]), (right, means[3]))]
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


def _speak(left: View, right: View) -> bool:
    return bool(np.abs(left.words).sum() > 0 and np.abs(right.words).sum() > 0)


def _varies(view: View) -> bool:
    """Whether there are enough different rows for every part of the items to have some."""
    return len(np.unique(view.values.round(5), axis=0)) > LEAST_PAIRS // 2


def _means(left: View, right: View) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    found = []
    for rows in (left.values, right.values, left.words, right.words):
        there = rows[np.abs(rows).sum(axis=1) > 0]
        mean = unit(there).mean(axis=0) if len(there) else np.zeros(rows.shape[1])
        found.append(np.asarray(mean, np.float32))
    return found[0], found[1], found[2], found[3]


def _words(words: FloatArray, mean: FloatArray) -> FloatArray:
    there = np.abs(words).sum(axis=1) > 0
    return np.asarray(centre(words, mean) * there[:, None], np.float32)


def unit(values: FloatArray) -> FloatArray:
    """Rows of length one; zero rows stay."""
    norm = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(values / np.maximum(norm, 1e-12), np.float32)
