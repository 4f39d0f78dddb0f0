"""One query process: opens a snapshot, answers queries one after the other, and is killed when one overruns.

Run as ``python -m kgfuse.serve.worker``; requests come on standard input, answers leave on standard output.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pyoxigraph as ox

from kgfuse.errors import QueryError
from kgfuse.graph.guard import refuse_remote
from kgfuse.serve import frames
from kgfuse.serve.description import SD, describe
from kgfuse.serve.formats import GRAPHS, RESULTS, negotiate
from kgfuse.serve.output import LimitError, Output, failure

_POSITION: Final = re.compile(r"^error at (\d+):(\d+): ")
_PIPE: Final = 1024 * 1024
_WITH_PREFIXES: Final = (ox.RdfFormat.TURTLE, ox.RdfFormat.RDF_XML)


class _NotAcceptableError(ValueError):
    """No serialisation that the client accepts."""


class Worker:
    """Answers requests over one store.

    Args:
        store: what is asked.
        settings: ``prefixes`` that queries may use undeclared, ``max_rows`` and ``max_bytes`` of an answer.
    """

    def __init__(self, store: ox.Store, settings: Mapping[str, Any]) -> None:
        self._store = store
        self._prefixes: dict[str, str] = settings["prefixes"]
        self._max_rows: int = settings["max_rows"]
        self._max_bytes: int = settings["max_bytes"]

    def answer(self, request: Mapping[str, Any]) -> None:
        """Run one request and send its answer: a head, data, an end."""
        try:
            if "query" in request:
                self._query(request)
            elif "graph" in request:
                self._graph(request)
            else:
                self._describe(request)
            return
        except SyntaxError as error:
            end = failure(400, _position(str(error)))
        except QueryError as error:
            end = failure(403, error.message)
        except LimitError as error:
            end = failure(413, f"{error} (ask for less, with LIMIT or a narrower pattern)")
        except _NotAcceptableError as error:
            end = failure(406, str(error))
        except (OSError, RuntimeError, ValueError) as error:
            end = failure(500, f"the query failed: {error}")
        _send(frames.pack_json(end))

    def _query(self, request: Mapping[str, Any]) -> None:
        refuse_remote(request["query"])
        dataset: dict[str, Any] = {}
        if request["default_graphs"] or request["named_graphs"]:  # the protocol's data set overrides the query's
            dataset["default_graph"] = [ox.NamedNode(iri) for iri in request["default_graphs"]]
            dataset["named_graphs"] = [ox.NamedNode(iri) for iri in request["named_graphs"]]
        result = self._store.query(request["query"], base_iri=request["base"], prefixes=self._prefixes, **dataset)
        if isinstance(result, ox.QueryTriples):
            self._triples(result, request["accept"])
            return
        media, format_ = _chosen(request["accept"], RESULTS)
        rows = self._max_rows if isinstance(result, ox.QuerySolutions) else None
        output = Output(_send, media, rows, self._max_bytes)
        result.serialize(output, format_)  # type: ignore[arg-type]
        output.end()

    def _graph(self, request: Mapping[str, Any]) -> None:
        """A whole graph, by the Graph Store Protocol."""
        name = ox.NamedNode(request["graph"]) if request["graph"] else ox.DefaultGraph()
        if isinstance(name, ox.NamedNode) and not self._store.contains_named_graph(name):
            output = Output(_send, "text/plain", None, self._max_bytes, status=404)
            output.write(f"there is no graph <{name.value}>\n".encode())
            output.end()
            return
        quads = self._store.quads_for_pattern(None, None, None, name)
        self._triples((quad.triple for quad in quads), request["accept"])

    def _describe(self, request: Mapping[str, Any]) -> None:
        triples = describe(self._store, request["describe"])
        accept = request["accept"]
        if negotiate(accept, GRAPHS) is None and "html" in accept:  # a browser shows Turtle
            accept = "text/turtle"
        self._triples(iter(triples), accept, len(triples))

    def _triples(
        self, triples: ox.QueryTriples | Iterator[ox.Triple], accept: str, max_triples: int | None = None
    ) -> None:
        media, format_ = _chosen(accept, GRAPHS)
        output = Output(_send, media, None, self._max_bytes)
        most = self._max_rows if max_triples is None else max_triples

        def counted() -> Iterator[ox.Triple]:
            for i, triple in enumerate(triples):
                if i >= most:
                    raise LimitError(f"the answer has more than {most:,} triples")
                yield triple

        prefixes = None
        if format_ in _WITH_PREFIXES:
            prefixes = self._prefixes if max_triples is None else {"sd": SD}
        ox.serialize(counted(), output, format=format_, prefixes=prefixes)  # type: ignore[arg-type]
        output.end()


def _chosen(accept: str, offered: Mapping[str, Any]) -> tuple[str, Any]:
    chosen = negotiate(accept, offered)
    if chosen is None:
        raise _NotAcceptableError("none of " + ", ".join(offered) + " is accepted by the client")
    return chosen


def _position(message: str) -> str:
    return _POSITION.sub(lambda m: f"syntax error in line {m[1]}, column {m[2]}: ", message)


def _send(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _limit(megabytes: int) -> None:
    """Let the process grow by so much and no more, and write no files, where the system can see to it."""
    try:
        import resource

        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
            used = int(file.read().split()[0]) * resource.getpagesize()
    except (ImportError, OSError):
        return
    limit = used + megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _widen_pipe() -> None:
    """Let a long answer run ahead of the endpoint, where the system can: fewer turns between the processes."""
    try:
        import fcntl

        fcntl.fcntl(sys.stdout.fileno(), fcntl.F_SETPIPE_SZ, _PIPE)
    except (ImportError, AttributeError, OSError):
        return


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


def _end_with(parent: int) -> None:
    """Leave, even in the middle of a query, once the endpoint is gone."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


def main() -> None:
    """Serve requests until standard input ends."""
    snapshot, megabytes = sys.argv[1], int(sys.argv[2])
    parent = os.getppid()
    leave_network()
    _widen_pipe()
    settings = frames.read(sys.stdin.buffer)
    if settings is None:
        return
    worker = Worker(ox.Store.read_only(snapshot), settings)
    _limit(megabytes)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _send(frames.pack_json({"ready": True}))
    while (request := frames.read(sys.stdin.buffer)) is not None:
        worker.answer(request)


if __name__ == "__main__":
    main()
