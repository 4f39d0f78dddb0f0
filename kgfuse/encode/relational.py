"""One relational graph convolution (R-GCN), faster than the reference layer and with the same numbers.

Reference: Schlichtkrull et al., "Modeling Relational Data with Graph Convolutional Networks", 2018, as in
``torch_geometric.nn.RGCNConv``. That layer multiplies all nodes once per relation; this one multiplies only the
(relation, destination) pairs that occur, in pieces that stay in the processor's cache, and keeps nothing of them for the
backward pass: summing a piece again costs less than writing it to memory and reading it back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

_CACHED: Final = 1 << 17  # numbers in a piece on the CPU: half a megabyte, half of a usual second-level cache
_PARALLEL: Final = 1 << 26  # and on a GPU, which wants much to do at once


@dataclass(frozen=True, eq=False, slots=True)
class Aggregation:
    """Edges prepared once for averaging per (relation, destination) pair.

    Edges are sorted by pair, pairs by relation, so a relation is a slice of both.

    Args:
        source: (E,) where a message starts.
        member: (E,) its pair.
        offset: (P + 1,) pair p has the edges ``offset[p]`` to ``offset[p + 1]``.
        inverse: (P, 1) one over the number of edges of the pair.
        destination: (P,) node that receives pair p.
        slices: per relation that occurs: (relation, first pair, one past the last).
        nodes: V.
    """

    source: Tensor
    member: Tensor
    offset: Tensor
    inverse: Tensor
    destination: Tensor
    slices: tuple[tuple[int, int, int], ...]
    nodes: int

    def to(self, device: torch.device) -> Aggregation:
        """The same on another device."""
        moved = (self.source, self.member, self.offset, self.inverse, self.destination)
        return Aggregation(*(tensor.to(device) for tensor in moved), self.slices, self.nodes)

    def edges(self) -> tuple[Tensor, Tensor]:
        """``edge_index`` (2, E) and ``edge_type`` (E,), as layers of PyTorch Geometric take them."""
        kinds = torch.tensor([kind for kind, _, _ in self.slices], dtype=torch.int64, device=self.source.device)
        sizes = torch.tensor([last - first for _, first, last in self.slices], device=self.source.device)
        relation = torch.repeat_interleave(kinds, sizes.long())
        return torch.stack([self.source, self.destination[self.member]]), relation[self.member]


def prepare(source: Tensor, relation: Tensor, destination: Tensor, nodes: int) -> Aggregation:
    """Group the edges by (relation, destination); their order does not matter.

    Args:
        source: (E,) where a message starts.
        relation: (E,) its type.
        destination: (E,) where it arrives.
        nodes: V, the number of nodes.
    """
    order = torch.argsort(source, stable=True)
    key, by_pair = torch.sort((relation * nodes + destination)[order], stable=True)
    pair, member, count = torch.unique_consecutive(key, return_inverse=True, return_counts=True)
    offset = functional.pad(torch.cumsum(count, 0), (1, 0))
    kinds, sizes = torch.unique_consecutive(pair // max(nodes, 1), return_counts=True)
    ends = torch.cumsum(sizes, 0).tolist()
    slices = tuple(
        (kind, end - size, end) for kind, size, end in zip(kinds.tolist(), sizes.tolist(), ends, strict=True)
    )
    inverse = (1.0 / count)[:, None]
    return Aggregation(source[order[by_pair]], member, offset, inverse, pair % max(nodes, 1), slices, nodes)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Consecutive pairs that are worked on together, and the relations (relation, first, last) among them."""

    first: int
    last: int
    kinds: tuple[tuple[int, int, int], ...]


def _pieces(slices: tuple[tuple[int, int, int], ...], rows: int) -> Iterator[_Piece]:
    """Cut the pairs every ``rows``: large relations are split, small ones share a piece."""
    kinds: list[tuple[int, int, int]] = []
    start = 0
    for kind, first, last in slices:
        at = first
        while at < last:
            stop = min(last, start + rows)
            kinds.append((kind, at - start, stop - start))
            at = stop
            if stop - start == rows:
                yield _Piece(start, stop, tuple(kinds))
                kinds, start = [], stop
    if kinds:
        yield _Piece(start, slices[-1][2], tuple(kinds))


class _Convolve(torch.autograd.Function):
    """The layer and its gradient, piece by piece; sums are kept in float32 at least."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, weight: Tensor, root: Tensor, bias: Tensor, edges: Aggregation) -> Tensor:
        ctx.save_for_backward(states, weight, root)
        ctx.edges = edges
        total = torch.addmm(bias, states, root)
        wide = total.to(torch.promote_types(total.dtype, torch.float32))
        for piece, ends in _walk(edges, weight):
            means = _sums(states, edges, piece, ends).mul_(edges.inverse[piece.first : piece.last])
            messages = means.new_empty(len(means), weight.shape[2])
            for kind, first, last in piece.kinds:
                torch.mm(means[first:last], weight[kind], out=messages[first:last])
            wide.index_add_(0, edges.destination[piece.first : piece.last], messages.to(wide.dtype))
        return wide.to(total.dtype)

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor | None, ...]:
        states, weight, root = ctx.saved_tensors
        edges: Aggregation = ctx.edges
        upper = gradients[0].contiguous()
        exact = torch.promote_types(upper.dtype, torch.float32)
        need_states, need_weight, need_root, need_bias, _ = ctx.needs_input_grad
        for_states = (upper @ root.T).to(exact) if need_states else None
        for_weight = torch.zeros_like(weight, dtype=exact) if need_weight else None
        for piece, ends in _walk(edges, weight):
            span = slice(piece.first, piece.last)
            arriving = upper.index_select(0, edges.destination[span]).mul_(edges.inverse[span])
            if for_weight is not None:
                sums = _sums(states, edges, piece, ends)
                for kind, first, last in piece.kinds:
                    for_weight[kind] += sums[first:last].T @ arriving[first:last]
            if for_states is not None:
                leaving = arriving.new_empty(len(arriving), weight.shape[1])
                for kind, first, last in piece.kinds:
                    torch.mm(arriving[first:last], weight[kind].T, out=leaving[first:last])
                if ends[1] - ends[0] > len(leaving):
                    leaving = leaving.index_select(0, edges.member[slice(*ends)] - piece.first)
                for_states.index_add_(0, edges.source[slice(*ends)], leaving.to(exact))
        return (
            None if for_states is None else for_states.to(states.dtype),
            None if for_weight is None else for_weight.to(weight.dtype),
            states.T @ upper if need_root else None,
            upper.sum(0) if need_bias else None,
            None,
        )


def _walk(edges: Aggregation, weight: Tensor) -> Iterator[tuple[_Piece, tuple[int, int]]]:
    """Pieces of a size that suits the device, each with its first edge and one past its last."""
    room = _CACHED if weight.device.type == "cpu" else _PARALLEL
    pieces = list(_pieces(edges.slices, max(1, room // max(weight.shape[1:]))))
    ends = edges.offset[[0, *(piece.last for piece in pieces)]].tolist()
    return zip(pieces, zip(ends, ends[1:], strict=False), strict=True)


def _sums(states: Tensor, edges: Aggregation, piece: _Piece, ends: tuple[int, int]) -> Tensor:
    """Sum of the sources' states of each pair of a piece, (pairs, inputs)."""
    offset = edges.offset[piece.first : piece.last + 1] - ends[0]
    return functional.embedding_bag(
        edges.source[slice(*ends)], states, offset, mode="sum", include_last_offset=True
    )


class RelationalConvolution(nn.Module):
    r"""One layer: :math:`x_i' = x_i W_0 + b + \sum_r \frac{1}{|N_r(i)|} \sum_{j \in N_r(i)} x_j W_r`.

    The relation matrices share ``bases``: :math:`W_r = \sum_b c_{rb} V_b`. Parameters are named and shaped as those of
    ``torch_geometric.nn.RGCNConv(inputs, outputs, relations, num_bases=bases)``: state dicts go either way.
    States and parameters are float32 or bfloat16 (float64 for checks); under autocast its type is used.

    Args:
        inputs: width of the incoming states.
        outputs: width of the outgoing states.
        relations: number of relations, directions counted apart.
        bases: number of shared matrices.
    """

    def __init__(self, inputs: int, outputs: int, relations: int, bases: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(bases, inputs, outputs))
        self.comp = nn.Parameter(torch.empty(relations, bases))
        self.root = nn.Parameter(torch.empty(inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))
        for parameter in (*self.weight, self.comp, self.root):
            nn.init.xavier_uniform_(parameter)

    def forward(self, states: Tensor, aggregation: Aggregation) -> Tensor:
        """States (V, inputs) → (V, outputs)."""
        kind = states.device.type
        cast = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else states.dtype
        weight = (self.comp @ self.weight.flatten(1)).view(-1, *self.weight.shape[1:])
        out: Tensor = _Convolve.apply(
            states.to(cast).contiguous(), weight.to(cast), self.root.to(cast), self.bias.to(cast), aggregation
        )
        return out
