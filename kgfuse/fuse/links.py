"""A link predictor that can be relied on: predictors that validation keeps, calibrated, and judged on unseen triples.

The members are factors with and without the R-GCN encoder, and how often each object stands with each relation. Which
of them speak, and how loud, validation chooses (greedy selection with replacement, Caruana et al. 2004). A temperature
makes their sum a probability: that of being the object, given that there is one more that is not known yet. Triples
that served none of this say how well it works, beside the mere frequencies; where it does no better, it says so.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from kgfuse.encode.device import one_thread
from kgfuse.encode.fit_links import LinkEpoch, fit_factors
from kgfuse.encode.links import Factors, Frequency, LinkData, LinkSettings
from kgfuse.encode.ranking import Ints, Known, Ranking, Scores, both_ways, filtered_ranks, without
from kgfuse.fuse.data import FloatArray
from kgfuse.fuse.metrics import calibration_error

MEMBERS: Final = (
    LinkSettings(rank=128),
    LinkSettings(rank=128, n3=0.1, seed=1),
    LinkSettings(decoder="distmult", rank=64, layers=1, lr=0.005, n3=0.001, dropout=0.2, batch=512, seed=2),
)
"""What is tried on a graph of which nothing is known: ComplEx, held back less and more, and DistMult on the R-GCN."""

_ROUNDS: Final = 10
_MOST_HELD: Final = 5_000
_CELLS: Final = 1 << 24  # scores held at once while members are chosen
_JUDGED: Final = 30  # questions; fewer say nothing


Member = Factors | Frequency


@dataclass(frozen=True, slots=True)
class LinkReport:
    """How a predictor does on triples that it did not see.

    Args:
        trained: triples that were learned from while it was judged.
        judged: triples that it was judged on.
        ranking: of their ends among all entities.
        baseline: of the same by the frequency of the object with the relation.
        lead: mean of 1 / rank less 1 / rank of the baseline.
        error: standard error of that.
        calibration_error: of the probabilities of the first answers.
        relations: relation, reciprocal ones from R on → how often it was asked about, MRR, MRR of the baseline.
    """

    trained: int
    judged: int
    ranking: Ranking
    baseline: Ranking
    lead: float
    error: float
    calibration_error: float
    relations: Mapping[int, tuple[int, float, float]]

    @property
    def too_small(self) -> bool:
        """Too few triples to judge by."""
        return 2 * self.judged < _JUDGED

    @property
    def better(self) -> bool:
        """Whether it beats the baseline by more than two standard errors."""
        return not self.too_small and self.lead > 2 * self.error

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self) | {"too_small": self.too_small, "better": self.better}


@dataclass(frozen=True, eq=False, slots=True)
class LinkPredictor:
    """Members that speak together.

    Args:
        members: factors, and frequencies.
        weights: of each, adding up to 1.
        sharpness: inverse temperature of the sum.
        entities: V.
        relations: R.
        report: how it does; ``None`` before it was judged.
    """

    members: tuple[Member, ...]
    weights: tuple[float, ...]
    sharpness: float
    entities: int
    relations: int
    report: LinkReport | None = None

    def scores(self, subject: Tensor, relation: Tensor) -> Tensor:
        """(B,) subjects and relations (those from R on are reciprocal) → (B, V)."""
        return mixed([member.scores for member in self.members], self.weights, subject, relation)

    def probabilities(self, subject: int, relation: int, closed: Tensor) -> Tensor:
        """(V,) the chance of each entity to be the object, given that one more is true.

        Args:
            subject: its number.
            relation: its number; of a reciprocal one the subject is the object and the answer the subject.
            closed: (V,) entities that are no answer: known already, or of the wrong kind.
        """
        scores = self.scores(torch.tensor([subject]), torch.tensor([relation]))[0] * self.sharpness
        scores = scores.masked_fill(closed, -torch.inf)
        return torch.zeros_like(scores) if bool(closed.all()) else torch.softmax(scores, 0)


def mixed(members: Sequence[Scores], weights: Sequence[float], subject: Tensor, relation: Tensor) -> Tensor:
    """The weighted sum of the members' log-probabilities (B, V)."""
    total: Tensor | None = None
    for member, weight in zip(members, weights, strict=True):
        if weight:
            part = weight * torch.log_softmax(member(subject, relation), 1)
            total = part if total is None else total + part
    assert total is not None
    return total


def hold_out(triples: Ints, share: float, seed: int, groups: Ints | None = None) -> tuple[Ints, Ints]:
    """Part triples (N, 3), so that what is held out speaks of entities and relations that the rest speaks of, too.

    Args:
        triples: distinct.
        share: of them, at most; and never more than 10,000.
        seed: of the order in which they are considered.
        groups: (N,) triples of one number say the same (inverses of one another): they are held out together.

    Returns:
        Those that stay, and those held out.
    """
    groups = np.arange(len(triples)) if groups is None else groups
    by_group = np.argsort(groups, kind="stable")
    parts = np.split(by_group, np.flatnonzero(np.diff(groups[by_group])) + 1)
    wanted = min(int(len(triples) * share), 2 * _MOST_HELD)
    size = int(triples[:, [0, 2]].max()) + 1 if len(triples) else 0
    degree = np.bincount(triples[:, [0, 2]].ravel(), minlength=size)
    uses = np.bincount(triples[:, 1]) if len(triples) else degree
    held: list[int] = []
    for at in np.random.default_rng(seed).permutation(len(parts)).tolist():
        if len(held) + len(parts[at]) > wanted:
            break
        part = triples[parts[at]]
        ends, counts = np.unique(part[:, [0, 2]], return_counts=True)
        said, times = np.unique(part[:, 1], return_counts=True)
        if (degree[ends] > counts).all() and (uses[said] > times).all():
            held += parts[at].tolist()
            degree[ends] -= counts
            uses[said] -= times
    mask = np.zeros(len(triples), np.bool_)
    mask[held] = True
    return triples[~mask], triples[np.array(held, np.int64)]


@one_thread()
def fit_predictor(
    triples: Ints,
    entities: int,
    relations: int,
    device: torch.device,
    *,
    settings: Sequence[LinkSettings] = MEMBERS,
    allowed: Tensor | None = None,
    groups: Ints | None = None,
    seed: int = 0,
    on_epoch: Callable[[int, LinkEpoch], None] | None = None,
) -> LinkPredictor:
    """Train, choose, calibrate and judge on held-out triples; then learn what was chosen from all of them.

    Args:
        triples: (N, 3) distinct: subject, relation, object.
        entities: V.
        relations: R.
        device: where to compute.
        settings: of the members to try, beside frequency.
        allowed: (2R, V) which entities a relation may lead to; all where not given.
        groups: (N,) triples of one number are held out together; see :func:`hold_out`.
        seed: of the split, and added to the members' own.
        on_epoch: told the number of the member and its progress; the numbers go on while those that were chosen learn
            from all triples.
    """
    rest, held = hold_out(triples, 0.2, seed, groups)
    validation, test = held[: len(held) // 2], held[len(held) // 2 :]
    data = LinkData(rest, validation, entities, relations)
    tried = [replace(one, seed=one.seed + seed) for one in settings] if len(validation) else []

    def told(number: int) -> Callable[[LinkEpoch], None] | None:
        return None if on_epoch is None else functools.partial(on_epoch, number)

    fitted = [fit_factors(data, one, device, told(n)) for n, one in enumerate(tried)]
    members: list[Member] = [Frequency.of(rest, entities, relations), *(f.factors.to("cpu") for f in fitted)]
    known = Known.of(both_ways(triples, relations), entities)
    predictor = choose(members, validation, known, relations, allowed)
    predictor = replace(predictor, report=judge(predictor, len(rest), test, known, allowed))
    everything = LinkData(triples, triples[:0], entities, relations)
    final: list[Member] = [Frequency.of(triples, entities, relations)]
    for n, (one, fit, weight) in enumerate(zip(tried, fitted, predictor.weights[1:], strict=True), len(tried)):
        again = replace(one, epochs=fit.epoch, every=max(1, fit.epoch))
        final.append(fit_factors(everything, again, device, told(n)).factors.to("cpu") if weight else fit.factors)
    kept = [(m, w) for m, w in zip(final, predictor.weights, strict=True) if w]
    return replace(predictor, members=tuple(m for m, _ in kept), weights=tuple(w for _, w in kept))


def choose(
    members: Sequence[Member], validation: Ints, known: Known, relations: int, allowed: Tensor | None = None
) -> LinkPredictor:
    """Weigh members by the MRR of their sum on validation, and set its temperature there.

    Args:
        members: trained without the validation triples; the first one speaks where there is no validation.
        validation: (N, 3) triples.
        known: what is true, in both directions.
        relations: R.
        allowed: (2R, V) which entities a relation may lead to.
    """
    entities = known.entities
    alone = (1.0, *(0.0 for _ in members[1:]))
    queries = both_ways(validation, relations)
    queries = queries[:: max(1, len(queries) * entities // _CELLS)]
    if not len(queries):
        return LinkPredictor(tuple(members), alone, 1.0, entities, relations)
    said = [_closed(torch.log_softmax(m.scores(*_ends(queries)), 1).cpu(), queries, known, allowed) for m in members]
    truth = torch.from_numpy(queries[:, 2])

    def mrr(scores: Tensor) -> float:
        own = scores.gather(1, truth[:, None])
        rank = 1 + (scores > own).sum(1) + ((scores == own).sum(1) - 1) / 2
        return round(float((1 / rank.double()).mean()), 9)

    votes, best, total = [0] * len(members), 0.0, torch.zeros_like(said[0])
    for _ in range(_ROUNDS):
        trials = [mrr(total + one) for one in said]
        at = int(np.argmax(trials))
        if trials[at] <= best:
            break
        best, total, votes[at] = trials[at], total + said[at], votes[at] + 1
    weights = tuple(vote / sum(votes) for vote in votes)
    sharpness = _sharpness(total / sum(votes), truth)
    return LinkPredictor(tuple(members), weights, sharpness, entities, relations)


def judge(
    predictor: LinkPredictor, trained: int, test: Ints, known: Known, allowed: Tensor | None = None
) -> LinkReport:
    """Figures on triples that neither training nor choosing saw; the first member is the baseline."""
    queries = both_ways(test, predictor.relations)
    ranks = filtered_ranks(predictor.scores, queries, known, allowed=allowed)
    plain = filtered_ranks(predictor.members[0].scores, queries, known, allowed=allowed)
    gain = 1 / ranks - 1 / plain if len(queries) else np.zeros(1)
    some = queries[:: max(1, len(queries) * known.entities // _CELLS)]
    wrong = float("nan")
    if len(some):
        scores = _closed(predictor.scores(*_ends(some)).cpu() * predictor.sharpness, some, known, allowed)
        wrong = calibration_error(_array(torch.softmax(scores, 1)), some[:, 2])
    return LinkReport(
        trained=trained,
        judged=len(test),
        ranking=Ranking.of(ranks),
        baseline=Ranking.of(plain),
        lead=float(gain.mean()),
        error=float(gain.std(ddof=1) / np.sqrt(len(gain))) if len(gain) > 1 else 0.0,
        calibration_error=wrong,
        relations={
            r: (int(own.sum()), float((1 / ranks[own]).mean()), float((1 / plain[own]).mean()))
            for r in np.unique(queries[:, 1]).tolist()
            for own in [queries[:, 1] == r]
        },
    )


def _ends(queries: Ints) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(queries[:, 0].copy()), torch.from_numpy(queries[:, 1].copy())


def _closed(scores: Tensor, queries: Ints, known: Known, allowed: Tensor | None) -> Tensor:
    """Scores (B, V) with only the object asked for and what could be one in its place."""
    truth = torch.from_numpy(queries[:, 2:].copy())
    out = without(scores, known, queries)
    if allowed is not None:
        out = out.masked_fill(~allowed[torch.from_numpy(queries[:, 1].copy())], -torch.inf)
    return out.scatter(1, truth, scores.gather(1, truth))


def _sharpness(scores: Tensor, truth: Tensor) -> float:
    """Inverse temperature with the least log-loss (Guo et al. 2017).

    Each answer is trusted ``1 / (n + 2)`` short of certain (Platt 1999): where all of a few are ranked first, it does
    not become certain of everything.
    """
    doubt, is_open = 1.0 / (len(truth) + 2), torch.isfinite(scores)
    number = is_open.sum(1)

    def loss(sharpness: float) -> float:
        likelihood = torch.log_softmax(scores * sharpness, 1)
        hard = likelihood.gather(1, truth[:, None])[:, 0]
        even = likelihood.masked_fill(~is_open, 0.0).sum(1) / number
        return -float(((1 - doubt) * hard + doubt * even).mean())

    grid = np.geomspace(0.05, 20, 121)
    return float(grid[int(np.argmin([loss(float(at)) for at in grid]))])


def _array(tensor: Tensor) -> FloatArray:
    return np.asarray(tensor.numpy(), np.float32)
