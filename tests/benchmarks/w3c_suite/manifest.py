"""The tests as the suite's manifests give them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final
from urllib.parse import urljoin

import pyoxigraph as ox
import rdflib
from rdflib import RDF, RDFS, Namespace
from rdflib.term import Node

BASE: Final = "https://w3c.github.io/rdf-tests/sparql/"
MF: Final = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
QT: Final = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-query#")
UT: Final = Namespace("http://www.w3.org/2009/sparql/tests/test-update#")
SD: Final = Namespace("http://www.w3.org/ns/sparql-service-description#")
_FROM: Final = re.compile(r"\bFROM\s+(?:NAMED\s+)?<([^>]*)>", re.I)
_FORMATS: Final = {".ttl": ox.RdfFormat.TURTLE, ".rdf": ox.RdfFormat.RDF_XML, ".nt": ox.RdfFormat.N_TRIPLES}


@dataclass(frozen=True)
class Data:
    """What a test's store holds: files of the default graph, and files of named graphs with their names."""

    default: tuple[str, ...] = ()
    named: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Test:
    """One test of a manifest; files are given by their IRIs."""

    folder: str
    name: str
    kind: str
    graph: rdflib.Graph = field(repr=False, compare=False)
    node: Node = field(repr=False, compare=False)

    @property
    def label(self) -> str:
        """How reports call it."""
        return f"{self.folder}/{self.name}"

    @cached_property
    def action(self) -> Node:
        """What is run: a query's file, or a description."""
        found = self.graph.value(self.node, MF.action)
        assert found is not None, self.label
        return found

    @cached_property
    def query(self) -> str:
        """IRI of the file with the query."""
        return str(self.graph.value(self.action, QT.query) or self.action)

    @cached_property
    def request(self) -> str:
        """IRI of the file with the update."""
        return str(self.graph.value(self.action, UT.request) or self.action)

    @cached_property
    def expected(self) -> Node:
        """A file with the result, or a description of a dataset."""
        found = self.graph.value(self.node, MF.result)
        assert found is not None, self.label
        return found

    @cached_property
    def lax(self) -> bool:
        """Whether rows may come less often than the result has them (REDUCED)."""
        return (self.node, MF.resultCardinality, MF.LaxCardinality) in self.graph

    @cached_property
    def regimes(self) -> tuple[str, ...]:
        """Entailment regimes under which the expected result holds."""
        return self._names(SD.entailmentRegime)

    @cached_property
    def profiles(self) -> tuple[str, ...]:
        """OWL profiles that suffice."""
        return self._names(SD.EntailmentProfile)

    def _names(self, predicate: Node) -> tuple[str, ...]:
        found = self.graph.value(self.action, predicate)
        if found is None:
            return ()
        several = list(self.graph.items(found)) if (found, RDF.first, None) in self.graph else [found]
        return tuple(re.split(r"[/#]", str(node))[-1] for node in several)

    def data(self, suite: Suite) -> Data:
        """The data of a query test; graphs that only its FROM clauses name are loaded under these names."""
        default = tuple(sorted(str(f) for f in self.graph.objects(self.action, QT.data)))
        named = {(str(f), str(f)) for f in self.graph.objects(self.action, QT.graphData)}
        if not default and not named:
            named = {(f, f) for f in (urljoin(self.query, i) for i in _FROM.findall(suite.text(self.query)))}
        return Data(default, tuple(sorted(named)))

    def dataset(self, node: Node) -> Data:
        """The dataset before or after an update."""
        default = tuple(sorted(str(f) for f in self.graph.objects(node, UT.data)))
        return Data(default, tuple(sorted(self.graph_data(node))))

    def graph_data(self, node: Node) -> Iterator[tuple[str, str]]:
        """Names and files of named graphs."""
        for each in self.graph.objects(node, UT.graphData):
            file = self.graph.value(each, UT.graph)
            yield str(self.graph.value(each, RDFS.label) or file), str(file if file is not None else each)


class Suite:
    """The folder ``sparql`` of rdf-tests.

    Args:
        folder: rdf-tests itself, or its ``sparql/sparql11``.
    """

    def __init__(self, folder: Path) -> None:
        for found in (folder / "sparql", folder, folder.parent):
            if (found / "sparql11" / "manifest-all.ttl").is_file():
                self.folder = found
                return
        raise SystemExit(f"{folder} is neither rdf-tests nor its sparql/sparql11")

    def tests(self, version: str = "sparql11") -> list[Test]:
        """All tests of a version, in the order of the manifests."""
        found = []
        for file in sorted((self.folder / version).rglob("manifest*.ttl")):
            graph = rdflib.Graph().parse(file, publicID=BASE + file.relative_to(self.folder).as_posix())
            for entries in graph.objects(None, MF.entries):
                for node in graph.items(entries):
                    kind = str(graph.value(node, RDF.type)).partition("#")[2]
                    found.append(Test(file.parent.name, str(node).partition("#")[2], kind, graph, node))
        return found

    def path(self, iri: str) -> Path:
        """The file of an IRI."""
        return self.folder / iri.removeprefix(BASE)

    def text(self, iri: str) -> str:
        """What a file says."""
        return self.path(iri).read_text(encoding="utf-8")

    def triples(self, iri: str) -> list[ox.Triple]:
        """The graph of a file."""
        format_ = _FORMATS[self.path(iri).suffix]
        # labels of blank nodes mean something within one file only
        parsed = ox.parse(path=str(self.path(iri)), format=format_, base_iri=iri, rename_blank_nodes=True)
        return [quad.triple for quad in parsed]

    def quads(self, data: Data) -> list[ox.Quad]:
        """All quads of a test's data."""
        quads = [ox.Quad(*triple) for file in data.default for triple in self.triples(file)]
        for name, file in data.named:
            quads += [ox.Quad(*triple, ox.NamedNode(name)) for triple in self.triples(file)]
        return quads
