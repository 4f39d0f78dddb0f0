"""The command that reads texts with an ontology and shows what it finds, without a workspace."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kgfuse.cli.app import app
from kgfuse.cli.building import pack_names
from kgfuse.cli.command import FAILED, command
from kgfuse.cli.output import Output
from kgfuse.cli.overrides import nested
from kgfuse.cli.tables import plural, table
from kgfuse.errors import KgfuseError, UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from kgfuse.ontology import Vocabulary
    from kgfuse.workspace.documents import Document


@command(
    app,
    "extract",
    "kgfuse extract -o general notes.txt",
    "kgfuse extract -o ./hospital.ttl letters/*.txt --html letters.html",
    "echo 'The blade is made of steel.' | kgfuse extract -o general - --json",
)
def extract(
    out: Output,
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="Texts, or - for standard input.")],
    ontology: Annotated[
        list[str],
        typer.Option(
            "-o",
            "--ontology",
            metavar="NAME_OR_PATH",
            autocompletion=pack_names,
            help="Installed pack, or path of a pack or ontology file; may be repeated.",
        ),
    ] = [],  # noqa: B006
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page with the words marked; it needs nothing else.")
    ] = None,
    rejected: Annotated[bool, typer.Option("--rejected", help="Also list what the gate turned away, and why.")] = False,
    encoding: Annotated[str | None, typer.Option(help="Of texts that are not UTF-8.")] = None,
    set: Annotated[
        list[str], typer.Option("--set", metavar="KEY=VALUE", help="A setting of extraction; may be repeated.")
    ] = [],  # noqa: B006
) -> int:
    """Read texts with an ontology: entities and relations, each with its words, confidence and reason."""
    from kgfuse.extract.settings import ExtractSettings
    from kgfuse.workspace.documents import read, vocabulary_of

    if not ontology:
        raise UsageError("no ontology is named", remedy="-o NAME_OR_PATH; kgfuse ontologies list shows what there is")
    chosen = nested([s.removeprefix("extract.") for s in set], ExtractSettings().model_dump())
    settings = ExtractSettings.model_validate(chosen)
    vocabulary = vocabulary_of(ontology)
    texts, failed = _texts(out, files, encoding)
    documents: list[Document] = []
    with out.progress() as on_event:
        for n, document in enumerate(read(texts, vocabulary, settings), 1):
            documents.append(document)
            on_event("extract:text", n, len(texts), document.name)
    if html is not None:
        from kgfuse.workspace.report.documents import write_documents

        write_documents(documents, vocabulary, html)
        out.note(f"written: {html}")
    shown: list[Table | str] = [_listed(documents, vocabulary)]
    if rejected:
        shown.append(_turned_away(documents, vocabulary))
    count = sum(len(d.statements) for d in documents)
    away = sum(len(d.rejected) for d in documents)
    shown.append(f"{plural(count, 'statement')} in {plural(len(documents), 'text')}, {away:,} turned away")
    out.result({"documents": [d.to_dict(vocabulary) for d in documents]}, *shown)
    return FAILED if failed else 0


def _texts(out: Output, files: list[str], encoding: str | None) -> tuple[list[tuple[str, str]], bool]:
    """(name, text) of what can be read; what cannot is told, and the rest goes on."""
    from kgfuse.workspace.documents import read_file
    from kgfuse.workspace.files import decode

    texts, failed = [], False
    for name in files:
        try:
            if name == "-":
                texts.append(("standard input", decode(sys.stdin.buffer.read(), "standard input", encoding)))
            else:
                texts.append((name, read_file(Path(name), encoding)))
        except KgfuseError as error:
            if len(files) == 1:
                raise
            failed = True
            out.problem(error.message)
    return texts, failed


def _listed(documents: list[Document], vocabulary: Vocabulary) -> Table:
    from kgfuse.workspace.documents import node_label, spans_of

    listed = table("", "subject", "property", "object", "confidence", "where")
    for document in documents:
        for s in document.statements:
            listed.add_row(
                node_label(s.subject, vocabulary), vocabulary.shrink(s.predicate), node_label(s.object, vocabulary),
                f"{s.confidence:.2f}", _where(document, spans_of(s)),
            )  # fmt: skip
    return listed


def _turned_away(documents: list[Document], vocabulary: Vocabulary) -> Table:
    from kgfuse.workspace.documents import node_label, spans_of

    listed = table("Turned away", "subject", "property", "object", "rule", "reason", "where")
    for document in documents:
        for r in document.rejected:
            s = r.statement
            listed.add_row(
                node_label(s.subject, vocabulary), vocabulary.shrink(s.predicate), node_label(s.object, vocabulary),
                r.rule, r.reason, _where(document, spans_of(s)),
            )  # fmt: skip
    return listed


def _where(document: Document, spans: dict[str, object]) -> str:
    from kgfuse.terms.mentions import TextSpan

    places = [f"{s.start}–{s.end}" for s in spans.values() if isinstance(s, TextSpan)]
    return f"{document.name}:{', '.join(places)}"
