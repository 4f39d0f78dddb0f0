"""How a command is declared: the options that all share, examples under its help, and what becomes of errors."""

from __future__ import annotations

import errno
import inspect
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, Any, Final, get_type_hints

import typer

from kgfuse.cli.output import Output, prepare_stream
from kgfuse.errors import KgfuseError, UsageError

FAILED: Final = 1
USAGE: Final = 2
INTERRUPTED: Final = 130
PIPE_CLOSED: Final = 141
WORKSPACE_VARIABLE: Final = "KGFUSE_WORKSPACE"

Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, and nothing else there.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes on standard error.")]
Debug = Annotated[
    bool, typer.Option("--debug", envvar="KGFUSE_DEBUG", help="Show the traceback of an unexpected error.")
]
WorkspaceArgument = Annotated[
    str, typer.Argument(metavar="WORKSPACE", envvar=WORKSPACE_VARIABLE, help="Folder of the workspace.")
]


def pack_names(incomplete: str) -> list[str]:
    """Installed packs that begin like this, for shell completion."""
    from kgfuse.ontology import available

    return [name for name in available() if name.startswith(incomplete)]


OntologyOption = Annotated[
    list[str],
    typer.Option(
        "-o",
        "--ontology",
        metavar="NAME_OR_PATH",
        autocompletion=pack_names,
        help="Installed pack, or path of a pack or of an OWL, RDFS or SKOS file; may be repeated.",
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Processes that extract; by default as many as the work is worth."),
]
LanguageOption = Annotated[
    str | None, typer.Option(metavar="CODE", help="Of all texts, such as en; else told by content.")
]
_SHARED: Final = {"json": Json, "quiet": Quiet, "debug": Debug}
Command = Callable[..., int | None]


def examples(*lines: str) -> str:
    """The end of a command's help."""
    shown = "".join(f"\n  [cyan]{line.replace('[', chr(92) + '[')}[/cyan]" for line in lines)
    return f"[bold]{'Examples' if len(lines) > 1 else 'Example'}[/bold]{shown}"


def command(app: typer.Typer, name: str, *lines: str) -> Callable[[Command], Command]:
    """Register a function as a command; its first parameter gets the :class:`Output`, the others are its arguments.

    Args:
        app: which group it belongs to.
        name: what people type.
        lines: examples, shown at the end of its help.
    """

    def register(function: Command) -> Command:
        hints = get_type_hints(function, include_extras=True)
        own = list(inspect.signature(function).parameters.values())[1:]
        kind = inspect.Parameter.KEYWORD_ONLY
        parameters = [p.replace(annotation=hints[p.name], kind=kind) for p in own]
        parameters += [inspect.Parameter(n, kind, default=False, annotation=a) for n, a in _SHARED.items()]
        parameters.append(inspect.Parameter("ctx", kind, annotation=typer.Context))

        def run(**values: Any) -> None:
            ctx = values.pop("ctx")
            above = ctx.obj if isinstance(ctx.obj, Output) else Output()
            flags = {n: values.pop(n) or getattr(above, n) for n in _SHARED}
            out = Output(**flags)
            code = attempt(out, lambda: function(out, **values))
            if code:
                raise typer.Exit(code)

        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        run.__doc__ = function.__doc__
        app.command(name, epilog=examples(*lines))(run)
        return function

    return register


def attempt(out: Output, act: Callable[[], int | None]) -> int:
    """Do it, tell what went wrong, and return the exit code."""
    prepare_stream(sys.stdout)
    prepare_stream(sys.stderr)
    with _noting_interrupts(out.interrupted):
        try:
            code = act() or 0
            sys.stdout.flush()
            return code
        except KgfuseError as e:
            out.error(e)
            return USAGE if isinstance(e, UsageError) else FAILED
        except BrokenPipeError:
            _close_pipe()
            return PIPE_CLOSED
        except KeyboardInterrupt:
            return _interrupted(out)
        except typer.Exit:
            raise
        except Exception as e:  # the last resort: a person gets a line, never a page, unless they asked for it
            if out.interrupted.is_set():  # compiled code may turn the interrupt into an error of its own
                return _interrupted(out)
            return _unexpected(out, e)


def given(workspace: str, rest: Sequence[str], missing: str) -> tuple[str, list[str]]:
    """Tell the workspace from what follows it.

    With ``KGFUSE_WORKSPACE`` set, a first argument that is no workspace is the first of the rest.

    Args:
        workspace: first positional argument, or the variable's value.
        rest: those after it.
        missing: what the command needs beside the workspace; empty where it needs nothing.

    Raises:
        UsageError: what it needs is missing.
    """
    default = os.environ.get(WORKSPACE_VARIABLE)
    found = list(rest)
    if default and workspace != default and not os.path.exists(os.path.join(workspace, "kgfuse.toml")):  # noqa: PTH110, PTH118
        workspace, found = default, [workspace, *found]
    if missing and not found:
        raise UsageError(f"{missing} is missing", remedy="see --help for examples")
    return workspace, found


def _interrupted(out: Output) -> int:
    line = "interrupted: what was done is kept; run the same command again to go on from there"
    out.failure(line, {"type": "Interrupted", "what": line, "where": "", "remedy": ""})
    return INTERRUPTED


def _unexpected(out: Output, error: Exception) -> int:
    if out.debug:
        traceback.print_exception(error)
    if isinstance(error, OSError) and error.errno is not None:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        remedy = "free some space, then run the same command again" if full else "check the path and its permissions"
        out.error(KgfuseError(error.strerror or str(error), where=error.filename or "", remedy=remedy))
    elif isinstance(error, MemoryError):
        out.error(KgfuseError("out of memory", remedy="add less at once, or use a larger machine"))
    else:
        kind = type(error).__name__
        text = " ".join(str(error).split())
        hint = "" if out.debug else "; --debug shows where"
        line = f"error: {kind}: {text} (this is a bug{hint})"
        out.failure(line, {"type": kind, "what": text, "where": "", "remedy": "this is a bug: please report it"})
    return FAILED


def _close_pipe() -> None:
    """Send what Python still wants to flush nowhere."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        return


@contextmanager
def _noting_interrupts(noted: threading.Event) -> Iterator[None]:
    """Remember that Ctrl-C was pressed, and raise KeyboardInterrupt as ever; where a callback swallows it, silently."""

    def on_unraisable(lost: sys.UnraisableHookArgs) -> None:
        if not issubclass(lost.exc_type, KeyboardInterrupt):
            told(lost)

    def on_signal(number: int, frame: FrameType | None) -> None:
        noted.set()
        raise KeyboardInterrupt

    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # whoever started us wants it ignored
        yield
        return
    before, told = signal.signal(signal.SIGINT, on_signal), sys.unraisablehook
    sys.unraisablehook = on_unraisable
    try:
        yield
    finally:
        sys.unraisablehook = told
        signal.signal(signal.SIGINT, before)
