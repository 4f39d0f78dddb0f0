"""Numbers and dates: the intervals that they lie in, and models that read them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgfuse.fuse.data import FusionData, GraphArrays
from kgfuse.fuse.gnn import GraphExpert
from kgfuse.fuse.intervals import intervals_of, levels, value_of, values
from kgfuse.fuse.train import fit
from tests.fuse.planted import FAST, halves, planted

XSD = "http://www.w3.org/2001/XMLSchema#"


def literal(value: object, kind: str = "double") -> str:
    return f'"{value}"^^<{XSD}{kind}>'


@given(st.floats(min_value=1e-200, max_value=1e200), st.booleans())
def test_a_number_lies_in_both_of_its_intervals_the_narrow_one_inside_the_wide_one(size: float, below: bool) -> None:
    number = -size if below else size
    bounds = [tuple(map(float, i.split(" to "))) for i in intervals_of(literal(repr(number)))]
    assert len(bounds) == 2
    (low, high), (lowest, highest) = ([abs(b) for b in pair] for pair in bounds)
    assert low * (1 - 1e-9) <= size <= high * (1 + 1e-9)
    assert lowest <= low * (1 + 1e-9)
    assert high <= highest * (1 + 1e-9)
    assert all(np.sign(b) == np.sign(number) for pair in bounds for b in pair)


@given(st.text(max_size=30), st.sampled_from(["double", "integer", "date", "gYear", "boolean", "string"]))
def test_whatever_a_literal_says_it_has_intervals_or_none_and_finite_values(text: str, kind: str) -> None:
    name = literal(text, kind)
    assert len(intervals_of(name)) in (0, 2)
    assert np.isfinite(value_of(name)).all()


@pytest.mark.parametrize("name", [
    literal("INF"), literal("NaN"), literal("true", "boolean"), '"12"', '"12"@en', "urn:12", literal("1998", "string"),
    literal("in 1998", "date"), literal(10**300, "integer"),
])  # fmt: skip
def test_what_is_no_number_and_no_date_has_none(name: str) -> None:
    assert intervals_of(name) == ()
    assert value_of(name) == (0, 0, 0, 0)


def test_levels_number_the_intervals_of_nodes() -> None:
    nodes = ("urn:a", literal(2.1), literal(2.4), literal(7), literal("2003-05-01", "date"))
    names, at = levels(nodes)
    assert (at[0] == -1).all()
    assert np.array_equal(at[1], at[2])
    assert at[1, 0] != at[3, 0]
    assert at[1, 1] == at[3, 1], "the wide interval has both"
    assert names[at[4, 0]].endswith("year 2003")
    assert values(nodes)[4].tolist() == pytest.approx([0, 0, 1, 0.06])


def weighed(seed: int = 0) -> FusionData:
    """Two kinds that differ in nothing but their weight, and no two of which weigh the same."""
    chance = np.random.default_rng(seed)
    data = planted(items=120, classes=2, in_graph=False, seed=seed)
    labels = data.targets[0].labels
    weights = np.round(np.where(labels == 0, chance.uniform(11, 19, 120), chance.uniform(210, 480, 120)), 6)
    nodes = (*data.graph.nodes, *(literal(w) for w in weights))
    edges = [(n, 2, len(data.graph.nodes) + n) for n in range(120)]
    features = np.pad(data.graph.features, ((0, 120), (0, 0)))
    graph = GraphArrays(
        nodes, (*data.graph.relations, "weighs"), np.concatenate([data.graph.edges, np.array(edges)]), features
    )
    return replace(data, graph=graph)


def test_a_model_tells_things_apart_by_a_number_that_none_shares() -> None:
    data = weighed()
    split, labels = halves(data), data.targets[0].labels
    model = fit(data, split, FAST.model_copy(update={"modalities": ("graph",)}))
    answer = model.predict(data, split.test)["kind"].answer
    assert np.mean(answer == labels[split.test]) > 0.95
    drop = data.graph.edges[:, 1] == 2
    without = model.predict(data, split.test, drop_edges=drop)["kind"].answer
    assert np.mean(without == labels[split.test]) < 0.75, "without the statement its interval says nothing either"


def test_the_r_gcn_reads_numbers_where_there_are_any() -> None:
    data = weighed()
    split, labels = halves(data), data.targets[0].labels
    config = FAST.with_overrides(
        {"modalities": ("graph",), "gnn.epochs": 150, "gnn.patience": 150, "gnn.edge_dropout": 0.1}
    )
    graph = fit(data, split, config).metrics["validation"]["kind"]["parts"]
    assert graph["graph"] > 0.8
    assert GraphExpert(("r",), (), 3, {"kind": 2}, config.gnn).features == 3
    assert len(labels) == 120
