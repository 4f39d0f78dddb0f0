"""Small made-up sets whose answer is known to lie in the graph, in the features, or in both."""

from __future__ import annotations

import numpy as np

from kgfuse.fuse.config import TrainConfig
from kgfuse.fuse.data import ClassNodes, FusionData, GraphArrays, Split, Target, plain_classes

FAST = TrainConfig(device="cpu", epochs=25, width=32, hidden=64).with_overrides(
    {"gnn.epochs": 15, "gnn.width": 16, "bag.rank": 32, "linear.strengths": (10.0,), "kernel.ridge": (0.1,)}
)


def planted(
    *,
    items: int = 160,
    classes: int = 4,
    seed: int = 0,
    in_text: float = 0.0,
    in_image: float = 0.0,
    in_graph: bool = True,
    missing: float = 0.0,
    noise: int = 1,
) -> FusionData:
    """Items of ``classes`` kinds.

    Args:
        items: how many.
        classes: how many kinds.
        seed: of all chance.
        in_text: strength of the class in the text features; 0 leaves noise.
        in_image: the same for the picture features.
        in_graph: whether items point, by ``hasPart``, at things that only their class has; else at random things.
        missing: share of the items without a picture.
        noise: statements of each item, up to five, that mean nothing: colours drawn at random.
    """
    chance = np.random.default_rng(seed)
    labels = np.arange(items) % classes
    chance.shuffle(labels)
    centres = chance.normal(size=(classes, 16))
    text = chance.normal(size=(items, 16)) + in_text * centres[labels]
    image = chance.normal(size=(items, 24)) + in_image * np.pad(centres, ((0, 0), (0, 8)))[labels]
    parts, colours = 6 * classes, 5
    edges = []
    for item in range(items):
        kind = labels[item] if in_graph else chance.integers(classes)
        own = 6 * kind + chance.choice(6, 2, replace=False)
        edges += [(item, 0, items + int(part)) for part in own]
        own = chance.choice(colours, noise, replace=False) if noise > 1 else [chance.integers(colours)]
        edges += [(item, 1, items + parts + int(colour)) for colour in own]
    nodes = (
        [f"item:{n:03d}" for n in range(items)]
        + [f"part:{n:02d}" for n in range(parts)]
        + [f"colour:{n}" for n in range(colours)]
    )
    features = chance.normal(size=(len(nodes), 8)) * (np.arange(len(nodes)) >= items)[:, None]
    kinds = plain_classes([f"kind:{n}" for n in range(classes)], 16, 24)
    edge_array = np.array(edges, np.int64)
    return FusionData(
        items=tuple(nodes[:items]),
        item_node=np.arange(items),
        text=text.astype(np.float32),
        text_mask=np.ones(items, np.bool_),
        image=image.astype(np.float32),
        image_mask=chance.random(items) >= missing,
        graph=GraphArrays(tuple(nodes), ("hasPart", "hasColour"), edge_array, features.astype(np.float32)),
        targets=(Target("kind", kinds, labels.astype(np.int64)),),
    )


def halves(data: FusionData, seed: int = 0) -> Split:
    """Half to learn from, a quarter each to select and to report on."""
    order = np.random.default_rng(seed).permutation(len(data.items))
    half, rest = len(order) // 2, 3 * len(order) // 4
    return Split(order[:half], order[half:rest], order[rest:])


def described(names: list[str], text: np.ndarray, image_width: int) -> ClassNodes:
    """Classes of which a description is known, and no picture."""
    plain = plain_classes(names, text.shape[1], image_width)
    return ClassNodes(
        iris=plain.iris,
        labels=plain.labels,
        text=text.astype(np.float32),
        text_mask=np.ones(len(names), np.bool_),
        image=plain.image,
        image_mask=plain.image_mask,
        node=plain.node,
        ancestors=plain.ancestors,
        membership=plain.membership,
    )
