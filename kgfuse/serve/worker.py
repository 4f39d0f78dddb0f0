"""One query process: opens a snapshot, answers queries one after the other, and is killed when one overruns.

Run as ``python -m kgfuse.serve.worker``; requests come on standard input, answers leave on standard output.
"""

from __future__ import annotations

import os
import queue
import re
import sys
import threading
from collections.abc import Iterator
from typing import Any, Final

import pyoxigraph as ox

from kgfuse.errors import QueryError
from kgfuse.graph.guard import refuse_remote
from kgfuse.serve import frames
from kgfuse.serve.formats import GRAPHS, RESULTS, negotiate
from kgfuse.serve.rowcount import RowCounter

_CHUNK: Final = 64 * 1024
_POSITION: Final = re.compile(r"^error at (\d+):(\d+): ")


class _LimitError(Exception):
    """An answer grew past its limit."""


class _NotAcceptableError(ValueError):
    """No serialisation that the client accepts."""


class _Output:
    """Binary file that sends frames, and stops an answer that grows too large."""

    def __init__(self, media: str, max_rows: int, max_bytes: int, *, count_rows: bool) -> None:
        self._buffer = bytearray()
        self._sent = 0
        self._media, self._max_rows, self._max_bytes = media, max_rows, max_bytes
        self._rows = RowCounter(media) if count_rows else None
        self._started = False

    def write(self, data: bytes) -> int:
        self._sent += len(data)
        if self._sent > self._max_bytes:
            raise _LimitError(f"the answer is larger than {self._max_bytes:,} bytes")
        if self._rows is not None:
            self._rows.feed(data)
            if self._rows.rows > self._max_rows:
                raise _LimitError(f"the answer has more than {self._max_rows:,} rows")
        self._buffer += data
        if len(self._buffer) >= _CHUNK:
            self.flush_frame()
        return len(data)

    def flush(self) -> None:
        """Frames are sent as they fill up."""

    def flush_frame(self) -> None:
        if not self._started:
            self._started = True
            _send(frames.pack_json({"status": 200, "media": self._media}))
        if self._buffer:
            _send(frames.pack(frames.DATA, bytes(self._buffer)))
            self._buffer.clear()


def _send(frame: bytes) -> None:
    sys.stdout.buffer.write(frame)
    sys.stdout.buffer.flush()


def answer(store: ox.Store, request: dict[str, Any]) -> None:
    """Run one request and send its answer: a head, data, an end."""
    try:
        if "graph" in request:
            _graph(store, request)
        else:
            _query(store, request)
        end: dict[str, Any] = {"end": True}
    except SyntaxError as error:
        end = {"end": True, "status": 400, "message": _position(str(error))}
    except QueryError as error:
        end = {"end": True, "status": 403, "message": error.message}
    except _LimitError as error:
        remedy = "ask for less, with LIMIT or a narrower pattern"
        end = {"end": True, "status": 413, "message": f"{error} ({remedy})"}
    except _NotAcceptableError as error:
        end = {"end": True, "status": 406, "message": str(error)}
    except (OSError, RuntimeError, ValueError) as error:
        end = {"end": True, "status": 500, "message": f"the query failed: {error}"}
    _send(frames.pack_json(end))


def _query(store: ox.Store, request: dict[str, Any]) -> None:
    refuse_remote(request["query"])
    dataset: dict[str, Any] = {}
    if request["default_graphs"] or request["named_graphs"]:  # the protocol's data set overrides the query's
        dataset["default_graph"] = [ox.NamedNode(iri) for iri in request["default_graphs"]]
        dataset["named_graphs"] = [ox.NamedNode(iri) for iri in request["named_graphs"]]
    result = store.query(request["query"], prefixes=request["prefixes"], **dataset)
    if isinstance(result, ox.QueryTriples):
        _triples(result, request)
        return
    chosen = negotiate(request["accept"], RESULTS)
    if chosen is None:
        raise _not_acceptable(RESULTS)
    media, format_ = chosen
    limits = request["max_rows"], request["max_bytes"]
    output = _Output(media, *limits, count_rows=isinstance(result, ox.QuerySolutions))
    result.serialize(output, format_)  # type: ignore[arg-type]
    output.flush_frame()


def _graph(store: ox.Store, request: dict[str, Any]) -> None:
    """A whole graph, by the Graph Store Protocol."""
    name = ox.NamedNode(request["graph"]) if request["graph"] else ox.DefaultGraph()
    if isinstance(name, ox.NamedNode) and not store.contains_named_graph(name):
        _send(frames.pack_json({"status": 404, "media": "text/plain"}))
        _send(frames.pack(frames.DATA, f"there is no graph <{name.value}>\n".encode()))
        return
    _triples((quad.triple for quad in store.quads_for_pattern(None, None, None, name)), request)


def _triples(triples: ox.QueryTriples | Iterator[ox.Triple], request: dict[str, Any]) -> None:
    chosen = negotiate(request["accept"], GRAPHS)
    if chosen is None:
        raise _not_acceptable(GRAPHS)
    media, format_ = chosen
    output = _Output(media, 0, request["max_bytes"], count_rows=False)

    def counted() -> Iterator[ox.Triple]:
        for i, triple in enumerate(triples):
            if i >= request["max_rows"]:
                raise _LimitError(f"the answer has more than {request['max_rows']:,} triples")
            yield triple

    prefixes = request["prefixes"] if format_ in (ox.RdfFormat.TURTLE, ox.RdfFormat.RDF_XML) else None
    ox.serialize(counted(), output, format=format_, prefixes=prefixes)  # type: ignore[arg-type]
    output.flush_frame()


def _not_acceptable(offered: Any) -> _NotAcceptableError:
    return _NotAcceptableError("none of " + ", ".join(offered) + " is accepted by the client")


def _position(message: str) -> str:
    return _POSITION.sub(lambda m: f"syntax error in line {m[1]}, column {m[2]}: ", message)


def _limit_memory(megabytes: int) -> None:
    """Let the process grow by so much and no more, where the system can see to it."""
    try:
        import resource

        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
            used = int(file.read().split()[0]) * resource.getpagesize()
    except (ImportError, OSError):
        return
    limit = used + megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def leave_network() -> bool:
    """Cut this process off from every network, where Linux lets it; a second wall behind the refusal of SERVICE.

    Must be called before the process has threads.
    """
    import ctypes

    new_net, new_user = 0x40000000, 0x10000000
    try:
        unshare = ctypes.CDLL(None).unshare
    except (AttributeError, OSError, TypeError):
        return False
    return bool(unshare(new_net) == 0 or unshare(new_net | new_user) == 0)


def main() -> None:
    """Serve requests until standard input ends; then leave at once, even in the middle of a query."""
    snapshot, megabytes = sys.argv[1], int(sys.argv[2])
    leave_network()
    store = ox.Store.read_only(snapshot)
    _limit_memory(megabytes)
    requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def listen() -> None:
        while (request := frames.read(sys.stdin.buffer)) is not None:
            requests.put(request)
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    _send(frames.pack_json({"ready": True}))
    while True:
        answer(store, requests.get())


if __name__ == "__main__":
    main()
