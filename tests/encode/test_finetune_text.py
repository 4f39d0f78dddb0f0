from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from kgfuse.encode.epochs import FinetuneEvent
from kgfuse.encode.finetune_text import fit_text
from kgfuse.encode.text import bert
from kgfuse.encode.tuned_text import Reading, TextTuning, TunedText
from kgfuse.errors import ModelError, TrainingError

CONFIG = TextTuning(layers=1, epochs=4, batch=4, lr_head=1e-2, patience=9, device="cpu")
GOOD = ("lovely", "delightful", "superb", "charming")
BAD = ("dreadful", "awful", "tedious", "shabby")
THINGS = ("film", "hotel", "soup", "concert", "phone", "garden")
TEXTS = [f"What a {word} {thing}." for thing in THINGS for pair in zip(GOOD, BAD, strict=True) for word in pair]
LABELS = np.array([0, 1] * (len(TEXTS) // 2), np.int64)
LEARN = slice(0, 32)


class _StoppedError(Exception):
    pass


def fit(folder: Path, config: TextTuning = CONFIG, seed: int = 0, on_event: object = None, **more: object) -> TunedText:
    return fit_text(
        TEXTS[LEARN], LABELS[LEARN], TEXTS[32:], LABELS[32:], 2, config, seed, folder=folder, on_event=on_event, **more
    )  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> TunedText:
    return fit(tmp_path_factory.mktemp("tuned"))


def test_it_learns_what_it_is_shown(tuned: TunedText) -> None:
    scores = tuned.scores(TEXTS[32:])
    assert scores.shape == (16, 2)
    assert np.allclose(np.exp(scores.astype(np.float64)).sum(axis=1), 1, atol=1e-5)
    assert np.mean(scores.argmax(axis=1) == LABELS[32:]) > 0.9
    assert tuned.history[tuned.kept - 1]["validation_accuracy"] == max(r["validation_accuracy"] for r in tuned.history)


def test_answers_do_not_depend_on_what_is_asked_beside_them(tuned: TunedText) -> None:
    together = tuned.scores(TEXTS[32:])
    assert np.allclose(tuned.scores(TEXTS[35:36]), together[3:4], atol=1e-5)
    assert np.allclose(tuned.scores(TEXTS[32:][::-1]), together[::-1], atol=1e-5)
    assert tuned.scores([]).shape == (0, 2)


def test_only_the_last_layers_learn(tmp_path: Path) -> None:
    _, untouched, _ = bert(None)
    found = fit(tmp_path, CONFIG.model_copy(update={"epochs": 1}))
    upper = found._reading.upper
    assert not torch.equal(upper.layers[-1].output.dense.weight, untouched.encoder.layer[-1].output.dense.weight)
    below, before = found._reading._lower[-1], untouched.encoder.layer[-2]
    assert torch.equal(below.output.dense.weight, before.output.dense.weight)


def test_all_layers_learn_with_the_embeddings(tmp_path: Path) -> None:
    _, untouched, _ = bert(None)
    found = fit(tmp_path, CONFIG.model_copy(update={"layers": "all", "epochs": 1}))
    words = found._reading.upper.embeddings.word_embeddings.weight
    assert not torch.equal(words, untouched.embeddings.word_embeddings.weight)
    again = _saved(found, tmp_path / "saved")
    assert np.array_equal(again.scores(TEXTS[:5]), found.scores(TEXTS[:5]))


def _saved(found: TunedText, folder: Path) -> TunedText:
    found.save(folder)
    return TunedText.load(folder)


def test_an_interrupted_run_ends_in_the_same_weights(tuned: TunedText, tmp_path: Path) -> None:
    def stop(event: FinetuneEvent) -> None:
        if event.stage == "epoch" and event.done == 2:
            raise _StoppedError

    with pytest.raises(_StoppedError):
        fit(tmp_path, on_event=stop)
    resumed: list[FinetuneEvent] = []
    assert fit(tmp_path, on_event=resumed.append).sha256 == tuned.sha256
    assert sum(event.stage == "epoch" for event in resumed) == 2
    assert not any(tmp_path.iterdir()), "checkpoints are gone once a run is over"


def test_a_finished_run_that_is_kept_is_its_best_weights_alone(tuned: TunedText, tmp_path: Path) -> None:
    assert fit(tmp_path, keep=True).sha256 == tuned.sha256
    (folder,) = tmp_path.iterdir()
    assert {p.name.split("-")[0] for p in folder.iterdir()} == {"state.json", "weights"}
    told: list[FinetuneEvent] = []
    assert fit(tmp_path, keep=True, on_event=told.append).sha256 == tuned.sha256
    assert told == []
    (weights,) = folder.glob("weights-*")
    weights.write_bytes(weights.read_bytes()[:100])
    assert fit(tmp_path).sha256 == tuned.sha256, "a damaged one is learned anew"
    assert not any(tmp_path.iterdir())


def test_seeds_differ_and_until_stops_early_without_validation(tuned: TunedText, tmp_path: Path) -> None:
    assert fit(tmp_path, seed=1).sha256 != tuned.sha256
    short = fit_text(TEXTS[LEARN], LABELS[LEARN], (), LABELS[:0], 2, CONFIG, 0, folder=tmp_path, until=2)
    assert (len(short.history), short.kept) == (2, 2)
    assert "validation_accuracy" not in short.history[0]


def test_of_a_long_text_every_stretch_counts(tuned: TunedText) -> None:
    padding = "The road went on along the river past the mill. " * 60
    begin, end = tuned.scores(["What a superb film. " + padding])[0], tuned.scores([padding + "What a superb film."])[0]
    assert np.abs(begin - end).max() < 1.0
    assert not np.allclose(end, tuned.scores([padding])[0], atol=1e-3)


def test_it_comes_back_from_disk_and_is_refused_where_altered(tuned: TunedText, tmp_path: Path) -> None:
    again = _saved(tuned, tmp_path)
    assert again.sha256 == tuned.sha256
    assert np.array_equal(again.scores(TEXTS[:4]), tuned.scores(TEXTS[:4]))
    weights = tmp_path / "text.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 0x40
    weights.write_bytes(bytes(data))
    with pytest.raises(ModelError, match="altered"):
        TunedText.load(tmp_path)
    weights.unlink()
    with pytest.raises(ModelError, match="train again"):
        TunedText.load(tmp_path)


def test_what_cannot_be_trained_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="too few"):
        fit_text(["one"], LABELS[:1], (), LABELS[:0], 2, CONFIG, 0, folder=tmp_path)
    with pytest.raises(TrainingError, match="do not fit"):
        fit_text(TEXTS[:4], LABELS[:4] + 1, (), LABELS[:0], 2, CONFIG, 0, folder=tmp_path)
    with pytest.raises(ModelError, match="1 to 6, or all"):
        Reading(None, CONFIG.model_copy(update={"layers": 7}), 2)
