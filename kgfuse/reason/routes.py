"""Ways through large closures: shortest paths of statements that sources make, instead of all the paths there are."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import pyoxigraph as ox

from kgfuse.reason.holding import NOT_ASSERTED

_FEW_GRAPHS = 64
_FAR = 20_000


class Routes:
    """Paths found so far, of one store and one proof.

    Args:
        store: what holds in its default graph, who says so in named graphs.
    """

    def __init__(self, store: ox.Store) -> None:
        self.store = store
        named = [g for g in store.named_graphs() if isinstance(g, ox.NamedNode) and g.value not in NOT_ASSERTED]
        self._graphs = named if len(named) <= _FEW_GRAPHS else None
        self._middle: dict[ox.Triple, object] = {}

    def knows(self, triple: ox.Triple) -> bool:
        """Whether the triple is on a path that was found."""
        return self._middle.get(triple) is not None

    def middle(self, triple: ox.Triple) -> object | None:
        """The node halfway on a shortest path from subject to object, each step of which holds under the predicate.

        Its steps go between nodes that some source relates; the halves of the path are remembered. ``None`` where
        there is no such path.
        """
        if triple not in self._middle:
            path = self._path(triple)
            self._remember(triple.predicate, path)
            self._middle.setdefault(triple, None)
        return self._middle[triple]

    def _remember(self, predicate: ox.NamedNode, path: list[object]) -> None:
        if len(path) < 3:
            return
        at = len(path) // 2
        whole = ox.Triple(path[0], predicate, path[-1])  # type: ignore[arg-type]
        self._middle.setdefault(whole, path[at])
        self._remember(predicate, path[: at + 1])
        self._remember(predicate, path[at:])

    def _path(self, triple: ox.Triple) -> list[object]:
        start, end = triple.subject, triple.object
        before: dict[object, object] = {start: None}
        queue: deque[object] = deque([start])
        while queue and len(before) < _FAR:
            node = queue.popleft()
            for near in sorted(self._related(node), key=str):
                if near in before or ox.Quad(node, triple.predicate, near) not in self.store:  # type: ignore[arg-type]
                    continue
                if near == end and node == start:
                    continue  # the triple itself
                before[near] = node
                if near == end:
                    path = [near]
                    while path[-1] != start:
                        path.append(before[path[-1]])
                    return path[::-1]
                queue.append(near)
        return []

    def _related(self, node: object) -> set[object]:
        """Nodes that some source relates this one to, in either direction."""
        return {q.object for q in self._said(node, None)} | {q.subject for q in self._said(None, node)}

    def _said(self, s: object, o: object) -> Iterator[ox.Quad]:
        if isinstance(s, ox.Literal | ox.Triple):
            return
        for graph in self._graphs if self._graphs is not None else (None,):
            for quad in self.store.quads_for_pattern(s, None, o, graph):  # type: ignore[arg-type]
                name = quad.graph_name
                if isinstance(name, ox.NamedNode) and name.value not in NOT_ASSERTED:
                    yield quad
