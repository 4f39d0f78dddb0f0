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

    from kgfuse.reason.shapes import Violation

_SHOWN = 20


@command(
    app,
    "check",
    "kgfuse check shop.kg",
    "kgfuse check shop.kg --shapes house-rules.ttl --strict",
    "kgfuse check shop.kg --leakage",
)
def check(
    out: Output,
    workspace: WorkspaceArgument,
    shapes: Annotated[
        list[Path],
        typer.Option("--shapes", metavar="FILE", help="SHACL shapes beside those of the packs; may be repeated."),
    ] = [],  # noqa: B006
    strict: Annotated[bool, typer.Option("--strict", help="Fail on violations of shapes, too.")] = False,
    leakage: Annotated[
        bool, typer.Option("--leakage", help="Also name duplicate texts and pictures, and groups, across splits.")
    ] = False,
) -> int:
    """Prove that nothing is without provenance: every triple, mention, source, and the default graph itself.

    Violations of the packs' and your own shapes are about the knowledge, not about its provenance: they are listed
    apart, and fail the check with --strict only.
    """
    from kgfuse.workspace import Workspace

    with Workspace.open(workspace, read_only=True) as ws:
        with out.progress() as on_event:
            report = ws.check(shapes, leakage=leakage, on_event=on_event)
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
        columns = ("", "node", "path", "value", "what", "where")
        found = table(f"{plural(len(report.violations), 'violation')} of shapes", *columns)
        for v in report.violations[:_SHOWN]:
            parts = (v.focus, v.path or "", v.value or "")
            found.add_row(v.severity, *map(shrink, parts), v.message, _where(v))
        shown.append(found)
    out.result(report.to_dict(), *shown)
    if not report.findings:
        out.note("provenance is complete: nothing in the graph is without a source")
    broken = any(v.severity == "Violation" for v in report.violations)
    return FAILED if report.findings or (strict and broken) else 0


def _where(violation: Violation) -> str:
    """The first place that a violation was read from; the first source where it was not extracted."""
    from urllib.parse import unquote

    from kgfuse.terms.mentions import TextSpan
    from kgfuse.terms.namespaces import SOURCE

    for mention in violation.mentions:
        if isinstance(place := mention.selector, TextSpan):
            return f"{mention.file_name}:{place.start}–{place.end}"
        return f"{mention.file_name}"
    return next((unquote(s.removeprefix(SOURCE)) for s in violation.sources), "")
