from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from kgfuse.encode.finetune import FinetuneConfig, FinetuneEvent, TunedTail, fit_tail
from kgfuse.encode.tail import Tail
from kgfuse.errors import ModelError, SourceError, TrainingError

CONFIG = FinetuneConfig(size=64, epochs=4, batch=4, device="cpu", precision="float32", lr_head=2e-2, patience=9)


class _StoppedError(Exception):
    pass


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], np.ndarray]:
    """Discs and crosses on noise: two shapes that the frozen features tell apart after a little training."""
    folder = tmp_path_factory.mktemp("pictures")
    chance = np.random.default_rng(0)
    paths, labels = [], []
    for number in range(28):
        image = Image.fromarray(chance.integers(0, 90, (64, 64, 3), dtype=np.uint8))
        draw = ImageDraw.Draw(image)
        x, y = chance.integers(8, 24, 2).tolist()
        if number % 2:
            draw.ellipse((x, y, x + 30, y + 30), fill="orange")
        else:
            draw.line((x, y, x + 30, y + 30), fill="skyblue", width=6)
            draw.line((x + 30, y, x, y + 30), fill="skyblue", width=6)
        image.save(folder / f"{number}.png")
        paths.append(folder / f"{number}.png")
        labels.append(number % 2)
    return paths, np.array(labels, dtype=np.int64)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def fit(pictures: tuple[list[Path], np.ndarray], cache: Path, seed: int = 0, on_event: object = None) -> TunedTail:
    paths, labels = pictures
    return fit_tail(paths[:20], labels[:20], paths[20:], labels[20:], 2, CONFIG, seed, cache, on_event)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def tail(pictures: tuple[list[Path], np.ndarray], cache: Path) -> TunedTail:
    return fit(pictures, cache)


def test_it_learns_what_it_is_shown(tail: TunedTail, pictures: tuple[list[Path], np.ndarray]) -> None:
    paths, labels = pictures
    features, logits = tail.look(paths[20:])
    assert features.shape == (8, tail.dim)
    assert (logits.argmax(axis=1) == labels[20:]).mean() >= 0.75
    assert tail.history[-1]["loss"] < tail.history[0]["loss"]


def test_a_seed_gives_the_same_weights_and_another_seed_others(
    tail: TunedTail, pictures: tuple[list[Path], np.ndarray], cache: Path
) -> None:
    assert fit(pictures, cache).sha256 == tail.sha256
    assert fit(pictures, cache, seed=1).sha256 != tail.sha256


def test_an_interrupted_run_goes_on_and_ends_in_the_same_weights(
    tail: TunedTail, pictures: tuple[list[Path], np.ndarray], tmp_path: Path
) -> None:
    def stop(event: FinetuneEvent) -> None:
        if event.stage == "epoch":
            raise _StoppedError

    with pytest.raises(_StoppedError):
        fit(pictures, tmp_path, on_event=stop)
    events: list[FinetuneEvent] = []
    resumed = fit(pictures, tmp_path, on_event=events.append)
    assert [event.done for event in events if event.stage == "epoch"] == [2, 3, 4]
    assert not [event for event in events if event.stage == "maps"]
    assert resumed.sha256 == tail.sha256


def test_saved_and_loaded_it_gives_the_same_numbers(
    tail: TunedTail, pictures: tuple[list[Path], np.ndarray], cache: Path, tmp_path: Path
) -> None:
    tail.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tail.json", "tail.safetensors"]
    loaded = TunedTail.load(tmp_path, cache)
    assert loaded.sha256 == tail.sha256
    for one, other in zip(loaded.look(pictures[0][:5]), tail.look(pictures[0][:5]), strict=True):
        assert np.array_equal(one, other)


def test_pictures_in_memory_without_a_cache_give_the_same_numbers(
    tail: TunedTail, pictures: tuple[list[Path], np.ndarray], tmp_path: Path
) -> None:
    tail.save(tmp_path)
    loaded = TunedTail.load(tmp_path)
    images = [Image.open(path) for path in pictures[0][:5]]
    assert np.array_equal(loaded.look_at(images)[1], tail.look(pictures[0][:5])[1])
    assert np.array_equal(loaded.look(pictures[0][:5])[1], tail.look(pictures[0][:5])[1])
    assert loaded.look([])[0].shape == (0, tail.dim)


def test_altered_weights_are_refused(tail: TunedTail, cache: Path, tmp_path: Path) -> None:
    tail.save(tmp_path)
    path = tmp_path / "tail.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError, match="altered"):
        TunedTail.load(tmp_path, cache)


def test_labels_that_do_not_fit_are_refused(pictures: tuple[list[Path], np.ndarray], cache: Path) -> None:
    paths, labels = pictures
    with pytest.raises(TrainingError, match="do not fit"):
        fit_tail(paths, labels + 1, [], labels[:0], 2, CONFIG, 0, cache)
    with pytest.raises(TrainingError, match="too few"):
        fit_tail(paths[:1], labels[:1], [], labels[:0], 2, CONFIG, 0, cache)


def test_without_validation_pictures_the_last_epoch_is_kept(
    pictures: tuple[list[Path], np.ndarray], cache: Path
) -> None:
    paths, labels = pictures
    config = CONFIG.model_copy(update={"epochs": 1})
    tuned = fit_tail(paths, labels, [], labels[:0], 2, config, 0, cache)
    assert len(tuned.history) == 1


def test_a_file_that_is_no_picture_is_named(tail: TunedTail, tmp_path: Path) -> None:
    (tmp_path / "odd.jpg").write_text("words")
    assert not tail.can_read(tmp_path / "odd.jpg")
    with pytest.raises(SourceError, match=r"odd\.jpg"):
        tail.look([tmp_path / "odd.jpg"])


def test_batch_norms_and_the_first_blocks_stay_as_they_were() -> None:
    net = Tail(3, 0.3).train()
    assert net.dropout.training
    assert not any(module.training for module in net.modules() if isinstance(module, torch.nn.BatchNorm2d))
    frozen = {name for name, p in net.named_parameters() if not p.requires_grad}
    assert frozen
    assert all(name.startswith(("blocks.0.", "blocks.1.")) for name in frozen)


@pytest.mark.parametrize(("blocks", "frozen"), [(1, 4), (5, 0)])
def test_as_many_of_the_last_blocks_learn_as_are_asked_for(blocks: int, frozen: int) -> None:
    net = Tail(3, 0.3, blocks)
    still = {name.split(".")[1] for name, p in net.named_parameters() if not p.requires_grad}
    assert still == {str(n) for n in range(frozen)}


def test_the_whole_network_learns_from_pixels(
    pictures: tuple[list[Path], np.ndarray], cache: Path, tmp_path: Path
) -> None:
    paths, labels = pictures
    config = CONFIG.model_copy(update={"blocks": "all", "epochs": 2})
    tuned = fit_tail(paths[:20], labels[:20], paths[20:], labels[20:], 2, config, 0, cache)
    assert tuned.history[-1]["loss"] < tuned.history[0]["loss"]
    assert tuned._net.stem is not None
    before = Tail(2, 0.3, "all")
    assert before.stem is not None
    assert not torch.equal(tuned._net.stem[0].weight, before.stem[0].weight)
    tuned.save(tmp_path)
    loaded = TunedTail.load(tmp_path, cache)
    assert np.array_equal(loaded.look(paths[:3])[1], tuned.look(paths[:3])[1])
    assert np.array_equal(loaded.look_at([Image.open(p) for p in paths[:3]])[1], tuned.look(paths[:3])[1])


def test_the_untrained_network_says_the_same_from_pixels_as_from_maps(
    pictures: tuple[list[Path], np.ndarray],
) -> None:
    found = []
    for blocks in (3, "all"):
        config = CONFIG.model_copy(update={"blocks": blocks})
        tuned = TunedTail(Tail(2, 0.0, config.blocks), 2, config, 0, None, [])
        rows = np.stack([tuned._activations.compute(Image.open(p).convert("RGB")) for p in pictures[0][:4]])
        with torch.inference_mode():
            found.append(tuned._net(tuned._activations.maps(rows))[0].numpy())
    assert np.abs(found[0] - found[1]).max() < 0.02 * np.abs(found[0]).max(), "half precision in between apart"
