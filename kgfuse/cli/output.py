"""Where a command writes: data to standard output (tables or JSON), everything else to standard error."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Any, TextIO

from rich.console import Console, RenderableType

from kgfuse.cli.progress import OnEvent, progress_bars, stage_lines
from kgfuse.errors import PROBLEM, KgfuseError

if TYPE_CHECKING:
    from rich.style import Style

_PIPE_WIDTH = 160


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the command: the reader of the pipe has seen enough."""
        raise BrokenPipeError


@dataclass(frozen=True, slots=True)
class Output:
    """How this run of the command line speaks.

    Args:
        json: one JSON object on standard output instead of tables.
        quiet: neither progress nor notes on standard error; problems and errors are told all the same.
        debug: the traceback of an unexpected error.
        told: problems that were told as they happened; each is told once.
        interrupted: set at Ctrl-C. The exception may come up in a callback that swallows it; the next event raises it
            again.
    """

    json: bool = False
    quiet: bool = False
    debug: bool = False
    told: set[str] = field(default_factory=set)
    interrupted: Event = field(default_factory=Event)

    def result(self, data: Mapping[str, Any], *shown: RenderableType) -> None:
        """The answer of the command: ``data`` with ``--json``, else what is shown to people."""
        if self.json:
            self.raw(json.dumps(data, ensure_ascii=False, indent=1, default=str) + "\n")
        else:
            console = _console(stderr=False)
            for part in shown:
                console.print(part, highlight=False)

    def raw(self, data: str | bytes) -> None:
        """Write to standard output exactly this."""
        import typer

        typer.echo(data, nl=False)

    def note(self, text: str, style: str | Style = "dim") -> None:
        """Something good to know, on standard error."""
        if not self.quiet:
            _line(text, style)

    def problem(self, text: str) -> None:
        """Something that went wrong while the rest went on, on standard error; told already, it is passed over."""
        if text not in self.told:
            self._tell(text, _console(stderr=True))

    def _tell(self, problem: str, console: Console) -> None:
        self.told.add(problem)
        _print(console, f"problem: {problem}", "yellow")

    def error(self, error: KgfuseError) -> None:
        """What ended the command: a line on standard error, with ``--json`` an object on standard output too."""
        record = {"type": type(error).__name__, "what": error.what, "where": error.where, "remedy": error.remedy}
        self.failure(f"error: {error.message}", record)

    def failure(self, line: str, record: Mapping[str, Any]) -> None:
        """Tell an error of any kind."""
        _line(line, "red")
        if self.json:
            self.raw(json.dumps({"error": record}, ensure_ascii=False) + "\n")

    @contextmanager
    def progress(self) -> Iterator[OnEvent]:
        """Bars on a terminal, lines elsewhere, nothing when quiet; and in any case a line a problem as it happens."""
        console = _console(stderr=True)

        def telling(inner: OnEvent) -> OnEvent:
            def on_event(stage: str, done: int, total: int, note: str) -> None:
                if self.interrupted.is_set():
                    raise KeyboardInterrupt
                if stage == PROBLEM:
                    self._tell(note, console)
                else:
                    inner(stage, done, total, note)

            return on_event

        if self.quiet:
            yield telling(lambda stage, done, total, note: None)
        elif console.is_terminal:
            with progress_bars(console) as bars:
                yield telling(bars)
        else:
            with stage_lines(lambda line: _line(line, "")) as lines:
                yield telling(lines)


def prepare_stream(stream: TextIO) -> None:
    """Never fail on a character that the stream cannot encode, such as an undecodable byte of a file's name."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def _console(*, stderr: bool) -> Console:
    console = _Console(stderr=stderr)
    if console.is_terminal or "COLUMNS" in os.environ:
        return console
    return _Console(stderr=stderr, width=_PIPE_WIDTH)


def _line(text: str, style: str | Style) -> None:
    _print(_console(stderr=True), text, style)


def _print(console: Console, text: str, style: str | Style) -> None:
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)
