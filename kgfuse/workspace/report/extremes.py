"""The surest right and the surest wrong answers, each with what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from kgfuse.explain.chain import Explanation
from kgfuse.workspace.assessment import Judged
from kgfuse.workspace.parts import OnEvent, silent

if TYPE_CHECKING:
    from kgfuse.workspace.prediction import Prediction
    from kgfuse.workspace.predictor import Predictor

ANSWERS: Final = 5


@dataclass(frozen=True, slots=True)
class Extreme:
    """One answer, and why.

    Args:
        prediction: the answer.
        truth: name of the class that the item has.
        right: whether both agree.
        explanation: what the answer rests on.
    """

    prediction: Prediction
    truth: str
    right: bool
    explanation: Explanation


def extremes(
    predictor: Predictor,
    judged: Judged,
    number: int = ANSWERS,
    known: Mapping[str, Explanation] | None = None,
    on_event: OnEvent = silent,
) -> tuple[Extreme, ...]:
    """Explain the surest right answers and the surest wrong ones of a single-label target, right ones first.

    Args:
        predictor: the model.
        judged: its answers.
        number: of each, at most.
        known: item → explanation of its answer by this very model, where there is one already.
        on_event: told about progress.
    """
    done = known or {}
    chosen = [n for right in (True, False) for n in surest(judged, right)[:number]]
    answers = predictor.answers([int(judged.rows[n]) for n in chosen], judged.target) if chosen else []
    found = []
    for step, (n, answer) in enumerate(zip(chosen, answers, strict=True), 1):
        explanation = done.get(answer.item) or answer.explain()
        found.append(Extreme(answer, judged.labels[int(judged.true[n])], bool(judged.right[n]), explanation))
        on_event("explain", step, len(chosen), answer.name)
    return tuple(found)


def surest(judged: Judged, right: bool) -> list[int]:
    """Right or wrong answers, the most probable first; of equally probable ones by the item's place."""
    own = np.flatnonzero(judged.right == right)
    return [int(n) for n in own[np.argsort(-judged.confidence[own], kind="stable")]]
