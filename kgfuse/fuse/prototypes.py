"""Classes as Gaussian clouds whose centres have a prior over the class graph: few items a class are enough, or none.

An item of class c is ``x = μ_c + ε`` with ``ε ~ N(0, Σ)``, Σ shared by all classes (linear discriminant analysis,
Fisher 1936) and shrunk towards a multiple of the identity (Friedman 1989). The centres are no free numbers: as a
function of the class they are a Gaussian process, whose mean is what is known of the class itself (its definition and
picture, in the items' own blocks), and whose covariance says that classes with like definitions, like pictures and the
same superclasses have like centres. A class with many items keeps their mean; one with few leans on its description and
relatives; one without any is placed by these alone. How much each counts is not chosen on held-out items: it maximises
the marginal likelihood (Rasmussen & Williams 2006, chapter 5).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from kgfuse.fuse.experts import LinearScores, Problem, validation_loss

MOST_CLASSES: Final = 5_000
_ESTIMATED_ON: Final = 1_000  # classes; the time grows with their cube
_ITERATIONS: Final = 100


@dataclass(frozen=True, eq=False, slots=True)
class KnownClasses:
    """What is known of C classes besides their items.

    Args:
        columns: block → its first column in the joined blocks and the one after its last.
        features: block → (C, d) centred features of the classes in the items' own terms, zero rows where missing.
        likeness: each (C, d), what makes classes alike; zero rows where missing.
        membership: (C, A) which superclasses each has.
    """

    columns: Mapping[str, tuple[int, int]]
    features: Mapping[str, Tensor]
    likeness: Sequence[Tensor]
    membership: Tensor


class PrototypeExpert(LinearScores):
    """Shrunk linear discriminants with a Gaussian-process prior on the classes' centres; single-label targets only.

    Its scores are log-likelihoods over the root of D, less what all classes share.

    Args:
        width: D of the joined blocks.
        classes: target → number of classes.
    """

    def __init__(self, width: int, classes: Mapping[str, int]) -> None:
        super().__init__(width, classes)
        self.shrinkage: dict[str, float] = {}

    def fit(self, target: str, problem: Problem, known: KnownClasses, shrinkages: Sequence[float]) -> None:
        """Place the classes; the shrinkage of the covariance is chosen among ``shrinkages`` by validation loss.

        Args:
            target: which one.
            problem: what to learn from and to choose by.
            known: of its classes.
            shrinkages: shares of the identity in the covariance, above 0 to 1; the first stands without validation.
        """
        best = float("inf")
        count = torch.bincount(problem.labels, minlength=problem.classes).double()
        total = torch.zeros(problem.classes, problem.features.shape[1], device=problem.features.device)
        means = total.index_add(0, problem.labels, problem.features) / count.clamp(min=1).float()[:, None]
        seen = torch.nonzero(count > 0)[:, 0]
        spread = _Spread.of(problem.features, means[problem.labels], len(problem.labels) - len(seen), known.columns)
        kernels = _kernels([_recentred(own, seen) for own in known.likeness], known.membership)
        described = torch.zeros_like(means)
        for name, own in known.features.items():
            described[:, slice(*known.columns[name])] = _recentred(own, seen)
        for shrinkage in shrinkages:
            scaled, prior = (spread.whitened(values, shrinkage).double() for values in (means, described))
            centres = torch.zeros_like(scaled)
            for name, (first, last) in known.columns.items():
                priors = [prior[:, first:last]] if name in known.features else []
                centres[:, first:last] = _posterior(scaled[seen, first:last], priors, kernels, 1 / count[seen], seen)
            calm = (
                means.shape[1] ** -0.5
            )  # the blocks' numbers are not independent: likelihoods grow too loud with them
            weight = calm * spread.back(centres.float(), shrinkage).T
            bias = -0.5 * calm * centres.square().sum(1).float()
            score = validation_loss(problem.validation @ weight + bias, problem)
            if score < best:
                best, self.shrinkage[target] = score, shrinkage
                self.keep(target, weight, bias)


@dataclass(frozen=True, eq=False, slots=True)
class _Spread:
    """Covariance within classes by its leading directions, in units of each block's own mean variance.

    Args:
        unit: (D,) root of the mean variance of the block that each column belongs to.
        axes: (D, r) leading directions.
        variance: (r,) along these; none along others.
    """

    unit: Tensor
    axes: Tensor
    variance: Tensor

    @classmethod
    def of(cls, items: Tensor, means: Tensor, freedom: int, columns: Mapping[str, tuple[int, int]]) -> _Spread:
        """From items (n, D) and the means of their classes (n, D).

        With one item a class, which leaves no ``freedom``, nothing is known of the spread within classes: that of all
        items stands for it.
        """
        residuals = items - means
        spread = residuals if freedom else items - items.mean(0)
        unit = torch.ones_like(items[0])
        for first, last in columns.values():
            variance = spread[:, first:last].square().sum() / ((freedom or len(items)) * (last - first))
            unit[first:last] = variance.clamp(min=1e-12).sqrt()
        residuals = residuals / unit
        number, width = residuals.shape
        if number < width:
            values, vectors = torch.linalg.eigh(residuals @ residuals.T)
            real = values > values[-1] * 1e-6
            axes = residuals.T @ vectors[:, real] / values[real].sqrt()
        else:
            values, axes = torch.linalg.eigh(residuals.T @ residuals)
            real = values > values[-1] * 1e-6
            axes = axes[:, real]
        return cls(unit, axes, values[real] / max(1, freedom))

    def whitened(self, values: Tensor, shrinkage: float) -> Tensor:
        """Rows (…, D) times the symmetric root of the inverse shrunk covariance."""
        return self._turned(values / self.unit, shrinkage)

    def back(self, centres: Tensor, shrinkage: float) -> Tensor:
        """Whitened centres as directions for items as they are: the products with whitened items are the same."""
        return self._turned(centres, shrinkage) / self.unit

    def _turned(self, values: Tensor, shrinkage: float) -> Tensor:
        floor = 1 / math.sqrt(shrinkage)
        gains = ((1 - shrinkage) * self.variance + shrinkage).rsqrt() - floor
        along = (values @ self.axes) * gains
        return values * floor + along @ self.axes.T


def _recentred(features: Tensor, seen: Tensor) -> Tensor:
    """(C, d) about the mean of the ``seen`` classes, of norm one; classes without features stay zero."""
    there = features.abs().sum(1, keepdim=True) > 0
    some = there[seen, 0]
    mean = features[seen][some].mean(0) if bool(some.any()) else torch.zeros_like(features[0])
    return functional.normalize(features - mean, dim=1) * there


def _kernels(sides: Sequence[Tensor], membership: Tensor) -> list[Tensor]:
    """(C, C) likeness of the classes: of each kind of features, of their superclasses, and each only with itself."""
    if membership.shape[1]:
        sides = [*sides, functional.normalize(membership.float(), dim=1)]
    found = [(side @ side.T).double() for side in sides if bool(side.abs().sum() > 0)]
    return [*found, torch.eye(len(membership), dtype=torch.float64, device=membership.device)]


def _posterior(
    means: Tensor, priors: Sequence[Tensor], kernels: Sequence[Tensor], noise: Tensor, seen: Tensor
) -> Tensor:
    """(C, D) expected centres.

    Args:
        means: (S, D) of the items of the classes that have any, in units of the spread within classes.
        priors: each (C, D), what is known of the classes in the same units.
        kernels: each (C, C), the last the identity.
        noise: (S,) variance of each mean: one over its number of items.
        seen: (S,) those classes.
    """
    shares, shift, error = _likeliest(means, priors, kernels, noise, seen)
    kernel = torch.stack([share * own for share, own in zip(shares, kernels, strict=True)]).sum(0)
    centres = torch.zeros(len(kernel), means.shape[1], dtype=means.dtype, device=means.device)
    for weight, prior in zip(shift, priors, strict=True):
        centres += weight * prior
    system = _steadied(kernel[seen][:, seen] + error * torch.diag(noise))
    return centres + kernel[:, seen] @ torch.cholesky_solve(means - centres[seen], torch.linalg.cholesky(system))


def _likeliest(
    means: Tensor, priors: Sequence[Tensor], kernels: Sequence[Tensor], noise: Tensor, seen: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Shares of the kernels, weights of the priors and scale of the noise with the highest marginal likelihood."""
    if len(seen) > _ESTIMATED_ON:
        some = torch.linspace(0, len(seen) - 1, _ESTIMATED_ON, device=seen.device).long()
        means, noise, seen = means[some], noise[some], seen[some]
    sides = torch.stack([means, *(prior[seen] for prior in priors)])
    products = torch.einsum("asd,btd->abst", sides, sides) / means.shape[1]
    own = torch.stack([kernel[seen][:, seen] for kernel in kernels])
    start = means.square().mean().clamp(min=1e-12).log()
    logs = torch.cat([start.expand(len(kernels)), start.new_zeros(1)]).clone().requires_grad_()
    shift = start.new_full((len(priors),), 0.3).requires_grad_()
    low = torch.cat([start.expand(len(kernels)) - 12, start.new_full((1,), -6.0)])

    def scales() -> Tensor:
        return torch.minimum(torch.maximum(logs, low), low + 24).exp()

    def loss() -> Tensor:
        found = scales()
        system = _steadied((found[:-1, None, None] * own).sum(0) + found[-1] * torch.diag(noise))
        factor = torch.linalg.cholesky(system)
        signs = torch.cat([shift.new_ones(1), -shift])
        scatter = torch.einsum("a,b,abst->st", signs, signs, products)
        total: Tensor = factor.diagonal().log().sum() + 0.5 * torch.cholesky_solve(scatter, factor).diagonal().sum()
        return total

    optimiser = torch.optim.LBFGS([logs, shift], max_iter=_ITERATIONS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        value = loss()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    found = scales().detach()
    return found[:-1], shift.detach(), found[-1]


def _steadied(system: Tensor) -> Tensor:
    """With a millionth of its mean on the diagonal, so that rounding leaves it positive definite."""
    size = len(system)
    whole = torch.eye(size, dtype=system.dtype, device=system.device)
    return system + 1e-6 * system.diagonal().mean().clamp(min=1e-12) * whole
