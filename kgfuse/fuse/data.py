"""What the fusion model reads: items with text and picture features, a graph around them, and the classes to predict.

Everything is an array. A modality that an item lacks is marked in a mask; its row in the feature array is ignored.
Labels are read at ``Split.train`` to learn and at ``Split.validation`` to select, nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from kgfuse.errors import TrainingError

FloatArray: TypeAlias = npt.NDArray[np.float32]
IntArray: TypeAlias = npt.NDArray[np.int64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
Modality: TypeAlias = Literal["text", "image", "graph"]
MODALITIES: Final[tuple[Modality, ...]] = ("text", "image", "graph")


def no_pairs() -> IntArray:
    """Pairs of classes, (0, 2): none."""
    return np.zeros((0, 2), np.int64)


@dataclass(frozen=True, eq=False, slots=True)
class GraphArrays:
    """A multi-relational graph as integers.

    Args:
        nodes: V names (IRIs, or a literal's text), unique.
        relations: R names (IRIs), unique.
        edges: (E, 3) columns subject, relation, object.
        features: (V, Df) features of a node's label or literal; zero rows where there are none.
    """

    nodes: tuple[str, ...]
    relations: tuple[str, ...]
    edges: IntArray
    features: FloatArray


@dataclass(frozen=True, eq=False, slots=True)
class ClassNodes:
    """The classes of one target, as nodes with a description, a picture and a place in the hierarchy.

    Args:
        iris: C class names, unique.
        labels: C names for people.
        text: (C, Dt) description features, in the space of the items' text features.
        text_mask: (C,) which classes have one.
        image: (C, Di) features of an iconic picture, in the space of the items' picture features.
        image_mask: (C,) which classes have one.
        node: (C,) index of the class in the graph, -1 where it has no node.
        ancestors: A names of superclasses.
        membership: (C, A), true where the class lies under the ancestor.
        below: (P, 2) pairs of a class and one of the others that lies above it: who has the first has the second. Only
            a multi-label target heeds them.
        apart: (Q, 2) pairs of classes that nothing has both of. Only a multi-label target heeds them.
        elsewhere: other target → (Q, 2) pairs of a class of this target and one of the other's that exclude each other;
            it is enough that one of the two targets says so.
    """

    iris: tuple[str, ...]
    labels: tuple[str, ...]
    text: FloatArray
    text_mask: BoolArray
    image: FloatArray
    image_mask: BoolArray
    node: IntArray
    ancestors: tuple[str, ...]
    membership: BoolArray
    below: IntArray = field(default_factory=no_pairs)
    apart: IntArray = field(default_factory=no_pairs)
    elsewhere: Mapping[str, IntArray] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, slots=True)
class Target:
    """One question asked of every item.

    Args:
        name: of the target, such as the IRI of the class whose subclasses are predicted.
        classes: the possible answers.
        labels: (N,) class index with -1 where unknown; or bool (N, C) for a multi-label target.
        known: (N,) for a multi-label target, which rows of ``labels`` are known; ``None`` means all.
        image_logits: (N, C) log-probabilities of a picture-only classifier (such as a fine-tuned CNN), NaN rows where
            there is none. Over-confident on the items it was trained on: its weight is chosen on validation.
        text_logits: (N, C) log-probabilities of a text-only classifier (such as a fine-tuned BERT), NaN rows where
            there is none. Those of training items come from one that did not learn from them (cross-fitting), so that
            it is weighed with the base, on all labelled items.
    """

    name: str
    classes: ClassNodes
    labels: IntArray | BoolArray
    known: BoolArray | None = None
    image_logits: FloatArray | None = None
    text_logits: FloatArray | None = None

    @property
    def multi_label(self) -> bool:
        """Whether an item may have several classes at once."""
        return self.labels.ndim == 2

    @property
    def labelled(self) -> BoolArray:
        """(N,) which items have a known label."""
        if self.multi_label:
            return np.ones(len(self.labels), dtype=np.bool_) if self.known is None else self.known
        return np.asarray(self.labels >= 0, dtype=np.bool_)


@dataclass(frozen=True, eq=False, slots=True)
class FusionData:
    """Items and all that is known of them.

    Args:
        items: N names, unique.
        item_node: (N,) index of the item in the graph, -1 where it has no node.
        text: (N, Dt) text features; ``text_mask`` (N,) says which items have a text.
        image: (N, Di) picture features; ``image_mask`` (N,) says which items have a picture.
        graph: the graph around the items, without the edges that state labels (:func:`without_edges`).
        targets: the questions; several are learned together.
        groups: (N,) number of the group that each item is of, such as its author; ``None`` where each stands alone.
            Items of one group are never on both sides where some judge what others taught, and what they say of a
            part counts once (:mod:`kgfuse.fuse.groups`).
    """

    items: tuple[str, ...]
    item_node: IntArray
    text: FloatArray
    text_mask: BoolArray
    image: FloatArray
    image_mask: BoolArray
    graph: GraphArrays
    targets: tuple[Target, ...]
    groups: IntArray | None = None

    def target(self, name: str) -> Target:
        """The target called ``name``."""
        for target in self.targets:
            if target.name == name:
                return target
        raise TrainingError(f"no target named {name!r}", remedy=f"one of: {', '.join(t.name for t in self.targets)}")


@dataclass(frozen=True, eq=False, slots=True)
class Split:
    """Indices of the items to learn from, to select on, and to report on."""

    train: IntArray
    validation: IntArray
    test: IntArray


@dataclass(frozen=True, slots=True)
class Leak:
    """A relation whose edges between items and classes give the labels away.

    Args:
        relation: its name.
        edges: how many edges between a labelled item and a class of a target it has.
        agreement: share of them that name the item's own class.
    """

    relation: str
    edges: int
    agreement: float


def empty_graph(width: int = 0) -> GraphArrays:
    """A graph with nothing in it, for data without structure."""
    return GraphArrays((), (), np.zeros((0, 3), np.int64), np.zeros((0, width), np.float32))


def plain_classes(names: Sequence[str], text_width: int = 0, image_width: int = 0) -> ClassNodes:
    """Classes of which nothing but the name is known.

    >>> plain_classes(["cat", "dog"]).labels
    ('cat', 'dog')
    """
    count = len(names)
    return ClassNodes(
        iris=tuple(names),
        labels=tuple(names),
        text=np.zeros((count, text_width), np.float32),
        text_mask=np.zeros(count, np.bool_),
        image=np.zeros((count, image_width), np.float32),
        image_mask=np.zeros(count, np.bool_),
        node=np.full(count, -1, np.int64),
        ancestors=(),
        membership=np.zeros((count, 0), np.bool_),
    )


def without_edges(graph: GraphArrays, mask: BoolArray) -> GraphArrays:
    """The graph without the edges that ``mask`` (E,) marks: how callers keep labels from the encoders."""
    return replace(graph, edges=graph.edges[~mask])


def label_edges(data: FusionData, relations: Iterable[str] = ()) -> BoolArray:
    """Mask (E,) of the edges, in either direction, between an item and a class node of a target.

    Args:
        data: items, graph and targets.
        relations: restrict the mask to these relations; empty means every relation.

    Returns:
        the mask to pass to :func:`without_edges`.
    """
    edges = data.graph.edges
    is_item = np.zeros(len(data.graph.nodes), np.bool_)
    is_item[data.item_node[data.item_node >= 0]] = True
    is_class = np.zeros(len(data.graph.nodes), np.bool_)
    for target in data.targets:
        is_class[target.classes.node[target.classes.node >= 0]] = True
    subject, relation, obj = edges[:, 0], edges[:, 1], edges[:, 2]
    mask = (is_item[subject] & is_class[obj]) | (is_class[subject] & is_item[obj])
    wanted = set(relations)
    if wanted:
        chosen = np.array([name in wanted for name in data.graph.relations], np.bool_)
        mask &= chosen[relation]
    return np.asarray(mask, np.bool_)


def find_leaks(data: FusionData, *, minimum_edges: int = 3, minimum_agreement: float = 0.9) -> tuple[Leak, ...]:
    """Relations whose edges between items and class nodes nearly always state the item's own class.

    Args:
        data: with all labels that the caller knows; nothing here is used to train.
        minimum_edges: a relation with fewer edges between labelled items and classes is not judged.
        minimum_agreement: share of edges naming the item's own class from which on it is a leak.
    """
    edges = data.graph.edges[label_edges(data)]
    if not len(edges):
        return ()
    item_of = np.full(len(data.graph.nodes), -1, np.int64)
    placed = data.item_node >= 0
    item_of[data.item_node[placed]] = np.flatnonzero(placed)
    seen = np.zeros(len(data.graph.relations), np.int64)
    right = np.zeros(len(data.graph.relations), np.int64)
    for target in data.targets:
        class_of = np.full(len(data.graph.nodes), -1, np.int64)
        has_node = target.classes.node >= 0
        class_of[target.classes.node[has_node]] = np.flatnonzero(has_node)
        for start, end in ((0, 2), (2, 0)):
            item, cls = item_of[edges[:, start]], class_of[edges[:, end]]
            keep = (item >= 0) & (cls >= 0)
            keep[keep] = target.labelled[item[keep]]
            item, cls, relation = item[keep], cls[keep], edges[keep, 1]
            agrees = target.labels[item, cls] if target.multi_label else target.labels[item] == cls
            np.add.at(seen, relation, 1)
            np.add.at(right, relation, np.asarray(agrees, np.int64))
    leaks = [
        Leak(name, int(seen[index]), float(right[index] / seen[index]))
        for index, name in enumerate(data.graph.relations)
        if seen[index] >= minimum_edges and right[index] >= minimum_agreement * seen[index]
    ]
    return tuple(sorted(leaks, key=lambda leak: (-leak.agreement, leak.relation)))


def check_data(data: FusionData, split: Split | None = None) -> None:
    """Refuse arrays that do not fit together.

    Raises:
        TrainingError: naming the array, the shape found and the shape expected.
    """
    count, nodes = len(data.items), len(data.graph.nodes)
    _shape("item_node", data.item_node, (count,))
    _shape("text", data.text, (count, None))
    _shape("image", data.image, (count, None))
    _shape("text_mask", data.text_mask, (count,))
    _shape("image_mask", data.image_mask, (count,))
    _shape("graph.edges", data.graph.edges, (None, 3))
    _shape("graph.features", data.graph.features, (nodes, None))
    if data.groups is not None:
        _shape("groups", data.groups, (count,))
    if len(set(data.items)) != count:
        raise TrainingError("two items have the same name", remedy="items need unique names")
    _below("item_node", data.item_node, nodes)
    _below("graph.edges (nodes)", data.graph.edges[:, [0, 2]], nodes, lowest=0)
    _below("graph.edges (relations)", data.graph.edges[:, 1], len(data.graph.relations), lowest=0)
    for name, features, mask in (("text", data.text, data.text_mask), ("image", data.image, data.image_mask)):
        if not np.isfinite(features[mask]).all():
            raise TrainingError(f"{name} features hold NaN or infinite values", remedy="mark such items as missing")
    for target in data.targets:
        _check_target(target, data)
    if split is not None:
        _check_split(split, count)


def _check_target(target: Target, data: FusionData) -> None:
    count, classes = len(data.items), target.classes
    where = f"target {target.name!r}"
    number = len(classes.iris)
    if number < 2:
        raise TrainingError(f"only {number} class to choose from", where=where, remedy="give at least two classes")
    if len(set(classes.iris)) != number:
        raise TrainingError("two classes have the same name", where=where)
    _shape(f"{where} labels", target.labels, (count, number) if target.multi_label else (count,))
    if not target.multi_label:
        _below(f"{where} labels", np.asarray(target.labels, np.int64), number)
    _shape(f"{where} class text", classes.text, (number, data.text.shape[1]))
    _shape(f"{where} class image", classes.image, (number, data.image.shape[1]))
    _shape(f"{where} membership", classes.membership, (number, len(classes.ancestors)))
    _below(f"{where} class node", classes.node, len(data.graph.nodes))
    for name, logits in (("image_logits", target.image_logits), ("text_logits", target.text_logits)):
        if logits is not None:
            _shape(f"{where} {name}", logits, (count, number))
    for name, pairs in (("below", classes.below), ("apart", classes.apart)):
        _shape(f"{where} classes {name}", pairs, (None, 2))
        _below(f"{where} classes {name}", pairs, number, lowest=0)
    for other, pairs in classes.elsewhere.items():
        _shape(f"{where} classes elsewhere", pairs, (None, 2))
        _below(f"{where} classes elsewhere", pairs[:, :1], number, lowest=0)
        _below(f"{where} classes elsewhere", pairs[:, 1:], len(data.target(other).classes.iris), lowest=0)


def _check_split(split: Split, count: int) -> None:
    parts = {"train": split.train, "validation": split.validation, "test": split.test}
    for name, index in parts.items():
        _below(f"split.{name}", index, count, lowest=0)
    if not len(split.train):
        raise TrainingError("no item to learn from", where="split.train", remedy="label some training items")
    everything = np.concatenate(list(parts.values()))
    if len(np.unique(everything)) != len(everything):
        raise TrainingError("an item stands in two parts of the split, or twice in one", remedy="make them disjoint")


def _shape(name: str, array: npt.NDArray[np.generic], expected: tuple[int | None, ...]) -> None:
    fits = array.ndim == len(expected) and all(
        want is None or have == want for have, want in zip(array.shape, expected, strict=True)
    )
    if not fits:
        wanted = "(" + ", ".join("any" if want is None else str(want) for want in expected) + ")"
        raise TrainingError(f"{name} has shape {array.shape}, expected {wanted}")


def _below(name: str, array: IntArray, limit: int, *, lowest: int = -1) -> None:
    if array.size and (array.min() < lowest or array.max() >= limit):
        raise TrainingError(f"{name} holds {int(array.min())} to {int(array.max())}, allowed {lowest} to {limit - 1}")
