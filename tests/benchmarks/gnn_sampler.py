"""The neighbour sampler on a random graph on disk: writing it, drawing batches, training on them, and their memory."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch_geometric.data import Data
from torch_geometric.loader import NodeLoader

from kgfuse.encode.edge_files import Batch, EdgeFiles, write_edges
from kgfuse.encode.graph import RelationalEncoder
from kgfuse.encode.relational import prepare
from kgfuse.encode.sampler import NeighbourSampler
from tests.benchmarks.memory import give_back, own_mb

RELATIONS, DEGREE, FANOUTS, BATCH, EMBEDDED = 40, 8, (10, 10), 1_024, 10_000
AT_ONCE = 2_000_000


def batches(edges: int) -> Iterator[Batch]:
    """Random edges, always the same."""
    nodes = edges // DEGREE
    for number, start in enumerate(range(0, edges, AT_ONCE)):
        chance, size = np.random.default_rng(number), min(AT_ONCE, edges - start)
        yield (
            chance.integers(nodes, size=size),
            chance.integers(RELATIONS, size=size),
            chance.integers(nodes, size=size),
        )


def measure(edges: int, scratch: Path | None, *, quick: bool) -> dict[str, Any]:
    """Write, sample and train; the files are gone afterwards.

    Raises:
        SystemExit: the disk has not twice the room that the edges take.
    """
    needed, free = 2 * (5 * edges + 8 * edges // DEGREE), shutil.disk_usage(scratch or tempfile.gettempdir()).free
    if free < needed:
        raise SystemExit(f"{edges:,} edges want {needed / 1e9:.1f} GB of disk, {free / 1e9:.1f} GB are free")
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        give_back()
        held, started = own_mb(), time.perf_counter()
        most = held

        def watched() -> Iterator[Batch]:
            nonlocal most
            for batch in batches(edges):
                yield batch
                most = max(most, own_mb())

        files = write_edges(Path(folder), watched, edges // DEGREE, RELATIONS)
        written = time.perf_counter() - started
        row: dict[str, Any] = {"edges": edges, "write_seconds": written, "anonymous_mb_before": held}
        row["write_anonymous_mb"] = most
        row["disk_mb"] = sum(file.stat().st_size for file in Path(folder).iterdir()) / 2**20
        row |= draw(files, 4 if quick else 50, train=False) | draw(files, 4 if quick else 20, train=True)
    print(
        f"\n{edges:,} edges on disk, {row['disk_mb']:.1f} MB, written in {written:.1f} s;"
        f" {BATCH:,} nodes a batch, fanouts {FANOUTS}\n"
        f"  an s of processor time: {row['sampled_edges_per_processor_second']:,.0f} edges sampled,"
        f" or {row['trained_edges_per_processor_second']:,.0f} sampled and trained on\n"
        f"  MB of the process' own: {held:.0f} before, {row['write_anonymous_mb']:.0f} writing,"
        f" {row['sampled_anonymous_mb']:.0f} sampling, {row['trained_anonymous_mb']:.0f} training",
        flush=True,
    )
    return row


def draw(files: EdgeFiles, number: int, *, train: bool) -> dict[str, Any]:
    """Throughput of ``number`` batches, and the most anonymous memory that was seen after one of them."""
    torch.manual_seed(0)
    sampler = NeighbourSampler(files, FANOUTS)
    seeds = torch.from_numpy(
        np.random.default_rng(1).choice(files.nodes, min(files.nodes, number * BATCH), replace=False)
    )
    data = Data(num_nodes=files.nodes, edge_index=torch.empty(2, 0, dtype=torch.int64))
    loader = NodeLoader(data, sampler, input_nodes=seeds, batch_size=BATCH, transform=sampler.with_relations)
    encoder = RelationalEncoder(
        features=0, embedded=EMBEDDED, relations=RELATIONS, width=64, layers=2, bases=8, dropout=0.0
    )
    adam = torch.optim.Adam(encoder.parameters())
    drawn, most, busy, started = 0, 0.0, time.process_time(), time.perf_counter()
    for batch in loader:
        drawn += batch.num_edges
        if train:
            edges = prepare(batch.edge_index[0], batch.edge_type, batch.edge_index[1], batch.num_nodes)
            states = encoder(torch.zeros(batch.num_nodes, 0), batch.n_id % EMBEDDED + 1, edges)
            loss = states[: batch.batch_size].square().mean()
            adam.zero_grad()
            loss.backward()
            adam.step()
        most = max(most, own_mb())
    wall, busy = time.perf_counter() - started, time.process_time() - busy
    name = "trained" if train else "sampled"
    return {
        f"{name}_edges_per_second": drawn / wall,
        f"{name}_edges_per_processor_second": drawn / busy,
        f"{name}_nodes_per_second": len(seeds) / wall,
        f"{name}_anonymous_mb": round(most, 1),
    }
