"""HTTP messages as the manifests describe them, in the vocabularies ``ht:`` and ``cnt:``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import rdflib
from rdflib import Namespace
from rdflib.term import Node

from tests.benchmarks.w3c_suite.manifest import MF, Test

HT: Final = Namespace("http://www.w3.org/2011/http#")
CNT: Final = Namespace("http://www.w3.org/2011/content#")
_PHRASES: Final = {"OK": "200", "Created": "201", "NoContent": "204", "NotFound": "404"}


@dataclass(frozen=True)
class Message:
    """A request, and what its response must be.

    Args:
        method: GET, POST, …
        path: path and query.
        headers: of the request.
        body: of the request.
        statuses: ``200`` or ``4xx``; any of them will do.
        boolean: the answer of an ASK.
        format: ``boolean``, ``tabular`` or ``RDF``.
        content_type: of the response.
        content: RDF of the response, to be isomorphic.
        location: template variable for the Location that the response names.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    statuses: frozenset[str]
    boolean: bool | None = None
    format: str = ""
    content_type: str = ""
    content: str | None = None
    location: str = ""

    def wrong_status(self, status: int) -> str:
        """What is wrong with a status; empty where it is one of those."""
        fits = {str(status), f"{status // 100}xx"} & self.statuses
        return "" if fits else f"HTTP {status}, not {' or '.join(sorted(self.statuses))}"


def messages(test: Test) -> list[Message]:
    """The requests of a test, in order."""
    requests = test.graph.value(test.action, HT.requests)
    return [_message(test.graph, node) for node in test.graph.items(requests)]  # type: ignore[arg-type]


def _message(graph: rdflib.Graph, node: Node) -> Message:
    response = graph.value(node, HT.resp)
    assert response is not None
    boolean = graph.value(response, MF.expectedBoolean)
    content = graph.value(response, HT.body)
    return Message(
        method=str(graph.value(node, HT.methodName)),
        path=str(graph.value(node, HT.absolutePath)),
        headers=_headers(graph, node),
        body=_content(graph, graph.value(node, HT.body)),
        statuses=frozenset(_status(str(s)) for s in graph.objects(response, MF.expectedStatus)),
        boolean=None if boolean is None else bool(boolean.toPython()),  # type: ignore[attr-defined]
        format=str(graph.value(response, MF.expectedFormat) or ""),
        content_type=_headers(graph, response).get("content-type", ""),
        content=None if content is None else _content(graph, content).decode(),
        location=str(graph.value(response, MF.expectedLocation) or ""),
    )


def _headers(graph: rdflib.Graph, node: Node) -> dict[str, str]:
    listed = graph.value(node, HT.headers)
    found = list(graph.items(listed)) if listed is not None else []
    return {str(graph.value(h, HT.fieldName)): str(graph.value(h, HT.fieldValue)) for h in found}


def _content(graph: rdflib.Graph, node: Node | None) -> bytes:
    if node is None:
        return b""
    return str(graph.value(node, CNT.chars)).encode(str(graph.value(node, CNT.characterEncoding)))


def _status(iri: str) -> str:
    name = iri.partition("#")[2]
    return _PHRASES.get(name) or name.removeprefix("StatusCode")
