"""Commands that fill a workspace: init, add, build, remove."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kgfuse.cli.app import app
from kgfuse.cli.command import (
    FAILED,
    LanguageOption,
    OntologyOption,
    WorkersOption,
    WorkspaceArgument,
    command,
    given,
)
from kgfuse.cli.output import Output
from kgfuse.cli.overrides import nested
from kgfuse.cli.tables import pairs, plural, table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from kgfuse.workspace.build import BuildReport

_SHOWN = 10


@command(
    app,
    "init",
    "kgfuse init shop.kg -o retail",
    "kgfuse init wards.kg -o ./hospital.ttl --set extract.image.ocr=off",
)
def init(
    out: Output,
    workspace: WorkspaceArgument,
    ontology: OntologyOption = [],  # noqa: B006
    set: Annotated[
        list[str],
        typer.Option("--set", metavar="KEY=VALUE", help="A setting of extraction or encoders; may be repeated."),
    ] = [],  # noqa: B006
) -> None:
    """Make a new workspace: a folder that holds sources, graph and models."""
    from kgfuse.workspace import Settings, Workspace

    settings = nested(set, Settings().model_dump())
    with Workspace.create(workspace, ontology, settings) as ws:
        packs = [pack.name for pack in ws.vocabulary.packs]
        classes, properties = len(ws.vocabulary.classes), len(ws.vocabulary.properties)
        out.result(
            {"workspace": str(ws.path), "ontologies": packs, "classes": classes, "properties": properties},
            f"{ws.path}: a new workspace with {', '.join(packs)} ({classes} classes, {properties} properties)",
        )
    out.note(f"next: kgfuse add {workspace} PATH…")


@command(
    app,
    "add",
    "kgfuse add shop.kg catalogue/",
    "kgfuse add shop.kg manifest.jsonl notes.txt",
    "kgfuse add shop.kg old/ --encoding cp1252",
)
def add(
    out: Output,
    workspace: WorkspaceArgument,
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="PATH", help="Files, folders, manifests (JSON Lines or CSV).")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Of texts that are not UTF-8 and have no byte order mark; else told by content.")
    ] = None,
    language: LanguageOption = None,
    mapping: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What the columns of tables mean (TOML), where none lies beside them."),
    ] = None,
) -> int:
    """Add texts, pictures, RDF and manifests. In a folder, files of one name are one item."""
    from kgfuse.workspace import Workspace

    workspace, files = given(workspace, paths or [], "PATH")
    with Workspace.open(workspace) as ws, out.progress() as on_event:
        report = ws.add(*files, encoding=encoding, language=language, mapping=mapping, on_event=on_event)
    for line in report.problems:
        out.problem(line)
    usable = report.added + report.changed + report.unchanged
    counts = f"{report.added:,} added, {report.changed:,} changed, {report.unchanged:,} unchanged"
    gone = f", {report.removed:,} removed" if report.removed else ""
    bad = f", {plural(len(report.problems), 'problem')}" if report.problems else ""
    out.result(asdict(report), f"{counts}{gone}{bad}; {plural(report.items, 'item')}")
    if not usable:
        out.note("nothing here can be used", style="red")
        return FAILED
    if report.problems:
        out.note(f"mend what is listed and add it again; `kgfuse problems {workspace}` keeps the list")
    out.note(f"next: kgfuse build {workspace}")
    return 0


@command(app, "build", "kgfuse build shop.kg", "kgfuse build shop.kg --retry", "kgfuse build shop.kg --rejected")
def build(
    out: Output,
    workspace: WorkspaceArgument,
    retry: Annotated[bool, typer.Option("--retry", help="Try again what could not be extracted before.")] = False,
    rejected: Annotated[
        bool, typer.Option("--rejected", help="List every statement that the gate turned away, and why.")
    ] = False,
    workers: WorkersOption = None,
) -> int:
    """Extract, resolve, reason, validate: bring the graph up to date. What did not change is not done again."""
    from kgfuse.workspace import Workspace

    with Workspace.open(workspace) as ws:
        with out.progress() as on_event:
            report = ws.build(retry=retry, workers=workers, on_event=on_event)
        shrink = ws.vocabulary.shrink
        turned_away = _turned_away(ws.path)
        broken = {problem.place for problem in ws.problems()}
        usable = any(source.name not in broken for source in ws.sources())
    for line in report.problems:
        out.problem(line)
    by_rule: dict[str, int] = {}
    for record in turned_away:
        by_rule[record["rule"]] = by_rule.get(record["rule"], 0) + 1
    data: dict[str, Any] = {
        **_counts(report),
        "extracted": report.extracted,
        "unchanged": report.unchanged,
        "rejected": len(turned_away),
        "rejected_by_rule": by_rule,
        "violations": [v.to_dict() for v in report.violations],
        "contradictions": report.contradictions,
        "problems": report.problems,
        "decisions": report.decisions,
        "lapsed": report.lapsed,
        "seconds": report.seconds,
    }
    if rejected:
        data["rejected_statements"] = turned_away
    shown: list[RenderableType] = []
    if report.unchanged:
        shown.append("nothing changed since the last build")
    shown.append(pairs("The graph", _counts(report)))
    if report.seconds:
        shown.append(pairs("Seconds", report.seconds))
    if by_rule:
        shown.append(pairs("Turned away, by rule", dict(sorted(by_rule.items(), key=lambda r: (-r[1], r[0])))))
    if rejected and turned_away:
        listed = table("Turned away", "source", "statement", "rule", "reason")
        for r in turned_away:
            listed.add_row(_source_name(r["source"]), _statement(r, shrink), r["rule"], r["reason"])
        shown.append(listed)
    if report.violations:
        found = table(f"{plural(len(report.violations), 'violation')} of shapes", "", "node", "path", "value", "what")
        for v in report.violations[:_SHOWN]:
            found.add_row(v.severity, shrink(v.focus), shrink(v.path or ""), shrink(v.value or ""), v.message)
        if len(report.violations) > _SHOWN:
            found.caption = f"… and {len(report.violations) - _SHOWN:,} more (--json lists all)"
        shown.append(found)
    if report.contradictions:
        wrong = table(plural(len(report.contradictions), "contradiction"), "rule", "what", "rests on", "said by")
        for c in report.contradictions[:_SHOWN]:
            said = ["\n".join(" ".join(map(_term, map(str, a["triple"]))) for a in c["asserted"])]
            said.append("\n".join(", ".join(map(_source_name, a["graphs"])) for a in c["asserted"]))
            wrong.add_row(c["rule"], c["message"], *said)
        shown.append(wrong)
    out.result(data, *shown)
    if by_rule and not rejected:
        out.note(f"`kgfuse build {workspace} --rejected` lists what was turned away")
    if report.lapsed:
        verb = "lapsed: the words it is on" if report.lapsed == 1 else "lapsed: the words they are on"
        out.note(f"{plural(report.lapsed, 'decision')} {verb} changed; `kgfuse review {workspace}` asks again")
    if report.problems:
        count = plural(len(report.problems), "problem")
        out.note(f"{count}: mend the file and add it again; try an extraction again: kgfuse build {workspace} --retry")
        if not usable:
            out.note("nothing here can be used", style="red")
            return FAILED
    elif not report.sources:
        out.note(f"the workspace is empty; next: kgfuse add {workspace} PATH…")
    return 0


@command(app, "remove", "kgfuse remove shop.kg catalogue/old.txt", "kgfuse remove shop.kg catalogue")
def remove(
    out: Output,
    workspace: WorkspaceArgument,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Sources, by name or path; a folder or manifest too.")
    ] = None,
) -> None:
    """Remove sources with exactly what they said; the graph is brought up to date."""
    from kgfuse.workspace import Workspace

    workspace, chosen = given(workspace, names or [], "NAME")
    removed: dict[str, int] = {}
    with Workspace.open(workspace) as ws:
        for name in chosen:
            removed[name] = ws.remove(name)
    total = sum(removed.values())
    out.result({"removed": removed, "sources": total}, f"{plural(total, 'source')} removed")


def _counts(report: BuildReport) -> dict[str, int]:
    names = ("sources", "items", "entities", "asserted", "inferred", "statements", "mentions", "graphs_written")
    return {name: getattr(report, name) for name in names}


def _turned_away(folder: Path) -> list[dict[str, Any]]:
    """What the gate turned away in the build that made the present graph."""
    import json
    from contextlib import closing

    from kgfuse.catalog import Catalog

    with closing(Catalog(folder)) as catalog:
        records: list[dict[str, Any]] = json.loads(catalog.get_state("rejected") or "[]")
    return records


def _term(form: str) -> str:
    """The readable end of a term in N-Triples form."""
    from kgfuse.terms.namespaces import local_name

    return local_name(form[1:-1]) if form.startswith("<") else form


def _source_name(iri: str) -> str:
    from urllib.parse import unquote

    from kgfuse.terms.namespaces import SOURCE

    return unquote(iri.removeprefix(SOURCE))


def _statement(record: dict[str, Any], shrink: Any) -> str:
    return " · ".join(shrink(str(record[part])) for part in ("subject", "predicate", "object"))
