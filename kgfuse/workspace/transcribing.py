"""Recordings get their transcripts: the first step of a build, as far as model, settings or recordings changed.

A transcript is the stored text of its recording. Recordings are transcribed apart from one another, each in one thread,
so that the words do not depend on how many are in work at a time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from kgfuse.catalog import Blobs, SourceRow
from kgfuse.errors import KgfuseError, SourceError
from kgfuse.extract.speech.settings import SpeechSettings
from kgfuse.sources.places import dumps
from kgfuse.sources.sandbox import Sandbox
from kgfuse.terms.namespaces import digest
from kgfuse.workspace.parts import OnEvent, Parts

if TYPE_CHECKING:
    from kgfuse.extract.speech.transcriber import Transcriber
    from kgfuse.extract.speech.transcript import Transcript

STAGE: Final = "transcribe"
_MARK: Final = f"failed:{STAGE}:"
_TICK: Final = 0.2
_NOTHING: Final = sha256(b"").hexdigest()
SILENT: Final = "holds no speech that was heard: its transcript is empty"


def transcribe_pending(parts: Parts, on_event: OnEvent, *, retry: bool = False, workers: int | None = 1) -> int:
    """Transcribe every recording that lacks a transcript of the present model; return how many were.

    Args:
        parts: the workspace.
        on_event: told about progress.
        retry: try again what failed before; otherwise it waits until it or the settings change.
        workers: recordings in work at a time, ``None`` for one a core; the transcripts do not depend on it.
    """
    rows = parts.catalog.sources("audio")
    if not rows:
        parts.catalog.clear_problem(stage=STAGE)
        return 0
    from kgfuse.extract.speech.transcriber import Transcriber

    count = max(1, min(workers or os.cpu_count() or 1, len(rows)))
    try:
        transcriber = Transcriber(parts.settings.extract.speech, count)
        key = transcriber.fingerprint
        failed = {} if retry else parts.catalog.states(_MARK)
        pending = [
            row
            for row in rows
            if row.meta.get("transcriber") != key and failed.get(_MARK + row.name) != _mark(row, key)
        ]
        if pending:
            _ = transcriber.model
    except KgfuseError as e:
        for row in rows:
            kept = "keeps its former transcript" if row.text_sha256 else "is not transcribed"
            _tell(parts, row, f"{kept}: {e.message}", e.remedy)
        return 0
    told = {problem.place for problem in parts.catalog.problems(STAGE)}
    for row in rows:
        if row.name in told and row.meta.get("transcriber") == key:
            _tell(parts, row, SILENT if row.text_sha256 == _NOTHING else "")
    return _transcribe(parts, transcriber, pending, count, on_event)


def _transcribe(
    parts: Parts, transcriber: Transcriber, pending: Sequence[SourceRow], count: int, on_event: OnEvent
) -> int:
    done = 0
    on_event(STAGE, 0, len(pending), "")
    pool, stop = ThreadPoolExecutor(count), Event()
    try:
        found = [pool.submit(_transcript, parts, transcriber, row, stop) for row in pending]
        for n, (row, future) in enumerate(zip(pending, found, strict=True), 1):
            while not wait([future], _TICK).done:
                continue  # a wait without end does not let Ctrl-C through
            made, problem, remedy = future.result()
            with parts.catalog.transaction():
                _tell(parts, row, problem, remedy)
                parts.catalog.set_state(_MARK + row.name, None if made else _mark(row, transcriber.fingerprint))
                if made is not None:
                    parts.catalog.add_source(made)
                    done += 1
            on_event(STAGE, n, len(pending), row.name)
    finally:
        stop.set()  # an hour of speech that is in work is not waited for
        pool.shutdown(cancel_futures=True)
    return done


def _transcript(
    parts: Parts, transcriber: Transcriber, row: SourceRow, stop: Event
) -> tuple[SourceRow | None, str, str]:
    """The row with its transcript, or ``None``; what there is to tell, and what to do about it."""
    try:
        made = transcribed(parts.blobs, transcriber, row, stop)
    except KgfuseError as e:
        return None, e.message, e.remedy
    return made, "" if made.text_sha256 != _NOTHING else SILENT, ""


def transcribed(blobs: Blobs, transcriber: Transcriber, row: SourceRow, stop: Event | None = None) -> SourceRow:
    """The row of a recording with its transcript.

    Args:
        blobs: hold the recording; take its transcript and places.
        transcriber: writes it down.
        row: of the recording.
        stop: once it is set, nobody wants the transcript any more.

    Raises:
        SourceError: it cannot be decoded or transcribed.
        ModelError: the model cannot be loaded.
    """
    try:
        path, spoken = blobs.path(row.sha256), row.meta.get("spoken", "")
        transcript = heard(transcriber, path, row.media_type, row.location, spoken, stop)
    except (RuntimeError, ValueError, MemoryError, OSError) as e:  # a model's own fault is the recording's problem
        remedy = "save it in another form"
        raise SourceError(f"cannot be transcribed: {type(e).__name__}: {e}", where=row.location, remedy=remedy) from e
    meta: Mapping[str, Any] = {
        **row.meta,
        "language": transcript.language,
        "places": blobs.put(dumps(transcript.places)),
        "transcriber": transcriber.fingerprint,
        "transcription": transcriber.parameters,
    }
    return replace(row, text_sha256=blobs.put(transcript.text.encode("utf-8")), meta=meta)


def heard(
    transcriber: Transcriber, path: Path, media_type: str, where: str, spoken: str = "", stop: Event | None = None
) -> Transcript:
    """What is said in the recording of a file.

    Args:
        transcriber: writes it down.
        path: of the file.
        media_type: of the file.
        where: what problems call it.
        spoken: language, where it is known.
        stop: once it is set, nobody wants the transcript any more.

    Raises:
        SourceError: it cannot be decoded.
    """
    with Sandbox() as sandbox:
        _, file = sandbox.samples(path, media_type, where)
        return transcriber.transcribe(np.memmap(file, np.int16, "r"), spoken, stop=stop)


def listener(settings: SpeechSettings) -> Callable[[Path, str], Transcript]:
    """What transcribes recordings that are not added, by path and media type; it loads its model when needed.

    What it returns raises as `heard` does, and:

    Raises:
        ModelError: what reads recordings is not installed.
    """
    from kgfuse.extract.speech.transcriber import Transcriber

    transcriber: list[Transcriber] = []

    def hear(path: Path, media_type: str) -> Transcript:
        if not transcriber:
            transcriber.append(Transcriber(settings))
        return heard(transcriber[0], path, media_type, str(path))

    return hear


def _tell(parts: Parts, row: SourceRow, problem: str, remedy: str = "") -> None:
    """Keep what there is to tell of a recording, in place of what there was."""
    parts.catalog.clear_problem(row.name, STAGE)
    if problem:
        parts.catalog.record_problem(row.name, STAGE, problem, remedy)


def _mark(row: SourceRow, key: str) -> str:
    return digest(row.sha256, key)
