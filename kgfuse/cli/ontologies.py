"""Commands about ontology packs: list, show, check, new."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kgfuse.cli.app import app
from kgfuse.cli.command import FAILED, command, pack_names
from kgfuse.cli.output import Output
from kgfuse.cli.tables import plural, table
from kgfuse.errors import UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from kgfuse.ontology import Pack, Vocabulary

group = typer.Typer(
    no_args_is_help=True, rich_markup_mode="rich", help="Ontology packs: what is installed, what is in them, new ones."
)
app.add_typer(group, name="ontologies")


@command(group, "list", "kgfuse ontologies list", "kgfuse ontologies list --json")
def list_packs(out: Output) -> None:
    """Installed packs; one that is broken is listed with its error."""
    from dataclasses import asdict

    from kgfuse.ontology import available

    found = available()
    listed = table("", "name", "version", "about", "licence", "from")
    for info in found.values():
        about = f"[red]{info.error.replace('[', chr(92) + '[')}[/]" if info.error else info.description
        listed.add_row(info.name, info.version, about, info.licence, info.distribution)
    out.result({"ontologies": [asdict(info) for info in found.values()]}, listed)


@command(group, "show", "kgfuse ontologies show retail", "kgfuse ontologies show ./hospital.ttl --all")
def show(
    out: Output,
    name: Annotated[str, typer.Argument(metavar="NAME", autocompletion=pack_names, help="Installed pack, or a path.")],
    all: Annotated[bool, typer.Option("--all", help="Also what the packs that it imports declare.")] = False,
) -> None:
    """The classes of a pack as a tree, and its properties."""
    from kgfuse.ontology import Vocabulary, load_all, resolve

    pack = resolve(name)
    vocabulary = Vocabulary(load_all([name]))
    declared = {t.subject.value for t in pack.triples if hasattr(t.subject, "value")}
    classes = sorted(c for c in vocabulary.classes if all or c in declared)
    properties = sorted(p for p in vocabulary.properties if all or p in declared)
    data = {
        "name": pack.name,
        "version": pack.version,
        "description": pack.description,
        "licence": pack.licence,
        "imports": list(pack.imports),
        "folder": str(pack.folder) if pack.folder else None,
        "classes": [_class_record(vocabulary, c) for c in classes],
        "properties": [_property_record(vocabulary, p) for p in properties],
        "terms": sum(1 for t in vocabulary.terms if all or t in declared),
    }
    heading = f"{pack.name} {pack.version}: {pack.description}\n{data['terms']:,} terms in the lexicon"
    out.result(data, heading, _tree(vocabulary, classes, pack), _properties(vocabulary, properties))


@command(group, "check", "kgfuse ontologies check my-pack/", "kgfuse ontologies check retail")
def check(
    out: Output,
    path: Annotated[str, typer.Argument(metavar="PATH", help="Folder, OWL file, or name of an installed pack.")],
) -> int:
    """What is broken or doubtful in a pack, with file, line and remedy. Exit code 1 where there are errors."""
    from kgfuse.ontology import available, resolve
    from kgfuse.ontology.check import check as check_pack
    from kgfuse.reason.construct import parse_rules

    is_name = not Path(path).exists() and path in available()
    findings = check_pack(resolve(path) if is_name else path, parse_rules=parse_rules)
    errors = [f for f in findings if f.severity == "error"]
    records = [
        {"severity": f.severity, "file": str(f.file), "line": f.line, "message": f.message, "remedy": f.remedy}
        for f in findings
    ]
    summary = f"{plural(len(errors), 'error')}, {plural(len(findings) - len(errors), 'warning')}"
    out.result(
        {"findings": records, "errors": len(errors)}, *_findings(findings), summary if findings else "all is well"
    )
    return FAILED if errors else 0


@command(group, "new", "kgfuse ontologies new smart-home", "kgfuse ontologies new wards --folder packs/wards")
def new(
    out: Output,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the pack.")],
    folder: Annotated[str | None, typer.Option(help="To make; the pack's name where not given.")] = None,
) -> None:
    """Write the skeleton of a pack that works at once."""
    from kgfuse.ontology.scaffold import new as new_pack

    made = new_pack(name, Path(folder or name))
    files = sorted(file.name for file in made.iterdir())
    out.result({"folder": str(made), "files": files}, f"{made}: {', '.join(files)}")
    out.note(f"next: kgfuse ontologies check {made}")


@command(group, "train", "kgfuse ontologies train my-pack/", "kgfuse ontologies train retail --out shop.kg/extractor")
def train(
    out: Output,
    name: Annotated[str, typer.Argument(metavar="NAME", autocompletion=pack_names, help="Installed pack, or a path.")],
    examples: Annotated[
        list[Path] | None, typer.Option("--examples", help="More annotated sentences (JSON Lines); may be repeated.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help="For the extractor; else the pack's own folder.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the sentences.")] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
) -> None:
    """Train a relation extractor on a pack's annotated sentences (examples.jsonl).

    A workspace uses the extractor in its pack's folder by itself, and any other by the setting
    `extract.relations.model`.
    """
    from kgfuse.extract.learned.extractor import FOLDER
    from kgfuse.extract.learned.packs import train_pack
    from kgfuse.extract.learned.training import TrainSettings
    from kgfuse.ontology import Vocabulary, load_all, resolve

    pack = resolve(name)
    folder = to or (pack.folder / FOLDER if pack.folder and Path(name).exists() else None)
    if folder is None:
        raise UsageError(
            f"{name} is installed, and its folder is not yours to write to", remedy="say where: --out FOLDER"
        )
    chosen: dict[str, Any] = {"seed": seed} | ({} if epochs is None else {"epochs": epochs})
    with out.progress() as on_event:

        def on_step(step: int, total: int, loss: float) -> None:
            on_event("train", step, total, f"loss {loss:.2f}")

        reader = train_pack(Vocabulary(load_all([name])), examples or [], TrainSettings(**chosen), on_step=on_step)
    version = reader.save(folder)
    scores = {k: round(v, 3) for k, v in next(iter(reader.learned.values())).scores.items()}
    out.result(
        {"folder": str(folder), "version": version, "development": scores},
        f"{folder}\non the development sentences: " + ", ".join(f"{k} {v:g}" for k, v in scores.items()),
    )


def _findings(findings: Any) -> list[RenderableType]:
    from rich.text import Text

    styles = {"error": "red", "warning": "yellow"}
    return [Text(str(f), style=styles[f.severity], no_wrap=True, overflow="ignore") for f in findings]


def _class_record(vocabulary: Vocabulary, iri: str) -> dict[str, Any]:
    known = vocabulary.classes[iri]
    parents = [vocabulary.shrink(p) for p in known.parents]
    return {
        "iri": iri,
        "name": vocabulary.shrink(iri),
        "label": known.label,
        "parents": parents,
        "definition": known.definition,
    }


def _property_record(vocabulary: Vocabulary, iri: str) -> dict[str, Any]:
    known = vocabulary.properties[iri]
    return {
        "iri": iri,
        "name": vocabulary.shrink(iri),
        "label": known.label,
        "kind": known.kind,
        "domain": [vocabulary.shrink(c) for c in known.domain],
        "range": [vocabulary.shrink(c) for c in known.range],
        "triggers": list(known.triggers),
        "definition": known.definition,
    }


def _tree(vocabulary: Vocabulary, classes: list[str], pack: Pack) -> RenderableType:
    from rich.text import Text
    from rich.tree import Tree

    tree = Tree(Text(plural(len(classes), "class").replace("classs", "classes"), "bold"))
    shown = set(classes)
    below: dict[str, list[str]] = {}
    for iri in classes:
        for parent in vocabulary.classes[iri].parents:
            below.setdefault(parent, []).append(iri)

    def grow(branch: Tree, iri: str, above: frozenset[str]) -> None:
        known = vocabulary.classes.get(iri)
        line = Text.assemble((vocabulary.shrink(iri), "cyan" if iri in shown else "dim"))
        if known is not None and known.definition:
            line.append(f"  {known.definition}", "dim")
        line.truncate(140, overflow="ellipsis")
        leaf = branch.add(line)
        for child in sorted(below.get(iri, [])):
            if child not in above:
                grow(leaf, child, above | {child})

    tops = [c for c in classes if not any(p in shown for p in vocabulary.classes[c].parents)]
    outer = sorted({p for c in tops for p in vocabulary.classes[c].parents if p not in shown})
    for iri in (*outer, *(c for c in tops if not vocabulary.classes[c].parents)):
        grow(tree, iri, frozenset((iri,)))
    return tree


def _properties(vocabulary: Vocabulary, properties: list[str]) -> RenderableType:
    made = table("Properties", "name", "domain", "range", "stated by")
    for iri in properties:
        known = vocabulary.properties[iri]
        domain, range_ = (
            " | ".join(map(vocabulary.shrink, side)) or "anything" for side in (known.domain, known.range)
        )
        made.add_row(vocabulary.shrink(iri), domain, range_, ", ".join(known.triggers))
    return made
