"""Commands that bring the graph out: query, export, serve."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kgfuse.cli.app import app
from kgfuse.cli.command import WorkspaceArgument, command, given
from kgfuse.cli.output import Output
from kgfuse.cli.tables import plural, table
from kgfuse.errors import KgfuseError, SourceError, UsageError

if TYPE_CHECKING:
    from kgfuse.workspace.crossing import Match

_SUFFIXES = (".rq", ".sparql")
_LONGEST_PATH = 4096


class ResultFormat(StrEnum):
    """How a query's result is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    TSV = "tsv"
    XML = "xml"
    TURTLE = "turtle"
    NTRIPLES = "ntriples"
    JSONLD = "jsonld"
    RDFXML = "rdfxml"


class SearchIn(StrEnum):
    """Where words are looked for."""

    LABEL = "label"
    TEXT = "text"


class Modality(StrEnum):
    """What items are compared by."""

    TEXT = "text"
    IMAGE = "image"
    GRAPH = "graph"


class ExportFormat(StrEnum):
    """How the graph is written."""

    TURTLE = "turtle"
    TRIG = "trig"
    NQUADS = "nquads"
    NTRIPLES = "ntriples"
    JSONLD = "jsonld"
    RDFXML = "rdfxml"
    GRAPHML = "graphml"


@command(
    app,
    "query",
    "kgfuse query shop.kg 'SELECT ?s ?o { ?s gen:hasColour ?o } LIMIT 5'",
    "kgfuse query shop.kg question.rq --format csv > answer.csv",
    "echo 'ASK { ?s a kgf:Picture }' | kgfuse query shop.kg - --json",
)
def query(
    out: Output,
    workspace: WorkspaceArgument,
    sparql: Annotated[
        str | None, typer.Argument(metavar="SPARQL", help="A query, a file that holds one, or - for standard input.")
    ] = None,
    format: Annotated[
        ResultFormat | None,
        typer.Option(help="SELECT and ASK: table, json, csv, tsv, xml; CONSTRUCT: table, turtle, ntriples, jsonld…"),
    ] = None,
) -> None:
    """Ask the graph in SPARQL 1.1. The prefixes of kgfuse and of the workspace's packs need no PREFIX line."""
    from kgfuse.workspace import Workspace

    workspace, rest = given(workspace, [sparql] if sparql else [], "SPARQL")
    text = _query_text(rest[0])
    with Workspace.open(workspace, read_only=True) as ws:
        result = ws.query(text)
    chosen = format or (ResultFormat.JSON if out.json else ResultFormat.TABLE)
    if chosen is ResultFormat.TABLE and not out.json:
        out.result({}, result.table())
        out.note(plural(len(result), "row") if result.kind != "ask" else "")
    elif format is None or (out.json and chosen in (ResultFormat.TABLE, ResultFormat.JSON)):
        out.raw(result.to_json() + "\n")
    else:
        data = result.serialize(chosen.value)
        out.raw(data if data.endswith(b"\n") else data + b"\n")


@command(
    app,
    "search",
    "kgfuse search shop.kg 'green apple'",
    "kgfuse search shop.kg 'steel*' --kind text --json",
    "kgfuse search shop.kg --text 'a sour yellow fruit' --in image",
    "kgfuse search shop.kg --image photo.jpg",
)
def search(
    out: Output,
    workspace: WorkspaceArgument,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="WORDS", help='Words, "a phrase" in quotes, or a beginning*.')
    ] = None,
    kind: Annotated[SearchIn | None, typer.Option(help="Only labels, or only texts.")] = None,
    text: Annotated[str | None, typer.Option(metavar="TEXT", help="Items that mean this, in any modality.")] = None,
    image: Annotated[
        str | None, typer.Option(metavar="FILE", help="Items that a picture is of; with --text, those that fit both.")
    ] = None,
    within: Annotated[
        list[Modality], typer.Option("--in", help="Only by these of the items' modalities; may be repeated.")
    ] = [],  # noqa: B006
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20,
) -> None:
    """Find labels and texts by their words, or items by what a text or a picture means.

    Words come with the characters (and page, element or cell) where they stand. With --text or --image, texts, pictures
    and statements are compared across modalities; how, is learned without labels the first time.
    """
    from kgfuse.workspace import Workspace

    across = text is not None or image is not None
    workspace, rest = given(workspace, words or [], "" if across else "WORDS, --text or --image")
    if across and (rest or kind):
        raise UsageError("WORDS and --kind go with neither --text nor --image", remedy="give one or the other")
    if within and not across:
        raise UsageError("--in goes with --text or --image", remedy="--kind chooses between labels and texts")
    with Workspace.open(workspace, read_only=True) as ws:
        if across:
            with out.progress() as on_event:
                matches = ws.search(
                    limit=limit,
                    text=text,
                    image=image,
                    within=[one.value for one in within or Modality],
                    on_event=on_event,
                )
        else:
            found = ws.search(" ".join(rest), limit, kind=None if kind is None else kind.value)
        shrink = ws.vocabulary.shrink
    if across:
        _matches(out, matches, shrink)
        return
    listed = table("", "what", "name", "where", "words")
    for one in found:
        hit = one.hit
        place = f"{hit.start}–{hit.end}" + (f" ({one.where})" if one.where else "") if hit.kind == "text" else ""
        listed.add_row(hit.kind, hit.name if hit.kind == "text" else shrink(hit.iri), place, hit.exact)
    out.result({"hits": [asdict(one) for one in found]}, listed if found else "nothing found")


def _matches(out: Output, matches: list[Match], shrink: Callable[[str], str]) -> None:
    listed = table("", "item", "label", "score", "by", "similarity", "source")
    for one in matches:
        source = one.sources.get(one.modality, "")
        listed.add_row(shrink(one.item), one.label, f"{one.score:.2f}", one.modality, f"{one.similarity:.2f}", source)
    out.result({"hits": [asdict(one) for one in matches]}, listed if matches else "nothing found")
    if any("words" in one.methods.values() for one in matches):
        out.note("compared by words: too few items have both modalities to learn from, or nothing learned does better")


@command(
    app,
    "export",
    "kgfuse export shop.kg graph.ttl",
    "kgfuse export shop.kg everything.trig",
    "kgfuse export shop.kg everything.nq --rdf12",
)
def export(
    out: Output,
    workspace: WorkspaceArgument,
    file: Annotated[str | None, typer.Argument(metavar="FILE", help="Where to; written whole or not at all.")] = None,
    format: Annotated[ExportFormat | None, typer.Option(help="Told by the file's suffix where not given.")] = None,
    rdf12: Annotated[
        bool, typer.Option("--rdf12", help="Statement nodes as RDF 1.2 triple terms; TriG and N-Quads.")
    ] = False,
) -> None:
    """Write the graph to a file.

    Turtle, N-Triples, RDF/XML and GraphML hold what holds; TriG, N-Quads and JSON-LD everything, provenance included.
    """
    from kgfuse.workspace import Workspace

    workspace, rest = given(workspace, [file] if file else [], "FILE")
    with Workspace.open(workspace, read_only=True) as ws:
        path = ws.export(rest[0], format.value if format else None, rdf12=rdf12)
    size = path.stat().st_size
    out.result({"file": str(path), "bytes": size}, f"{path}: {size:,} bytes")


@command(
    app,
    "serve",
    "kgfuse serve shop.kg",
    "kgfuse serve shop.kg --port 8000 --timeout 10 --max-rows 1000",
    "curl 'http://127.0.0.1:7200/sparql?query=ASK%7B%7D'",
)
def serve(
    out: Output,
    workspace: WorkspaceArgument,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 7200,
    timeout: Annotated[float, typer.Option(min=0.01, help="Seconds after which a query is stopped.")] = 10.0,
    max_rows: Annotated[int, typer.Option(min=1, help="Rows an answer may have; longer ones are refused.")] = 100_000,
) -> None:
    """Serve the graph as a SPARQL 1.1 endpoint with a query page, read-only, until Ctrl-C.

    It reads snapshots: other commands may go on changing the workspace meanwhile.
    """
    from kgfuse.ontology import Vocabulary, load_all
    from kgfuse.serve.app import serve as serve_graph
    from kgfuse.serve.snapshots import PublishedSnapshots
    from kgfuse.workspace import Workspace
    from kgfuse.workspace.settings import load

    folder = Path(workspace).resolve()
    prefixes = Vocabulary(load_all(load(folder).ontologies)).prefixes
    port = _free_port(host, port)
    Workspace.open(folder, read_only=True).close()  # publishes what an older kgfuse built
    graph = PublishedSnapshots(folder)
    graph()  # a graph that cannot be read is told before anything is announced
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    out.result({"page": url, "endpoint": f"{url}sparql"}, f"SPARQL endpoint {url}sparql (query page {url})")
    sys.stdout.flush()
    out.note("Ctrl-C stops it")
    try:
        serve_graph(graph, host, port, prefixes=prefixes, timeout_s=timeout, max_rows=max_rows)
    except KeyboardInterrupt:
        out.note("stopped")


def _free_port(host: str, port: int) -> int:
    """The port, or a free one for 0.

    Raises:
        KgfuseError: it cannot be listened on.
    """
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as tried:
            return int(tried.getsockname()[1])
    except OSError as e:
        why = os.strerror(e.errno) if e.errno and e.errno > 0 else e.strerror or str(e)
        raise KgfuseError(
            f"cannot listen there: {why}", where=f"{host}:{port}", remedy="another --port; 0 takes a free one"
        ) from e


def _query_text(given: str) -> str:
    if given == "-":
        return sys.stdin.read()
    if len(given) < _LONGEST_PATH and "\n" not in given and "{" not in given:
        path = Path(given)
        if path.is_file():
            try:
                return path.read_text(encoding="utf-8-sig")
            except UnicodeDecodeError as e:
                raise SourceError("is not UTF-8", where=path, remedy="save the query as UTF-8") from e
        if path.suffix.lower() in _SUFFIXES:
            raise UsageError("no such file", where=path, remedy="check the path, or write the query itself in quotes")
    return given
