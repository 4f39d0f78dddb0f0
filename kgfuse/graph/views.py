"""The graph for Python: neighbours, paths, rdflib, NetworkX, PyTorch Geometric."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

import pyoxigraph as ox

from kgfuse.errors import UsageError
from kgfuse.graph import labels as names
from kgfuse.graph import networkx_view, tables
from kgfuse.graph.arcs import Arcs, walkable
from kgfuse.graph.arrays import Exclude
from kgfuse.graph.finding import Moment, find
from kgfuse.graph.neighbors import Description, Neighbor, describe, neighbors
from kgfuse.graph.nodes import named, node, plain, shrink
from kgfuse.graph.paths import Path, Step, best_paths, shortest_path
from kgfuse.graph.pyg_view import HeteroGraph, PygGraph, heterogeneous, homogeneous
from kgfuse.graph.records import StatementRecord, provenance_of, statements_about
from kgfuse.graph.store import GraphStore
from kgfuse.graph.subgraph import Subgraph, subgraph
from kgfuse.graph.tables import Statistics
from kgfuse.terms.mentions import Value
from kgfuse.terms.namespaces import RDF

if TYPE_CHECKING:
    import networkx
    import pandas
    import rdflib
    from rdflib import Graph

    from kgfuse.graph.columns import Columns

Prover: TypeAlias = Callable[[ox.NamedNode, ox.NamedNode, ox.NamedNode | ox.Literal], Any]


class KnowledgeGraph:
    """What holds, seen from Python. IRIs are given in full or with a known prefix, as ``ent:owl``.

    Args:
        store: where it is kept.
        prover: finds the proof of a triple; who knows the rules brings it.
    """

    def __init__(self, store: GraphStore, prover: Prover | None = None) -> None:
        self.store = store
        self._prover = prover
        self._walked: tuple[Columns, object, Arcs] | None = None

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

    def neighbors(
        self, name: str, properties: Collection[str] | None = None, *, min_confidence: float = 0.0
    ) -> list[Neighbor]:
        """Everything one edge away, in both directions, of these properties and so sure only where given; sorted."""
        wanted = None if properties is None else {self.iri(p) for p in properties}
        found = neighbors(self.store, self.iri(name), wanted)
        return [n for n in found if n.confidence >= min_confidence]

    def path(
        self,
        a: str,
        b: str,
        max_hops: int = 4,
        *,
        properties: Collection[str] | None = None,
        min_confidence: float = 0.0,
        through_types: bool = False,
    ) -> tuple[Step, ...] | None:
        """Fewest edges from a to b in either direction, without the ontology's axioms; see ``paths.shortest_path``."""
        arcs = self._arcs(properties, min_confidence, through_types)
        return shortest_path(self.store.columns, arcs, self.iri(a), self.iri(b), max_hops)

    def paths(
        self,
        a: str,
        b: str,
        k: int = 3,
        *,
        properties: Collection[str] | None = None,
        max_hops: int = 4,
        min_confidence: float = 0.0,
        through_types: bool = False,
    ) -> list[Path]:
        """The k surest paths from a to b: by the product of their edges' confidences, then fewest edges.

        No path passes a node twice; between two nodes the surest edge stands for all. An inferred edge has
        confidence 1 (its premises' confidences are not multiplied), as an imported one has.

        Args:
            a: where from.
            b: where to.
            k: how many.
            properties: only along these.
            max_hops: longest path to look for.
            min_confidence: only along edges of so much confidence.
            through_types: go along ``rdf:type`` too, which puts all members of a class two hops apart.
        """
        arcs = self._arcs(properties, min_confidence, through_types)
        return best_paths(self.store, arcs, self.iri(a), self.iri(b), k, max_hops)

    def subgraph(
        self,
        names: str | Iterable[str],
        hops: int = 1,
        *,
        properties: Collection[str] | None = None,
        min_confidence: float = 0.0,
        limit: int = 1000,
    ) -> Subgraph:
        """What lies around some things: all that is so many edges away in either direction, and the edges between.

        The way goes along facts, not along axioms or ``rdf:type``; each node has its types and literals.

        Args:
            names: of one thing, or several.
            hops: how far.
            properties: only along these.
            min_confidence: only what is said with so much confidence; inferred edges have 1.
            limit: at most so many edges between things, the nearest and then the surest.
        """
        chosen = [names] if isinstance(names, str) else names
        return subgraph(
            self.store.columns,
            [self.iri(n) for n in chosen],
            self.store.prefixes,
            hops,
            properties=None if properties is None else {self.iri(p) for p in properties},
            min_confidence=min_confidence,
            limit=limit,
        )

    def describe(self, name: str) -> Description:
        """Label, types, definition and neighbours of one thing."""
        return describe(self.store, self.iri(name))

    def statements_about(
        self, s: str | None = None, p: str | None = None, o: str | Value | None = None
    ) -> list[StatementRecord]:
        """Statement nodes whose triple matches, with their mentions."""
        obj = self.iri(o) if isinstance(o, str) else o
        return statements_about(self.store, s and self.iri(s), p and self.iri(p), obj)

    def statements(
        self,
        subject: str | None = None,
        predicate: str | None = None,
        object: str | Value | None = None,
        *,
        min_confidence: float = 0.0,
        source: str | None = None,
        since: Moment | None = None,
        until: Moment | None = None,
        time_property: str | None = None,
        limit: int | None = None,
    ) -> list[StatementRecord]:
        """Statements that hold and match, each with its provenance; one for each graph that says a triple.

        Args:
            subject: ``None`` matches all, here and below.
            predicate: a property.
            object: a name, or a literal as ``Value``.
            min_confidence: only statements of so much confidence.
            source: only what this graph says.
            since: only about subjects of which the graph states a date or time from then on.
            until: and until then; a day counts whole, and what names no zone is taken as UTC.
            time_property: the date or time is looked for under this property; under any where not given.
            limit: at most so many.

        Raises:
            UsageError: a text for since or until that is not ISO 8601.
        """
        return find(
            self.store,
            subject and self.iri(subject),
            predicate and self.iri(predicate),
            self.iri(object) if isinstance(object, str) else object,
            min_confidence=min_confidence,
            source=source and self.iri(source),
            since=since,
            until=until,
            time_property=time_property and self.iri(time_property),
            limit=limit,
        )

    def provenance_of(self, s: str, p: str, o: str | Value) -> list[StatementRecord]:
        """Every graph that says this triple, with characters, boxes and times where it was extracted."""
        return provenance_of(self.store, self.iri(s), self.iri(p), self.iri(o) if isinstance(o, str) else o)

    def prove(self, s: str, p: str, o: str | Value) -> Any:
        """Proof tree of a triple, down to what sources assert; ``None`` where it does not hold.

        Args:
            s: a thing.
            p: a property; ``a`` stands for ``rdf:type``.
            o: a thing or a literal; text in double quotes is a literal too.

        Raises:
            UsageError: a name that is none, or a graph that knows no rules.
        """
        if self._prover is None:
            raise UsageError("this graph knows no rules", remedy="prove with a workspace's graph")
        if isinstance(o, str) and o.startswith('"'):
            if not o.endswith('"') or len(o) < 2:
                raise UsageError(f"{o} is no literal", remedy='write it in double quotes, such as "red"')
            o = Value(o[1:-1])
        predicate = RDF + "type" if p == "a" else self.iri(p)
        return self._prover(named(self.iri(s)), named(predicate), node(self.iri(o)) if isinstance(o, str) else node(o))

    @property
    def rdflib(self) -> rdflib.Dataset:
        """The same store as an rdflib dataset, for reading: its default graph is what holds."""
        from kgfuse.graph.rdflib_view import dataset

        return dataset(self.store)

    def to_rdflib(self, graphs: Iterable[str] | None = None) -> Graph:
        """What holds, or what some named graphs say, as an rdflib graph in memory: owlrl and others may change it."""
        from kgfuse.graph.rdflib_view import copied

        return copied(self.store, graphs)

    def to_pandas(self) -> pandas.DataFrame:
        """Every triple that holds: subject, predicate, object, confidence, status, sources.

        Literals are in N-Triples form; an inferred triple has confidence 1.
        """
        return tables.to_pandas(self.store.columns, self.store.columns.edges)

    def statistics(self) -> Statistics:
        """Triples by status, nodes, relations, members of classes, degrees."""
        return tables.statistics(self.store.columns)

    def to_networkx(self, *, literals: bool = False, graphs: Iterable[str] | None = None) -> networkx.MultiDiGraph:
        """A NetworkX multi-digraph.

        Nodes are IRIs with ``label`` and ``values`` (property → Python values of its literals); edges have the
        property's IRI as key and ``predicate``, ``label``, ``confidence`` and ``sources``.

        Args:
            literals: make literals nodes of their own, in N-Triples form, rather than values.
            graphs: IRIs of named graphs; what holds where not given.
        """
        return networkx_view.to_networkx(self.store, self.short, literals=literals, graphs=graphs)

    @overload
    def to_pyg(
        self,
        exclude: Exclude = None,
        *,
        graphs: Iterable[str] | None = None,
        hetero: Literal[False] = False,
        literals: Literal["nodes", "features"] = "nodes",
    ) -> PygGraph: ...

    @overload
    def to_pyg(
        self, exclude: Exclude = None, *, graphs: Iterable[str] | None = None, hetero: Literal[True]
    ) -> HeteroGraph: ...

    def to_pyg(
        self,
        exclude: Exclude = None,
        *,
        graphs: Iterable[str] | None = None,
        hetero: bool = False,
        literals: Literal["nodes", "features"] = "nodes",
    ) -> PygGraph | HeteroGraph:
        """A PyTorch Geometric graph, with the way back to IRIs.

        Args:
            exclude: triples to leave out, or a predicate that says so.
            graphs: IRIs of named graphs; what holds where not given.
            hetero: a node type for each class (the most special asserted one of a node), a relation type for each
                property between two of them; literals are features.
            literals: nodes of their own, or features: numbers and dates as normalised columns with a mask, texts as
                they are for the caller to encode.
        """
        if hetero:
            return heterogeneous(self.store, self.short, exclude, graphs=graphs)
        return homogeneous(self.store, exclude, graphs=graphs, literals=literals)

    def _arcs(self, properties: Collection[str] | None, min_confidence: float, through_types: bool) -> Arcs:
        """What may be walked; that of the last call is kept as long as the graph stays what it is."""
        wanted = None if properties is None else frozenset(self.iri(p) for p in properties)
        columns, chosen, walked = self.store.columns, (wanted, min_confidence, through_types), self._walked
        if walked is None or walked[0] is not columns or walked[1] != chosen:
            rows = walkable(columns, wanted, min_confidence, through_types=through_types)
            walked = self._walked = (columns, chosen, Arcs.of(rows))
        return walked[2]
