"""A real endpoint on loopback over a test's data."""

from __future__ import annotations

import contextlib
import logging
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pyoxigraph as ox
import uvicorn

from kgfuse.graph.store import GraphStore
from kgfuse.serve.app import create_app
from kgfuse.serve.connections import server_config
from kgfuse.serve.snapshots import Snapshot

logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)


@contextlib.contextmanager
def endpoint(quads: Iterable[ox.Quad]) -> Iterator[httpx.Client]:
    """A client of an endpoint that serves these quads from a store's folder."""
    folder = Path(tempfile.mkdtemp(prefix="w3c-"))
    try:
        store = GraphStore(folder / "graph")
        store.add_quads(quads)
        snapshot = Snapshot(store.snapshot(folder / "snapshot"), "1")
        store.close()
        with serving(lambda: snapshot) as client:
            yield client
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def serving(provider: Any) -> Iterator[httpx.Client]:
    """A client of an endpoint over what a provider of snapshots gives."""
    listener = socket.create_server(("127.0.0.1", 0))
    app = create_app(provider, timeout_s=30, workers=1)
    server = uvicorn.Server(server_config(app, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.002)
        with httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=60) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
