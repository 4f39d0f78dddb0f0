"""The application that the commands belong to, and its global options."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import kgfuse
from kgfuse.cli.command import Debug, Json, Quiet, examples
from kgfuse.cli.output import Output

_ORDER = (
    *("demo", "extract", "init", "add", "build", "review", "entities", "query", "train", "models", "classify"),
    "explain",
    "complete",
    *("remove", "export", "serve", "info", "problems", "ontologies"),
)


class _Ordered(TyperGroup):
    def list_commands(self, ctx: Any) -> list[str]:
        """In the order in which people need them."""
        return sorted(self.commands, key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))


app = typer.Typer(
    name="kgfuse",
    cls=_Ordered,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "kgfuse demo",
        "kgfuse init shop.kg -o retail",
        "kgfuse add shop.kg catalogue/ && kgfuse build shop.kg",
        "kgfuse train shop.kg && kgfuse classify shop.kg photo.jpg",
    ),
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"kgfuse {kgfuse.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    ctx: typer.Context,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Documents and pictures become a knowledge graph; text, picture and graph together give grounded answers.

    Data goes to standard output, progress and problems to standard error. Exit codes: 0, 1 (failed), 2 (usage).
    """
    ctx.obj = Output(json=json, quiet=quiet, debug=debug)
