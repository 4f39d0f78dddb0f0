"""Varied copies of training pictures: rotated, mirrored, cropped, blurred, as edge maps.

A copy is a further training row with the item's text, graph and label, and the features of the varied picture.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kgfuse.encode.augment import Augmentation
from kgfuse.errors import SourceError
from kgfuse.fuse.data import FusionData, Split, Target
from kgfuse.workspace.dataset import Dataset
from kgfuse.workspace.parts import Parts
from kgfuse.workspace.pictures import Tuned

Floats = npt.NDArray[np.float32]


def with_copies(
    parts: Parts,
    dataset: Dataset,
    splits: Sequence[Split],
    augmentation: Augmentation,
    copies: int,
    tuned: Tuned | None = None,
) -> tuple[FusionData, list[Split]]:
    """Arrays with ``copies`` varied copies of each training picture, and the splits that train on them.

    Args:
        parts: the workspace.
        dataset: arrays and pictures of the items.
        splits: a copy joins every split in which its original is for training, and no other.
        augmentation: how pictures are varied; seeded by the picture and the number of the copy.
        copies: of each picture.
        tuned: the CNN tail that reads pictures in place of the frozen CNN.
    """
    data = dataset.data
    wanted = np.unique(np.concatenate([s.train for s in splits]))
    rows, features, scores = [], [], []
    for row in wanted.tolist():
        pictures = dataset.samples[row].pictures
        if not data.image_mask[row] or not pictures:
            continue
        for copy in range(copies):
            found = _read(parts, pictures[0].path, pictures[0].sha256, augmentation, copy, tuned)
            if found is not None:
                rows.append(row)
                features.append(found[0])
                scores.append(found[1])
    if not rows:
        return data, list(splits)
    index = np.array(rows, np.int64)
    count = len(data.items)
    names = tuple(f"{data.items[row]}#copy{n}" for n, row in enumerate(rows))
    grown = replace(
        data,
        items=(*data.items, *names),
        item_node=np.concatenate([data.item_node, data.item_node[index]]),
        text=np.concatenate([data.text, data.text[index]]),
        text_mask=np.concatenate([data.text_mask, data.text_mask[index]]),
        image=np.concatenate([data.image, np.stack(features)]),
        image_mask=np.concatenate([data.image_mask, np.ones(len(rows), np.bool_)]),
        targets=tuple(_grown(t, index, scores, tuned) for t in data.targets),
        groups=None if data.groups is None else np.concatenate([data.groups, data.groups[index]]),
    )
    joined = []
    for split in splits:
        own = np.flatnonzero(np.isin(index, split.train)) + count
        joined.append(replace(split, train=np.concatenate([split.train, own])))
    return grown, joined


def _grown(
    target: Target, index: npt.NDArray[np.int64], scores: Sequence[Floats | None], tuned: Tuned | None
) -> Target:
    logits = target.image_logits
    if logits is not None and tuned is not None and target.name == tuned.target:
        own = np.stack([s if s is not None else logits[row] for s, row in zip(scores, index, strict=True)])
        logits = np.concatenate([logits, own if own.shape[1] == logits.shape[1] else logits[index]])
    elif logits is not None:
        logits = np.concatenate([logits, logits[index]])
    said = target.text_logits
    known = None if target.known is None else np.concatenate([target.known, target.known[index]])
    return replace(
        target,
        labels=np.concatenate([target.labels, target.labels[index]]),
        known=known,
        image_logits=logits,
        text_logits=None if said is None else np.concatenate([said, said[index]]),
    )


def _read(
    parts: Parts, path: Path | None, sha256: str, augmentation: Augmentation, copy: int, tuned: Tuned | None
) -> tuple[Floats, Floats | None] | None:
    """Features of a varied picture, and the tuned tail's log-probabilities; ``None`` for one that cannot be read."""
    if path is None:
        return None
    model = f"{tuned.tail.sha256}|varied" if tuned is not None else parts.picture_key
    key = hashlib.sha256(f"{sha256}|{augmentation.model_dump_json()}|{copy}".encode()).hexdigest()
    kept, known = parts.features.get(model, [key])
    width = tuned.tail.dim if tuned is not None else parts.image_encoder.dim
    if not known[0]:
        try:
            picture = parts.settings.extract.image.pipeline.open(path).image
        except SourceError:
            return None
        varied = augmentation.apply(picture, seed=int(key[:8], 16))
        if tuned is not None:
            features, logits = tuned.tail.look_at([varied])
            parts.features.put(model, [key], np.concatenate([features, logits], axis=1))
        else:
            parts.features.put(model, [key], parts.image_encoder.encode([varied]))
        kept, _ = parts.features.get(model, [key])
    row = np.asarray(kept[0], np.float32)
    if tuned is None:
        return row, None
    logits_row = row[width:]
    return row[:width], np.asarray(logits_row - np.logaddexp.reduce(logits_row), np.float32)
