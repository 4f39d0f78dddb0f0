"""SHACL over what holds: pySHACL on the store's default graph.

pySHACL can read a pyoxigraph store itself, but each of its many small look-ups then costs time that grows with the
store (20,000 focus nodes: 220 s against 3 s), so the default graph is copied into rdflib's memory first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import pyoxigraph as ox

from kgfuse.errors import PackError, QueryError
from kgfuse.graph.guard import refuse_remote
from kgfuse.reason.holding import Holding, raw_store
from kgfuse.terms.namespaces import GRAPH_PREDICTED, GRAPH_PROVENANCE, RDF, SH

if TYPE_CHECKING:
    import rdflib

_NOT_SOURCES: Final = frozenset({GRAPH_PREDICTED, GRAPH_PROVENANCE})


@dataclass(frozen=True, slots=True)
class Violation:
    """One SHACL result.

    Args:
        focus: IRI of the node that breaks the shape (``_:…`` for a blank node, N-Triples form for a literal).
        path: property path in SPARQL's notation, IRIs in full; ``None`` for a constraint on the node itself.
        value: the offending value: an IRI, ``_:…``, or a literal in N-Triples form.
        message: what is wrong, for people.
        severity: ``Violation``, ``Warning`` or ``Info``, or the IRI of another severity.
        shape: IRI of the shape, or of the named shape that holds it.
        component: local name of the constraint, such as ``MaxCountConstraintComponent``.
        sources: graphs that hold the offending triples (for a missing value: that speak of the focus node).
    """

    focus: str
    path: str | None
    value: str | None
    message: str
    severity: str
    shape: str
    component: str
    sources: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def validate(store: Holding, shapes: rdflib.Graph | Sequence[rdflib.Graph]) -> list[Violation]:
    """Check the store's default graph against SHACL shapes.

    Args:
        store: what holds, in its default graph; named graphs are only asked who says so.
        shapes: SHACL Core and SHACL-SPARQL; no JavaScript, no rules, no imports from elsewhere.
            Several graphs count as one.

    Returns:
        Violations in a fixed order: by focus, path, value, shape, message.

    Raises:
        PackError: the shapes themselves are broken, or ask another server.
    """
    import pyshacl
    import rdflib
    from pyshacl.errors import ReportableRuntimeError

    if not isinstance(shapes, rdflib.Graph):
        shapes = sum(shapes, rdflib.Graph())
    if len(shapes) == 0:
        return []
    _refuse_services(shapes)
    try:
        # no local may hold the store itself: pySHACL keeps its callers' frames in cycles, and with them its lock
        _, report, text = pyshacl.validate(
            memory_graph(raw_store(store)),
            shacl_graph=shapes,
            inplace=True,
            advanced=False,
            js=False,
            do_owl_imports=False,
            inference="none",
        )
    except ReportableRuntimeError as error:
        raise PackError(f"the SHACL shapes cannot be read: {error}", remedy="correct the shapes file") from error
    if not isinstance(report, rdflib.Graph):
        raise PackError(f"the SHACL shapes cannot be applied: {text}", remedy="correct the shapes file")
    results = report.objects(None, rdflib.URIRef(SH + "result"))
    found = {_violation(raw_store(store), shapes, report, result) for result in results}
    return sorted(found, key=lambda v: (v.focus, v.path or "", v.value or "", v.shape, v.component, v.message))


def memory_graph(store: ox.Store) -> rdflib.Graph:
    """A copy of the default graph in rdflib's memory; lexical forms and blank nodes stay what they are."""
    import rdflib

    terms: dict[object, rdflib.term.Node] = {}

    def convert(term: object) -> rdflib.term.Node:
        node = terms.get(term)
        if node is None:
            if isinstance(term, ox.NamedNode):
                node = rdflib.URIRef(term.value)
            elif isinstance(term, ox.BlankNode):
                node = rdflib.BNode(term.value)
            elif isinstance(term, ox.Literal):
                datatype = None if term.language else rdflib.URIRef(term.datatype.value)
                node = rdflib.Literal(term.value, lang=term.language, datatype=datatype, normalize=False)
            else:
                raise TypeError(f"no RDF 1.1 term: {term}")
            terms[term] = node
        return node

    graph = rdflib.Graph(bind_namespaces="none")
    for quad in store.quads_for_pattern(None, None, None, ox.DefaultGraph()):
        if not isinstance(quad.object, ox.Triple):
            graph.add((convert(quad.subject), convert(quad.predicate), convert(quad.object)))
    return graph


def _refuse_services(shapes: rdflib.Graph) -> None:
    import rdflib

    for name in ("select", "ask", "construct", "update"):
        for shape, query in shapes.subject_objects(rdflib.URIRef(SH + name)):
            try:
                refuse_remote(str(query), update=name == "update")
            except QueryError as error:
                raise PackError(error.what, where=_named_shape(shapes, shape), remedy=error.remedy) from error


def _violation(store: ox.Store, shapes: rdflib.Graph, report: rdflib.Graph, result: rdflib.term.Node) -> Violation:
    import rdflib

    def one(name: str) -> rdflib.term.Node | None:
        return report.value(result, rdflib.URIRef(SH + name), any=True)

    focus, path, value, shape = one("focusNode"), one("resultPath"), one("value"), one("sourceShape")
    messages = sorted(str(m) for m in report.objects(result, rdflib.URIRef(SH + "resultMessage")))
    severity = str(one("resultSeverity") or SH + "Violation")
    return Violation(
        focus=_text(focus),
        path=None if path is None else path_text(report, path),
        value=None if value is None else _text(value),
        message=" ".join(messages) or "breaks the shape",
        severity=severity.removeprefix(SH),
        shape=_named_shape(shapes, shape),
        component=str(one("sourceConstraintComponent") or "").removeprefix(SH),
        sources=_sources(store, focus, path, value),
    )


def path_text(graph: rdflib.Graph, path: rdflib.term.Node) -> str:
    """A SHACL property path in SPARQL's notation."""
    import rdflib
    from rdflib.collection import Collection

    if isinstance(path, rdflib.URIRef):
        return str(path)
    for name, form in (
        ("inversePath", "^{}"),
        ("zeroOrMorePath", "{}*"),
        ("oneOrMorePath", "{}+"),
        ("zeroOrOnePath", "{}?"),
    ):
        inner = graph.value(path, rdflib.URIRef(SH + name))
        if inner is not None:
            return form.format(path_text(graph, inner))
    choices = graph.value(path, rdflib.URIRef(SH + "alternativePath"))
    members = [path_text(graph, member) for member in Collection(graph, choices if choices is not None else path)]
    return "(" + ("|" if choices is not None else "/").join(members) + ")"


def _text(node: rdflib.term.Node | None) -> str:
    import rdflib

    if isinstance(node, rdflib.Literal):
        return str(_literal(node))
    return f"_:{node}" if isinstance(node, rdflib.BNode) else str(node)


def _literal(node: rdflib.Literal) -> ox.Literal:
    if node.language:
        return ox.Literal(str(node), language=node.language)
    return ox.Literal(str(node), datatype=ox.NamedNode(str(node.datatype))) if node.datatype else ox.Literal(str(node))


def _named_shape(shapes: rdflib.Graph, shape: rdflib.term.Node | None) -> str:
    """The shape's IRI; of a blank shape, that of the nearest named node that refers to it."""
    import rdflib

    seen: set[rdflib.term.Node] = set()
    level = [] if shape is None else [shape]
    while level:
        named = sorted(str(node) for node in level if isinstance(node, rdflib.URIRef))
        if named:
            return named[0]
        seen.update(level)
        level = [s for node in level for s in shapes.subjects(None, node) if s not in seen]
    return "" if shape is None else _text(shape)


def _sources(
    store: ox.Store, focus: rdflib.term.Node | None, path: rdflib.term.Node | None, value: rdflib.term.Node | None
) -> tuple[str, ...]:
    import rdflib

    if not isinstance(focus, rdflib.URIRef | rdflib.BNode):
        return ()
    subject = ox.NamedNode(str(focus)) if isinstance(focus, rdflib.URIRef) else ox.BlankNode(str(focus))
    predicate = ox.NamedNode(str(path)) if isinstance(path, rdflib.URIRef) else None
    object_: ox.NamedNode | ox.BlankNode | ox.Literal | None = None
    if predicate is not None and value is not None:
        if isinstance(value, rdflib.URIRef):
            object_ = ox.NamedNode(str(value))
        elif isinstance(value, rdflib.BNode):
            object_ = ox.BlankNode(str(value))
        elif isinstance(value, rdflib.Literal):
            object_ = _literal(value)
    if path is None:  # a constraint on the node: who says that it is what the shape is about
        predicate = ox.NamedNode(RDF + "type")
    return _holders(store, subject, predicate, object_) or _holders(store, subject, None, None)


def _holders(
    store: ox.Store,
    subject: ox.NamedNode | ox.BlankNode,
    predicate: ox.NamedNode | None,
    object_: ox.NamedNode | ox.BlankNode | ox.Literal | None,
) -> tuple[str, ...]:
    quads = store.quads_for_pattern(subject, predicate, object_, None)
    graphs = {quad.graph_name.value for quad in quads if isinstance(quad.graph_name, ox.NamedNode)}
    return tuple(sorted(graphs - _NOT_SOURCES))
