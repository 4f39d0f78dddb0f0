"""Fine-tuning of the CNN's last blocks on labelled pictures, in minutes on two cores.

Maps entering block 11 are computed once and cached; the last blocks, the last convolution and a new linear head are
trained on them with flips and crops of the maps, batch-norm statistics frozen. The whole network learns from pixels.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from kgfuse.encode.activations import Activations, content_hash
from kgfuse.encode.checkpoint import Checkpoint
from kgfuse.encode.device import resolve
from kgfuse.encode.tail import FinetuneConfig, Tail, TunedTail, batched, evaluate
from kgfuse.errors import TrainingError

__all__ = ["FinetuneConfig", "FinetuneEvent", "TunedTail", "fit_tail"]

_WARM_UP: Final = 0.1
_DECAY: Final = 0.85


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


def fit_tail(
    train_paths: Sequence[Path],
    train_labels: NDArray[np.int64],
    val_paths: Sequence[Path],
    val_labels: NDArray[np.int64],
    num_classes: int,
    config: FinetuneConfig,
    seed: int,
    cache_folder: Path,
    on_event: OnEvent | None = None,
) -> TunedTail:
    """Fine-tune on labelled pictures; the epoch with the highest validation accuracy is kept.

    An interrupted call goes on after its last whole epoch when it is called again with the same arguments, and ends
    in the same weights. On one kind of device, thread count and library version a seed gives the same weights.

    Args:
        train_paths: picture files.
        train_labels: int64 (n,), 0 to ``num_classes`` - 1.
        val_paths: picture files; may be empty, then the last epoch is kept.
        val_labels: int64 (m,).
        num_classes: of the new head.
        config: see there.
        seed: of order, crops, flips and dropout.
        cache_folder: for maps and checkpoints.
        on_event: told about progress.

    Raises:
        TrainingError: nothing to train on, or labels that do not fit.
        SourceError: a file that is no picture.
    """
    _check(train_paths, train_labels, val_paths, val_labels, num_classes)
    tell = on_event or (lambda _: None)
    device = resolve(config.device)
    activations = Activations(cache_folder, config.size, device, pixels=config.blocks == "all")
    paths = [*train_paths, *val_paths]
    matrix, index = activations.prepare(paths, lambda done, total: tell(FinetuneEvent("maps", done, total)))
    train, val = index[: len(train_paths)], index[len(train_paths) :]
    targets, expected = torch.from_numpy(np.asarray(train_labels)), torch.from_numpy(np.asarray(val_labels))

    net = Tail(num_classes, config.dropout, config.blocks).to(device).to(memory_format=torch.channels_last)
    optimiser = _optimiser(net, config)
    run = Checkpoint(
        cache_folder / "checkpoints" / _run_name(paths, train_labels, val_labels, num_classes, config, seed)
    )
    state = run.resume(net, optimiser)
    steps = len(range(0, len(train) - 1, config.batch))
    amp = _amp(config, device)
    while state.epoch < config.epochs and state.stale < config.patience:
        generator = torch.Generator().manual_seed(_epoch_seed(seed, state.epoch))
        losses = []
        with torch.random.fork_rng(devices=[] if device.type == "cpu" else [device]):
            torch.manual_seed(_epoch_seed(seed, state.epoch))
            net.train()
            for step, batch in enumerate(_batches(len(train), config.batch, generator)):
                _set_rates(optimiser, state.epoch * steps + step, config.epochs * steps, config)
                maps = _vary(activations.maps(matrix[train[batch.numpy()]]), config.least_crop, generator)
                with amp:
                    logits = net(maps)[1].float()
                loss = F.cross_entropy(logits, targets[batch].to(device), label_smoothing=config.label_smoothing)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                losses.append(float(loss.detach()))
                tell(FinetuneEvent("step", step + 1, steps, loss=float(np.mean(losses))))
        record = {"loss": float(np.mean(losses))}
        if len(val):
            rows = (matrix[some] for some in batched(val))
            scores = torch.from_numpy(evaluate(net.eval(), activations, rows, amp)[1])
            record["validation_loss"] = float(F.cross_entropy(scores, expected))
            record["validation_accuracy"] = float((scores.argmax(dim=1) == expected).double().mean())
        state = run.finish_epoch(net, optimiser, state, record)
        figures = {name: value for name, value in record.items() if name != "loss"}
        tell(FinetuneEvent("epoch", state.epoch, config.epochs, loss=record["loss"], **figures))
    net.load_state_dict(run.best(state))
    run.remove()
    return TunedTail(net, num_classes, config, seed, cache_folder, state.history)


def _check(
    train_paths: Sequence[Path],
    train_labels: NDArray[np.int64],
    val_paths: Sequence[Path],
    val_labels: NDArray[np.int64],
    num_classes: int,
) -> None:
    if len(train_paths) < 2 or num_classes < 2:
        raise TrainingError(
            f"{len(train_paths)} pictures of {num_classes} classes are too few to fine-tune on",
            remedy="label more pictures, or use the frozen features",
        )
    for paths, labels in ((train_paths, train_labels), (val_paths, val_labels)):
        values = np.asarray(labels)
        if len(paths) != len(values) or (len(values) and (values.min() < 0 or values.max() >= num_classes)):
            raise TrainingError(f"labels do not fit {len(paths)} pictures and {num_classes} classes")


def _optimiser(net: Tail, config: FinetuneConfig) -> torch.optim.AdamW:
    head = list(net.head.parameters())
    below = [*([] if net.stem is None else [net.stem]), *net.blocks] if config.blocks == "all" else []
    apart = {id(p) for part in (net.head, *below) for p in part.parameters()}
    tail = [p for p in net.parameters() if p.requires_grad and id(p) not in apart]
    groups = [{"params": tail, "peak": config.lr_tail}, {"params": head, "peak": config.lr_head}]
    for depth, part in enumerate(reversed(below)):
        groups.append({"params": list(part.parameters()), "peak": config.lr_tail * _DECAY**depth})
    return torch.optim.AdamW(groups, lr=config.lr_tail, weight_decay=config.weight_decay)


def _set_rates(optimiser: torch.optim.AdamW, step: int, total: int, config: FinetuneConfig) -> None:
    """Rise over the first tenth of all steps, then fall along a cosine; a function of the step alone."""
    warm = max(1, round(_WARM_UP * total))
    factor = (step + 1) / warm if step < warm else 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, total - warm)))
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * factor


def _batches(count: int, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield shuffled batches; a last one of a single picture is left out."""
    order = torch.randperm(count, generator=generator)
    for start in range(0, count - 1, size):
        yield order[start : start + size]


def _vary(maps: Tensor, least_crop: float, generator: torch.Generator) -> Tensor:
    """Cut a window of one size from each picture's maps, at a place of its own, and mirror every second one."""
    count, _, cells, _ = maps.shape
    low = max(1, round(least_crop * cells))
    side = int(torch.randint(low, cells + 1, (), generator=generator))
    corners = torch.randint(0, cells - side + 1, (count, 2), generator=generator).tolist()
    mirrored = torch.rand(count, generator=generator) < 0.5
    cut = torch.stack([m[:, y : y + side, x : x + side] for m, (y, x) in zip(maps, corners, strict=True)])
    cut = torch.where(mirrored.to(maps.device)[:, None, None, None], cut.flip(3), cut)
    return cut.contiguous(memory_format=torch.channels_last)


def _amp(config: FinetuneConfig, device: torch.device) -> AbstractContextManager[Any]:
    # On CPUs with bfloat16 instructions a step took as long as in float32: depthwise gradients gain nothing.
    automatic = device.type == "cuda" and torch.cuda.is_bf16_supported()
    wanted = automatic if config.precision == "auto" else config.precision == "bfloat16"
    return torch.autocast(device.type, torch.bfloat16) if wanted else nullcontext()


def _epoch_seed(seed: int, epoch: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}|{epoch}".encode()).digest()[:7], "big")


def _run_name(
    paths: Sequence[Path],
    train_labels: NDArray[np.int64],
    val_labels: NDArray[np.int64],
    num_classes: int,
    config: FinetuneConfig,
    seed: int,
) -> str:
    h = hashlib.sha256(f"{num_classes}|{seed}|{config.model_dump_json()}".encode())
    for path, label in zip(paths, [*np.asarray(train_labels).tolist(), *np.asarray(val_labels).tolist()], strict=True):
        h.update(f"|{content_hash(path)}|{label}".encode())
    return h.hexdigest()[:32]
