"""The layers of a BERT-family encoder, run one after another, so that some can be frozen, cached or trained apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from kgfuse.errors import ModelError


def layers_of(encoder: Any, name: str) -> list[Any]:
    """The encoder's layers, from the bottom.

    Raises:
        ModelError: it is not built like BERT (``embeddings`` and ``encoder.layer``).
    """
    layers = getattr(getattr(encoder, "encoder", None), "layer", None)
    if layers is None or not hasattr(encoder, "embeddings"):
        raise ModelError(
            f"{type(encoder).__name__} is not built like BERT: its layers cannot be trained apart",
            where=name,
            remedy="name a BERT, RoBERTa, ELECTRA or MiniLM model, or leave it frozen",
        )
    return list(layers)


def through(states: Tensor, mask: Tensor, layers: Iterable[Any]) -> Tensor:
    """(B, T, d) states after these layers; tokens outside ``mask`` (B, T) are not looked at."""
    bias = torch.zeros(mask.shape, dtype=states.dtype, device=states.device).masked_fill(~mask, -1e9)
    for layer in layers:
        out = layer(states, bias[:, None, None, :])
        states = out[0] if isinstance(out, tuple) else out
    return states
