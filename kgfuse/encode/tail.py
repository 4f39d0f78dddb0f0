"""The trainable upper half of the CNN, and what it gives once it is trained."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from kgfuse.encode.activations import SPLIT, Activations
from kgfuse.encode.backbone import lite0_network
from kgfuse.encode.checkpoint import plain
from kgfuse.encode.device import resolve
from kgfuse.encode.preprocess_image import open_image
from kgfuse.encode.weights import state_sha256
from kgfuse.errors import ModelError, SourceError

_LOOK: Final = 32


class FinetuneConfig(BaseModel):
    """How the tail is trained.

    Args:
        blocks: how many of the last blocks learn, with all above them; ``all`` is the whole network, from pixels on.
        size: side in pixels at which pictures are read.
        epochs: passes over the training pictures.
        batch: pictures in a step.
        lr_tail: peak learning rate of the last block; where all learn, each below has .85 times the rate of the next.
        lr_head: peak learning rate of the new head.
        weight_decay: of AdamW.
        label_smoothing: share of the target spread over all classes.
        dropout: before the head.
        least_crop: smallest crop, as a share of the map's side.
        patience: epochs without a better validation result after which training stops.
        device: where it runs.
        precision: ``auto`` is bfloat16 on GPUs that have it, else float32.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    blocks: Annotated[int, Field(ge=1, le=5)] | Literal["all"] = 3
    size: int = Field(default=256, ge=64, le=512, multiple_of=32)
    epochs: int = Field(default=4, ge=1)
    batch: int = Field(default=32, ge=2)
    lr_tail: float = Field(default=5e-4, gt=0)
    lr_head: float = Field(default=3e-3, gt=0)
    weight_decay: float = Field(default=0.02, ge=0)
    label_smoothing: float = Field(default=0.1, ge=0, lt=1)
    dropout: float = Field(default=0.3, ge=0, lt=1)
    least_crop: float = Field(default=11 / 16, gt=0, le=1)
    patience: int = Field(default=2, ge=1)
    device: str = "auto"
    precision: Literal["auto", "float32", "bfloat16"] = "auto"


class Tail(nn.Module):
    """Blocks 11 to 15, last convolution, pooling and head; gives (features, logits).

    With ``blocks="all"`` the stem and all blocks, and it takes pixels.
    """

    def __init__(self, classes: int, dropout: float, blocks: int | Literal["all"] = 3) -> None:
        super().__init__()
        net: Any = lite0_network()
        whole = blocks == "all"
        self.stem = nn.Sequential(net._conv_stem, net._bn0, net._swish) if whole else None
        self.blocks = nn.ModuleList(list(net._blocks)[0 if whole else SPLIT :])
        self._frozen = 0 if blocks == "all" else len(self.blocks) - blocks
        self.conv, self.norm, self.act = net._conv_head, net._bn1, net._swish
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(self.conv.out_channels, classes)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        for block in list(self.blocks)[: self._frozen]:
            block.requires_grad_(False)

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Maps (n, 112, h, w), or pixels (n, 3, h, w) → features (n, 1280), logits (n, classes)."""
        if self.stem is not None:
            maps = self.stem(maps)
        with torch.no_grad():
            for block in list(self.blocks)[: self._frozen]:
                maps = block(maps)
        for block in list(self.blocks)[self._frozen :]:
            maps = block(maps)
        features = self.act(self.norm(self.conv(maps))).mean(dim=(2, 3)).float()
        return features, self.head(self.dropout(features))

    def train(self, mode: bool = True) -> Tail:
        """Only dropout changes: batch norms keep the statistics that they were trained with."""
        super().train(False)
        self.dropout.train(mode)
        return self


class TunedTail:
    """A fine-tuned CNN: features and class scores of any picture.

    Attributes:
        classes: number of classes.
        config: it was trained with.
        seed: of its training.
        history: one record an epoch: loss, validation loss and accuracy.
        sha256: hash of its weights and of how it reads pictures, under which its features are cached.
        dim: width of the features.
    """

    def __init__(
        self,
        net: Tail,
        classes: int,
        config: FinetuneConfig,
        seed: int,
        cache_folder: Path | None,
        history: list[dict[str, float]],
    ) -> None:
        self._device = resolve(config.device)
        self._net = net.eval().to(self._device)
        self._cached = cache_folder is not None
        self._activations = Activations(cache_folder, config.size, self._device, pixels=config.blocks == "all")
        self.classes, self.config, self.seed, self.history = classes, config, seed, history
        self.dim: int = net.head.in_features
        weights = state_sha256(net.state_dict())
        self.sha256 = hashlib.sha256(f"tail|{self._activations.sha256}|{weights}".encode()).hexdigest()

    def look(self, paths: Sequence[Path]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Look at pictures, each as it is and mirrored; the lower half's maps are cached where there is a folder.

        Args:
            paths: picture files.

        Returns:
            features float32 (n, dim) and logits float32 (n, classes), each the mean of the two looks.

        Raises:
            SourceError: a file that is no picture.
        """
        if not self._cached:
            return self.look_at(map(open_image, paths))
        matrix, index = self._activations.prepare(paths)
        return evaluate(self._net, self._activations, (matrix[rows] for rows in batched(index)))

    def look_at(self, images: Iterable[Image.Image]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Look at upright RGB pictures as :meth:`look` does, keeping nothing."""
        rows = (self._activations.compute(image) for image in images)
        return evaluate(self._net, self._activations, (np.stack(batch) for batch in _groups(rows)))

    def can_read(self, path: Path) -> bool:
        """Whether a file is a picture that can be looked at."""
        try:
            open_image(path)
        except SourceError:
            return False
        return True

    def save(self, folder: Path) -> None:
        """Write ``tail.safetensors`` and ``tail.json``."""
        folder.mkdir(parents=True, exist_ok=True)
        save_file(plain(self._net.state_dict()), folder / "tail.safetensors")
        description = {
            "classes": self.classes,
            "config": self.config.model_dump(mode="json"),
            "seed": self.seed,
            "history": self.history,
            "weights": state_sha256(self._net.state_dict()),
        }
        (folder / "tail.json").write_text(json.dumps(description, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, cache_folder: Path | None = None, *, device: str | None = None) -> TunedTail:
        """Read what :meth:`save` wrote.

        Raises:
            ModelError: a file is missing, altered or does not fit.
        """
        try:
            found = json.loads((folder / "tail.json").read_text(encoding="utf-8"))
            config = FinetuneConfig(**found["config"])
            if device is not None:
                config = config.model_copy(update={"device": device})
            net = Tail(int(found["classes"]), config.dropout, config.blocks)
            net.load_state_dict(load_file(folder / "tail.safetensors"))
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            raise ModelError(f"no fine-tuned tail: {error}", where=folder, remedy="train again") from error
        if state_sha256(net.state_dict()) != found["weights"]:
            raise ModelError("the fine-tuned weights were altered", where=folder, remedy="train again")
        return cls(net, int(found["classes"]), config, int(found["seed"]), cache_folder, found["history"])


def evaluate(
    net: Tail,
    activations: Activations,
    batches: Iterable[NDArray[Any]],
    amp: AbstractContextManager[Any] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Features and logits of rows of maps, each the mean over a picture and its mirror image."""
    features = [np.zeros((0, net.head.in_features), np.float32)]
    logits = [np.zeros((0, net.head.out_features), np.float32)]
    with torch.inference_mode(), amp or nullcontext():
        for rows in batches:
            maps = activations.maps(rows)
            plain_, turned = net(maps), net(maps.flip(3).contiguous(memory_format=torch.channels_last))
            features.append(((plain_[0] + turned[0]) / 2).float().cpu().numpy())
            logits.append(((plain_[1] + turned[1]) / 2).float().cpu().numpy())
    return np.concatenate(features), np.concatenate(logits)


def batched(index: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Cut rows into batches of the size that is looked at together."""
    for start in range(0, len(index), _LOOK):
        yield index[start : start + _LOOK]


def _groups(rows: Iterable[NDArray[Any]]) -> Iterator[list[NDArray[Any]]]:
    stream = iter(rows)
    while group := list(islice(stream, _LOOK)):
        yield group
