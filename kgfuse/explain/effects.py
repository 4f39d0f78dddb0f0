"""What an answer owes to statements: remove them, or all others, predict again, and compare with chance.

Where two statements say the same, the answer loses nothing without either; so a statement counts for the mean of what
is lost without it and what is gained by it alone. (These are the first and the last of the terms that a Shapley value
averages.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass

import numpy as np

from kgfuse.fuse.blocks import Prepared
from kgfuse.fuse.data import FloatArray, FusionData, IntArray, Modality
from kgfuse.fuse.model import FusionModel


@dataclass(frozen=True, eq=False, slots=True)
class Effects:
    """Effect of each group of edges on the probability of one class of one item.

    Args:
        item: which item.
        target: which question.
        label: index of the class.
        probability: with all edges there.
        groups: G groups of edge numbers, each removed together.
        effect: (G,) mean of two differences of the probability: with all edges less that without the group, and with
            the group alone less that without any; positive where the group speaks for the class.
        answer: (G,) best class without the group.
    """

    item: int
    target: str
    label: int
    probability: float
    groups: tuple[IntArray, ...]
    effect: FloatArray
    answer: IntArray

    @property
    def ranking(self) -> IntArray:
        """(G,) groups from the strongest support to the strongest objection; ties by position."""
        return np.argsort(-self.effect, kind="stable").astype(np.int64)

    @property
    def flips(self) -> IntArray:
        """Groups whose removal alone changes the answer."""
        return np.flatnonzero(self.answer != self.label).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Fidelity:
    """Whether the cited statements are the real reason (Yuan et al. 2022, probability form), mean over items.

    Args:
        plus: fall of the probability when the cited statements are removed: large is good.
        minus: fall when all others are removed and only the cited stay: small is good.
        random_plus: the same as ``plus`` with as many statements of the item drawn at random.
        random_minus: the same as ``minus`` with those.
        items: how many items had more statements than were cited.
    """

    plus: float
    minus: float
    random_plus: float
    random_minus: float
    items: int


def own_edges(data: FusionData, item: int) -> IntArray:
    """Numbers of the edges that touch the item's node: the statements about it."""
    node = data.item_node[item]
    if node < 0:
        return np.zeros(0, np.int64)
    edges = data.graph.edges
    return np.flatnonzero((edges[:, 0] == node) | (edges[:, 2] == node)).astype(np.int64)


def edge_effects(
    model: FusionModel,
    data: FusionData,
    item: int,
    target: str,
    groups: Sequence[IntArray] | None = None,
    *,
    label: int | None = None,
    drop_modalities: Set[Modality] = frozenset(),
    prepared: Prepared | None = None,
) -> Effects:
    """Remove each group of edges in turn, and all groups but it, and predict again.

    Args:
        model: a trained model.
        data: the items and the graph.
        item: the item to explain.
        target: which question.
        groups: edges removed together (all edges of one statement, of one source …); each own edge by default.
        label: the class whose probability is followed; the best one by default.
        drop_modalities: hidden throughout, to see the graph's part alone.
        prepared: ``model.prepare(data)`` where the caller has it.
    """
    ready = model.prepare(data) if prepared is None else prepared
    chosen = tuple(groups) if groups is not None else tuple(np.array([edge]) for edge in own_edges(data, item))
    predict = _predictor(model, data, item, target, drop_modalities, ready)
    whole = predict(np.zeros(0, np.int64))
    label = int(whole.argmax()) if label is None else label
    every = np.unique(np.concatenate(chosen)) if chosen else np.zeros(0, np.int64)
    without = [predict(group) for group in chosen]
    none = predict(every)
    alone = [predict(np.setdiff1d(every, group)) for group in chosen]
    return Effects(
        item=item,
        target=target,
        label=label,
        probability=float(whole[label]),
        groups=chosen,
        effect=np.array(
            [(whole[label] - w[label] + a[label] - none[label]) / 2 for w, a in zip(without, alone, strict=True)],
            np.float32,
        ),
        answer=np.array([scores.argmax() for scores in without], np.int64),
    )


def fidelity(
    model: FusionModel,
    data: FusionData,
    index: IntArray,
    target: str,
    *,
    cited: int = 3,
    draws: int = 5,
    seed: int = 0,
    drop_modalities: Set[Modality] = frozenset(),
) -> Fidelity:
    """Remove, and keep alone, the ``cited`` strongest statements of each item, and as many random ones.

    Args:
        model: a trained model.
        data: the items and the graph.
        index: items to test; those with no more than ``cited`` statements are skipped, for there is nothing to compare.
        target: which question.
        cited: statements that an explanation names.
        draws: random controls per item.
        seed: of the draws.
        drop_modalities: hidden throughout.
    """
    ready = model.prepare(data)
    chance = np.random.default_rng(seed)
    falls = []
    for item in index.tolist():
        own = own_edges(data, item)
        if len(own) <= cited:
            continue
        effects = edge_effects(model, data, item, target, drop_modalities=drop_modalities, prepared=ready)
        predict = _predictor(model, data, item, target, drop_modalities, ready)
        named = own[effects.ranking[:cited]]
        rows = [(named, np.setdiff1d(own, named))]
        for _ in range(draws):
            drawn = chance.choice(own, cited, replace=False)
            rows.append((drawn, np.setdiff1d(own, drawn)))
        fall = [[effects.probability - float(predict(group)[effects.label]) for group in pair] for pair in rows]
        control = np.mean(fall[1:], axis=0)
        falls.append([*fall[0], *control])
    if not falls:
        return Fidelity(0.0, 0.0, 0.0, 0.0, 0)
    plus, minus, random_plus, random_minus = (float(value) for value in np.mean(falls, axis=0))
    return Fidelity(plus, minus, random_plus, random_minus, len(falls))


def _predictor(
    model: FusionModel, data: FusionData, item: int, target: str, dropped: Set[Modality], ready: Prepared
) -> Callable[[IntArray], FloatArray]:
    rows = np.array([item], np.int64)

    def predict(edges: IntArray) -> FloatArray:
        drop = np.zeros(len(data.graph.edges), np.bool_)
        drop[edges] = True
        found = model.predict(data, rows, drop_modalities=dropped, drop_edges=drop, prepared=ready)
        scores: FloatArray = found[target].probabilities[0]
        return scores

    return predict
