"""Answers about one item with parts of its evidence removed: what each part does, and what would change the answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from kgfuse.encode.preprocess_text import sentences
from kgfuse.explain.chain import Change, Check
from kgfuse.explain.flips import smallest_flip
from kgfuse.fuse.data import BoolArray, FusionData, IntArray, Target
from kgfuse.workspace.dataset import in_columns, prepared_text
from kgfuse.workspace.encoderview import text_features
from kgfuse.workspace.occlusion import Occlusion

if TYPE_CHECKING:
    from kgfuse.workspace.prediction import Context, Prediction

RANDOM_CONTROLS = 10
_KEPT = 64


@dataclass(frozen=True, eq=False, slots=True)
class Unit:
    """Something that can be removed: edges of the graph (their numbers), a sentence of the text, or a region."""

    edges: IntArray | None = None
    sentence: int = -1
    region: int = -1


class Counterfactuals:
    """Answers about one item with parts of its evidence removed."""

    def __init__(self, prediction: Prediction, context: Context) -> None:
        self.context = context
        self.data = context.dataset.data
        self.row = context.row
        self.question = prediction.target
        self.prepared = context.model.prepare(self.data)
        scores = self._scores(self.data, None)
        self.classes = scores.classes
        self.answer = int(np.argmax(scores.probabilities[0]))
        self.before = float(scores.probabilities[0, self.answer])
        sample = context.dataset.samples[context.row]
        self.sentences = [exact for text in sample.texts for _, _, exact in sentences(text)]
        self.occlusion = Occlusion(context)
        self._known: dict[frozenset[Unit], tuple[float, int]] = {}

    def probability(self, units: Iterable[Unit]) -> tuple[float, int]:
        """Probability of the answer, and the best class, without these."""
        removed = frozenset(units)
        if len(removed) > _KEPT:  # many large sets are asked for once each
            return self._without_units(removed)
        if removed not in self._known:
            self._known[removed] = self._without_units(removed)
        return self._known[removed]

    def _without_units(self, units: Iterable[Unit]) -> tuple[float, int]:
        hidden_sentences, hidden_regions = set(), []
        drop = np.zeros(len(self.data.graph.edges), np.bool_)
        for unit in units:
            if unit.edges is not None:
                drop[unit.edges] = True
            if unit.sentence >= 0:
                hidden_sentences.add(unit.sentence)
            if unit.region >= 0:
                hidden_regions.append(unit.region)
        hidden_regions.sort()
        scores = self._scores(self._without(hidden_sentences, hidden_regions), drop if drop.any() else None)
        return float(scores.probabilities[0, self.answer]), int(np.argmax(scores.probabilities[0]))

    def label(self, number: int) -> str:
        """Name of a class for people."""
        classes = self.data.target(self.question).classes
        return dict(zip(classes.iris, classes.labels, strict=True))[self.classes[number]]

    def _scores(self, data: FusionData, drop: BoolArray | None) -> Any:
        rows = np.array([self.row], np.int64)
        return self.context.model.predict(data, rows, drop_edges=drop, prepared=self.prepared)[self.question]

    def _without(self, hidden_sentences: set[int], hidden_regions: Sequence[int]) -> FusionData:
        data = self.data
        if hidden_sentences:
            left = [s for n, s in enumerate(self.sentences) if n not in hidden_sentences]
            text, mask = data.text.copy(), data.text_mask.copy()
            words = prepared_text(self.context.parts, left)
            text[self.row] = text_features(self.context.parts, [words])[0]
            mask[self.row] = bool(left)
            data = replace(data, text=text, text_mask=mask, targets=self._said(words))
        if hidden_regions:
            image = data.image.copy()
            untouched = self.occlusion.features(())
            image[self.row] = data.image[self.row] + self.occlusion.features(hidden_regions) - untouched
            data = replace(data, image=image)
        return data

    def _said(self, words: str) -> tuple[Target, ...]:
        """The targets with what a tuned text classifier says of these words instead of the item's text."""
        tuned, targets = self.context.texts, self.data.targets
        if tuned is None:
            return targets
        scores = tuned.net.scores([words]) if words.strip() else np.full((1, len(tuned.classes)), np.nan, np.float32)
        found = []
        for target in targets:
            if target.name == tuned.target and target.text_logits is not None:
                logits = target.text_logits.copy()
                logits[self.row] = in_columns(scores, tuned.classes, target.classes.iris)[0]
                target = replace(target, text_logits=logits)
            found.append(target)
        return tuple(found)


def effects_of(counter: Counterfactuals, units: Sequence[Unit]) -> list[float]:
    """What each does to the probability: mean of its removal from all, and of its presence without the others.

    Where two say the same, the answer loses nothing without either.
    """
    none, _ = counter.probability(units)
    found = []
    for unit in units:
        lost = counter.before - counter.probability([unit])[0]
        alone = counter.probability([other for other in units if other is not unit])[0] - none
        found.append(round((lost + alone) / 2, 6))
    return found


def change_of(
    counter: Counterfactuals, units: Sequence[Unit], effects: Sequence[float], said: Sequence[str]
) -> Change | None:
    """The fewest parts of the evidence, in words, without which the answer is another."""
    flip = smallest_flip(lambda some: counter.probability([units[n] for n in some])[1], effects, counter.answer)
    if flip is None:
        return None
    return Change(tuple(said[n] for n in flip.parts), counter.label(flip.answer), flip.smallest)


def check_of(counter: Counterfactuals, units: Sequence[Unit], cited: Sequence[int]) -> Check:
    """The answer without what is cited, beside as much removed at random."""
    others = [n for n in range(len(units)) if n not in cited]
    without, best = counter.probability([units[n] for n in cited])
    rng = np.random.default_rng(0)
    size = min(len(cited), len(others))
    drawn = [rng.choice(others, size, replace=False) for _ in range(RANDOM_CONTROLS)] if size else []
    random = [counter.probability([units[n] for n in picked])[0] for picked in drawn] or [counter.before]
    only, _ = counter.probability([units[n] for n in others])
    spread = (float(np.mean(random)), float(np.std(random)))
    return Check(counter.before, without, spread, only, counter.label(best))
