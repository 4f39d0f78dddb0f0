"""The graph as a file in any common format, written whole or not at all."""

from __future__ import annotations

import contextlib
import io
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Final, TypeVar, cast

import pyoxigraph as ox

from kgfuse.errors import UsageError, WorkspaceError
from kgfuse.graph.arrays import holding
from kgfuse.graph.store import GraphStore
from kgfuse.graph.views import KnowledgeGraph
from kgfuse.terms.namespaces import RDF

_DATASETS: Final = {"trig": ox.RdfFormat.TRIG, "nquads": ox.RdfFormat.N_QUADS, "jsonld": ox.RdfFormat.JSON_LD}
_TRIPLES: Final = {"turtle": ox.RdfFormat.TURTLE, "ntriples": ox.RdfFormat.N_TRIPLES, "rdfxml": ox.RdfFormat.RDF_XML}
_SUFFIXES: Final = {
    ".ttl": "turtle",
    ".trig": "trig",
    ".nq": "nquads",
    ".nt": "ntriples",
    ".jsonld": "jsonld",
    ".rdf": "rdfxml",
    ".owl": "rdfxml",
    ".graphml": "graphml",
}
_TRIPLE_TERMS: Final = frozenset({"trig", "nquads"})
_REIFICATION: Final = tuple(ox.NamedNode(RDF + part) for part in ("subject", "predicate", "object"))
_REIFIES: Final = ox.NamedNode(RDF + "reifies")
_NAME_START: Final = (
    r"A-Z_a-z\xC0-\xD6\xD8-\xF6\xF8-\u02FF\u0370-\u037D\u037F-\u1FFF\u200C\u200D\u2070-\u218F\u2C00-\u2FEF"
    r"\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFFFD"  # and beyond, says XML 1.0, but not what expat reads
)
_XML_NAME: Final = re.compile(rf"[{_NAME_START}][{_NAME_START}0-9.\xB7\u0300-\u036F\u203F\u2040-]*$")
_ASTRAL: Final = re.compile(
    rf"[\U00010000-\U000EFFFF][{_NAME_START}\U00010000-\U000EFFFF0-9.\xB7\u0300-\u036F\u203F\u2040-]*$"
)
_OTHER: Final = "export Turtle, TriG or N-Quads"
_Said = TypeVar("_Said", ox.Triple, ox.Quad)
FORMATS: Final = (*_TRIPLES, *_DATASETS, "graphml")


def export(
    store: GraphStore,
    path: Path,
    format: str | None = None,
    graphs: Iterable[str] | None = None,
    *,
    rdf12: bool = False,
) -> Path:
    """Write the graph to a file.

    Args:
        store: what to write.
        path: the file; one that is there is replaced once the new one is complete.
        format: one of ``FORMATS``; told by the file's name where not given. Turtle, N-Triples, RDF/XML and GraphML
            hold one graph: what holds, or the union of ``graphs``. TriG, N-Quads and JSON-LD hold the whole dataset,
            or ``graphs`` under their names.
        graphs: IRIs of named graphs.
        rdf12: statement nodes say by ``rdf:reifies`` what they are about, as RDF 1.2 triple terms; for TriG and
            N-Quads.

    Raises:
        UsageError: no such format, no such graph, or something that the format cannot say: triple terms in RDF/XML
            and JSON-LD; properties without an XML name, or control characters, in RDF/XML.
        WorkspaceError: the file cannot be written.
    """
    format = format or format_of(path)
    if format not in FORMATS:
        raise UsageError(f"there is no export format {format!r}", remedy="one of " + ", ".join(FORMATS))
    chosen = None if graphs is None else list(graphs)
    missing = sorted(set(chosen or ()) - set(store.graphs()))
    if missing:
        raise UsageError(f"the workspace has no graph {missing[0]}", remedy="`kgfuse query` lists them: GRAPH ?g {…}")
    if rdf12 and format not in _TRIPLE_TERMS:
        raise UsageError(
            f"{format} has no triple terms", remedy="export RDF 1.2 as " + " or ".join(sorted(_TRIPLE_TERMS))
        )
    with _whole(path) as out:
        if format == "graphml":
            _graphml(store, out, chosen)
        elif format in _DATASETS:
            quads = _dataset(store, chosen)
            if format not in _TRIPLE_TERMS:
                quads = _without_triple_terms(quads, format)
            ox.serialize(_reifying(store, quads) if rdf12 else quads, out, _DATASETS[format], prefixes=store.prefixes)
        elif format == "rdfxml":
            triples = _in_xml(_without_triple_terms(holding(store, chosen), format))
            ox.serialize(triples, cast(IO[bytes], _Returns(out)), _TRIPLES[format], prefixes=store.prefixes)
        else:
            ox.serialize(holding(store, chosen), out, _TRIPLES[format], prefixes=store.prefixes)
    return path


def format_of(path: Path) -> str:
    """The format that a file's name tells.

    Raises:
        UsageError: it tells none.
    """
    found = _SUFFIXES.get(path.suffix.lower())
    if found is None:
        raise UsageError(
            f"the name does not tell a format: {path.name}", remedy="end it in one of " + ", ".join(_SUFFIXES)
        )
    return found


def _dataset(store: GraphStore, graphs: list[str] | None) -> Iterator[ox.Quad]:
    if graphs is None:
        return iter(store.raw)
    return (quad for graph in dict.fromkeys(graphs) for quad in store.quads(graph=graph))


def _reifying(store: GraphStore, quads: Iterable[ox.Quad]) -> Iterator[ox.Quad]:
    """Quads of RDF 1.2: one triple term in place of subject, predicate and object of a statement node."""
    for quad in quads:
        if quad.predicate not in _REIFICATION or isinstance(quad.graph_name, ox.DefaultGraph):
            yield quad
            continue
        node, graph = quad.subject, quad.graph_name
        parts = [next(store.raw.quads_for_pattern(node, part, None, graph), None) for part in _REIFICATION]
        s, p, o = (None if part is None else part.object for part in parts)
        if not isinstance(s, ox.NamedNode | ox.BlankNode) or not isinstance(p, ox.NamedNode) or o is None:
            yield quad  # no whole statement
        elif quad.predicate == _REIFICATION[0]:
            yield ox.Quad(node, _REIFIES, ox.Triple(s, p, o), graph)


def _without_triple_terms(said: Iterable[_Said], format: str) -> Iterator[_Said]:
    for one in said:
        if isinstance(one.object, ox.Triple):
            raise UsageError(f"{format} cannot say a triple term: {one.object}", remedy=_OTHER)
        yield one


def _in_xml(triples: Iterable[ox.Triple]) -> Iterator[ox.Triple]:
    """The triples, as long as RDF/XML can say them: it has no way round a property that ends in no XML name."""
    known: set[ox.NamedNode] = set()
    for triple in triples:
        if triple.predicate not in known:
            if not _XML_NAME.search(triple.predicate.value) or _ASTRAL.search(triple.predicate.value):
                what = f"RDF/XML cannot say the property {triple.predicate.value}: it does not end in an XML name"
                raise UsageError(what, remedy=_OTHER)
            known.add(triple.predicate)
        if isinstance(triple.object, ox.Literal) and _xml(triple.object.value) != triple.object.value:
            what = f"RDF/XML cannot say the control characters of {triple.object.value!r} on {triple.subject}"
            raise UsageError(what, remedy=_OTHER)
        yield triple


class _Returns:
    """Writes carriage returns as references: XML parsers read them as line feeds otherwise."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out

    def write(self, data: bytes) -> int:
        self._out.write(data.replace(b"\r", b"&#xD;"))
        return len(data)

    def flush(self) -> None:
        self._out.flush()


def _graphml(store: GraphStore, out: IO[bytes], graphs: list[str] | None) -> None:
    """GraphML knows only scalar attributes: values and sources are joined."""
    import networkx

    graph = KnowledgeGraph(store).to_networkx(graphs=graphs)
    plain = networkx.MultiDiGraph()
    for iri, data in graph.nodes(data=True):
        values = {p: "; ".join(_xml(v) for v in found) for p, found in data["values"].items()}
        plain.add_node(_xml(iri), **{**values, "label": _xml(data["label"])})
    for s, o, key, data in graph.edges(keys=True, data=True):
        attributes = {k: data[k] for k in ("predicate", "label", "confidence")}
        plain.add_edge(_xml(s), _xml(o), key=key, **attributes, sources=" ".join(data["sources"]))
    buffer = io.BytesIO()
    networkx.write_graphml(plain, buffer, encoding="utf-8")
    out.write(buffer.getvalue())


def _xml(value: object) -> str:
    """Text without the control characters that XML 1.0 cannot hold."""
    return "".join(c for c in str(value) if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff"))


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[IO[bytes]]:
    partial: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        partial = Path(name)
        with os.fdopen(handle, "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        partial.chmod(0o666 & ~_umask())
        partial.replace(path)
    except OSError as e:
        raise WorkspaceError(
            f"cannot be written: {e.strerror or e}", where=path, remedy="check the folder, its permissions and space"
        ) from e
    finally:
        if partial is not None:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
