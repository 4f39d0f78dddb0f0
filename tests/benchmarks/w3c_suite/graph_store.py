"""Graph Store Protocol: the steps that only read, over HTTP; what the others write, the local API writes.

Both manifests count: ``graph-store-protocol``, whose tests are conversations of several requests, and the older
``http-rdf-update``, whose tests are single requests given in Markdown. Every GET and HEAD is a step; before it, the
PUTs, POSTs and DELETEs of its conversation are done with a ``GraphStore``, and the endpoint gets a new snapshot. Where
a step fails, what the store itself holds is compared too.

``$GRAPHSTORE$`` (``/gsp``) is ``/graphs``, and ``www.example`` (``$HOST$``) the endpoint's own address.
"""

from __future__ import annotations

import email
import email.message
import email.policy
import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import httpx
import pyoxigraph as ox
from rdflib import RDFS

from kgfuse.graph.store import GraphStore
from kgfuse.serve.snapshots import Snapshot
from tests.benchmarks.w3c_suite import results
from tests.benchmarks.w3c_suite.endpoint import serving
from tests.benchmarks.w3c_suite.http_messages import Message, messages
from tests.benchmarks.w3c_suite.manifest import Test
from tests.benchmarks.w3c_suite.outcome import Outcome

_SEEN_S: Final = 0.3  # the endpoint looks for a new snapshot four times a second
_READS: Final = ("GET", "HEAD")
_STEP: Final = re.compile(r"#### Request\s+(.*?)#### Response\s+(.*)", re.S)


class _Conversation:
    """A store that is written locally and read over HTTP."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.store = GraphStore(folder / "graph")
        self.variables: dict[str, str] = {}
        self._snapshots: list[Snapshot] = []
        self._changed = True
        self.publish()

    def snapshot(self) -> Snapshot:
        """What the endpoint reads."""
        return self._snapshots[-1]

    def publish(self) -> None:
        """Let the endpoint see what was written, and wait until it has looked."""
        if self._changed:
            version = str(len(self._snapshots))
            self._snapshots.append(Snapshot(self.store.snapshot(self._folder / version), version))
            self._changed = False
            time.sleep(_SEEN_S)

    def write(self, message: Message, root: str) -> None:
        """Do what a request asks for."""
        self._changed = True
        graph = self.graph(message, root)
        name = ox.DefaultGraph() if graph is None else ox.NamedNode(graph)
        if message.location:  # a new graph: the server chooses its name
            name = ox.NamedNode(f"{root}/new/{len(self.variables)}")
            self.variables[message.location] = name.value
        if message.method in ("PUT", "DELETE"):
            self.store.raw.clear_graph(name)
            if message.method == "DELETE" and graph is not None:
                self.store.raw.remove_graph(name)
        if message.method != "DELETE":
            self.store.add_quads(ox.Quad(*triple, name) for triple in _triples(message, graph or root))

    def wrong(self, message: Message, root: str) -> str:
        """What is wrong with the graph that a request reads, in the store itself."""
        graph = self.graph(message, root)
        there = frozenset(q.triple for q in self.store.quads(graph=graph or ox.DefaultGraph()))
        wanted = results.Result(triples=_parsed(message.content or "", root))
        return results.difference(results.Result(triples=there), wanted)

    def graph(self, message: Message, root: str) -> str | None:
        """The graph that a request is about; ``None`` for the default graph."""
        parts = urlsplit(message.path)
        asked = dict(parse_qsl(parts.query, keep_blank_values=True))
        if "default" in asked:
            return None
        return asked.get("graph") or f"{urlsplit(root).scheme}://{urlsplit(root).netloc}{parts.path}"


def run(tests: Sequence[Test]) -> Iterator[Outcome]:
    """Run the steps that read."""
    for test in tests:
        if test.folder == "graph-store-protocol":
            yield from _conversation([(f"{test.label} step {i}", m) for i, m in enumerate(messages(test), 1)])
    old = [test for test in tests if test.folder == "http-rdf-update"]
    yield from _conversation([(test.label, _from_markdown(test)) for test in old])


def _conversation(steps: list[tuple[str, Message]]) -> Iterator[Outcome]:
    folder = Path(tempfile.mkdtemp(prefix="w3c-"))
    talk = _Conversation(folder)
    try:
        with serving(talk.snapshot) as client:
            for label, message in steps:
                here = _here(message, str(client.base_url).rstrip("/"), talk.variables)
                if message.method in _READS:
                    talk.publish()
                    wrong = _read(client, here)
                    alone = talk.wrong(here, str(client.base_url)) if wrong else ""
                    said = f"{wrong}; what was written itself: {alone or 'as expected'}" if wrong else ""
                    yield Outcome(label, "failed" if wrong else "passed", said, engine=not alone if wrong else None)
                else:
                    talk.write(here, str(client.base_url).rstrip("/") + "/graphs")
    finally:
        talk.store.close()
        shutil.rmtree(folder, ignore_errors=True)


def _here(message: Message, address: str, variables: dict[str, str]) -> Message:
    """The message as it is for this endpoint."""

    def here(text: str) -> str:
        for name, value in variables.items():
            text = text.replace(name, value)
        for old, new in (("$GRAPHSTORE$", "gsp"), ("$HOST$", "www.example"), ("http://www.example", address)):
            text = text.replace(old, new)
        host = address.removeprefix("http://")
        text = text.replace("http%3A%2F%2Fwww.example", "http%3A%2F%2F" + host.replace(":", "%3A"))
        return re.sub(r"(?<=/)gsp\b|(?<=%2F)gsp\b", "graphs", text)

    path = here(message.path)
    return Message(
        message.method,
        path.removeprefix(address) if path.startswith(address) else path,
        message.headers,
        here(message.body.decode()).encode(),
        message.statuses,
        content_type=message.content_type,
        content=None if message.content is None else here(message.content),
        location=message.location,
    )


def _read(client: httpx.Client, message: Message) -> str:
    accept = {k: v for k, v in message.headers.items() if k == "accept"}
    answer = client.request(message.method, message.path, headers=accept)
    if wrong := message.wrong_status(answer.status_code):
        return wrong
    got = answer.headers.get("content-type", "")
    if message.content_type and got.partition(";")[0] != message.content_type.partition(";")[0]:
        return f"content type {got}"
    if message.method == "HEAD":
        return "HEAD has a body" if answer.content else ""
    if message.content is None or answer.status_code != 200:
        return ""
    there, wanted = (_parsed(text, str(answer.url)) for text in (answer.text, message.content))
    return results.difference(results.Result(triples=there), results.Result(triples=wanted))


def _parsed(turtle: str, base: str) -> frozenset[ox.Triple]:
    return frozenset(q.triple for q in ox.parse(turtle, format=ox.RdfFormat.TURTLE, base_iri=base))


def _triples(message: Message, base: str) -> Iterable[ox.Triple]:
    """The triples of a request's body, of all its parts."""
    kind = message.headers.get("content-type", "text/turtle")
    head = f"Content-Type: {kind}\r\n\r\n".encode()
    whole = email.message_from_bytes(head + message.body, policy=email.policy.HTTP)
    parts = whole.iter_parts() if whole.is_multipart() else [whole]
    for part in parts:
        turtle = part.get_payload(decode=True) if whole.is_multipart() else message.body
        text = turtle.decode().strip() if isinstance(turtle, bytes) else ""
        text += "" if not text or text.endswith(".") else " ."  # two parts of the older manifest end without it
        parsed = ox.parse(text, format=ox.RdfFormat.TURTLE, base_iri=base, rename_blank_nodes=True)
        yield from (quad.triple for quad in parsed)


def _from_markdown(test: Test) -> Message:
    """A request and its response from the comment of a test."""
    texts = [str(c) for c in test.graph.objects(test.node, RDFS.comment)]
    found = next(match for text in texts if (match := _STEP.search(text)))
    request, response = (re.sub(r"^    ", "", part, flags=re.M).strip() for part in found.groups())
    first, headers, body = _split(request)
    status, answered, content = _split(response)
    method, path, *_ = first.split()
    path = path.removeprefix("http://$HOST$")
    path = path if path.startswith(("/", "$NEWPATH$")) else "/" + path
    return Message(
        method,
        path.replace("/$GRAPHSTORE$", "/gsp"),
        headers,
        body.encode(),
        frozenset({status.split()[0]}),
        content_type=answered.get("content-type", ""),
        content=content or None,
        location=answered.get("location", ""),
    )


def _split(text: str) -> tuple[str, dict[str, str], str]:
    head, _, body = text.partition("\n\n")
    first, *lines = head.splitlines()
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return first, headers, body.strip()
