"""``classify_stream``: answers for any number of files as they come, in batches, with memory that does not grow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kgfuse.errors import PROBLEM, KgfuseError, ModelError, SourceError, UsageError
from kgfuse.extract.protocol import kinds_read
from kgfuse.extract.running import outcomes
from kgfuse.sources.identify import walk
from kgfuse.terms.mentions import Extraction, Source
from kgfuse.workspace.parts import OnEvent
from kgfuse.workspace.visiting import visiting_source

if TYPE_CHECKING:
    from kgfuse.workspace.prediction import Prediction
    from kgfuse.workspace.predictor import Predictor

BATCH: Final = 64
"""Sources that are read and answered for together."""


def stream(
    predictor: Predictor, inputs: Iterable[str | Path], question: str, top: int, batch: int, on_event: OnEvent
) -> Iterator[Prediction]:
    """Answers in the order of the inputs, batch by batch; see :meth:`kgfuse.Workspace.classify_stream`."""
    waiting: list[Source | int] = []
    homes: dict[str, Path] = {}
    answered = 0
    for source in _each(predictor, inputs, on_event):
        home = _home(source)
        # What follows under the name of the last one belongs to its item; the same name elsewhere is another item.
        full = len(waiting) >= batch and not (home and waiting and _home(waiting[-1]) == home)
        if full or (home and homes.get(home[0], home[1]) != home[1]):
            for answer in _answered(predictor, waiting, question, top, on_event):
                answered += 1
                yield answer
            on_event("classify", answered, 0, "")
            waiting, homes = [], {}
        waiting.append(source)
        homes |= dict([home] if home else [])
    yield from _answered(predictor, waiting, question, top, on_event)


def _home(source: Source | int) -> tuple[str, Path] | None:
    """A file's item and folder."""
    if isinstance(source, int) or source.path is None:
        return None
    return source.item or "", source.path.parent


def _each(predictor: Predictor, inputs: Iterable[str | Path], on_event: OnEvent) -> Iterator[Source | int]:
    """Sources of files and rows of items, one after the other; what is neither, or cannot be read, is told."""
    for given in inputs:
        row = predictor.row(given)
        if row is not None:
            yield row
            continue
        path = Path(given)
        if not path.exists():
            on_event(PROBLEM, 0, 0, f"{given} is neither an item nor a file")
        folder = path if path.is_dir() else None
        for file in walk(path) if folder is not None else [path] if path.exists() else []:
            try:
                yield visiting_source(file, predictor.hear, folder)
            except (SourceError, ModelError, UsageError) as e:
                on_event(PROBLEM, 0, 0, e.message)


def _answered(
    predictor: Predictor, waiting: Sequence[Source | int], question: str, top: int, on_event: OnEvent
) -> Iterator[Prediction]:
    rows = [row for row in waiting if isinstance(row, int)]
    sources = [source for source in waiting if isinstance(source, Source)]
    yield from predictor.answers(rows, question, top=top)
    found: list[Extraction] = []
    failed: set[str] = set()
    for extractor in predictor.parts.extractors:
        own = [s for s in sources if s.kind in kinds_read(extractor)]
        for source, outcome in zip(own, outcomes(extractor, own), strict=True):
            if isinstance(outcome, str):
                failed.add(source.iri)
                on_event(PROBLEM, 0, 0, f"{source.path}: {outcome}")
            else:
                found.append(outcome)
    readable = [source for source in sources if source.iri not in failed]
    found = [extraction for extraction in found if extraction.source not in failed]
    if readable:
        try:
            yield from predictor.answers_of(readable, found, question, top)
        except KgfuseError as e:
            on_event(PROBLEM, 0, 0, e.message)
