"""Commands that look at a workspace without changing it: info, problems, models."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kgfuse.cli.app import app
from kgfuse.cli.command import WorkspaceArgument, command
from kgfuse.cli.output import Output
from kgfuse.cli.tables import pairs, plural, table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from kgfuse.catalog import ModelRow


@command(app, "info", "kgfuse info shop.kg", "kgfuse info shop.kg --json")
def info(out: Output, workspace: WorkspaceArgument) -> None:
    """What a workspace holds: sources, items, triples, problems, models."""
    from kgfuse.encode.steps import told
    from kgfuse.workspace import Workspace

    with Workspace.open(workspace, read_only=True) as ws:
        sources = Counter(source.kind for source in ws.sources())
        items = ws.items()
        splits = Counter(item.split or "unassigned" for item in items)
        problems, models = ws.problems(), ws.models()
        triples = asdict(ws.graph.store.counts())
        packs = {pack.name: pack.version for pack in ws.vocabulary.packs}
        data: dict[str, Any] = {
            "workspace": str(ws.path),
            "ontologies": packs,
            "sources": dict(sorted(sources.items())),
            "items": {
                "all": len(items),
                "labelled": sum(bool(i.labels) for i in items),
                **dict(sorted(splits.items())),
            },
            "triples": triples,
            "preprocessing": ws.settings.preprocessing(),
            "problems": len(problems),
            "models": [model.name for model in models],
        }
    shown: list[RenderableType] = [f"[bold]{data['workspace']}[/bold]".replace("\\", "\\\\")]
    shown.append("ontologies: " + ", ".join(f"{name} {version}".strip() for name, version in packs.items()))
    shown += [pairs(name.capitalize(), data[name]) for name in ("sources", "items", "triples") if data[name]]
    done = {kind: ", ".join(map(told, steps)) or "nothing" for kind, steps in data["preprocessing"].items()}
    shown.append(pairs("Preprocessing", done))
    if models:
        shown.append(_models(models, ws.vocabulary.shrink))
    out.result(data, *shown)
    if problems:
        out.note(f"{plural(len(problems), 'problem')}: kgfuse problems {workspace}", style="yellow")


@command(app, "problems", "kgfuse problems shop.kg")
def problems(out: Output, workspace: WorkspaceArgument) -> None:
    """What could not be read or extracted, why, and what to do about it."""
    from kgfuse.workspace import Workspace

    with Workspace.open(workspace, read_only=True) as ws:
        found = ws.problems()
    listed = table("", "place", "stage", "what", "remedy")
    for row in found:
        listed.add_row(row.place, row.stage, row.message, row.remedy)
    out.result({"problems": [asdict(row) for row in found]}, listed if found else "no problems")
    if found:
        out.note(f"after mending: kgfuse add {workspace} PATH… and kgfuse build {workspace} --retry")


@command(
    app,
    "models",
    "kgfuse models shop.kg",
    "kgfuse models shop.kg --json",
    "kgfuse models shop.kg --html model.html",
    "kgfuse models shop.kg --model fruit-1a2b3c4d --html fruit.html --answers 3",
)
def models(
    out: Output,
    workspace: WorkspaceArgument,
    model: Annotated[str | None, typer.Option(help="Only this one; with --html the newest where not given.")] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also write a self-contained page of a model: ablation, reliability diagram, confusions by "
            "superclass, map of the items, learning curves, figures by class, surest answers with their evidence.",
        ),
    ] = None,
    answers: Annotated[
        int, typer.Option(min=0, help="Surest right and surest wrong answers to explain on the page, of each.")
    ] = 5,
) -> None:
    """Trained models with their figures, oldest first; or a page that shows how one of them does."""
    from kgfuse.workspace import Workspace

    with Workspace.open(workspace, read_only=html is None) as ws:
        found = ws.models()
        if model is not None:
            found = [ws.model(model)]
        shrink = ws.vocabulary.shrink
        data: dict[str, Any] = {"models": [asdict(row) for row in found]}
        if html is not None:
            with out.progress() as on_event:
                assessed = ws.report(html, model=model, answers=answers, on_event=on_event)
            data["assessment"] = assessed.to_dict()
    out.result(data, _models(found, shrink) if found else "no models")
    if html is not None:
        out.note(f"how {data['assessment']['model']} does: {html}")
    elif not found:
        out.note(f"next: kgfuse train {workspace}")


def _models(rows: list[ModelRow], shrink: Any) -> RenderableType:
    listed = table("Models", "name", "target", "figures", "made")
    for row in rows:
        for n, target in enumerate(row.targets):
            figures = row.metrics.get(target, {})
            text = ", ".join(f"{name.replace('_', ' ')} {value:.3g}" for name, value in figures.items())
            listed.add_row(row.name if n == 0 else "", shrink(target), text, row.created_at[:16].replace("T", " "))
    return listed
