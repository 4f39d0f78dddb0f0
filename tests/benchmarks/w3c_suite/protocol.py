"""SPARQL protocol tests: those that do not update as the HTTP messages that they are, on one endpoint.

The graphs that they name, ``http://kasei.us/2009/09/sparql/data/data1.rdf`` to ``data3.rdf``, are loaded from the
suite's ``data1.nt`` to ``data3.nt`` under these names; ``data0.rdf`` is not in the suite and nothing is asked of it, so
it stays an empty graph. ``/sparql/`` is ``/sparql`` here.

The seven that update run through ``GraphStore.update``: what a request would do, the local API does. The graphs that
``using-graph-uri`` names become USING clauses, as the protocol says that they are to be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import parse_qsl

import httpx
import pyoxigraph as ox

from kgfuse.errors import KgfuseError
from kgfuse.graph.store import GraphStore
from tests.benchmarks.w3c_suite.endpoint import endpoint
from tests.benchmarks.w3c_suite.http_messages import Message, messages
from tests.benchmarks.w3c_suite.manifest import Data, Suite, Test
from tests.benchmarks.w3c_suite.outcome import Outcome

_BASE: Final = "http://www.example/sparql/"
_FORMATS: Final = {
    "boolean": {"application/sparql-results+xml", "application/sparql-results+json"},
    "tabular": {
        *("application/sparql-results+xml", "application/sparql-results+json", "text/csv"),
        "text/tab-separated-values",
    },
    "RDF": {"application/rdf+xml", "text/turtle", "application/n-triples"},
}


def updates(test: Test) -> bool:
    """Whether a test is one of the seven that change something."""
    return test.name.startswith("update_")


def run(suite: Suite, tests: Sequence[Test]) -> Iterator[Outcome]:
    """Run the tests that do not update, over HTTP."""
    named = {pair for test in tests for pair in test.graph_data(test.node)}
    with endpoint(suite.quads(Data(named=tuple(sorted(named))))) as client:
        for test in tests:
            yield _outcome(test, [_wrong(client, message) for message in messages(test)])


def run_updates(tests: Sequence[Test]) -> Iterator[Outcome]:
    """Run the tests that update, through the local API."""
    for test in tests:
        store = GraphStore()
        yield _outcome(test, [_locally(store, message) for message in messages(test)])


def _outcome(test: Test, wrong: list[str]) -> Outcome:
    found = "; ".join(f"request {i}: {w}" for i, w in enumerate(wrong, 1) if w)
    return Outcome(test.label, "failed", found) if found else Outcome(test.label, "passed")


def _wrong(client: httpx.Client, message: Message) -> str:
    path = message.path.replace("/sparql/", "/sparql", 1)
    answer = client.request(message.method, path, headers=dict(message.headers), content=message.body or None)
    if wrong := message.wrong_status(answer.status_code):
        return f"{wrong}: {answer.text.strip()[:100]}"
    media = answer.headers.get("content-type", "").partition(";")[0]
    if message.format and media not in _FORMATS[message.format]:
        return f"content type {media}"
    if message.boolean is not None:
        found = ox.parse_query_results(answer.content, ox.QueryResultsFormat.from_media_type(media))  # type: ignore[arg-type]
        if bool(found) != message.boolean:
            return f"answers {bool(found)}"
    return ""


def _locally(store: GraphStore, message: Message) -> str:
    body = message.body.decode()
    media = message.headers.get("content-type", "").partition(";")[0]
    try:
        if media == "application/sparql-query":
            return "" if bool(store.query(body)) == message.boolean else f"does not answer {message.boolean}"
        if media == "application/x-www-form-urlencoded":
            body = dict(parse_qsl(body))["update"]
        store.update(f"BASE <{_BASE}>\n" + _using(body, parse_qsl(message.path.partition("?")[2])))
    except KgfuseError as error:
        return error.message
    return ""


def _using(update: str, parameters: list[tuple[str, str]]) -> str:
    """The update with its data set as the protocol's parameters give it."""
    words = {"using-graph-uri": "USING", "using-named-graph-uri": "USING NAMED"}
    clauses = "".join(f"{words[name]} <{value}> " for name, value in parameters if name in words)
    return re.sub(r"\bWHERE\b", f"{clauses}WHERE", update) if clauses else update
