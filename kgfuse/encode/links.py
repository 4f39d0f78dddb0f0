"""Link prediction: which object completes (subject, relation, ?), from vectors of entities and relations.

ComplEx (Trouillon et al. 2016) or DistMult (Yang et al. 2015), with reciprocal relations, cross-entropy over all
entities and the nuclear 3-norm as penalty (Lacroix et al. 2018). The vectors of the entities are learned as such, or
are what the R-GCN encoder makes of them and their neighbours (Schlichtkrull et al. 2018); in the end both are factors.
A question that occurs with many objects is computed once, and counts as often as it occurs: the loss is the same, at a
fifth of the work on graphs such as CoDEx-S.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from kgfuse.encode.ranking import Ints, both_ways
from kgfuse.errors import TrainingError

Decoder = Literal["complex", "distmult"]


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """How one link predictor is trained.

    Args:
        decoder: ``complex`` tells (s, r, o) from (o, r, s); ``distmult`` does not, without its reciprocal relation.
        rank: numbers of a vector, complex ones for ``complex``.
        layers: of the R-GCN encoder; 0 takes the vectors as they are.
        bases: shared matrices of each layer.
        dropout: share of a vector's numbers that a step does without.
        lr: learning rate of Adagrad (without an encoder) or Adam.
        n3: weight of the nuclear 3-norm.
        evenness: 0 counts every triple once (cross-entropy of one answer against all), 1 every question once, however
            many answers it has; between, a question with n answers counts n ** (1 - evenness).
        batch: questions (subject, relation) in a step.
        epochs: at most.
        patience: epochs without a better validation MRR before stopping.
        every: epochs between two looks at validation.
        seed: of all chance.
    """

    decoder: Decoder = "complex"
    rank: int = 128
    layers: int = 0
    bases: int = 8
    dropout: float = 0.0
    lr: float = 0.1
    n3: float = 0.01
    evenness: float = 0.0
    batch: int = 256
    epochs: int = 100
    patience: int = 10
    every: int = 1
    seed: int = 0

    @property
    def width(self) -> int:
        """Real numbers of a vector."""
        return self.rank * (2 if self.decoder == "complex" else 1)


@dataclass(frozen=True, eq=False, slots=True)
class LinkData:
    """Triples of a graph, as numbers.

    Args:
        train: (N, 3) subject, relation, object, to learn from.
        validation: the same, to stop by, to choose by and to calibrate on.
        entities: V.
        relations: R.
    """

    train: Ints
    validation: Ints
    entities: int
    relations: int

    def __post_init__(self) -> None:
        """Refuse triples that name what is not there.

        Raises:
            TrainingError: nothing to learn from, or a number that is too large.
        """
        if not len(self.train):
            raise TrainingError("no triple to learn links from", remedy="add statements between things")
        for triples in (self.train, self.validation):
            if len(triples) and (
                triples.min() < 0 or triples[:, [0, 2]].max() >= self.entities or triples[:, 1].max() >= self.relations
            ):
                raise TrainingError("a triple names an entity or a relation that is not there")


@dataclass(frozen=True, eq=False, slots=True)
class Factors:
    """Vectors that score triples.

    Args:
        entities: (V, width).
        relations: (2R, width), the reciprocal ones after the others.
        decoder: how they are multiplied; of ``complex`` the real parts come first, then the imaginary ones.
    """

    entities: Tensor
    relations: Tensor
    decoder: Decoder

    def scores(self, subject: Tensor, relation: Tensor) -> Tensor:
        """(B,) subjects and relations → (B, V)."""
        return compose(self.entities[subject], self.relations[relation], self.decoder) @ self.entities.T

    def to(self, device: torch.device | str) -> Factors:
        """The same on another device."""
        return replace(self, entities=self.entities.to(device), relations=self.relations.to(device))


@dataclass(frozen=True, eq=False, slots=True)
class Frequency:
    """Scores an object by how often it stands with the relation, whatever the subject.

    Args:
        key: (N,) sorted ``relation * entities + object``.
        count: (N,) of each.
        entities: V.
    """

    key: Tensor
    count: Tensor
    entities: int

    @classmethod
    def of(cls, train: Ints, entities: int, relations: int) -> Frequency:
        """Count the triples (N, 3), in both directions."""
        both = both_ways(train, relations)
        key, count = np.unique(both[:, 1] * entities + both[:, 2], return_counts=True)
        return cls(torch.from_numpy(key), torch.from_numpy(count), entities)

    def scores(self, subject: Tensor, relation: Tensor) -> Tensor:
        """(B,) subjects and relations → (B, V) logarithms of counts; an object never seen counts as 1 / V."""
        out = torch.zeros(len(relation), self.entities, dtype=torch.float32)
        first, last = (torch.searchsorted(self.key, (relation.cpu() + n) * self.entities) for n in (0, 1))
        row = torch.repeat_interleave(torch.arange(len(relation)), last - first)
        start = torch.repeat_interleave(first - torch.cumsum(last - first, 0) + (last - first), last - first)
        at = start + torch.arange(len(row))
        out[row, self.key[at] % self.entities] = self.count[at].float()
        return torch.log(out + 1 / self.entities).to(subject.device)


def compose(subject: Tensor, relation: Tensor, decoder: Decoder) -> Tensor:
    """What an object's vector is multiplied with: (B, width) and (B, width) → (B, width)."""
    if decoder == "distmult":
        return subject * relation
    a, b = subject.chunk(2, dim=-1)
    c, d = relation.chunk(2, dim=-1)
    return torch.cat([a * c - b * d, a * d + b * c], dim=-1)


def cubed(vectors: Tensor, decoder: Decoder) -> Tensor:
    """Sum of the cubed moduli of each row, (B,): what N3 penalises."""
    if decoder == "distmult":
        return vectors.abs().pow(3).sum(-1)
    a, b = vectors.chunk(2, dim=-1)
    return (a.square() + b.square() + 1e-12).pow(1.5).sum(-1)
