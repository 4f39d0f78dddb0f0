"""A trained model finds the answer where it lies, says how sure it is, and does not depend on accidents."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from kgfuse.errors import TrainingError
from kgfuse.fuse.ablation import FUSED, LATE, ablate
from kgfuse.fuse.config import KernelConfig
from kgfuse.fuse.data import BoolArray, FusionData, GraphArrays, IntArray, Target, empty_graph
from kgfuse.fuse.experts import KernelExpert, Problem
from kgfuse.fuse.loop import EpochEvent
from kgfuse.fuse.metrics import evaluate
from kgfuse.fuse.model import FusionModel
from kgfuse.fuse.train import fit
from tests.fuse.planted import FAST, described, halves, planted


@pytest.fixture(scope="module")
def in_graph() -> tuple[FusionData, FusionModel]:
    data = planted(missing=0.3)
    return data, fit(data, halves(data), FAST)


def score(model: FusionModel, data: FusionData) -> float:
    return evaluate(model, data, halves(data).test, "kind")["accuracy"]


def test_an_answer_in_the_graph_is_found(in_graph: tuple[FusionData, FusionModel]) -> None:
    data, model = in_graph
    assert score(model, data) > 0.9
    rows = halves(data).test
    blind = model.predict(data, rows, drop_modalities=frozenset({"graph"}))["kind"]
    assert np.mean(blind.answer == data.targets[0].labels[rows]) < 0.6


def test_an_answer_in_the_features_is_not_lost_to_a_useless_graph() -> None:
    data = planted(in_text=1.2, in_image=1.2, in_graph=False)
    found = ablate(data, [halves(data)] * 2, FAST, [0, 1])
    assert found.difference("kind", FUSED, "text").mean > -0.03
    assert found.difference("kind", FUSED, LATE).mean > -0.05
    rows = {row.name: row for row in found.rows["kind"]}
    assert rows["graph"].mean < 0.5 < rows[FUSED].mean
    assert [row["name"] for row in found.to_dict()["targets"]["kind"]["rows"]] == list(rows)
    assert "inside the noise" in found.table()


def test_probabilities_and_gates_are_shares(in_graph: tuple[FusionData, FusionModel]) -> None:
    data, model = in_graph
    answer = model.predict(data, np.arange(len(data.items)))["kind"]
    assert np.allclose(answer.probabilities.sum(axis=1), 1, atol=1e-5)
    assert np.allclose(answer.gates.sum(axis=1), 1, atol=1e-5)
    picture = answer.modalities.index("image")
    assert (answer.gates[~data.image_mask, picture] == 0).all()


def test_the_same_seed_gives_the_same_numbers() -> None:
    data = planted(items=80, in_text=0.5)
    split = halves(data)
    runs = [
        fit(data, split, FAST.model_copy(update={"seed": seed})).predict(data, split.test)["kind"].logits
        for seed in (1, 1)
    ]
    assert np.array_equal(runs[0], runs[1])


def test_the_order_of_items_nodes_and_edges_does_not_matter() -> None:
    data = planted(items=80, in_text=0.5)
    split = halves(data)
    chance = np.random.default_rng(5)
    order = chance.permutation(80)
    place = np.argsort(order)
    moved = chance.permutation(len(data.graph.nodes))
    where = np.argsort(moved)
    edges = data.graph.edges[chance.permutation(len(data.graph.edges))]
    other = replace(
        data,
        items=tuple(data.items[n] for n in order),
        item_node=where[data.item_node[order]],
        text=data.text[order],
        text_mask=data.text_mask[order],
        image=data.image[order],
        image_mask=data.image_mask[order],
        graph=GraphArrays(
            tuple(data.graph.nodes[n] for n in moved),
            data.graph.relations[::-1],
            np.stack([where[edges[:, 0]], 1 - edges[:, 1], where[edges[:, 2]]], axis=1),
            data.graph.features[moved],
        ),
        targets=(replace(data.targets[0], labels=data.targets[0].labels[order]),),
    )
    again = replace(split, train=place[split.train], validation=place[split.validation], test=place[split.test])
    left = fit(data, split, FAST).predict(data, split.test)["kind"].probabilities
    right = fit(other, again, FAST).predict(other, again.test)["kind"].probabilities
    assert np.allclose(left, right, atol=2e-2)
    assert (left.argmax(axis=1) == right.argmax(axis=1)).mean() > 0.9


def test_new_items_in_a_larger_graph_are_read_by_names(in_graph: tuple[FusionData, FusionModel]) -> None:
    data, model = in_graph
    fresh = replace(planted(seed=0, missing=0.3), items=tuple(f"new:{n}" for n in range(160)), targets=())
    graph = fresh.graph
    nodes = tuple(name.replace("item:", "new:") for name in graph.nodes)
    wider = replace(
        graph,
        nodes=("unheard of", *nodes),
        relations=("unknown", *graph.relations),
        edges=np.concatenate([graph.edges + 1, [[1, 0, 0]]]),
        features=np.concatenate([np.zeros((1, 8), np.float32), graph.features]),
    )
    answer = model.predict(replace(fresh, graph=wider, item_node=fresh.item_node + 1), halves(data).test)["kind"]
    assert np.mean(answer.answer == data.targets[0].labels[halves(data).test]) > 0.9


def test_few_rows_and_all_rows_get_the_same_answer(in_graph: tuple[FusionData, FusionModel]) -> None:
    data, model = in_graph
    everything = model.predict(data, np.arange(len(data.items)))["kind"].logits
    assert np.allclose(model.predict(data, np.array([7]))["kind"].logits, everything[[7]], atol=1e-3)


def test_parents_never_score_below_their_children() -> None:
    data = planted(in_text=0.5)
    membership = np.array([[1, 0, 1], [1, 0, 1], [0, 1, 1], [0, 1, 1]], np.bool_)
    classes = replace(data.targets[0].classes, ancestors=("left", "right", "thing"), membership=membership)
    data = replace(data, targets=(replace(data.targets[0], classes=classes),))
    answer = fit(data, halves(data), FAST).predict(data, halves(data).test)["kind"]
    assert np.allclose(answer.ancestor_probabilities[:, 2], 1, atol=1e-5)
    for child, parents in enumerate(membership):
        for parent in np.flatnonzero(parents):
            assert (answer.ancestor_probabilities[:, parent] >= answer.probabilities[:, child] - 1e-6).all()


def test_a_class_without_training_items_is_found_by_its_description() -> None:
    data = planted(items=240, classes=8, in_text=3.0, in_graph=False)
    labels = data.targets[0].labels
    text = np.stack([data.text[labels == kind].mean(axis=0) for kind in range(8)])
    target = Target("kind", described([f"kind:{n}" for n in range(8)], text, 24), labels)
    data = replace(data, targets=(target,))
    split = halves(data)
    known = replace(
        split, train=split.train[labels[split.train] < 6], validation=split.validation[labels[split.validation] < 6]
    )
    model = fit(data, known, FAST.with_overrides({"modalities": ("text",), "epochs": 40}))
    unseen = split.test[labels[split.test] >= 6]
    scores = model.predict(data, unseen)["kind"].probabilities
    assert np.mean(scores[:, 6:].argmax(axis=1) + 6 == labels[unseen]) > 0.8
    assert np.mean(scores.argmax(axis=1) == labels[unseen]) > 0.8, "beside the classes that have items"
    seen = split.test[labels[split.test] < 6]
    assert np.mean(model.predict(data, seen)["kind"].answer == labels[seen]) > 0.85


def test_several_targets_are_learned_together_one_of_them_multi_label() -> None:
    data = planted(in_text=0.5)
    kind = data.targets[0]
    tags: BoolArray = np.stack([kind.labels < 2, kind.labels % 2 == 0, kind.labels == 3], axis=1)
    known = np.random.default_rng(0).random(len(tags)) < 0.8
    several = Target("tags", replace(planted(classes=3).targets[0].classes), tags, known=known)
    data = replace(data, targets=(kind, several))
    split = halves(data)
    model = fit(data, split, FAST)
    assert score(model, data) > 0.85
    figures = evaluate(model, data, split.test, "tags")
    assert figures["micro_f1"] > 0.85
    assert model.stacks["tags"].thresholds is not None
    assert model.predict(data, split.test)["tags"].given.shape == (len(split.test), 3)


def test_a_model_may_abstain(in_graph: tuple[FusionData, FusionModel]) -> None:
    data, model = in_graph
    shy = replace(model, config=model.config.with_overrides(["abstain=0.999999"]))
    answer = shy.predict(data, halves(data).test)["kind"]
    assert (answer.answer == -1).any()
    assert not answer.given[answer.answer == -1].any()


def test_a_picture_classifier_counts_as_much_as_validation_says() -> None:
    data = planted(in_graph=False, in_text=0.3)
    labels = data.targets[0].labels
    prior = np.full((160, 4), -3.0, np.float32)
    prior[np.arange(160), labels] = 0.0
    prior[::7] = np.nan
    good = replace(data, targets=(replace(data.targets[0], image_logits=prior),))
    model = fit(good, halves(data), FAST)
    assert model.stacks["kind"].weight["image"] > 0
    assert score(model, good) > 0.8
    cheat = prior[np.random.default_rng(0).permutation(160)]
    cheat[halves(data).train] = prior[halves(data).train]  # right only where it was trained
    bad = replace(data, targets=(replace(data.targets[0], image_logits=cheat),))
    assert fit(bad, halves(data), FAST).stacks["kind"].weight["image"] == 0


def test_a_text_classifier_is_weighed_with_the_base_on_honest_answers() -> None:
    data = planted(in_graph=False, in_text=0.3)
    labels, split = data.targets[0].labels, halves(data)
    said = np.random.default_rng(1).normal(size=(160, 4)).astype(np.float32)
    said[np.arange(160), labels] += 3
    said[::7] = np.nan

    def fitted(logits: np.ndarray) -> tuple[FusionData, FusionModel]:
        told = replace(data, targets=(replace(data.targets[0], text_logits=logits),))
        return told, fit(told, split, FAST)

    told, model = fitted(said)
    assert "text" in model.stacks["kind"].base
    assert model.stacks["kind"].weight["text"] > 0
    assert score(model, told) > score(fit(data, split, FAST), data) + 0.1
    without = model.predict(told, split.test, drop_modalities=frozenset({"text"}))["kind"]
    blank = replace(data.targets[0], text_logits=np.full_like(said, np.nan))
    unread = replace(data, text_mask=np.zeros(160, np.bool_), targets=(blank,))
    assert np.allclose(without.probabilities, model.predict(unread, split.test)["kind"].probabilities, atol=1e-5)
    assert fitted(said[np.random.default_rng(0).permutation(160)])[1].stacks["kind"].weight["text"] < 0.05
    late = fit(told, split, FAST.model_copy(update={"head": "linear"}))
    assert late.stacks["kind"].weight["text"] > 0, "late fusion has it, too"


def test_of_classes_without_items_a_text_classifier_says_nothing() -> None:
    data = planted(items=240, classes=8, in_text=0.7, in_graph=False)
    labels = data.targets[0].labels
    centres = np.stack([data.text[labels == kind].mean(axis=0) for kind in range(8)])
    said = np.full((240, 8), -4, np.float32)
    said[np.arange(240), labels] = 0.0
    known = described([f"kind:{n}" for n in range(8)], centres, 24)
    told = replace(data, targets=(Target("kind", known, labels, text_logits=said),))
    split = halves(told)
    split = replace(split, train=split.train[labels[split.train] < 6], validation=split.validation[:0])
    model = fit(told, split, FAST)
    unseen = split.test[labels[split.test] >= 6]
    assert score_on(model, told, unseen) > 0.3, "though the classifier would have known: it never met them"


def test_items_without_anything_get_an_answer_near_the_prior(in_graph: tuple[FusionData, FusionModel]) -> None:
    data, model = in_graph
    nothing = model.predict(data, np.arange(4), drop_modalities=frozenset({"text", "image", "graph"}))["kind"]
    assert np.isfinite(nothing.probabilities).all()
    assert (nothing.gates == 0).all()


def test_text_alone_without_graph_or_pictures_trains() -> None:
    data = planted(in_text=1.5)
    classes = replace(data.targets[0].classes, image=np.zeros((4, 0), np.float32))
    bare = replace(
        data,
        graph=empty_graph(),
        item_node=np.full(160, -1),
        image=np.zeros((160, 0), np.float32),
        image_mask=np.zeros(160, np.bool_),
        targets=(replace(data.targets[0], classes=classes),),
    )
    found = ablate(bare, [halves(data)], FAST, [0])
    assert [row.name for row in found.rows["kind"]] == ["text", LATE, FUSED]
    assert found.rows["kind"][-1].mean > 0.8


def test_progress_is_told_and_a_target_without_labels_is_refused() -> None:
    data = planted(items=80)
    events: list[EpochEvent] = []
    fit(data, halves(data), FAST, on_epoch=events.append)
    assert {event.stage for event in events} == {"layer", "graph"}
    unlabelled = replace(data, targets=(replace(data.targets[0], labels=np.full(80, -1)),))
    with pytest.raises(TrainingError, match="no training item has a label"):
        fit(unlabelled, halves(data), FAST)


def test_without_validation_items_the_base_stands_alone() -> None:
    data = planted(items=80)
    split = halves(data)
    model = fit(data, replace(split, validation=split.validation[:0]), FAST)
    kept = {name for name, weight in model.stacks["kind"].weight.items() if weight}
    assert kept <= set(model.stacks["kind"].base), "nothing could speak for the layer or the R-GCN"
    assert score(model, data) > 0.7


def test_descriptions_of_the_classes_help_where_items_are_few() -> None:
    data = planted(items=160, classes=8, in_text=0.7, in_graph=False)
    labels = data.targets[0].labels
    centres = np.stack([data.text[labels == kind].mean(axis=0) for kind in range(8)])
    told = replace(data, targets=(Target("kind", described([f"kind:{n}" for n in range(8)], centres, 24), labels),))
    split = halves(data)
    few = replace(split, train=split.train[:24])
    model = fit(told, few, FAST)
    assert model.stacks["kind"].weight["match text"] > 0
    assert score(model, told) > score(fit(data, few, FAST), data)


def test_refitting_learns_from_validation_items_and_from_nothing_else() -> None:
    gains, config = [], FAST.model_copy(update={"refit": True})
    for seed in range(3):
        data = planted(items=120, seed=seed, in_text=0.6, in_graph=seed > 0)
        split = halves(data, seed)
        split = replace(split, train=split.train[:20], validation=np.concatenate([split.validation, split.train[20:]]))
        plain, again = fit(data, split, FAST), fit(data, split, config)
        assert again.metrics == plain.metrics, "what validation said of it was said before"
        assert again.stacks["kind"].weight == plain.stacks["kind"].weight
        gains.append(score_on(again, data, split.test) - score_on(plain, data, split.test))
        others = data.targets[0].labels.copy()
        others[split.test] = 0
        blind = fit(replace(data, targets=(replace(data.targets[0], labels=others),)), split, config)
        found, same = (m.predict(data, split.test)["kind"].logits for m in (again, blind))
        assert np.array_equal(found, same)
    assert np.mean(gains) > 0.02, gains


def test_a_class_that_only_validation_items_have_is_learned_by_refitting() -> None:
    data = planted(in_text=2.0)
    split, labels = halves(data), data.targets[0].labels
    late = split.train[labels[split.train] == 3]
    split = replace(split, train=np.setdiff1d(split.train, late), validation=np.union1d(split.validation, late))
    model = fit(data, split, FAST.model_copy(update={"refit": True}))
    answer = model.predict(data, split.test)["kind"]
    assert np.mean(answer.answer[labels[split.test] == 3] == 3) > 0.8


def test_refitting_without_test_items_is_refused() -> None:
    data = planted(items=40)
    with pytest.raises(TrainingError, match="no test items"):
        fit(data, replace(halves(data), test=np.zeros(0, np.int64)), FAST.model_copy(update={"refit": True}))


@pytest.mark.parametrize("ridge", [1e-3, 1.0, 10.0])
def test_items_that_are_alike_do_not_stop_the_kernel(ridge: float) -> None:
    chance = torch.Generator().manual_seed(0)
    features = torch.nn.functional.normalize(torch.randn(40, 64, generator=chance), dim=1)[torch.arange(1200) % 40]
    features = features + 1e-5 * torch.randn(features.shape, generator=chance)
    labels = torch.arange(1200) % 40 % 4
    expert = KernelExpert(64, 800, {"kind": 4})
    expert.get_buffer("landmarks").copy_(features[:800])
    problem = Problem(features, labels, 4, features, labels, torch.ones(4))
    expert.fit("kind", problem, KernelConfig(sigma=(0.6,), ridge=(ridge,)))
    assert (expert(features)["kind"].argmax(1) == labels).all()


def score_on(model: FusionModel, data: FusionData, rows: IntArray) -> float:
    return evaluate(model, data, rows, "kind")["accuracy"]
