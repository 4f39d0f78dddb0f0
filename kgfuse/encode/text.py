"""Sentence vectors from a BERT-family model: mean of the token vectors, unit length."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from kgfuse.encode.device import resolve
from kgfuse.encode.weights import MINILM, packaged_file, state_sha256
from kgfuse.errors import ModelError

_MAX_TOKENS: Final = 256
_MAX_CHUNKS: Final = 32
_MAX_CHARACTERS: Final = _MAX_TOKENS * _MAX_CHUNKS * 16


@dataclass(frozen=True, slots=True)
class _Chunk:
    text: int
    tokens: tuple[int, ...]


class TextEncoder:
    """Texts to unit-length vectors.

    A text's vector is the mean of its last-layer token vectors (Reimers and Gurevych 2019, arXiv:1908.10084), scaled
    to length one; one longer than 256 tokens is read in chunks, and the mean is over the tokens of all of them
    (of the first 32 chunks, about five thousand words). A blank text gets the zero vector.

    Numbers depend on the other texts of the call by rounding only (below 1e-6 a component): chunks are sorted by
    length and content and run in batches of a fixed size, so one call always gives the same bits.

    Args:
        model: a Hugging Face name or a folder with config, tokenizer and safetensors; ``None`` is all-MiniLM-L6-v2 as
            packaged, whose hash is checked.
        device: ``auto``, ``cpu``, ``cuda`` …

    Attributes:
        name: what was loaded.
        sha256: hash of weights and reading, under which features are cached.
        dim: width of the vectors.

    Raises:
        ModelError: the model is missing, altered, or no encoder.
    """

    def __init__(self, model: str | None = None, device: str = "auto") -> None:
        self.device = resolve(device)
        self._tokenizer, loaded, self._max_tokens = bert(model)
        self._model: Any = loaded.eval().to(self.device)
        self.name: str = "all-MiniLM-L6-v2" if model is None else model
        self.dim: int = int(self._model.config.hidden_size)
        weights = MINILM.sha256 if model is None else state_sha256(self._model.state_dict())
        self.sha256: str = hashlib.sha256(f"text|mean|{self._max_tokens}|{weights}".encode()).hexdigest()

    def encode(self, texts: Sequence[str], batch_size: int = 32) -> NDArray[np.float32]:
        """Encode texts.

        Args:
            texts: any strings; equal ones are computed once.
            batch_size: chunks in a batch; part of what fixes the last bits.

        Returns:
            float32 (n, dim); rows of length one, zero for blank texts.
        """
        distinct = list(dict.fromkeys(texts))
        sums = np.zeros((len(distinct), self.dim), dtype=np.float64)
        chunks = sorted(self._chunks(distinct), key=lambda chunk: (len(chunk.tokens), chunk.tokens, chunk.text))
        for start in range(0, len(chunks), batch_size):
            batch = chunks[start : start + batch_size]
            for chunk, vector in zip(batch, self._token_sums([chunk.tokens for chunk in batch]), strict=True):
                sums[chunk.text] += vector
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        unit = np.divide(sums, norms, out=np.zeros_like(sums), where=norms > 0).astype(np.float32)
        place = {text: at for at, text in enumerate(distinct)}
        return unit[[place[text] for text in texts]] if texts else np.zeros((0, self.dim), dtype=np.float32)

    def _chunks(self, texts: Sequence[str]) -> Iterator[_Chunk]:
        for at, text in enumerate(texts):
            if not text.strip():
                continue
            for tokens in stretches(self._tokenizer, text, self._max_tokens, _MAX_CHUNKS):
                yield _Chunk(at, tokens)

    def _token_sums(self, batch: Sequence[tuple[int, ...]]) -> NDArray[np.float64]:
        """Sum of the last layer's token vectors of each sequence, special tokens included, as in training."""
        width = max(map(len, batch))
        pad = self._tokenizer.pad_token_id or 0
        ids = torch.tensor([[*tokens, *[pad] * (width - len(tokens))] for tokens in batch], device=self.device)
        lengths = torch.tensor([len(tokens) for tokens in batch], device=self.device)
        mask = torch.arange(width, device=self.device)[None, :] < lengths[:, None]
        with torch.inference_mode():
            states = self._model(input_ids=ids, attention_mask=mask.long()).last_hidden_state
            summed = (states * mask[..., None]).sum(dim=1)
        return summed.double().cpu().numpy()  # type: ignore[no-any-return]


def stretches(tokenizer: Any, text: str, longest: int, most: int) -> list[tuple[int, ...]]:
    """Token ids of a text, at most ``longest`` at a time, special ones included: one stretch to ``most``."""
    encoded = tokenizer(
        text[:_MAX_CHARACTERS],
        truncation=True,
        max_length=longest,
        return_overflowing_tokens=True,
        return_attention_mask=False,
        return_token_type_ids=False,
    )
    return [tuple(ids) for ids in encoded["input_ids"][:most]]


def bert(model: str | None = None) -> tuple[Any, Any, int]:
    """Tokenizer, encoder and longest input of a BERT-family model; ``None`` is all-MiniLM-L6-v2 as packaged.

    Raises:
        ModelError: the model is missing, altered, or no encoder.
    """
    name = str(packaged_file(MINILM).parent) if model is None else model
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    offline = Path(name).is_dir() or bool(os.environ.get("HF_HUB_OFFLINE"))
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, use_fast=True, local_files_only=offline)
        encoder: Any = AutoModel.from_pretrained(
            name, use_safetensors=True, local_files_only=offline, trust_remote_code=False, dtype=torch.float32
        )
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
        raise ModelError(
            f"no text encoder could be loaded: {str(error).splitlines()[0] if str(error) else type(error).__name__}",
            where=name,
            remedy="give a Hugging Face model with safetensors that is in the local cache or reachable, or a folder",
        ) from error
    limit = int(getattr(encoder.config, "max_position_embeddings", 512) or 512)
    return tokenizer, encoder, min(_MAX_TOKENS, limit, int(tokenizer.model_max_length))
