"""Arrays as the parts of a model take them: blocks of items and classes as tensors, and the plain match of the two."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from kgfuse.fuse.blocks import MODALITY_OF, Blocks, BlockSpec, centre
from kgfuse.fuse.data import BoolArray, ClassNodes, FloatArray, IntArray, Modality, Target
from kgfuse.fuse.layer import over_seen

MATCH_SHARPNESS = 10.0


@dataclass(frozen=True, eq=False, slots=True)
class TargetInfo:
    """What a model keeps of a target.

    Args:
        name: of the target.
        classes: its classes; their ``node`` is matched by name at prediction.
        multi_label: whether an item may have several.
        seen: (C,) classes with at least one training item.
    """

    name: str
    classes: ClassNodes
    multi_label: bool
    seen: BoolArray


def block_tensors(
    blocks: Blocks, chunk: slice | IntArray, dropped: Set[Modality], device: torch.device
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Blocks as tensors: values and presence, those of dropped modalities zero and absent."""
    values, present = {}, {}
    for name, array in blocks.values.items():
        there = blocks.present[name][chunk] & (MODALITY_OF[name] not in dropped)
        present[name] = torch.from_numpy(there).to(device)
        values[name] = torch.from_numpy(array[chunk] * there[:, None]).to(device)
    return values, present


def class_tensors(
    spec: BlockSpec, targets: tuple[TargetInfo, ...], device: torch.device
) -> dict[str, dict[str, Tensor]]:
    """See :meth:`FusionModel.class_tensors`."""
    result: dict[str, dict[str, Tensor]] = {}
    for target in targets:
        classes = target.classes
        own = {"text": (classes.text, classes.text_mask), "image": (classes.image, classes.image_mask)}
        result[target.name] = {
            name: torch.from_numpy(centre(features, spec.mean[name]) * mask[:, None]).to(device)
            for name, (features, mask) in own.items()
            if name in spec.mean
        }
    return result


def level(scores: Tensor, seen: Tensor) -> Tensor:
    """Classes without a training item score the mean of the others."""
    return torch.where(seen, scores, over_seen(scores, seen))


def told(
    target: Target, info: TargetInfo, modality: Literal["text", "image"], rows: IntArray, there: BoolArray
) -> FloatArray | None:
    """(n, C) log-probabilities of the classifier of one modality that came with the data, in the model's classes.

    Args:
        target: of the data.
        info: of the model.
        modality: whose classifier.
        rows: (n,) items.
        there: (n,) which have the modality; the others' rows are NaN.

    Returns:
        ``None`` where no classifier came with the data, or it does not know all of the model's classes.
    """
    logits = target.text_logits if modality == "text" else target.image_logits
    column = {iri: number for number, iri in enumerate(target.classes.iris)}
    order = [column.get(iri, -1) for iri in info.classes.iris]
    if logits is None or min(order) < 0:
        return None
    said = array(level(torch.from_numpy(logits[rows][:, order].astype(np.float32)), torch.from_numpy(info.seen)))
    said[~there] = np.nan
    return said


def class_matches(
    values: Mapping[str, Tensor], nodes: Mapping[str, Mapping[str, Tensor]]
) -> dict[str, dict[str, Tensor]]:
    """Target → ``match text``, ``match image`` → (n, C) likeness of items and what is known of the class nodes.

    Nothing is learned here: with few items a class, its definition says more than they do.
    """
    return {
        target: {
            f"match {name}": MATCH_SHARPNESS * values[name] @ features.T
            for name, features in own.items()
            if bool(features.abs().sum() > 0)
        }
        for target, own in nodes.items()
    }


def array(tensor: Tensor) -> FloatArray:
    """The tensor as float32 numbers on the CPU."""
    return np.asarray(tensor.float().cpu().numpy(), np.float32)


def arrays(tensors: Mapping[str, Tensor]) -> dict[str, FloatArray]:
    """Each tensor as :func:`array` gives it."""
    return {name: array(tensor) for name, tensor in tensors.items()}
