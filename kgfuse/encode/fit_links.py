"""Training of link predictors: all questions of a graph by Adagrad or Adam, stopped by the ranks of validation triples.

A question (subject, relation) that occurs with many objects is computed once and counts as often as it occurs. The
R-GCN encoder sees, in each step, the edges that the step does not ask for.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from kgfuse.encode.graph import RelationalEncoder
from kgfuse.encode.links import Factors, LinkData, LinkSettings, compose, cubed
from kgfuse.encode.ranking import Ints, Known, Ranking, both_ways, filtered_ranks
from kgfuse.encode.relational import Aggregation, prepare
from kgfuse.errors import TrainingError

_ALL: Final = 20_000  # entities up to which every one is a wrong answer in each step


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
