"""The model's closed-form parts: logistic regression and RBF kernel ridge on the joined blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from kgfuse.fuse.config import KernelConfig


@dataclass(frozen=True, eq=False, slots=True)
class Problem:
    """What a closed-form part is fitted on, for one target.

    Args:
        features: (n, D) joined blocks of the training items.
        labels: (n,) classes or (n, C) bool.
        classes: C.
        validation: (m, D) joined blocks of the validation items.
        validation_labels: theirs.
        weight: (C,) weights of the classes.
    """

    features: Tensor
    labels: Tensor
    classes: int
    validation: Tensor
    validation_labels: Tensor
    weight: Tensor


class LinearScores(nn.Module):
    """A part that scores classes by a weight for each column of the joined blocks, and a bias.

    Args:
        width: D of the joined blocks.
        classes: target → number of classes.
    """

    def __init__(self, width: int, classes: Mapping[str, int]) -> None:
        super().__init__()
        self.targets = {name: f"t{number}" for number, name in enumerate(classes)}
        for name, number in classes.items():
            self.register_buffer(f"weight_{self.targets[name]}", torch.zeros(width, number))
            self.register_buffer(f"bias_{self.targets[name]}", torch.zeros(number))

    def keep(self, target: str, weight: Tensor, bias: Tensor) -> None:
        """Take a solution over: (D, C) weights and (C,) biases."""
        self.get_buffer(f"weight_{self.targets[target]}").copy_(weight)
        self.get_buffer(f"bias_{self.targets[target]}").copy_(bias)

    def forward(self, joined: Tensor) -> dict[str, Tensor]:
        """Joined blocks (n, D) → target → scores (n, C)."""
        return {
            name: joined @ self.get_buffer(f"weight_{key}") + self.get_buffer(f"bias_{key}")
            for name, key in self.targets.items()
        }


class LinearExpert(LinearScores):
    """Multinomial (or, multi-label, per-class) logistic regression.

    Args:
        width: D of the joined blocks.
        classes: target → number of classes.
    """

    def __init__(self, width: int, classes: Mapping[str, int]) -> None:
        super().__init__(width, classes)
        self.strength: dict[str, float] = {}

    def fit(self, target: str, problem: Problem, strengths: Sequence[float], iterations: int = 60) -> None:
        """Choose the inverse penalty among ``strengths`` by validation loss and keep that solution.

        Args:
            target: which one.
            problem: what to learn from and to choose by.
            strengths: inverse penalties, the smallest first.
            iterations: of L-BFGS, for each.
        """
        best, device = float("inf"), problem.features.device
        basis: Tensor | None = None
        features, held = problem.features, problem.validation
        if len(features) < features.shape[1]:  # the answer lies in the span of the items: exact, and much smaller
            basis = torch.linalg.qr(features.T).Q
            features, held = features @ basis, held @ basis
        weight = torch.zeros(features.shape[1], problem.classes, device=device, requires_grad=True)
        bias = torch.zeros(problem.classes, device=device, requires_grad=True)
        for strength in strengths:
            penalty = 0.5 / (strength * len(problem.features))
            optimiser = torch.optim.LBFGS(
                [weight, bias], max_iter=iterations, history_size=10, line_search_fn="strong_wolfe"
            )

            def closure(penalty: float = penalty, optimiser: torch.optim.LBFGS = optimiser) -> Tensor:
                optimiser.zero_grad()
                loss = _loss(features @ weight + bias, problem.labels, problem.weight)
                loss = loss + penalty * weight.square().sum()
                loss.backward()  # type: ignore[no-untyped-call]
                return loss

            optimiser.step(closure)  # type: ignore[no-untyped-call]
            with torch.no_grad():
                score = validation_loss(held @ weight + bias, problem)
                if score < best:
                    best = score
                    self.strength[target] = strength
                    self.keep(target, weight if basis is None else basis @ weight, bias)


class KernelExpert(nn.Module):
    """RBF kernel ridge regression on one-hot answers.

    Args:
        width: D of the joined blocks.
        landmarks: number of training items that carry the kernel.
        classes: target → number of classes.
    """

    def __init__(self, width: int, landmarks: int, classes: Mapping[str, int]) -> None:
        super().__init__()
        self.targets = {name: f"t{number}" for number, name in enumerate(classes)}
        self.chosen: dict[str, tuple[float, float]] = {}
        self.register_buffer("landmarks", torch.zeros(landmarks, width))
        for name, number in classes.items():
            self.register_buffer(f"dual_{self.targets[name]}", torch.zeros(landmarks, number))
            self.register_buffer(f"mean_{self.targets[name]}", torch.zeros(number))
            self.register_buffer(f"gamma_{self.targets[name]}", torch.zeros(()))

    def fit(self, target: str, problem: Problem, config: KernelConfig) -> None:
        """Choose width and ridge penalty by validation loss; ``landmarks`` must hold rows of ``problem.features``."""
        key, best = self.targets[target], float("inf")
        landmarks: Tensor = self.get_buffer("landmarks")
        answers = functional.one_hot(problem.labels, problem.classes) if problem.labels.ndim == 1 else problem.labels
        mean = answers.double().mean(0)
        centred = answers.double() - mean
        norm = problem.features.square().sum(1).mean().clamp(min=1e-12)
        whole = len(landmarks) == len(problem.features)
        for sigma in config.sigma:
            gamma = 1.0 / (2.0 * sigma**2 * norm)
            kernel = _rbf(landmarks, landmarks, gamma).double()
            cross = kernel if whole else _rbf(problem.features, landmarks, gamma).double()
            held_out = _rbf(problem.validation, landmarks, gamma).double()
            for ridge in config.ridge:
                if whole:
                    system, right = (
                        kernel + ridge * torch.eye(len(kernel), dtype=torch.float64, device=kernel.device),
                        centred,
                    )
                else:
                    jitter = 1e-6 * torch.eye(len(kernel), dtype=torch.float64, device=kernel.device)
                    system, right = cross.T @ cross + ridge * (kernel + jitter), cross.T @ centred
                dual = _solved(system, right)
                score = validation_loss((held_out @ dual + mean).float() * 8.0, problem)
                if score < best:
                    best = score
                    self.chosen[target] = sigma, ridge
                    getattr(self, f"dual_{key}").copy_(dual)
                    getattr(self, f"mean_{key}").copy_(mean)
                    getattr(self, f"gamma_{key}").copy_(gamma)

    def forward(self, joined: Tensor) -> dict[str, Tensor]:
        """Joined blocks (n, D) → target → scores (n, C), which calibration turns into logits."""
        landmarks = self.get_buffer("landmarks")
        return {
            name: _rbf(joined, landmarks, getattr(self, f"gamma_{key}")) @ getattr(self, f"dual_{key}")
            + getattr(self, f"mean_{key}")
            for name, key in self.targets.items()
        }


def _solved(system: Tensor, right: Tensor) -> Tensor:
    """The solution of a system that rounding may keep from being positive definite, as items that are alike do."""
    whole = torch.eye(len(system), dtype=system.dtype, device=system.device)
    jitter = 1e-8
    factor, failed = torch.linalg.cholesky_ex(system + jitter * whole)
    while int(failed):
        jitter *= 10
        factor, failed = torch.linalg.cholesky_ex(system + jitter * whole)
    return torch.cholesky_solve(right, factor)


def _rbf(left: Tensor, right: Tensor, gamma: Tensor) -> Tensor:
    squared = left.square().sum(1)[:, None] + right.square().sum(1)[None, :] - 2 * left @ right.T
    return torch.exp(-gamma * squared.clamp(min=0))


def _loss(logits: Tensor, labels: Tensor, weight: Tensor) -> Tensor:
    if labels.ndim == 1:
        return functional.cross_entropy(logits, labels, weight=weight)
    truth = labels.float()
    losses = functional.binary_cross_entropy_with_logits(logits, truth, pos_weight=weight, reduction="none")
    return losses.sum(1).mean()


def validation_loss(logits: Tensor, problem: Problem) -> float:
    """Loss at the best of a few temperatures, so that over-confidence alone does not decide."""
    if not len(problem.validation_labels):
        return 0.0
    plain = torch.ones_like(problem.weight)
    return min(float(_loss(logits * sharp, problem.validation_labels, plain)) for sharp in (0.25, 0.5, 1.0, 2.0, 4.0))
