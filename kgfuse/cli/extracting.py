"""The command that reads texts without a workspace: extract."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kgfuse.cli.app import app
from kgfuse.cli.command import FAILED, LanguageOption, OntologyOption, WorkersOption, command
from kgfuse.cli.output import Output
from kgfuse.cli.overrides import nested
from kgfuse.cli.tables import plural, table
from kgfuse.errors import PROBLEM, SourceError, UsageError

_TEXTS = frozenset({".txt", ".md", ".markdown", ".html", ".htm", ".pdf", ".docx", ""})

if TYPE_CHECKING:
    from rich.console import RenderableType

    from kgfuse.extract.documents import Document, Stated
    from kgfuse.ontology import Vocabulary


@command(
    app,
    "extract",
    "kgfuse extract --ontology field-guide owl.txt",
    "kgfuse extract -o hospital.ttl notes/*.txt --html notes.html",
    "echo 'The saw is made of steel.' | kgfuse extract -o field-guide - --json",
)
def extract(
    out: Output,
    files: Annotated[
        list[str] | None, typer.Argument(metavar="FILE", help="Texts, folders of texts, or - for standard input.")
    ] = None,
    ontology: OntologyOption = [],  # noqa: B006
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page with marked texts, arrows and reasons.")
    ] = None,
    rejected: Annotated[bool, typer.Option("--rejected", help="List also what the gate turned away, and why.")] = False,
    min_confidence: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="Turn away what is less sure than this.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Of texts that are not UTF-8 and have no byte order mark.")
    ] = None,
    language: LanguageOption = None,
    workers: WorkersOption = None,
    set: Annotated[
        list[str], typer.Option("--set", metavar="KEY=VALUE", help="A setting of extraction; may be repeated.")
    ] = [],  # noqa: B006
) -> int:
    """Read texts against an ontology, without a workspace: what they mention and state, with the exact words.

    With --json one object a line, one line a text: its mentions, statements and what was turned away.
    """
    from kgfuse.extract.document_records import document_record
    from kgfuse.extract.documents import Reader, ontology_of
    from kgfuse.extract.settings import ExtractSettings
    from kgfuse.workspace.reading import read
    from kgfuse.workspace.workers import worker_count

    if not ontology:
        raise UsageError("no ontology is given", remedy="--ontology NAME_OR_PATH; `kgfuse ontologies list` shows packs")
    if not files:
        raise UsageError("FILE is missing", remedy="name texts, or - for standard input; see --help for examples")
    values = nested(set, {"extract": ExtractSettings().model_dump()}).get("extract", {})
    if min_confidence is not None:
        values["min_confidence"] = min_confidence
    vocabulary = ontology_of(*ontology)
    reader = Reader(vocabulary, _settings(values), language=language)
    paths = _paths(files)
    problems: list[str] = []
    documents: list[Document] = []
    with out.progress() as on_event:
        count = worker_count(workers, len(paths))
        for n, document in enumerate(read(reader, ontology, _texts(paths, encoding, problems), count), 1):
            on_event("extract:text", n, len(paths), document.name)
            if document.problem:
                problems.append(f"{document.name}: {document.problem}")
                on_event(PROBLEM, n, len(paths), problems[-1])
            if out.json:
                out.raw(json.dumps(document_record(document, vocabulary), ensure_ascii=False) + "\n")
            if html or not out.json:
                documents.append(document)
    for line in problems:
        out.problem(line)
    if html is not None:
        from kgfuse.workspace.report.extracted import write_extracted

        write_extracted(documents, vocabulary, html)
        out.note(f"page: {html}")
    if not out.json:
        out.result({}, *_shown(documents, vocabulary, with_rejected=rejected))
        turned = sum(len(d.rejected) for d in documents)
        if turned and not rejected:
            out.note(f"{plural(turned, 'statement')} turned away; --rejected lists why")
    return FAILED if len(problems) >= len(paths) else 0


def _settings(values: dict[str, Any]) -> Any:
    from pydantic import ValidationError

    from kgfuse.extract.settings import ExtractSettings

    try:
        return ExtractSettings(**values)
    except ValidationError as e:
        first = e.errors()[0]
        where = ".".join(("extract", *map(str, first["loc"])))
        raise UsageError(f"{where}: {first['msg']}", where="--set", remedy="see `kgfuse init --help`") from e


def _paths(given: Sequence[str]) -> list[str]:
    """Files in the order given; a folder stands for the texts in it, by name."""
    from kgfuse.sources.identify import walk

    found: list[str] = []
    for name in given:
        path = Path(name)
        if name != "-" and not path.exists():
            raise UsageError("no such file or folder", where=path, remedy="check the path")
        if name == "-" or not path.is_dir():
            found.append(name)
            continue
        texts = [str(p) for p in walk(path) if p.suffix.lower() in _TEXTS]
        if not texts:
            raise UsageError("holds no texts", where=path, remedy="name the files themselves")
        found += texts
    return list(dict.fromkeys(found))


def _texts(paths: Sequence[str], encoding: str | None, problems: list[str]) -> Iterator[tuple[str, str]]:
    """Name and text of each file; what cannot be read is told, and the others go on."""
    from kgfuse.sources.identify import identify
    from kgfuse.sources.texts import stored, words

    for name in paths:
        try:
            if name == "-":
                text, _ = stored(sys.stdin.buffer.read(), "text/plain", "standard input", encoding)
                yield "stdin", text.text
                continue
            identified = identify(Path(name))
            yield Path(name).as_posix(), words(identified, name, encoding)
        except SourceError as e:
            problems.append(e.message)


def _shown(documents: Sequence[Document], vocabulary: Vocabulary, *, with_rejected: bool) -> list[RenderableType]:
    several = len(documents) > 1
    stated = [(d, s) for d in documents for s in d.statements]
    shown: list[RenderableType] = []
    if stated:
        made = table("", "subject", "property", "object", "confidence", "where", right=(3,))
        for document, s in stated:
            made.add_row(*_row(s, vocabulary), f"{s.confidence:.2f}", _where(document, s, several=several))
        shown.append(made)
    else:
        shown.append("nothing is stated that the ontology has words for")
    turned = [(d, s) for d in documents for s in d.rejected]
    if with_rejected and turned:
        made = table("Turned away", "subject", "property", "object", "confidence", "where", "why", right=(3,))
        for document, s in turned:
            where = _where(document, s, several=several)
            made.add_row(*_row(s, vocabulary), f"{s.confidence:.2f}", where, f"{s.rule}: {s.why}")
        shown.append(made)
    return shown


def _row(stated: Stated, vocabulary: Vocabulary) -> tuple[RenderableType, ...]:
    from rich.text import Text

    return Text(stated.subject.label), Text(vocabulary.label(stated.property)), Text(stated.object.label)


def _where(document: Document, stated: Stated, *, several: bool) -> RenderableType:
    from rich.text import Text

    spans = [e.span for e in (stated.subject, stated.object) if e.span] or list(stated.evidence)
    place = f"{min(s.start for s in spans)}–{max(s.end for s in spans)}" if spans else ""
    return Text(f"{document.name}:{place}" if several else place)
