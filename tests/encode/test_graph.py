"""The graph encoder: what nodes are told apart by, and its plain twin on PyTorch Geometric's layer."""

from __future__ import annotations

import torch

from kgfuse.encode.graph import RelationalEncoder
from kgfuse.encode.relational import prepare


def test_nodes_without_features_or_embedding_differ_only_by_their_neighbours() -> None:
    encoder = RelationalEncoder(features=0, embedded=1, relations=2, width=8, layers=1, bases=2, dropout=0.0).eval()
    # Node 0 has the only embedding; 1 and 2 point at it, 3 points at nothing.
    aggregation = prepare(torch.tensor([0, 0]), torch.tensor([0, 0]), torch.tensor([1, 2]), 4)
    states = encoder(torch.zeros(4, 0), torch.tensor([1, 0, 0, 0]), aggregation)
    assert torch.allclose(states[1], states[2])
    assert not torch.allclose(states[1], states[3])


def test_the_encoder_says_the_same_on_the_reference_layer() -> None:
    chance = torch.Generator().manual_seed(5)
    source, target = torch.randint(30, (2, 120), generator=chance)
    edges = prepare(source, torch.randint(4, (120,), generator=chance), target, 30)
    literals, slot = torch.randn(30, 6, generator=chance), torch.arange(30) % 5
    shape = {"features": 6, "embedded": 4, "relations": 4, "width": 8, "layers": 2, "bases": 3, "dropout": 0.0}
    fast = RelationalEncoder(**shape)
    plain = RelationalEncoder(**shape, reference=True)
    plain.load_state_dict(fast.state_dict())
    assert torch.allclose(fast(literals, slot, edges), plain(literals, slot, edges), atol=1e-5)
