"""Relational graph convolution (R-GCN): node states from typed edges in both directions.

Reference: Schlichtkrull et al., "Modeling Relational Data with Graph Convolutional Networks", 2018;
``torch_geometric.nn.RGCNConv`` computes the same numbers and is what the tests compare with.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, eq=False, slots=True)
class Aggregation:
    """Edges prepared once for averaging per (destination, relation) pair.

    Args:
        mean: sparse CSR (P, V): row p averages the sources of pair p.
        spread: its transpose, for the backward pass.
        destination: (P,) node that receives pair p.
        slices: per relation that occurs: (relation, first pair, one past the last); pairs are sorted by relation.
        nodes: V.
    """

    mean: Tensor
    spread: Tensor
    destination: Tensor
    slices: tuple[tuple[int, int, int], ...]
    nodes: int


def prepare(source: Tensor, relation: Tensor, destination: Tensor, nodes: int) -> Aggregation:
    """Group the edges by (relation, destination).

    Args:
        source: (E,) where a message starts.
        relation: (E,) its type.
        destination: (E,) where it arrives.
        nodes: V, the number of nodes.
    """
    pair, member = torch.unique(relation * nodes + destination, return_inverse=True)
    count = torch.bincount(member, minlength=len(pair)).to(torch.float32)
    value = 1.0 / count[member]
    mean = sparse_rows(member, source, value, (len(pair), nodes))
    spread = sparse_rows(source, member, value, (nodes, len(pair)))
    kinds, sizes = torch.unique_consecutive(pair // max(nodes, 1), return_counts=True)
    ends = torch.cumsum(sizes, 0)
    slices = tuple((int(kind), int(end - size), int(end)) for kind, size, end in zip(kinds, sizes, ends, strict=True))
    return Aggregation(mean, spread, pair % max(nodes, 1), slices, nodes)


def sparse_rows(row: Tensor, column: Tensor, value: Tensor, shape: tuple[int, int]) -> Tensor:
    """A sparse CSR matrix; entries at one place are added."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls its CSR support beta at every first use
        return torch.sparse_coo_tensor(torch.stack([row, column]), value, shape).coalesce().to_sparse_csr()


class _PairMean(torch.autograd.Function):
    """Sparse product whose backward uses the transpose that was prepared once."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, mean: Tensor, spread: Tensor) -> Tensor:
        ctx.spread = spread
        return mean @ states

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, None, None]:
        return ctx.spread @ gradients[0].contiguous(), None, None


class RelationalConvolution(nn.Module):
    r"""One layer: :math:`x_i' = x_i W_0 + b + \sum_r \frac{1}{|N_r(i)|} \sum_{j \in N_r(i)} x_j W_r`.

    The relation matrices share ``bases``: :math:`W_r = \sum_b c_{rb} V_b`.

    Args:
        inputs: width of the incoming states.
        outputs: width of the outgoing states.
        relations: number of relations, directions counted apart.
        bases: number of shared matrices.
    """

    def __init__(self, inputs: int, outputs: int, relations: int, bases: int) -> None:
        super().__init__()
        self.basis = nn.Parameter(torch.empty(bases, inputs, outputs))
        self.coefficient = nn.Parameter(torch.empty(relations, bases))
        self.root = nn.Parameter(torch.empty(inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))
        for parameter in (*self.basis, self.coefficient, self.root):
            nn.init.xavier_uniform_(parameter)

    def forward(self, states: Tensor, aggregation: Aggregation) -> Tensor:
        """States (V, inputs) → (V, outputs)."""
        out = states @ self.root + self.bias
        if not aggregation.slices:
            return out
        pairs: Tensor = _PairMean.apply(states, aggregation.mean, aggregation.spread)
        weight = (self.coefficient @ self.basis.flatten(1)).view(-1, *self.basis.shape[1:])
        messages = torch.cat([pairs[first:last] @ weight[kind] for kind, first, last in aggregation.slices])
        return out.index_add(0, aggregation.destination, messages)


class RelationalEncoder(nn.Module):
    """Node states from literal features, embeddings of shared nodes, and their typed neighbours.

    Items have no embedding of their own, so a new item is read like an old one.

    Args:
        features: width Df of the nodes' literal features; 0 for none.
        embedded: number of shared nodes with an embedding.
        relations: number of relations, directions counted apart.
        width: of the states.
        layers: number of convolutions.
        bases: of each convolution.
        dropout: between layers.
    """

    def __init__(
        self, *, features: int, embedded: int, relations: int, width: int, layers: int, bases: int, dropout: float
    ) -> None:
        super().__init__()
        self.literal = nn.Linear(features, width, bias=False) if features else None
        self.embedding = nn.Embedding(embedded + 1, width, padding_idx=0)
        nn.init.normal_(self.embedding.weight, std=0.5)
        with torch.no_grad():
            self.embedding.weight[0].zero_()
        self.start = nn.Parameter(torch.zeros(width))
        self.convolutions = nn.ModuleList(
            RelationalConvolution(width, width, relations, min(bases, relations)) for _ in range(layers)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(layers))
        self.dropout = dropout

    def forward(self, literals: Tensor, slot: Tensor, aggregation: Aggregation) -> Tensor:
        """Encode all nodes.

        Args:
            literals: (V, Df) literal features, zero rows where there are none.
            slot: (V,) row of the embedding table, 0 for nodes without one.
            aggregation: the edges.

        Returns:
            (V, width) states.
        """
        states: Tensor = self.embedding(slot) + self.start
        if self.literal is not None:
            states = states + self.literal(literals) * literals.shape[1] ** 0.5
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            update = functional.relu(norm(convolution(states, aggregation)))
            states = states + functional.dropout(update, self.dropout, self.training)
        return states
