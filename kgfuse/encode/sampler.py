"""Neighbour sampling from edges on disk, for PyTorch Geometric's loaders, in NumPy alone.

A batch's chance comes from the seed and the nodes it starts from. So it is the same in whichever worker it is drawn,
and shuffled epochs, whose batches differ, see other neighbours.

    edges = EdgeFiles.open(folder)
    sampler = NeighbourSampler(edges, fanouts=(10, 10))
    data = Data(x=features, edge_index=torch.empty(2, 0, dtype=torch.int64))  # edges come from the sampler
    for batch in NodeLoader(data, sampler, input_nodes=nodes, batch_size=512, transform=sampler.with_relations):
        grouped = prepare(batch.edge_index[0], batch.edge_type, batch.edge_index[1], batch.num_nodes)
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.sampler import (
    BaseSampler,
    EdgeSamplerInput,
    NegativeSampling,
    NodeSamplerInput,
    SamplerOutput,
)
from torch_geometric.sampler.neighbor_sampler import edge_sample

from kgfuse.encode.edge_files import EdgeFiles
from kgfuse.errors import UsageError

_Ints = NDArray[np.int64]
_GOLDEN: Final = 0x9E3779B97F4A7C15


class NeighbourSampler(BaseSampler):  # type: ignore[misc]
    """Samples incoming edges, hop by hop, each node's without replacement and evenly.

    Args:
        edges: the graph.
        fanouts: per hop, how many edges of a node are taken at most; -1 takes all.
        seed: 0 to 2**63 - 1.

    Raises:
        UsageError: no hop, or a fanout of zero or below -1.
    """

    def __init__(self, edges: EdgeFiles, fanouts: Sequence[int], seed: int = 0) -> None:
        if not fanouts or any(fanout < -1 or fanout == 0 for fanout in fanouts):
            raise UsageError(f"{list(fanouts)} are no fanouts", remedy="give one number above 0, or -1, for each hop")
        self.edges, self.fanouts, self.seed = edges, tuple(fanouts), seed

    def sample_from_nodes(self, index: NodeSamplerInput, **_: Any) -> SamplerOutput:
        """Sample around nodes.

        Args:
            index: distinct nodes.

        Raises:
            UsageError: a node is named twice, or not there.
        """
        out = self._around(index.node)
        out.metadata = (index.input_id, index.time)
        return out

    def sample_from_edges(self, index: EdgeSamplerInput, neg_sampling: NegativeSampling | None = None) -> SamplerOutput:
        """Sample around both ends of edges, and around those of the negatives that are asked for."""
        with torch.random.fork_rng(devices=[]):  # PyTorch Geometric draws negatives from torch's own chance
            torch.manual_seed(_salt(self.seed, torch.cat([index.row, index.col]).numpy()) >> 1)
            return edge_sample(index, lambda seeds, _: self._around(seeds), self.edges.nodes, False, None, neg_sampling)

    def with_relations(self, data: Any) -> Any:
        """Add ``edge_type`` (E,) to a batch, as a loader's ``transform``."""
        data.edge_type = torch.from_numpy(self.edges.relation[data.e_id.numpy()].astype(np.int64))
        return data

    def _around(self, seeds: Tensor) -> SamplerOutput:
        start = seeds.numpy().astype(np.int64)
        known, place = np.unique(start, return_index=True)
        if len(known) < len(start):
            raise UsageError("a batch names a node twice", remedy="give distinct nodes")
        if len(known) and not 0 <= int(known[0]) <= int(known[-1]) < self.edges.nodes:
            raise UsageError(f"a batch names a node that is not below {self.edges.nodes}", remedy="check input_nodes")
        salt = _salt(self.seed, start)
        node, hop, owners = [start], start, np.arange(len(start))
        row, column, taken = [], [], []
        for number, fanout in enumerate(self.fanouts):
            owner, edge = _choose(self.edges.offset, hop, fanout, salt + number)
            fresh, inverse = np.unique(self.edges.source[edge].astype(np.int64), return_inverse=True)
            at = np.searchsorted(known, fresh)
            there = known[np.minimum(at, len(known) - 1)] == fresh if len(known) else np.zeros(0, np.bool_)
            count = len(known)
            local = np.empty(len(fresh), np.int64)
            local[there] = place[at[there]]
            local[~there] = np.arange(count, count + int((~there).sum()))
            row.append(local[inverse])
            column.append(owners[owner])
            taken.append(edge)
            hop, owners = fresh[~there], local[~there]
            node.append(hop)
            known = np.insert(known, at[~there], hop)
            place = np.insert(place, at[~there], owners)
        return SamplerOutput(
            node=torch.from_numpy(np.concatenate(node)),
            row=torch.from_numpy(np.concatenate(row)),
            col=torch.from_numpy(np.concatenate(column)),
            edge=torch.from_numpy(np.concatenate(taken)),
            num_sampled_nodes=[len(nodes) for nodes in node],
            num_sampled_edges=[len(edges) for edges in taken],
        )


def _choose(offset: _Ints, nodes: _Ints, fanout: int, salt: int) -> tuple[_Ints, _Ints]:
    """Edges of each node: (index into ``nodes``, edge), sorted by both."""
    start = np.asarray(offset[nodes])
    degree = offset[nodes + 1] - start
    many = degree > fanout if fanout >= 0 else np.zeros(len(nodes), np.bool_)
    count = np.where(many, fanout, degree)
    owner = np.repeat(np.arange(len(nodes)), count)
    local = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    if many.any():
        local[many[owner]] = _distinct(degree[many], fanout, _mixed(nodes[many].astype(np.uint64), salt)).ravel()
    return owner, start[owner] + local


def _distinct(degree: _Ints, number: int, key: NDArray[np.uint64]) -> _Ints:
    """Draw ``number`` distinct integers below each ``degree``, sorted, (n, number).

    Floyd's algorithm (Bentley and Floyd, "A sample of brilliance", 1987), for all rows at once: its cost does not grow
    with the degree, so hubs are cheap.
    """
    chosen = np.empty((len(degree), number), np.int64)
    for at in range(number):
        top = degree - number + at
        even = (_mixed(key, at) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        drawn = (even * (top + 1)).astype(np.int64)
        again = (chosen[:, :at] == drawn[:, None]).any(axis=1)
        chosen[:, at] = np.where(again, top, drawn)
    chosen.sort(axis=1)
    return chosen


def _mixed(key: NDArray[np.uint64], salt: int) -> NDArray[np.uint64]:
    """Hash integers to evenly spread ones (SplitMix64: Steele, Lea and Flood 2014)."""
    x = key + np.uint64(_GOLDEN * (salt + 1) % 2**64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray[np.uint64] = x ^ (x >> np.uint64(31))
    return mixed


def _salt(seed: int, nodes: NDArray[Any]) -> int:
    digest = hashlib.blake2b(
        np.ascontiguousarray(nodes, np.int64).tobytes(), digest_size=8, key=seed.to_bytes(8, "big")
    )
    return int.from_bytes(digest.digest(), "big")
