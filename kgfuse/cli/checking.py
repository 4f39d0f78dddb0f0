"""The command that checks a workspace: check."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kgfuse.cli.app import app
from kgfuse.cli.command import FAILED, WorkspaceArgument, command
from kgfuse.cli.output import Output
from kgfuse.cli.tables import pairs, plural, table

if TYPE_CHECKING:
    from rich.console import RenderableType

_SHOWN = 20


@command(
    app,
    "check",
    "kgfuse check shop.kg",
    "kgfuse check shop.kg --shapes house-rules.ttl --strict",
)
def check(
    out: Output,
    workspace: WorkspaceArgument,
    shapes: Annotated[
        list[Path],
        typer.Option("--shapes", metavar="FILE", help="SHACL shapes beside those of the packs; may be repeated."),
    ] = [],  # noqa: B006
    strict: Annotated[bool, typer.Option("--strict", help="Fail on violations of shapes, too.")] = False,
) -> int:
    """Prove that nothing is without provenance: every triple, mention, source, and the default graph itself.

    Violations of the packs' and your own shapes are about the knowledge, not about its provenance: they are listed
    apart, and fail the check with --strict only.
    """
    from kgfuse.workspace import Workspace

    with Workspace.open(workspace, read_only=True) as ws:
        with out.progress() as on_event:
            report = ws.check(shapes, on_event=on_event)
        shrink = ws.vocabulary.shrink
    shown: list[RenderableType] = [pairs("Checked", report.checked)]
    if report.findings:
        listed = table(plural(len(report.findings), "finding"), "rule", "where", "what", "remedy")
        for f in report.findings[:_SHOWN]:
            listed.add_row(f.rule, f.where, f.what, f.remedy)
        if len(report.findings) > _SHOWN:
            listed.caption = f"… and {len(report.findings) - _SHOWN:,} more (--json lists all)"
        shown.append(listed)
    if report.violations:
        found = table(f"{plural(len(report.violations), 'violation')} of shapes", "", "node", "path", "value", "what")
        for v in report.violations[:_SHOWN]:
            found.add_row(v.severity, shrink(v.focus), shrink(v.path or ""), shrink(v.value or ""), v.message)
        shown.append(found)
    out.result(report.to_dict(), *shown)
    if not report.findings:
        out.note("provenance is complete: nothing in the graph is without a source")
    broken = any(v.severity == "Violation" for v in report.violations)
    return FAILED if report.findings or (strict and broken) else 0
