"""Where an interrupted fine-tuning goes on: whole epochs on disk, as safetensors and JSON, written atomically."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Collection
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class RunState:
    """How far a run is.

    Args:
        epoch: whole epochs done.
        best: the epoch (from 1) whose weights are kept; 0 before the first.
        accuracy: its validation accuracy.
        loss: its validation loss.
        stale: epochs since the best one.
        history: one record an epoch.
        done: the run is over; the best epoch's weights are all that is kept of it.
    """

    epoch: int = 0
    best: int = 0
    accuracy: float = -math.inf
    loss: float = math.inf
    stale: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    done: bool = False


class Checkpoint:
    """A folder with the last epoch's weights and optimiser, the best epoch's weights, and ``state.json``.

    ``state.json`` is replaced last and names the files that count, so a crash at any moment leaves a whole epoch.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def resume(self, net: nn.Module, optimiser: torch.optim.Optimizer) -> RunState:
        """Restore the last whole epoch where there is one; a damaged folder starts anew."""
        try:
            state = RunState(**json.loads((self._folder / "state.json").read_text(encoding="utf-8")))
            if state.done:
                load_file(self._weights(state.best))
                return state
            tensors = load_file(self._weights(state.epoch))
            moments = load_file(self._moments(state.epoch))
            load_file(self._weights(state.best))
        except FileNotFoundError:
            return RunState()
        except (OSError, ValueError, TypeError, SafetensorError):
            shutil.rmtree(self._folder, ignore_errors=True)
            return RunState()
        net.load_state_dict(tensors)
        whole = optimiser.state_dict()
        whole["state"] = {}
        for name, tensor in moments.items():
            position, moment = name.split(".", 1)
            whole["state"].setdefault(int(position), {})[moment] = tensor
        optimiser.load_state_dict(whole)
        return state

    def finish_epoch(
        self, net: nn.Module, optimiser: torch.optim.Optimizer, state: RunState, record: dict[str, float]
    ) -> RunState:
        """Write an epoch; best is the highest validation accuracy, then the lowest loss; without either, the last."""
        epoch = state.epoch + 1
        accuracy = record.get("validation_accuracy", 0.0)
        loss = record.get("validation_loss", -float(epoch))
        better = (accuracy, -loss) > (state.accuracy, -state.loss)
        new = RunState(
            epoch=epoch,
            best=epoch if better else state.best,
            accuracy=accuracy if better else state.accuracy,
            loss=loss if better else state.loss,
            stale=0 if better else state.stale + 1,
            history=[*state.history, record],
        )
        self._folder.mkdir(parents=True, exist_ok=True)
        save_file(plain(net.state_dict()), self._weights(epoch))
        moments = {
            f"{position}.{name}": value
            for position, values in optimiser.state_dict()["state"].items()
            for name, value in values.items()
            if isinstance(value, Tensor)
        }
        save_file(plain(moments), self._moments(epoch))
        self._write(new, {self._weights(new.epoch), self._moments(new.epoch), self._weights(new.best)})
        return new

    def finish(self, state: RunState) -> None:
        """Keep the best epoch's weights alone, once the run is over."""
        self._write(replace(state, done=True), {self._weights(state.best)})

    def _write(self, state: RunState, counting: Collection[Path]) -> None:
        part = self._folder / "state.part"
        part.write_text(json.dumps(asdict(state)), encoding="utf-8")
        part.replace(self._folder / "state.json")
        for path in self._folder.glob("*.safetensors"):
            if path not in counting:
                path.unlink()

    def best(self, state: RunState) -> dict[str, Tensor]:
        """Return the weights of the best epoch."""
        return load_file(self._weights(state.best))

    def remove(self) -> None:
        """Delete the folder once the run is over."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _weights(self, epoch: int) -> Path:
        return self._folder / f"weights-{epoch}.safetensors"

    def _moments(self, epoch: int) -> Path:
        return self._folder / f"optimiser-{epoch}.safetensors"


def plain(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Detached contiguous copies on the CPU, as safetensors wants them."""
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in state.items()}
