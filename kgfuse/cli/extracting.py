"""The command that reads texts, pictures and recordings without a workspace: extract."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kgfuse.cli.app import app
from kgfuse.cli.command import FAILED, LanguageOption, OntologyOption, WorkersOption, command
from kgfuse.cli.output import Output
from kgfuse.cli.overrides import nested
from kgfuse.cli.tables import plural, table
from kgfuse.errors import PROBLEM, ModelError, SourceError, UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from kgfuse.extract.document import Document, Stated
    from kgfuse.ontology import Vocabulary
    from kgfuse.terms.mentions import Source
    from kgfuse.workspace.loose import LooseFiles

_TEXTS = frozenset({".txt", ".md", ".markdown", ".html", ".htm", ".xhtml", ".pdf", ".docx", ".odt", ""})
_PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".svg"})
_RECORDINGS = frozenset({".wav", ".flac", ".mp3", ".ogg", ".oga"})
_READ = _TEXTS | _PICTURES | _RECORDINGS


@command(
    app,
    "extract",
    "kgfuse extract --ontology field-guide owl.txt",
    "kgfuse extract -o hospital.ttl notes/*.txt --html notes.html",
    "kgfuse extract -o field-guide walk.ogg owl.jpg report.pdf --json",
    "echo 'The saw is made of steel.' | kgfuse extract -o field-guide - --json",
)
def extract(
    out: Output,
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE", help="Texts, documents, pictures, recordings, folders, or - for a text."),
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
    """Read files against an ontology, without a workspace: what they mention and state, and where.

    Where is exact words, with page or seconds, or a box of a picture. With --json one object a line, one line a text,
    picture or recording: its mentions, statements and what was turned away.
    """
    from kgfuse.extract.document_records import document_record
    from kgfuse.extract.documents import Reader, ontology_of
    from kgfuse.extract.settings import ExtractSettings
    from kgfuse.workspace.loose import LooseFiles
    from kgfuse.workspace.reading import read
    from kgfuse.workspace.workers import worker_count

    if not ontology:
        raise UsageError("no ontology is given", remedy="--ontology NAME_OR_PATH; `kgfuse ontologies list` shows packs")
    if not files:
        raise UsageError("FILE is missing", remedy="name files, or - for standard input; see --help for examples")
    values = nested(set, {"extract": ExtractSettings().model_dump()}).get("extract", {})
    if min_confidence is not None:
        values["min_confidence"] = min_confidence
    vocabulary = ontology_of(*ontology)
    reader = Reader(vocabulary, _settings(values), language=language)
    paths = _paths(files)
    documents: list[Document] = []
    is_read = False
    with LooseFiles(reader.settings.speech, encoding, language) as loose:
        with out.progress() as on_event:

            def tell(problem: str) -> None:
                on_event(PROBLEM, len(documents), len(paths), problem)

            sources = _sources(paths, loose, tell)
            for n, found in enumerate(read(reader, ontology, sources, worker_count(workers, len(paths))), 1):
                document = loose.located(found)
                on_event("extract", n, max(n, len(paths)), document.name)
                if document.problem:
                    tell(f"{document.name}: {document.problem}")
                is_read = is_read or not document.problem
                if out.json:
                    out.raw(json.dumps(document_record(document, vocabulary), ensure_ascii=False) + "\n")
                if html or not out.json:
                    documents.append(document)
        if html is not None:
            from kgfuse.workspace.report.extracted import write_extracted

            write_extracted(documents, vocabulary, html)
            out.note(f"page: {html}")
    if not out.json:
        out.result({}, *_shown(documents, vocabulary, with_rejected=rejected))
        turned = sum(len(d.rejected) for d in documents)
        if turned and not rejected:
            out.note(f"{plural(turned, 'statement')} turned away; --rejected lists why")
    return 0 if is_read else FAILED


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
    """Files in the order given; a folder stands for what is read of it, by name."""
    from kgfuse.sources.identify import walk

    found: list[str] = []
    for name in given:
        path = Path(name)
        if name != "-" and not path.exists():
            raise UsageError("no such file or folder", where=path, remedy="check the path")
        if name == "-" or not path.is_dir():
            found.append(name)
            continue
        inside = [str(p) for p in walk(path) if p.suffix.lower() in _READ]
        if not inside:
            raise UsageError("holds no texts, pictures or recordings", where=path, remedy="name the files themselves")
        found += inside
    return list(dict.fromkeys(found))


def _sources(paths: Sequence[str], loose: LooseFiles, tell: Callable[[str], None]) -> Iterator[Source]:
    """What is in each file; what cannot be read is told, and the others go on."""
    for name in paths:
        try:
            if name == "-":
                yield loose.text(sys.stdin.buffer.read(), "stdin", "standard input")
                continue
            sources, notes = loose.open(Path(name))
        except (SourceError, ModelError) as e:
            tell(e.message)
            continue
        for note in notes:
            tell(f"{name}: {note}")
        yield from sources


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

    place = document.whereabouts(stated)
    return Text(f"{document.name}:{place}" if several else place)
