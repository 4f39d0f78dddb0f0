"""Many graphs written in one go: streamed, in batches, in step with the default graph, provenance and columns."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import polars as pl
import pyoxigraph as ox

from kgfuse.graph.columns import Columns, Draft, differ, split_lines, union
from kgfuse.graph.journal import ALL
from kgfuse.graph.nodes import named

if TYPE_CHECKING:
    from kgfuse.graph.store import GraphStore

_FIRST_BATCH, _LARGEST_BATCH = 8 << 20, 96 << 20
"""Bytes of lines that wait to be written together: few at first, so that both cores soon have work; then twice as many
each time, since every batch is a set of new files that the store must merge with all others."""
_IN_FLIGHT: Final = 1  # batches that may be on their way at a time: bounds memory
_BULK: Final = 4 << 20  # from so many bytes on writing new files beats one transaction
_ROWS: Final = 500_000
_SMALL: Final = 1 << 18  # new graphs of fewer bytes are numbered together
_TOGETHER: Final = 200
Done = Callable[[list[str]], None]


class Writer:
    """Replaces named graphs that hold; used in a ``with`` statement. Nothing is final until `finish`.

    Each step is safe against being killed: a graph is noted as touched before it is written, what is added comes to
    the named graph before it comes to the default graph, and what is removed leaves in the other order, all at the
    end, so that a second attempt still finds what is left to do.

    Args:
        store: where to.
        done: told the graphs that are written for good.

    Attributes:
        draft: the columns as they will be.
        interrupted: graphs that a writer before this one did not finish; ``*`` stands for all.
    """

    def __init__(self, store: GraphStore, done: Done = lambda graphs: None) -> None:
        self._store = store
        self._done = done
        self.interrupted = frozenset(store.journal.touched)
        self.draft = Draft(store.columns)
        self._mend()
        self._named = bytearray()
        self._default = bytearray()
        self._provenance = bytearray()
        self._removed: list[tuple[str, pl.DataFrame]] = []
        self._pending: dict[str, tuple[pl.DataFrame, Sequence[float] | None]] = {}
        self._after_flush: list[str] = []
        self._at_the_end: list[str] = []
        # Oxigraph loads on one core: the named graphs of a batch beside the default graph of the one before
        self._first, self._second = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        self._batch = _FIRST_BATCH
        self._waiting: deque[tuple[Future[None], list[str]]] = deque()

    def replace(
        self,
        graph: str,
        lines: Iterable[bytes],
        *,
        confidence: Sequence[float] | None = None,
        provenance: bytes = b"",
    ) -> None:
        """Make a named graph say exactly these triples.

        Args:
            graph: IRI of the graph; one that holds.
            lines: N-Triples lines as Oxigraph writes them, in pieces that end with a line.
            confidence: of each line, when they come in one piece; 1 where not given.
            provenance: N-Quads lines of a graph that had no statement node before.
        """
        old = self.draft.rows(graph)
        self._touch(graph)
        self._provenance += provenance
        self._pending.pop(graph, None)
        parts: list[pl.DataFrame] = []
        for piece in lines:
            if not len(old):
                self._add(graph, piece)
            if not len(old) and not parts and len(piece) < _SMALL and isinstance(lines, list) and len(lines) == 1:
                self._pending[graph] = (split_lines(piece), confidence)
                self._after_flush.append(graph)
                break
            parts.append(self.draft.encode(piece, confidence))
        else:
            rows = parts[0] if len(parts) == 1 else _merged(parts, old)
            added, removed = differ(rows, old), differ(old, rows)
            if len(old):
                for piece in self._lines(added):
                    self._add(graph, piece)
            if len(removed):
                self._removed.append((graph, removed))
            self.draft.put(graph, rows)
            (self._at_the_end if len(removed) else self._after_flush).append(graph)
        if len(self._pending) >= _TOGETHER:
            self.settle()
        if len(self._named) + len(self._provenance) > self._batch:
            self.flush()

    def settle(self) -> None:
        """Number what small new graphs say; the draft knows them from here on."""
        if not self._pending:
            return
        for graph, rows in zip(self._pending, self.draft.encode_all(list(self._pending.values())), strict=True):
            self.draft.put(graph, rows)
        self._pending.clear()

    def put_rows(self, graph: str, rows: pl.DataFrame) -> tuple[int, int]:
        """Make a named graph say exactly the triples of these rows of the draft."""
        self.settle()
        old = self.draft.rows(graph)
        added, removed = differ(rows, old), differ(old, rows)
        if len(added) or len(removed):
            self._touch(graph)
        for piece in self._lines(added):
            self._add(graph, piece)
        if len(removed):
            self._removed.append((graph, removed))
        self.draft.put(graph, rows)
        return len(added), len(removed)

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self._first.shutdown(cancel_futures=True)
        self._second.shutdown(cancel_futures=True)

    def flush(self) -> None:
        """Send what waits on its way."""
        named_, default, provenance = bytes(self._named), bytes(self._default), bytes(self._provenance)
        for buffer in (self._named, self._default, self._provenance):
            buffer.clear()
        load = self._store.load_lines

        def first() -> None:
            load(named_, ox.RdfFormat.N_QUADS)
            load(provenance, ox.RdfFormat.N_QUADS)

        before = self._first.submit(first)

        def second() -> None:
            before.result()  # never a triple in the default graph that no named graph has
            load(default, ox.RdfFormat.N_TRIPLES)

        self._waiting.append((self._second.submit(second), self._after_flush))
        self._after_flush = []
        self._batch = min(2 * self._batch, _LARGEST_BATCH)
        self._arrive(_IN_FLIGHT)

    def _arrive(self, left: int) -> None:
        """Wait until no more batches than these are on their way; tell the graphs that are written."""
        while len(self._waiting) > left:
            batch, graphs = self._waiting.popleft()
            batch.result()
            if graphs:
                self._done(graphs)

    def finish(self) -> Columns:
        """Write all, remove what no graph says any more, and keep the columns."""
        self.settle()
        self.flush()
        self._arrive(0)
        if self._removed:
            left = union(self.draft.graphs)
            gone = differ(pl.concat([rows.select("s", "p", "o") for _, rows in self._removed]).unique(), left)
            self._store.drop_quads(self._quads(gone, ox.DefaultGraph()))
            for graph, rows in self._removed:
                self._store.drop_quads(self._quads(rows, named(graph)))
                if graph not in self.draft.graphs:
                    self._store.raw.remove_graph(named(graph))  # its name, that is
            self._removed.clear()
        columns = self.draft.finish()
        self._store.keep_columns(columns)
        if self._at_the_end:
            self._done(self._at_the_end)
            self._at_the_end = []
        return columns

    def _mend(self) -> None:
        """Bring to the default graph what a writer that was killed had brought to the named graph only."""
        for graph in sorted(set(self.draft.graphs) if ALL in self.interrupted else self.interrupted):
            missing = [q for q in self._quads(self.draft.rows(graph), ox.DefaultGraph()) if q not in self._store.raw]
            with self._store.told("could not be written"):
                self._store.raw.extend(missing)

    def _touch(self, graph: str) -> None:
        self._store.journal.touch(graph)

    def _add(self, graph: str, lines: bytes) -> None:
        # a line break inside a literal is escaped, so " ." before one is always the end of a triple
        self._named += lines.replace(b" .\n", f" <{graph}> .\n".encode())
        self._default += lines
        if len(self._named) > self._batch:
            self.flush()

    def _lines(self, rows: pl.DataFrame) -> Iterator[bytes]:
        return (self.draft.decode(rows.slice(at, _ROWS)) for at in range(0, len(rows), _ROWS))

    def _quads(self, rows: pl.DataFrame, graph: ox.NamedNode | ox.DefaultGraph) -> Iterator[ox.Quad]:
        for piece in self._lines(rows):
            for q in ox.parse(io.BytesIO(piece), ox.RdfFormat.N_TRIPLES, lenient=True):
                yield ox.Quad(q.subject, q.predicate, q.object, graph)


def _merged(parts: list[pl.DataFrame], old: pl.DataFrame) -> pl.DataFrame:
    if not parts:
        return old.clear()
    return pl.concat(parts).group_by("s", "p", "o").agg(pl.col("c").max()).sort("s", "p", "o")


def needs_parsing(lines: bytes) -> bool:
    """Whether the lines may hold a blank node, which the store's own loader would name anew."""
    return b"_:" in lines


def is_bulk(lines: bytes) -> bool:
    """Whether there is enough to write new files for."""
    return len(lines) > _BULK
