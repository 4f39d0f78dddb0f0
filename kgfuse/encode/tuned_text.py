"""A fine-tuned text classifier: the last layers of a BERT with a head, and what it says of any text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from kgfuse.encode.bert_layers import layers_of, through
from kgfuse.encode.checkpoint import plain
from kgfuse.encode.device import resolve
from kgfuse.encode.text import bert, stretches
from kgfuse.encode.weights import state_sha256
from kgfuse.errors import ModelError

PACKAGED: Final = "all-MiniLM-L6-v2"
_TOGETHER: Final = 32
_CHUNKS: Final = 8
Ids = tuple[int, ...]


class TextTuning(BaseModel):
    """How the last layers are trained.

    Args:
        layers: how many of the last ones learn; ``all`` are all, with the embeddings.
        epochs: passes over the training texts.
        batch: texts in a step.
        lr: peak learning rate of the last layer; each layer below has ``decay`` times the rate of the one above it
            (discriminative fine-tuning, Howard and Ruder 2018, arXiv:1801.06146).
        decay: see there.
        lr_head: peak learning rate of the new head.
        weight_decay: of AdamW.
        label_smoothing: share of the target spread over all classes.
        dropout: before the head.
        token_dropout: share of a training text's tokens that a step does not see.
        longest: tokens read at a time; of a longer text a step sees one stretch, and an answer the mean of eight.
        patience: epochs without a better validation result after which training stops.
        device: where it runs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    layers: int | Literal["all"] = Field(default=2)
    epochs: int = Field(default=6, ge=1)
    batch: int = Field(default=16, ge=2)
    lr: float = Field(default=3e-4, gt=0)
    decay: float = Field(default=0.8, gt=0, le=1)
    lr_head: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    label_smoothing: float = Field(default=0.1, ge=0, lt=1)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    token_dropout: float = Field(default=0.1, ge=0, lt=1)
    longest: int = Field(default=256, ge=8, le=512)
    patience: int = Field(default=2, ge=1)
    device: str = "auto"


class Upper(nn.Module):
    """The layers that learn, and the head; gives logits.

    Attributes:
        ids: it begins with the embeddings, and takes token ids instead of states.
    """

    def __init__(self, encoder: Any, name: str, config: TextTuning, classes: int) -> None:
        super().__init__()
        layers = layers_of(encoder, name)
        count = len(layers) if config.layers == "all" else config.layers
        if not 1 <= count <= len(layers):
            raise ModelError(
                f"{count} layers cannot be trained: the encoder has {len(layers)}",
                where=name,
                remedy=f"1 to {len(layers)}, or all",
            )
        self.ids = config.layers == "all"
        self.embeddings = encoder.embeddings if self.ids else None
        self.layers = nn.ModuleList(layers[len(layers) - count :])
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(int(encoder.config.hidden_size), classes)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, given: Tensor, mask: Tensor) -> Tensor:
        """Sums of the last layer's states (B, d), of token ids (B, T) or states (B, T, d) and their mask (B, T)."""
        states = given if self.embeddings is None else self.embeddings(input_ids=given)
        last = through(states, mask, self.layers)
        return (last * mask[..., None]).sum(dim=1)

    def judge(self, sums: Tensor) -> Tensor:
        """(B, C) logits of sums of states, which only their direction decides."""
        rows = functional.normalize(sums, dim=1) * sums.shape[1] ** 0.5
        logits: Tensor = self.head(self.dropout(rows))
        return logits


class Reading:
    """An encoder in two halves: what stays as it is, and what learns.

    Args:
        encoder: a BERT by name or folder; ``None`` is the packaged one.
        config: how many layers learn.
        classes: of the head.
    """

    def __init__(self, encoder: str | None, config: TextTuning, classes: int) -> None:
        self.device = resolve(config.device)
        self._tokenizer, model, most = bert(encoder)
        model = model.eval().to(self.device)
        self.longest = min(config.longest, most)
        self.upper = Upper(model, encoder or PACKAGED, config, classes).to(self.device)
        self._embeddings = model.embeddings
        self._lower = layers_of(model, encoder or PACKAGED)[: -len(self.upper.layers)] if not self.upper.ids else []
        self._pad = self._tokenizer.pad_token_id or 0

    def tokens(self, text: str) -> list[Ids]:
        """Token ids of a text's stretches, at least one."""
        return stretches(self._tokenizer, text, self.longest, _CHUNKS)

    def given(self, rows: Sequence[Ids]) -> tuple[Tensor, Tensor]:
        """What the upper half takes of a batch of stretches: ids or states, and their mask (B, T)."""
        width = max(map(len, rows))
        ids = torch.tensor([[*row, *[self._pad] * (width - len(row))] for row in rows], device=self.device)
        lengths = torch.tensor([len(row) for row in rows], device=self.device)
        mask = torch.arange(width, device=self.device)[None, :] < lengths[:, None]
        if self.upper.ids:
            return ids, mask
        with torch.no_grad():
            return through(self._embeddings(input_ids=ids), mask, self._lower), mask

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, C) logits; a long text's are of the mean over its stretches."""
        stretches = [(at, ids) for at, text in enumerate(texts) for ids in self.tokens(text)]
        stretches.sort(key=lambda one: (len(one[1]), one[1], one[0]))
        sums = torch.zeros(len(texts), self.upper.head.in_features, dtype=torch.float64)
        self.upper.eval()
        with torch.inference_mode():
            for start in range(0, len(stretches), _TOGETHER):
                batch = stretches[start : start + _TOGETHER]
                found = self.upper(*self.given([ids for _, ids in batch])).double().cpu()
                sums.index_add_(0, torch.tensor([at for at, _ in batch]), found)
            logits = self.upper.judge(sums.float().to(self.device)) if len(texts) else sums.new_zeros(0, 0)
        return np.asarray(logits.float().cpu().numpy(), np.float32).reshape(len(texts), self.upper.head.out_features)


class TunedText:
    """A fine-tuned text classifier.

    Attributes:
        encoder: name or folder of the BERT whose last layers were trained; ``None`` is the packaged one.
        classes: number of classes.
        config: it was trained with.
        seed: of its training.
        history: one record an epoch: loss, validation loss and accuracy.
        kept: the epoch whose weights these are, from 1.
        sha256: hash of its weights and of how it reads.
    """

    def __init__(
        self, reading: Reading, encoder: str | None, config: TextTuning, seed: int, history: list[dict[str, float]],
        kept: int,
    ) -> None:  # fmt: skip
        self._reading = reading
        self.encoder, self.config, self.seed, self.history, self.kept = encoder, config, seed, history, kept
        self.classes = reading.upper.head.out_features
        weights = state_sha256(reading.upper.state_dict())
        self.sha256 = hashlib.sha256(f"text|{encoder}|{config.layers}|{reading.longest}|{weights}".encode()).hexdigest()

    def scores(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, C) log-probabilities; rows sum to one in probability."""
        logits = self._reading.logits(texts).astype(np.float64)
        logits -= logits.max(axis=1, keepdims=True, initial=-np.inf)
        return np.asarray(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)), np.float32)

    def save(self, folder: Path) -> None:
        """Write ``text.safetensors`` (the layers that learned) and ``text.json``."""
        folder.mkdir(parents=True, exist_ok=True)
        state = self._reading.upper.state_dict()
        save_file(plain(state), folder / "text.safetensors")
        description = {
            "encoder": self.encoder,
            "classes": self.classes,
            "config": self.config.model_dump(mode="json"),
            "seed": self.seed,
            "history": self.history,
            "kept": self.kept,
            "weights": state_sha256(state),
        }
        (folder / "text.json").write_text(json.dumps(description, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, *, device: str | None = None) -> TunedText:
        """Read what :meth:`save` wrote.

        Raises:
            ModelError: a file is missing, altered or does not fit.
        """
        try:
            found = json.loads((folder / "text.json").read_text(encoding="utf-8"))
            config = TextTuning(**found["config"])
            if device is not None:
                config = config.model_copy(update={"device": device})
            reading = Reading(found["encoder"], config, int(found["classes"]))
            reading.upper.load_state_dict(load_file(folder / "text.safetensors"))
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            raise ModelError(f"no fine-tuned text classifier: {error}", where=folder, remedy="train again") from error
        if state_sha256(reading.upper.state_dict()) != found["weights"]:
            raise ModelError("the fine-tuned weights were altered", where=folder, remedy="train again")
        return cls(reading, found["encoder"], config, int(found["seed"]), found["history"], int(found["kept"]))
