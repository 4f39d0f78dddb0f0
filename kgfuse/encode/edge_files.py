"""Typed edges on disk, grouped by the node they arrive at (CSR), so that a graph need not fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from kgfuse.errors import SourceError, UsageError

Batch = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True, eq=False, slots=True)
class EdgeFiles:
    """Memory-mapped edges; pages are read when they are asked for, and the system may drop them again.

    Args:
        offset: (V + 1,) int64; node v receives the edges ``offset[v]`` to ``offset[v + 1]``.
        source: (E,) unsigned, where each edge starts.
        relation: (E,) unsigned, its type.
    """

    offset: NDArray[np.int64]
    source: NDArray[Any]
    relation: NDArray[Any]

    @property
    def nodes(self) -> int:
        """V."""
        return len(self.offset) - 1

    @classmethod
    def open(cls, folder: Path) -> EdgeFiles:
        """Map what :func:`write_edges` wrote, for reading.

        Raises:
            SourceError: a file is missing, cut off, or does not fit the others.
        """
        remedy = "write the edges again"
        try:
            offset, source, relation = (
                np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
                for name in ("offset", "source", "relation")
            )
        except (OSError, ValueError, EOFError) as error:
            raise SourceError(f"no edges on disk: {error}", where=folder, remedy=remedy) from error
        if any(array.ndim != 1 for array in (offset, source, relation)) or not len(offset):
            raise SourceError("the arrays of edges have other shapes", where=folder, remedy=remedy)
        if offset.dtype != np.int64 or {source.dtype.kind, relation.dtype.kind} != {"u"}:
            raise SourceError("the arrays of edges have other types", where=folder, remedy=remedy)
        if offset[0] != 0 or {int(offset[-1]), len(source)} != {len(relation)}:
            raise SourceError("the arrays of edges have different lengths", where=folder, remedy=remedy)
        return cls(offset, source, relation)


def write_edges(folder: Path, batches: Callable[[], Iterable[Batch]], nodes: int, relations: int) -> EdgeFiles:
    """Sort edges by destination into files, holding one batch and two numbers a node in memory.

    Args:
        folder: made where it is missing; edges that it holds are replaced.
        batches: called twice, gives the same batches of (source, relation, destination) both times.
        nodes: V.
        relations: number of relations.

    Raises:
        UsageError: a node or relation out of range, or other edges at the second call.
    """
    count = np.zeros(nodes + 1, np.int64)
    for source, relation, destination in batches():
        for name, values, limit in (
            ("source", source, nodes),
            ("relation", relation, relations),
            ("destination", destination, nodes),
        ):
            if len(values) and not 0 <= int(values.min()) <= int(values.max()) < limit:
                raise UsageError(f"an edge's {name} is not below {limit}", remedy="number from 0 without gaps")
        count[1:] += np.bincount(destination, minlength=nodes)
    offset = np.cumsum(count, out=count)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "offset.npy").unlink(missing_ok=True)  # comes back last: without it a folder is not taken for edges
    shape = (int(offset[-1]),)
    sources = open_memmap(folder / "source.npy", "w+", np.min_scalar_type(max(nodes - 1, 0)), shape)
    kinds = open_memmap(folder / "relation.npy", "w+", np.min_scalar_type(max(relations - 1, 0)), shape)
    free = offset[:-1].copy()
    for source, relation, destination in batches():
        order = np.argsort(destination, kind="stable")
        node, first, number = np.unique(destination[order], return_index=True, return_counts=True)
        if np.any(free[node] + number > offset[node + 1]):
            raise UsageError("the second call gave other edges", remedy="give the same batches at each call")
        place = np.repeat(free[node] - first, number) + np.arange(len(order))
        sources[place], kinds[place] = source[order], relation[order]
        free[node] += number
    if not np.array_equal(free, offset[1:]):
        raise UsageError("the second call gave fewer edges", remedy="give the same batches at each call")
    sources.flush()
    kinds.flush()
    np.save(folder / "offset.npy", offset)
    return EdgeFiles.open(folder)
