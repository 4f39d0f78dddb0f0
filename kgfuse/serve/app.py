"""The endpoint's application: SPARQL 1.1 Protocol and Graph Store Protocol, both read-only, and a query page."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import logging
import re
import secrets
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Mapping
from contextlib import asynccontextmanager
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from kgfuse.serve.connections import server_config
from kgfuse.serve.hosts import LOOPBACK, Guard
from kgfuse.serve.pool import CLIENT_LEFT, Answer, Limits, Pool, RefusedError
from kgfuse.serve.snapshots import PublishedSnapshots, SnapshotProvider
from kgfuse.terms.namespaces import PREFIXES

_LOG: Final = logging.getLogger(__name__)
_MAX_REQUEST: Final = 1024 * 1024
_MAX_FIELDS: Final = 10_000
_UNWATCHED_S: Final = 0.05  # most answers are there by then: no need to look whether the client still is
_RUN: Final = secrets.token_hex(8)  # versions of snapshots mean something within one run only
_QUERY: Final = "application/sparql-query"
_FORM: Final = "application/x-www-form-urlencoded"
_ALLOWED: Final = "GET, HEAD, POST, OPTIONS"
_METHODS: Final = ["GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH"]
_READ_ONLY: Final = "this endpoint only reads: change the workspace through kgfuse itself"


def create_app(
    snapshot_provider: SnapshotProvider,
    *,
    prefixes: Mapping[str, str] | None = None,
    timeout_s: float = 10,
    max_rows: int = 100_000,
    max_bytes: int = 64 * 1024 * 1024,
    memory_mb: int = 1024,
    workers: int = 2,
    max_queue: int = 16,
    hosts: Collection[str] = LOOPBACK,
    origins: Collection[str] = (),
) -> Starlette:
    """The application, for any ASGI server.

    Args:
        snapshot_provider: gives the newest snapshot's folder and version; asked before each query.
        prefixes: prefixes that queries may use undeclared; kgfuse's own where not given.
        timeout_s: seconds that a query may take, answer included.
        max_rows: rows or triples of an answer.
        max_bytes: bytes of an answer.
        memory_mb: by how much a query process may grow.
        workers: queries at a time.
        max_queue: queries that may wait.
        hosts: host names that requests may be addressed to (against DNS rebinding); empty for any.
        origins: origins beside this machine's whose pages may read the answers; ``*`` for any.
    """
    limits = Limits(timeout_s, max_rows, max_bytes, memory_mb, workers, max_queue)
    known = dict(PREFIXES if prefixes is None else prefixes)
    pools: list[Pool] = []

    def pool() -> Pool:
        if not pools:
            pools.append(Pool(snapshot_provider, limits, known))
        return pools[0]

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await pool().warm()
        yield
        for started in pools:
            await started.close()

    async def sparql(request: Request) -> Response:
        return await _answered(partial(_sparql, request, pool()), request)

    async def graphs(request: Request) -> Response:
        return await _answered(partial(_graphs, request, pool()), request)

    routes = [
        Route("/", _page, methods=["GET"]),
        Route("/sparql", sparql, methods=_METHODS),
        Route("/graphs", graphs, methods=_METHODS),
        Route("/graphs/{path:path}", graphs, methods=_METHODS),
    ]
    guard = Middleware(Guard, hosts=hosts, origins=origins)
    return Starlette(routes=routes, middleware=[guard], lifespan=lifespan)


def serve(
    graph: Path | SnapshotProvider,
    host: str | None = None,
    port: int = 7878,
    *,
    prefixes: Mapping[str, str] | None = None,
    timeout_s: float = 10,
    max_rows: int = 100_000,
    origins: Collection[str] = (),
) -> None:
    """Serve a graph until interrupted, on this machine only unless another address is asked for.

    Args:
        graph: folder of the workspace, or a provider of snapshots.
        host: address to listen on; any but a loopback address opens the graph to the network, and a warning says so.
        port: port to listen on; 0 takes a free one.
        prefixes: prefixes that queries may use undeclared.
        timeout_s: seconds that a query may take.
        max_rows: rows of an answer.
        origins: origins whose pages may read the answers, beside this machine's.
    """
    address = host or "127.0.0.1"
    if address not in LOOPBACK:
        print(f"warning: everyone who reaches {address}:{port} can read this graph", file=sys.stderr)
    hosts = LOOPBACK if address in LOOPBACK else frozenset() if address in ("0.0.0.0", "::") else LOOPBACK | {address}
    provider = PublishedSnapshots(graph) if isinstance(graph, Path) else graph
    app = create_app(provider, prefixes=prefixes, timeout_s=timeout_s, max_rows=max_rows, hosts=hosts, origins=origins)
    try:
        provider()  # a graph that cannot be read is told now, not to the first client
        uvicorn.Server(server_config(app, host=address, port=port)).run()
    finally:
        if isinstance(provider, PublishedSnapshots):
            provider.close()


async def _answered(handler: Callable[[], Awaitable[Response]], request: Request) -> Response:
    if request.method == "OPTIONS":
        return Response(status_code=204, headers={"Allow": _ALLOWED})
    try:
        return await handler()
    except RefusedError as refused:
        headers = {"Retry-After": "1"} if refused.retry else {}
        if refused.status == 405:
            headers["Allow"] = _ALLOWED
        return PlainTextResponse(refused.message + "\n", refused.status, headers)
    except ClientDisconnect:
        return Response(status_code=400)


async def _sparql(request: Request, pool: Pool) -> Response:
    parameters = _parameters(request.url.query)
    if request.method == "POST":
        parameters += await _posted(request, pool.limits.timeout_s)
    elif request.method not in ("GET", "HEAD"):
        raise RefusedError(405, _READ_ONLY)
    elif not parameters:
        return await _cached(request, pool, {"describe": _address(request)})
    if any(name == "update" for name, _ in parameters):
        raise RefusedError(403, _READ_ONLY)
    queries = [value for name, value in parameters if name == "query"]
    if len(queries) != 1:
        raise RefusedError(400, "one parameter 'query' is needed")
    asked = {
        "query": queries[0],
        "base": _address(request),
        "default_graphs": _iris(parameters, "default-graph-uri"),
        "named_graphs": _iris(parameters, "named-graph-uri"),
    }
    return await _run(request, pool, asked)


async def _graphs(request: Request, pool: Pool) -> Response:
    if request.method not in ("GET", "HEAD"):
        raise RefusedError(405, _READ_ONLY)
    if request.path_params.get("path"):  # direct identification: the URL asked for is the graph's name
        return await _cached(request, pool, {"graph": _address(request)})
    parameters = _parameters(request.url.query)
    names = [name for name, _ in parameters]
    if names not in (["default"], ["graph"]):
        raise RefusedError(400, "ask for ?default or ?graph=IRI")
    graphs = _iris(parameters, "graph")
    return await _cached(request, pool, {"graph": graphs[0] if graphs else ""})


async def _cached(request: Request, pool: Pool, asked: Mapping[str, Any]) -> Response:
    """An answer that depends on nothing but the snapshot; a client that has it already gets no copy."""
    snapshot = await pool.snapshot()
    accept = request.headers.get("accept", "")
    known = "\0".join((_RUN, str(snapshot.path), snapshot.version, json.dumps(asked), accept))
    tag = f'"{hashlib.sha256(known.encode()).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    wanted = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    if tag in wanted:
        return Response(status_code=304, headers={**headers, "Vary": "Accept"})
    return await _run(request, pool, asked, headers)


async def _run(
    request: Request, pool: Pool, asked: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> Response:
    accept = request.headers.get("accept", "")
    answer = await _unless_gone(pool.run({**asked, "accept": accept}), request)
    headers = {"Vary": "Accept", **(headers or {} if answer.status == 200 else {})}
    if answer.complete:
        return Response(answer.head, answer.status, headers, answer.media)
    return _Stream(answer, headers)


async def _unless_gone(running: Coroutine[Any, Any, Answer], request: Request) -> Answer:
    """The answer, unless the client leaves before it is there: then its query is stopped."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    watches: list[asyncio.Task[None]] = []
    left = done = False

    def leave(watch: asyncio.Task[None]) -> None:
        nonlocal left
        if task is not None and not done and not watch.cancelled():
            left = True
            task.cancel()

    def begin() -> None:
        watches.append(loop.create_task(_gone(request.receive)))
        watches[0].add_done_callback(leave)

    clock = loop.call_later(_UNWATCHED_S, begin)
    try:
        return await running
    except asyncio.CancelledError:
        if left and task is not None:
            task.uncancel()
            raise ClientDisconnect from None
        raise
    finally:
        done = True
        clock.cancel()
        for watch in watches:
            watch.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class _Stream(Response):
    """A long answer, piece by piece; a limit that strikes now breaks the connection: cut short is never complete."""

    def __init__(self, answer: Answer, headers: Mapping[str, str]) -> None:
        super().__init__(None, answer.status, headers, answer.media)
        del self.headers["content-length"]
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; the query ends with the client."""
        watch = asyncio.ensure_future(_gone(receive))
        watch.add_done_callback(lambda done: None if done.cancelled() else self._answer.abandon())
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            piece = b"" if scope["method"] == "HEAD" else self._answer.head
            while piece:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                piece = await self._answer.more()
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except RefusedError as refused:
            if refused.status != CLIENT_LEFT:
                _LOG.warning("an answer was cut off: %s", refused.message)
        finally:
            watch.cancel()
            self._answer.close()


async def _posted(request: Request, timeout_s: float) -> list[tuple[str, str]]:
    """The parameters that a request's body gives."""
    media, _, rest = request.headers.get("content-type", "").partition(";")
    media = media.strip().lower()
    if media == "application/sparql-update":
        raise RefusedError(403, _READ_ONLY)
    if media not in (_QUERY, _FORM):
        raise RefusedError(415, f"post {_QUERY}, or a form ({_FORM}) with a field 'query'")
    charset = re.search(r"charset\s*=\s*\"?([\w.:-]+)", rest, re.I)
    if charset and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
        raise RefusedError(415, "queries are read as UTF-8")
    try:
        async with asyncio.timeout(timeout_s):
            body = await _body(request)
    except TimeoutError as error:
        raise RefusedError(408, f"the request did not arrive within {timeout_s:g} s") from error
    return [("query", body)] if media == _QUERY else _parameters(body)


async def _body(request: Request) -> str:
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > _MAX_REQUEST:
            raise RefusedError(413, f"a request may have {_MAX_REQUEST:,} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise RefusedError(400, "the request is not UTF-8") from error


def _parameters(encoded: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(encoded, keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except UnicodeDecodeError as error:
        raise RefusedError(400, "the request is not UTF-8") from error
    except ValueError as error:
        raise RefusedError(400, f"a request may have {_MAX_FIELDS:,} parameters") from error


def _address(request: Request) -> str:
    """The URL asked for, as it was written, without its query."""
    return f"{request.scope['scheme']}://{request.headers.get('host', '')}{request.scope['raw_path'].decode()}"


def _iris(parameters: list[tuple[str, str]], wanted: str) -> list[str]:
    found = [value for name, value in parameters if name == wanted]
    for value in found:
        if not urlsplit(value).scheme or any(c in value for c in ' <>"{}|\\^`'):
            raise RefusedError(400, f"{wanted} is not an absolute IRI: {value}")
    return found


async def _page(_: Request) -> Response:
    text = files("kgfuse.serve").joinpath("page.html").read_text(encoding="utf-8")
    allowed = [
        f"{kind}-src 'sha256-{_inline_hash(text, tag)}'" for kind, tag in (("script", "script"), ("style", "style"))
    ]
    policy = "; ".join(["default-src 'none'", "connect-src 'self'", "base-uri 'none'", *allowed])
    return HTMLResponse(text, headers={"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff"})


def _inline_hash(page: str, tag: str) -> str:
    inline = page.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
    return base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
