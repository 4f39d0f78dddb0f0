"""The runner: every source that has no extraction yet gets one, in batches, resumably; one bad source stops nothing.

Texts are streamed: only names, keys and lengths of what is pending are held, and the sources of the batches in hand.
Batches are of like lengths, the longest first, so that padding is small and no worker ends long after the others; they
do not depend on the number of workers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kgfuse.catalog import SourceRow
from kgfuse.errors import PROBLEM
from kgfuse.extract.protocol import Extractor, extraction_key, reads, run_iri
from kgfuse.extract.running import Result, run_batch
from kgfuse.extract.serialise import loads
from kgfuse.sources.language import without_model
from kgfuse.terms.mentions import Extraction, Source
from kgfuse.workspace.parts import OnEvent, Parts
from kgfuse.workspace.worker import Reply, Task
from kgfuse.workspace.workers import Pool, worker_count

_BATCH = 32
_CHARACTERS = 400_000
_UNREAD = "language"


@dataclass(frozen=True, slots=True)
class _Pending:
    row: SourceRow
    key: str
    length: int


def extract_pending(parts: Parts, on_event: OnEvent, *, retry: bool = False, workers: int | None = 1) -> int:
    """Extract from every source that lacks an extraction under the present configuration; return how many had.

    What was extracted before an interruption is kept: the next call goes on from there. The outcome is the same
    whatever the number of workers.

    Args:
        parts: the workspace.
        on_event: told about progress.
        retry: try again what failed before; otherwise a failed source waits until it or the configuration changes.
        workers: processes that extract; 1 is this one, ``None`` as many as are worth it.
    """
    done = 0
    keep: dict[str, list[str]] = {}
    with Pool(parts.settings) as pool:
        for extractor in parts.extractors:
            pending = _pending(parts, extractor, keep, retry=retry)
            count = worker_count(workers, len(pending))
            stage = f"extract:{extractor.name}"
            on_event(stage, 0, len(pending), "")
            if not pending:
                continue
            batches = list(_batches(pending))
            tasks = (Task(run_iri(extractor), tuple(parts.source(one.row) for one in batch)) for batch in batches)
            if count > 1:
                replies = (reply for _, reply in pool.run(tasks, min(count, len(batches))))
            else:
                replies = (Reply(run_batch(extractor, task.sources), []) for task in tasks)
            of = {one.row.name: one for one in pending}
            finished = 0
            for reply in replies:
                parts.looked.extend(reply.features)
                parts.keep_features()
                with parts.catalog.transaction():
                    for result in reply.results:
                        done += _keep(parts, extractor, of[result.name].key, result)
                        if result.payload is None:
                            on_event(PROBLEM, finished, len(pending), result.problem)
                finished += len(reply.results)
                on_event(stage, finished, len(pending), reply.results[-1].name)
    for name, own in keep.items():
        parts.catalog.remove_extractions(name, own)
    _tell_unread(parts)
    return done


def _tell_unread(parts: Parts) -> None:
    """Note the texts that are in a language which no extractor of texts reads."""
    parts.catalog.clear_problem(stage=_UNREAD)
    readers = [e for e in parts.extractors if "text" in e.kinds]
    for row in (*parts.catalog.sources("text"), *parts.catalog.sources("audio")):
        language = row.meta.get("language", "")
        if language and readers and not any(reads(e, "text", language) for e in readers):
            parts.catalog.record_problem(
                row.name,
                _UNREAD,
                f"{without_model(language)}: it is kept and found by search, but nothing is extracted",
                "set extract.text.model to a spaCy pipeline of that language; or say what it is: kgfuse add --language",
            )


def _reads(extractor: Extractor, row: SourceRow) -> bool:
    """Whether an extractor reads a source; a recording without a transcript is nothing to one that reads texts."""
    is_mute = row.kind == "audio" and not row.text_sha256 and "audio" not in extractor.kinds
    return not is_mute and reads(extractor, row.kind, row.meta.get("language", ""))


def _pending(parts: Parts, extractor: Extractor, keep: dict[str, list[str]], *, retry: bool) -> list[_Pending]:
    """What the extractor still has to read, the longest first; ``keep`` takes the keys that remain valid."""
    known = parts.catalog.extraction_keys()
    failed = set() if retry else set(parts.catalog.states(f"failed:{extractor.name}:").values())
    found = []
    for row in parts.catalog.sources():
        if not _reads(extractor, row):
            continue
        source = parts.source(row)
        key = extraction_key(extractor, source)
        keep.setdefault(row.name, []).append(key)
        if (row.name, key) not in known and key not in failed:
            found.append(_Pending(row, key, len(source.text) if source.text is not None else row.size))
    return sorted(found, key=lambda one: (-one.length, one.row.name))


def _batches(pending: Sequence[_Pending]) -> Iterator[list[_Pending]]:
    """Neighbours in length, so many at once and not too much at once."""
    batch: list[_Pending] = []
    for one in pending:
        is_text = one.row.text_sha256 is not None
        if batch and (len(batch) >= _BATCH or (is_text and (len(batch) + 1) * batch[0].length > _CHARACTERS)):
            yield batch
            batch = []
        batch.append(one)
    if batch:
        yield batch


def _keep(parts: Parts, extractor: Extractor, key: str, result: Result) -> bool:
    """Keep an extraction, or the reason why there is none; return whether there is one."""
    stage, mark = f"extract:{extractor.name}", f"failed:{extractor.name}:{result.name}"
    parts.catalog.clear_problem(result.name, stage)
    if result.payload is None:
        parts.catalog.record_problem(result.name, stage, result.problem, result.remedy)
        parts.catalog.set_state(mark, key)
        return False
    parts.catalog.put_extraction(result.name, key, run_iri(extractor), result.payload, result.seconds)
    parts.catalog.set_state(mark, None)
    return True


def extractions(parts: Parts) -> Iterator[Extraction]:
    """All extractions of the present configuration, in source order; those of one run share its parameters."""
    parameters: dict[str, Mapping[str, Any]] = {}
    for row in parts.catalog.sources():
        source: Source | None = None
        for extractor in parts.extractors:
            if _reads(extractor, row):
                source = source or parts.source(row)
                payload = parts.catalog.extraction(row.name, extraction_key(extractor, source))
                if payload is not None:
                    found = loads(payload)
                    yield replace(found, parameters=parameters.setdefault(found.run, found.parameters))
