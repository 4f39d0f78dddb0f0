"""Sources read without a workspace by worker processes; the documents are those of one process."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from kgfuse.extract.document import Document
from kgfuse.extract.documents import Ran, Reader
from kgfuse.extract.protocol import Extractor, kinds_read, run_iri
from kgfuse.extract.serialise import loads
from kgfuse.terms.mentions import Extraction, Source
from kgfuse.workspace.settings import Settings
from kgfuse.workspace.worker import Task
from kgfuse.workspace.workers import Pool


@dataclass(eq=False, slots=True)
class _Batch:
    """Sources with what is known of each so far, by extractor; ``left`` is how many answers are still to come."""

    sources: tuple[Source, ...]
    found: list[list[Extraction | str | None]]
    left: int = 0


def read(reader: Reader, ontologies: Sequence[str], sources: Iterable[Source], workers: int) -> Iterator[Document]:
    """Yield one document per source, in order, whatever the number of workers.

    Args:
        reader: with extractors that its settings name.
        ontologies: what its vocabulary was read from.
        sources: workers are given them as they ask.
        workers: processes that extract; 1 is this one.

    Raises:
        WorkspaceError: the workers cannot be started.
    """
    if workers == 1:
        yield from reader.read_sources(sources)
        return
    with Pool(Settings(ontologies=tuple(ontologies), extract=reader.settings)) as pool:
        yield from reader.read_sources(sources, partial(_run, pool, reader.extractors, workers))


def _run(
    pool: Pool, extractors: Sequence[Extractor], workers: int, batches: Iterable[tuple[Source, ...]]
) -> Iterator[Ran]:
    waiting: deque[_Batch] = deque()
    place: dict[int, tuple[_Batch, int]] = {}  # by the identity of sources in hand, which may be equal
    column = {run_iri(extractor): n for n, extractor in enumerate(extractors)}

    def tasks() -> Iterator[Task]:
        for sources in batches:
            batch = _Batch(sources, [[None] * len(column) for _ in sources])
            mine = [tuple(s for s in sources if s.kind in kinds_read(e)) for e in extractors]
            batch.left = sum(map(len, mine))
            waiting.append(batch)
            place.update({id(source): (batch, n) for n, source in enumerate(sources)})
            yield from (Task(run, own) for run, own in zip(column, mine, strict=True) if own)

    for task, reply in pool.run(tasks(), workers):
        for source, result in zip(task.sources, reply.results, strict=True):
            batch, n = place[id(source)]
            batch.found[n][column[task.run]] = result.problem if result.payload is None else loads(result.payload)
            batch.left -= 1
        while waiting and not waiting[0].left:
            done = waiting.popleft()
            for source in done.sources:
                del place[id(source)]
            yield done.sources, done.found
    for batch in waiting:  # nothing reads what is in them
        yield batch.sources, batch.found
