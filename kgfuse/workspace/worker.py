"""A worker process: it builds the extractors from the settings, once, then reads batches until its pipe closes.

Whatever is heavy is imported inside: a process must be able to ignore Ctrl-C before it has loaded anything.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kgfuse.extract.protocol import Extractor
    from kgfuse.extract.running import Result
    from kgfuse.terms.mentions import Source
    from kgfuse.workspace.settings import Settings


@dataclass(frozen=True, slots=True)
class Task:
    """A batch for a worker: the run tells which extractor reads it, and that it is the very one the parent means."""

    run: str
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """A batch's results, and the picture features (content hash, vector) that extraction came by."""

    results: list[Result]
    features: list[tuple[str, Any]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a worker cannot work at all."""

    message: str


def main(pipe: Connection, settings: Settings) -> None:
    """Serve one parent: say ``None`` once the extractors are loaded, then answer each task with a reply."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's: it ends its workers itself
    features: list[tuple[str, Any]] = []
    try:
        try:
            extractors = _extractors(settings, features)
        except Exception as e:  # the parent raises it: without extractors there is nothing to do
            pipe.send(Refusal(getattr(e, "message", f"{type(e).__name__}: {e}")))
            return
        pipe.send(None)
        while True:
            pipe.send(_answer(pipe.recv(), extractors, features))
    except (EOFError, BrokenPipeError, ConnectionResetError):  # the parent is gone
        return


def _extractors(settings: Settings, features: list[tuple[str, Any]]) -> dict[str, Extractor]:
    import torch

    from kgfuse.extract.protocol import run_iri
    from kgfuse.extract.registry import build_all
    from kgfuse.ontology import Vocabulary, load_all

    torch.set_num_threads(1)  # the workers are the threads
    found = build_all(Vocabulary(load_all(settings.ontologies)), settings.extract)
    for extractor in found:
        if hasattr(extractor, "on_features"):
            extractor.on_features = lambda sha, vector: features.append((sha, vector))
    return {run_iri(extractor): extractor for extractor in found}


def _answer(task: Task, extractors: dict[str, Extractor], features: list[tuple[str, Any]]) -> Reply | Refusal:
    from kgfuse.extract.running import run_batch

    if task.run not in extractors:
        return Refusal("an ontology, model or setting changed meanwhile")
    features.clear()
    return Reply(run_batch(extractors[task.run], task.sources), list(features))
