"""Cross-modal alignment: two views of items (text, picture, graph) brought into one space where it pays.

Learned from items that have both views; no label is read. What is kept (how the projections are made, and how much the
*words* count beside them: what either view says in the space of the text encoder, such as the names of the classes
that a CNN sees) is what finds the right partner best among held-out items. Where nothing that was learned does so
better than the words alone by more than a standard error, the words alone are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from kgfuse.encode.device import one_thread
from kgfuse.fuse.blocks import centre
from kgfuse.fuse.data import BoolArray, FloatArray, IntArray
from kgfuse.fuse.projections import Canonical, Projections, Recipe, contrastive

LEAST_PAIRS: Final = 40
"""Items with both views below which nothing is learned."""
RIDGES: Final = (0.01, 0.1, 1.0)
POWERS: Final = (0.0, 1.0, 2.0)
EPOCHS: Final = (10, 30, 100)
SHARES: Final = (0.0, 0.1, 0.25, 0.5)
_FOLDS: Final = 4
_MANY: Final = 1_000
"""Pairs from which on one fold is held out in place of four, and at most so many of them judge."""

_Floats = npt.NDArray[np.float64]


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


@dataclass(frozen=True, slots=True)
class Found:
    """How well partners are found among n held-out items, both directions together unless said otherwise.

    Args:
        reciprocal: mean reciprocal rank.
        recall: at 1, 5 and 10.
        rank: the median.
        distance: by how many standard deviations the partner's similarity lies above the mean of all, left to right
            and right to left.
    """

    reciprocal: float
    recall: tuple[float, float, float]
    rank: float
    distance: tuple[float, float]


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


@dataclass(slots=True)
class _Tried:
    """Reciprocal ranks of held-out partners by recipe and share, fold after fold."""

    ranks: dict[tuple[Recipe | None, float], list[_Floats]] = field(default_factory=dict)
    scores: dict[tuple[Recipe | None, float], list[FloatArray]] = field(default_factory=dict)

    def add(self, recipe: Recipe | None, share: float, scores: FloatArray) -> None:
        key = (recipe, share)
        self.ranks.setdefault(key, []).append(1 / ranks(scores))
        self.scores.setdefault(key, []).append(scores)

    def mean(self, key: tuple[Recipe | None, float]) -> float:
        return float(np.concatenate(self.ranks[key]).mean())

    def best(self, keys: Sequence[tuple[Recipe | None, float]]) -> tuple[Recipe | None, float]:
        return max(keys, key=self.mean)


@one_thread()
def fit_alignment(names: Sequence[str], left: View, right: View, *, seed: int = 0) -> Alignment | None:
    """Align two views of items that have both.

    Args:
        names: n unique names; the order of the items does not matter.
        left: of the items.
        right: of the same items.
        seed: of folds and training.

    Returns:
        ``None`` where there is nothing to compare: neither pairs to learn from that find each other better than by
        chance, nor words on both sides.
    """
    order = np.array(sorted(range(len(names)), key=names.__getitem__), np.int64)
    left, right = left[order], right[order]
    speaking = bool(np.abs(left.words).sum() > 0 and np.abs(right.words).sum() > 0)
    if len(names) < LEAST_PAIRS:
        return words_alone(left, right, len(names))
    tried = _try(left, right, speaking, seed)
    base = (None, 1.0) if speaking else (None, 0.0)
    kept = tried.best([key for key in tried.ranks if key[0] is not None])
    gain = np.concatenate(tried.ranks[kept]) - np.concatenate(tried.ranks[base])
    if gain.mean() <= gain.std(ddof=1) / np.sqrt(len(gain)):
        kept = base
    if kept == (None, 0.0):
        return None
    found = _fitted(*kept, left, right, seed)
    told = {key: judged(tried.scores[key]) for key in (kept, base) if key != (None, 0.0)}
    return Alignment(
        found.projections, found.recipe, found.share, found.means, found.pairs, told[kept], told.get((None, 1.0))
    )


def words_alone(left: View, right: View, pairs: int = 0) -> Alignment | None:
    """Compare what two views say in words, with nothing learned; the views need not be of the same items.

    Args:
        left: rows of one view; their mean is taken away where they are enough to have one.
        right: rows of the other.
        pairs: how many items have both.

    Returns:
        ``None`` where a view says nothing in words.
    """
    if not (np.abs(left.words).sum() > 0 and np.abs(right.words).sum() > 0):
        return None
    means = [
        mean if len(view.words) >= LEAST_PAIRS else np.zeros_like(mean)
        for view, mean in zip((left, right, left, right), _means(left, right), strict=True)
    ]
    return Alignment(None, None, 1.0, (means[0], means[1], means[2], means[3]), pairs)


def _try(left: View, right: View, speaking: bool, seed: int) -> _Tried:
    """Every recipe on every fold: learned from the others, judged on it."""
    tried = _Tried()
    shares = SHARES if speaking else (0.0,)
    folds = list(_folds(len(left.values), seed))

    def judge(recipe: Recipe, made: Projections, fold: _Fold) -> None:
        a, b = unit(fold.held[0] @ made[0]), unit(fold.held[1] @ made[1])
        similar, said = a @ b.T, fold.said[0] @ fold.said[1].T
        for share in shares:
            tried.add(recipe, share, np.asarray((1 - share) * similar + share * said, np.float32))

    ready = [_Fold.of(left, right, *rows) for rows in folds]
    for fold in ready:
        words = fold.said[0] @ fold.said[1].T if speaking else np.zeros((len(fold.held[0]),) * 2, np.float32)
        tried.add(None, 1.0 if speaking else 0.0, words)
        for recipe, made in fold.canonical.all(RIDGES, POWERS):
            judge(recipe, made, fold)
    best, _ = tried.best([key for key in tried.ranks if key[0] is not None])
    assert best is not None
    for fold in ready:
        for start, ridges, power in ((None, (), 0.0), (fold.canonical.by(best), best.ridges, best.power)):
            for epoch, made in contrastive(*fold.learned, EPOCHS, start, seed=seed):
                judge(Recipe(ridges, power, epoch), made, fold)
    return tried


@dataclass(frozen=True, eq=False, slots=True)
class _Fold:
    """What is learned from and what is held out, centred on what is learned from."""

    canonical: Canonical
    learned: tuple[FloatArray, FloatArray]
    held: tuple[FloatArray, FloatArray]
    said: tuple[FloatArray, FloatArray]

    @classmethod
    def of(cls, left: View, right: View, learned: IntArray, held: IntArray) -> _Fold:
        means = _means(left[learned], right[learned])
        values = [centre(v.values, mean) for v, mean in ((left, means[0]), (right, means[1]))]
        said = [_words(v.words[held], mean) for v, mean in ((left, means[2]), (right, means[3]))]
        a, b = (rows[learned] for rows in values)
        return cls(Canonical(a, b), (a, b), (values[0][held], values[1][held]), (said[0], said[1]))


def _folds(count: int, seed: int) -> Iterator[tuple[IntArray, IntArray]]:
    order = np.random.default_rng([seed, 20261130]).permutation(count)
    if count >= _MANY:
        held = min(count // _FOLDS, _MANY)
        yield np.sort(order[held:]), np.sort(order[:held])
        return
    for number in range(_FOLDS):
        own = np.arange(count) % _FOLDS == number
        yield np.sort(order[~own]), np.sort(order[own])


def _fitted(recipe: Recipe | None, share: float, left: View, right: View, seed: int) -> Alignment:
    """Learned from all pairs."""
    means = _means(left, right)
    made: Projections | None = None
    if recipe is not None:
        a, b = centre(left.values, means[0]), centre(right.values, means[1])
        made = Canonical(a, b).by(recipe) if recipe.ridges else None
        if recipe.epochs:
            made = next(contrastive(a, b, (recipe.epochs,), made, seed=seed))[1]
    return Alignment(made, recipe, share, means, len(left.values))


def ranks(scores: FloatArray) -> _Floats:
    """(2n,) rank of each row's own column and of each column's own row, from 1; of equals the middle one."""
    found = []
    for table in (scores, scores.T):
        own = np.diag(table)[:, None]
        found.append(1 + (table > own).sum(axis=1) + ((table == own).sum(axis=1) - 1) / 2)
    return np.concatenate(found)


def judged(scores: Sequence[FloatArray]) -> Found:
    """How well partners are found, by the similarities (n, n) of each fold."""
    rank = np.concatenate([ranks(table) for table in scores])
    distances = []
    for side in (0, 1):
        tables = [table if side == 0 else table.T for table in scores]
        spread = [(np.diag(t) - t.mean(axis=1)) / np.maximum(t.std(axis=1), 1e-9) for t in tables]
        distances.append(float(np.concatenate(spread).mean()))
    recall = [float((rank <= k).mean()) for k in (1, 5, 10)]
    return Found(
        float((1 / rank).mean()),
        (recall[0], recall[1], recall[2]),
        float(np.median(rank)),
        (distances[0], distances[1]),
    )


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
