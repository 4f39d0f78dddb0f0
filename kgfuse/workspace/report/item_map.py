"""A map of the items as the model reads them: what it takes for alike lies side by side."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from kgfuse.fuse.data import IntArray
from kgfuse.fuse.projection import joined, plane
from kgfuse.workspace.assessment import Judged, truth
from kgfuse.workspace.report.figure import drawable
from kgfuse.workspace.report.numbers import percent

if TYPE_CHECKING:
    from kgfuse.workspace.predictor import Predictor

MOST_ITEMS: Final = 1000
WIDTH: Final = 860
HEIGHT: Final = 600
_MARGIN: Final = 26
_COLOURS: Final = ("#4e79a7", "#e0812b", "#4fa04f", "#d1495b", "#8f6bb3", "#2a9d9d", "#a0764b", "#d073b0", "#8c9a2e")
_SHAPES: Final = ("circle", "square", "triangle", "diamond")
_GLYPHS: Final = {"circle": "●", "square": "■", "triangle": "▲", "diamond": "◆"}
_OTHER: Final = "#8a8f98"
_MOST_KINDS: Final = 18


@dataclass(frozen=True, slots=True)
class Kind:
    """What a colour and a shape stand for: a superclass or a class, and how many items of it are shown."""

    label: str
    colour: str
    shape: str
    count: int

    @property
    def glyph(self) -> str:
        """The shape as a character."""
        return _GLYPHS[self.shape]


@dataclass(frozen=True, slots=True)
class Point:
    """An item on the map.

    Args:
        x, y: pixels of the drawing.
        kind: of its class.
        judged: whether it judges the model, or the model learned from it.
        wrong: whether it was answered wrongly.
        title: its name, class and answer.
    """

    x: float
    y: float
    kind: Kind
    judged: bool
    wrong: bool
    title: str


@dataclass(frozen=True, slots=True)
class ItemMap:
    """The map.

    Args:
        points: what the model learned from first, wrong answers last.
        kinds: the legend.
        by_superclass: whether colours stand for superclasses, else for classes.
        method: ``t-SNE`` or ``PCA``.
        perplexity: of t-SNE.
        left_out: items that are not shown, because there are too many.
        modalities: what the vectors were made from.
        alt: the map in words.
    """

    points: tuple[Point, ...]
    kinds: tuple[Kind, ...]
    by_superclass: bool
    method: str
    perplexity: float
    left_out: int
    modalities: tuple[str, ...]
    alt: str


def item_map(predictor: Predictor, judged: Judged, seed: int, most: int = MOST_ITEMS) -> ItemMap | None:
    """Lay out the labelled items of a single-label target.

    Args:
        predictor: the model.
        judged: its answers.
        seed: of t-SNE, and of the choice where there are too many items.
        most: items to show; those that judge the model come first.
    """
    samples = predictor.dataset.samples
    held = truth(predictor, judged.info)
    place = {int(row): n for n, row in enumerate(judged.rows)}
    known = {iri for name in ("train", "validation", "test") for iri in predictor.card["items"][name]}
    labelled = [r for r, s in enumerate(samples) if held[r].sum() == 1 and s.item.iri in known]
    rows = _chosen([r for r in labelled if r in place], [r for r in labelled if r not in place], most, seed)
    if not len(rows):
        return None
    laid = plane(joined(predictor.model, predictor.dataset.data, rows), seed)
    classes = held[rows].argmax(axis=1)
    kinds, by_superclass = _kinds(judged, classes)
    points = []
    for (x, y), row, c in zip(laid.places.tolist(), rows.tolist(), classes.tolist(), strict=True):
        at = place.get(row)
        name, said = samples[row].item.label or samples[row].item.identifier, judged.labels[c]
        if at is not None:
            answer = judged.labels[judged.best[at]]
            sure = percent(float(judged.confidence[at]), 0)
            said = f"{said}, rightly ({sure})" if judged.right[at] else f"{said}, taken for {answer} ({sure})"
        wrong = at is not None and not bool(judged.right[at])
        left, top = _MARGIN + x * (WIDTH - 2 * _MARGIN), _MARGIN + (1 - y) * (HEIGHT - 2 * _MARGIN)
        points.append(Point(round(left, 1), round(top, 1), kinds[c], at is not None, wrong, f"{name}: {said}"))
    points.sort(key=lambda p: (p.wrong, p.judged))
    shown = tuple(dict.fromkeys(sorted(kinds.values(), key=lambda k: (k.colour == _OTHER, -k.count, k.label))))
    wrong_ones = [drawable(p.title, 90) for p in points if p.wrong]
    alt = f"Map of {len(points)} items; {len(wrong_ones)} answered wrongly" + (": " if wrong_ones else "")
    return ItemMap(
        points=tuple(points),
        kinds=shown,
        by_superclass=by_superclass,
        method=laid.method,
        perplexity=laid.perplexity,
        left_out=len(labelled) - len(rows),
        modalities=tuple(predictor.model.modalities),
        alt=alt + "; ".join(wrong_ones[:12]),
    )


def _chosen(judged: list[int], others: list[int], most: int, seed: int) -> IntArray:
    """Rows to show, those that judge the model first; chosen at random where there are too many."""
    chance = np.random.default_rng(seed)

    def some(rows: list[int], number: int) -> list[int]:
        return [rows[n] for n in sorted(chance.permutation(len(rows))[:number].tolist())]

    kept = some(judged, most)
    return np.array([*kept, *some(others, most - len(kept))], np.int64)


def _kinds(judged: Judged, classes: IntArray) -> tuple[dict[int, Kind], bool]:
    """The colour of each class that is shown: of its superclass where there are several, else its own."""
    groups = judged.kin.groups
    grouped = any(g.name for g in groups)
    names = {}
    for g in groups:
        for c in g.members:
            names[c] = judged.above[g.name] if grouped and g.name else judged.labels[c]
    counts = Counter(names[c] for c in classes.tolist())
    ranked = sorted(counts, key=lambda name: (-counts[name], name))[:_MOST_KINDS]
    made = {
        name: Kind(name, _COLOURS[n % len(_COLOURS)], _SHAPES[n % len(_SHAPES)], counts[name])
        for n, name in enumerate(ranked)
    }
    other = Kind("others", _OTHER, "circle", sum(counts[name] for name in counts if name not in made))
    return {c: made.get(names[c], other) for c in set(classes.tolist())}, grouped
