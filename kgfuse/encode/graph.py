"""Graph encoder: node states from literal features, shared embeddings and typed edges in both directions."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn
from torch.nn import functional

from kgfuse.encode.relational import Aggregation, RelationalConvolution


def sparse_rows(row: Tensor, column: Tensor, value: Tensor, shape: tuple[int, int]) -> Tensor:
    """A sparse CSR matrix; entries at one place are added."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls its CSR support beta at every first use
        return torch.sparse_coo_tensor(torch.stack([row, column]), value, shape).coalesce().to_sparse_csr()


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
        reference: run PyTorch Geometric's layer instead of the fast one; the parameters and the numbers are the same.
    """

    def __init__(
        self,
        *,
        features: int,
        embedded: int,
        relations: int,
        width: int,
        layers: int,
        bases: int,
        dropout: float,
        reference: bool = False,
    ) -> None:
        super().__init__()
        self.literal = nn.Linear(features, width, bias=False) if features else None
        self.embedding = nn.Embedding(embedded + 1, width, padding_idx=0)
        nn.init.normal_(self.embedding.weight, std=0.5)
        with torch.no_grad():
            self.embedding.weight[0].zero_()
        self.start = nn.Parameter(torch.zeros(width))
        self.convolutions = nn.ModuleList(
            _convolution(width, relations, min(bases, relations), reference) for _ in range(layers)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(layers))
        self.dropout, self.reference = dropout, reference

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
        edges = aggregation.edges() if self.reference else (aggregation,)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            update = functional.relu(norm(convolution(states, *edges)))
            states = states + functional.dropout(update, self.dropout, self.training)
        return states


def _convolution(width: int, relations: int, bases: int, reference: bool) -> nn.Module:
    if not reference:
        return RelationalConvolution(width, width, relations, bases)
    from torch_geometric.nn import RGCNConv

    return RGCNConv(width, width, relations, num_bases=bases)  # type: ignore[no-any-return]
