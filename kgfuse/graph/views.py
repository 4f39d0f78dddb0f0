"""The graph for Python: neighbours, paths, rdflib, NetworkX, PyTorch Geometric."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pyoxigraph as ox

from kgfuse.errors import UsageError
from kgfuse.graph import labels as names
from kgfuse.graph import networkx_view
from kgfuse.graph.arrays import Exclude, GraphView, arrays
from kgfuse.graph.nodes import named, node, plain, shrink
from kgfuse.graph.paths import Step, shortest_path
from kgfuse.graph.python_values import python_value
from kgfuse.graph.records import StatementRecord, provenance_of, statements_about
from kgfuse.graph.store import GraphStore
from kgfuse.terms.mentions import Value
from kgfuse.terms.namespaces import RDF, SKOS

if TYPE_CHECKING:
    import networkx
    import rdflib
    import torch_geometric.data


@dataclass(frozen=True, slots=True)
class Neighbor:
    """One edge of a node, seen from it.

    Args:
        property: IRI.
        direction: ``out`` when the node is the subject, ``in`` when it is the object.
        node: IRI at the other end, or the literal.
        label: of the other end.
        property_label: of the property.
        confidence: the highest of its statements; 1 where it was not extracted.
        sources: IRIs of the graphs that say so.
    """

    property: str
    direction: Literal["out", "in"]
    node: str | Value
    label: str
    property_label: str
    confidence: float
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Description:
    """What the graph knows of one thing."""

    iri: str
    label: str
    types: tuple[str, ...]
    definition: str
    neighbors: tuple[Neighbor, ...]


@dataclass(frozen=True)
class PygGraph:
    """A homogeneous PyTorch Geometric graph with the way back to IRIs.

    Args:
        data: ``edge_index`` (2, E), ``edge_type`` (E,), ``edge_confidence`` (E,), ``num_nodes``.
        view: nodes, relations and literals by number: ``view.nodes[i]``, ``view.node_index[iri]``.
    """

    data: torch_geometric.data.Data
    view: GraphView


class KnowledgeGraph:
    """What holds, seen from Python. IRIs are given in full or with a known prefix, as ``ent:owl``.

    Args:
        store: where it is kept.
    """

    def __init__(self, store: GraphStore) -> None:
        self.store = store

    def __len__(self) -> int:
        return self.store.size()

    def iri(self, name: str) -> str:
        """A full IRI for a name with a prefix.

        Raises:
            UsageError: neither an IRI nor a name with a known prefix.
        """
        prefix, colon, local = name.partition(":")
        if colon and prefix in self.store.prefixes and not local.startswith("//"):
            return self.store.prefixes[prefix] + local
        if not colon:
            raise UsageError(
                f"{name!r} is neither an IRI nor a name with a prefix",
                remedy="such as ent:" + name.replace(" ", "-").lower(),
            )
        return named(name).value

    def short(self, iri: str) -> str:
        """The name with a prefix, where one fits."""
        return shrink(iri, self.store.prefixes)

    def label(self, name: str) -> str:
        """The best label for people."""
        return names.label(self.store, self.iri(name))

    def triples(
        self, s: str | None = None, p: str | None = None, o: str | Value | None = None
    ) -> Iterator[tuple[str, str, str | Value]]:
        """Triples that hold and match; ``None`` matches all."""
        subject = None if s is None else named(self.iri(s))
        predicate = None if p is None else named(self.iri(p))
        obj = None if o is None else node(self.iri(o) if isinstance(o, str) else o)
        for quad in self.store.quads(subject, predicate, obj):
            yield str(plain(quad.subject)), quad.predicate.value, plain(quad.object)

    def neighbors(self, name: str, properties: Collection[str] | None = None) -> list[Neighbor]:
        """Everything one edge away, in both directions, of these properties only where given; sorted."""
        here = named(self.iri(name))
        wanted = None if properties is None else {self.iri(p) for p in properties}
        found = [
            self._neighbor(q, "out") for q in self.store.quads(here) if wanted is None or q.predicate.value in wanted
        ]
        found += [
            self._neighbor(q, "in")
            for q in self.store.quads(None, None, here)
            if q.subject != here and (wanted is None or q.predicate.value in wanted)
        ]
        return sorted(found, key=lambda n: (n.direction != "out", n.property, n.label, str(n.node)))

    def path(
        self,
        a: str,
        b: str,
        max_hops: int = 4,
        *,
        properties: Collection[str] | None = None,
        through_types: bool = False,
    ) -> tuple[Step, ...] | None:
        """Fewest edges from a to b in either direction, without the ontology's axioms; see ``paths.shortest_path``."""
        wanted = None if properties is None else {self.iri(p) for p in properties}
        return shortest_path(
            self.store, self.iri(a), self.iri(b), max_hops, properties=wanted, through_types=through_types
        )

    def describe(self, name: str) -> Description:
        """Label, types, definition and neighbours of one thing."""
        iri = self.iri(name)
        here = named(iri)
        types = sorted(str(plain(q.object)) for q in self.store.quads(here, named(RDF + "type")))
        definitions = sorted(
            str(python_value(q.object))
            for p in (SKOS + "definition", "http://www.w3.org/2000/01/rdf-schema#comment")
            for q in self.store.quads(here, named(p))
        )
        return Description(iri, self.label(iri), tuple(types), next(iter(definitions), ""), tuple(self.neighbors(iri)))

    def statements_about(
        self, s: str | None = None, p: str | None = None, o: str | Value | None = None
    ) -> list[StatementRecord]:
        """Statement nodes whose triple matches, with their mentions."""
        obj = self.iri(o) if isinstance(o, str) else o
        return statements_about(self.store, s and self.iri(s), p and self.iri(p), obj)

    def provenance_of(self, s: str, p: str, o: str | Value) -> list[StatementRecord]:
        """Every graph that says this triple, with characters, boxes and times where it was extracted."""
        return provenance_of(self.store, self.iri(s), self.iri(p), self.iri(o) if isinstance(o, str) else o)

    @property
    def rdflib(self) -> rdflib.Dataset:
        """The same store as an rdflib dataset, for reading: its default graph is what holds."""
        from oxrdflib import OxigraphStore
        from rdflib import Dataset

        dataset = Dataset(store=OxigraphStore(store=self.store.raw))
        for prefix, namespace in self.store.prefixes.items():
            dataset.bind(prefix, namespace, replace=True)
        return dataset

    def to_networkx(self, *, literals: bool = False, graphs: Iterable[str] | None = None) -> networkx.MultiDiGraph:
        """A NetworkX multi-digraph.

        Nodes are IRIs with ``label`` and ``values`` (property → Python values of its literals); edges have the
        property's IRI as key and ``predicate``, ``label``, ``confidence`` and ``sources``.

        Args:
            literals: make literals nodes of their own, in N-Triples form, rather than values.
            graphs: IRIs of named graphs; what holds where not given.
        """
        return networkx_view.to_networkx(self.store, self.short, literals=literals, graphs=graphs)

    def to_pyg(self, exclude: Exclude = None, *, graphs: Iterable[str] | None = None) -> PygGraph:
        """A homogeneous PyTorch Geometric graph; literals are nodes, features are the caller's to attach.

        Args:
            exclude: triples to leave out, or a predicate that says so.
            graphs: IRIs of named graphs; what holds where not given.
        """
        import torch
        from torch_geometric.data import Data

        view = arrays(self.store, exclude, graphs=graphs)
        edges = torch.from_numpy(view.edges.copy())
        data = Data(
            edge_index=edges[:, [0, 2]].t().contiguous(),
            edge_type=edges[:, 1].contiguous(),
            edge_confidence=torch.from_numpy(view.confidence.copy()),
            num_nodes=len(view.nodes),
        )
        return PygGraph(data, view)

    def _neighbor(self, quad: ox.Quad, direction: Literal["out", "in"]) -> Neighbor:
        other = plain(quad.object if direction == "out" else quad.subject)
        subject, obj = str(plain(quad.subject)), plain(quad.object)
        records = provenance_of(self.store, subject, quad.predicate.value, obj) if _addressable(quad) else []
        records = [r for r in records if r.status != "predicted"]
        return Neighbor(
            property=quad.predicate.value,
            direction=direction,
            node=other,
            label=other.lexical if isinstance(other, Value) else names.label(self.store, other),
            property_label=names.label(self.store, quad.predicate.value),
            confidence=max((r.confidence for r in records), default=1.0),
            sources=tuple(r.source for r in records),
        )


def _addressable(quad: ox.Quad) -> bool:
    terms: tuple[Any, ...] = (quad.subject, quad.object)
    return not any(isinstance(term, ox.BlankNode | ox.Triple) for term in terms)
