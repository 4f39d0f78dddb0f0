"""The strong, simple rivals: logistic regression and RBF kernel ridge on joined blocks, by scikit-learn.

What the fusion layer must beat or tie with. Their one free number each is chosen on validation.
"""

from __future__ import annotations

from collections.abc import Sequence

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
    features: FloatArray, labels: IntArray, split: Split, strengths: Sequence[float] = (1.0, 10.0, 100.0)
) -> IntArray:
    """Predicted class of every item; the inverse penalty is the one of ``strengths`` best on validation."""
    from sklearn.linear_model import LogisticRegression

    best, answer = -1.0, np.zeros(len(features), np.int64)
    for strength in strengths:
        model = LogisticRegression(C=strength, max_iter=300).fit(features[split.train], labels[split.train])
        guess = model.predict(features)
        score = float(np.mean(guess[split.validation] == labels[split.validation]))
        if score > best:
            best, answer = score, guess
    return answer


def kernel_ridge(
    features: FloatArray,
    labels: IntArray,
    split: Split,
    *,
    sigma: float = 0.6,
    ridges: Sequence[float] = (0.01, 0.1, 1.0),
) -> IntArray:
    """Predicted class of every item by RBF kernel ridge; ``sigma`` is relative to the rows' typical norm."""
    from sklearn.kernel_ridge import KernelRidge

    norm = float(np.sqrt((features[split.train] ** 2).sum(axis=1).mean()))
    gamma = 1.0 / (2.0 * (sigma * norm) ** 2)
    answers = np.eye(int(labels.max()) + 1)[labels[split.train]]
    best, answer = -1.0, np.zeros(len(features), np.int64)
    for ridge in ridges:
        model = KernelRidge(alpha=ridge, kernel="rbf", gamma=gamma).fit(features[split.train], answers)
        guess = model.predict(features).argmax(axis=1)
        score = float(np.mean(guess[split.validation] == labels[split.validation]))
        if score > best:
            best, answer = score, guess
    return answer
