"""Read one RDF file into triples: offline, without external entities, with the line where it breaks.

Blank nodes are named after their file and order, so the same file always gives the same triples.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyoxigraph as ox

from kgfuse.errors import PackError
from kgfuse.ontology.relation_lists import is_relation_list, relation_list_triples
from kgfuse.terms.namespaces import digest

if TYPE_CHECKING:
    import rdflib

FORMATS: Final[dict[str, ox.RdfFormat]] = {
    ".ttl": ox.RdfFormat.TURTLE,
    ".rdf": ox.RdfFormat.RDF_XML,
    ".xml": ox.RdfFormat.RDF_XML,
    ".nt": ox.RdfFormat.N_TRIPLES,
    ".nq": ox.RdfFormat.N_QUADS,
    ".trig": ox.RdfFormat.TRIG,
    ".n3": ox.RdfFormat.N3,
    ".jsonld": ox.RdfFormat.JSON_LD,
}
RDF_SUFFIXES: Final = frozenset(FORMATS) | {".owl", ".rdfs", ".skos", ".json", ".gz"}
_MAX_BYTES: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class RdfFile:
    """The triples of one file, and the prefixes that it declares."""

    triples: tuple[ox.Triple, ...]
    prefixes: dict[str, str]


def read_rdf(path: Path, *, base: str, scope: str) -> RdfFile:
    """Parse an RDF file; named graphs are flattened.

    Args:
        path: Turtle, RDF/XML, N-Triples, N-Quads, TriG, JSON-LD, or a list of concepts and relations in JSON
            (`relation_lists`), any of them gzipped; ``.owl`` is told apart by its first characters.
        base: IRI against which relative IRIs are resolved.
        scope: makes the names of this file's blank nodes its own.

    Raises:
        PackError: the file cannot be read or does not parse; names the file and, where known, the line.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise PackError("the file is larger than 1 GiB", where=path, remedy="add large data to a workspace instead")
        data = _unpacked(path.read_bytes(), path)
    except OSError as error:
        raise PackError(f"cannot be read: {error.strerror or error}", where=path) from error
    if (record := _relation_list(data)) is not None:
        return RdfFile(tuple(relation_list_triples(record, path)), {})
    suffix = path.with_suffix("").suffix if path.suffix.lower() == ".gz" else path.suffix
    format_ = FORMATS.get(suffix.lower()) or _sniff(data, path)
    try:
        parser = ox.parse(data, format_, base_iri=base)
        names: dict[str, ox.BlankNode] = {}
        prefix = "b" + digest(scope)[:12] + "x"
        triples = tuple(
            ox.Triple(_rename(q.subject, names, prefix), q.predicate, _rename(q.object, names, prefix)) for q in parser
        )
        return RdfFile(triples, dict(parser.prefixes))
    except SyntaxError as error:
        raise PackError(
            f"not valid {format_.name}: {_plain(error.msg)}",
            where=f"{path}:{error.lineno}" if error.lineno else path,
            remedy="repair the file, or give it the suffix of the format it is in",
        ) from error
    except (UnicodeDecodeError, ValueError) as error:
        raise PackError(f"not valid {format_.name}: {error}", where=path) from error


def _unpacked(data: bytes, path: Path) -> bytes:
    """The bytes, unzipped where they are gzipped; more than a file may hold is refused."""
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        unzip = zlib.decompressobj(zlib.MAX_WBITS | 16)
        found = unzip.decompress(data, _MAX_BYTES)
    except zlib.error as error:
        raise PackError(f"not valid gzip: {error}", where=path) from error
    if unzip.unconsumed_tail:
        raise PackError("holds more than 1 GiB", where=path, remedy="add large data to a workspace instead")
    return found


def _relation_list(data: bytes) -> Mapping[str, Any] | None:
    """The JSON of a list of concepts and relations, or ``None`` for anything else."""
    if not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") or b'"relations"' not in data:
        return None
    try:
        record = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return record if is_relation_list(record) else None


def _sniff(data: bytes, path: Path) -> ox.RdfFormat:
    """Format of a file whose suffix does not say it."""
    head = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith((b"<?xml", b"<!", b"<rdf:", b"<Ontology")):
        if b"<Ontology" in head and b"<rdf:RDF" not in head:
            raise PackError("OWL/XML is not an RDF format", where=path, remedy="save it as RDF/XML or Turtle")
        return ox.RdfFormat.RDF_XML
    if head.startswith((b"Prefix(", b"Ontology(", b"Prefix:", b"Ontology:")):
        raise PackError(
            "OWL functional and Manchester syntax are not RDF",
            where=path,
            remedy="save it as RDF/XML or Turtle",
        )
    if head.startswith((b"{", b"[{")):
        return ox.RdfFormat.JSON_LD
    return ox.RdfFormat.TURTLE


def _rename(
    term: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple, names: dict[str, ox.BlankNode], prefix: str
) -> Any:
    if not isinstance(term, ox.BlankNode):
        return term
    if term.value not in names:
        names[term.value] = ox.BlankNode(f"{prefix}{len(names)}")
    return names[term.value]


def _plain(message: str) -> str:
    """The parser's message without the place, which is told once in front."""
    return re.sub(r"^Parser error at line .*?: ", "", message)


def to_rdflib(triples: Iterator[ox.Triple] | tuple[ox.Triple, ...]) -> rdflib.Graph:
    """The triples as an rdflib graph; RDF 1.2 triple terms, which rdflib has not, are left out."""
    import rdflib

    def term(t: ox.NamedNode | ox.BlankNode | ox.Literal) -> rdflib.term.Node:
        if isinstance(t, ox.NamedNode):
            return rdflib.URIRef(t.value)
        if isinstance(t, ox.BlankNode):
            return rdflib.BNode(t.value)
        if t.language:
            return rdflib.Literal(t.value, lang=t.language)
        is_plain = t.datatype.value.endswith("#string")
        return rdflib.Literal(t.value, datatype=None if is_plain else rdflib.URIRef(t.datatype.value), normalize=False)

    graph = rdflib.Graph()
    for t in triples:
        if isinstance(t.subject, ox.Triple) or isinstance(t.object, ox.Triple):
            continue
        graph.add((term(t.subject), term(t.predicate), term(t.object)))
    return graph


def read_text(file: Path) -> str:
    """The file's text, in UTF-8.

    Raises:
        PackError: it cannot be read or is not UTF-8.
    """
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise PackError(f"cannot be read: {error.strerror or error}", where=file) from error
    except UnicodeDecodeError as error:
        raise PackError(f"not UTF-8 at byte {error.start}", where=file, remedy="save it as UTF-8") from error


def line_of(text: str, iri: str, prefixes: dict[str, str]) -> int:
    """Line (from 1) where a file speaks of an IRI: first as a subject, else anywhere; 0 where it is not found."""
    names = [f"<{iri}>", f'"{iri}"']
    for prefix, namespace in prefixes.items():
        if iri.startswith(namespace):
            names.append(f"{prefix}:{iri.removeprefix(namespace)}")
    alternatives = "|".join(re.escape(n) for n in names) + f"|<[^<>]*{re.escape(re.split('[#/]', iri)[-1])}>"
    for pattern in (rf"^(?:{alternatives})(?![\w-])", rf"(?<![\w:-])(?:{alternatives})(?![\w-])"):
        if found := re.search(pattern, text, re.MULTILINE):
            return text.count("\n", 0, found.start()) + 1
    return 0
