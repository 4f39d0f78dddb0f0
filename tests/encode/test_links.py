"""Link prediction learns planted graphs, counts as the plain loss does, and never reads an answer off its own edge."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from kgfuse.encode import fit_links
from kgfuse.encode.fit_links import fit_factors
from kgfuse.encode.links import Decoder, Factors, LinkData, LinkSettings, compose, cubed
from kgfuse.encode.ranking import Ints, Known, Ranking, both_ways, filtered_ranks
from kgfuse.errors import TrainingError

CPU = torch.device("cpu")
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]
QUICK = LinkSettings(rank=16, epochs=40, batch=64, n3=0.003)


def held_out(data: LinkData, factors: Factors, test: Ints) -> float:
    everything = np.concatenate([data.train, data.validation, test])
    known = Known.of(both_ways(everything, data.relations), data.entities)
    return Ranking.of(filtered_ranks(factors.scores, both_ways(test, data.relations), known)).mrr


def steps(count: int, *sizes: int) -> Ints:
    """Things on a circle; relation n leads ``sizes[n]`` places on."""
    at = np.arange(count)
    return np.concatenate([np.stack([at, np.full(count, n), (at + k) % count], 1) for n, k in enumerate(sizes)])


def parted(triples: Ints, relation: int, seed: int) -> tuple[Ints, Ints, Ints]:
    """Training triples; of one relation a tenth each for validation and test."""
    own = np.random.default_rng(seed).permutation(np.flatnonzero(triples[:, 1] == relation))
    a, b = own[: len(own) // 10], own[len(own) // 10 : len(own) // 5]
    rest = np.setdiff1d(np.arange(len(triples)), np.concatenate([a, b]))
    return triples[rest], triples[a], triples[b]


@pytest.mark.parametrize("device", DEVICES)
def test_a_relation_that_is_composed_of_two_others_is_learned(device: str) -> None:
    train, validation, test = parted(steps(60, 1, 3, 4), 2, seed=0)
    data = LinkData(train, validation, 60, 3)
    found = fit_factors(data, replace(QUICK, epochs=150, patience=60), torch.device(device))
    assert held_out(data, found.factors.to("cpu"), test) > 0.6  # by chance, or by frequency, 0.08


def test_a_symmetric_relation_is_learned_beside_one_that_is_not() -> None:
    chance = np.random.default_rng(3)
    a, b = chance.permutation(80).reshape(2, 40)
    zero, one = np.zeros(40, np.int64), np.ones(40, np.int64)
    symmetric = np.concatenate([np.stack([a, zero, b], 1), np.stack([b, zero, a], 1)])
    triples = np.concatenate([symmetric, np.stack([a, one, np.roll(b, 1)], 1)])
    test = symmetric[40:52]
    data = LinkData(np.delete(triples, np.arange(40, 52), 0), symmetric[52:52], 80, 2)
    found = fit_factors(data, replace(QUICK, epochs=80), CPU)
    assert held_out(data, found.factors, test) > 0.6
    turned = np.stack([np.roll(b, 1), one, a], 1)[:12]
    assert held_out(data, found.factors, turned) < 0.3


def test_the_encoder_reads_an_entity_from_its_neighbours() -> None:
    chance = np.random.default_rng(0)
    group = np.arange(60) % 3  # who belongs to a group likes what the group likes
    belongs = np.stack([np.arange(60), np.zeros(60), 60 + group], 1)
    likes = np.stack([np.arange(60), np.ones(60), 63 + group], 1)
    triples = np.concatenate([belongs, likes]).astype(np.int64)
    held = 60 + chance.permutation(60)[:24]
    train = np.delete(triples, held, 0)
    data = LinkData(train, triples[held[:12]], 66, 2)
    settings = LinkSettings(decoder="distmult", rank=16, layers=1, bases=2, lr=0.02, n3=0.0, epochs=30, batch=16)
    queries = triples[held[12:]]
    known = Known.of(train, 66)
    ranks = filtered_ranks(fit_factors(data, settings, CPU).factors.scores, queries, known)
    assert (1 / ranks).mean() > 0.7  # three things are liked: 0.5 by frequency at best


@pytest.mark.parametrize("layers", [0, 1])
def test_the_same_seed_gives_the_same_factors_and_another_others(layers: int) -> None:
    train, validation, _ = parted(steps(30, 1, 2), 1, seed=1)
    settings = replace(QUICK, layers=layers, epochs=3, dropout=0.1)
    first, same, other = (
        fit_factors(LinkData(t, validation, 30, 2), s, CPU).factors
        for t, s in ((train, settings), (train[::-1].copy(), settings), (train, replace(settings, seed=5)))
    )
    assert torch.equal(first.entities, same.entities)
    assert torch.equal(first.relations, same.relations)
    assert not torch.equal(first.entities, other.entities)


def test_training_leaves_the_callers_chance_alone() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    fit_factors(LinkData(steps(10, 1), steps(10, 1)[:0], 10, 1), replace(QUICK, epochs=2), CPU)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("decoder", ["complex", "distmult"])
def test_a_question_counted_once_has_the_loss_of_all_its_triples(decoder: Decoder) -> None:
    chance = np.random.default_rng(2)
    triples = np.unique(chance.integers(0, (9, 3, 9), (60, 3)), axis=0)
    both = both_ways(triples, 3)
    settings = LinkSettings(decoder=decoder, rank=5)
    torch.manual_seed(0)
    net = fit_links.LinkNet(9, 3, settings)
    torch.nn.init.normal_(net.entity)
    torch.nn.init.normal_(net.relation)
    questions = fit_links._Questions.of(both, 9)
    rows = np.arange(len(questions.subject))
    loss, penalty, count = fit_links._loss(net, questions, rows, None, chance, CPU)
    s, r, o = torch.from_numpy(both).unbind(1)
    scores = compose(net.entity[s], net.relation[r], decoder) @ net.entity.T
    plain = functional.cross_entropy(scores, o, reduction="sum")
    cubes = sum(cubed(vectors, decoder).sum() for vectors in (net.entity[s], net.relation[r], net.entity[o]))
    assert count == pytest.approx(len(both))
    torch.testing.assert_close(loss, plain)
    torch.testing.assert_close(penalty, cubes)
    even = fit_links.LinkNet(9, 3, replace(settings, evenness=1.0))
    even.load_state_dict(net.state_dict())
    share = torch.from_numpy(1 / questions.count).float()
    at = torch.from_numpy(np.repeat(rows, questions.count))
    expected = (functional.cross_entropy(scores, o, reduction="none") * share[at][_order(both, 9)]).sum()
    found, _, number = fit_links._loss(even, questions, rows, None, chance, CPU)
    assert number == pytest.approx(len(rows))
    torch.testing.assert_close(found, expected)


def _order(both: Ints, entities: int) -> torch.Tensor:
    """Where each triple stands among the questions' answers."""
    order = np.lexsort((both[:, 2], both[:, 1] * entities + both[:, 0]))
    return torch.from_numpy(np.argsort(order))


def test_complex_scores_are_those_of_complex_numbers() -> None:
    torch.manual_seed(0)
    s, r, o = (torch.randn(4, 6, dtype=torch.complex64) for _ in range(3))
    flat = [torch.cat([x.real, x.imag], 1) for x in (s, r, o)]
    found = (compose(flat[0], flat[1], "complex") * flat[2]).sum(1)
    torch.testing.assert_close(found, (s * r * o.conj()).sum(1).real)
    torch.testing.assert_close(cubed(flat[0], "complex"), s.abs().pow(3).sum(1))


def test_no_question_of_a_batch_is_among_the_edges_that_the_encoder_sees() -> None:
    chance = np.random.default_rng(4)
    for relations in (1, 4):
        triples = np.unique(chance.integers(0, (12, relations, 12), (80, 3)), axis=0)
        both = both_ways(triples, relations + 1)  # a relation that no triple has
        questions = fit_links._Questions.of(both, 12)
        rows = np.sort(chance.permutation(len(questions.subject))[:7])
        rest = fit_links._others(both, questions, rows, relations + 1)
        asked = set(zip(questions.subject[rows].tolist(), questions.relation[rows].tolist(), strict=True))
        seen = {tuple(t) for t in rest.tolist()}
        assert len(seen) > 0
        for s, r, o in both.tolist():
            back = (o, (r + relations + 1) % (2 * relations + 2), s)
            stays = (s, r) not in asked and (o, back[1]) not in asked
            assert ((s, r, o) in seen) == stays
            assert (back in seen) == stays


def test_many_entities_are_told_apart_from_a_draw_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit_links, "_ALL", 40)  # ten are drawn
    train, validation, test = parted(steps(60, 1, 3, 4), 2, seed=0)
    data = LinkData(train, validation, 60, 3)
    found = fit_factors(data, replace(QUICK, epochs=150, patience=60), CPU)
    assert held_out(data, found.factors, test) > 0.4


def test_triples_that_name_what_is_not_there_are_refused() -> None:
    good = steps(5, 1)
    with pytest.raises(TrainingError, match="no triple"):
        LinkData(good[:0], good, 5, 1)
    with pytest.raises(TrainingError, match="not there"):
        LinkData(good, good, 4, 1)
    with pytest.raises(TrainingError, match="not there"):
        LinkData(good, np.array([[0, 1, 0]]), 5, 1)


def test_a_learning_rate_that_explodes_is_told() -> None:
    with pytest.raises(TrainingError, match="learning rate"):
        fit_factors(LinkData(steps(10, 1), steps(10, 1)[:0], 10, 1), replace(QUICK, lr=1e30, epochs=20), CPU)
