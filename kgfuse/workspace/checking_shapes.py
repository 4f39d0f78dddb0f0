"""The provenance graph against its SHACL shapes, and shapes of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyoxigraph as ox

from kgfuse.errors import PackError
from kgfuse.graph.nodes import text
from kgfuse.graph.store import GraphStore
from kgfuse.ontology.rdf import line_of, read_rdf, read_text, to_rdflib
from kgfuse.reason.shapes import broken_shape
from kgfuse.reason.shapes_scan import Broken, Scan
from kgfuse.terms.namespaces import BASE, GRAPH_PREDICTED, GRAPH_PROVENANCE

if TYPE_CHECKING:
    import rdflib

_ANSWER: Final = BASE + "shape/Answer"


def provenance_shapes() -> rdflib.Graph:
    """The shape set that every extracted statement conforms to."""
    import rdflib

    data = files("kgfuse.graph").joinpath("provenance.ttl").read_text(encoding="utf-8")
    return rdflib.Graph().parse(data=data, format="turtle")


def read_shapes(path: Path) -> rdflib.Graph:
    """A file of SHACL shapes in any RDF syntax.

    Raises:
        PackError: it cannot be read, or what it holds are no shapes; names the file and, where known, the line.
    """
    parsed = read_rdf(path, base=path.resolve().as_uri(), scope=path.name)
    shapes = to_rdflib(parsed.triples)
    if (broken := broken_shape(shapes)) is not None:
        shape, what = broken
        line = line_of(read_text(path), shape, parsed.prefixes) if shape else 0
        raise PackError(what, where=f"{path}:{line}" if line else path, remedy="see https://www.w3.org/TR/shacl/")
    return shapes


def provenance_violations(store: GraphStore) -> Iterator[tuple[str, str]]:
    """Nodes of ``kgf:provenance`` and answers in ``kgf:predicted`` that break the shapes, each with what is wrong."""
    scan = Scan(provenance_shapes())
    told: tuple[object, str] | None = None
    for graph, only in ((GRAPH_PROVENANCE, ()), (GRAPH_PREDICTED, (_ANSWER,))):
        for found in scan.run(store.raw, ox.NamedNode(graph), only):
            if told != (found.focus, found.message):  # two constraints of one property say the same
                told = (found.focus, found.message)
                yield text(found.focus), _what(found)


def _what(found: Broken) -> str:
    return found.message if found.value is None else f"{found.message}: {found.value}"
