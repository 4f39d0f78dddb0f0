from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pyoxigraph as ox
import pytest
import uvicorn

from kgfuse.graph.published import publish
from kgfuse.graph.store import GraphStore
from kgfuse.serve.app import create_app
from kgfuse.serve.connections import server_config
from kgfuse.serve.snapshots import PublishedSnapshots

EX = "http://example.org/"
DATA = """@prefix : <http://example.org/> .
:owl a :Bird ; :name "Käuzchen"@de, "owl \\"q\\"\\n},{" ; :eats :mouse .
:mouse a :Rodent ; :weight 20 .
"""


def write(graph: Path) -> None:
    store = ox.Store(str(graph))
    store.load(DATA.encode(), format=ox.RdfFormat.TURTLE)
    store.load(
        b"<http://example.org/elk> a <http://example.org/Deer> .",
        format=ox.RdfFormat.TURTLE,
        to_graph=ox.NamedNode(EX + "g"),
    )
    node, number = ox.NamedNode(EX + "n"), ox.NamedNode(EX + "number")
    store.bulk_extend(ox.Quad(ox.NamedNode(f"{EX}{i}"), number, ox.Literal(i), node) for i in range(3000))


def publish_store(graph: Path) -> None:
    """Let readers see what a store holds now."""
    store = GraphStore(graph)
    publish(store, graph.parent)
    store.close()


@contextlib.contextmanager
def running(graph: Path, *, patience_s: float = 10, **limits: Any) -> Iterator[str]:
    """A real server on a free port of this machine; gives its address."""
    publish_store(graph)
    snapshots = PublishedSnapshots(graph.parent)
    listener = socket.create_server(("127.0.0.1", 0))
    app = create_app(snapshots, **limits)
    server = uvicorn.Server(server_config(app, patience_s=patience_s, timeout_graceful_shutdown=3))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
        snapshots.close()


@pytest.fixture(scope="session")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("serve") / "graph"
    write(folder)
    return folder


@pytest.fixture(scope="session")
def address(graph: Path) -> Iterator[str]:
    with running(graph, timeout_s=20) as url:
        yield url


@pytest.fixture(scope="session")
def small(graph: Path) -> Iterator[str]:
    """A server with tight limits."""
    with running(graph, timeout_s=1.5, max_rows=100, max_bytes=600_000, memory_mb=200, workers=2, max_queue=1) as url:
        yield url


@pytest.fixture
def ask(address: str) -> Callable[..., httpx.Response]:
    def query(text: str, accept: str = "*/*", **parameters: Any) -> httpx.Response:
        return httpx.get(
            address + "/sparql", params={"query": text, **parameters}, headers={"Accept": accept}, timeout=30
        )

    return query
