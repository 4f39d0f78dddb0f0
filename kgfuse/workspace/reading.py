"""Texts read without a workspace by worker processes; the documents are those of one process."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from kgfuse.extract.documents import Document, Ran, Reader
from kgfuse.extract.protocol import Extractor, run_iri
from kgfuse.extract.serialise import loads
from kgfuse.terms.mentions import Extraction, Source
from kgfuse.workspace.settings import Settings
from kgfuse.workspace.worker import Task
from kgfuse.workspace.workers import Pool


@dataclass(eq=False, slots=True)
class _Batch:
    """Texts with what is known of each so far, by extractor."""

    sources: tuple[Source, ...]
    found: list[list[Extraction | str | None]]

    def outcome(self) -> Ran | None:
        """All of it, once it is all there."""
        rows = [[one for one in row if one is not None] for row in self.found]
        return (self.sources, rows) if list(map(len, rows)) == list(map(len, self.found)) else None


def read(
    reader: Reader, ontologies: Sequence[str], texts: Iterable[tuple[str, str]], workers: int
) -> Iterator[Document]:
    """Yield one document per (name, text), in order, whatever the number of workers.

    Args:
        reader: with extractors that its settings name.
        ontologies: what its vocabulary was read from.
        texts: names and texts; workers are given them as they ask.
        workers: processes that extract; 1 is this one.

    Raises:
        WorkspaceError: the workers cannot be started.
    """
    if workers == 1:
        yield from reader.read(texts)
        return
    with Pool(Settings(ontologies=tuple(ontologies), extract=reader.settings)) as pool:
        yield from reader.read(texts, partial(_run, pool, reader.extractors, workers))


def _run(
    pool: Pool, extractors: Sequence[Extractor], workers: int, batches: Iterable[tuple[Source, ...]]
) -> Iterator[Ran]:
    waiting: deque[_Batch] = deque()
    place: dict[int, tuple[_Batch, int]] = {}  # by the identity of sources in hand, which may be equal
    column = {run_iri(extractor): n for n, extractor in enumerate(extractors)}

    def tasks() -> Iterator[Task]:
        for sources in batches:
            batch = _Batch(sources, [[None] * len(column) for _ in sources])
            waiting.append(batch)
            place.update({id(source): (batch, n) for n, source in enumerate(sources)})
            for run in column:
                yield Task(run, sources)

    for task, reply in pool.run(tasks(), workers):
        for source, result in zip(task.sources, reply.results, strict=True):
            batch, n = place[id(source)]
            batch.found[n][column[task.run]] = result.problem if result.payload is None else loads(result.payload)
        while waiting and (done := waiting[0].outcome()) is not None:
            for source in waiting.popleft().sources:
                del place[id(source)]
            yield done
