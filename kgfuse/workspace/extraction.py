"""The runner: every source that has no extraction yet gets one, in batches, resumably; one bad source stops nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from kgfuse.catalog import SourceRow
from kgfuse.encode.device import one_thread
from kgfuse.errors import KgfuseError
from kgfuse.extract.protocol import BatchExtractor, Extractor, Found, check_places, collect, extraction_key, run_iri
from kgfuse.extract.serialise import dumps, loads
from kgfuse.terms.mentions import Extraction, Source
from kgfuse.workspace.parts import OnEvent, Parts

_BATCH = 16


def extract_pending(parts: Parts, on_event: OnEvent, *, retry: bool = False) -> int:
    """Extract from every source that lacks an extraction under the present configuration; return how many had.

    What was extracted before an interruption is kept: the next call goes on from there.

    Args:
        parts: the workspace.
        on_event: told about progress.
        retry: try again what failed before; otherwise a failed source waits until it or the configuration changes.
    """
    done = 0
    keep: dict[str, list[str]] = {}
    for extractor in parts.extractors:
        sources = [(row, parts.source(row)) for row in parts.catalog.sources() if row.kind in extractor.kinds]
        keys = {row.name: extraction_key(extractor, source) for row, source in sources}
        for name, key in keys.items():
            keep.setdefault(name, []).append(key)
        known = parts.catalog.extraction_keys()
        stage = f"extract:{extractor.name}"
        failed = set() if retry else set(parts.catalog.states(f"failed:{extractor.name}:").values())
        pending = [(r, s) for r, s in sources if (r.name, keys[r.name]) not in known and keys[r.name] not in failed]
        on_event(stage, 0, len(pending), "")
        finished = 0
        for start in range(0, len(pending), _BATCH):
            with one_thread():
                found = list(_run(extractor, pending[start : start + _BATCH]))
            parts.keep_features()
            with parts.catalog.transaction():
                for row, result, seconds in found:
                    done += _keep(parts, extractor, row, keys[row.name], result, seconds)
            finished += len(found)
            on_event(stage, finished, len(pending), found[-1][0].name)
    for name, own in keep.items():
        parts.catalog.remove_extractions(name, own)
    return done


def _keep(
    parts: Parts, extractor: Extractor, row: SourceRow, key: str, result: Extraction | str, seconds: float
) -> bool:
    """Keep an extraction, or the reason why there is none; return whether there is one."""
    stage, mark = f"extract:{extractor.name}", f"failed:{extractor.name}:{row.name}"
    parts.catalog.clear_problem(row.name, stage)
    if isinstance(result, str):
        parts.catalog.record_problem(row.name, stage, result, "mend the file, then add it again")
        parts.catalog.set_state(mark, key)
        return False
    parts.catalog.put_extraction(row.name, key, result.run, dumps(result), seconds)
    parts.catalog.set_state(mark, None)
    return True


def extractions(parts: Parts) -> Iterator[Extraction]:
    """All extractions of the present configuration, in source order."""
    for row in parts.catalog.sources():
        source: Source | None = None
        for extractor in parts.extractors:
            if row.kind in extractor.kinds:
                source = source or parts.source(row)
                payload = parts.catalog.extraction(row.name, extraction_key(extractor, source))
                if payload is not None:
                    yield loads(payload)


def extract_one(extractor: Extractor, source: Source) -> Extraction:
    """Run one extractor on one source, without storing anything."""
    with one_thread():
        return _collect(extractor, source, list(extractor.extract(source)))


def _run(
    extractor: Extractor, batch: Sequence[tuple[SourceRow, Source]]
) -> Iterator[tuple[SourceRow, Extraction | str, float]]:
    """Yield each source's extraction, or the sentence that says why there is none."""
    if isinstance(extractor, BatchExtractor) and len(batch) > 1:
        began = time.perf_counter()
        try:
            results = [list(found) for found in extractor.extract_batch([source for _, source in batch])]
        except Exception:  # one bad source must not stop the batch: each is tried alone below, and recorded
            results = []
        if len(results) == len(batch):
            seconds = (time.perf_counter() - began) / len(batch)
            for (row, source), found in zip(batch, results, strict=True):
                yield row, _result(extractor, source, found), seconds
            return
    for row, source in batch:
        began = time.perf_counter()
        result = _result(extractor, source, None)
        yield row, result, time.perf_counter() - began


def _result(extractor: Extractor, source: Source, found: Sequence[Found] | None) -> Extraction | str:
    try:
        return extract_one(extractor, source) if found is None else _collect(extractor, source, found)
    except KgfuseError as e:
        return e.message
    except Exception as e:  # an extractor's own fault is the source's problem, never the batch's
        return f"extractor {extractor.name}: {type(e).__name__}: {e}"


def _collect(extractor: Extractor, source: Source, found: Sequence[Found]) -> Extraction:
    check_places(found, source)
    return collect(source.iri, run_iri(extractor), found, getattr(extractor, "parameters", {}))
