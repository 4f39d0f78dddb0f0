"""The command that proposes what the graph does not state: complete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from kgfuse.cli.app import app
from kgfuse.cli.command import WorkspaceArgument, command, given
from kgfuse.cli.output import Output
from kgfuse.cli.tables import bar, percent, plural, table
from kgfuse.errors import UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from kgfuse.graph import KnowledgeGraph
    from kgfuse.graph.paths import Path

_OPEN = "?"


@command(
    app,
    "complete",
    "kgfuse complete guide.kg item:owl fg:eats",
    "kgfuse complete guide.kg '?' fg:eats ent:mouse --top 5",
    "kgfuse complete guide.kg item:owl fg:livesIn --paths 3 --json",
)
def complete(
    out: Output,
    workspace: WorkspaceArgument,
    ends: Annotated[
        list[str] | None,
        typer.Argument(metavar="S P | ? P O", help="Subject and property, to be told objects; with ? in place of S "
                       "property and object, to be told subjects."),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many proposals.")] = 10,
    paths: Annotated[int, typer.Option(min=0, help="Ways through the graph to show beside each, as reasons.")] = 1,
) -> None:  # fmt: skip
    """Propose likely ends of a statement that the graph does not state. Nothing is written.

    A link predictor is trained on what sources assert, and kept until the graph changes. The probability is that of
    being the end, given that there is one more; the note says how well that works on statements held out, beside mere
    frequencies.
    """
    from kgfuse.workspace import Workspace

    workspace, parts = given(workspace, ends or [], "a subject and a property")
    if len(parts) == 3 and parts[2] == _OPEN:
        parts = parts[:2]
    if len(parts) not in (2, 3) or (len(parts) == 3) != (parts[0] == _OPEN):
        raise UsageError(
            f"{' '.join(parts)} asks for no end of a statement",
            remedy="subject and property; or, for subjects, '?', property and object",
        )
    subject, object_ = (parts[0], None) if len(parts) == 2 else (None, parts[2])
    with Workspace.open(workspace, read_only=True) as ws:
        with out.progress() as on_event:
            found = ws.complete(subject, parts[1], object_, k=top, paths=paths, on_event=on_event)
        made = table("", "proposal", "", "probability", "", *(["because"] if paths else []), right=(2,))
        for p in found.proposals:
            reasons = "\n".join(path_line(path, ws.graph) for path in p.paths)
            cells: list[RenderableType] = [
                Text(p.label),
                Text(ws.graph.short(p.iri), "dim"),
                percent(p.probability),
                bar(p.probability),
            ]
            made.add_row(*cells, *([Text(reasons)] if paths else []))
        out.result(found.to_dict(), made if found.proposals else "no proposal")
    out.note(found.judgement, style="dim" if found.report.better else "yellow")
    if found.proposals:
        out.note(f"{plural(len(found.proposals), 'proposal')}, none of them a fact of the graph")


def path_line(path: Path, graph: KnowledgeGraph) -> str:
    """A path in labels: ``owl –eats→ mouse ←eats– heron``."""
    words = [graph.label(path.nodes[0])] if path.steps else []
    for step, node in zip(path.steps, path.nodes[1:], strict=True):
        name = graph.label(step.predicate)
        words += [f"–{name}→" if step.forward else f"←{name}–", graph.label(node)]
    return " ".join(words)
