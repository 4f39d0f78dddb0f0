"""The mixture keeps what validation finds useful, its probabilities are honest, and it says where it is no use."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from kgfuse.encode.links import Factors, Frequency, LinkSettings
from kgfuse.encode.ranking import Ints, Known, both_ways
from kgfuse.encode.relational import prepare
from kgfuse.errors import ModelError
from kgfuse.fuse import artefact, links_file
from kgfuse.fuse.blocks import fit_blocks, item_nodes
from kgfuse.fuse.gnn import without_some
from kgfuse.fuse.links import LinkPredictor, choose, fit_predictor, hold_out
from kgfuse.fuse.loop import run
from kgfuse.fuse.stages import Stages
from kgfuse.fuse.train import fit
from tests.encode.test_links import steps
from tests.fuse.planted import FAST, halves, planted

CPU = torch.device("cpu")
QUICK = (
    LinkSettings(rank=16, epochs=60, batch=64, n3=0.003, patience=20),
    LinkSettings(decoder="distmult", rank=8, layers=1, lr=0.01, epochs=4, batch=256),
)


@pytest.fixture(scope="module")
def circle() -> Ints:
    return steps(50, 1, 3, 4, 5, 8)


@pytest.fixture(scope="module")
def predictor(circle: Ints) -> LinkPredictor:
    return fit_predictor(circle, 50, 5, CPU, settings=QUICK)


def random_triples(seed: int) -> Ints:
    chance = np.random.default_rng(seed)
    return np.unique(chance.integers(0, (40, 3, 40), (300, 3)), axis=0)


def test_on_a_regular_graph_it_beats_frequency_and_says_so(predictor: LinkPredictor) -> None:
    report = predictor.report
    assert report is not None
    assert report.better
    assert report.ranking.mrr > 0.6 > 0.2 > report.baseline.mrr
    assert report.lead == pytest.approx(report.ranking.mrr - report.baseline.mrr)
    assert sum(n for n, _, _ in report.relations.values()) == 2 * report.judged == report.ranking.queries


def test_on_a_random_graph_it_says_that_it_is_no_better() -> None:
    report = fit_predictor(random_triples(0), 40, 3, CPU, settings=QUICK).report
    assert report is not None
    assert not report.too_small
    assert not report.better


def test_a_graph_of_a_few_triples_is_too_small_to_judge_and_answers_by_frequency() -> None:
    found = fit_predictor(steps(4, 1), 4, 1, CPU, settings=QUICK)
    assert found.report is not None
    assert found.report.too_small
    assert all(isinstance(member, Frequency) for member in found.members)


def test_probabilities_add_up_to_one_over_what_is_open(predictor: LinkPredictor) -> None:
    closed = torch.zeros(50, dtype=torch.bool)
    closed[10:] = True
    shares = predictor.probabilities(3, 0, closed)
    assert float(shares.sum()) == pytest.approx(1)
    assert float(shares[10:].sum()) == 0
    assert float(predictor.probabilities(3, 0, torch.ones_like(closed)).sum()) == 0


def test_the_answer_is_the_same_however_sharp_the_members_scores_are(circle: Ints) -> None:
    rest, held = hold_out(circle, 0.2, 0)
    known = Known.of(both_ways(circle, 5), 50)
    chance = torch.Generator().manual_seed(0)
    truth = torch.zeros(10, 50, 50)
    truth[circle[:, 1], circle[:, 0], circle[:, 2]] = 1
    truth[circle[:, 1] + 5, circle[:, 2], circle[:, 0]] = 1
    scores = 2 * truth + torch.randn(truth.shape, generator=chance)

    class Table(Factors):
        def scores(self, subject: torch.Tensor, relation: torch.Tensor) -> torch.Tensor:
            return self.entities[relation, subject]

    members = [Frequency.of(rest, 50, 5), Table(scores, scores, "distmult")]
    mild = choose(members, held, known, 5)
    sharp = choose([members[0], Table(4 * scores, scores, "distmult")], held, known, 5)
    assert mild.weights[1] > 0.5
    assert mild.weights == sharp.weights == (0.0, 1.0)
    assert mild.sharpness == pytest.approx(4 * sharp.sharpness, rel=0.06)  # as far as the grid goes


def test_a_member_of_noise_is_left_out(circle: Ints) -> None:
    rest, held = hold_out(circle, 0.2, 0)
    chance = torch.Generator().manual_seed(0)
    noise = Factors(torch.randn(50, 8, generator=chance), torch.randn(10, 8, generator=chance), "distmult")
    liked = np.concatenate([rest, np.stack([np.arange(50), np.full(50, 5), np.zeros(50)], 1).astype(np.int64)])
    held = np.concatenate([held, liked[-10:]])
    known = Known.of(both_ways(np.concatenate([liked, held]), 6), 50)
    found = choose(
        [Frequency.of(liked, 50, 6), replace(noise, relations=noise.relations[:1].repeat(12, 1))], held, known, 6
    )
    assert found.weights[0] > 0.5


def test_what_may_not_be_is_never_the_answer_and_does_not_count_against_it(circle: Ints) -> None:
    allowed = torch.ones(10, 50, dtype=torch.bool)
    allowed[0, 25:] = False
    allowed[torch.from_numpy(circle[:, 1]), torch.from_numpy(circle[:, 2])] = True
    free = fit_predictor(circle, 50, 5, CPU, settings=QUICK[:1])
    bound = fit_predictor(circle, 50, 5, CPU, settings=QUICK[:1], allowed=allowed)
    assert free.report is not None
    assert bound.report is not None
    assert bound.report.ranking.mrr >= free.report.ranking.mrr - 0.05


def test_what_is_held_out_stays_known_otherwise_and_goes_with_what_says_the_same() -> None:
    triples = random_triples(1)
    turned = np.stack([triples[:, 2], triples[:, 1] + 3, triples[:, 0]], 1)
    both = np.concatenate([triples, turned])
    groups = np.tile(np.arange(len(triples)), 2)
    rest, held = hold_out(both, 0.2, 0, groups)
    assert 0.15 * len(both) < len(held) <= 0.2 * len(both)
    assert len(rest) + len(held) == len(both)
    out = {tuple(t) for t in held.tolist()}
    assert all((o, (r + 3) % 6, s) in out for s, r, o in held.tolist())
    assert set(held[:, [0, 2]].ravel().tolist()) <= set(rest[:, [0, 2]].ravel().tolist())
    assert set(held[:, 1].tolist()) <= set(rest[:, 1].tolist())


def test_frequency_counts() -> None:
    train = np.array([[0, 0, 3], [1, 0, 3], [2, 0, 4], [0, 1, 1]], np.int64)
    found = Frequency.of(train, 5, 2).scores(torch.tensor([2, 0, 3]), torch.tensor([0, 1, 2])).exp() - 1 / 5
    expected = [[0, 0, 0, 2, 1], [0, 1, 0, 0, 0], [1, 1, 1, 0, 0]]
    torch.testing.assert_close(found, torch.tensor(expected).float())


def test_a_predictor_read_back_says_the_same(predictor: LinkPredictor, tmp_path: Path) -> None:
    names = [f"e{n}" for n in range(50)], [f"r{n}" for n in range(5)]
    links_file.save(predictor, *names, tmp_path / "kept")
    again, entities, relations = links_file.load(tmp_path / "kept")
    assert (list(entities), list(relations)) == names
    assert again.report == predictor.report
    s, r = torch.arange(10), torch.arange(10)
    assert torch.equal(again.scores(s, r), predictor.scores(s, r))
    closed = torch.zeros(50, dtype=torch.bool)
    assert torch.equal(again.probabilities(1, 7, closed), predictor.probabilities(1, 7, closed))


def test_an_altered_predictor_is_refused(predictor: LinkPredictor, tmp_path: Path) -> None:
    links_file.save(predictor, [f"e{n}" for n in range(50)], list("abcde"), tmp_path)
    file = tmp_path / links_file.TENSORS
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(ModelError, match="altered"):
        links_file.load(tmp_path)
    card = json.loads((tmp_path / links_file.CARD).read_text(encoding="utf-8"))
    (tmp_path / links_file.CARD).write_text(json.dumps(card | {"format": 99}), encoding="utf-8")
    with pytest.raises(ModelError, match="another format"):
        links_file.load(tmp_path)
    with pytest.raises(ModelError, match="not a link predictor"):
        links_file.load(tmp_path / "nowhere")


def test_edges_left_out_are_gone_in_both_directions() -> None:
    source, relation, target = torch.tensor([[0, 1, 2, 3, 4, 0], [0, 0, 2, 2, 4, 4], [1, 2, 3, 4, 0, 2]])
    edges = prepare(torch.cat([source, target]), torch.cat([relation, relation + 1]), torch.cat([target, source]), 5)
    torch.manual_seed(0)
    rest, asked = without_some(edges, 0.5)
    assert len(asked) == 6
    assert len(rest.source) == 6
    gone = {(int(edges.source[n]), int(edges.relation[n]), int(edges.destination[n])) for n in asked}
    assert {(o, r ^ 1, s) for s, r, o in gone} == gone
    left = set(zip(rest.source.tolist(), rest.relation.tolist(), rest.destination.tolist(), strict=True))
    assert left.isdisjoint(gone)
    assert len(left | gone) == 12


def test_predicting_edges_beside_the_labels_learns_both_and_is_read_back(tmp_path: Path) -> None:
    data, parts = planted(), halves(planted())
    config = FAST.with_overrides({"gnn.links": 0.5})
    model = fit(data, parts, config.with_overrides({"gnn.enabled": False}))
    none = np.zeros(0, np.int64)
    spec, around = fit_blocks(data, parts.train, config)
    stages = Stages(data, config, CPU, parts.train, parts.validation, spec, around)
    expert = stages.graph()
    assert expert is not None
    stage = stages.graph_stage(expert)
    prepared = expert.prepare(data.graph, none, {}, item_nodes(data))

    def link_loss() -> float:
        torch.manual_seed(0)
        rest, asked = without_some(prepared.aggregation, 0.1)
        edges = prepared.aggregation
        with torch.no_grad():
            states = expert.eval().states(replace(prepared, aggregation=rest))
            ends = edges.source[asked], edges.relation[asked], edges.destination[asked]
            return float(expert.link_loss(states, *ends))

    before, labels_before = link_loss(), stage.evaluate()
    run(stage)
    assert link_loss() < before - 0.3
    assert stage.evaluate() < labels_before - 0.3
    model.config, model.graph = config, expert
    artefact.save(model, tmp_path)
    again = artefact.load(tmp_path, "cpu").graph
    assert again is not None
    assert again.link is not None
    assert torch.equal(again.link, expert.link)


def test_without_the_setting_the_part_is_as_ever() -> None:
    data, parts = planted(), halves(planted())
    spec, around = fit_blocks(data, parts.train, FAST)
    expert = Stages(data, FAST, CPU, parts.train, parts.validation, spec, around).graph()
    assert expert is not None
    assert expert.link is None
    with_links = FAST.with_overrides({"gnn.links": 0.5})
    other = Stages(data, with_links, CPU, parts.train, parts.validation, spec, around).graph()
    assert other is not None
    own = expert.state_dict()
    assert all(torch.equal(value, own[name]) for name, value in other.state_dict().items() if name != "link")
