"""Answers of a trained model keep to what the ontology says of the classes, after thresholds and across questions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgfuse.errors import TrainingError
from kgfuse.fuse.answers import Logic
from kgfuse.fuse.artefact import load, save
from kgfuse.fuse.data import ClassNodes, FusionData, Target, check_data, no_pairs, plain_classes
from kgfuse.fuse.metrics import evaluate
from kgfuse.fuse.model import FusionModel
from kgfuse.fuse.train import fit
from tests.fuse.planted import FAST, halves, planted

BELOW = np.array([[1, 0], [2, 0], [3, 1]])  # 3 below 1 below 0, 2 below 0
APART = np.array([[1, 2], [0, 4]])


def classes(count: int = 5, **told: object) -> ClassNodes:
    """Classes 0 to 4 with a superclass that is one of them, one that is none, and one of all."""
    ancestors = ("kind:0", "middle", "thing")
    membership = np.zeros((count, 3), np.bool_)
    membership[[1, 2, 3], 0] = membership[[1, 3], 1] = membership[:, 2] = True
    plain = plain_classes([f"kind:{n}" for n in range(count)], 16, 24)
    return replace(plain, ancestors=ancestors, membership=membership, **told)  # type: ignore[arg-type]


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.floats(0.1, 8), st.booleans())
def test_answers_keep_to_the_rules_whatever_the_scores(seed: int, spread: float, stated_here: bool) -> None:
    chance = np.random.default_rng(seed)
    between = np.array([[0, 1], [4, 0], [3, 3]])
    first = classes(below=BELOW, apart=APART, elsewhere={"other": between} if stated_here else {})
    second = classes(elsewhere={} if stated_here else {"kind": between[:, ::-1]})
    logic = Logic([("kind", first, True), ("other", second, False)])
    logits = {n: (spread * chance.normal(size=(9, 5))).astype(np.float32) for n in ("kind", "other")}
    scores = {name: logic.probabilities(name, own) for name, own in logits.items()}
    answers = logic.decide(scores, {"kind": chance.uniform(0.1, 0.9, 5).astype(np.float32), "other": None})
    kind, other = answers["kind"], answers["other"]
    for child, parent in BELOW.tolist():
        assert (scores["kind"][:, child] <= scores["kind"][:, parent]).all()
        assert not (kind.given[:, child] & ~kind.given[:, parent]).any()
    for a, b in APART.tolist():
        assert (scores["kind"][:, a] + scores["kind"][:, b] <= 1 + 1e-6).all()
        assert not (kind.given[:, a] & kind.given[:, b]).any()
    for a, b in between.tolist():
        assert not (kind.given[:, a] & other.given[:, b]).any()
    assert (other.given.sum(axis=1) == 1).all()
    assert (other.given.argmax(axis=1) == other.best).all()
    for name, several in (("kind", True), ("other", False)):
        above = logic.ancestors(name, scores[name])
        for a, members in enumerate(([0, 1, 2, 3], [1, 3], range(5))):
            assert (above[:, a : a + 1] >= scores[name][:, list(members)] - 1e-6).all()
        assert (above[:, 1] <= above[:, 0] + 1e-6).all()
        if several:
            assert np.allclose(above[:, 0], scores[name][:, 0])
        else:
            assert np.allclose(above[:, 0], scores[name][:, :4].sum(axis=1), atol=1e-5), "itself counts, too"


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_without_rules_each_class_is_decided_by_its_own_threshold(seed: int) -> None:
    chance = np.random.default_rng(seed)
    logic = Logic([("kind", classes(), True)])
    logits = chance.normal(size=(6, 5)).astype(np.float32)
    thresholds = chance.uniform(0.2, 0.8, 5).astype(np.float32)
    scores = logic.probabilities("kind", logits)
    assert np.allclose(scores, 1 / (1 + np.exp(-logits)), atol=1e-6)
    assert (logic.decide({"kind": scores}, {"kind": thresholds})["kind"].given == (scores >= thresholds)).all()


@pytest.fixture(scope="module")
def ruled() -> tuple[FusionData, FusionModel]:
    data = planted(items=240, classes=5, in_text=0.6, in_image=0.3, in_graph=False)
    kinds = data.targets[0].labels
    tags = np.eye(5, dtype=np.bool_)[kinds]
    for child, parent in BELOW[::-1].tolist():
        tags[:, parent] |= tags[:, child]
    between = np.array([[a, b] for a in range(5) for b in range(5) if not tags[kinds == b][:, a].any()])
    several = Target("kind", classes(below=BELOW, apart=APART, elsewhere={"one": between}), tags)
    data = replace(data, targets=(several, replace(data.targets[0], name="one", classes=classes())))
    return data, fit(data, halves(data), FAST.with_overrides({"gnn.enabled": False}))


def test_a_trained_model_answers_consistently_and_still_does_when_read_back(
    ruled: tuple[FusionData, FusionModel], tmp_path: Path
) -> None:
    data, model = ruled
    rows = halves(data).test
    save(model, tmp_path)
    for own in (model, load(tmp_path, "cpu")):
        found = own.predict(data, rows)
        kind, one = found["kind"], found["one"]
        assert own.logic.rules["kind"].holds(kind.given).all()
        pairs = data.targets[0].classes.elsewhere["one"]
        assert not (kind.given[:, pairs[:, 0]] & one.given[:, pairs[:, 1]]).any()
        assert (kind.probabilities[:, BELOW[:, 0]] <= kind.probabilities[:, BELOW[:, 1]]).all()


def test_the_rules_do_not_make_answers_worse(ruled: tuple[FusionData, FusionModel]) -> None:
    data, model = ruled
    free = [
        replace(t, classes=replace(t.classes, below=no_pairs(), apart=no_pairs(), elsewhere={})) for t in data.targets
    ]
    loose = replace(data, targets=tuple(free))
    other = fit(loose, halves(data), FAST.with_overrides({"gnn.enabled": False}))
    broken = ~model.logic.rules["kind"].holds(other.predict(loose, halves(data).test)["kind"].given)
    assert broken.mean() > 0.05, "on its own the model contradicts itself"
    bound, unbound = (evaluate(m, d, halves(data).test, "kind") for m, d in ((model, data), (other, loose)))
    assert bound["exact_match"] > unbound["exact_match"]
    assert bound["micro_f1"] > unbound["micro_f1"] - 0.01


def test_pairs_that_name_no_class_are_refused() -> None:
    data = planted(items=40)
    for told in ({"below": np.array([[0, 9]])}, {"apart": np.array([[0, 1, 2]])}, {"elsewhere": {"no": no_pairs()}}):
        bad = replace(data.targets[0], classes=replace(data.targets[0].classes, **told))  # type: ignore[arg-type]
        with pytest.raises(TrainingError):
            check_data(replace(data, targets=(bad,)))
