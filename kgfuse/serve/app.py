"""The endpoint's application: SPARQL 1.1 Protocol and Graph Store Protocol, both read-only, and a query page."""

from __future__ import annotations

import base64
import hashlib
import sys
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from kgfuse.serve.description import describe
from kgfuse.serve.hosts import LOOPBACK, Guard
from kgfuse.serve.pool import Limits, Pool, RefusedError
from kgfuse.serve.snapshots import FolderSnapshots, SnapshotProvider
from kgfuse.terms.namespaces import PREFIXES

_MAX_REQUEST: Final = 1024 * 1024
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
            pools.append(Pool(snapshot_provider, limits))
        return pools[0]

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        for started in pools:
            await started.close()

    async def sparql(request: Request) -> Response:
        return await _answered(partial(_sparql, request, pool(), known), request)

    async def graphs(request: Request) -> Response:
        return await _answered(partial(_graphs, request, pool(), known), request)

    routes = [
        Route("/", _page, methods=["GET"]),
        Route("/sparql", sparql, methods=_METHODS),
        Route("/graphs", graphs, methods=_METHODS),
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
        graph: folder of the store, or a provider of snapshots.
        host: address to listen on; any but a loopback address opens the graph to the network, and a warning says so.
        port: port to listen on; 0 takes a free one.
        prefixes: prefixes that queries may use undeclared.
        timeout_s: seconds that a query may take.
        max_rows: rows of an answer.
        origins: origins whose pages may read the answers, beside this machine's.
    """
    import uvicorn

    address = host or "127.0.0.1"
    if address not in LOOPBACK:
        print(f"warning: everyone who reaches {address}:{port} can read this graph", file=sys.stderr)
    hosts = LOOPBACK if address in LOOPBACK else frozenset() if address in ("0.0.0.0", "::") else LOOPBACK | {address}
    provider = FolderSnapshots(graph) if isinstance(graph, Path) else graph
    app = create_app(provider, prefixes=prefixes, timeout_s=timeout_s, max_rows=max_rows, hosts=hosts, origins=origins)
    try:
        provider()  # a graph that cannot be read is told now, not to the first client
        uvicorn.run(app, host=address, port=port, log_level="warning", server_header=False)
    finally:
        if isinstance(provider, FolderSnapshots):
            provider.close()


async def _answered(handler: Any, request: Request) -> Response:
    if request.method == "OPTIONS":
        return Response(status_code=204, headers={"Allow": "GET, HEAD, POST, OPTIONS"})
    try:
        response: Response = await handler()
    except RefusedError as refused:
        headers = {"Retry-After": "1"} if refused.status == 503 else {}
        if refused.status == 405:
            headers["Allow"] = "GET, HEAD, POST, OPTIONS"
        return PlainTextResponse(refused.message + "\n", refused.status, headers)
    except ClientDisconnect:
        return Response(status_code=400)
    return response


async def _sparql(request: Request, pool: Pool, prefixes: Mapping[str, str]) -> Response:
    parameters = parse_qsl(request.url.query, keep_blank_values=True)
    accept = request.headers.get("accept", "")
    if request.method == "POST":
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        body = await _body(request)
        if media == "application/sparql-update":
            raise RefusedError(403, _READ_ONLY)
        if media == "application/sparql-query":
            parameters.append(("query", body))
        elif media == "application/x-www-form-urlencoded":
            parameters += parse_qsl(body, keep_blank_values=True)
        else:
            raise RefusedError(
                415, "post application/sparql-query, or a form (application/x-www-form-urlencoded) with a field 'query'"
            )
    elif request.method not in ("GET", "HEAD"):
        raise RefusedError(405, _READ_ONLY)
    if any(name == "update" for name, _ in parameters):
        raise RefusedError(403, _READ_ONLY)
    queries = [value for name, value in parameters if name == "query"]
    if not queries and request.method in ("GET", "HEAD") and not parameters:
        endpoint = str(request.url.replace(query="", fragment=""))
        described = describe(endpoint, accept)
        if described is None:
            raise RefusedError(406, "the service description comes as Turtle, N-Triples, JSON-LD or RDF/XML")
        return Response(described[1], media_type=described[0], headers={"Vary": "Accept"})
    if len(queries) != 1:
        raise RefusedError(400, "one parameter 'query' is needed")
    return await _run(
        pool,
        {
            "query": queries[0],
            "default_graphs": _iris(parameters, "default-graph-uri"),
            "named_graphs": _iris(parameters, "named-graph-uri"),
            "accept": accept,
            "prefixes": dict(prefixes),
        },
    )


async def _graphs(request: Request, pool: Pool, prefixes: Mapping[str, str]) -> Response:
    if request.method not in ("GET", "HEAD"):
        raise RefusedError(405, _READ_ONLY)
    parameters = parse_qsl(request.url.query, keep_blank_values=True)
    names = [name for name, _ in parameters]
    if names not in (["default"], ["graph"]):
        raise RefusedError(400, "ask for ?default or ?graph=IRI")
    graph = _iris(parameters, "graph")
    accept = request.headers.get("accept", "")
    return await _run(pool, {"graph": graph[0] if graph else "", "accept": accept, "prefixes": dict(prefixes)})


async def _run(pool: Pool, request: Mapping[str, Any]) -> Response:
    answer = await pool.run(dict(request))
    headers = {"Vary": "Accept"}
    if answer.whole is not None:
        return Response(answer.whole, answer.status, headers, answer.media)
    return StreamingResponse(answer.body, answer.status, headers, answer.media)


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
