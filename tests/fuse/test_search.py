"""A search judges every trial by items it has not learned from, goes on where it was killed, and admits to noise."""

from __future__ import annotations

import signal
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kgfuse.errors import ModelError, TrainingError, UsageError
from kgfuse.fuse.config import TrainConfig, parse_config
from kgfuse.fuse.data import FusionData, Split
from kgfuse.fuse.search.budget import Search, seconds_of
from kgfuse.fuse.search.folds import FOLDS, make_plan
from kgfuse.fuse.search.result import SearchResult
from kgfuse.fuse.search.run import search
from kgfuse.fuse.search.space import built_in, load_space, parse_space
from kgfuse.fuse.search.trials import Trial, opened
from tests.fuse.planted import FAST, halves, planted

QUICK = FAST.with_overrides(
    {"epochs": 4, "gnn.enabled": False, "kernel.enabled": False, "prototypes.enabled": False, "seed": 3}
)
SPACE = {"lr": {"low": 1e-3, "high": 1e-2, "log": True}, "bag": {"min_items": {"low": 1, "high": 4}}, "width": [8, 32]}
ASKED = Search(trials=4, space=SPACE)


def small() -> FusionData:
    return planted(items=64, in_text=0.6)


def quick(data: FusionData, asked: Search = ASKED, base: TrainConfig = QUICK, file: Path | None = None) -> SearchResult:
    return search(data, halves(data), base, asked, file=file)


@pytest.fixture(scope="module")
def found() -> SearchResult:
    return quick(small())


def test_the_default_is_the_first_trial_and_every_trial_meets_it_item_by_item(found: SearchResult) -> None:
    assert [trial.number for trial in found.trials] == [0, 1, 2, 3]
    default = found.trials[0]
    assert default.settings == {"lr": QUICK.lr, "bag.min_items": QUICK.bag.min_items, "width": QUICK.width}
    assert default.loss is not None
    assert len({str(trial.settings) for trial in found.trials}) == 4
    for trial in found.trials[1:]:
        assert trial.loss == pytest.approx(default.loss - (trial.gain or 0), abs=1e-9)
        assert (trial.error or 0) > 0
        assert 1e-3 <= trial.settings["lr"] <= 1e-2
        assert trial.settings["bag.min_items"] in (1, 2, 3, 4)
        assert trial.settings["width"] in (8, 32)
    assert found.items == 48
    assert found.ranking(1)[-1].number == 0 or found.best == 0


def test_the_same_seed_makes_the_same_search_and_another_one_another(found: SearchResult) -> None:
    assert quick(small()).to_dict() == found.to_dict()
    other = quick(small(), base=QUICK.with_overrides({"seed": 4}))
    assert [t.settings for t in other.trials[1:]] != [t.settings for t in found.trials[1:]]


def test_labels_of_test_items_do_not_matter(found: SearchResult) -> None:
    data = small()
    labels = data.targets[0].labels.copy()
    rows = halves(data).test
    labels[rows] = np.random.default_rng(1).permutation(labels[rows])
    assert (labels != data.targets[0].labels).any()
    assert quick(replace(data, targets=(replace(data.targets[0], labels=labels),))).to_dict() == found.to_dict()


_KILLED = """
import os, signal, sys, threading
from pathlib import Path
from tests.fuse.test_search import ASKED, QUICK, halves, search, small

def told(trial):
    if trial.number == 1:
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGKILL)).start()

data = small()
search(data, halves(data), QUICK, ASKED, file=Path(sys.argv[1]), on_trial=told)
"""


def test_a_search_that_was_killed_goes_on_to_the_same_end(found: SearchResult, tmp_path: Path) -> None:
    file = tmp_path / "searches.sqlite"
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(file)], check=False, timeout=300)
    assert killed.returncode == -signal.SIGKILL
    fresh: list[int] = []
    data = small()
    again = search(data, halves(data), QUICK, ASKED, file=file, on_trial=lambda trial: fresh.append(trial.number))
    assert again.to_dict() == found.to_dict()
    assert fresh
    assert min(fresh) >= 2, "what was finished is not done again"
    assert quick(data, file=file).to_dict() == found.to_dict()


def test_more_trials_go_on_from_the_earlier_ones_and_other_data_begin_anew(found: SearchResult, tmp_path: Path) -> None:
    file = tmp_path / "a? #%41" / "searches.sqlite"
    file.parent.mkdir()
    few = quick(small(), replace(ASKED, trials=2), file=file)
    assert few.trials == found.trials[:2]
    assert quick(small(), file=file).trials == found.trials
    assert [path.name for path in file.parent.iterdir()] == ["searches.sqlite"]
    data = small()
    for other in (
        quick(replace(data, text=data.text + 0.5), replace(ASKED, trials=1), file=file),
        quick(data, replace(ASKED, trials=1), QUICK.with_overrides({"epochs": 3}), file=file),
        quick(data, Search(trials=1, space={"width": [8, 16]}), file=file),
    ):
        assert len(other.trials) == 1
        assert other.study != found.study
    assert quick(small(), replace(ASKED, trials=1), file=file).trials == found.trials, "trials are not forgotten"


def test_a_setting_that_helps_is_chosen_and_written_as_a_configuration() -> None:
    data = planted(items=120)  # the answer lies in the graph; texts and pictures are noise
    base = QUICK.model_copy(update={"modalities": ("image",)})
    found = search(data, halves(data), base, Search(trials=4, space={"modalities": [["image"], ["graph"], ["text"]]}))
    assert found.config.modalities == ("graph",)
    assert found.chosen == found.best > 0
    assert found.gain is not None
    assert found.gain.beyond_noise
    assert found.gain.mean > 0.2
    assert "outside the noise" in found.verdict()
    assert parse_config(tomllib.loads(found.toml())) == found.config
    stopped = [t for t in found.trials if t.state == "stopped"]
    assert all(t.number > found.best and t.settings["modalities"] == ["text"] for t in stopped)


def test_settings_that_make_no_difference_beyond_noise_leave_the_default() -> None:
    data = planted(items=64, in_graph=False)  # nothing to be learned at all
    found = search(data, halves(data), QUICK, Search(trials=5, space={"width": [8, 16, 32, 64], "hidden": [16, 64]}))
    assert found.chosen == 0
    assert found.config == QUICK
    assert "kept" in found.verdict()


def test_a_trial_that_fails_is_noted_and_the_search_goes_on() -> None:
    data = small()
    blind = replace(data, image_mask=np.zeros(len(data.items), np.bool_))
    space = {"modalities": [["text", "graph"], ["image"]], "lr": {"low": 1e-3, "high": 1e-2}}
    found = quick(blind, Search(trials=6, space=space), QUICK.model_copy(update={"modalities": ("text", "graph")}))
    failed = [t for t in found.trials if t.state == "failed"]
    assert failed
    assert len(found.trials) == 6
    assert all("no training item has any of: image" in t.note and t.loss is None for t in failed)
    assert {tuple(t.settings["modalities"]) for t in failed} == {("image",)}
    assert found.trials[found.best].state == "complete"
    with pytest.raises(TrainingError, match="default settings cannot be judged: no training item has any of: image"):
        quick(blind, Search(trials=2, space=space), QUICK.model_copy(update={"modalities": ("image",)}))


def test_a_time_budget_ends_the_search_after_the_trial_in_hand(tmp_path: Path) -> None:
    file = tmp_path / "searches.sqlite"
    brief = Search(seconds=1e-3, space=SPACE)
    assert [len(quick(small(), brief, file=file).trials) for _ in range(2)] == [1, 2]


@pytest.mark.parametrize("learned_features", [False, True])
def test_each_item_judges_once_and_nothing_that_judges_was_learned_from(learned_features: bool) -> None:
    data = planted(items=200)
    split = halves(data)
    labels = data.targets[0].labels.copy()
    labels[split.train[:7]] = -1
    data = replace(data, targets=(replace(data.targets[0], labels=labels),))
    plan = make_plan(data, split, 0, learned_features=learned_features)
    judges = split.validation if learned_features else np.concatenate([split.train[7:], split.validation])
    for folds in (plan.folds, plan.again):
        assert sorted(np.concatenate([fold.test for fold in folds])) == sorted(judges)
        assert len(folds) == (2 if learned_features else FOLDS)
        for fold in folds:
            parts = [set(fold.train), set(fold.validation), set(fold.test)]
            assert sum(map(len, parts)) == len(set.union(*parts)) == len(split.train) + len(split.validation)
            assert set(split.train[:7]) <= parts[0]
            for part in (fold.validation, fold.test):
                counts = np.bincount(labels[part], minlength=4)
                assert counts.max() - counts.min() <= 5
    assert not np.array_equal(plan.folds[0].test, plan.again[0].test)
    few = Split(split.train[:3], split.validation[:3], split.test)
    with pytest.raises(TrainingError, match="too few"):
        make_plan(data, few, 0, learned_features=learned_features)


def test_the_built_in_space_names_settings_that_exist_and_leaves_alone_what_has_no_effect() -> None:
    base = TrainConfig()
    assert all(name in built_in(base) for name in ("lr", "bag.rank", "gnn.layers"))
    assert "lr" not in built_in(base, ["lr"])
    assert not [n for n in built_in(base.with_overrides(["gnn.enabled=false"])) if n.startswith("gnn.")]
    texts = built_in(base.model_copy(update={"modalities": ("text",)}))
    assert not [n for n in texts if n.startswith(("gnn.", "bag."))]
    assert "modality_dropout" not in texts
    data = small()
    nothing = np.zeros(len(data.items), np.bool_)
    bare = replace(data, text_mask=nothing, image_mask=nothing)
    tried = [set(quick(each, Search(trials=1)).trials[0].settings) for each in (data, bare)]
    assert tried[0] - tried[1] == {"modality_dropout"}
    assert "bag.rank" in tried[1]
    assert "matching" not in tried[0], "no class has a description or a picture"
    with pytest.raises(UsageError, match="no setting is left"):
        search(small(), halves(small()), QUICK, Search(trials=1), pinned=list(built_in(QUICK)))


@pytest.mark.parametrize(
    ("text", "said", "remedy"),
    [
        ("lr = [", "not readable as TOML", "correct"),
        ("", "empty", "dropout"),
        ("learning_rate = [0.1, 0.2]", "unknown setting 'learning_rate'", "did you mean|known"),
        ("[gnn]\nlayer = [1, 2]", "unknown setting 'gnn.layer'", "gnn.layers"),
        ("lr = 0.1", "'lr' = 0.1 leaves nothing to choose", "--set"),
        ("lr = [0.1]", "'lr' has fewer than two values", "list"),
        ("lr = [0.1, -1]", "'lr' = -1", "correct"),
        ("[gnn]\nlayers = {low = 1, high = 9}", "'gnn.layers' = 9", "correct"),
        ("dropout = {low = 0.1, hihg = 0.5}", "'dropout': unknown key 'hihg'", "high"),
        ("dropout = {low = 0.1}", "'dropout': a range without 'high'", "a number"),
        ("width = {low = 16.5, high = 32}", "'width': low = 16.5 is not a whole number", "whole"),
        ("dropout = {low = 0.5, high = 0.1}", "'dropout': low 0.5 is not below high 0.1", "swap"),
        ("dropout = {low = 0.0, high = 0.1, log = true}", "'dropout': a logarithmic range", "raise low"),
        ("dropout = {low = 0.0, high = 0.1, step = 0.2}", "'dropout': step 0.2", "smaller"),
        ("dropout = {low = nan, high = 0.1}", "'dropout': low = nan", "number"),
        ("class_weights = {low = 1, high = 2}", "'class_weights' is no number", "list"),
        ("seed = [1, 2]", "'seed' cannot be searched", "leave it out"),
        ("[image]\nsize = [128, 256]", "'image.size' cannot be searched: picture features", "leave it out"),
    ],
)
def test_a_bad_search_space_is_told_with_file_name_and_remedy(
    tmp_path: Path, text: str, said: str, remedy: str
) -> None:
    file = tmp_path / "space.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        load_space(file, TrainConfig())
    assert caught.value.where == str(file)
    assert said in caught.value.what
    assert any(part in caught.value.remedy for part in remedy.split("|"))


def test_what_mattered_is_told_where_there_are_enough_trials_to_tell() -> None:
    space = parse_space({"lr": {"low": 1e-3, "high": 1e-2}, "dropout": {"low": 0.0, "high": 0.5}}, QUICK)
    with opened(None, "study", {}) as trials:
        rng = np.random.default_rng(0)
        for number in range(24):
            drawn = {"lr": float(rng.uniform(1e-3, 1e-2)), "dropout": float(rng.uniform(0, 0.5))}
            loss = np.full(4, 100 * drawn["lr"])
            trials.add(Trial("complete", drawn, loss, 5, float(loss.mean())), space)
            if number == 10:
                assert trials.importance(space) == {}
        found = trials.importance(space)
    assert found["lr"] > 3 * found["dropout"]
    assert sum(found.values()) == pytest.approx(1, abs=1e-3)


def test_a_space_that_is_exhausted_ends_the_search() -> None:
    found = quick(small(), Search(trials=30, space={"width": [8, 32, 64]}))
    assert sorted(t.settings["width"] for t in found.trials) == [8, 32, 64]


def test_a_default_outside_of_the_space_is_still_the_first_trial() -> None:
    found = quick(small(), Search(trials=3, space={"width": [8, 16], "lr": {"low": 0.01, "high": 0.02}}))
    assert found.trials[0].settings == {"width": 32, "lr": QUICK.lr}
    assert all(t.settings["width"] in (8, 16) for t in found.trials[1:])


def test_damaged_trials_are_refused_and_named(tmp_path: Path) -> None:
    file = tmp_path / "searches.sqlite"
    file.write_bytes(b"no database, not at all" * 100)
    with pytest.raises(ModelError, match=r"searches\.sqlite.*delete the file"):
        quick(small(), file=file)


@pytest.mark.parametrize("text", ["", "10 x", "-5m", "1h30", "m", "10m later", "1.5.2s"])
def test_what_is_no_span_of_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        seconds_of(text)
    assert [seconds_of(t) for t in ("90", "90s", "1.5min", "10 m", "1h 30m", "2d")] == [90, 90, 90, 600, 5400, 172800]


def test_a_search_without_end_is_refused() -> None:
    for bad in ({}, {"seconds": 0.0}, {"seconds": float("inf")}, {"trials": 0}):
        with pytest.raises(UsageError):
            Search(**bad)  # type: ignore[arg-type]


def test_several_targets_count_alike_however_many_labels_they_have() -> None:
    data = small()
    kind = data.targets[0]
    some = np.where(np.arange(64) % 2, kind.labels, -1)
    twice = replace(data, targets=(kind, replace(kind, name="some", labels=some)))
    plan = make_plan(twice, halves(data), 0)
    judged = np.concatenate([fold.test for fold in plan.folds])
    counts = {target.name: int(target.labelled[judged].sum()) for target in twice.targets}
    assert counts["kind"] > 1.5 * counts["some"]
    assert plan.weight["kind"] * counts["kind"] == pytest.approx(plan.weight["some"] * counts["some"])
    assert sum(plan.weight[name] * count for name, count in counts.items()) == pytest.approx(sum(counts.values()))
    assert (quick(twice, replace(ASKED, trials=1)).trials[0].loss or 0) > 0
