"""Simple shapes checked in one pass over a graph of the store, node by node, in memory that does not grow.

For graphs of many millions of triples whose shapes keep to what ``shapes_simple`` knows; pySHACL takes milliseconds a
node, this some ten microseconds. What is asked for is read from the same SHACL, and a test holds the results equal to
pySHACL's. Types are taken as stated: no subclasses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyoxigraph as ox

from kgfuse.reason.shapes_simple import Graph, Node, Place, Shape, Values, simple_shapes
from kgfuse.terms.namespaces import RDF

if TYPE_CHECKING:
    import rdflib

_TYPE: Final = ox.NamedNode(RDF + "type")


@dataclass(frozen=True, slots=True)
class Broken:
    """A result: what pySHACL tells of it, in the store's terms.

    Args:
        focus: the node.
        path: IRI of the property, with ``^`` before an inverse one; empty for a constraint on the node itself.
        component: local name of the constraint.
        value: the offending value, where one value offends.
        message: of the shape, else what the constraint asks for.
    """

    focus: Node
    path: str
    component: str
    value: Node | None
    message: str


class Scan:
    """Shapes made ready for one pass.

    Args:
        shapes: in SHACL Core, as far as ``shapes_simple`` knows it.

    Raises:
        PackError: they ask for more.
    """

    def __init__(self, shapes: rdflib.Graph) -> None:
        self.shapes = tuple(simple_shapes(shapes))

    def run(self, store: ox.Store, graph: Graph, only: Collection[str] = ()) -> Iterator[Broken]:
        """Check one graph; yields results, shape by shape.

        Args:
            store: only read.
            graph: which graph of it.
            only: IRIs of the shapes to check; all where empty.
        """
        for shape in self.shapes:
            if only and shape.name not in only:
                continue
            for place in _targets(store, graph, shape):
                for check in shape.checks:
                    values: Values = place.values(check.path) if check.path else (place.node,)
                    for value in check.test(place, values):
                        yield Broken(place.node, check.path, check.component, value, check.message)


def _targets(store: ox.Store, graph: Graph, shape: Shape) -> Iterator[Place]:
    """Each target once; only nodes that none of the classes brings are remembered."""
    rare: set[Node] = set()
    for class_ in shape.classes:
        before = shape.classes[: shape.classes.index(class_)]
        for quad in store.quads_for_pattern(None, _TYPE, class_, graph):
            place = _place(store, graph, quad.subject)
            if not any(c in place.has[_TYPE] for c in before):
                yield place
    for property_, of_subject in (*((p, True) for p in shape.subjects_of), *((p, False) for p in shape.objects_of)):
        for quad in store.quads_for_pattern(None, property_, None, graph):
            node = quad.subject if of_subject else quad.object
            if node in rare or any(_typed(store, graph, node, c) for c in shape.classes):
                continue
            rare.add(node)
            yield _place(store, graph, node)


def _typed(store: ox.Store, graph: Graph, node: Node, class_: ox.NamedNode) -> bool:
    return not isinstance(node, ox.Literal) and ox.Quad(node, _TYPE, class_, graph) in store


def _place(store: ox.Store, graph: Graph, node: Node) -> Place:
    has: dict[ox.NamedNode, list[Node]] = {}
    if not isinstance(node, ox.Literal):
        for quad in store.quads_for_pattern(node, None, None, graph):
            has.setdefault(quad.predicate, []).append(quad.object)
    return Place(store, graph, node, has)
