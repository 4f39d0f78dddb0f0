"""Linear projections of two views of the same items into one space: canonical correlations, contrastive training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from kgfuse.fuse.data import FloatArray

WIDTH: Final = 256
"""Most directions that are kept."""
_BATCH: Final = 2_048
_DROPOUT: Final = 0.4
_LEARNING_RATE: Final = 1e-3
_DECAY: Final = 0.1
_TEMPERATURE: Final = 0.07
_SHARPEST: Final = 100.0

Projections: TypeAlias = tuple[FloatArray, FloatArray]
"""(d_left, k) and (d_right, k)."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a pair of projections is made.

    Args:
        ridges: of the left and the right view's covariance, in units of its largest eigenvalue; empty to start the
            contrastive training from chance.
        power: of the canonical correlations by which each direction is weighed.
        epochs: of contrastive training, from the canonical projections on; 0 for none.
    """

    ridges: tuple[float, ...]
    power: float
    epochs: int = 0

    @property
    def name(self) -> str:
        """Of the method: ``canonical``, ``contrastive``, or ``canonical, contrastive``."""
        return ", ".join(["canonical"] * bool(self.ridges) + ["contrastive"] * bool(self.epochs))


@dataclass(frozen=True, eq=False, slots=True)
class _Spectrum:
    """Eigenvalues (r,) and eigenvectors (d, r) of a view's covariance."""

    values: npt.NDArray[np.float64]
    vectors: npt.NDArray[np.float64]

    @classmethod
    def of(cls, x: FloatArray) -> _Spectrum:
        wide = x.astype(np.float64)
        if len(x) < x.shape[1]:
            _, singular, rows = np.linalg.svd(wide, full_matrices=False)
            values, vectors = singular**2 / len(x), rows.T
        else:
            values, vectors = np.linalg.eigh(wide.T @ wide / len(x))
        kept = values > 1e-9 * max(float(values.max(initial=0.0)), 1e-12)
        return cls(values[kept], vectors[:, kept])

    def whitening(self, ridge: float) -> npt.NDArray[np.float64]:
        return np.asarray(1 / np.sqrt(self.values + ridge * self.values.max(initial=0.0)), np.float64)


class Canonical:
    """Regularised canonical correlation analysis (Hotelling 1936; ridges: Vinod 1976) of two centred views.

    The directions are weighed by a power of their correlations (Gong et al. 2014, arXiv:1212.4522), so that those that
    the views share count for more.

    Args:
        left: (n, d_left) rows.
        right: (n, d_right) rows of the same items.
    """

    def __init__(self, left: FloatArray, right: FloatArray) -> None:
        self._left, self._right = _Spectrum.of(left), _Spectrum.of(right)
        projected = left.astype(np.float64) @ self._left.vectors, right.astype(np.float64) @ self._right.vectors
        self._cross = projected[0].T @ projected[1] / len(left)

    def all(self, ridges: Sequence[float], powers: Sequence[float]) -> Iterator[tuple[Recipe, Projections]]:
        """Projections by every pair of ridges, with every power."""
        for a in ridges:
            for b in ridges:
                yield from self._solve((a, b), powers)

    def by(self, recipe: Recipe) -> Projections:
        """Projections by one recipe, before any contrastive training."""
        a, b = recipe.ridges
        return next(found for _, found in self._solve((a, b), (recipe.power,)))

    def _solve(self, ridges: tuple[float, float], powers: Sequence[float]) -> Iterator[tuple[Recipe, Projections]]:
        one, two = self._left.whitening(ridges[0]), self._right.whitening(ridges[1])
        u, correlations, v = np.linalg.svd(one[:, None] * self._cross * two, full_matrices=False)
        a = self._left.vectors @ (one[:, None] * u[:, :WIDTH])
        b = self._right.vectors @ (two[:, None] * v[:WIDTH].T)
        for power in powers:
            weight = np.clip(correlations[:WIDTH], 0, None) ** power
            yield Recipe(ridges, power), ((a * weight).astype(np.float32), (b * weight).astype(np.float32))


def contrastive(
    left: FloatArray,
    right: FloatArray,
    epochs: Sequence[int],
    start: Projections | None = None,
    *,
    seed: int = 0,
) -> Iterator[tuple[int, Projections]]:
    """Train projections so that each item's two views find each other among all others (symmetric InfoNCE).

    Radford et al. 2021, arXiv:2103.00020. All items are one batch up to 2,048; inputs are dropped at random, since the
    pairs are few beside the widths.

    Args:
        left: (n, d_left) rows.
        right: (n, d_right) rows of the same items.
        epochs: after which the projections are wanted, ascending.
        start: projections to go on from; chance where not given.
        seed: of chance.

    Yields:
        epoch and projections.
    """
    chance = torch.Generator().manual_seed(seed)
    x, y = torch.from_numpy(left), torch.from_numpy(right)
    if start is None:
        made = [torch.randn(v.shape[1], WIDTH, generator=chance) / v.shape[1] ** 0.5 for v in (x, y)]
    else:
        made = [torch.from_numpy(p.copy()) for p in start]
    a, b = (p.requires_grad_() for p in made)
    sharpness = torch.tensor(np.log(1 / _TEMPERATURE), dtype=torch.float32, requires_grad=True)
    groups = [{"params": [a, b], "weight_decay": _DECAY}, {"params": [sharpness], "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=_LEARNING_RATE)

    def kept(rows: Tensor) -> Tensor:
        return rows * (torch.rand(rows.shape, generator=chance) >= _DROPOUT)

    for epoch in range(1, max(epochs) + 1):
        order = torch.randperm(len(x), generator=chance)
        for batch in torch.split(order, _BATCH):
            if len(batch) < 2:
                continue
            found = functional.normalize(kept(x[batch]) @ a, dim=1), functional.normalize(kept(y[batch]) @ b, dim=1)
            scores = sharpness.exp().clamp(max=_SHARPEST) * found[0] @ found[1].T
            truth = torch.arange(len(batch))
            loss = functional.cross_entropy(scores, truth) + functional.cross_entropy(scores.T, truth)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        if epoch in epochs:
            yield epoch, (a.detach().numpy().copy(), b.detach().numpy().copy())
