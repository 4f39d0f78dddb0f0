"""A trained model as the page shows it: one set of pictures and tables for each of its questions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from kgfuse.explain.chain import Explanation
from kgfuse.fuse.class_figures import ClassFigures, Means, macro, micro, weighted
from kgfuse.fuse.loop import Curve
from kgfuse.workspace.assessment import Assessment, Judged, assess
from kgfuse.workspace.parts import OnEvent, silent
from kgfuse.workspace.report.chains import Chain, chain
from kgfuse.workspace.report.confusion import Confusion, confusion
from kgfuse.workspace.report.curves_plot import curves_plot
from kgfuse.workspace.report.extremes import ANSWERS, Extreme, extremes
from kgfuse.workspace.report.item_map import ItemMap, item_map
from kgfuse.workspace.report.numbers import wilson
from kgfuse.workspace.report.reliability_plot import reliability_plot

if TYPE_CHECKING:
    from kgfuse.fuse.reliability import Reliability
    from kgfuse.workspace.predictor import Predictor
    from kgfuse.workspace.workspace import Workspace

_MOST_TAKEN: Final = 4
_STAGES: Final = {
    "layer": "the fusion layer",
    "graph": "the R-GCN",
    "layer again": "the fusion layer, on training and validation items",
    "graph again": "the R-GCN, on training and validation items",
    "fine-tuned CNN": "the CNN's last blocks",
    "fine-tuned BERT": "the text encoder's last layers",
}
_TUNED: Final = {"fine-tuned CNN": "image", "fine-tuned BERT": "text"}
_SOLVED: Final = {"prototypes": "the classes' prototypes", "kernel": "the kernel ridge regression"}


@dataclass(frozen=True, eq=False, slots=True)
class Examined:
    """A model with all that its page needs, so that the page itself computes nothing.

    Args:
        assessment: its answers and figures.
        maps: target → map of the items; none for multi-label targets.
        extremes: target → surest right and wrong answers; none for multi-label targets.
    """

    assessment: Assessment
    maps: dict[str, ItemMap]
    extremes: dict[str, tuple[Extreme, ...]]


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A class in the table; what its items were taken for otherwise."""

    label: str
    figures: ClassFigures
    taken_for: str


@dataclass(frozen=True, slots=True)
class Curves:
    """Learning curves of one part, with a sentence on it."""

    name: str
    plot: Markup
    said: str


@dataclass(frozen=True, slots=True)
class Card:
    """An answer with its evidence: a chain of its own, or the key of one that is on the page already."""

    extreme: Extreme
    chain: Chain
    elsewhere: bool


@dataclass(frozen=True, slots=True)
class Question:
    """What the page says of one target; ``None`` where there is nothing to say it of."""

    key: str
    label: str
    judged: Judged
    interval: tuple[float, float]
    reliability: Markup | None
    calibrated: Reliability | None
    uncalibrated: Reliability | None
    losses: tuple[float, float]
    confusion: Confusion | None
    classes: tuple[ClassRow, ...]
    idle: int
    means: tuple[tuple[str, Means], ...]
    map: ItemMap | None
    right: tuple[Card, ...]
    wrong: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class ModelView:
    """The whole model; ``unlearned``: parts that have no curve, because they do not learn by gradient."""

    assessment: Assessment
    questions: tuple[Question, ...]
    curves: tuple[Curves, ...]
    unlearned: tuple[str, ...]


def examine(
    predictor: Predictor,
    *,
    answers: int = ANSWERS,
    known: Sequence[Explanation] = (),
    on_event: OnEvent = silent,
) -> Examined:
    """Let a model answer, lay its items out on a map, and explain its surest right and wrong answers.

    Args:
        predictor: the model.
        answers: how many right and how many wrong ones; 0 leaves them out.
        known: explanations of its answers to the first target, where there are some already.
        on_event: told about progress.
    """
    on_event("assess", 0, 1, predictor.name)
    found = assess(predictor)
    seed = int(found.card["config"].get("seed", 0))
    single = [j for j in found.targets if not j.multi_label]
    maps = {j.target: made for j in single if (made := item_map(predictor, j, seed)) is not None}
    on_event("assess", 1, 1, predictor.name)
    explained: dict[str, tuple[Extreme, ...]] = {}
    for n, j in enumerate(found.targets):
        if not j.multi_label and answers:
            own = {e.item: e for e in known} if n == 0 else {}
            explained[j.target] = extremes(predictor, j, answers, own, on_event)
    return Examined(found, maps, explained)


def model_view(ws: Workspace, examined: Examined, shown: Sequence[Chain] = ()) -> ModelView:
    """Everything as the template wants it.

    Args:
        ws: the workspace.
        examined: the model.
        shown: chains that are on the page already.
    """
    numbers = iter(range(len(shown) + 1, len(shown) + 1 + sum(map(len, examined.extremes.values()))))
    there = {(c.explanation.item, c.explanation.label_iri): c for c in shown}

    def card(extreme: Extreme) -> Card:
        e = extreme.explanation
        old = there.get((e.item, e.label_iri))
        return Card(extreme, old or chain(ws, e, extreme.prediction, next(numbers)), old is not None)

    found = examined.assessment
    return ModelView(
        assessment=found,
        questions=tuple(_question(ws, examined, j, f"t{n}", card) for n, j in enumerate(found.targets, 1)),
        curves=tuple(_curves(ws, found, c, n) for n, c in enumerate(found.curves, 1)),
        unlearned=(
            "the logistic regression on the joined blocks",
            *(said for part, said in _SOLVED.items() if found.card["config"].get(part, {}).get("enabled")),
        ),
    )


def frequent(assessment: Assessment) -> dict[str, float]:
    """Target → share of the most frequent class among the judged items: what naming it always would get."""
    return {
        j.target: float(j.truth.sum(axis=0).max() / len(j.rows))
        for j in assessment.targets
        if not j.multi_label and len(j.rows)
    }


def _question(ws: Workspace, examined: Examined, judged: Judged, key: str, card: Callable[[Extreme], Card]) -> Question:
    plain = not judged.multi_label and len(judged.rows) > 0
    tempered = plain and judged.sharpness != 1.0
    cards = [card(e) for e in examined.extremes.get(judged.target, ())]
    rows = [
        ClassRow(label, figures, _taken(judged, c) if plain else "")
        for c, (label, figures) in enumerate(zip(judged.labels, judged.by_class, strict=True))
        if figures.support or figures.given
    ]
    return Question(
        key=key,
        label=ws.graph.label(judged.target),
        judged=judged,
        interval=wilson(int(judged.right.sum()), len(judged.rows)),
        reliability=reliability_plot(judged.calibrated, judged.uncalibrated if tempered else None, f"{key}-reliability")
        if plain
        else None,
        calibrated=judged.calibrated if plain else None,
        uncalibrated=judged.uncalibrated if tempered else None,
        losses=judged.losses() if plain else (0.0, 0.0),
        confusion=confusion(judged.true, judged.best, judged.kin, judged.labels, judged.names, judged.above)
        if plain
        else None,
        classes=tuple(sorted(rows, key=lambda r: (r.label, -r.figures.support))),
        idle=len(judged.labels) - len(rows),
        means=(
            ("mean of the classes (macro)", macro(judged.by_class)),
            ("mean of the items (weighted)", weighted(judged.by_class)),
            ("all answers (micro)", micro(judged.by_class)),
        ),
        map=examined.maps.get(judged.target),
        right=tuple(c for c in cards if c.extreme.right),
        wrong=tuple(c for c in cards if not c.extreme.right),
    )


def _taken(judged: Judged, c: int) -> str:
    """What the items of a class were taken for instead."""
    wrong = Counter(judged.labels[int(b)] for b in judged.best[(judged.true == c) & ~judged.right])
    ranked = sorted(wrong.items(), key=lambda pair: (-pair[1], pair[0]))
    more = len(ranked) - _MOST_TAKEN
    said = ", ".join(f"{label} {n}" for label, n in ranked[:_MOST_TAKEN])
    return f"{said} and {more} more" if more > 0 else said


def _curves(ws: Workspace, found: Assessment, curve: Curve, n: int) -> Curves:
    name = _STAGES.get(curve.stage, curve.stage)
    part = curve.stage.removesuffix(" again")
    own = _TUNED.get(part, part)
    trials = {ws.graph.label(j.target): t for j in found.targets for t in j.trials if t.name == own}
    epochs = f"{len(curve.losses)} epoch{'' if len(curve.losses) == 1 else 's'}"
    said = f"{epochs}; the state after epoch {curve.kept} was kept."
    if not curve.validation:
        said += " Nothing was left to validate on."
    for target, trial in trials.items():
        of = f" for {target}" if len(found.targets) > 1 else ""
        gain = f"lowers the log-loss by {trial.gain:.3f} ± {trial.error:.3f} (standard error)"
        why = gain if trial.weight else "lowers the log-loss with no weight that was tried"
        verdict = "counts in the model" if trial.accepted else "was left out of the model"
        judges = "items that it did not learn from" if own == "text" else "the validation items"
        said += f" The part {verdict}{of}: on top of those before it, on {judges}, it {why}."
    return Curves(name[0].upper() + name[1:], curves_plot(curve, f"curves-{n}"), said)
