"""Link prediction: which object completes (subject, relation, ?), from vectors of entities and relations.

ComplEx (Trouillon et al. 2016) or DistMult (Yang et al. 2015), with reciprocal relations, cross-entropy over all
entities and the nuclear 3-norm as penalty (Lacroix et al. 2018). The vectors of the entities are learned as such, or
are what the R-GCN encoder makes of them and their neighbours (Schlichtkrull et al. 2018); in the end both are factors.
A question that occurs with many objects is computed once, and counts as often as it occurs: the loss is the same, at a
fifth of the work on graphs such as CoDEx-S.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from kgfuse.encode.graph import RelationalEncoder
from kgfuse.encode.ranking import Ints, Known, Ranking, both_ways, filtered_ranks
from kgfuse.encode.relational import Aggregation, prepare
from kgfuse.errors import TrainingError

Decoder = Literal["complex", "distmult"]
_ALL: Final = 20_000  # entities up to which every one is a wrong answer in each step


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


@dataclass(frozen=True, slots=True)
class LinkEpoch:
    """Progress of training.

    Args:
        epoch: how many are done.
        epochs: how many there are at most.
        seconds: spent learning so far, without looking at validation.
        processor_seconds: the same of processor time.
        loss: mean of the epoch, a triple.
        ranking: of the validation triples; ``None`` where they were not looked at.
    """

    epoch: int
    epochs: int
    seconds: float
    processor_seconds: float
    loss: float
    ranking: Ranking | None


OnEpoch = Callable[[LinkEpoch], None]


@dataclass(frozen=True, eq=False, slots=True)
class Fitted:
    """What training left.

    Args:
        factors: those that did best on validation.
        ranking: how they did there; zeros where there was nothing to validate on.
        epoch: after which they were reached.
    """

    factors: Factors
    ranking: Ranking
    epoch: int


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


class LinkNet(nn.Module):
    """Learns factors.

    Args:
        entities: V.
        relations: R; each has a reciprocal one.
        settings: widths, layers, decoder.
    """

    def __init__(self, entities: int, relations: int, settings: LinkSettings) -> None:
        super().__init__()
        self.settings = settings
        self.entity = nn.Parameter(torch.empty(0))
        self.encoder: RelationalEncoder | None = None
        if settings.layers:
            self.encoder = RelationalEncoder(
                features=0,
                embedded=entities,
                relations=2 * relations,
                width=settings.width,
                layers=settings.layers,
                bases=settings.bases,
                dropout=settings.dropout,
            )
            nn.init.normal_(self.encoder.embedding.weight, std=0.1)
        else:
            self.entity = nn.Parameter(1e-3 * torch.randn(entities, settings.width))
        self.relation = nn.Parameter((0.1 if settings.layers else 1e-3) * torch.randn(2 * relations, settings.width))
        self.register_buffer("slot", torch.arange(1, entities + 1), persistent=False)

    def states(self, edges: Aggregation | None) -> Tensor:
        """Vectors of all entities (V, width), as their neighbours along these edges make them."""
        if self.encoder is None:
            return self.entity
        assert edges is not None
        slot = self.get_buffer("slot")
        states: Tensor = self.encoder(slot.new_empty(len(slot), 0, dtype=torch.float32), slot, edges)
        return states

    def factors(self, edges: Aggregation | None) -> Factors:
        """What was learned so far."""
        training = self.training
        self.eval()
        with torch.no_grad():
            found = Factors(self.states(edges).clone(), self.relation.detach().clone(), self.settings.decoder)
        self.train(training)
        return found


@dataclass(frozen=True, eq=False, slots=True)
class _Questions:
    """The training triples by what they ask: Q questions with all their answers."""

    known: Known
    subject: Ints
    relation: Ints
    count: Ints = field(repr=False)

    @classmethod
    def of(cls, triples: Ints, entities: int) -> _Questions:
        known = Known.of(triples, entities)
        return cls(known, known.key % entities, known.key // entities, np.diff(known.offset))


def fit_factors(
    data: LinkData, settings: LinkSettings, device: torch.device, on_epoch: OnEpoch | None = None
) -> Fitted:
    """Train until validation no longer improves.

    Without validation triples it trains all epochs.

    Args:
        data: the triples; those of validation are only looked at.
        settings: of the predictor.
        device: where to compute.
        on_epoch: told after each epoch.
    """
    both = both_ways(data.train, data.relations)
    questions = _Questions.of(both, data.entities)
    held = both_ways(data.validation, data.relations)
    known = Known.of(np.concatenate([both, held]), data.entities)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(settings.seed)
        net = LinkNet(data.entities, data.relations, settings).to(device)
        if settings.layers:
            optimiser: torch.optim.Optimizer = torch.optim.Adam(net.parameters(), lr=settings.lr)
        else:
            optimiser = torch.optim.Adagrad(net.parameters(), lr=settings.lr)
        edges = _edges(both, data.entities, device) if settings.layers else None
        best, best_at, kept = Ranking.of(np.zeros(0)), 0, net.factors(edges)
        wall = busy = 0.0
        for epoch in range(1, settings.epochs + 1):
            started = time.perf_counter(), time.process_time()
            loss = _epoch(net, optimiser, questions, both if settings.layers else None, device, epoch)
            wall, busy = wall + time.perf_counter() - started[0], busy + time.process_time() - started[1]
            ranking, now = None, None
            if epoch % settings.every == 0 or epoch == settings.epochs:
                now = net.factors(edges)
                if len(held):
                    ranking = Ranking.of(filtered_ranks(now.scores, held, known, device=device))
                if ranking is None or ranking.mrr > best.mrr:
                    best, best_at, kept = ranking or best, epoch, now
            if on_epoch is not None:
                on_epoch(LinkEpoch(epoch, settings.epochs, wall, busy, loss, ranking))
            if len(held) and epoch - best_at >= settings.patience:
                break
    return Fitted(kept, best, best_at)


def _edges(both: Ints, entities: int, device: torch.device) -> Aggregation:
    source, relation, target = torch.from_numpy(both.T.copy())
    return prepare(source, relation, target, entities).to(device)


def _epoch(
    net: LinkNet,
    optimiser: torch.optim.Optimizer,
    questions: _Questions,
    both: Ints | None,
    device: torch.device,
    epoch: int,
) -> float:
    """One pass over the questions; the mean loss of a triple."""
    settings = net.settings
    net.train()
    chance = np.random.default_rng((settings.seed, epoch))
    order = chance.permutation(len(questions.subject))
    total = 0.0
    for start in range(0, len(order), settings.batch):
        rows = np.sort(order[start : start + settings.batch])
        edges = None
        if both is not None:
            rest = _others(both, questions, rows, len(net.relation) // 2)
            edges = _edges(rest, questions.known.entities, device)
        loss, penalty, triples = _loss(net, questions, rows, edges, chance, device)
        optimiser.zero_grad(set_to_none=True)
        ((loss + settings.n3 * penalty) / triples).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        total += float(loss.detach())
    return total / len(questions.known.object)


def _others(both: Ints, questions: _Questions, rows: Ints, relations: int) -> Ints:
    """The triples that no question of the batch asks for, in either direction: nobody reads the answer off its edge."""
    entities, asked = questions.known.entities, questions.known.key[rows]
    key = both[:, 1] * entities + both[:, 0]
    turned = (both[:, 1] + relations) % (2 * relations) * entities + both[:, 2]
    return both[~(np.isin(key, asked) | np.isin(turned, asked))]


def _loss(
    net: LinkNet,
    questions: _Questions,
    rows: Ints,
    edges: Aggregation | None,
    chance: np.random.Generator,
    device: torch.device,
) -> tuple[Tensor, Tensor, float]:
    """Cross-entropy and penalty of a batch, each summed over its questions' weights, and those."""
    settings, entities = net.settings, questions.known.entities
    subject, relation = questions.subject[rows], questions.relation[rows]
    row, answer = questions.known.cells(subject, relation)
    column = answer
    states = net.states(edges)
    wrong = states
    if entities > _ALL:  # every entity would be too much: those answered, and a draw of the others
        drawn = np.unique(np.concatenate([answer, chance.choice(entities, _ALL // 4, replace=False)]))
        column = np.searchsorted(drawn, answer)
        wrong = states[torch.from_numpy(drawn).to(device)]
    s, r, o, at, to, count = (
        torch.from_numpy(a).to(device) for a in (subject, relation, answer, row, column, questions.count[rows])
    )
    own, said = states[s], net.relation[r]
    if settings.dropout:
        own, wrong = (functional.dropout(x, settings.dropout, net.training) for x in (own, wrong))
    logits = compose(own, said, settings.decoder) @ wrong.T
    number = count.to(logits.dtype)
    share = number ** (1 - settings.evenness)
    each = (share / number)[at]
    loss = (share * torch.logsumexp(logits, 1)).sum() - (each * logits[at, to]).sum()
    penalty = logits.new_zeros(())
    if settings.n3:
        penalty = (share * (cubed(own, settings.decoder) + cubed(said, settings.decoder))).sum()
        answers, which = torch.unique(o, return_inverse=True)
        times = torch.zeros(len(answers), device=device).index_add_(0, which, each)
        penalty = penalty + (times * cubed(states[answers], settings.decoder)).sum()
    if not math.isfinite(float(loss.detach())):
        raise TrainingError("the link predictor's loss is no number", remedy="lower its learning rate")
    return loss, penalty, float(share.sum())
