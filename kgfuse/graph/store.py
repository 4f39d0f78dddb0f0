"""The graph: one RDF dataset in Oxigraph whose default graph is exactly what holds."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyoxigraph as ox

from kgfuse.errors import UsageError, WorkspaceError
from kgfuse.graph import canonical
from kgfuse.graph.journal import ALL, Journal
from kgfuse.graph.nodes import Subject, Term, named, stored_triple
from kgfuse.graph.query import QueryResult, run_query, run_update
from kgfuse.terms.namespaces import GRAPH_INFERRED, GRAPH_PREDICTED, GRAPH_PROVENANCE, KGF, ONTOLOGY, PREFIXES

if TYPE_CHECKING:
    from kgfuse.graph.columns import Columns

DEFAULT: Final = ox.DefaultGraph()
_OWN_REFERENCES: Final = 2  # the local name and the argument of getrefcount
_BULK: Final = 20_000  # from here on writing new files beats one transaction
_CHUNK: Final = 100_000


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
        self._beside = None if path is None else path.parent / f"{path.name}.columns"
        self.journal = Journal(None if self._beside is None else self._beside / "touched")
        self._columns: Columns | None = None
        with self.told("cannot be opened"):
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
        if not holds(graph):
            with self.told("could not be written"):
                return self._change(name, {stored_triple(t) for t in triples})
        from kgfuse.graph.columns import differ
        from kgfuse.graph.writing import Writer

        with Writer(self) as writer:
            before = writer.draft.rows(graph)
            writer.replace(graph, _lines(triples))
            after = writer.draft.rows(graph)
            writer.finish()
        return len(differ(after, before)), len(differ(before, after))

    def remove_graph(self, graph: str) -> int:
        """Take a named graph away with all that only it said; returns how many triples it had."""
        return self.replace_graph(graph, ())[1]

    def add_quads(self, quads: Iterable[ox.Quad]) -> None:
        """Write quads as they are: all or, from many thousands on, as far as it got when killed."""
        quads = iter(self._noted(quads))
        head = list(islice(quads, _BULK))
        with self.told("could not be written"):
            if len(head) < _BULK:
                self.raw.extend(head)
            else:
                self.raw.bulk_extend(chain(head, quads))

    def remove_quads(self, quads: Iterable[ox.Quad]) -> None:
        """Remove quads as they are."""
        self.drop_quads(self._noted(quads))

    def drop_quads(self, quads: Iterable[ox.Quad]) -> None:
        """Remove quads whose graphs are noted as touched already."""
        with self.told("could not be written"):
            for quad in quads:
                self.raw.remove(quad)

    def load_lines(self, lines: bytes, form: ox.RdfFormat) -> None:
        """Write N-Triples (into the default graph) or N-Quads lines as they are; blank nodes keep their names."""
        from kgfuse.graph.writing import is_bulk, needs_parsing

        if not lines:
            return
        with self.told("could not be written"):
            if is_bulk(lines) and not needs_parsing(lines):
                self.raw.bulk_load(lines, form, lenient=True)
            else:
                quads = ox.parse(lines, form, lenient=True)
                (self.raw.bulk_extend if is_bulk(lines) else self.raw.extend)(quads)

    def update(self, sparql: str, prefixes: Mapping[str, str] | None = None) -> None:
        """Run a SPARQL 1.1 update as it is written: what it does to the default graph is its own affair.

        ``repair`` afterwards brings the default graph back to what the named graphs say.

        Raises:
            QueryError: it does not parse, or has LOAD or SERVICE.
        """
        self.journal.touch(ALL)
        with self.told("could not be written"):
            run_update(self.raw, sparql, {**self.prefixes, **(prefixes or {})})

    def repair(self) -> tuple[int, int]:
        """Make the default graph exactly what the named graphs that hold say; returns triples added and removed."""
        with self.told("could not be written"):
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
        with self.told("could not be written"):
            self.raw.flush()

    # reading

    @property
    def columns(self) -> Columns:
        """The graphs that hold as sorted integers; graphs that changed since are read again."""
        from kgfuse.graph import mirror
        from kgfuse.graph.columns import Columns

        if self._columns is None:
            self._columns = Columns.empty() if self._beside is None else mirror.load(self._beside, self.journal)
            for graph in {g for g in self.graphs() if holds(g)} ^ set(self._columns.graphs):
                self.journal.touch(graph)
        if self.journal.unread:
            holding = {graph for graph in self.graphs() if holds(graph)}
            with self.told("cannot be read"):
                self._columns = mirror.synchronised(self.raw, self._columns, self.journal.unread, holding)
            self.journal.unread.clear()
        return self._columns

    def keep_columns(self, columns: Columns) -> Path | None:
        """Take these columns for what the graphs say, and write them beside the store; returns where to."""
        from kgfuse.graph import mirror

        if self._beside is not None and not self.read_only:
            with self.told("could not be written"):
                mirror.save(columns, self._beside)
        self._columns = columns
        self.journal.clear()
        return self._beside

    @property
    def columns_version(self) -> str:
        """Which columns were written last; another whenever some were."""
        try:
            return "" if self._beside is None else (self._beside / "current").read_text(encoding="utf-8")
        except OSError:
            return ""

    @property
    def columns_folder(self) -> Path | None:
        """Where the columns are kept; ``None`` for a store in memory."""
        return self._beside

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
        with self.told("cannot be read"):
            return run_query(self.raw, sparql, {**self.prefixes, **(prefixes or {})})

    def size(self, graph: str | None = None) -> int:
        """Triples of a graph; of the default graph where none is named."""
        if graph is not None:
            named(graph)
        pattern = "?s ?p ?o" if graph is None else f"GRAPH <{graph}> {{ ?s ?p ?o }}"
        return self._counted(f"SELECT (COUNT(*) AS ?n) {{ {pattern} }}")

    def nodes_with(self, predicate: str, graph: str) -> int:
        """How many triples of a named graph have this property."""
        return self._counted(f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{graph}> {{ ?s <{predicate}> ?o }} }}")

    def counts(self) -> Counts:
        """Triples by status."""
        columns, names = self.columns, self.graphs()
        n = {"sources": 0, "ontologies": 0, "inferred": 0}
        for graph, rows in columns.graphs.items():
            n[_kind(graph)] += len(rows)
        return Counts(
            holding=len(columns.edges),
            predicted=self.size(GRAPH_PREDICTED),
            provenance=self.size(GRAPH_PROVENANCE),
            graphs=len(names),
            **n,
        )

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
        with self.told("could not be copied", folder):
            self.raw.flush()
            self.raw.backup(str(folder))
        return folder

    # inside

    def _writable(self, graph: str) -> ox.NamedNode:
        if self.read_only:
            raise UsageError("this is a read-only snapshot", where=str(self.path), remedy="open the workspace itself")
        return named(graph)

    def _counted(self, query: str) -> int:
        with self.told("cannot be read"):
            solutions = self.raw.query(query)
            assert isinstance(solutions, ox.QuerySolutions)
            count = next(solutions)[0]
        assert isinstance(count, ox.Literal)
        return int(count.value)

    def _noted(self, quads: Iterable[ox.Quad]) -> Iterator[ox.Quad]:
        """The same quads; graphs that hold are noted as touched before they are."""
        for quad in quads:
            name = quad.graph_name
            graph = name.value if isinstance(name, ox.NamedNode) else ALL
            if graph not in self.journal.unread and holds(graph):
                self.journal.touch(graph)
            yield quad

    def _change(self, name: ox.NamedNode, new: set[ox.Triple]) -> tuple[int, int]:
        old = {q.triple for q in self.raw.quads_for_pattern(None, None, None, name)}
        self.add_quads(_quad(t, name) for t in new - old)
        for t in old - new:
            self.raw.remove(_quad(t, name))
        if not new:
            self.raw.remove_graph(name)
        return len(new - old), len(old - new)

    def _held(self, triple: ox.Triple, but: ox.NamedNode | None = None) -> bool:
        found = self.raw.quads_for_pattern(triple.subject, triple.predicate, triple.object, None)
        names = (q.graph_name for q in found)
        return any(isinstance(n, ox.NamedNode) and n != but and holds(n.value) for n in names)

    @contextmanager
    def told(self, what: str, where: Path | None = None) -> Iterator[None]:
        """Tell the engine's errors inside the block as `WorkspaceError`: what failed, and what to do."""
        try:
            yield
        except (OSError, RuntimeError) as e:  # pyoxigraph tells damage and a full disk by either
            if isinstance(e, RecursionError):
                raise
            raise _explain(e, what, where or self.path) from e


def _quad(triple: ox.Triple, graph: ox.NamedNode | ox.DefaultGraph = DEFAULT) -> ox.Quad:
    return ox.Quad(triple.subject, triple.predicate, triple.object, graph)


def _lines(triples: Iterable[ox.Triple | ox.Quad]) -> Iterator[bytes]:
    """Triples as N-Triples lines, in pieces."""
    plain = (t.triple if isinstance(t, ox.Quad) else t for t in triples)
    while piece := list(islice(plain, _CHUNK)):
        yield ox.serialize(piece, format=ox.RdfFormat.N_TRIPLES) or b""


def _kind(graph: str) -> str:
    if graph == GRAPH_INFERRED:
        return "inferred"
    return "ontologies" if graph.startswith(ONTOLOGY) else "sources"


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
