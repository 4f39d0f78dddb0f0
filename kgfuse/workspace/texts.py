"""Fine-tuning a BERT's last layers on a workspace's labelled texts, and what the classifier says of any item's text.

The encoder's own features stay as they are: what the tuned one says joins the base of the fusion model as a part of
its own. Of training items it is asked by a classifier that did not learn from them (four folds, equal texts in one),
so that its weight is set on honest answers.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from kgfuse.encode.device import resolve
from kgfuse.encode.epochs import FinetuneEvent
from kgfuse.encode.finetune_text import fit_text
from kgfuse.encode.tuned_text import TextTuning, TunedText
from kgfuse.errors import ModelError
from kgfuse.fuse.config import TrainConfig
from kgfuse.fuse.data import Split
from kgfuse.fuse.groups import folds, grouping
from kgfuse.fuse.train import by_name
from kgfuse.terms.namespaces import digest
from kgfuse.workspace.dataset import Dataset, in_columns, prepared_text
from kgfuse.workspace.parts import OnEvent, Parts
from kgfuse.workspace.tuned import can_tune, read_classes, write_classes

MINIMUM_TEXTS: Final = 300
"""Labelled training texts from which on ``text.finetune = "auto"`` tunes."""
MOST_CHARACTERS: Final = 3_000_000
"""Characters, over all passes, up to which it does so without a GPU: some ten minutes on two cores."""
FOLDS: Final = 4

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class TunedTexts:
    """A tuned text classifier, beside the frozen encoder.

    Args:
        net: the classifier.
        target: name of the target whose classes it tells apart.
        classes: IRIs of its outputs.
    """

    net: TunedText
    target: str
    classes: tuple[str, ...]

    def applied(self, parts: Parts, dataset: Dataset) -> Dataset:
        """The data set with what the classifier says of every item."""
        return _with_scores(dataset, self.target, self.classes, self.scores(parts, item_texts(parts, dataset)))

    def scores(self, parts: Parts, texts: Sequence[str]) -> Floats:
        """(n, C) log-probabilities of texts, NaN for blank ones, through the workspace's cache."""
        key = f"{self.net.sha256}|said"
        names = [digest("text", t) for t in texts]
        _, known = parts.features.get(key, names)
        missing = sorted({t for t, k in zip(texts, known, strict=True) if not k and t.strip()})
        for start in range(0, len(missing), 1024):
            chunk = missing[start : start + 1024]
            parts.features.put(key, [digest("text", t) for t in chunk], self.net.scores(chunk))
        found, there = parts.features.get(key, names)
        out = np.full((len(texts), len(self.classes)), np.nan, np.float32)
        if there.any():
            out[there] = found[there]
        return out

    def save(self, folder: Path) -> None:
        """Write the classifier (safetensors and JSON) with the classes that it tells apart."""
        self.net.save(folder)
        write_classes(folder, self.target, self.classes)

    @classmethod
    def load(cls, folder: Path) -> TunedTexts:
        """Read what :meth:`save` wrote.

        Raises:
            ModelError: the files are damaged.
        """
        try:
            return cls(TunedText.load(folder), *read_classes(folder))
        except (OSError, ValueError, KeyError, TypeError) as e:
            raise ModelError(f"cannot be read: {e}", where=folder, remedy="train it again") from e


def item_texts(parts: Parts, dataset: Dataset) -> list[str]:
    """What encoders read of each item's texts; blank where it has none."""
    return [prepared_text(parts, s.texts) for s in dataset.samples]


def _with_scores(dataset: Dataset, target: str, classes: Sequence[str], scores: Floats) -> Dataset:
    """The data set with a text classifier's log-probabilities (N, C) in ``text_logits`` of one target."""
    targets = [
        replace(t, text_logits=in_columns(scores, classes, t.classes.iris)) if t.name == target else t
        for t in dataset.data.targets
    ]
    return replace(dataset, data=replace(dataset.data, targets=tuple(targets)))


def wants_text_tuning(parts: Parts, dataset: Dataset, split: Split, config: TrainConfig) -> bool:
    """Whether a run fine-tunes: as configured, or, left to itself, where texts are many enough and not too many.

    Raises:
        TrainingError: it is asked for, and the first target gives items several classes or no item a text.
    """
    setting = config.text.finetune
    if "text" not in config.modalities or setting is False or (config.head == "linear" and setting == "auto"):
        return False
    texts = item_texts(parts, dataset)
    read = [len(texts[row]) for row in split.train.tolist() if texts[row].strip()]
    if not can_tune("text", setting, dataset.data.targets[0], len(read)):
        return False
    if setting is True or len(read) < MINIMUM_TEXTS:
        return setting is True
    return resolve(config.device).type == "cuda" or sum(read) * config.text.epochs * FOLDS <= MOST_CHARACTERS


def tune_texts(
    parts: Parts, dataset: Dataset, split: Split, config: TrainConfig, on_event: OnEvent
) -> tuple[TunedTexts, Dataset]:
    """Tune on the training texts, the best epoch chosen on the validation texts.

    What was killed goes on when it is called again: classifiers that were done are not learned anew.

    Returns:
        the classifier, and the data set with what it says; of training items another one says it, which learned for
        as many epochs from the other folds.
    """
    target = dataset.data.targets[0]
    texts = item_texts(parts, dataset)
    train, validation = (
        [row for row in by_name(dataset.data, rows).tolist() if target.labels[row] >= 0 and texts[row].strip()]
        for rows in (split.train, split.validation)
    )
    seen = np.unique(target.labels[train])
    column = {int(c): i for i, c in enumerate(seen)}
    validation = [row for row in validation if int(target.labels[row]) in column]
    options = TextTuning(layers=config.text.layers, epochs=config.text.epochs, lr=config.text.lr, device=config.device)

    checkpoints = parts.folder / "features" / "texts"

    def fitted(learn: Sequence[int], held: Sequence[int], until: int | None, what: str) -> TunedText:
        def event(e: FinetuneEvent) -> None:
            on_event(f"fine-tune: text, {what}", e.done, e.total, e.note)

        return fit_text(
            [texts[row] for row in learn],
            np.array([column[int(target.labels[row])] for row in learn], np.int64),
            [texts[row] for row in held],
            np.array([column[int(target.labels[row])] for row in held], np.int64),
            len(seen),
            options,
            config.seed,
            encoder=parts.settings.encoders.text or None,
            folder=checkpoints,
            until=until,
            keep=True,
            on_event=event,
        )

    net = fitted(train, validation, None, "all")
    tuned = TunedTexts(net, target.name, tuple(target.classes.iris[int(c)] for c in seen))
    scores = tuned.scores(parts, texts)
    own_groups = grouping(dataset.data.groups, np.array(train, np.int64))
    fold = folds(len(train), FOLDS, own_groups)
    if own_groups is None:
        fold = text_folds([texts[row] for row in train], [int(target.labels[row]) for row in train])
    for number in range(int(fold.max()) + 1):
        learn = [row for row, own in zip(train, fold, strict=True) if own != number]
        asked = [row for row, own in zip(train, fold, strict=True) if own == number]
        if len(learn) > 1 and asked:
            other = fitted(learn, (), net.kept, f"fold {number + 1} of {FOLDS}")
            scores[asked] = other.scores([texts[row] for row in asked])
    shutil.rmtree(checkpoints, ignore_errors=True)
    return tuned, _with_scores(dataset, tuned.target, tuned.classes, scores)


def text_folds(texts: Sequence[str], labels: Sequence[int]) -> npt.NDArray[np.int64]:
    """(n,) folds 0 to 3: equal texts in one, each class spread evenly, whatever the order.

    >>> text_folds(["a", "b", "a", "c"], [0, 0, 0, 0]).tolist()
    [0, 1, 0, 2]
    """
    first: dict[str, int] = {}
    for text, label in sorted(zip(texts, labels, strict=True)):
        first.setdefault(text, label)
    place = {text: n % FOLDS for n, text in enumerate(sorted(first, key=lambda t: (first[t], t)))}
    return np.array([place[t] for t in texts], np.int64)
