"""The fast R-GCN layer computes what PyTorch Geometric's reference layer computes, forward and backward."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch_geometric.nn import RGCNConv

from kgfuse.encode import relational
from kgfuse.encode.relational import RelationalConvolution, prepare

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]


@dataclass(frozen=True, slots=True)
class Graph:
    nodes: int
    relations: int
    source: Tensor
    relation: Tensor
    target: Tensor

    def to(self, device: str) -> Graph:
        edges = (self.source.to(device), self.relation.to(device), self.target.to(device))
        return Graph(self.nodes, self.relations, *edges)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Few nodes and many edges: repeated edges, loops, isolated nodes, relations without an edge, no edge at all."""
    nodes, relations = draw(st.integers(1, 9)), draw(st.integers(1, 5))
    node, kind = st.integers(0, nodes - 1), st.integers(0, relations - 1)
    edges = draw(st.lists(st.tuples(node, kind, node), max_size=40))
    return Graph(nodes, relations, *torch.tensor(edges, dtype=torch.int64).reshape(-1, 3).unbind(1))


def random_graph(seed: int, nodes: int = 300, edges: int = 3_000, relations: int = 7) -> Graph:
    chance = torch.Generator().manual_seed(seed)
    source, target = torch.randint(nodes, (2, edges), generator=chance)
    return Graph(nodes, relations, source, torch.randint(relations, (edges,), generator=chance), target)


def twins(graph: Graph, bases: int, inputs: int = 6, outputs: int = 4) -> tuple[RelationalConvolution, RGCNConv]:
    torch.manual_seed(bases)
    reference = RGCNConv(inputs, outputs, graph.relations, num_bases=bases)
    torch.nn.init.normal_(reference.bias)
    ours = RelationalConvolution(inputs, outputs, graph.relations, bases)
    ours.load_state_dict(reference.state_dict())
    return ours, reference


def learn(layer: torch.nn.Module, states: Tensor, *edges: object) -> dict[str, Tensor]:
    """The layer's answer, and the gradient of a fixed function of it to states and parameters."""
    states = states.clone().requires_grad_()
    answer = layer(states, *edges)
    pull = torch.randn(answer.shape, generator=torch.Generator().manual_seed(9)).to(answer)
    (answer * pull).sum().backward()
    gradients = {name: parameter.grad for name, parameter in layer.named_parameters()}
    return {"answer": answer.detach(), "states": states.grad, **gradients}


def apart(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> float:
    """Largest difference, relative to the largest number of its tensor (where that is above 1)."""
    assert ours.keys() == theirs.keys()
    differences = []
    for name, expected in theirs.items():
        found = ours[name]
        assert found.shape == expected.shape
        scale = max(1.0, float(expected.double().abs().max()))
        differences.append(float((found.double() - expected.double()).abs().max()) / scale)
    return max(differences)


def compare(graph: Graph, bases: int, device: str) -> float:
    layers = [layer.to(device) for layer in twins(graph, bases)]
    states = torch.randn(graph.nodes, 6, generator=torch.Generator().manual_seed(1)).to(device)
    edges = prepare(graph.source, graph.relation, graph.target, graph.nodes).to(torch.device(device))
    graph = graph.to(device)
    ours = learn(layers[0], states, edges)
    return apart(ours, learn(layers[1], states, torch.stack([graph.source, graph.target]), graph.relation))


@settings(max_examples=60, deadline=None)
@given(graph=graphs(), bases=st.integers(1, 3), room=st.sampled_from([1, 4, 100]))
def test_layer_equals_the_reference_forward_and_backward_on_any_graph(graph: Graph, bases: int, room: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(relational, "_EDGES", room)
        patch.setattr(relational, "_EDGES_A_RELATION", 1)
        assert compare(graph, bases, "cpu") < 1e-5


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("room", [1, 100, 5_000])
def test_the_size_of_the_blocks_does_not_matter(room: int, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relational, "_EDGES", room)
    monkeypatch.setattr(relational, "_EDGES_A_RELATION", 1)
    assert compare(random_graph(0), 3, device) < 1e-5


def test_the_gradient_is_that_of_finite_differences() -> None:
    graph = random_graph(3, nodes=8, edges=30, relations=3)
    edges = prepare(graph.source, graph.relation, graph.target, graph.nodes)
    layer = RelationalConvolution(3, 2, 3, 2).double()
    names = list(dict(layer.named_parameters()))

    def answer(states: Tensor, *parameters: Tensor) -> Tensor:
        return torch.func.functional_call(layer, dict(zip(names, parameters, strict=True)), (states, edges))

    states = torch.randn(8, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert torch.autograd.gradcheck(answer, (states, *layer.parameters()))


def test_the_order_of_the_edges_does_not_change_a_bit() -> None:
    graph = random_graph(1)
    layer, _ = twins(graph, 3)
    states = torch.randn(graph.nodes, 6, generator=torch.Generator().manual_seed(1))
    order = torch.randperm(len(graph.source), generator=torch.Generator().manual_seed(2))
    first = learn(layer, states, prepare(graph.source, graph.relation, graph.target, graph.nodes))
    layer.zero_grad()
    edges = prepare(graph.source[order], graph.relation[order], graph.target[order], graph.nodes)
    second = learn(layer, states, edges)
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("autocast", [False, True])
def test_bfloat16_is_as_near_to_float32_as_its_eight_bits_allow(autocast: bool, device: str) -> None:
    graph = random_graph(2).to(device)
    layer = twins(graph, 3)[0].to(device)
    states = torch.randn(graph.nodes, 6, generator=torch.Generator().manual_seed(1)).to(device)
    edges = prepare(graph.source, graph.relation, graph.target, graph.nodes)
    exact = learn(layer, states, edges)
    layer.zero_grad()
    if autocast:
        with torch.autocast(device, torch.bfloat16):
            found = learn(layer, states, edges)
    else:
        found = learn(layer.bfloat16(), states.bfloat16(), edges)
    assert found["answer"].dtype == torch.bfloat16
    assert apart(found, exact) < 0.02


def test_state_dicts_of_the_reference_load_and_go_back() -> None:
    ours, reference = twins(random_graph(0), 3)
    back = RGCNConv(6, 4, 7, num_bases=3)
    back.load_state_dict(ours.state_dict())
    assert all(torch.equal(value, back.state_dict()[name]) for name, value in reference.state_dict().items())


def test_prepared_edges_give_back_the_edges() -> None:
    graph = random_graph(4)
    index, relation = prepare(graph.source, graph.relation, graph.target, graph.nodes).edges()
    found = sorted(zip(*index.tolist(), relation.tolist(), strict=True))
    assert found == sorted(zip(*(x.tolist() for x in (graph.source, graph.target, graph.relation)), strict=True))
