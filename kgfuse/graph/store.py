"""The graph: one RDF dataset in Oxigraph whose default graph is exactly what holds."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Final

import pyoxigraph as ox

from kgfuse.errors import UsageError, WorkspaceError
from kgfuse.graph import canonical
from kgfuse.graph.nodes import Subject, Term, named, stored_triple
from kgfuse.graph.query import QueryResult, run_query, run_update
from kgfuse.terms.namespaces import GRAPH_INFERRED, GRAPH_PREDICTED, GRAPH_PROVENANCE, KGF, ONTOLOGY, PREFIXES

DEFAULT: Final = ox.DefaultGraph()
_OWN_REFERENCES: Final = 2  # the local name and the argument of getrefcount
_BULK: Final = 20_000  # from here on writing new files beats one transaction
# what only this graph says leaves the default graph: `_held` for a whole graph at once, inside the engine
_RELEASE: Final = f"""
DELETE {{ ?s ?p ?o }} WHERE {{
  GRAPH ?gone {{ ?s ?p ?o }}
  FILTER NOT EXISTS {{
    GRAPH ?other {{ ?s ?p ?o }}
    FILTER(?other != ?gone && (?other = <{GRAPH_INFERRED}> || !STRSTARTS(STR(?other), "{KGF}")))
  }}
}}"""


@dataclass(frozen=True, slots=True)
class Counts:
    """Triples by status; ``holding`` is the default graph, where one that several graphs say counts once."""

    holding: int
    sources: int
    ontologies: int
    inferred: int
    predicted: int
    provenance: int
    graphs: int


def holds(graph: str) -> bool:
    """Whether what this graph says holds: sources, ontologies and the closure; never what is predicted or provenance.

    >>> holds("https://w3id.org/kgfuse#predicted")
    False
    """
    return graph == GRAPH_INFERRED or not graph.startswith(KGF)


class GraphStore:
    """Named graphs say who says what; the default graph holds one copy of every triple that holds.

    A triple leaves the default graph when the last graph that says it lets go of it. Each write is safe against being
    killed: doing it again ends in the same dataset.

    Args:
        path: folder of the store, created where missing; ``None`` keeps it in memory.
        prefixes: short names for queries and views, beside kgfuse's own.
        read_only: open a snapshot (see ``snapshot``) without writing to it.

    Raises:
        WorkspaceError: from any call, when the folder is damaged, locked by another process, or the disk is full.
    """

    def __init__(
        self, path: Path | None = None, prefixes: Mapping[str, str] | None = None, *, read_only: bool = False
    ) -> None:
        self.path = path
        self.read_only = read_only
        self.prefixes: dict[str, str] = {**PREFIXES, **(prefixes or {})}
        with self._told("cannot be opened"):
            if path is None:
                self.raw = ox.Store()
            else:
                self.raw = ox.Store.read_only(str(path)) if read_only else ox.Store(str(path))

    # writing

    def replace_graph(self, graph: str, triples: Iterable[ox.Triple | ox.Quad]) -> tuple[int, int]:
        """Make a named graph say exactly these triples, and keep the default graph in step.

        Args:
            graph: IRI of the graph.
            triples: triples, or quads whose own graph name is passed over; a triple may come twice.

        Returns:
            How many triples the graph gained and lost.
        """
        if graph == GRAPH_PROVENANCE:
            raise UsageError("provenance is shared by all sources", remedy="use provenance.replace_provenance")
        name = self._writable(graph)
        with self._told("could not be written"):
            if next(self.raw.quads_for_pattern(None, None, None, name), None) is None:
                return self._fill(name, triples), 0
            new = {stored_triple(t) for t in triples}
            return self._change(name, new) if new else (0, self._drop(name))

    def remove_graph(self, graph: str) -> int:
        """Take a named graph away with all that only it said; returns how many triples it had."""
        return self.replace_graph(graph, ())[1]

    def add_quads(self, quads: Iterable[ox.Quad]) -> None:
        """Write quads as they are: all or, from many thousands on, as far as it got when killed."""
        quads = iter(quads)
        head = list(islice(quads, _BULK))
        with self._told("could not be written"):
            if len(head) < _BULK:
                self.raw.extend(head)
            else:
                self.raw.bulk_extend(chain(head, quads))

    def remove_quads(self, quads: Iterable[ox.Quad]) -> None:
        """Remove quads as they are."""
        with self._told("could not be written"):
            for quad in quads:
                self.raw.remove(quad)

    def update(self, sparql: str, prefixes: Mapping[str, str] | None = None) -> None:
        """Run a SPARQL 1.1 update as it is written: what it does to the default graph is its own affair.

        ``repair`` afterwards brings the default graph back to what the named graphs say.

        Raises:
            QueryError: it does not parse, or has LOAD or SERVICE.
        """
        with self._told("could not be written"):
            run_update(self.raw, sparql, {**self.prefixes, **(prefixes or {})})

    def repair(self) -> tuple[int, int]:
        """Make the default graph exactly what the named graphs that hold say; returns triples added and removed."""
        with self._told("could not be written"):
            orphans = [q for q in self.raw.quads_for_pattern(None, None, None, DEFAULT) if not self._held(q.triple)]
            missing = {
                q.triple
                for graph in self.graphs()
                if holds(graph)
                for q in self.raw.quads_for_pattern(None, None, None, named(graph))
                if ox.Quad(q.subject, q.predicate, q.object) not in self.raw
            }
            self.raw.extend([_quad(t) for t in missing])
            for quad in orphans:
                self.raw.remove(quad)
            return len(missing), len(orphans)

    def close(self) -> None:
        """Let go of the files, so that they can be opened again; the store is of no use afterwards."""
        if "raw" not in vars(self):
            return
        if not self.read_only:
            self.flush()
        raw = vars(self).pop("raw")
        if sys.getrefcount(raw) > _OWN_REFERENCES:  # Oxigraph lets go of its lock with the last one
            gc.collect()  # closures and frames in cycles

    def flush(self) -> None:
        """Wait until all is on disk."""
        with self._told("could not be written"):
            self.raw.flush()

    # reading

    def quads(
        self,
        s: Subject | None = None,
        p: ox.NamedNode | None = None,
        o: Term | None = None,
        graph: str | ox.DefaultGraph | None = DEFAULT,
    ) -> Iterator[ox.Quad]:
        """Quads that match; ``None`` matches all, for ``graph`` too. The default graph unless another is named."""
        name = named(graph) if isinstance(graph, str) else graph
        return self.raw.quads_for_pattern(s, p, o, name)

    def graphs(self) -> list[str]:
        """IRIs of the named graphs, sorted."""
        return sorted(g.value for g in self.raw.named_graphs() if isinstance(g, ox.NamedNode))

    def graphs_of(self, triple: ox.Triple) -> list[str]:
        """The named graphs that say this triple, sorted: who says so."""
        found = self.raw.quads_for_pattern(triple.subject, triple.predicate, triple.object, None)
        return sorted(q.graph_name.value for q in found if isinstance(q.graph_name, ox.NamedNode))

    def query(self, sparql: str, prefixes: Mapping[str, str] | None = None) -> QueryResult:
        """Run a SPARQL 1.1 query over the default graph (what holds) and, by GRAPH, the named ones.

        kgfuse's prefixes and the workspace's need no PREFIX line; those of the query win.

        Raises:
            QueryError: it does not parse, or has SERVICE.
        """
        with self._told("cannot be read"):
            return run_query(self.raw, sparql, {**self.prefixes, **(prefixes or {})})

    def size(self, graph: str | None = None) -> int:
        """Triples of a graph; of the default graph where none is named."""
        return sum(1 for _ in self.quads(graph=DEFAULT if graph is None else graph))

    def counts(self) -> Counts:
        """Triples by status."""
        n = {"holding": self.size(), "sources": 0, "ontologies": 0, "inferred": 0, "predicted": 0, "provenance": 0}
        special = {GRAPH_INFERRED: "inferred", GRAPH_PREDICTED: "predicted", GRAPH_PROVENANCE: "provenance"}
        found = self.raw.query("SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g")
        graphs = 0
        for g, count in found:  # type: ignore[union-attr]
            graphs += 1
            status = special.get(g.value) or ("ontologies" if g.value.startswith(ONTOLOGY) else "sources")
            n[status] += int(count.value)
        return Counts(graphs=graphs, **n)

    def graph_hash(self, graph: str) -> str:
        """SHA-256 of a named graph in canonical N-Quads (RDFC-1.0)."""
        return canonical.sha256(self.quads(graph=graph))

    def canonical_hash(self) -> str:
        """SHA-256 of the whole dataset in canonical N-Quads (RDFC-1.0): equal for equal content."""
        return canonical.sha256(iter(self.raw))

    def snapshot(self, folder: Path) -> Path:
        """Write a copy that others may read while this store goes on: hard links, a matter of milliseconds.

        Args:
            folder: must not exist yet.

        Raises:
            WorkspaceError: it exists, or the store is in memory.
        """
        if self.path is None:
            raise WorkspaceError("a store in memory has no snapshot", remedy="open it on a folder")
        with self._told("could not be copied", folder):
            self.raw.flush()
            self.raw.backup(str(folder))
        return folder

    # inside

    def _writable(self, graph: str) -> ox.NamedNode:
        if self.read_only:
            raise UsageError("this is a read-only snapshot", where=str(self.path), remedy="open the workspace itself")
        return named(graph)

    def _fill(self, name: ox.NamedNode, triples: Iterable[ox.Triple | ox.Quad]) -> int:
        """Write a graph that is empty: streamed, so that it may be larger than memory."""
        count, both = 0, holds(name.value)

        def quads() -> Iterator[ox.Quad]:
            nonlocal count
            for t in triples:
                count += 1
                yield ox.Quad(t.subject, t.predicate, t.object, name)
                if both:
                    yield ox.Quad(t.subject, t.predicate, t.object)

        try:
            self.add_quads(quads())
        except BaseException:  # a file that turns out broken half-way, Ctrl-C: nothing of the graph stays
            self._drop(name)
            raise
        return count

    def _change(self, name: ox.NamedNode, new: set[ox.Triple]) -> tuple[int, int]:
        old = {q.triple for q in self.raw.quads_for_pattern(None, None, None, name)}
        if holds(name.value):
            # the whole of `new`, not only what is new: mends the default graph where a removal was killed half-way
            missing = [_quad(t) for t in new if _quad(t) not in self.raw]
            self.add_quads(chain((_quad(t, name) for t in new - old), missing))
        else:
            self.add_quads(_quad(t, name) for t in new - old)
        for t in old - new:
            # the default graph first: killed in between, the named graph still knows what is left to do
            if holds(name.value) and not self._held(t, but=name):
                self.raw.remove(_quad(t))
            self.raw.remove(_quad(t, name))
        return len(new - old), len(old - new)

    def _drop(self, name: ox.NamedNode) -> int:
        count = self.size(name.value)
        if holds(name.value):
            self.raw.update(_RELEASE.replace("?gone", str(name)))
        self.raw.remove_graph(name)
        return count

    def _held(self, triple: ox.Triple, but: ox.NamedNode | None = None) -> bool:
        found = self.raw.quads_for_pattern(triple.subject, triple.predicate, triple.object, None)
        names = (q.graph_name for q in found)
        return any(isinstance(n, ox.NamedNode) and n != but and holds(n.value) for n in names)

    @contextmanager
    def _told(self, what: str, where: Path | None = None) -> Iterator[None]:
        try:
            yield
        except (OSError, RuntimeError) as e:  # pyoxigraph tells damage and a full disk by either
            if isinstance(e, RecursionError):
                raise
            raise _explain(e, what, where or self.path) from e


def _quad(triple: ox.Triple, graph: ox.NamedNode | ox.DefaultGraph = DEFAULT) -> ox.Quad:
    return ox.Quad(triple.subject, triple.predicate, triple.object, graph)


def _explain(error: OSError | RuntimeError, what: str, where: Path | None) -> WorkspaceError:
    cause = str(error)
    remedy = "restore the workspace from a copy, or build it again from its sources"
    for mark, known in (
        ("lock", "another process has it open: wait until that one is done"),
        ("no space", "free some space, then run the same command again"),
        ("space left", "free some space, then run the same command again"),
        ("permission", "check the permissions of the workspace's folder"),
        ("directory exists", "name a folder that does not exist yet"),
    ):
        if mark in cause.lower():
            remedy = known
    return WorkspaceError(f"the graph {what}: {cause}", where=where or "", remedy=remedy)
