"""The epochs of a fine-tuning: order, rates, checkpoints, the best epoch kept; what is read is the caller's."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from kgfuse.encode.checkpoint import Checkpoint, RunState
from kgfuse.errors import TrainingError

_WARM_UP: Final = 0.1


@dataclass(frozen=True, slots=True)
class FinetuneEvent:
    """Progress: ``stage`` is ``maps``, ``step`` or ``epoch``; the figures are those of the epoch, where known."""

    stage: Literal["maps", "step", "epoch"]
    done: int
    total: int
    loss: float = math.nan
    validation_loss: float = math.nan
    validation_accuracy: float = math.nan

    @property
    def note(self) -> str:
        """The known figures in words."""
        figures = {
            "loss": self.loss,
            "validation loss": self.validation_loss,
            "validation accuracy": self.validation_accuracy,
        }
        return ", ".join(f"{name} {value:.3f}" for name, value in figures.items() if not math.isnan(value))


OnEvent: TypeAlias = Callable[[FinetuneEvent], None]


@dataclass(frozen=True, slots=True)
class Epochs:
    """How long and at which rates is learned.

    Args:
        epochs: over which the rates rise and fall.
        until: the epoch to stop after, at the latest.
        patience: epochs without a better validation result after which learning stops; ``None`` waits for ever.
        batch: examples a step.
        seed: of the order and of all chance in a step.
        label_smoothing: share of the target spread over all classes.
        clip: greatest norm of the gradient; ``None`` leaves it.
        falling: how rates fall after the first tenth of all steps, in which they rise.
    """

    epochs: int
    until: int
    patience: int | None
    batch: int
    seed: int
    label_smoothing: float
    clip: float | None = None
    falling: Literal["cosine", "evenly"] = "cosine"


def check_labels(
    what: str,
    train: tuple[Sequence[Any], NDArray[np.int64]],
    validation: tuple[Sequence[Any], NDArray[np.int64]],
    num_classes: int,
) -> None:
    """Refuse what cannot be learned from.

    Args:
        what: the examples, in the plural: ``pictures``, ``texts``.
        train: examples and their labels.
        validation: likewise.
        num_classes: two or more.

    Raises:
        TrainingError: too few examples or classes, or labels that do not fit.
    """
    if len(train[0]) < 2 or num_classes < 2:
        raise TrainingError(
            f"{len(train[0])} {what} of {num_classes} classes are too few to fine-tune on",
            remedy=f"label more {what}, or use the frozen features",
        )
    for examples, labels in (train, validation):
        values = np.asarray(labels)
        if len(examples) != len(values) or (len(values) and (values.min() < 0 or values.max() >= num_classes)):
            raise TrainingError(f"labels do not fit {len(examples)} {what} and {num_classes} classes")


def learn(
    net: nn.Module,
    optimiser: torch.optim.Optimizer,
    checkpoint: Checkpoint,
    plan: Epochs,
    labels: NDArray[np.int64],
    logits: Callable[[Tensor, torch.Generator], Tensor],
    held_logits: Callable[[], NDArray[np.float32]],
    held_labels: NDArray[np.int64],
    tell: OnEvent,
) -> RunState:
    """Learn epoch by epoch, from the last whole one on; ``net`` ends with the weights of the best.

    The checkpoint stays: with it the same call gives the same weights at once.

    Args:
        net: on its device.
        optimiser: of its parameters; each group has its highest rate as ``peak``.
        checkpoint: of this run.
        plan: see there.
        labels: int64 (n,) of the training examples.
        logits: numbers of some examples (B,) and chance to their logits (B, C), on the device.
        held_logits: (m, C) of the validation examples by the net as it is.
        held_labels: int64 (m,); empty where there are none, then the last epoch is kept.
        tell: told about progress.
    """
    state = checkpoint.resume(net, optimiser)
    device = next(net.parameters()).device
    targets, expected = torch.from_numpy(np.asarray(labels)), torch.from_numpy(np.asarray(held_labels))
    steps = len(range(0, len(targets) - 1, plan.batch))
    while not state.done and state.epoch < plan.until and (plan.patience is None or state.stale < plan.patience):
        own = int.from_bytes(hashlib.sha256(f"{plan.seed}|{state.epoch}".encode()).digest()[:7], "big")
        generator = torch.Generator().manual_seed(own)
        losses = []
        with torch.random.fork_rng(devices=[] if device.type == "cpu" else [device]):
            torch.manual_seed(own)
            net.train()
            for step, batch in enumerate(_batches(len(targets), plan.batch, generator)):
                _set_rates(optimiser, state.epoch * steps + step, plan.epochs * steps, plan.falling)
                found, wanted = logits(batch, generator), targets[batch].to(device)
                loss = functional.cross_entropy(found, wanted, label_smoothing=plan.label_smoothing)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                if plan.clip is not None:
                    nn.utils.clip_grad_norm_(net.parameters(), plan.clip)
                optimiser.step()
                losses.append(float(loss.detach()))
                tell(FinetuneEvent("step", step + 1, steps, loss=float(np.mean(losses))))
        record = {"loss": float(np.mean(losses))}
        if len(expected):
            net.eval()
            scores = torch.from_numpy(held_logits())
            record["validation_loss"] = float(functional.cross_entropy(scores, expected))
            record["validation_accuracy"] = float((scores.argmax(dim=1) == expected).double().mean())
        state = checkpoint.finish_epoch(net, optimiser, state, record)
        figures = {name: value for name, value in record.items() if name != "loss"}
        tell(FinetuneEvent("epoch", state.epoch, plan.until, loss=record["loss"], **figures))
    net.load_state_dict(checkpoint.best(state))
    return state


def _set_rates(optimiser: torch.optim.Optimizer, step: int, total: int, falling: str) -> None:
    """Rise over the first tenth of all steps, then fall; a function of the step alone."""
    warm = max(1, round(_WARM_UP * total))
    done = (step - warm) / max(1, total - warm)
    fall = 0.5 * (1 + math.cos(math.pi * done)) if falling == "cosine" else 1 - done
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * ((step + 1) / warm if step < warm else fall)


def _batches(count: int, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield shuffled batches; a last one of a single example is left out."""
    order = torch.randperm(count, generator=generator)
    for start in range(0, count - 1, size):
        yield order[start : start + size]
