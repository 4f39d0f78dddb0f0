"""Paths between two things, over what holds, without the axioms that connect everything with everything."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Final, TypeAlias

from kgfuse.graph.arcs import Arcs
from kgfuse.graph.decoded import number_of, texts_of
from kgfuse.graph.records import StatementRecord, provenance_of
from kgfuse.graph.store import GraphStore

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from kgfuse.graph.columns import Columns

_UNIT: Final = 1_000_000_000  # of -log(confidence): whole numbers, so that no order of adding tells paths apart
_HOP: Final = 1_024  # below it a number of hops; so many hops at most
_FAR: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Step:
    """One edge of a path, as it is in the graph.

    Args:
        subject: IRI.
        predicate: IRI.
        object: IRI.
        forward: the path goes from subject to object.
        confidence: of the edge; 1 where it was imported or inferred.
    """

    subject: str
    predicate: str
    object: str
    forward: bool
    confidence: float = field(default=1.0, compare=False)


@dataclass(frozen=True)
class Path:
    """A way from one thing to another that passes nothing twice.

    Args:
        steps: its edges in order.
    """

    steps: tuple[Step, ...]
    _store: GraphStore = field(repr=False, compare=False)

    @property
    def confidence(self) -> float:
        """Product of the edges' confidences."""
        return prod(step.confidence for step in self.steps)

    @property
    def nodes(self) -> tuple[str, ...]:
        """IRIs from start to goal; none for the path that goes nowhere."""
        ends = [(s.subject, s.object) if s.forward else (s.object, s.subject) for s in self.steps]
        return (*(a for a, _ in ends[:1]), *(b for _, b in ends))

    @cached_property
    def provenance(self) -> tuple[tuple[StatementRecord, ...], ...]:
        """For each step who says it, with characters, boxes and times; read when first asked for."""
        return tuple(
            tuple(r for r in provenance_of(self._store, s.subject, s.predicate, s.object) if r.status != "predicted")
            for s in self.steps
        )


_Known: TypeAlias = tuple[dict[int, int | None], dict[int, int | None]]
"""From either end: node → the node it was first reached from."""


def shortest_path(columns: Columns, arcs: Arcs, start: str, goal: str, max_hops: int = 4) -> tuple[Step, ...] | None:
    """Fewest edges from one node to another, in either direction of each edge; the same one every time.

    Args:
        columns: all that holds.
        arcs: what may be walked.
        start: IRI.
        goal: IRI.
        max_hops: longest path to look for.

    Returns:
        The edges in order: none when start and goal are the same, ``None`` when there is no such path.
    """
    if start == goal:
        return ()
    a, b = number_of(columns, f"<{start}>"), number_of(columns, f"<{goal}>")
    if a < 0 or b < 0:
        return None
    # from both ends, always the smaller front by a whole level: what they first share lies on a shortest path
    known: _Known = ({a: None}, {b: None})
    fronts = [[a], [b]]
    for _ in range(max_hops):
        side = 0 if len(fronts[0]) <= len(fronts[1]) else 1
        reached: list[int] = []
        for place in sorted(fronts[side]):
            for other in arcs.end[arcs.of_node(place)].tolist():
                if other not in known[side]:
                    known[side][other] = place
                    reached.append(other)
        shared = min((node for node in reached if node in known[1 - side]), default=None)
        if shared is not None:
            return _steps(columns, arcs, _joined(known, shared))
        if not reached:
            return None
        fronts[side] = reached
    return None


def best_paths(store: GraphStore, arcs: Arcs, start: str, goal: str, k: int = 3, max_hops: int = 4) -> list[Path]:
    """The surest paths that pass nothing twice: by confidence, then number of edges, then the nodes on them.

    The cost of the surest walk to the goal within the hops that are left is known for every node, so the search
    (A* over partial paths) goes straight to the best path, then the next.

    Args:
        store: where.
        arcs: what may be walked; between two nodes the surest edge stands for all.
        start: IRI.
        goal: IRI.
        k: how many.
        max_hops: longest path to look for, below 1,024.
    """
    import numpy as np

    columns = store.columns
    a, b = number_of(columns, f"<{start}>"), number_of(columns, f"<{goal}>")
    max_hops = min(max_hops, _HOP - 1)
    if a < 0 or b < 0 or a == b or k < 1 or max_hops < 1:
        return []
    surprise = -np.log(np.clip(arcs.confidence.astype(np.float64).round(6), 1e-6, 1.0))
    weight = np.rint(surprise * _UNIT).astype(np.int64) * _HOP + 1
    left = _to_goal(arcs, weight, (a, b), len(columns.terms), max_hops)
    found: list[Path] = []
    queue: list[tuple[int, tuple[int, ...], int]] = [(0, (a,), 0)]
    while queue and len(found) < k:
        _, nodes, cost = heapq.heappop(queue)
        if nodes[-1] == b:
            found.append(Path(_steps(columns, arcs, nodes), store))
            continue
        here = arcs.of_node(nodes[-1])
        ends = arcs.end[here]
        rest = left[max_hops - len(nodes)][ends]
        for at in np.flatnonzero(rest < _FAR).tolist():
            other = int(ends[at])
            if other not in nodes:
                so_far = cost + int(weight[here.start + at])
                heapq.heappush(queue, (so_far + int(rest[at]), (*nodes, other), so_far))
    return found


def _to_goal(
    arcs: Arcs, weight: npt.NDArray[np.int64], ends: tuple[int, int], count: int, max_hops: int
) -> list[npt.NDArray[np.int64]]:
    """Cost of the best walk from every node to the goal that does not pass the start, by how many hops it may have."""
    import numpy as np

    start, goal = ends
    starts, first = np.unique(arcs.start, return_index=True)
    cost = np.full(count, _FAR, np.int64)
    cost[goal] = 0
    found = [cost]
    for _ in range(max_hops):
        shorter = found[-1]
        longer = shorter.copy()
        if len(starts):
            best = np.minimum.reduceat(np.minimum(shorter[arcs.end] + weight, _FAR), first)
            longer[starts] = np.minimum(longer[starts], best)
            longer[start] = _FAR
        if np.array_equal(longer, shorter):
            longer = shorter  # no more hops help: share the array
        found.append(longer)
    return found


def _steps(columns: Columns, arcs: Arcs, nodes: tuple[int, ...]) -> tuple[Step, ...]:
    import numpy as np

    steps = []
    for place, other in itertools.pairwise(nodes):
        here = arcs.of_node(place)
        arc = here.start + int(np.searchsorted(arcs.end[here], other))
        a, p, b = texts_of(columns, [place, int(arcs.predicate[arc]), other])
        forward = bool(arcs.forward[arc])
        confidence = round(float(arcs.confidence[arc]), 6)
        steps.append(Step(a if forward else b, p, b if forward else a, forward, confidence))
    return tuple(steps)


def _joined(known: _Known, meeting: int) -> tuple[int, ...]:
    """The nodes from start to goal by way of where both searches met."""
    before, after = [meeting], []
    while (came := known[0][before[-1]]) is not None:
        before.append(came)
    place = meeting
    while (came := known[1][place]) is not None:
        after.append(came)
        place = came
    return (*reversed(before), *after)
