"""Bins of probability, and figures by class, beside what they are by definition and by scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support

from kgfuse.fuse.class_figures import class_figures, macro, micro, weighted
from kgfuse.fuse.metrics import calibration_error
from kgfuse.fuse.reliability import reliability


@st.composite
def answers(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of some items over some classes, and their labels."""
    count, classes = draw(st.integers(1, 60)), draw(st.integers(2, 6))
    chance = np.random.default_rng(draw(st.integers(0, 2**31)))
    logits = chance.normal(size=(count, classes)) * draw(st.sampled_from([0.1, 1.0, 5.0, 50.0]))
    scores = np.exp(logits - logits.max(axis=1, keepdims=True))
    labels = chance.integers(classes, size=count)
    return (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32), labels


@given(answers(), st.integers(1, 20))
def test_the_error_is_the_weighted_gap_of_the_bins(case: tuple[np.ndarray, np.ndarray], bins: int) -> None:
    scores, labels = case
    found = reliability(scores, labels, bins)
    assert [(b.low, b.high) for b in found.bins] == [(n / bins, (n + 1) / bins) for n in range(bins)]
    members: list[list[tuple[float, bool]]] = [[] for _ in range(bins)]
    for row, label in zip(scores, labels, strict=True):
        sure = np.float32(max(row))
        members[min(int(sure * bins), bins - 1)].append((float(sure), int(np.argmax(row)) == label))
    by_hand = 0.0
    for own, one in zip(members, found.bins, strict=True):
        assert (one.count, one.right) == (len(own), sum(right for _, right in own))
        if own:
            stated, share = math.fsum(p for p, _ in own) / len(own), one.right / len(own)
            assert one.confidence == pytest.approx(stated)
            assert one.share == pytest.approx(share)
            by_hand += len(own) / len(labels) * abs(stated - share)
    assert found.error == pytest.approx(by_hand, abs=1e-9)
    assert calibration_error(scores, labels, bins) == found.error


def test_without_items_nothing_is_claimed() -> None:
    found = reliability(np.zeros((0, 3), np.float32), np.zeros(0, np.int64))
    assert math.isnan(found.error)
    assert not any(b.count for b in found.bins)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("multi_label", [False, True])
def test_figures_by_class_are_those_of_scikit_learn(seed: int, multi_label: bool) -> None:
    chance = np.random.default_rng(seed)
    classes, count = int(chance.integers(2, 9)), int(chance.integers(1, 40))
    if multi_label:
        truth, given_ = chance.random((2, count, classes)) < 0.3
    else:
        truth, given_ = np.eye(classes, dtype=np.bool_)[chance.integers(classes, size=(2, count))]
    found = class_figures(given_, truth)
    precision, recall, f1, support = precision_recall_fscore_support(truth, given_, average=None, zero_division=0)
    assert [f.support for f in found] == support.tolist()
    for n, f in enumerate(found):
        assert (f.precision or 0.0, f.recall or 0.0, f.f1 or 0.0) == pytest.approx((precision[n], recall[n], f1[n]))
        assert (f.precision is None) == (not given_[:, n].any())
        assert (f.recall is None) == (not truth[:, n].any())
    has = np.flatnonzero(truth.any(axis=0))
    if not len(has):
        assert macro(found).f1 == weighted(found).f1 == 0.0
        return
    for mean, name in ((macro, "macro"), (weighted, "weighted")):
        of_all = precision_recall_fscore_support(truth[:, has], given_[:, has], average=name, zero_division=0)
        assert (mean(found).precision, mean(found).recall, mean(found).f1) == pytest.approx(of_all[:3])
    of_all = precision_recall_fscore_support(truth, given_, average="micro", zero_division=0)
    assert (micro(found).precision, micro(found).recall, micro(found).f1) == pytest.approx(of_all[:3])
