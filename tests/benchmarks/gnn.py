"""The R-GCN layer against PyTorch Geometric's, and the neighbour sampler on edges that lie on disk.

    python -m tests.benchmarks.gnn [--quick] [--seeds N] [--sampled E …] [--scratch DIR] [--data DIR] [--out DIR]

Layers: forward and backward on random graphs of 8 edges a node, 40 relations, 8 bases; all layers in turn on the same
numbers, the best of several rounds; wall time, processor time (which other jobs on the machine falsify less), the peak
of memory beyond what was there before, the largest difference from RGCNConv relative to the largest number of the same
tensor. A layer that would not fit into half of the free memory is left out. The fast layer's share of the memory's
bandwidth is what it gathers, reads and writes (:func:`traffic`) beside what a copy moves in the same run; its share of
the arithmetic is its dense products (:func:`operations`) beside one large one; both by processor time. With ``--data``
the encoder as link predictor follows, as ``python -m tests.benchmarks.links`` has it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch
from torch import Tensor, nn
from torch_geometric.nn import FastRGCNConv, RGCNConv

from kgfuse.encode.relational import Aggregation, RelationalConvolution, prepare
from tests.benchmarks import common, gnn_sampler, links
from tests.benchmarks.memory import peak_above

RELATIONS, BASES, DEGREE = 40, 8, 8
SIZES = (
    (10_000, 64),
    (100_000, 64),
    (400_000, 16),
    (400_000, 64),
    (400_000, 256),
    (1_000_000, 64),
    (10_000_000, 16),
    (10_000_000, 64),
)
QUICK = ((10_000, 64), (100_000, 16), (100_000, 64))


@dataclass(frozen=True, slots=True)
class Case:
    """A graph (source, target, relation, on the device) and what goes through it."""

    index: Tensor
    relation: Tensor
    states: Tensor
    pull: Tensor
    edges: Aggregation

    @classmethod
    def random(cls, edges: int, width: int, seed: int, device: str) -> Case:
        chance = torch.Generator().manual_seed(seed)
        nodes = edges // DEGREE
        index = torch.randint(nodes, (2, edges), generator=chance)
        relation = torch.randint(RELATIONS, (edges,), generator=chance)
        states, pull = torch.randn(2, nodes, width, generator=chance).to(device)
        prepared = prepare(index[0], relation, index[1], nodes).to(torch.device(device))
        return cls(index.to(device), relation.to(device), states.requires_grad_(), pull, prepared)


def step(layer: nn.Module, states: Tensor, pull: Tensor, *edges: Any) -> list[Tensor]:
    """Forward and backward; the answer and all gradients."""
    layer.zero_grad()
    states.grad = None
    answer = layer(states, *edges)
    answer.backward(pull)
    if states.is_cuda:
        torch.cuda.synchronize()
    return [
        answer.detach(),
        states.grad,
        *(layer.get_parameter(name).grad for name in ("weight", "comp", "root", "bias")),
    ]


def pairs(edges: Aggregation) -> int:
    """Number of (relation, node) pairs in both directions together."""
    return sum(len(block.receiver) for block in (*edges.forth, *edges.back))


def traffic(edges: Aggregation, width: int) -> int:
    """Bytes that forward and backward pass of the fast layer gather, and read and write in order, in float32."""
    rows = 2 * len(edges.source) + pairs(edges) // 2 + 11 * edges.nodes
    return 4 * width * rows + 16 * len(edges.source) + 8 * pairs(edges)


def operations(edges: Aggregation, width: int) -> int:
    """Multiplications and additions of the dense products, forward and backward."""
    return 2 * 3 * width * width * (pairs(edges) // 2 + edges.nodes)


def limits(device: str) -> tuple[float, float]:
    """What a copy of 256 MB moves, and what a product with a matrix of 64 by 64 computes, a processor second."""
    source = torch.ones(1 << 26, device=device)
    target = torch.empty_like(source)
    rows, matrix = source.view(-1, 64)[: 1 << 17], torch.ones(64, 64, device=device)
    out = torch.empty_like(rows)

    def copy() -> None:
        target.copy_(source)
        if device == "cuda":
            torch.cuda.synchronize()

    def product() -> None:
        torch.mm(rows, matrix, out=out)
        if device == "cuda":
            torch.cuda.synchronize()

    times = best([copy, product], 7)
    which = int(device == "cpu")
    return 8 * len(source) / times[0][which], 2 * 64 * 64 * len(rows) / times[1][which]


def best(runs: list[Callable[[], Any]], rounds: int) -> list[tuple[float, float]]:
    """Least wall and processor seconds of each run, taken in turn; one round more to warm up."""
    found = [(float("inf"), float("inf"))] * len(runs)
    for number in range(rounds + 1):
        for at, run in enumerate(runs):
            wall, busy = time.perf_counter(), time.process_time()
            run()
            wall, busy = time.perf_counter() - wall, time.process_time() - busy
            if number:
                found[at] = min(found[at][0], wall), min(found[at][1], busy)
    return found


def difference(found: list[Tensor], expected: list[Tensor]) -> float:
    """Largest difference of any tensor's numbers, relative to the largest of them."""
    return max(
        float((a.float() - b.float()).abs().max() / b.float().abs().max()) for a, b in zip(found, expected, strict=True)
    )


def room(device: str) -> int:
    """Half of the free bytes."""
    return (torch.cuda.mem_get_info()[0] if device == "cuda" else psutil.virtual_memory().available) // 2


def compare(
    edges: int, width: int, seed: int, device: str, rounds: int, limit: tuple[float, float], slow: bool
) -> list[dict[str, Any]]:
    """One row for each layer that fits."""
    torch.manual_seed(seed)
    case = Case.random(edges, width, seed, device)
    reference = RGCNConv(width, width, RELATIONS, num_bases=BASES).to(device)
    fast = RelationalConvolution(width, width, RELATIONS, BASES).to(device)
    half = RelationalConvolution(width, width, RELATIONS, BASES).to(device)
    single = FastRGCNConv(width, width, RELATIONS, num_bases=BASES).to(device)
    for layer in (fast, half, single):
        layer.load_state_dict(reference.state_dict())
    narrow, narrow_pull = case.states.detach().bfloat16().requires_grad_(), case.pull.bfloat16()
    plain = (case.index, case.relation)
    runs: dict[str, Callable[[], list[Tensor]]] = {
        "kgfuse": lambda: step(fast, case.states, case.pull, case.edges),
        "kgfuse, bfloat16": lambda: step(half.bfloat16(), narrow, narrow_pull, case.edges),
    }
    if 4 * 2 * RELATIONS * width * case.edges.nodes < room(device):
        runs["RGCNConv"] = lambda: step(reference, case.states, case.pull, *plain)
    if slow and 4 * 3 * edges * width * (width + 1) < room(device):
        runs["FastRGCNConv"] = lambda: step(single, case.states, case.pull, *plain)
    times = best(list(runs.values()), rounds)
    rows = []
    expected = runs["RGCNConv"]() if "RGCNConv" in runs else None
    for (name, run), (wall, busy) in zip(runs.items(), times, strict=True):
        found, peak = peak_above(run, device)
        row = {"edges": edges, "width": width, "seed": seed, "device": device, "layer": name}
        row |= {"seconds": wall, "processor_seconds": busy, "peak_mb": peak}
        row["difference"] = None if expected is None else difference(found, expected)
        if name == "kgfuse":
            spent = wall if device == "cuda" else busy
            row["bandwidth_share"] = traffic(case.edges, width) / spent / limit[0]
            row["arithmetic_share"] = operations(case.edges, width) / spent / limit[1]
        rows.append(row)
    return rows


def shown(rows: list[dict[str, Any]]) -> None:
    """Print the layers of one graph, with how many times as long as the fast one each takes."""
    for row in rows:
        wall, busy = (row[name] / rows[0][name] for name in ("seconds", "processor_seconds"))
        line = f"  {row['device']:4} {row['edges']:>10,} {row['width']:>4} {row['layer']:16}"
        line += f" {row['seconds'] * 1e3:9.1f} ms {row['processor_seconds'] * 1e3:9.1f} ms {wall:6.2f} × {busy:6.2f} ×"
        line += "" if row["peak_mb"] is None else f" {row['peak_mb']:7.0f} MB"
        line += "" if row["difference"] is None else f"  apart {row['difference']:.1e}"
        if "bandwidth_share" in row:
            line += f"  {row['bandwidth_share']:.0%} of bandwidth, {row['arithmetic_share']:.0%} of arithmetic"
        print(line, flush=True)


def arguments() -> argparse.Namespace:
    p = common.parser(__doc__.splitlines()[0])
    p.add_argument("--quick", action="store_true", help="small graphs, few rounds")
    p.add_argument("--sizes", type=int, nargs="+", metavar="E", help="only the graphs of so many edges")
    p.add_argument("--widths", type=int, nargs="+", metavar="W", help="only the graphs of such states")
    p.add_argument("--slow", action=argparse.BooleanOptionalAction, default=True, help="with FastRGCNConv")
    p.add_argument("--rounds", type=int, help="timed rounds (5, with --quick 2)")
    p.add_argument("--threads", type=int, help="threads of torch (all cores)")
    p.add_argument("--sampled", type=int, nargs="*", metavar="E", help="edges on disk (1000000, with --quick 100000)")
    p.add_argument("--scratch", type=Path, help="where edges on disk are written for the time of the run")
    p.add_argument("--data", type=Path, help="folder of data sets for link prediction")
    links.add_options(p)
    return p.parse_args()


def main() -> None:
    options = arguments()
    if options.threads:
        torch.set_num_threads(options.threads)
    rounds = options.rounds or (2 if options.quick else 5)
    sizes = [
        (edges, width)
        for edges, width in (QUICK if options.quick else SIZES)
        if edges in (options.sizes or [edges]) and width in (options.widths or [width])
    ]
    sampled = [100_000 if options.quick else 1_000_000] if options.sampled is None else options.sampled
    sampler = [gnn_sampler.measure(edges, options.scratch, quick=options.quick) for edges in sampled]
    layers, limit = [], {}
    for device in ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]:
        moved, computed = limit[device] = limits(device)
        print(f"\n{device}: a copy moves {moved / 1e9:.1f} GB/s, a product does {computed / 1e9:.0f} GFLOP/s")
        print("  edges, width, layer, time and processor time, both beside kgfuse's, peak memory")
        for edges, width in sizes:
            for seed in range(options.seeds):
                rows = compare(edges, width, seed, device, rounds, limit[device], options.slow)
                shown(rows)
                layers += rows
    result = {"limits": limit, "layers": layers, "sampler": sampler, "rounds": rounds}
    if options.data is not None:
        result["links"] = links.tables(options)
    common.write(options.out, "gnn", result)


if __name__ == "__main__":
    main()
