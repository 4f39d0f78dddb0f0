"""Checkpoints go on exactly where they stopped; saved models come back unchanged or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.torch import save_file

from kgfuse.errors import ModelError
from kgfuse.fuse.artefact import CARD, TENSORS, load, save
from kgfuse.fuse.data import FusionData
from kgfuse.fuse.loop import EpochEvent
from kgfuse.fuse.model import FusionModel
from kgfuse.fuse.train import fit
from tests.fuse.planted import FAST, halves, planted


@pytest.fixture(scope="module")
def trained() -> tuple[FusionData, FusionModel]:
    data = planted(items=80, in_text=0.4)
    return data, fit(data, halves(data), FAST.with_overrides(["accept=0"]))


def test_a_saved_model_predicts_the_same(trained: tuple[FusionData, FusionModel], tmp_path: Path) -> None:
    data, model = trained
    save(model, tmp_path)
    again = load(tmp_path, "cpu")
    rows = np.arange(len(data.items))
    left, right = (one.predict(data, rows)["kind"].logits for one in (model, again))
    assert np.allclose(
        left, right, atol=1e-5
    )  # the same numbers at another place in memory: BLAS may round differently
    assert again.config == model.config
    assert again.metrics == json.loads(json.dumps(model.metrics))
    assert again.curves == model.curves
    assert {curve.stage for curve in again.curves} == {"layer", "graph"}
    assert {path.name for path in tmp_path.iterdir()} == {CARD, TENSORS}


def test_altered_or_missing_files_are_refused(trained: tuple[FusionData, FusionModel], tmp_path: Path) -> None:
    save(trained[1], tmp_path)
    with pytest.raises(ModelError, match="not a trained model"):
        load(tmp_path / "nowhere")
    tensors = tmp_path / TENSORS
    whole = tensors.read_bytes()
    tensors.write_bytes(whole[:-4] + b"\x00\x01\x02\x03")
    with pytest.raises(ModelError, match="hash differs"):
        load(tmp_path)
    tensors.write_bytes(whole)
    card = json.loads((tmp_path / CARD).read_text())
    (tmp_path / CARD).write_text(json.dumps(card | {"blocks": ["smell"]}))
    with pytest.raises(ModelError, match="do not fit"):
        load(tmp_path)
    (tmp_path / CARD).write_text(json.dumps(card | {"format": 99}))
    with pytest.raises(ModelError, match="another format"):
        load(tmp_path)


def test_a_model_saved_before_curves_were_kept_has_none(
    trained: tuple[FusionData, FusionModel], tmp_path: Path
) -> None:
    save(trained[1], tmp_path)
    card = json.loads((tmp_path / CARD).read_text())
    del card["curves"]
    (tmp_path / CARD).write_text(json.dumps(card))
    assert load(tmp_path).curves == ()


def test_curves_hold_what_was_told_epoch_by_epoch() -> None:
    data, told = planted(items=80, in_text=0.4), list[EpochEvent]()
    model = fit(data, halves(data), FAST.with_overrides(["refit=true"]), on_epoch=told.append)
    assert [curve.stage for curve in model.curves][:2] == ["layer", "graph"]
    for curve in model.curves:
        own = [event for event in told if event.stage == curve.stage]
        assert curve.losses == tuple(event.loss for event in own)
        if curve.stage.endswith(" again"):
            assert curve.validation == ()
            assert curve.kept == len(own)
        else:
            assert curve.validation == tuple(event.validation_loss for event in own)
            assert curve.validation[curve.kept - 1] == min(curve.validation)


class KilledError(Exception):
    """Stands for a killed process."""


@pytest.mark.parametrize("stop", [("layer", 7), ("graph", 6)])
def test_an_interrupted_run_resumes_to_the_same_model(stop: tuple[str, int], tmp_path: Path) -> None:
    data = planted(items=80, in_text=0.4)
    split, config = halves(data), FAST.with_overrides(["checkpoint_every=3", "patience=30", "gnn.patience=30"])

    def interrupt(event: EpochEvent) -> None:
        if (event.stage, event.epoch) == stop:
            raise KilledError

    with pytest.raises(KilledError):
        fit(data, split, config, resume_folder=tmp_path, on_epoch=interrupt)
    later: list[EpochEvent] = []
    resumed = fit(data, split, config, resume_folder=tmp_path, on_epoch=later.append)
    assert later[0].stage == stop[0]
    assert later[0].epoch == stop[1] - stop[1] % 3 + 1
    straight = fit(data, split, config)
    rows = np.arange(len(data.items))
    left, right = (model.predict(data, rows)["kind"].logits for model in (resumed, straight))
    assert np.array_equal(left, right)
    assert resumed.curves == straight.curves


def test_a_checkpoint_without_losses_is_begun_anew(tmp_path: Path) -> None:
    data = planted(items=80, in_text=0.4)
    split = halves(data)
    straight = fit(data, split, FAST, resume_folder=tmp_path)
    for path in tmp_path.glob("*.safetensors"):
        with safe_open(str(path), framework="pt") as file:
            note = json.loads(file.metadata()["checkpoint"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        old = {key: value for key, value in note.items() if key not in ("losses", "scores")}
        save_file(tensors, path, {"checkpoint": json.dumps(old)})
    assert fit(data, split, FAST, resume_folder=tmp_path).curves == straight.curves


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    data = planted(items=80)
    fit(data, halves(data), FAST, resume_folder=tmp_path)
    with pytest.raises(ModelError, match="another configuration"):
        fit(data, halves(data), FAST.with_overrides(["lr=0.1"]), resume_folder=tmp_path)


def test_learning_curves_are_logged_for_tensorboard(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    data = planted(items=80)
    fit(data, halves(data), FAST, log_folder=tmp_path)
    log = EventAccumulator(str(tmp_path))
    log.Reload()
    assert {"layer/loss", "layer/validation", "graph/loss", "validation/kind/accuracy"} <= set(log.Tags()["scalars"])
