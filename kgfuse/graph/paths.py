"""Shortest paths between two things, over what holds, without the axioms that connect everything with everything."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, TypeAlias

import pyoxigraph as ox

from kgfuse.graph.nodes import named
from kgfuse.graph.store import GraphStore
from kgfuse.terms.namespaces import GRAPH_INFERRED, ONTOLOGY, OWL, RDF, RDFS

_TYPE: Final = RDF + "type"


@dataclass(frozen=True, slots=True)
class Step:
    """One edge of a path, as it is in the graph; ``forward`` when the path goes from subject to object."""

    subject: str
    predicate: str
    object: str
    forward: bool


_Known: TypeAlias = tuple[dict[str, Step | None], dict[str, Step | None]]
"""From either end: node → the edge it was first reached by."""


def shortest_path(
    store: GraphStore,
    start: str,
    goal: str,
    max_hops: int = 4,
    *,
    properties: Collection[str] | None = None,
    through_types: bool = False,
) -> tuple[Step, ...] | None:
    """Fewest edges from one node to another, in either direction of each edge; the same one every time.

    Args:
        store: where.
        start: IRI.
        goal: IRI.
        max_hops: longest path to look for.
        properties: only edges of these.
        through_types: go along ``rdf:type`` too, which puts all members of a class two hops apart.

    Returns:
        The edges in order: none when start and goal are the same, ``None`` when there is no such path.
    """
    if start == goal:
        return ()
    # from both ends, always the smaller front by a whole level: what they first share lies on a shortest path
    known: _Known = ({start: None}, {goal: None})
    fronts = [[start], [goal]]
    for _ in range(max_hops):
        side = 0 if len(fronts[0]) <= len(fronts[1]) else 1
        reached: list[str] = []
        for place in sorted(fronts[side]):
            for neighbour, step in _edges(store, place, properties, through_types):
                if neighbour not in known[side]:
                    known[side][neighbour] = step
                    reached.append(neighbour)
        shared = sorted(node for node in reached if node in known[1 - side])
        if shared:
            return _joined(known, shared[0])
        if not reached:
            return None
        fronts[side] = reached
    return None


def _edges(
    store: GraphStore, place: str, properties: Collection[str] | None, through_types: bool
) -> list[tuple[str, Step]]:
    node = named(place)
    found = [(q, True) for q in store.quads(node)] + [(q, False) for q in store.quads(None, None, node)]
    steps = []
    for quad, forward in found:
        other = quad.object if forward else quad.subject
        p = quad.predicate.value
        if not isinstance(other, ox.NamedNode) or not isinstance(quad.subject, ox.NamedNode):
            continue
        if (properties is not None and p not in properties) or (p == _TYPE and not through_types):
            continue
        if p.startswith((RDFS, OWL)) or _only_axiom(store, quad.triple):
            continue
        end = quad.object.value if isinstance(quad.object, ox.NamedNode) else ""
        steps.append((other.value, Step(quad.subject.value, p, end, forward)))
    return sorted(steps, key=lambda s: (s[0], s[1].predicate, not s[1].forward))


def _only_axiom(store: GraphStore, triple: ox.Triple) -> bool:
    graphs = [g for g in store.graphs_of(triple) if g != GRAPH_INFERRED]
    return bool(graphs) and all(g.startswith(ONTOLOGY) for g in graphs)


def _joined(known: _Known, meeting: str) -> tuple[Step, ...]:
    before, after = [], []
    place = meeting
    while (step := known[0][place]) is not None:
        before.append(step)
        place = step.subject if step.forward else step.object
    place = meeting
    while (step := known[1][place]) is not None:
        # found from the goal's end, so the path walks it the other way round
        after.append(Step(step.subject, step.predicate, step.object, not step.forward))
        place = step.subject if step.forward else step.object
    return (*reversed(before), *after)
