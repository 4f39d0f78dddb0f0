"""The base: parts with a closed form or one optimum, and what they say of items, and of classes, they have not seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from kgfuse.fuse.blocks import BlockSpec
from kgfuse.fuse.config import TrainConfig
from kgfuse.fuse.data import FloatArray, IntArray
from kgfuse.fuse.experts import KernelExpert, LinearExpert, Problem
from kgfuse.fuse.groups import folds
from kgfuse.fuse.prototypes import MOST_CLASSES, KnownClasses, PrototypeExpert
from kgfuse.fuse.tensors import TargetInfo, array, class_matches, level

FOLDS: Final = 4
FEWEST_CLASSES: Final = 4  # from so many on some can be held out, and some are left
Closed = LinearExpert | PrototypeExpert | KernelExpert
Scores = dict[str, dict[str, FloatArray]]


@dataclass(frozen=True, eq=False, slots=True)
class Base:
    """The fitted parts of the base; one that is ``None`` was not asked for."""

    linear: LinearExpert
    prototypes: PrototypeExpert | None = None
    kernel: KernelExpert | None = None

    def parts(self) -> dict[str, Closed]:
        """Those that there are, by name."""
        own: dict[str, Closed | None] = {
            "linear": self.linear,
            "prototypes": self.prototypes,
            "kernel": self.kernel,
        }
        return {name: part for name, part in own.items() if part is not None}


@dataclass(frozen=True, eq=False, slots=True)
class Honest:
    """Target → part → scores (n, C) by parts that have not learned from what they judge.

    Args:
        train: of the training items, by parts fitted on other items.
        validation: of the validation items.
        pretended: of some training items, by parts that have met no item of their classes; only for targets with
            classes that no item has.
        rows: target → which labelled training items those are.
    """

    train: Scores
    validation: Scores
    pretended: Scores
    rows: Mapping[str, IntArray]


class Closing:
    """Fits the base on prepared blocks.

    Args:
        config: of the run.
        spec: of the blocks.
        infos: the targets.
        problems: target → what to learn from, and the rows of the training items that these are.
        class_nodes: target → block → (C, d) centred features of its classes.
        values: block → (n, d) of all training items.
        held_values: block → (m, d) of the validation items.
        told: target → (n, C), (m, C) what a text classifier that came with the data says of them.
        groups: (n,) of all training items; ``None`` where each stands alone.
    """

    def __init__(
        self,
        config: TrainConfig,
        spec: BlockSpec,
        infos: tuple[TargetInfo, ...],
        problems: Mapping[str, tuple[Problem, IntArray]],
        class_nodes: Mapping[str, Mapping[str, Tensor]],
        values: Mapping[str, Tensor],
        held_values: Mapping[str, Tensor],
        told: Mapping[str, tuple[FloatArray, FloatArray]],
        groups: IntArray | None = None,
    ) -> None:
        self.config, self.spec, self.class_nodes = config, spec, class_nodes
        self.infos = {info.name: info for info in infos}
        self.problems = problems
        self.values, self.held_values, self.told = values, held_values, told
        self.joined = torch.cat([values[name] for name in spec.names], dim=1)
        self.held = torch.cat([held_values[name] for name in spec.names], dim=1)
        self.device = self.joined.device
        self.fold = torch.from_numpy(folds(len(self.joined), FOLDS, groups)).to(self.device)

    def fit(self, like: Base | None = None) -> Base:
        """The parts that the configuration asks for; with the choices of another base where one is given."""
        problems = {name: problem for name, (problem, _) in self.problems.items()}
        linear = self._linear(problems, None if like is None else like.linear)
        if self.config.head == "linear":
            return Base(linear)
        placed = {n: p for n, p in problems.items() if p.labels.ndim == 1 and p.classes <= MOST_CLASSES}
        prototypes = kernel = None
        if placed and self.config.prototypes.enabled and (like is None or like.prototypes is not None):
            prototypes = self._prototypes(placed, None if like is None else like.prototypes)
        if self.config.kernel.enabled and (like is None or like.kernel is not None):
            kernel = self._kernel(problems, None if like is None else like.kernel)
        return Base(linear, prototypes, kernel)

    def honest(self, base: Base) -> Honest:
        """What its parts, fitted again on less, say of the rest."""
        found = Honest({}, {}, {}, {n: self._pretenders(n) for n in self.problems if self._lacks_items(n)})
        for part, whole in base.parts().items():
            for name, scores in whole(self.held).items():
                said = scores if part == "prototypes" else level(scores, self._seen(name))
                found.validation.setdefault(name, {})[part] = array(said)
                found.train.setdefault(name, {})[part] = array(self._over_items(base, part, name))
                if name in found.rows:
                    rows = found.rows[name]
                    found.pretended.setdefault(name, {})[part] = array(self._over_classes(base, part, name, rows))
        for name, own in self.class_nodes.items():
            self._add_matches(name, own, found)
        for name, (train, validation) in self.told.items():
            self._add_told(name, train, validation, found)
        return found

    def _add_told(self, name: str, train: FloatArray, validation: FloatArray, found: Honest) -> None:
        found.train[name]["text"], found.validation[name]["text"] = train, validation
        if name in found.rows:
            rows = found.rows[name]
            said = torch.from_numpy(train[self.problems[name][1][rows]]).to(self.device)
            found.pretended[name]["text"] = array(level(said, ~self._hidden(name, rows) & self._seen(name)))

    def _hidden(self, name: str, rows: IntArray) -> Tensor:
        """(r, C) classes that some labelled training items are to judge without."""
        problem, _ = self.problems[name]
        folds = class_folds(problem.labels, problem.classes)
        return folds[None, :] == folds[problem.labels[torch.from_numpy(rows).to(self.device)]][:, None]

    def _add_matches(self, name: str, nodes: Mapping[str, Tensor], found: Honest) -> None:
        _, places = self.problems[name]
        pretending = found.rows.get(name)
        sides: list[tuple[Scores, Mapping[str, Tensor]]] = [
            (found.train, self.values),
            (found.validation, self.held_values),
        ]
        if pretending is not None:
            at = torch.from_numpy(places[pretending]).to(self.device)
            sides.append((found.pretended, {block: values[at] for block, values in self.values.items()}))
        for scores, values in sides:
            if self.config.matching:
                scores[name] |= {p: array(s) for p, s in class_matches(values, {name: nodes}).get(name, {}).items()}
            if pretending is not None:
                rows = len(next(iter(values.values())))
                scores[name]["unseen"] = array((~self._seen(name)).float().expand(rows, -1))
        if pretending is not None:
            found.pretended[name]["unseen"] = array((self._hidden(name, pretending) | ~self._seen(name)).float())

    def _lacks_items(self, name: str) -> bool:
        info = self.infos[name]
        return not info.multi_label and not bool(info.seen.all()) and int(info.seen.sum()) >= FEWEST_CLASSES

    def _pretenders(self, name: str) -> IntArray:
        """Labelled training items that stand for those of unseen classes: as large a share as these have of all."""
        seen = self.infos[name].seen
        number = len(self.problems[name][1])
        wanted = max(1, round(number * min(1.0, float((~seen).sum() / seen.sum()))))
        return np.unique(np.linspace(0, number - 1, wanted).round().astype(np.int64))

    def _seen(self, name: str) -> Tensor:
        return torch.from_numpy(self.infos[name].seen).to(self.device)

    def _over_items(self, base: Base, part: str, name: str) -> Tensor:
        """(n, C) of the training items, each by a part fitted on the other folds of items."""
        _, places = self.problems[name]
        fold = self.fold
        own = fold[torch.from_numpy(places).to(self.device)]
        scores = base.parts()[part].forward(self.joined)[name].clone()
        if part != "prototypes":
            scores = level(scores, self._seen(name))
        for number in range(FOLDS):
            rest = own != number
            if int(rest.sum()) < 2 or not bool((fold == number).any()):
                continue
            scores[fold == number] = self._again(base, part, name, rest)(self.joined[fold == number])
        return scores

    def _over_classes(self, base: Base, part: str, name: str, rows: IntArray) -> Tensor:
        """(r, C) of some labelled training items, each by a part fitted on the other folds of classes."""
        problem, _ = self.problems[name]
        fold = class_folds(problem.labels, problem.classes)[problem.labels]
        at = torch.from_numpy(rows).to(self.device)
        scores = torch.zeros(len(rows), problem.classes, device=self.device)
        for number in range(FOLDS):
            own = fold[at] == number
            if bool(own.any()):
                scores[own] = self._again(base, part, name, fold != number)(problem.features[at[own]])
        return scores

    def _again(self, base: Base, part: str, name: str, keep: Tensor) -> Callable[[Tensor], Tensor]:
        """A part fitted on the kept items only, with the choices made before."""
        whole, _ = self.problems[name]
        problem = replace(whole, features=whole.features[keep], labels=whole.labels[keep])
        some = {name: problem}
        fitted: Closed
        if part == "linear":
            fitted = self._linear(some, base.linear, iterations=40)
        elif part == "prototypes":
            fitted = self._prototypes(some, base.prototypes)
            return lambda values: fitted.forward(values)[name]
        else:
            fitted = self._kernel(some, base.kernel)
        met = problem.labels.any(0) if problem.labels.ndim == 2 else torch.zeros(problem.classes, device=self.device)
        if problem.labels.ndim == 1:
            met[problem.labels] = 1
        return lambda values: level(fitted.forward(values)[name], met > 0)

    def _linear(self, problems: Mapping[str, Problem], like: LinearExpert | None, iterations: int = 60) -> LinearExpert:
        expert = LinearExpert(self.joined.shape[1], {n: p.classes for n, p in problems.items()}).to(self.device)
        for name, problem in problems.items():
            strengths = self.config.linear.strengths if like is None else (like.strength[name],)
            expert.fit(name, problem, strengths, iterations)
        return expert

    def _prototypes(self, problems: Mapping[str, Problem], like: PrototypeExpert | None) -> PrototypeExpert:
        expert = PrototypeExpert(self.joined.shape[1], {n: p.classes for n, p in problems.items()}).to(self.device)
        for name, problem in problems.items():
            shrinkages = self.config.prototypes.shrinkage if like is None else (like.shrinkage[name],)
            expert.fit(name, problem, self._known(name), shrinkages)
        return expert

    def _known(self, name: str) -> KnownClasses:
        at, columns = 0, {}
        for block, mean in self.spec.mean.items():
            columns[block] = at, at + len(mean)
            at += len(mean)
        features = {block: own for block, own in self.class_nodes[name].items() if bool(own.abs().sum() > 0)}
        classes = self.infos[name].classes
        told = ((classes.text, classes.text_mask), (classes.image, classes.image_mask))
        likeness = [
            functional.normalize(torch.from_numpy(values * mask[:, None]).to(self.device), dim=1)
            for values, mask in told
            if mask.any()
        ]
        return KnownClasses(columns, features, likeness, torch.from_numpy(classes.membership).to(self.device))

    def _kernel(self, problems: Mapping[str, Problem], like: KernelExpert | None) -> KernelExpert:
        """Carried by all items, or for one target by those with a label."""
        joined = next(iter(problems.values())).features if len(problems) == 1 else self.joined
        count = min(len(joined), self.config.kernel.landmarks)
        chosen = np.sort(np.random.default_rng(self.config.seed).permutation(len(joined))[:count])
        expert = KernelExpert(joined.shape[1], count, {n: p.classes for n, p in problems.items()}).to(self.device)
        expert.get_buffer("landmarks").copy_(joined[torch.from_numpy(chosen).to(self.device)])
        for name, problem in problems.items():
            own = self.config.kernel
            if like is not None:
                sigma, ridge = like.chosen[name]
                own = own.model_copy(update={"sigma": (sigma,), "ridge": (ridge,)})
            expert.fit(name, problem, own)
        return expert


def class_folds(labels: Tensor, classes: int) -> Tensor:
    """(C,) folds of the classes; the largest are spread over the folds.

    Args:
        labels: (n,) of items.
        classes: C.
    """
    sizes = torch.bincount(labels, minlength=classes)
    order = torch.argsort(sizes, descending=True, stable=True)
    folds = torch.empty_like(order)
    number = max(2, min(FOLDS, int((sizes > 0).sum()) // 2))
    folds[order] = torch.arange(len(order), device=labels.device) % number
    return folds
