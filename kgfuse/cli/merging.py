"""The command about what names mean: entities."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated
from urllib.parse import unquote

import typer

from kgfuse.cli.app import app
from kgfuse.cli.command import WorkspaceArgument, command
from kgfuse.cli.output import Output
from kgfuse.cli.tables import plural, table
from kgfuse.terms.namespaces import SOURCE


@command(
    app,
    "entities",
    "kgfuse entities press.kg",
    "kgfuse entities press.kg --split ent:costa --by Ada",
    "kgfuse entities press.kg --merge 'Lena Kosta' 'Lena Costa'",
    "kgfuse entities press.kg --undo 'Lena Kosta' 'Lena Costa'",
)
def entities(
    out: Output,
    workspace: WorkspaceArgument,
    split: Annotated[
        list[str], typer.Option(metavar="NAME", help="It is not what it was taken for; a name, CURIE or IRI.")
    ] = [],  # noqa: B006
    merge: Annotated[tuple[str, str] | None, typer.Option(metavar="A B", help="A means B; B may be any IRI.")] = None,
    undo: Annotated[tuple[str, str] | None, typer.Option(metavar="A B", help="Take a decision back.")] = None,
    by: Annotated[
        str | None, typer.Option(metavar="NAME", envvar="KGFUSE_REVIEWER", help="Who decides; else the login.")
    ] = None,
) -> None:
    """Which names were taken for one thing, and why; what a person decides here outlives every build."""
    from kgfuse.workspace import Workspace

    acts = bool(split or merge or undo)
    with Workspace.open(workspace, read_only=not acts) as ws:
        for name in split:
            ws.split(name, reviewer=by)
        if merge:
            ws.merge(*merge, reviewer=by)
        if undo:
            ws.undo_merge(*undo)
        if acts:
            with out.progress() as on_event:
                ws.build(on_event=on_event)
        merges, decided = ws.entities()
        unclear = ws.unclear()
        shrink = ws.vocabulary.shrink
    data = {"merges": [asdict(m) for m in merges], "decisions": [asdict(d) for d in decided]}
    data["unclear"] = [asdict(u) for u in unclear]
    shown = table(plural(len(merges), "merge"), "name", "means", "in", "why", "confidence", right=(4,))
    for m in merges:
        sources = ", ".join(unquote(s.removeprefix(SOURCE)) for s in m.sources[:3])
        more = f" and {len(m.sources) - 3:,} more" if len(m.sources) > 3 else ""
        shown.add_row(m.label, shrink(m.into), sources + more, m.reason, f"{m.confidence:.2f}")
    told = table(plural(len(decided), "decision"), "name", "", "name", "by")
    for d in decided:
        told.add_row(shrink(d.a), "is" if d.same else "is not", shrink(d.b), d.by)
    open_ = table(plural(len(unclear), "name") + " that could mean several things", "name", "in", "could be")
    for u in unclear:
        open_.add_row(u.label, unquote(u.source.removeprefix(SOURCE)), ", ".join(map(shrink, u.iris)))
    out.result(
        data, *([shown] if merges or not decided else []), *([told] if decided else []), *([open_] if unclear else [])
    )
