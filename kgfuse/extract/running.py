"""One extractor on one batch of sources: each gets its extraction, or the sentence that says why there is none."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kgfuse.encode.device import one_thread
from kgfuse.errors import KgfuseError
from kgfuse.extract.doubt import as_heard
from kgfuse.extract.protocol import BatchExtractor, Extractor, Found, check_places, collect, run_iri
from kgfuse.extract.serialise import dumps
from kgfuse.terms.mentions import Extraction, Source


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one source.

    Args:
        name: of the source.
        payload: its extraction as bytes; ``None`` where there is none.
        problem: why there is none.
        remedy: what to do about it.
        seconds: that it took.
    """

    name: str
    payload: bytes | None
    problem: str = ""
    remedy: str = "mend the file, then add it again"
    seconds: float = 0.0


def run_batch(extractor: Extractor, sources: Sequence[Source]) -> list[Result]:
    """Run an extractor on a batch; a source that it fails on stops no other."""
    with one_thread():
        return [
            Result(source.name, None, found, seconds=seconds)
            if isinstance(found, str)
            else Result(source.name, dumps(found), seconds=seconds)
            for source, found, seconds in _run(extractor, sources)
        ]


def outcomes(extractor: Extractor, sources: Sequence[Source]) -> list[Extraction | str]:
    """What `run_batch` gives, as it is: each source's extraction, or the sentence that says why there is none."""
    with one_thread():
        return [found for _, found, _ in _run(extractor, sources)]


def extract_one(extractor: Extractor, source: Source) -> Extraction:
    """Run one extractor on one source, without storing anything."""
    with one_thread():
        return _collect(extractor, source, list(extractor.extract(source)))


def _run(extractor: Extractor, batch: Sequence[Source]) -> Iterator[tuple[Source, Extraction | str, float]]:
    """Yield each source's extraction, or the sentence that says why there is none."""
    if isinstance(extractor, BatchExtractor) and len(batch) > 1:
        began = time.perf_counter()
        results: list[list[Found] | Exception]
        try:
            results = [one if isinstance(one, Exception) else list(one) for one in extractor.extract_batch(batch)]
        except Exception:  # one bad source must not stop the batch: each is tried alone below, and recorded
            results = []
        if len(results) == len(batch):
            seconds = (time.perf_counter() - began) / len(batch)
            for source, found in zip(batch, results, strict=True):
                yield source, _result(extractor, source, found), seconds
            return
    for source in batch:
        began = time.perf_counter()
        result = _result(extractor, source, None)
        yield source, result, time.perf_counter() - began


def _result(extractor: Extractor, source: Source, found: Sequence[Found] | Exception | None) -> Extraction | str:
    try:
        if isinstance(found, Exception):
            raise found
        return extract_one(extractor, source) if found is None else _collect(extractor, source, found)
    except KgfuseError as e:
        return e.message
    except Exception as e:  # an extractor's own fault is the source's problem, never the batch's
        return f"extractor {extractor.name}: {type(e).__name__}: {e}"


def _collect(extractor: Extractor, source: Source, found: Sequence[Found]) -> Extraction:
    check_places(found, source)
    return collect(source.iri, run_iri(extractor), as_heard(found, source), getattr(extractor, "parameters", {}))
