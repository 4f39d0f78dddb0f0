"""Fine-tuning of a BERT's last layers on labelled texts, in a minute or a few on two cores.

What stays frozen is computed once a text and kept while training, where there is room.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from kgfuse.encode.checkpoint import Checkpoint
from kgfuse.encode.finetune import FinetuneEvent, OnEvent
from kgfuse.encode.tuned_text import Ids, Reading, TextTuning, TunedText
from kgfuse.errors import TrainingError

_WARM_UP: Final = 0.1
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
        on_event: told about progress.

    Raises:
        TrainingError: nothing to train on, or labels that do not fit.
        ModelError: an encoder that is missing or not built like BERT, or too many layers.
    """
    _check(train_texts, train_labels, val_texts, val_labels, num_classes)
    tell = on_event or (lambda _: None)
    reading = Reading(encoder, config, num_classes)
    upper, device = reading.upper, reading.device
    texts = _Texts(reading, train_texts)
    targets, expected = torch.from_numpy(np.asarray(train_labels)), torch.from_numpy(np.asarray(val_labels))
    optimiser = _optimiser(reading, config)
    run = Checkpoint(folder / _run_name(encoder, train_texts, train_labels, val_texts, val_labels, config, seed, until))
    state = run.resume(upper, optimiser)
    steps = len(range(0, len(train_texts) - 1, config.batch))
    last = config.epochs if until is None else min(until, config.epochs)
    while state.epoch < last and (until is not None or state.stale < config.patience):
        own = int.from_bytes(hashlib.sha256(f"{seed}|{state.epoch}".encode()).digest()[:7], "big")
        generator = torch.Generator().manual_seed(own)
        losses = []
        with torch.random.fork_rng(devices=[] if device.type == "cpu" else [device]):
            torch.manual_seed(own)
            upper.train()
            for step, batch in enumerate(_batches(len(train_texts), config.batch, generator)):
                _set_rates(optimiser, state.epoch * steps + step, config.epochs * steps)
                given, mask = texts.batch(batch.tolist(), generator)
                seen = mask & (torch.rand(mask.shape, generator=generator).to(device) >= config.token_dropout)
                seen[:, 0] = True
                logits = upper.judge(upper(given, seen)).float()
                loss = functional.cross_entropy(
                    logits, targets[batch].to(device), label_smoothing=config.label_smoothing
                )
                optimiser.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                torch.nn.utils.clip_grad_norm_(upper.parameters(), 1.0)
                optimiser.step()
                losses.append(float(loss.detach()))
                tell(FinetuneEvent("step", step + 1, steps, loss=float(np.mean(losses))))
        record = {"loss": float(np.mean(losses))}
        if len(val_texts):
            scores = torch.from_numpy(reading.logits(val_texts))
            record["validation_loss"] = float(functional.cross_entropy(scores, expected))
            record["validation_accuracy"] = float((scores.argmax(dim=1) == expected).double().mean())
        state = run.finish_epoch(upper, optimiser, state, record)
        figures = {name: value for name, value in record.items() if name != "loss"}
        tell(FinetuneEvent("epoch", state.epoch, last, loss=record["loss"], **figures))
    upper.load_state_dict(run.best(state))
    run.remove()
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


def _check(
    train_texts: Sequence[str],
    train_labels: NDArray[np.int64],
    val_texts: Sequence[str],
    val_labels: NDArray[np.int64],
    num_classes: int,
) -> None:
    if len(train_texts) < 2 or num_classes < 2:
        raise TrainingError(
            f"{len(train_texts)} texts of {num_classes} classes are too few to fine-tune on",
            remedy="label more texts, or use the frozen features",
        )
    for texts, labels in ((train_texts, train_labels), (val_texts, val_labels)):
        values = np.asarray(labels)
        if len(texts) != len(values) or (len(values) and (values.min() < 0 or values.max() >= num_classes)):
            raise TrainingError(f"labels do not fit {len(texts)} texts and {num_classes} classes")


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


def _set_rates(optimiser: torch.optim.AdamW, step: int, total: int) -> None:
    """Rise over the first tenth of all steps, then fall evenly; a function of the step alone."""
    warm = max(1, round(_WARM_UP * total))
    factor = (step + 1) / warm if step < warm else (total - step) / max(1, total - warm)
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * factor


def _batches(count: int, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield shuffled batches; a last one of a single text is left out."""
    order = torch.randperm(count, generator=generator)
    for start in range(0, count - 1, size):
        yield order[start : start + size]


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
