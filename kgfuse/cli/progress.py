"""Progress of long commands: rate and remaining time, as a bar a stage on a terminal, as lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from rich.console import Console

OnEvent: TypeAlias = Callable[[str, int, int, str], None]
"""Called with stage, done, total (0 where unknown) and a note."""

_NAMES = {
    "add": "Adding files",
    "transcribe": "Listening to recordings",
    "extract": "Extracting",
    "extract:text": "Reading texts",
    "extract:relations": "Reading relations",
    "extract:image": "Looking at pictures",
    "resolve": "Resolving and gating",
    "write": "Writing graphs",
    "reason": "Reasoning",
    "validate": "Validating shapes",
    "prepare": "Preparing arrays",
    "finetune": "Fine-tuning the CNN",
    "ablation": "Comparing modalities",
    "search": "Searching settings",
    "train": "Training",
    "classify": "Classifying",
    "assess": "Judging the model",
    "explain": "Explaining",
}
_TOLD = ("search",)
"""Stages of which each note is a line."""
_NOTE = 40
_EVERY = 10.0
"""Seconds between the lines of a stage."""


def stage_name(stage: str) -> str:
    """What people call a stage."""
    return _NAMES.get(stage) or stage.replace(":", " ").replace("_", " ").capitalize()


@contextmanager
def progress_bars(console: Console) -> Iterator[OnEvent]:
    """Live bars on a terminal; the bar of a stage is done when it is complete or the next stage begins."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        SpinnerColumn,
        Task,
        TaskID,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class RateColumn(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed:,.1f}/s" if speed and task.total != 1 else "", style="progress.data.speed")

    columns = (
        SpinnerColumn(finished_text="[green]✓[/]"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        RateColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(compact=True),
        TextColumn("[dim]{task.fields[note]}[/]"),
    )
    with Progress(*columns, console=console) as progress:
        tasks: dict[str, TaskID] = {}
        loading: TaskID | None = progress.add_task("Loading", total=None, note="")
        current = ""

        def settle(stage: str) -> None:
            """Close a stage whose end nobody told."""
            task = next(t for t in progress.tasks if t.id == tasks[stage])
            if task.completed or task.total:
                progress.update(task.id, total=task.completed, note="")
            else:
                progress.remove_task(tasks.pop(stage))

        def on_event(stage: str, done: int, total: int, note: str) -> None:
            nonlocal current, loading
            if loading is not None:
                progress.remove_task(loading)
                loading = None
            if current and stage != current and current in tasks:
                settle(current)
            current = stage
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage_name(stage), total=total or None, note="")
            if stage in _TOLD and note:
                progress.console.print(note, style="dim", markup=False, highlight=False)
                note = ""
            short = note if len(note) <= _NOTE else "…" + note[-_NOTE + 1 :]
            is_over = bool(total) and done >= total
            progress.update(
                tasks[stage], completed=done, total=total or None, note="" if is_over else short.replace("[", r"\[")
            )

        try:
            yield on_event
        finally:
            if loading is not None:
                progress.remove_task(loading)
            if current in tasks:
                settle(current)


@contextmanager
def stage_lines(write: Callable[[str], None], clock: Callable[[], float] = time.perf_counter) -> Iterator[OnEvent]:
    """A line for each stage when it is over, if it had anything to do, and every ten seconds how far it is.

    Args:
        write: takes a line.
        clock: seconds, from any beginning.
    """
    current, count, began, told = "", 0, clock(), 0.0

    def settle() -> None:
        if current and count:
            seconds = clock() - began
            rate = f" ({count / seconds:,.1f}/s)" if count > 1 and seconds > 0 else ""
            write(f"{stage_name(current)}: {count:,} in {seconds:.1f} s{rate}")

    def on_event(stage: str, done: int, total: int, note: str) -> None:
        nonlocal current, count, began, told
        now = clock()
        if stage != current:
            settle()
            current, began, told = stage, now, now
        count = done
        if stage in _TOLD:
            if note:
                write(note)
            return
        if done and now - told >= _EVERY and done != total:
            told = now
            rate = done / (now - began)
            of = f" of {total:,}, {duration((total - done) / rate)} left" if total else ""
            write(f"{stage_name(stage)}: {done:,}{of} ({rate:,.1f}/s)")

    yield on_event
    settle()


def duration(seconds: float) -> str:
    """A span of time for people.

    >>> duration(7.4), duration(125), duration(5000)
    ('7 s', '2 min 5 s', '1 h 23 min')
    """
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 1:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
