"""The provenance of a graph, as a whole: written anew, or taken away.

Mentions and runs are shared between statements and go with the last statement that refers to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import pyoxigraph as ox

from kgfuse.graph.nodes import named, text
from kgfuse.graph.provenance_terms import DERIVED_FROM, GENERATED_BY, IN_GRAPH, OF_SOURCE, STEP
from kgfuse.graph.store import GraphStore, holds
from kgfuse.terms.namespaces import GRAPH_PROVENANCE

_SELECTOR_PARTS: Final = ("/position", "/quote", "/fragment", "/element")  # after the mention's IRI


def replace_provenance(store: GraphStore, graph: str, lines: Iterable[str]) -> None:
    """Make these lines all the provenance that the graph (a source's, or ``kgf:predicted``) has.

    Its former statement nodes, reviews and its source node go; mentions and runs go where no other statement refers to
    them. What other graphs have is not read. Killed at any moment, doing it again ends in the same dataset.

    Args:
        store: where.
        graph: IRI of the graph, which is that of its source.
        lines: from ``source_lines``, ``run_lines``, ``fact_lines`` and ``review_lines``; none removes all.
    """
    if holds(graph):
        store.journal.touch(graph)  # confidences stand in the columns too
    new = set(ox.parse("".join(lines).encode(), ox.RdfFormat.N_QUADS, lenient=True))
    said = (store.quads(None, p, ox.NamedNode(graph), GRAPH_PROVENANCE) for p in (IN_GRAPH, OF_SOURCE))
    mine = [q.subject for quads in said for q in quads]
    owned = set(mine)
    own = [q for s in (*mine, ox.NamedNode(graph)) for q in store.quads(s, None, None, GRAPH_PROVENANCE)]
    shared = {text(q.object) for q in own if q.predicate in (DERIVED_FROM, GENERATED_BY)}
    stale: list[ox.Quad] = []
    for place in map(ox.NamedNode, sorted(shared)):
        if not any(q.subject not in owned for q in _referring(store, place)):
            stale.extend(_described(store, place))
    # shared nodes first, then what statements say, last that they are this graph's: killed in between, a second
    # attempt still finds all that is left
    own.sort(key=lambda q: q.predicate in (IN_GRAPH, OF_SOURCE))
    store.remove_quads(q for q in (*stale, *own) if q not in new)
    store.add_quads(new.difference(own, stale))


def remove_provenance(store: GraphStore, graph: str) -> None:
    """Take away the provenance of a graph, with the mentions and runs that only it refers to."""
    replace_provenance(store, graph, ())


def _referring(store: GraphStore, place: ox.NamedNode) -> Iterator[ox.Quad]:
    for predicate in (DERIVED_FROM, GENERATED_BY):
        yield from store.quads(None, predicate, place, GRAPH_PROVENANCE)


def _described(store: GraphStore, place: ox.NamedNode) -> Iterator[ox.Quad]:
    for to_step in store.quads(place, STEP, None, GRAPH_PROVENANCE):  # while the run still leads to them
        yield from store.quads(named(text(to_step.object)), None, None, GRAPH_PROVENANCE)
    for part in ("", *_SELECTOR_PARTS):
        yield from store.quads(ox.NamedNode(place.value + part), None, None, GRAPH_PROVENANCE)
