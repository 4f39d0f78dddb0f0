"""The workspace as arrays: what the fusion model reads of items, graph and classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kgfuse.catalog import ItemRow
from kgfuse.errors import SourceError, TrainingError
from kgfuse.extract.resolve import Resolution
from kgfuse.fuse.data import ClassNodes, FusionData, GraphArrays, IntArray, Split, Target
from kgfuse.fuse.groups import deal_groups, grouping
from kgfuse.terms.mentions import Fact, Source
from kgfuse.workspace.encoderview import EncoderView, arrays, encoder_view, text_features
from kgfuse.workspace.exclusions import ruled
from kgfuse.workspace.hierarchy import Hierarchy, TargetSpec
from kgfuse.workspace.leakage import Mask
from kgfuse.workspace.parts import Parts

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sample:
    """An item with its sources, and its texts without the hidden sentences."""

    item: ItemRow
    texts: tuple[str, ...]
    sources: tuple[Source, ...]

    @property
    def pictures(self) -> tuple[Source, ...]:
        """Its pictures."""
        return tuple(s for s in self.sources if s.kind == "image")


@dataclass(frozen=True, slots=True)
class Dataset:
    """Arrays and what they stand for."""

    data: FusionData
    view: EncoderView
    mask: Mask
    samples: tuple[Sample, ...]
    specs: tuple[TargetSpec, ...]


def sample(parts: Parts, item: ItemRow, mask: Mask) -> Sample:
    """Gather an item's texts and pictures."""
    sources = [parts.source(row) for row in parts.catalog.sources(item=item.iri)]
    texts = tuple(t for s in sources if s.text is not None and (t := mask.visible(s.iri, s.text)))
    return Sample(item, texts, tuple(sources))


def make_dataset(
    parts: Parts,
    resolution: Resolution,
    mask: Mask,
    hierarchy: Hierarchy,
    specs: Sequence[TargetSpec],
    samples: Sequence[Sample],
    extra: Sequence[Fact] = (),
) -> Dataset:
    """Turn samples into arrays.

    Args:
        parts: the workspace.
        resolution: its facts.
        mask: what the encoders may not see.
        hierarchy: the classes.
        specs: the questions.
        samples: the items, in the order of the arrays' rows.
        extra: facts of samples that are not in the workspace.
    """
    everything = {i.iri: i for i in parts.catalog.items()} | {s.item.iri: s.item for s in samples}
    view = encoder_view(parts, resolution, mask, [everything[k] for k in sorted(everything)], extra)
    graph = arrays(view, parts)
    at = {n: i for i, n in enumerate(graph.nodes)}
    text = text_features(parts, [prepared_text(parts, s.texts) for s in samples])
    image, image_mask = image_features(parts, [s.pictures for s in samples])
    targets = ruled([_target(parts, spec, hierarchy, mask, samples, graph) for spec in specs], specs, hierarchy)
    data = FusionData(
        items=tuple(s.item.iri for s in samples),
        item_node=np.array([at.get(s.item.iri, -1) for s in samples], np.int64),
        text=text,
        text_mask=np.array([bool(s.texts) for s in samples], np.bool_),
        image=image,
        image_mask=image_mask,
        graph=graph,
        targets=targets,
        groups=_groups(samples),
    )
    return Dataset(data, view, mask, tuple(samples), tuple(specs))


def prepared_text(parts: Parts, texts: Sequence[str]) -> str:
    """What the text encoder reads of an item's texts; the stored texts and their offsets stay as they are."""
    return parts.settings.encoders.texts.apply(" ".join(texts))


def image_features(parts: Parts, pictures: Sequence[Sequence[Source]]) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Mean CNN features (n, dim) of each item's pictures, and which items have any that can be read.

    The width is 0 where the workspace has no picture at all.
    """
    distinct = {s.sha256: s for group in pictures for s in group}
    if not parts.catalog.sources(kind="image"):
        return np.zeros((len(pictures), 0), np.float32), np.zeros(len(pictures), np.bool_)
    encoder = parts.image_encoder
    _, known = parts.features.get(parts.picture_key, list(distinct))
    for (sha, source), is_known in zip(distinct.items(), known, strict=True):
        if not is_known and source.path is not None:
            try:
                picture = parts.settings.extract.image.pipeline.open(source.path)
            except SourceError:
                continue  # recorded as a problem when it was extracted; the item goes without this picture
            parts.features.put(parts.picture_key, [sha], encoder.encode([picture.image]))
    out = np.zeros((len(pictures), encoder.dim), np.float32)
    mask = np.zeros(len(pictures), np.bool_)
    for row, group in enumerate(pictures):
        if group:
            found, have = parts.features.get(parts.picture_key, [s.sha256 for s in group])
            if have.any():
                out[row] = found[have].mean(axis=0)
                mask[row] = True
    return out, mask


def class_nodes(parts: Parts, spec: TargetSpec, hierarchy: Hierarchy, mask: Mask, graph: GraphArrays) -> ClassNodes:
    """The target's classes with description, iconic picture and place in the hierarchy."""
    at = {n: i for i, n in enumerate(graph.nodes)}
    texts, pictures = [], []
    for iri in spec.classes:
        item = hierarchy.class_items.get(iri)
        gathered = sample(parts, item, mask) if item is not None else None
        described = [hierarchy.definition(iri), *(gathered.texts if gathered else ())]
        texts.append(". ".join([hierarchy.label(iri).replace("-", " "), *(d for d in described if d)]))
        pictures.append(gathered.pictures if gathered else ())
    image, image_mask = image_features(parts, pictures)
    above = [hierarchy.ancestors(c) & spec.family - {c} for c in spec.classes]
    ancestors = sorted(frozenset().union(*above))
    membership = np.array([[a in over for a in ancestors] for over in above], np.bool_)
    return ClassNodes(
        iris=spec.classes,
        labels=tuple(hierarchy.label(c) for c in spec.classes),
        text=text_features(parts, texts),
        text_mask=np.ones(len(texts), np.bool_),
        image=image,
        image_mask=image_mask,
        node=np.array([at.get(c, -1) for c in spec.classes], np.int64),
        ancestors=tuple(ancestors),
        membership=membership.reshape(len(spec.classes), len(ancestors)),
    )


def _target(
    parts: Parts, spec: TargetSpec, hierarchy: Hierarchy, mask: Mask, samples: Sequence[Sample], graph: GraphArrays
) -> Target:
    classes = class_nodes(parts, spec, hierarchy, mask, graph)
    at = {c: i for i, c in enumerate(spec.classes)}
    found = [[at[c] for c in s.item.labels.get(spec.property, ()) if c in at] for s in samples]
    if all(len(f) < 2 for f in found):
        return Target(spec.name, classes, np.array([f[0] if f else -1 for f in found], np.int64))
    many = np.zeros((len(found), len(at)), np.bool_)
    for row, f in enumerate(found):
        many[row, f] = True
    return Target(spec.name, classes, many, known=np.array([bool(f) for f in found], np.bool_))


def in_columns(scores: Floats, own: Sequence[str], classes: Sequence[str]) -> Floats:
    """A classifier's scores (n, len(own)) in the order of ``classes``.

    A class that it does not know gets the lowest score of the row; rows that are NaN stay so.
    """
    at = {c: i for i, c in enumerate(own)}
    lowest = scores.min(axis=1, initial=0.0)
    return np.stack([scores[:, at[c]] if c in at else lowest for c in classes], axis=1).astype(np.float32)


def make_split(samples: Sequence[Sample], strata: Sequence[str | None], seed: int | None = None) -> Split:
    """The items' own split, or a stratified one.

    Args:
        samples: the items.
        strata: (N) each item's class, to be shared out evenly; ``None`` where it has no label.
        seed: ``None`` keeps the split of the manifest (items that name none are for training, and a tenth of the
            training items validates where none does); a number splits anew, into parts of the manifest's sizes, or
            70 / 10 / 20 per cent where it has none. Items of one group are then in one part, and the sizes only nearly
            kept.

    Raises:
        TrainingError: no labelled training item, or all are of one group, so that none can be held out.
    """
    labelled = [i for i, c in enumerate(strata) if c is not None]
    own = {i: samples[i].item.split for i in labelled}
    named = [s for s in own.values() if s is not None]
    keep = seed is None and bool(named)
    both = {"validation", "test"} <= set(named)
    shares = (named.count("validation") / len(named), named.count("test") / len(named)) if both else (0.1, 0.2)
    train = [i for i in labelled if not keep or own[i] in (None, "train")]
    validation = [i for i in labelled if keep and own[i] == "validation"]
    test = [i for i in labelled if keep and own[i] == "test"]
    rng = np.random.default_rng(seed or 0)
    groups = _groups(samples)
    if not keep:
        train, test = _hold_out(train, strata, shares[1], rng, groups)
    if not validation:
        train, validation = _hold_out(train, strata, shares[0] / (1 - shares[1]) if not keep else 0.1, rng, groups)
    if not train:
        raise TrainingError("no labelled training item", remedy="give items a label, and split train to some of them")
    return Split(*(np.array(sorted(part), np.int64) for part in (train, validation, test)))


def _groups(samples: Sequence[Sample]) -> IntArray | None:
    """(n,) number of each item's group, its own where it names none; ``None`` where none names one."""
    names = [s.item.group for s in samples]
    if all(name is None for name in names):
        return None
    either = [(s.item.iri, "") if name is None else ("", name) for s, name in zip(samples, names, strict=True)]
    number = {pair: n for n, pair in enumerate(sorted(set(either)))}
    return np.array([number[pair] for pair in either], np.int64)


def _hold_out(
    rows: Sequence[int],
    strata: Sequence[str | None],
    share: float,
    rng: np.random.Generator,
    groups: IntArray | None,
) -> tuple[list[int], list[int]]:
    """Share ``rows`` out class by class; a class of two or more gives at least one and keeps at least one.

    Where items share groups, these are held out as a whole, and the classes are spread as evenly as they let them.
    """
    own = grouping(groups, np.array(rows, np.int64))
    if own is not None:
        part = deal_groups([str(strata[row]) for row in rows], own, max(2, round(1 / share)), rng)
        at = np.array(rows, np.int64)
        return at[part > 0].tolist(), at[part == 0].tolist()
    by_class: dict[str, list[int]] = {}
    for row in rows:
        by_class.setdefault(str(strata[row]), []).append(row)
    kept, held = [], []
    for name in sorted(by_class):
        order = [by_class[name][j] for j in rng.permutation(len(by_class[name]))]
        count = min(max(1, round(share * len(order))), len(order) - 1) if len(order) > 1 else 0
        held += order[:count]
        kept += order[count:]
    return kept, held
