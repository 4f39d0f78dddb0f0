"""One training loop for every part that learns by gradient: early stopping, best state kept, exact resume."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from kgfuse.errors import ModelError
from kgfuse.fuse.files import write_whole


@dataclass(frozen=True, slots=True)
class EpochEvent:
    """Progress of one part's training.

    Args:
        stage: which part learns.
        epoch: how many epochs are done.
        epochs: how many there are at most.
        loss: mean training loss of the epoch.
        validation_loss: on the validation items, or the training loss where there is no validation item.
        best: the best validation loss so far.
    """

    stage: str
    epoch: int
    epochs: int
    loss: float
    validation_loss: float
    best: float


@dataclass(frozen=True, eq=False, slots=True)
class Stage:
    """One part's training.

    Args:
        name: of the part.
        net: what learns, in place.
        steps: epoch → the batches of that epoch, any objects that ``loss`` takes.
        loss: batch → scalar loss.
        evaluate: → validation loss, or ``None`` where there is nothing to validate on.
        lr: learning rate at the start; it falls to a tenth along a cosine.
        weight_decay: of AdamW.
        epochs: at most.
        patience: epochs without a better validation loss before stopping.
        seed: of all chance; each epoch is seeded on its own, so that a resumed run goes on exactly.
        amp: bfloat16 autocast, on CUDA only.
        until: epochs after which to stop, on the schedule of ``epochs``; ``None`` goes on to the end.
    """

    name: str
    net: nn.Module
    steps: Callable[[int], Sequence[Any]]
    loss: Callable[[Any], Tensor]
    evaluate: Callable[[], float] | None
    lr: float
    weight_decay: float
    epochs: int
    patience: int
    seed: int
    amp: bool = False
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """How one part's training went, epoch by epoch.

    Args:
        stage: which part learned.
        losses: mean training loss of each epoch.
        validation: validation loss after each epoch; empty where there was nothing to validate on.
        kept: epochs after which the state that was kept was reached.
    """

    stage: str
    losses: tuple[float, ...]
    validation: tuple[float, ...]
    kept: int


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Where and how often a stage is saved.

    Args:
        folder: holds ``<stage>.safetensors``.
        every: epochs between two checkpoints.
        key: fingerprint of configuration and data; a checkpoint with another key is refused.
    """

    folder: Path
    every: int
    key: str


def run(
    stage: Stage,
    *,
    checkpoints: Checkpoints | None = None,
    on_epoch: Callable[[EpochEvent], None] | None = None,
    log: Callable[[str, float, int], None] | None = None,
) -> Curve:
    """Train until validation no longer improves, and leave the best state in ``stage.net``.

    Returns:
        the losses, also of epochs before an interruption, and after how many epochs that state was reached.
    """
    optimiser = torch.optim.AdamW(stage.net.parameters(), lr=stage.lr, weight_decay=stage.weight_decay)
    state = _State(0, float("inf"), 0, _copy(stage.net), [], [])
    if checkpoints is not None:
        state = _restore(stage, optimiser, checkpoints) or state
    device = next(stage.net.parameters()).device
    last = stage.epochs if stage.until is None else min(stage.until, stage.epochs)
    while state.done < last and state.since < stage.patience:
        with seeded(stage.seed * 10_007 + state.done, device):
            stage.net.train()
            for group in optimiser.param_groups:
                group["lr"] = stage.lr * (0.55 + 0.45 * math.cos(math.pi * state.done / stage.epochs))
            total, count = 0.0, 0
            for batch in stage.steps(state.done):
                optimiser.zero_grad(set_to_none=True)
                with torch.autocast(device.type, torch.bfloat16, enabled=stage.amp and device.type == "cuda"):
                    loss = stage.loss(batch)
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                total, count = total + float(loss.detach()), count + 1
            mean = total / max(1, count)
            stage.net.eval()
            score = stage.evaluate() if stage.evaluate is not None else mean
        state.done += 1
        state.losses.append(mean)
        state.scores.append(score)
        if score < state.best or stage.evaluate is None:
            state.best, state.since, state.kept = score, 0, _copy(stage.net)
        else:
            state.since += 1
        if log is not None:
            log(f"{stage.name}/loss", mean, state.done)
            log(f"{stage.name}/validation", score, state.done)
        ended = state.done == last or state.since >= stage.patience
        if checkpoints is not None and (ended or state.done % checkpoints.every == 0):
            _save(stage, optimiser, checkpoints, state)
        if on_epoch is not None:
            on_epoch(EpochEvent(stage.name, state.done, stage.epochs, mean, score, state.best))
    stage.net.load_state_dict(state.kept)
    stage.net.eval()
    validation = () if stage.evaluate is None else tuple(state.scores)
    return Curve(stage.name, tuple(state.losses), validation, state.done - state.since)


@dataclass(slots=True)
class _State:
    """How far a run is: epochs done, best score, epochs since, the best weights, losses and scores of each epoch."""

    done: int
    best: float
    since: int
    kept: dict[str, Tensor]
    losses: list[float]
    scores: list[float]


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Chance is pinned inside and as before afterwards."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


def _copy(net: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in net.state_dict().items()}


def _save(stage: Stage, optimiser: torch.optim.Optimizer, checkpoints: Checkpoints, state: _State) -> None:
    from safetensors.torch import save

    tensors = {f"net.{name}": tensor for name, tensor in _copy(stage.net).items()}
    tensors |= {f"best.{name}": tensor for name, tensor in state.kept.items()}
    for number, moments in optimiser.state_dict()["state"].items():
        tensors |= {f"adam.{number}.{name}": torch.as_tensor(value).clone() for name, value in moments.items()}
    reached = {"done": state.done, "best": state.best, "since": state.since}
    note = json.dumps({"key": checkpoints.key, **reached, "losses": state.losses, "scores": state.scores})
    payload = save({name: tensor.contiguous() for name, tensor in tensors.items()}, {"checkpoint": note})
    checkpoints.folder.mkdir(parents=True, exist_ok=True)
    write_whole(checkpoints.folder / f"{stage.name}.safetensors", payload)


def _restore(stage: Stage, optimiser: torch.optim.Optimizer, checkpoints: Checkpoints) -> _State | None:
    """Where the checkpoint stands; ``None`` without one, or where it was made before losses were kept in it."""
    from safetensors import SafetensorError, safe_open

    path = checkpoints.folder / f"{stage.name}.safetensors"
    if not path.exists():
        return None
    remedy = "delete the folder to start afresh"
    try:
        with safe_open(str(path), framework="pt") as file:
            note = json.loads((file.metadata() or {})["checkpoint"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, KeyError, json.JSONDecodeError) as error:
        raise ModelError(f"not a checkpoint: {error}", where=path, remedy=remedy) from error
    if note["key"] != checkpoints.key:
        raise ModelError("the checkpoint is of another configuration or other data", where=path, remedy=remedy)
    if "losses" not in note:
        return None
    groups: dict[str, dict[str, Tensor]] = {"net": {}, "best": {}, "adam": {}}
    for name, tensor in tensors.items():
        group, _, rest = name.partition(".")
        groups[group][rest] = tensor
    stage.net.load_state_dict(groups["net"])
    moments: dict[int, dict[str, Tensor]] = {}
    for name, tensor in groups["adam"].items():
        number, _, field = name.partition(".")
        moments.setdefault(int(number), {})[field] = tensor
    optimiser.load_state_dict({"state": moments, "param_groups": optimiser.state_dict()["param_groups"]})
    device = next(stage.net.parameters()).device
    best = {name: tensor.to(device) for name, tensor in groups["best"].items()}
    reached = int(note["done"]), float(note["best"]), int(note["since"])
    return _State(*reached, best, list(note["losses"]), list(note["scores"]))
