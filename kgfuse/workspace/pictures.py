"""Fine-tuning the CNN's last blocks on a workspace's labelled pictures, and its features and scores for any picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kgfuse.encode.finetune import FinetuneConfig, FinetuneEvent, TunedTail, fit_tail
from kgfuse.errors import ModelError
from kgfuse.fuse.config import TrainConfig
from kgfuse.fuse.data import Split
from kgfuse.terms.mentions import Source
from kgfuse.workspace.dataset import Dataset, in_columns
from kgfuse.workspace.parts import OnEvent, Parts
from kgfuse.workspace.tuned import can_tune, read_classes, write_classes

MINIMUM_PICTURES = 1000
"""Labelled training pictures from which on ``image.finetune = "auto"`` tunes."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Tuned:
    """A tuned CNN tail, which reads pictures in place of the frozen CNN.

    Args:
        tail: the tuned blocks.
        target: name of the target whose classes it was tuned on.
        classes: IRIs of its outputs.
    """

    tail: TunedTail
    target: str
    classes: tuple[str, ...]

    def applied(self, parts: Parts, dataset: Dataset, icons: Sequence[Sequence[Source]]) -> Dataset:
        """The data set with tuned features, and the tuned classifier's log-probabilities.

        Args:
            parts: the workspace.
            dataset: with frozen features.
            icons: pictures of each class of the first target.
        """
        data = dataset.data
        image, scores, mask = self.read(parts, [s.pictures for s in dataset.samples])
        icon, _, icon_mask = self.read(parts, icons)
        targets = []
        for target in data.targets:
            if target.name == self.target:
                classes = replace(target.classes, image=icon, image_mask=icon_mask)
                targets.append(
                    replace(target, classes=classes, image_logits=in_columns(scores, self.classes, classes.iris))
                )
            else:
                none = np.zeros(len(target.classes.iris), np.bool_)
                blank = np.zeros((len(none), image.shape[1]), np.float32)
                targets.append(replace(target, classes=replace(target.classes, image=blank, image_mask=none)))
        return replace(dataset, data=replace(data, image=image, image_mask=mask, targets=tuple(targets)))

    def read(self, parts: Parts, pictures: Sequence[Sequence[Source]]) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
        """Mean features (n, dim) and mean log-probabilities (n, classes) of each item's pictures; NaN where none."""
        width, count = self.tail.dim, len(self.classes)
        distinct = {s.sha256: s for group in pictures for s in group if s.path is not None}
        key = f"{self.tail.sha256}|tuned"
        _, known = parts.features.get(key, list(distinct))
        fresh = [s for s, k in zip(distinct.values(), known, strict=True) if not k]
        readable = [s for s in fresh if s.path is not None and self.tail.can_read(s.path)]
        for start in range(0, len(readable), 64):
            chunk = readable[start : start + 64]
            features, logits = self.tail.look([s.path for s in chunk if s.path is not None])
            both = np.concatenate([features, _log_softmax(logits)], axis=1)
            parts.features.put(key, [s.sha256 for s in chunk], both)
        features_out = np.zeros((len(pictures), width), np.float32)
        scores = np.full((len(pictures), count), np.nan, np.float32)
        mask = np.zeros(len(pictures), np.bool_)
        for row, group in enumerate(pictures):
            found, have = parts.features.get(key, [s.sha256 for s in group])
            if have.any():
                mean = found[have].mean(axis=0)
                features_out[row], scores[row], mask[row] = mean[:width], mean[width:], True
        return features_out, scores, mask

    def save(self, folder: Path) -> None:
        """Write the tail (safetensors and JSON) with the classes that it tells apart."""
        self.tail.save(folder)
        write_classes(folder, self.target, self.classes)

    @classmethod
    def load(cls, folder: Path) -> Tuned:
        """Read what :meth:`save` wrote.

        Raises:
            ModelError: the files are damaged.
        """
        try:
            return cls(TunedTail.load(folder), *read_classes(folder))
        except (OSError, ValueError, KeyError, TypeError) as e:
            raise ModelError(f"cannot be read: {e}", where=folder, remedy="train it again") from e


def wants_tuning(dataset: Dataset, split: Split, config: TrainConfig) -> bool:
    """Whether a run fine-tunes: as configured, or, left to itself, from a thousand labelled pictures on.

    Raises:
        TrainingError: it is asked for, and the first target gives items several classes or no item a picture.
    """
    setting, pictures = config.image.finetune, int(dataset.data.image_mask[split.train].sum())
    if "image" not in config.modalities or not can_tune("image", setting, dataset.data.targets[0], pictures):
        return False
    return setting is True or pictures >= MINIMUM_PICTURES


def tune(parts: Parts, dataset: Dataset, split: Split, config: TrainConfig, on_event: OnEvent) -> Tuned:
    """Tune the tail on the training pictures, the best epoch chosen on the validation pictures."""
    target = dataset.data.targets[0]

    def pictures(rows: npt.NDArray[np.int64]) -> tuple[list[Path], npt.NDArray[np.int64]]:
        paths, labels = [], []
        for row in rows.tolist():
            for s in dataset.samples[row].pictures:
                if s.path is not None and dataset.data.image_mask[row]:
                    paths.append(s.path)
                    labels.append(int(target.labels[row]))
        return paths, np.array(labels, np.int64)

    train_paths, train_labels = pictures(split.train)
    validation_paths, validation_labels = pictures(split.validation)
    seen = np.unique(train_labels)
    column = {int(c): i for i, c in enumerate(seen)}
    kept = np.isin(validation_labels, seen)
    options = FinetuneConfig(blocks=config.image.blocks, epochs=config.image.finetune_epochs, size=config.image.size)

    def event(e: FinetuneEvent) -> None:
        on_event(f"fine-tune: {e.stage}", e.done, e.total, e.note)

    tail = fit_tail(
        train_paths,
        np.array([column[int(c)] for c in train_labels], np.int64),
        [p for p, k in zip(validation_paths, kept, strict=True) if k],
        np.array([column[int(c)] for c in validation_labels[kept]], np.int64),
        num_classes=len(seen),
        config=options,
        seed=config.seed,
        cache_folder=parts.folder / "features" / "activations",
        on_event=event,
    )
    return Tuned(tail, target.name, tuple(target.classes.iris[int(c)] for c in seen))


def _log_softmax(logits: Floats) -> Floats:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)), np.float32)
