"""Which items that a model learned from are most like another, as the model sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kgfuse.fuse.blocks import MODALITY_OF, Prepared, make_blocks
from kgfuse.fuse.data import FusionData, IntArray, Modality
from kgfuse.fuse.model import FusionModel


@dataclass(frozen=True, slots=True)
class Alike:
    """An item like another.

    Args:
        row: its row in the data.
        likeness: cosine of the joined blocks, -1 to 1: the mean over the blocks that both have.
        by: modality → mean cosine of its blocks, where both items have them.
    """

    row: int
    likeness: float
    by: Mapping[Modality, float]


def nearest_items(
    model: FusionModel,
    data: FusionData,
    row: int,
    among: IntArray,
    count: int = 3,
    prepared: Prepared | None = None,
) -> list[Alike]:
    """The items most like one, the most alike first.

    Blocks are those that the model's parts read: centred on the training items, each of norm one.

    Args:
        model: a trained model.
        data: the items.
        row: the item.
        among: (n,) rows to choose from; the item itself is left out.
        count: how many, at most.
        prepared: ``model.prepare(data)`` where the caller has it.
    """
    others = among[among != row]
    if not len(others):
        return []
    ready = model.prepare(data) if prepared is None else prepared
    blocks = make_blocks(model.spec, data, ready, np.concatenate([np.array([row], np.int64), others]))
    likeness = {name: values[1:] @ values[0] for name, values in blocks.values.items()}
    both = {name: there[1:] & there[0] for name, there in blocks.present.items()}
    shared = np.sum([both[name] for name in likeness], axis=0)
    whole = np.sum([likeness[name] * both[name] for name in likeness], axis=0) / np.maximum(shared, 1)
    order = np.argsort(-whole, kind="stable")
    found = []
    for n in order[:count].tolist():
        if not shared[n]:
            continue
        by: dict[Modality, list[float]] = {}
        for name, values in likeness.items():
            if both[name][n]:
                by.setdefault(MODALITY_OF[name], []).append(float(values[n]))
        found.append(Alike(int(others[n]), float(whole[n]), {m: float(np.mean(v)) for m, v in by.items()}))
    return found
