"""The provenance graph against its SHACL shapes, in pieces that fit in memory."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyoxigraph as ox

from kgfuse.graph import provenance as prov
from kgfuse.graph.store import GraphStore
from kgfuse.ontology.rdf import read_rdf, to_rdflib
from kgfuse.reason.shapes import validate
from kgfuse.terms.namespaces import GRAPH_PROVENANCE, KGF, OA, RDF, SH

if TYPE_CHECKING:
    import rdflib

_PIECE: Final = 1000
_KINDS: Final = {
    RDF + "Statement": (),
    KGF + "Mention": (OA + "TextPositionSelector", OA + "TextQuoteSelector", OA + "FragmentSelector"),
    KGF + "Source": (),
    KGF + "Run": (),
}
"""Classes of nodes, with those of their parts."""
_REFERS: Final = (prov.DERIVED_FROM, prov.GENERATED_BY, prov.HAS_SOURCE, prov.IN_GRAPH)


def provenance_shapes() -> rdflib.Graph:
    """The shape set that every extracted statement conforms to."""
    import rdflib

    data = files("kgfuse.graph").joinpath("provenance.ttl").read_text(encoding="utf-8")
    return rdflib.Graph().parse(data=data, format="turtle")


def read_shapes(path: Path) -> rdflib.Graph:
    """A file of SHACL shapes in any RDF syntax.

    Raises:
        PackError: it cannot be read; names the file and, where known, the line.
    """
    return to_rdflib(read_rdf(path, base=path.resolve().as_uri(), scope=path.name).triples)


def provenance_violations(store: GraphStore, checked: dict[str, int]) -> Iterator[tuple[str, str]]:
    """Nodes of ``kgf:provenance`` that break the shapes, each with what is wrong; counts what was checked.

    Nodes are validated a piece at a time, with all they refer to.
    """
    for kind, parts in _KINDS.items():
        shapes = _of(provenance_shapes(), {kind, *parts})
        nodes = (q.subject for q in store.quads(None, prov.TYPE, ox.NamedNode(kind), GRAPH_PROVENANCE))
        while piece := list(islice(nodes, _PIECE)):
            if kind == RDF + "Statement":
                checked["statements"] = checked.get("statements", 0) + len(piece)
            part = ox.Store()
            part.extend(quad for node in piece for quad in _about(store, node))
            for found in validate(part, shapes):
                yield found.focus, found.message + (f" ({found.path})" if found.path else "")


def _of(shapes: rdflib.Graph, classes: set[str]) -> rdflib.Graph:
    """The shapes with these targets only: nodes of others are here to be referred to."""
    import rdflib

    target = rdflib.URIRef(SH + "targetClass")
    for shape, cls in list(shapes.subject_objects(target)):
        if str(cls) not in classes:
            shapes.remove((shape, target, cls))
    return shapes


def _about(store: GraphStore, node: ox.NamedNode | ox.BlankNode | ox.Triple) -> Iterator[ox.Quad]:
    """What is said of a node and its selectors, and what those are that it refers to."""
    for quad in store.quads(node, None, None, GRAPH_PROVENANCE):
        yield ox.Quad(quad.subject, quad.predicate, quad.object)
        if quad.predicate == prov.HAS_SELECTOR and isinstance(quad.object, ox.NamedNode):
            yield from _about(store, quad.object)
        elif quad.predicate in _REFERS and isinstance(quad.object, ox.NamedNode):
            for kind in store.quads(quad.object, prov.TYPE, None, GRAPH_PROVENANCE):
                yield ox.Quad(kind.subject, kind.predicate, kind.object)
