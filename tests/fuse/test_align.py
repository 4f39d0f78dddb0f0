"""Two views are aligned where they share something, from pairs alone, and never by what was held out."""

from dataclasses import replace

import numpy as np
import pytest

from kgfuse.fuse import align_files
from kgfuse.fuse.align import LEAST_PAIRS, fit_alignment, words_alone
from kgfuse.fuse.partners import Ranked, found, reciprocal
from kgfuse.fuse.projections import contrastive
from kgfuse.fuse.trials import _Fold, try_all
from kgfuse.fuse.views import View

COUNT = 160


def names(count=COUNT):
    return [f"item {n:03}" for n in range(count)]


def planted(count=COUNT, *, noise=0.5, seed=0):
    """Two views of six hidden numbers, each mixed and with noise of its own; neither says anything in words."""
    mixing = np.random.default_rng(7)
    to_left, to_right = mixing.normal(size=(6, 20)), mixing.normal(size=(6, 30))
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(count, 6))
    left = hidden @ to_left + noise * rng.normal(size=(count, 20))
    right = hidden @ to_right + noise * rng.normal(size=(count, 30))
    silent = np.zeros((count, 4))
    return view(left, silent), view(right, silent)


def view(values, words):
    return View(np.asarray(values, np.float32), np.asarray(words, np.float32))


def random_words(count, seed):
    return np.random.default_rng(seed).normal(size=(count, 8))


def similarities(alignment, left, right):
    return alignment.left(left) @ alignment.right(right).T


def test_what_two_views_share_finds_new_partners():
    alignment = fit_alignment(names(), *planted())
    assert alignment is not None
    fresh = Ranked.of(similarities(alignment, *planted(100, seed=1)))
    assert found([fresh]).recall[0] > 0.5
    assert found([fresh]).reciprocal == pytest.approx(alignment.kept.reciprocal, abs=0.2)


def test_contrastive_training_finds_it_too():
    left, right = planted(noise=0.2)
    ((_, made),) = contrastive(left.values, right.values, (60,))
    new_left, new_right = planted(100, noise=0.2, seed=1)
    a, b = new_left.values @ made[0], new_right.values @ made[1]
    cosines = (a / np.linalg.norm(a, axis=1)[:, None]) @ (b / np.linalg.norm(b, axis=1)[:, None]).T
    assert found([Ranked.of(cosines)]).recall[0] > 0.4


def test_views_that_share_nothing_are_not_aligned():
    left, _ = planted()
    _, right = planted(seed=5)
    assert fit_alignment(names(), left, right) is None


def test_words_that_say_it_all_are_enough():
    said = random_words(COUNT, 3)
    left, _ = planted()
    _, right = planted(seed=5)
    alignment = fit_alignment(names(), replace(left, words=said.astype(np.float32)), view(right.values, said))
    assert alignment.method == "words"
    assert alignment.kept == alignment.words


def test_words_that_mislead_are_left_out():
    left, right = planted(noise=0.2)
    alignment = fit_alignment(
        names(), view(left.values, random_words(COUNT, 1)), view(right.values, random_words(COUNT, 2))
    )
    assert alignment.share == 0
    assert alignment.kept.reciprocal > alignment.words.reciprocal + 0.3


def test_the_order_of_the_items_does_not_matter():
    left, right = planted()
    order = np.random.default_rng(9).permutation(COUNT)
    one = fit_alignment(names(), left, right)
    two = fit_alignment([names()[n] for n in order], left[order], right[order])
    assert (one.recipe, one.share, one.kept) == (two.recipe, two.share, two.kept)
    assert np.array_equal(similarities(one, left, right), similarities(two, left, right))


def test_held_out_items_are_not_learned_from():
    left, right = planted()
    learned, held = np.arange(120), np.arange(120, COUNT)
    other = np.where(np.arange(COUNT)[:, None] >= 120, -3.0, 1.0).astype(np.float32)
    one = _Fold.of(left, right, learned, held)
    two = _Fold.of(View(left.values * other, left.words), View(right.values * other, right.words), learned, held)
    assert all(np.array_equal(a, b) for a, b in zip(one.learned, two.learned, strict=True))
    assert not np.array_equal(one.held[0], two.held[0])


def test_every_item_is_held_out_once():
    trials = try_all(names(), *planted())
    assert all(len(reciprocal(folds)) == 2 * COUNT for folds in trials.ranked.values())


def test_few_pairs_are_compared_by_words_and_it_says_so():
    few = LEAST_PAIRS - 1
    left, right = planted(few)
    said = random_words(few, 4)
    alignment = fit_alignment(names(few), view(left.values, said), view(right.values, said))
    assert (alignment.method, alignment.kept, alignment.pairs) == ("words", None, few)
    assert found([Ranked.of(similarities(alignment, view(left.values, said), view(right.values, said)))]).rank == 1
    assert words_alone(left, right) is None


def test_one_thing_over_and_over_teaches_nothing():
    left, right = planted()
    same = view(np.repeat(left.values[:5], COUNT // 5, axis=0), random_words(COUNT, 4))
    assert fit_alignment(names(), same, right) is None
    assert fit_alignment(names(), same, view(right.values, random_words(COUNT, 4))).method == "words"


def test_ranks_of_equal_similarities_are_the_middle():
    rows = Ranked.of(np.array([[1, 1, 0], [0, 1, 0], [1, 0, 0]], np.float32))
    assert rows.ranks.tolist() == [[1.5, 1.0, 2.5], [1.5, 1.5, 2.0]]


def test_alignments_come_back_from_disk(tmp_path):
    left, right = planted()
    said = random_words(COUNT, 4)
    left, right = view(left.values, said), view(right.values, said + random_words(COUNT, 5))
    alignment = fit_alignment(names(), left, right)
    extra = {"rows": left.values}
    align_files.save(tmp_path, "f", {"a-b": alignment}, extra, {"items": ["x"]})
    alignments, arrays, about = align_files.load(tmp_path, "f")
    assert np.array_equal(similarities(alignments["a-b"], left, right), similarities(alignment, left, right))
    assert alignments["a-b"].kept == alignment.kept
    assert (about, arrays["rows"].tolist()) == ({"items": ["x"]}, left.values.tolist())
    assert align_files.load(tmp_path, "other") is None
    payload = (tmp_path / align_files.TENSORS).read_bytes()
    (tmp_path / align_files.TENSORS).write_bytes(payload[:-1] + b"\x7f")
    assert align_files.load(tmp_path, "f") is None
