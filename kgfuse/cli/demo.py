"""``kgfuse demo``: the whole line on what ships."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kgfuse.cli.app import app
from kgfuse.cli.chains import explanation_view
from kgfuse.cli.command import command
from kgfuse.cli.learning import ablation_view
from kgfuse.cli.output import Output
from kgfuse.cli.tables import pairs, percent

if TYPE_CHECKING:
    from rich.console import RenderableType


@command(app, "demo", "kgfuse demo", "kgfuse demo --out /tmp/field-guide --json")
def demo(
    out: Output,
    folder: Annotated[str, typer.Option("--out", metavar="DIR", help="For workspace and report.")] = "kgfuse-demo",
) -> None:
    """Short articles and drawings become a graph and a classifier, and every answer leads back to its evidence.

    Works offline on what ships; writes a workspace and one report.html.
    """
    from kgfuse.terms.namespaces import local_name
    from kgfuse.workspace.demo import run_demo

    with out.progress() as on_event:
        result = run_demo(Path(folder), on_event)
    data = result.to_dict()
    shown: list[RenderableType] = [pairs("The graph", data["counts"])]
    shown.append(
        f"{data['rejected']:,} statements turned away by the ontology, {data['violations']:,} violations of shapes"
    )
    ablation = result.trained.ablation
    if ablation is not None:
        shown += [ablation_view(ablation, target, local_name) for target in result.trained.targets]
    share = f" ({percent(result.correct / len(result.predictions))})" if result.predictions else ""
    shown.append(f"{result.correct} of {len(result.predictions)} test items right{share}")
    tags, colours = result.tags, result.colours
    shown.append(f"picture tags: {tags['tagged']} of {tags['pictures']} drawings got one past the calibrated gate")
    shown.append(
        f"colours: {percent(colours['share'])} of {colours['stated']:,} stated colours are seen in the picture"
        f" ({percent(colours['chance'])} by chance)"
    )
    shown += [explanation_view(explanation) for explanation in result.explanations]
    shown.append(pairs("Seconds", result.seconds))
    shown.append(f"peak memory {result.peak_memory_mb:,.0f} MB")
    shown.append(f"workspace {result.workspace}\nreport    {result.report}")
    out.result(data, *shown)
    out.note(f"next: kgfuse query {result.workspace} 'SELECT ?animal ?food {{ ?animal fg:eats ?food }} LIMIT 5'")
