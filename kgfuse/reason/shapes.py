"""SHACL over what holds: pySHACL on what the shapes can touch of the store's default graph.

pySHACL can read a pyoxigraph store itself, but each of its many small look-ups then costs time that grows with the
store (20,000 focus nodes: 220 s against 3 s), so what the shapes can touch is copied into rdflib's memory first.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from kgfuse.errors import PackError, QueryError
from kgfuse.graph.guard import refuse_remote
from kgfuse.graph.records import MentionRecord
from kgfuse.reason.holding import Holding, raw_store
from kgfuse.reason.shapes_evidence import evidence
from kgfuse.reason.shapes_scope import as_stored, memory_graph, scope_of
from kgfuse.reason.shapes_terms import node_text, path_text
from kgfuse.terms.mentions import Region, Selector, TextSpan, TimeSpan
from kgfuse.terms.namespaces import SH

if TYPE_CHECKING:
    import rdflib


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
        mentions: the characters, boxes or times that those triples were read from; a few where there are many.
    """

    focus: str
    path: str | None
    value: str | None
    message: str
    severity: str
    shape: str
    component: str
    sources: tuple[str, ...]
    mentions: tuple[MentionRecord, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Violation:
        """What ``to_dict`` wrote, also after JSON made lists of the tuples."""
        mentions = tuple(
            MentionRecord(**{**m, "selector": _selector(m["selector"]), "refers_to": tuple(m["refers_to"])})
            for m in record.get("mentions", ())
        )
        return cls(**{**record, "sources": tuple(record["sources"]), "mentions": mentions})


def validate(store: Holding, shapes: rdflib.Graph | Sequence[rdflib.Graph]) -> list[Violation]:
    """Check the store's default graph against SHACL shapes.

    Args:
        store: what holds, in its default graph; named graphs are only asked who says so, and a ``GraphStore`` for the
            mentions too.
        shapes: SHACL Core and SHACL-SPARQL; no JavaScript, no rules, no imports from elsewhere.
            Several graphs count as one. Literals are taken in the form in which the store keeps them.

    Returns:
        One for each SHACL result, in a fixed order: by focus, path, value, shape, component, message.

    Raises:
        PackError: the shapes themselves are broken, or ask another server.
    """
    import rdflib

    if not isinstance(shapes, rdflib.Graph):
        shapes = sum(shapes, rdflib.Graph())
    if len(shapes) == 0:
        return []
    _refuse_services(shapes)
    shapes = as_stored(shapes)
    # no local may hold the store itself: pySHACL keeps its callers' frames in cycles, and with them its lock
    with quiet():
        report = run_pyshacl(memory_graph(raw_store(store), scope_of(shapes)), shapes)
    results = report.objects(None, rdflib.URIRef(SH + "result"))
    found = [_violation(store, shapes, report, result) for result in results]
    return sorted(found, key=lambda v: (v.focus, v.path or "", v.value or "", v.shape, v.component, v.message))


def run_pyshacl(data: rdflib.Graph, shapes: rdflib.Graph) -> rdflib.Graph:
    """The validation report of a graph in memory.

    Raises:
        PackError: the shapes themselves are broken.
    """
    import pyshacl
    import rdflib

    try:
        _, report, text = pyshacl.validate(
            data, shacl_graph=shapes, inplace=True, advanced=False, js=False, do_owl_imports=False, inference="none"
        )
    except Exception as error:  # of pySHACL's own kinds, of rdflib's SPARQL parser, or a bare Exception for a prefix
        if isinstance(error, MemoryError | RecursionError):
            raise
        what = " ".join(str(getattr(error, "message", error)).split()) or type(error).__name__
        raise PackError(f"the SHACL shapes cannot be read: {what}", remedy="correct the shapes file") from error
    if not isinstance(report, rdflib.Graph):
        raise PackError(f"the SHACL shapes cannot be applied: {text}", remedy="correct the shapes file")
    return report


def broken_shape(shapes: rdflib.Graph) -> tuple[str, str] | None:
    """The first shape that pySHACL cannot read, if any: its IRI (or of the named shape that holds it), and why."""
    import rdflib

    targets = ("targetClass", "targetNode", "targetSubjectsOf", "targetObjectsOf", "path", "property")
    nodes = {s for t in targets for s in shapes.subjects(rdflib.URIRef(SH + t), None)}
    nodes |= {
        s for t in ("NodeShape", "PropertyShape") for s in shapes.subjects(rdflib.RDF.type, rdflib.URIRef(SH + t))
    }
    if not nodes:
        return "", "holds no SHACL shape"
    try:
        _refuse_services(shapes)
        with quiet():
            run_pyshacl(rdflib.Graph(), shapes)
    except PackError as whole:
        for node in sorted(nodes, key=str):
            if isinstance(node, rdflib.BNode):
                continue
            try:
                with quiet():
                    run_pyshacl(rdflib.Graph(), shapes.cbd(node))
            except PackError as error:
                return str(node), _without_blanks(shapes, error.what)
        return whole.where, _without_blanks(shapes, whole.what)
    return None


def _without_blanks(shapes: rdflib.Graph, what: str) -> str:
    """A message without names of blank nodes, which nobody has written."""
    import rdflib

    for node in shapes.all_nodes():
        if isinstance(node, rdflib.BNode):
            what = what.replace(f"'{node}'", "a shape without a name").replace(str(node), "a shape without a name")
    return what


@contextmanager
def quiet() -> Iterator[None]:
    """Without rdflib's tracebacks on literals that are not what they say: finding those is what shapes are for."""
    loggers = [logging.getLogger(name) for name in ("rdflib.term", "pyshacl-validate")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def named_shape(shapes: rdflib.Graph, shape: rdflib.term.Node | None) -> str:
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
    return "" if shape is None else node_text(shape)


def _refuse_services(shapes: rdflib.Graph) -> None:
    import rdflib

    for name in ("select", "ask", "construct", "update"):
        for shape, query in shapes.subject_objects(rdflib.URIRef(SH + name)):
            try:
                refuse_remote(str(query), update=name == "update")
            except QueryError as error:
                raise PackError(error.what, where=named_shape(shapes, shape), remedy=error.remedy) from error


def _violation(store: Holding, shapes: rdflib.Graph, report: rdflib.Graph, result: rdflib.term.Node) -> Violation:
    import rdflib

    def one(name: str) -> rdflib.term.Node | None:
        return report.value(result, rdflib.URIRef(SH + name), any=True)

    focus, path, value, shape = one("focusNode"), one("resultPath"), one("value"), one("sourceShape")
    messages = sorted(str(m) for m in report.objects(result, rdflib.URIRef(SH + "resultMessage")))
    severity = str(one("resultSeverity") or SH + "Violation")
    sources, mentions = evidence(store, focus, path, value)
    return Violation(
        focus="" if focus is None else node_text(focus),
        path=None if path is None else path_text(report, path),
        value=None if value is None else node_text(value),
        message=" ".join(messages) or "breaks the shape",
        severity=severity.removeprefix(SH),
        shape=named_shape(shapes, shape),
        component=str(one("sourceConstraintComponent") or "").removeprefix(SH),
        sources=sources,
        mentions=mentions,
    )


def _selector(record: Mapping[str, Any]) -> Selector:
    if "exact" in record:
        return TextSpan(**record)
    return Region(**record) if "w" in record else TimeSpan(**record)
