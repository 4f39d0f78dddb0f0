"""The rivals of the fusion benchmark: each modality alone, and the strong simple ways to join them.

As kgfuse does here, each chooses on validation, and then learns from the validation items too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from kgfuse.errors import TrainingError
from kgfuse.fuse.baselines import joined, kernel_ridge, logistic_regression
from kgfuse.fuse.config import TrainConfig
from kgfuse.fuse.data import MODALITIES, FloatArray, Modality
from tests.benchmarks.fusion_sets.case import Case

_FOLDS: Final = 5


def _accuracy(case: Case, answer: np.ndarray, where: str = "test") -> float:
    rows = getattr(case.split, where)
    return float(np.mean(answer[rows] == case.data.targets[0].labels[rows]))


def _blocks(case: Case, modalities: Sequence[Modality]) -> FloatArray | None:
    try:
        return joined(case.data, case.split, modalities, TrainConfig(seed=case.seed))
    except (TrainingError, ValueError):
        return None


def _present(case: Case) -> list[Modality]:
    return [m for m in MODALITIES if _blocks(case, (m,)) is not None]


def _alone(modality: Modality) -> Callable[[Case], float | None]:
    """One modality: logistic regression or RBF kernel ridge, whichever validation prefers."""

    def run(case: Case) -> float | None:
        found = _blocks(case, (modality,))
        if found is None:
            return None
        labels = case.data.targets[0].labels
        plain = {f: f(found, labels, case.split) for f in (logistic_regression, kernel_ridge)}
        best = max(plain, key=lambda f: _accuracy(case, plain[f], "validation"))
        return _accuracy(case, best(found, labels, case.split, refit=True))

    return run


def _linear(case: Case) -> float | None:
    present = _present(case)
    found = _blocks(case, present)
    if len(present) < 2 or found is None:
        return None
    return _accuracy(case, logistic_regression(found, case.data.targets[0].labels, case.split, refit=True))


def _kernel(case: Case) -> float | None:
    present = _present(case)
    found = _blocks(case, present)
    if len(present) < 2 or found is None:
        return None
    return _accuracy(case, kernel_ridge(found, case.data.targets[0].labels, case.split, refit=True))


def _stacking(case: Case) -> float | None:
    """Each modality's regression, cross-fitted on the labelled items, under a regression of their log-odds."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import KFold

    present = _present(case)
    if len(present) < 2:
        return None
    labels, split = case.data.targets[0].labels, case.split
    known = np.concatenate([split.train, split.validation])
    parts = []
    for modality in present:
        found = _blocks(case, (modality,))
        assert found is not None
        model = LogisticRegression(C=10.0, max_iter=300)
        scores = np.full((len(found), int(labels.max()) + 1), 1e-6)
        scores[:, np.unique(labels[known])] = model.fit(found[known], labels[known]).predict_proba(found)
        for learn, judge in KFold(_FOLDS, shuffle=True, random_state=case.seed).split(known):
            rows = known[judge]
            fold = model.fit(found[known[learn]], labels[known[learn]])
            scores[rows] = 1e-6
            scores[np.ix_(rows, fold.classes_)] = fold.predict_proba(found[rows])
        parts.append(np.log(np.clip(scores, 1e-6, 1)).astype(np.float32))
    whole = np.concatenate(parts, axis=1)
    whole -= whole[known].mean(0)
    strengths = (0.001, 0.01, 0.1, 1.0)
    return _accuracy(case, logistic_regression(whole, labels, split, strengths, refit=True))


RIVALS: Final[Mapping[str, Callable[[Case], float | None]]] = {
    **{m: _alone(m) for m in MODALITIES},
    "concatenation, linear": _linear,
    "concatenation, RBF": _kernel,
    "stacking": _stacking,
}
"""Name → accuracy on the test items; ``None`` where the data lack what it needs."""

FUSIONS: Final = frozenset(RIVALS) - frozenset(MODALITIES)
"""Those that join modalities."""
