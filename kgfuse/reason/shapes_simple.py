"""The part of SHACL Core that can be checked one node at a time, read from a shapes graph into plain tests.

Targets: classes, subjects and objects of a property. Paths: a property, or its inverse with minCount. Constraints:
nodeKind, datatype, class, minCount, maxCount, minInclusive, maxInclusive, lessThan, minLength, pattern, hasValue, or,
qualifiedValueShape with qualifiedMinCount.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeAlias

import pyoxigraph as ox

from kgfuse.errors import PackError
from kgfuse.reason.shapes_terms import ox_node
from kgfuse.terms.namespaces import RDF, SH, XSD

if TYPE_CHECKING:
    import rdflib

Node: TypeAlias = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
Graph: TypeAlias = ox.NamedNode | ox.DefaultGraph
Values: TypeAlias = Sequence[Node]
_TYPE: Final = ox.NamedNode(RDF + "type")
_NUMBERS: Final = frozenset(
    XSD + n for n in ("integer", "decimal", "double", "float", "int", "long", "nonNegativeInteger", "positiveInteger")
)
_REFERRERS: Final = 8
_KINDS: Final[Mapping[str, tuple[type, ...]]] = {
    "IRI": (ox.NamedNode,),
    "BlankNode": (ox.BlankNode,),
    "Literal": (ox.Literal,),
    "BlankNodeOrIRI": (ox.BlankNode, ox.NamedNode),
    "BlankNodeOrLiteral": (ox.BlankNode, ox.Literal),
    "IRIOrLiteral": (ox.NamedNode, ox.Literal),
}


@dataclass(frozen=True, slots=True)
class Place:
    """One node of a graph, with what it has there."""

    store: ox.Store
    graph: Graph
    node: Node
    has: Mapping[ox.NamedNode, list[Node]]

    def values(self, path: str) -> Values:
        """What a property leads to; by an inverse one, a few: a run is named by millions of statements."""
        if not path.startswith("^"):
            return self.has.get(_named(path), ())
        if isinstance(self.node, ox.Triple):
            return ()
        found = self.store.quads_for_pattern(None, _named(path[1:]), self.node, self.graph)
        return [quad.subject for quad in islice(found, _REFERRERS)]

    def is_a(self, node: Node, class_: ox.NamedNode) -> bool:
        """Whether the graph says that a node is of this class."""
        if isinstance(node, ox.Literal):
            return False
        return ox.Quad(node, _TYPE, class_, self.graph) in self.store


Test: TypeAlias = Callable[[Place, Values], Iterator[Node | None]]
"""Yields the offending values, or ``None`` where no one value offends."""


@dataclass(frozen=True, slots=True)
class Check:
    """One constraint on the values of one path; of the node itself where the path is empty."""

    path: str
    component: str
    message: str
    test: Test


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape: how its nodes are found, and what each of them must be."""

    name: str
    classes: tuple[ox.NamedNode, ...]
    subjects_of: tuple[ox.NamedNode, ...]
    objects_of: tuple[ox.NamedNode, ...]
    checks: tuple[Check, ...]


@lru_cache(maxsize=1024)
def _named(iri: str) -> ox.NamedNode:
    return ox.NamedNode(iri)


def simple_shapes(graph: rdflib.Graph) -> Iterator[Shape]:
    """The shapes that have a target, in order of their IRIs.

    Raises:
        PackError: one asks for more than this module knows.
    """
    import rdflib

    def nodes(shape: rdflib.term.Node, name: str) -> tuple[ox.NamedNode, ...]:
        return tuple(ox.NamedNode(str(o)) for o in sorted(graph.objects(shape, rdflib.URIRef(SH + name)), key=str))

    targets = ("targetClass", "targetSubjectsOf", "targetObjectsOf", "targetNode")
    found = {s for t in targets for s in graph.subjects(rdflib.URIRef(SH + t), None)}
    for shape in sorted(found, key=str):
        classes, subjects, objects, single = (nodes(shape, t) for t in targets)
        if single:
            raise _beyond("targetNode")
        checks = list(_checks(graph, shape, ""))
        for inner in graph.objects(shape, rdflib.URIRef(SH + "property")):
            checks += _checks(graph, inner, _path(graph, inner))
        checks.sort(key=lambda c: (c.path, c.component, c.message))
        yield Shape(str(shape), classes, subjects, objects, tuple(checks))


def _path(graph: rdflib.Graph, shape: rdflib.term.Node) -> str:
    import rdflib

    path = graph.value(shape, rdflib.URIRef(SH + "path"))
    if isinstance(path, rdflib.URIRef):
        return str(path)
    inverse = graph.value(path, rdflib.URIRef(SH + "inversePath"))
    if isinstance(inverse, rdflib.URIRef):
        return f"^{inverse}"
    raise _beyond("a path that is no property")


_PASSED_OVER: Final = frozenset(
    {"targetClass", "targetSubjectsOf", "targetObjectsOf", "property", "path", "message", "qualifiedValueShape"}
)


def _checks(graph: rdflib.Graph, shape: rdflib.term.Node, path: str) -> Iterator[Check]:
    import rdflib

    message = str(graph.value(shape, rdflib.URIRef(SH + "message")) or "")
    for predicate, value in graph.predicate_objects(shape):
        name = str(predicate).removeprefix(SH)
        if not str(predicate).startswith(SH) or name in _PASSED_OVER:
            continue
        if path.startswith("^") and (name != "minCount" or int(str(value)) > _REFERRERS):
            raise _beyond(f"an inverse path with {name} {value}")
        component = name[0].upper() + name[1:] + "ConstraintComponent"
        told = message or f"{name} {value}"
        yield Check(path, component, told, _test(graph, shape, name, value))


def _test(graph: rdflib.Graph, shape: rdflib.term.Node, name: str, value: rdflib.term.Node) -> Test:
    if name in ("minCount", "maxCount"):
        return _count(name, int(str(value)))
    if name == "hasValue":
        return _has(ox_node(value))
    if name == "lessThan":
        return _less(str(value))
    if name == "qualifiedMinCount":
        return _qualified(_conforms(graph, _one(graph, shape, "qualifiedValueShape")), int(str(value)))
    return _each(_single(graph, name, value))


def _one(graph: rdflib.Graph, shape: rdflib.term.Node, name: str) -> rdflib.term.Node:
    import rdflib

    found = graph.value(shape, rdflib.URIRef(SH + name))
    if found is None:
        raise PackError(f"a shape has no sh:{name}", remedy="correct the shapes file")
    return found


_Single: TypeAlias = Callable[[Place, Node], bool]


def _single(graph: rdflib.Graph, name: str, value: rdflib.term.Node) -> _Single:
    """Whether one value conforms."""
    from rdflib.collection import Collection

    iri = str(value)
    if name == "nodeKind":
        kinds = _KINDS[iri.removeprefix(SH)]
        return lambda place, node: isinstance(node, kinds)
    if name == "datatype":
        return lambda place, node: isinstance(node, ox.Literal) and node.datatype.value == iri and _is_valid(node)
    if name == "class":
        class_ = ox.NamedNode(iri)
        return lambda place, node: place.is_a(node, class_)
    if name in ("minInclusive", "maxInclusive"):
        bound, is_min = Decimal(iri), name == "minInclusive"

        def within(place: Place, node: Node) -> bool:
            n = _number(node)
            return n is not None and (n >= bound if is_min else n <= bound)

        return within
    if name == "minLength":
        least = int(iri)
        return lambda place, node: not isinstance(node, ox.BlankNode | ox.Triple) and len(node.value) >= least
    if name == "pattern":
        pattern = re.compile(iri)
        return lambda place, node: (
            not isinstance(node, ox.BlankNode | ox.Triple) and pattern.search(node.value) is not None
        )
    if name == "or":
        choices = [_conforms(graph, member) for member in Collection(graph, value)]
        return lambda place, node: any(choice(place, node) for choice in choices)
    raise _beyond(name)


def _conforms(graph: rdflib.Graph, shape: rdflib.term.Node) -> _Single:
    """Whether a value conforms to a shape without properties."""
    import rdflib

    tests = [
        _single(graph, str(p).removeprefix(SH), o)
        for p, o in graph.predicate_objects(shape)
        if p != rdflib.RDF.type and str(p).startswith(SH)
    ]
    return lambda place, node: all(test(place, node) for test in tests)


def _count(name: str, bound: int) -> Test:
    def test(place: Place, values: Values) -> Iterator[Node | None]:
        if (len(values) < bound) if name == "minCount" else (len(values) > bound):
            yield None

    return test


def _has(wanted: Node) -> Test:
    def test(place: Place, values: Values) -> Iterator[Node | None]:
        if wanted not in values:
            yield None

    return test


def _less(other: str) -> Test:
    def test(place: Place, values: Values) -> Iterator[Node | None]:
        for value in values:
            low = _number(value)
            highs = [_number(n) for n in place.values(other)]
            if any(low is None or high is None or low >= high for high in highs):
                yield value

    return test


def _qualified(conforms: _Single, least: int) -> Test:
    def test(place: Place, values: Values) -> Iterator[Node | None]:
        if sum(conforms(place, value) for value in values) < least:
            yield None

    return test


def _each(conforms: _Single) -> Test:
    def test(place: Place, values: Values) -> Iterator[Node | None]:
        for value in values:
            if not conforms(place, value):
                yield value

    return test


def _number(node: Node) -> Decimal | None:
    if not isinstance(node, ox.Literal) or node.datatype.value not in _NUMBERS:
        return None
    try:
        return Decimal(node.value)
    except InvalidOperation:
        return None


def _is_valid(node: ox.Literal) -> bool:
    return node.datatype.value not in _NUMBERS or _number(node) is not None


def _beyond(what: str) -> PackError:
    return PackError(f"shapes that are checked in one pass cannot have {what}", remedy="validate them with pySHACL")
