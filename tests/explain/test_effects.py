"""The statements named as the reason are the reason: planted ones are found, and removing them costs most."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from kgfuse.explain.effects import edge_effects, fidelity, own_edges
from kgfuse.explain.shares import modality_shares
from kgfuse.fuse.data import FusionData
from kgfuse.fuse.model import FusionModel
from kgfuse.fuse.train import fit
from tests.fuse.planted import FAST, halves, planted


@pytest.fixture(scope="module")
def trained() -> tuple[FusionData, FusionModel]:
    data = planted()
    return data, fit(data, halves(data), FAST)


def test_the_planted_reason_ranks_above_the_colour(trained: tuple[FusionData, FusionModel]) -> None:
    data, model = trained
    hits = []
    for item in halves(data).test[:20].tolist():
        effects = edge_effects(model, data, item, "kind")
        strongest = effects.groups[effects.ranking[0]][0]
        hits.append(data.graph.edges[strongest, 1] == data.graph.relations.index("hasPart"))
        assert len(effects.groups) == len(own_edges(data, item)) == 3
    assert np.mean(hits) >= 0.9


class Either:
    """Says yes where one of two statements is there: without either alone, nothing changes."""

    def prepare(self, data: FusionData) -> None:
        return None

    def predict(self, data: FusionData, rows: Any, *, drop_edges: Any, **_: Any) -> dict[str, SimpleNamespace]:
        yes = 0.9 if not drop_edges[own_edges(data, int(rows[0]))[:2]].all() else 0.2
        return {"kind": SimpleNamespace(probabilities=np.array([[yes, 1 - yes]], np.float32))}


def test_reasons_that_say_the_same_are_all_found() -> None:
    effects = edge_effects(cast(FusionModel, Either()), planted(), 0, "kind")
    assert effects.effect.tolist() == pytest.approx([0.35, 0.35, 0.0])
    assert effects.flips.tolist() == []


def test_removing_the_cited_costs_more_than_removing_at_random(trained: tuple[FusionData, FusionModel]) -> None:
    data, model = trained
    found = fidelity(model, data, halves(data).test[:15], "kind", cited=2)
    assert found.items == 15
    assert found.plus > found.random_plus + 0.05
    assert found.minus < found.random_minus


def test_groups_are_removed_together(trained: tuple[FusionData, FusionModel]) -> None:
    data, model = trained
    item = int(halves(data).test[0])
    everything = own_edges(data, item)
    effects = edge_effects(model, data, item, "kind", [everything, everything[:0]])
    assert effects.effect[1] == pytest.approx(0, abs=1e-6)
    assert effects.effect[0] > 0.1


def test_shares_add_up_to_the_difference_between_all_and_nothing(trained: tuple[FusionData, FusionModel]) -> None:
    data, model = trained
    rows = halves(data).test
    shares = modality_shares(model, data, rows, "kind")
    assert np.allclose(shares.contribution.sum(axis=1), shares.full - shares.empty, atol=1e-5)
    assert np.allclose(shares.share.sum(axis=1), 1, atol=1e-4)
    assert shares.share[:, shares.modalities.index("graph")].mean() > 0.6
