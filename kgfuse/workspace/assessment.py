"""How a trained model does on the items that were kept for judging it: answers beside what is true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from kgfuse.fuse.calibrate import VECTOR, Trial
from kgfuse.fuse.class_figures import ClassFigures, class_figures, macro, micro, weighted
from kgfuse.fuse.data import BoolArray, FloatArray, IntArray
from kgfuse.fuse.kinship import Kinship, kinship
from kgfuse.fuse.metrics import item_losses, probabilities
from kgfuse.fuse.model import Prediction as Scores
from kgfuse.fuse.reliability import Reliability, reliability
from kgfuse.fuse.selective import Promise
from kgfuse.fuse.tensors import TargetInfo
from kgfuse.workspace.exclusions import upward

if TYPE_CHECKING:
    from kgfuse.catalog import ItemRow
    from kgfuse.fuse.loop import Curve
    from kgfuse.workspace.predictor import Predictor

SplitName: TypeAlias = Literal["test", "validation", ""]


@dataclass(frozen=True, eq=False)
class Judged:
    """A model's answers to one question, for the items that judge it.

    Args:
        target: IRI of the question.
        info: its classes, as the model knows them.
        labels: (C) names of the classes for people.
        above: superclass → its name for people.
        rows: (n,) of the predictor's data set: labelled items that the model did not learn from.
        names: (n) names of these items.
        truth: (n, C) their labels; one a row for a single-label target.
        scores: what the model says of them.
        sharpness: inverse temperature of the probabilities (Guo et al. 2017).
        before: (n, C) their logits without temperature, and without a vector where one was chosen.
        trials: which parts validation accepted.
        promise: what share of wrong answers the model promised not to exceed; ``None`` where none was asked for.
        left_out: items of the split that are gone from the workspace, or whose labels are not such as the model gives.
        kin: the classes by their superclasses.
    """

    target: str
    info: TargetInfo
    labels: tuple[str, ...]
    above: Mapping[str, str]
    rows: IntArray
    names: tuple[str, ...]
    truth: BoolArray
    scores: Scores
    sharpness: float
    before: FloatArray
    trials: tuple[Trial, ...]
    left_out: int
    kin: Kinship
    promise: Promise | None = None

    @property
    def multi_label(self) -> bool:
        """Whether an item may have several of the classes."""
        return self.info.multi_label

    @cached_property
    def given(self) -> BoolArray:
        """(n, C) answers: the best class, also where the model abstains; for multi-label those above threshold."""
        if self.multi_label:
            return self.scores.given
        return np.asarray(self.best[:, None] == np.arange(len(self.labels)), np.bool_)

    @cached_property
    def best(self) -> IntArray:
        """(n,) the class given; where the model abstains the likeliest one."""
        given, likeliest = self.scores.answer, self.scores.probabilities.argmax(axis=1)
        return np.asarray(np.where(given >= 0, given, likeliest), np.int64)

    @cached_property
    def true(self) -> IntArray:
        """(n,) the class; meant for single-label targets."""
        return np.asarray(self.truth.argmax(axis=1), np.int64)

    @cached_property
    def right(self) -> BoolArray:
        """(n,) whether the answer is exactly what is true."""
        return np.asarray((self.given == self.truth).all(axis=1), np.bool_)

    @cached_property
    def near(self) -> BoolArray:
        """(n,) whether a wrong answer shares a superclass with the right one; meant for single-label targets."""
        return np.asarray(self.kin.related[self.true, self.best] & ~self.right, np.bool_)

    @property
    def abstained(self) -> int:
        """Items on which the model gives no answer, because its best one is not sure enough."""
        return int((self.scores.answer < 0).sum())

    @property
    def wrong_if_given(self) -> int:
        """Answers given that name a class which the item does not have."""
        return int((self.scores.given & ~self.truth).any(axis=1).sum())

    @cached_property
    def by_class(self) -> tuple[ClassFigures, ...]:
        """Precision, recall and F1 of every class."""
        return class_figures(self.given, self.truth)

    @property
    def confidence(self) -> FloatArray:
        """(n,) calibrated probability of the likeliest class."""
        return np.asarray(self.scores.probabilities.max(axis=1, initial=0.0), np.float32)

    @cached_property
    def calibrated(self) -> Reliability:
        """The probabilities that the model gives; meant for single-label targets."""
        return reliability(self.scores.probabilities, self.true)

    @cached_property
    def uncalibrated(self) -> Reliability:
        """The same answers without the temperature."""
        return reliability(probabilities(self.before, multi_label=False), self.true)

    @property
    def by_vector(self) -> bool:
        """Whether each class has a temperature and a bias of its own."""
        return any(trial.name == VECTOR and trial.accepted for trial in self.trials)

    def losses(self) -> tuple[float, float]:
        """Mean log-loss without and with the temperature; NaN where nothing is judged."""
        if not len(self.rows):
            return float("nan"), float("nan")
        before, after = (item_losses(logits, self.true).mean() for logits in (self.before, self.scores.logits))
        return float(before), float(after)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able figures."""
        made: dict[str, Any] = {
            "target": self.target,
            "items": len(self.rows),
            "left_out": self.left_out,
            "multi_label": self.multi_label,
            "right": int(self.right.sum()),
            "abstained": self.abstained,
            "wrong_if_given": self.wrong_if_given,
            "promise": None if self.promise is None else self.promise.to_dict(),
            "classes": [
                {"iri": iri, "label": label, "support": f.support, "given": f.given}
                | {"precision": f.precision, "recall": f.recall, "f1": f.f1}
                for iri, label, f in zip(self.info.classes.iris, self.labels, self.by_class, strict=True)
            ],
            "means": {
                name: {"precision": m.precision, "recall": m.recall, "f1": m.f1}
                for name, m in (
                    ("macro", macro(self.by_class)),
                    ("weighted", weighted(self.by_class)),
                    ("micro", micro(self.by_class)),
                )
            },
        }
        if self.multi_label or not len(self.rows):
            return made
        made["wrong_within_superclass"] = int(self.near.sum())
        made["wrong_outside"] = int((~self.right & ~self.near).sum())
        made["calibration"] = {
            "bins": len(self.calibrated.bins),
            "error": self.calibrated.error,
            "error_before": self.uncalibrated.error,
            "temperature": 1 / self.sharpness,
            "by_vector": self.by_vector,
        }
        return made


@dataclass(frozen=True, eq=False, slots=True)
class Assessment:
    """All that a model's page says in numbers.

    Args:
        model: name of the model.
        split: which items judge it: its test items; its validation items where it has none (it was selected on them,
            so that the figures are optimistic); empty where it has neither.
        counts: items to learn from, to select on, to report on, as it was trained.
        targets: one for each question.
        curves: losses of the parts that learned by gradient, epoch by epoch.
        ablation: what :meth:`kgfuse.fuse.ablation.Ablation.to_dict` gave when it was trained.
        card: what is kept beside the model.
    """

    model: str
    split: SplitName
    counts: Mapping[str, int]
    targets: tuple[Judged, ...]
    curves: tuple[Curve, ...]
    ablation: Mapping[str, Any] | None
    card: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "model": self.model,
            "judged_on": self.split,
            "counts": dict(self.counts),
            "targets": [t.to_dict() for t in self.targets],
            "curves": [
                {"stage": c.stage, "losses": list(c.losses), "validation": list(c.validation), "kept": c.kept}
                for c in self.curves
            ],
            "ablation": self.ablation,
        }


def assess(predictor: Predictor) -> Assessment:
    """Let a model answer for the items that were kept for judging it.

    Args:
        predictor: the model with the workspace's graph.

    Raises:
        TrainingError: the workspace no longer has labels of the model's targets.
    """
    items: Mapping[str, list[str]] = predictor.card["items"]
    split: SplitName = "test" if items["test"] else "validation" if items["validation"] else ""
    chosen = items[split] if split else []
    return Assessment(
        model=predictor.name,
        split=split,
        counts={name: len(own) for name, own in items.items()},
        targets=tuple(_judged(predictor, info, chosen) for info in predictor.model.targets),
        curves=(*predictor.model.curves, *_tuning(predictor)),
        ablation=predictor.card.get("ablation"),
        card=predictor.card,
    )


def _judged(predictor: Predictor, info: TargetInfo, chosen: list[str]) -> Judged:
    dataset, hierarchy = predictor.dataset, predictor.prepared.hierarchy
    held = truth(predictor, info)
    at = {iri: n for n, iri in enumerate(dataset.data.items)}
    rows = [at[iri] for iri in sorted(chosen) if iri in at]
    fits = [r for r in rows if (held[r].any() if info.multi_label else held[r].sum() == 1)]
    index = np.array(fits, np.int64)
    stack = predictor.model.stacks[info.name]
    names = (*info.classes.ancestors, *info.classes.iris)
    scores = predictor.model.predict(dataset.data, index)[info.name]
    return Judged(
        target=info.name,
        info=info,
        labels=tuple(hierarchy.label(iri) for iri in info.classes.iris),
        above={iri: hierarchy.label(iri) for iri in names},
        rows=index,
        names=tuple(_name(dataset.samples[r].item) for r in fits),
        truth=held[index],
        scores=scores,
        sharpness=stack.sharpness,
        before=stack.uncalibrated(scores.logits),
        trials=stack.trials,
        left_out=len(chosen) - len(fits),
        kin=kinship(info.classes, {iri: len(hierarchy.ancestors(iri)) for iri in names}),
        promise=stack.promise,
    )


def _name(item: ItemRow) -> str:
    return item.label or item.identifier


def truth(predictor: Predictor, info: TargetInfo) -> BoolArray:
    """(N, C) which of the model's classes each item of the workspace has, with those that follow from its labels."""
    spec = next(s for s in predictor.prepared.specs if s.name == info.name)
    column = {iri: n for n, iri in enumerate(info.classes.iris)}
    held = np.zeros((len(predictor.dataset.samples), len(column)), np.bool_)
    for row, sample in enumerate(predictor.dataset.samples):
        own = [column[c] for c in sample.item.labels.get(spec.property, ()) if c in column]
        held[row, own] = True
    return upward(held, info.classes) if info.multi_label else held


def _tuning(predictor: Predictor) -> tuple[Curve, ...]:
    """The fine-tuning of CNN and BERT, where there was any."""
    from kgfuse.fuse.loop import Curve

    found = []
    if predictor.tuned is not None:
        found.append(("fine-tuned CNN", predictor.tuned.tail.history))
    if predictor.texts is not None:
        found.append(("fine-tuned BERT", predictor.texts.net.history))
    curves = []
    for name, history in found:
        validation = tuple(r["validation_loss"] for r in history if "validation_loss" in r)
        scores = [(-r.get("validation_accuracy", 0.0), r.get("validation_loss", 0.0)) for r in history]
        kept = 1 + min(range(len(history)), key=lambda n: scores[n]) if validation else len(history)
        curves.append(Curve(name, tuple(r["loss"] for r in history), validation, kept))
    return tuple(curves)
