"""Alignments on disk: ``aligned.safetensors`` for every number, ``aligned.json`` for everything else. No pickle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from kgfuse.fuse.data import FloatArray
from kgfuse.fuse.files import write_whole
from kgfuse.fuse.partners import Found
from kgfuse.fuse.projections import Recipe
from kgfuse.fuse.views import Alignment

FORMAT: Final = 1
TENSORS: Final = "aligned.safetensors"
CARD: Final = "aligned.json"
_MEANS: Final = ("left", "right", "left_words", "right_words")


def save(
    folder: Path,
    fingerprint: str,
    alignments: Mapping[str, Alignment],
    extra: Mapping[str, FloatArray],
    about: Mapping[str, Any],
) -> None:
    """Write alignments; the card, which names the tensors' hash, is written last.

    Args:
        folder: made where it is missing.
        fingerprint: of all that they were made from.
        alignments: by name.
        extra: other arrays.
        about: JSON-able, what the extra arrays stand for.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"extra.{name}": np.ascontiguousarray(array) for name, array in extra.items()}
    for name, found in alignments.items():
        tensors |= {f"{name}.mean.{k}": np.ascontiguousarray(m) for k, m in zip(_MEANS, found.means, strict=True)}
        if found.projections is not None:
            tensors |= {f"{name}.{k}": np.ascontiguousarray(p) for k, p in enumerate(found.projections)}
    payload = save_tensors(tensors)
    card = {
        "format": FORMAT,
        "fingerprint": fingerprint,
        "tensors_sha256": hashlib.sha256(payload).hexdigest(),
        "alignments": {name: _record(found) for name, found in alignments.items()},
        "about": dict(about),
    }
    write_whole(folder / TENSORS, payload)
    write_whole(folder / CARD, json.dumps(card, ensure_ascii=False, sort_keys=True).encode())


def load(folder: Path, fingerprint: str) -> tuple[dict[str, Alignment], dict[str, FloatArray], dict[str, Any]] | None:
    """Read alignments, extra arrays and what these stand for.

    Returns:
        ``None`` where there are none of this fingerprint, or they are damaged: they are made again then.
    """
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        if card["format"] != FORMAT or card["fingerprint"] != fingerprint:
            return None
        payload = (folder / TENSORS).read_bytes()
        if hashlib.sha256(payload).hexdigest() != card["tensors_sha256"]:
            return None
        tensors = load_tensors(payload)
        found = {name: _read(record, tensors, name) for name, record in card["alignments"].items()}
        extra = {key.removeprefix("extra."): array for key, array in tensors.items() if key.startswith("extra.")}
        return found, extra, card["about"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError):
        return None


def _record(found: Alignment) -> dict[str, Any]:
    return {
        "recipe": None if found.recipe is None else asdict(found.recipe),
        "share": found.share,
        "pairs": found.pairs,
        "kept": None if found.kept is None else asdict(found.kept),
        "words": None if found.words is None else asdict(found.words),
    }


def _read(record: dict[str, Any], tensors: Mapping[str, FloatArray], name: str) -> Alignment:
    own = record["recipe"]
    recipe = None if own is None else Recipe(tuple(own["ridges"]), float(own["power"]), int(own["epochs"]))
    means = [tensors[f"{name}.mean.{key}"] for key in _MEANS]
    made = None if recipe is None else (tensors[f"{name}.0"], tensors[f"{name}.1"])
    return Alignment(
        projections=made,
        recipe=recipe,
        share=float(record["share"]),
        means=(means[0], means[1], means[2], means[3]),
        pairs=int(record["pairs"]),
        kept=_found(record["kept"]),
        words=_found(record["words"]),
    )


def _found(own: dict[str, Any] | None) -> Found | None:
    if own is None:
        return None
    recall, distance = own["recall"], own["distance"]
    return Found(own["reciprocal"], (recall[0], recall[1], recall[2]), own["rank"], (distance[0], distance[1]))
