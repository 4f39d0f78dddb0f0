"""Fine-tuning of the CNN's last blocks on labelled pictures, in minutes on two cores.

Maps entering block 11 are computed once and cached; the last blocks, the last convolution and a new linear head are
trained on them with flips and crops of the maps, batch-norm statistics frozen. The whole network learns from pixels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kgfuse.encode.activations import Activations, content_hash
from kgfuse.encode.checkpoint import Checkpoint
from kgfuse.encode.device import resolve
from kgfuse.encode.epochs import Epochs, FinetuneEvent, OnEvent, check_labels, learn
from kgfuse.encode.tail import FinetuneConfig, Tail, TunedTail, batched, evaluate

__all__ = ["FinetuneConfig", "FinetuneEvent", "TunedTail", "fit_tail"]

_DECAY: Final = 0.85


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
    check_labels("pictures", (train_paths, train_labels), (val_paths, val_labels), num_classes)
    tell = on_event or (lambda _: None)
    device = resolve(config.device)
    activations = Activations(cache_folder, config.size, device, pixels=config.blocks == "all")
    paths = [*train_paths, *val_paths]
    matrix, index = activations.prepare(paths, lambda done, total: tell(FinetuneEvent("maps", done, total)))
    train, val = index[: len(train_paths)], index[len(train_paths) :]
    net = Tail(num_classes, config.dropout, config.blocks).to(device).to(memory_format=torch.channels_last)
    name = _run_name(paths, train_labels, val_labels, num_classes, config, seed)
    amp = _amp(config, device)

    def logits(batch: Tensor, generator: torch.Generator) -> Tensor:
        maps = _vary(activations.maps(matrix[train[batch.numpy()]]), config.least_crop, generator)
        with amp:
            found: Tensor = net(maps)[1]
        return found.float()

    checkpoint = Checkpoint(cache_folder / "checkpoints" / name)
    state = learn(
        net,
        _optimiser(net, config),
        checkpoint,
        Epochs(config.epochs, config.epochs, config.patience, config.batch, seed, config.label_smoothing),
        train_labels,
        logits,
        lambda: evaluate(net, activations, (matrix[some] for some in batched(val)), amp)[1],
        val_labels,
        tell,
    )
    checkpoint.remove()
    return TunedTail(net, num_classes, config, seed, cache_folder, state.history)


def _optimiser(net: Tail, config: FinetuneConfig) -> torch.optim.AdamW:
    head = list(net.head.parameters())
    below = [*([] if net.stem is None else [net.stem]), *net.blocks] if config.blocks == "all" else []
    apart = {id(p) for part in (net.head, *below) for p in part.parameters()}
    tail = [p for p in net.parameters() if p.requires_grad and id(p) not in apart]
    groups = [{"params": tail, "peak": config.lr_tail}, {"params": head, "peak": config.lr_head}]
    for depth, part in enumerate(reversed(below)):
        groups.append({"params": list(part.parameters()), "peak": config.lr_tail * _DECAY**depth})
    return torch.optim.AdamW(groups, lr=config.lr_tail, weight_decay=config.weight_decay)


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
