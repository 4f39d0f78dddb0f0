"""Typed edges on disk, grouped by the node they arrive at (CSR), so that a graph need not fit into memory."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from kgfuse.errors import SourceError, UsageError

Batch = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
_PART: Final = 1 << 17


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
    """Sort edges by destination into files, holding no more in memory than one batch.

    Each batch is written in the order of the files, so that their pages are visited once a batch: the larger the
    batches, the fewer the visits where the files are larger than the free memory.

    Args:
        folder: made where it is missing; edges that it holds are replaced.
        batches: called twice, gives the same batches of (source, relation, destination) both times.
        nodes: V.
        relations: number of relations.

    Raises:
        UsageError: a node or relation out of range, or other edges at the second call.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "offset.npy").unlink(missing_ok=True)  # comes back last: without it a folder is not taken for edges
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        fresh = Path(scratch) / "offset.npy"
        offset = open_memmap(fresh, "w+", np.int64, (nodes + 1,))
        for edges in batches():
            _check(edges, nodes, relations)
            node, number = np.unique(edges[2], return_counts=True)
            offset[node + 1] += number
        before = 0
        for part in _parts(offset):
            part[0] += before
            np.cumsum(part, out=part)
            before = part[-1]
        offset.flush()
        shutil.copyfile(fresh, Path(scratch) / "free.npy")
        free = np.load(Path(scratch) / "free.npy", mmap_mode="r+")
        shape = (int(offset[-1]),)
        sources = open_memmap(folder / "source.npy", "w+", np.min_scalar_type(max(nodes - 1, 0)), shape)
        kinds = open_memmap(folder / "relation.npy", "w+", np.min_scalar_type(max(relations - 1, 0)), shape)
        for source, relation, destination in batches():
            order = np.argsort(destination, kind="stable")
            node, first, number = np.unique(destination[order], return_index=True, return_counts=True)
            start = free[node]
            if np.any(start + number > offset[node + 1]):
                raise UsageError("the second call gave other edges", remedy="give the same batches at each call")
            place = np.repeat(start - first, number) + np.arange(len(order))
            sources[place], kinds[place] = source[order], relation[order]
            free[node] = start + number
        if any(not np.array_equal(a, b) for a, b in zip(_parts(free[:-1]), _parts(offset[1:]), strict=True)):
            raise UsageError("the second call gave fewer edges", remedy="give the same batches at each call")
        for array in (sources, kinds):
            array.flush()
        fresh.replace(folder / "offset.npy")
    return EdgeFiles.open(folder)


def _check(edges: Batch, nodes: int, relations: int) -> None:
    for name, values, limit in zip(
        ("source", "relation", "destination"), edges, (nodes, relations, nodes), strict=True
    ):
        if len(values) and not 0 <= int(values.min()) <= int(values.max()) < limit:
            raise UsageError(f"an edge's {name} is not below {limit}", remedy="number from 0 without gaps")


def _parts(array: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """The array piece by piece, so that working on it takes no memory of its size."""
    return (array[at : at + _PART] for at in range(0, len(array), _PART))
