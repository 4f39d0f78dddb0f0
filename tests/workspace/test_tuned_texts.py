"""A BERT tuned on a workspace's labelled texts: trained, saved, asked, explained; and never honest about itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from kgfuse import Workspace
from kgfuse.errors import ModelError, TrainingError
from kgfuse.fuse.config import TrainConfig
from kgfuse.workspace import texts as tuning
from kgfuse.workspace.counterfactuals import Counterfactuals
from kgfuse.workspace.dataset import Dataset
from kgfuse.workspace.pictures import wants_tuning
from kgfuse.workspace.texts import TunedTexts, text_folds, tune_texts, wants_text_tuning
from kgfuse.workspace.training import _strata, make_split, prepare
from tests.workspace.samples import TEXT_ONLY, manifest, workspace

CALM = ("calm", "gentle", "quiet", "peaceful", "soft", "mild", "still", "tender")
WILD = ("savage", "furious", "violent", "raging", "fierce", "brutal", "stormy", "frantic")
OVERRIDES = (
    "epochs=3", "gnn.enabled=false", "kernel.enabled=false", "width=16", "hidden=16", "device=cpu", "matching=0.0",
    "text.finetune=true", "text.layers=1", "text.epochs=3",
)  # fmt: skip
PACK = """
@prefix w: <http://example.org/weather#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
w:Report a owl:Class ; rdfs:label "report" .
w:Calm a owl:Class ; rdfs:subClassOf w:Report ; rdfs:label "class one" .
w:Wild a owl:Class ; rdfs:subClassOf w:Report ; rdfs:label "class two" .
"""


@dataclass(frozen=True)
class Case:
    ws: Workspace
    root: Path


def filled(folder: Path) -> Path:
    rows = []
    splits = ("train",) * 5 + ("validation",) + ("test",) * 2
    for label, words in (("Calm", CALM), ("Wild", WILD)):
        for n, (word, split) in enumerate(zip(words, splits, strict=True)):
            text = f"The harbour wrote to us. The sea was {word} all through that long night."
            row = {"id": f"{label}{n}", "name": f"{label}{n}", "type": "w:Report", "text": text, "split": split}
            rows.append(row | {"label": {"rdf:type": f"w:{label}"}})
    return manifest(folder, rows)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    root = tmp_path_factory.mktemp("tuned")
    (root / "weather.ttl").write_text(PACK, encoding="utf-8")
    with workspace(root / "ws", filled(root / "data"), settings=TEXT_ONLY, ontology=root / "weather.ttl") as ws:
        ws.train("w:Report", overrides=OVERRIDES, runs=0, name="tuned")
        yield Case(ws, root)


def test_the_model_keeps_its_classifier_and_answers_with_it(case: Case) -> None:
    folder = case.root / "ws" / "models" / "tuned"
    about = json.loads((folder / "texts" / "text.json").read_text("utf-8"))
    assert about["config"]["layers"] == 1
    assert {p.label for p in case.ws.classify(model="tuned")} <= {"class one", "class two"}
    (case.root / "new.txt").write_text("The sea was furious and savage.", encoding="utf-8")
    (one,) = case.ws.classify([case.root / "new.txt"], model="tuned")
    assert 0.5 <= one.probability <= 1
    assert not list((case.root / "ws" / "features" / "texts").glob("*")), "checkpoints are gone"


def test_an_explanation_asks_the_classifier_again_without_a_sentence(case: Case) -> None:
    (one, *_) = case.ws.classify(model="tuned")
    context = one._context
    assert context.texts is not None
    counter = Counterfactuals(one, context)
    assert [s.split()[1] for s in counter.sentences] == ["harbour", "sea"]
    logits = counter._without({0}, []).targets[0].text_logits
    assert logits is not None
    assert np.allclose(logits[context.row], context.texts.net.scores(counter.sentences[1:])[0], atol=1e-5)
    others = np.arange(len(logits)) != context.row
    before = counter.data.targets[0].text_logits
    assert before is not None
    assert np.array_equal(logits[others], before[others])
    nothing = counter._without({0, 1}, []).targets[0].text_logits
    assert nothing is not None
    assert np.isnan(nothing[context.row]).all()
    assert {p.place.exact for p in one.explain().passages} == set(counter.sentences)


def test_training_items_are_judged_by_a_classifier_that_has_not_seen_them(case: Case) -> None:
    ws = case.ws
    parts, found = ws._parts, ws._facts()
    prepared = prepare(parts, found, ["w:Report"])
    split = make_split(prepared.dataset.samples, _strata(prepared.dataset))
    config = TrainConfig().with_overrides(OVERRIDES)
    tuned, dataset = tune_texts(parts, prepared.dataset, split, config, lambda *_: None)
    own = dataset.data.targets[0].text_logits
    assert own is not None
    asked = tuned.applied(parts, prepared.dataset).data.targets[0].text_logits
    assert asked is not None
    other = np.setdiff1d(np.arange(len(own)), split.train)
    assert np.array_equal(own[other], asked[other])
    assert not np.isclose(own[split.train], asked[split.train]).all(axis=1).any()


def test_what_was_killed_goes_on_without_learning_finished_classifiers_anew(case: Case) -> None:
    parts = case.ws._parts
    prepared = prepare(parts, case.ws._facts(), ["w:Report"])
    split = make_split(prepared.dataset.samples, _strata(prepared.dataset))
    config = TrainConfig().with_overrides([*OVERRIDES, "seed=7"])
    told: set[str] = set()

    def tuned(stop_at: str) -> tuple[TunedTexts, Dataset]:
        def event(stage: str, done: int, total: int, note: str) -> None:
            told.add(stage.removeprefix("fine-tune: text, "))
            if stop_at in stage:
                raise KeyboardInterrupt

        return tune_texts(parts, prepared.dataset, split, config, event)

    whole = tuned("nowhere")
    assert told == {"all", *(f"fold {n} of 4" for n in (1, 2, 3, 4))}
    with pytest.raises(KeyboardInterrupt):
        tuned("fold 3")
    told.clear()
    again = tuned("nowhere")
    assert told == {"fold 3 of 4", "fold 4 of 4"}
    assert again[0].net.sha256 == whole[0].net.sha256
    one, other = (found[1].data.targets[0].text_logits for found in (whole, again))
    assert one is not None
    assert other is not None
    assert np.array_equal(one, other, equal_nan=True)
    assert not (parts.folder / "features" / "texts").exists()


def test_left_to_itself_it_tunes_only_where_texts_are_many_enough_and_quick(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = prepare(case.ws._parts, case.ws._facts(), ["w:Report"])
    split = make_split(prepared.dataset.samples, _strata(prepared.dataset))

    def wanted(*overrides: str) -> bool:
        config = TrainConfig(device="cpu").with_overrides(overrides)
        return wants_text_tuning(case.ws._parts, prepared.dataset, split, config)

    assert not wanted()
    assert wanted("text.finetune=true")
    monkeypatch.setattr(tuning, "MINIMUM_TEXTS", 10)
    assert wanted()
    assert not wanted("text.finetune=false")
    assert not wanted("modalities=['graph']")
    monkeypatch.setattr(tuning, "MOST_CHARACTERS", 1000)
    assert not wanted()


def test_what_is_asked_for_and_cannot_be_is_said(case: Case) -> None:
    prepared = prepare(case.ws._parts, case.ws._facts(), ["w:Report"])
    split = make_split(prepared.dataset.samples, _strata(prepared.dataset))
    config, parts = TrainConfig(device="cpu").with_overrides(["text.finetune=true"]), case.ws._parts
    target = prepared.dataset.data.targets[0]
    several = replace(target, labels=np.eye(2, dtype=np.bool_)[np.maximum(target.labels, 0)])
    dataset = replace(prepared.dataset, data=replace(prepared.dataset.data, targets=(several,)))
    with pytest.raises(TrainingError, match="gives several"):
        wants_text_tuning(parts, dataset, split, config)
    assert not wants_text_tuning(parts, dataset, split, config.with_overrides(["text.finetune=auto"]))
    pictures = config.with_overrides(["image.finetune=true"])
    with pytest.raises(TrainingError, match="an image classifier is tuned for one class an item"):
        wants_tuning(dataset, split, pictures)
    with pytest.raises(TrainingError, match="0 labelled training items have a picture"):
        wants_tuning(prepared.dataset, split, pictures)
    assert not wants_tuning(dataset, split, config)
    silent = tuple(replace(s, texts=()) for s in prepared.dataset.samples)
    with pytest.raises(TrainingError, match="0 labelled training items have a text"):
        wants_text_tuning(parts, replace(prepared.dataset, samples=silent), split, config)


def test_a_damaged_classifier_is_refused(case: Case) -> None:
    path = case.root / "ws" / "models" / "tuned" / "texts" / "text.json"
    before = path.read_text("utf-8")
    path.write_text(before.replace('"weights": "', '"weights": "0'), encoding="utf-8")
    try:
        with Workspace.open(case.root / "ws", read_only=True) as again, pytest.raises(ModelError, match="altered"):
            again.classify(model="tuned")
    finally:
        path.write_text(before, encoding="utf-8")


def test_folds_hold_equal_texts_together_and_spread_each_class() -> None:
    chance = np.random.default_rng(0)
    texts = [f"text {n}" for n in chance.integers(0, 30, 80)]
    labels = [int(t.split()[1]) % 3 for t in texts]
    fold = text_folds(texts, labels)
    assert all(len({fold[n] for n in range(80) if texts[n] == t}) == 1 for t in set(texts))
    order = chance.permutation(80)
    assert np.array_equal(text_folds([texts[n] for n in order], [labels[n] for n in order]), fold[order])
    for label in range(3):
        distinct = {texts[n]: fold[n] for n in range(80) if labels[n] == label}
        sizes = np.bincount(list(distinct.values()), minlength=4)
        assert sizes.max() - sizes.min() <= 1
