"""The running R-GCN layer computes what PyTorch Geometric's reference layer computes, forward and backward."""

from __future__ import annotations

import pytest
import torch
from torch_geometric.nn import RGCNConv

from kgfuse.encode.graph import RelationalConvolution, RelationalEncoder, prepare


def graph(seed: int, nodes: int = 40, edges: int = 300, relations: int = 6) -> tuple[torch.Tensor, ...]:
    chance = torch.Generator().manual_seed(seed)
    source, target = torch.randint(nodes, (2, edges), generator=chance)
    relation = torch.randint(relations - 1, (edges,), generator=chance)  # the last relation never occurs
    return source, relation, target, torch.randn(nodes, 12, generator=chance)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_layer_equals_the_reference_forward_and_backward(seed: int) -> None:
    source, relation, target, states = graph(seed)
    ours = RelationalConvolution(12, 8, relations=6, bases=3)
    reference = RGCNConv(12, 8, 6, num_bases=3)
    with torch.no_grad():
        reference.weight.copy_(ours.basis)
        reference.comp.copy_(ours.coefficient)
        reference.root.copy_(ours.root)
        reference.bias.copy_(ours.bias)
    left, right = states.clone().requires_grad_(), states.clone().requires_grad_()
    answer = ours(left, prepare(source, relation, target, 40))
    expected = reference(right, torch.stack([source, target]), relation)
    assert torch.allclose(answer, expected, atol=1e-5)
    weight = torch.randn(answer.shape, generator=torch.Generator().manual_seed(9))
    (answer * weight).sum().backward()
    (expected * weight).sum().backward()
    assert torch.allclose(left.grad, right.grad, atol=1e-5)
    for mine, theirs in (
        (ours.basis, reference.weight),
        (ours.coefficient, reference.comp),
        (ours.root, reference.root),
    ):
        assert torch.allclose(mine.grad, theirs.grad, atol=1e-4)


def test_a_graph_without_edges_leaves_each_node_to_itself() -> None:
    nothing = torch.zeros(0, dtype=torch.int64)
    layer = RelationalConvolution(4, 4, relations=2, bases=1)
    states = torch.randn(3, 4)
    assert torch.allclose(layer(states, prepare(nothing, nothing, nothing, 3)), states @ layer.root + layer.bias)


def test_nodes_without_features_or_embedding_differ_only_by_their_neighbours() -> None:
    encoder = RelationalEncoder(features=0, embedded=1, relations=2, width=8, layers=1, bases=2, dropout=0.0).eval()
    # Node 0 has the only embedding; 1 and 2 point at it, 3 points at nothing.
    aggregation = prepare(torch.tensor([0, 0]), torch.tensor([0, 0]), torch.tensor([1, 2]), 4)
    states = encoder(torch.zeros(4, 0), torch.tensor([1, 0, 0, 0]), aggregation)
    assert torch.allclose(states[1], states[2])
    assert not torch.allclose(states[1], states[3])
