"""The strong, simple rivals: logistic regression and RBF kernel ridge on joined blocks, by scikit-learn.

What the fusion layer must beat or tie with. Their one free number each is chosen on validation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from kgfuse.fuse.blocks import fit_blocks, make_blocks
from kgfuse.fuse.config import TrainConfig
from kgfuse.fuse.data import FloatArray, FusionData, IntArray, Modality, Split


def joined(data: FusionData, split: Split, modalities: Sequence[Modality], config: TrainConfig) -> FloatArray:
    """(N, D) blocks of all items side by side, each of norm one; the preparation is fitted on the training items."""
    spec, prepared = fit_blocks(data, split.train, config.model_copy(update={"modalities": tuple(modalities)}))
    blocks = make_blocks(spec, data, prepared, np.arange(len(data.items)))
    return np.concatenate([blocks.values[name] for name in spec.names], axis=1)


def logistic_regression(
    features: FloatArray,
    labels: IntArray,
    split: Split,
    strengths: Sequence[float] = (1.0, 10.0, 100.0),
    *,
    refit: bool = False,
) -> IntArray:
    """Predicted class of every item; the inverse penalty is the one of ``strengths`` best on validation.

    With ``refit`` the answers are those of a model of that penalty that learned from the validation items too.
    """
    from sklearn.linear_model import LogisticRegression

    def answers(strength: float, rows: IntArray) -> IntArray:
        guess: IntArray = (
            LogisticRegression(C=strength, max_iter=300).fit(features[rows], labels[rows]).predict(features)
        )
        return guess

    return _best(answers, strengths, labels, split, refit=refit)


def kernel_ridge(
    features: FloatArray,
    labels: IntArray,
    split: Split,
    *,
    sigma: float = 0.6,
    ridges: Sequence[float] = (0.01, 0.1, 1.0),
    refit: bool = False,
) -> IntArray:
    """Predicted class of every item by RBF kernel ridge; ``sigma`` is relative to the rows' typical norm.

    With ``refit`` the answers are those of a model of the best penalty that learned from the validation items too.
    """
    from sklearn.kernel_ridge import KernelRidge

    norm = float(np.sqrt((features[split.train] ** 2).sum(axis=1).mean()))
    gamma = 1.0 / (2.0 * (sigma * norm) ** 2)
    wanted = np.eye(int(labels.max()) + 1)[labels]

    def answers(ridge: float, rows: IntArray) -> IntArray:
        model = KernelRidge(alpha=ridge, kernel="rbf", gamma=gamma).fit(features[rows], wanted[rows])
        guess: IntArray = model.predict(features).argmax(axis=1)
        return guess

    return _best(answers, ridges, labels, split, refit=refit)


def _best(
    answers: Callable[[float, IntArray], IntArray],
    choices: Sequence[float],
    labels: IntArray,
    split: Split,
    *,
    refit: bool,
) -> IntArray:
    """Answers by the choice that is best on validation, the first of equals."""
    held = split.validation
    tried = [(choice, answers(choice, split.train)) for choice in choices]
    right = [float(np.mean(guess[held] == labels[held])) if len(held) else 0.0 for _, guess in tried]
    choice, guess = tried[int(np.argmax(right))]
    return answers(choice, np.concatenate([split.train, held])) if refit else guess
