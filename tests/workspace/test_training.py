"""Train, classify, explain: a tiny workspace of texts and coloured shapes, end to end."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kgfuse import Search, Workspace
from kgfuse.errors import ModelError, TrainingError, UsageError
from kgfuse.fuse.config import load_config
from kgfuse.terms.namespaces import GRAPH_INFERRED, GRAPH_PREDICTED, KGF, RDF
from kgfuse.workspace.training import Trained
from tests.sources.sounds import INSPECTION
from tests.workspace.samples import FG, ITEM, graph_hash, manifest, shape, workspace

SETTINGS = {
    "extract": {"extractors": ["text", "image"], "image": {"ocr": "off", "tags": False}},
    "validate_shapes": False,
}
QUICK = ("epochs=3", "patience=3", "gnn.enabled=false", "kernel.enabled=false", "width=16", "hidden=16", "device=cpu")
KINDS = {
    "Bird": (("owl", "wren", "gull", "hen", "crow", "robin"), "blue", 0, "It has feathers and eats mice."),
    "Tool": (("saw", "axe", "adze", "drill", "file", "plane"), "grey", 4, "It is made of steel."),
    "Fruit": (("pear", "plum", "fig", "lime", "grape", "melon"), "green", 3, "It grows on trees and tastes sweet."),
}
SPLITS = ("train", "train", "train", "validation", "test", "test")


@dataclass(frozen=True)
class Case:
    """A trained workspace."""

    ws: Workspace
    folder: Path
    trained: Trained


def filled(folder: Path) -> Path:
    """Eighteen items, each a text and a picture, with two kinds of label: one class, and several habitats."""
    rows = []
    for kind, (names, colour, corners, told) in KINDS.items():
        for n, (name, split) in enumerate(zip(names, SPLITS, strict=True)):
            shape(folder / f"{name}.png", colour, corners=corners, shift=n, size=64)
            label = {
                "rdf:type": f"fg:{kind}",
                "fg:livesIn": ["fg:forest", "fg:river"][: 1 + n % 2] if kind == "Bird" else ["fg:river"],
            }
            row = {"id": name, "name": name, "type": "fg:Thing", "text": f"The {name} is old. {told}", "split": split}
            rows.append(row | {"images": [f"{name}.png"], "label": label})
    return manifest(folder, rows)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    root = tmp_path_factory.mktemp("trained")
    with workspace(root / "ws", filled(root / "data"), settings=SETTINGS) as ws:
        trained = ws.train(["fg:Thing", "fg:livesIn"], overrides=QUICK, runs=0, name="both")
        yield Case(ws, root / "data", trained)


def test_where_items_have_groups_none_is_on_two_sides_of_the_split(tmp_path: Path) -> None:
    path = filled(tmp_path / "data")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for number, row in enumerate(rows):
        del row["split"]
        row["group"] = f"box {number % 9}"  # one item of a class, and one of the next
    with workspace(tmp_path / "ws", manifest(tmp_path / "data", rows), settings=SETTINGS) as ws:
        trained = ws.train("fg:Thing", overrides=[*QUICK, "image.copies=1", "image.finetune=false"], runs=0)
        sides = json.loads((trained.folder / "model.json").read_text())["items"]
        box = {item.iri: item.group for item in ws.items()}
    assert all(sides[name] for name in ("train", "validation", "test"))
    found = [{box[iri] for iri in sides[name]} for name in ("train", "validation", "test")]
    assert sum(map(len, found)) == len(set().union(*found)) == 9


def test_training_reports_on_the_test_items_of_every_target(case: Case) -> None:
    assert case.trained.counts == {"train": 9, "validation": 3, "test": 6}
    assert set(case.trained.metrics) == {FG + "Thing", FG + "livesIn"}
    for metrics in case.trained.metrics.values():
        assert metrics["items"] == 6
        assert 0 <= metrics["accuracy" if "accuracy" in metrics else "micro_f1"] <= 1
    assert case.trained.metrics[FG + "Thing"]["accuracy"] > 0.5


def test_a_models_folder_holds_safetensors_and_json_and_nothing_else(case: Case) -> None:
    found = [p for p in case.trained.folder.rglob("*") if p.is_file()]
    assert {p.suffix for p in found} == {".safetensors", ".json"}
    assert not list((case.ws.path / "models").glob(".*")), "no checkpoint is left behind"
    card = json.loads((case.trained.folder / "model.json").read_text())
    assert set(card["items"]) == {"train", "validation", "test"}
    assert not set(card["items"]["train"]) & set(card["items"]["test"])


def test_models_are_listed_and_an_unknown_one_is_refused(case: Case) -> None:
    assert "both" in [m.name for m in case.ws.models()]
    with pytest.raises(UsageError, match="no model is called 'nix'"):
        case.ws.classify(model="nix")
    with pytest.raises(UsageError, match="does not predict"):
        case.ws.classify(model="both", target="fg:eats")


def test_test_items_are_classified_and_the_answers_stand_in_the_predicted_graph_alone(case: Case) -> None:
    store = case.ws.graph.store
    before = {str(q) for q in store.quads()}
    answers = case.ws.classify(model="both")
    assert {a.name for a in answers} == {n for names, *_ in KINDS.values() for n in names[4:]}
    for a in answers:
        assert sum(r.probability for r in a.ranking) == pytest.approx(1, abs=1e-4)
        assert a.label == ("" if a.abstained else a.ranking[0].label)
        assert sum(a.shares.values()) == pytest.approx(1, abs=1e-3)
        over = {r.iri: r.probability for r in a.ancestors}
        assert all(
            p >= a.probability - 1e-5 for i, p in over.items() if i in case.ws.vocabulary.ancestors(a.ranking[0].iri)
        )
    assert {str(q) for q in store.quads()} == before, "what is predicted does not hold"
    predicted = list(store.quads(graph=GRAPH_PREDICTED))
    assert len([q for q in predicted if q.predicate.value == KGF + "probability"]) == len(
        [a for a in answers if a.labels]
    )
    inferred = len(list(store.quads(graph=GRAPH_INFERRED)))
    case.ws.classify(model="both")
    assert list(store.quads(graph=GRAPH_PREDICTED)) == predicted
    case.ws._parts.catalog.set_state("built", "")
    case.ws.build()
    assert len(list(store.quads(graph=GRAPH_INFERRED))) == inferred, "no prediction is reasoned with"


def test_several_labels_at_once(case: Case) -> None:
    answers = case.ws.classify(model="both", target="fg:livesIn")
    assert all(0 <= r.probability <= 1 for a in answers for r in a.ranking)
    assert any(sum(r.probability for r in a.ranking) != pytest.approx(1, abs=1e-3) for a in answers)
    assert {r.iri for a in answers for r in a.labels} <= {FG + "forest", FG + "river"}


def test_new_files_are_classified_by_text_by_picture_or_by_both(case: Case, tmp_path: Path) -> None:
    before = graph_hash(case.ws)
    (tmp_path / "kite.txt").write_text("The kite has feathers and eats mice.")
    shape(tmp_path / "kite.png", "blue", shift=2, size=64)
    text, picture = case.ws.classify([tmp_path / "kite.txt"]), case.ws.classify([tmp_path / "kite.png"])
    both = case.ws.classify([tmp_path])
    assert (len(text), len(picture), len(both)) == (1, 1, 1)
    assert text[0].shares["image"] == 0
    assert picture[0].shares["text"] == 0
    assert both[0].shares["text"] > 0
    assert both[0].shares["image"] > 0
    assert text[0].ranking[0].iri == FG + "Bird"
    assert graph_hash(case.ws) == before, "nothing of them enters the workspace"
    again = case.ws.classify([tmp_path])
    assert again[0].to_dict() == both[0].to_dict()


def test_a_new_recording_is_classified_by_what_is_said_in_it(case: Case, tmp_path: Path) -> None:
    shutil.copy(INSPECTION, tmp_path / "walk")
    (answer,) = case.ws.classify([tmp_path / "walk"])
    assert answer.shares["text"] > 0
    assert answer.shares["image"] == 0
    assert case.ws.classify([tmp_path])[0].to_dict() == answer.to_dict()
    (tmp_path / "facts.ttl").write_text("<urn:a> <urn:b> <urn:c> .")
    with pytest.raises(UsageError, match="neither text, picture nor recording"):
        case.ws.classify([tmp_path / "facts.ttl"])


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "empty"), (b"\x89PNG\r\n\x1a\n....", ""), (b"\xff\xfe\xfd", "not valid")]
)
def test_a_new_file_that_cannot_be_read_is_told(case: Case, tmp_path: Path, content: bytes, said: str) -> None:
    from kgfuse.errors import KgfuseError

    (tmp_path / "x").write_bytes(content)
    with pytest.raises(KgfuseError, match=said):
        case.ws.classify([tmp_path / "x"])


def test_what_is_neither_item_nor_file_is_refused(case: Case) -> None:
    with pytest.raises(UsageError, match="neither an item nor a file"):
        case.ws.classify(["nowhere.txt"])


def test_an_explanation_leads_to_the_very_characters_and_pixels(case: Case) -> None:
    (answer,) = case.ws.classify(["crow"])
    why = answer.explain()
    assert why.item == ITEM + "crow"
    assert why.statements
    assert set(why.shares) == {"text", "image", "graph"}
    places = [p for s in why.statements for p in s.places] + [p.place for p in why.passages]
    assert {p.kind for p in places} == {"text", "image"}
    stored = {r.name: r for r in case.ws.sources()}
    for place in places:
        row = stored[place.source]
        if place.kind == "text":
            text = case.ws._parts.blobs.read_text(str(row.text_sha256))
            assert text[place.start : place.end] == place.exact
            assert text[place.context_start :].startswith(place.context)
        else:
            assert place.box is not None
            x, y, w, h = place.box
            assert min(x, y) >= 0 < min(w, h)
            assert max(x + w, y + h) <= 64
    assert all(abs(s.effect) <= 1 for s in why.statements)
    assert [s.effect for s in why.statements] == sorted((s.effect for s in why.statements), reverse=True)
    check = why.check
    assert check.before == pytest.approx(answer.probability, abs=1e-4)
    for p in (check.without_cited, check.without_random[0], check.only_cited):
        assert 0 <= p <= 1
    assert sum(why.shares.values()) <= check.before + 1e-3
    assert json.loads(json.dumps(why.to_dict()))["check"]["holds"] == check.holds
    assert not [s for s in why.statements if s.predicate == RDF + "type" and s.object == answer.ranking[0].iri]
    items = {i.label or i.identifier: i for i in case.ws.items()}
    assert len(why.nearest) == 3
    assert all(items[n.name].split == "train" and n.labels and set(n.by) <= set(why.shares) for n in why.nearest)
    assert Counter(label for n in why.nearest for label in n.labels).most_common(1)[0][0] == answer.label


def test_what_would_change_an_answer_is_said_in_the_words_of_its_evidence(case: Case) -> None:
    found = 0
    for answer in case.ws.classify():
        why = answer.explain()
        if why.change is None:
            continue
        found += 1
        assert why.change.label != answer.label
        assert why.change.parts
        said = {s.text for s in why.statements} | {f"“{p.place.exact}”" for p in why.passages if p.place.kind == "text"}
        assert all(part in said or part.startswith("the region ") for part in why.change.parts)
        if len(why.change.parts) == 1 and why.change.parts[0] in said:
            assert max(e.effect for e in (*why.statements, *why.passages)) > 0
    assert found


def test_a_model_that_is_unsure_abstains(case: Case) -> None:
    case.ws.train("fg:Thing", overrides=[*QUICK, "abstain=1.0"], runs=0, name="shy")
    answers = case.ws.classify(model="shy")
    assert all(a.abstained and a.label == "" and a.labels == () and a.ranking for a in answers)


def test_a_model_that_cannot_promise_its_risk_says_so_and_gives_no_answer(case: Case) -> None:
    trained = case.ws.train("fg:Thing", overrides=[*QUICK, "risk=0.05"], runs=0, name="careful")
    promised = trained.promises[FG + "Thing"]
    assert not promised.kept
    assert "CANNOT be promised" in promised.said()
    answers = case.ws.classify(model="careful")
    assert all(a.abstained and a.needed is None and a.label == "" and a.labels == () and a.ranking for a in answers)
    assert answers[0].to_dict()["needed"] is None
    judged = case.ws.assess(model="careful").targets[0]
    assert judged.promise == promised
    assert (judged.abstained, judged.wrong_if_given) == (6, 0)
    case.ws.report(case.folder / "careful.html", model="careful", answers=0)
    page = (case.folder / "careful.html").read_text(encoding="utf-8")
    assert "CANNOT be promised" in page
    assert "Here it answers 0 of 6." in page


def test_a_promise_that_can_be_held_tells_from_which_probability_on_there_are_answers(case: Case) -> None:
    trained = case.ws.train("fg:Thing", overrides=[*QUICK, "risk=0.6", "risk_confidence=0.5"], runs=0, name="bold")
    promised = trained.promises[FG + "Thing"]
    assert promised.threshold is not None
    for a in case.ws.classify(model="bold"):
        assert a.needed == promised.threshold
        assert a.abstained == (a.probability < a.needed)


def test_a_damaged_model_is_refused_and_the_others_answer(case: Case) -> None:
    shutil.copytree(case.trained.folder, case.trained.folder.with_name("kept"))
    files = [p for p in case.trained.folder.rglob("*") if p.is_file()]
    try:
        for path in files:
            whole = path.read_bytes()
            for damaged in (whole[: len(whole) // 2], b"", bytes(whole[:-9]) + b"x" * 9):
                path.write_bytes(damaged)
                case.ws._predictors.clear()
                with pytest.raises(ModelError) as caught:
                    case.ws.classify(["crow"], model="both")
                assert "train" in caught.value.remedy
            path.write_bytes(whole)
    finally:
        case.ws._predictors.clear()
        shutil.rmtree(case.trained.folder.with_name("kept"))


def test_one_seed_gives_the_same_answers_also_after_an_interruption(case: Case) -> None:
    def interrupt(stage: str, done: int, total: int, note: str) -> None:
        if stage == "train" and done >= 2:
            raise KeyboardInterrupt

    config = [*QUICK, "checkpoint_every=1", "seed=3"]
    case.ws.train("fg:Thing", overrides=config, runs=0, name="whole")
    with pytest.raises(KeyboardInterrupt):
        case.ws.train("fg:Thing", overrides=config, runs=0, name="resumed", on_event=interrupt)
    assert "resumed" not in [m.name for m in case.ws.models()]
    case.ws.train("fg:Thing", overrides=config, runs=0, name="resumed")
    one, other = (case.ws.classify(model=m) for m in ("whole", "resumed"))
    for a, b in zip(one, other, strict=True):
        assert [r.iri for r in a.ranking] == [r.iri for r in b.ranking]
        assert [r.probability for r in a.ranking] == pytest.approx([r.probability for r in b.ranking], abs=1e-6)


def test_a_search_goes_on_in_the_workspace_and_its_choice_is_kept_with_the_model(case: Case) -> None:
    space = {"width": [8, 16, 24], "modality_dropout": [0.0, 0.3]}
    notes: list[str] = []

    def interrupt(stage: str, done: int, total: int, note: str) -> None:
        if stage == "search":
            notes.append(note)
            if done == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        case.ws.train("fg:Thing", overrides=QUICK, runs=0, search=Search(trials=3, space=space), on_event=interrupt)
    assert [note.split(":")[0] for note in notes] == ["", "default settings", "trial 1"]
    notes.clear()
    trained = case.ws.train(
        "fg:Thing",
        overrides=QUICK,
        runs=0,
        name="found",
        search=Search(trials=3, space=space),
        on_event=lambda stage, done, total, note: notes.append(note) if stage == "search" else None,
    )
    found = trained.search
    assert found is not None
    assert [note.split(":")[0] for note in notes[:2]] == ["", "trial 2"], "the first two are not done again"
    assert found.items == 12
    assert load_config(trained.folder / "settings.toml") == found.config
    card = json.loads((trained.folder / "model.json").read_text())
    assert card["search"] == json.loads(json.dumps(found.to_dict()))
    assert card["config"] == found.config.model_dump(mode="json")
    assert case.ws.classify(model="found")
    pinned = case.ws.train("fg:Thing", overrides=QUICK, runs=0, name="pinned", search=Search(trials=1)).search
    assert pinned is not None
    assert "width" not in pinned.trials[0].settings
    assert "dropout" in pinned.trials[0].settings
    with pytest.raises(UsageError, match="unknown setting"):
        case.ws.train("fg:Thing", runs=0, search=Search(trials=1, space={"widht": [1, 2]}))


def test_what_cannot_be_learned_is_told(case: Case, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="0 classes to tell apart") as caught:
        case.ws.train("fg:Vehicle", runs=0)
    assert "fg:livesIn" in caught.value.remedy
    with pytest.raises(UsageError):
        case.ws.train("fg:Thing", overrides=["epoch=3"], runs=0)
    with pytest.raises(TrainingError, match="cannot be a model's name"):
        case.ws.train("fg:Thing", overrides=QUICK, runs=0, name="../x")
    with workspace(tmp_path / "ws") as ws:
        with pytest.raises(UsageError, match="not built"):
            ws.train("fg:Thing")
        with pytest.raises(UsageError, match="no model is trained yet"):
            ws.classify()
