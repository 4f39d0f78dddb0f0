"""Fine-tuning of a BERT's last layers on labelled texts, in a minute or a few on two cores.

What stays frozen is computed once a text and kept while training, where there is room.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kgfuse.encode.checkpoint import Checkpoint
from kgfuse.encode.epochs import Epochs, OnEvent, check_labels, learn
from kgfuse.encode.tuned_text import Ids, Reading, TextTuning, TunedText

_ROOM: Final = 1 << 30
"""Bytes that frozen states may take; where they would take more, they are computed anew in each step."""
_BATCH: Final = 32


def fit_text(
    train_texts: Sequence[str],
    train_labels: NDArray[np.int64],
    val_texts: Sequence[str],
    val_labels: NDArray[np.int64],
    num_classes: int,
    config: TextTuning,
    seed: int,
    *,
    encoder: str | None = None,
    folder: Path,
    until: int | None = None,
    keep: bool = False,
    on_event: OnEvent | None = None,
) -> TunedText:
    """Fine-tune on labelled texts; the epoch with the highest validation accuracy is kept.

    An interrupted call goes on after its last whole epoch when it is called again with the same arguments, and ends
    in the same weights. On one kind of device, thread count and library version a seed gives the same weights.

    Args:
        train_texts: at least two.
        train_labels: int64 (n,), 0 to ``num_classes`` - 1.
        val_texts: may be empty, then the last epoch is kept.
        val_labels: int64 (m,).
        num_classes: of the new head.
        config: see there.
        seed: of order, stretches and dropout.
        encoder: a BERT by name or folder; ``None`` is the packaged one.
        folder: for checkpoints.
        until: stop after this epoch, with rates that fall as if all epochs came.
        keep: leave the best weights there, so that the same call gives the same weights at once.
        on_event: told about progress.

    Raises:
        TrainingError: nothing to train on, or labels that do not fit.
        ModelError: an encoder that is missing or not built like BERT, or too many layers.
    """
    check_labels("texts", (train_texts, train_labels), (val_texts, val_labels), num_classes)
    reading = Reading(encoder, config, num_classes)
    upper = reading.upper
    texts = _Texts(reading, train_texts)
    name = _run_name(encoder, train_texts, train_labels, val_texts, val_labels, config, seed, until)
    last = config.epochs if until is None else min(until, config.epochs)
    patience = config.patience if until is None else None

    def logits(batch: Tensor, generator: torch.Generator) -> Tensor:
        given, mask = texts.batch(batch.tolist(), generator)
        seen = mask & (torch.rand(mask.shape, generator=generator).to(mask.device) >= config.token_dropout)
        seen[:, 0] = True
        return upper.judge(upper(given, seen)).float()

    checkpoint = Checkpoint(folder / name)
    state = learn(
        upper,
        _optimiser(reading, config),
        checkpoint,
        Epochs(config.epochs, last, patience, config.batch, seed, config.label_smoothing, 1.0, "evenly"),
        train_labels,
        logits,
        lambda: reading.logits(val_texts),
        val_labels,
        on_event or (lambda _: None),
    )
    if keep:
        checkpoint.finish(state)
    else:
        checkpoint.remove()
    return TunedText(reading, encoder, config, seed, state.history, state.best)


class _Texts:
    """Stretches of the training texts, with their frozen states where there is room."""

    def __init__(self, reading: Reading, texts: Sequence[str]) -> None:
        self._reading = reading
        self._stretches = [reading.tokens(text) for text in texts]
        distinct = sorted({ids for own in self._stretches for ids in own}, key=lambda ids: (len(ids), ids))
        self._states: dict[Ids, Tensor] = {}
        if not reading.upper.ids and sum(map(len, distinct)) * reading.upper.head.in_features * 2 <= _ROOM:
            for start in range(0, len(distinct), _BATCH):
                rows = distinct[start : start + _BATCH]
                states, _ = reading.given(rows)
                for ids, own in zip(rows, states.half().cpu(), strict=True):
                    self._states[ids] = own[: len(ids)].clone()

    def batch(self, numbers: Sequence[int], generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """As :meth:`Reading.given`, of one stretch of each text."""
        drawn = torch.rand(len(numbers), generator=generator).tolist()
        rows = [
            self._stretches[n][int(share * len(self._stretches[n]))] for n, share in zip(numbers, drawn, strict=True)
        ]
        if not self._states:
            return self._reading.given(rows)
        width, device = max(map(len, rows)), self._reading.device
        states = torch.zeros(len(rows), width, self._reading.upper.head.in_features)
        mask = torch.zeros(len(rows), width, dtype=torch.bool)
        for n, ids in enumerate(rows):
            states[n, : len(ids)] = self._states[ids].float()
            mask[n, : len(ids)] = True
        return states.to(device), mask.to(device)


def _optimiser(reading: Reading, config: TextTuning) -> torch.optim.AdamW:
    upper = reading.upper
    for parameter in upper.parameters():
        parameter.requires_grad_(True)
    groups = [{"params": list(upper.head.parameters()), "peak": config.lr_head}]
    for below, layer in enumerate(reversed(upper.layers)):
        groups.append({"params": list(layer.parameters()), "peak": config.lr * config.decay**below})
    if upper.embeddings is not None:
        rate = config.lr * config.decay ** len(upper.layers)
        groups.append({"params": list(upper.embeddings.parameters()), "peak": rate})
    return torch.optim.AdamW(groups, lr=config.lr, weight_decay=config.weight_decay)


def _run_name(
    encoder: str | None,
    train_texts: Sequence[str],
    train_labels: NDArray[np.int64],
    val_texts: Sequence[str],
    val_labels: NDArray[np.int64],
    config: TextTuning,
    seed: int,
    until: int | None,
) -> str:
    h = hashlib.sha256(f"{encoder}|{seed}|{until}|{config.model_dump_json()}".encode())
    for texts, labels in ((train_texts, train_labels), (val_texts, val_labels)):
        h.update(b"|part|")
        for text, label in zip(texts, np.asarray(labels).tolist(), strict=True):
            h.update(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() + f"|{label}".encode())
    return h.hexdigest()[:32]
