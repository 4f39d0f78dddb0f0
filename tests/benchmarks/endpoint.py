"""Throughput of the SPARQL endpoint beside bare pyoxigraph behind the same server.

``python -m tests.benchmarks.endpoint [--out DIR] [--seeds N] [--triples N] [--seconds S]``. Three queries: a point, a
star of two patterns, and an answer of 10,000 rows. The endpoint is ``create_app`` with its defaults: query processes,
limits, guard against SERVICE and foreign hosts. What it is measured against has none of that: a Starlette application
that runs ``Store.query`` in a thread and serialises to JSON. Both under uvicorn in a process of their own, in turns in
one run; the load comes over loopback from ``wrk`` where it is installed, else from a small asyncio client here. Server
and load share the cores, so only the ratios count.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import pyoxigraph as ox

from tests.benchmarks import common

_EX: Final = "http://example.org/"
_CONNECTIONS: Final = 4
_ROWS: Final = 10_000
_SIDES: Final = ("kgfuse", "bare")
_WRK: Final = """
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %d %f %f %f\\n", summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), latency:percentile(95), latency:percentile(99)))
end
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the table, write the result."""
    parser = common.parser(__doc__ or "")
    parser.add_argument("--triples", type=int, default=100_000, help="triples of the store")
    parser.add_argument("--seconds", type=float, default=4.0, help="seconds for a query and side")
    parser.add_argument("--serve", choices=_SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--store", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.serve:
        _serve(options.serve, options.store)
        return
    folder = Path(tempfile.mkdtemp(prefix="endpoint-"))
    try:
        items = _write(folder / "graph", max(options.triples, 2 * _ROWS))
        runs = [_run(folder, items, seed, options.seconds) for seed in range(options.seeds)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    client = "wrk" if shutil.which("wrk") else "asyncio"
    print(f"{client}, {_CONNECTIONS} connections, {options.triples:,} triples, {options.seeds} run(s)\n")
    print(f"{'':16}{'requests/s':>12}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'ratio':>16}")
    summary: dict[str, Any] = {}
    for name in _queries(items, 0):
        ratios = [run[name]["kgfuse"]["per_s"] / run[name]["bare"]["per_s"] for run in runs]
        summary[name] = {"ratio": common.summary(ratios)}
        for side in _SIDES:
            mean = {key: statistics.fmean(run[name][side][key] for run in runs) for key in runs[0][name][side]}
            summary[name][side] = mean
            line = f"{mean['per_s']:>12,.0f}{mean['p50']:>9.2f}{mean['p95']:>9.2f}{mean['p99']:>9.2f}"
            print(f"{name + ', ' + side:16}{line}" + (f"{common.shown(ratios, 2):>16}" if side == "kgfuse" else ""))
    common.write(options.out, "endpoint", {"client": client, "triples": options.triples, "queries": summary})


def _run(folder: Path, items: int, seed: int, seconds: float) -> dict[str, dict[str, dict[str, float]]]:
    found: dict[str, dict[str, dict[str, float]]] = {}
    sides = _SIDES if seed % 2 == 0 else _SIDES[::-1]
    for side in sides:
        with _server(side, folder / "graph") as port:
            for name, query in _queries(items, seed).items():
                path = "/sparql?" + urlencode({"query": query})
                _load(port, path, 0.5)
                found.setdefault(name, {})[side] = _load(port, path, seconds)
    return found


def _queries(items: int, seed: int) -> dict[str, str]:
    item = f"<{_EX}item/{random.Random(seed).randrange(items)}>"
    return {
        "point": f"SELECT ?name {{ {item} <{_EX}name> ?name }}",
        "star": f"SELECT ?s ?name {{ ?s <{_EX}next> {item} ; <{_EX}name> ?name }}",
        "10,000": f"SELECT ?s ?name {{ ?s <{_EX}name> ?name }} LIMIT {_ROWS}",
    }


def _write(folder: Path, triples: int) -> int:
    items = triples // 2
    name, after = ox.NamedNode(_EX + "name"), ox.NamedNode(_EX + "next")

    def quads() -> Iterator[ox.Quad]:
        for i in range(items):
            node = ox.NamedNode(f"{_EX}item/{i}")
            yield ox.Quad(node, name, ox.Literal(f"item number {i}"))
            yield ox.Quad(node, after, ox.NamedNode(f"{_EX}item/{i * 7919 % items}"))

    store = ox.Store(str(folder.with_name("writing")))
    store.bulk_extend(quads())
    store.flush()
    store.backup(str(folder))
    return items


@contextlib.contextmanager
def _server(side: str, store: Path) -> Iterator[int]:
    command = [sys.executable, "-m", "tests.benchmarks.endpoint", "--serve", side, "--store", str(store)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
                break
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)


def _serve(side: str, folder: Path) -> None:
    import uvicorn

    from kgfuse.serve.app import create_app
    from kgfuse.serve.connections import server_config
    from kgfuse.serve.snapshots import Snapshot

    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    if side == "bare":
        config = uvicorn.Config(_bare(folder), http="h11", log_level="warning", access_log=False)
        uvicorn.Server(config).run(sockets=[listener])
        return
    snapshot = Snapshot(folder, "1")
    uvicorn.Server(server_config(create_app(lambda: snapshot))).run(sockets=[listener])


def _bare(folder: Path) -> Any:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    store = ox.Store.read_only(str(folder))

    def run(query: str) -> bytes:
        return store.query(query).serialize(format=ox.QueryResultsFormat.JSON) or b""  # type: ignore[union-attr]

    async def sparql(request: Request) -> Response:
        data = await asyncio.to_thread(run, request.query_params["query"])
        return Response(data, media_type="application/sparql-results+json")

    return Starlette(routes=[Route("/sparql", sparql)])


def _load(port: int, path: str, seconds: float) -> dict[str, float]:
    """Requests per second, and quantiles of the latency in milliseconds."""
    if shutil.which("wrk"):
        return _wrk(port, path, seconds)
    return asyncio.run(_ask(port, path, seconds))


def _wrk(port: int, path: str, seconds: float) -> dict[str, float]:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_WRK)
        script.flush()
        command = ["wrk", "-t1", f"-c{_CONNECTIONS}", f"-d{max(1, round(seconds))}s", "-s", script.name]
        done = subprocess.run([*command, f"http://127.0.0.1:{port}{path}"], capture_output=True, text=True, check=True)
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\S+) (\S+) (\S+)", done.stdout)
    assert found is not None, done.stdout
    assert found[3] == "0", done.stdout
    p50, p95, p99 = (float(value) / 1000 for value in found.groups()[3:])
    return {"per_s": int(found[1]) / int(found[2]) * 1e6, "p50": p50, "p95": p95, "p99": p99}


async def _ask(port: int, path: str, seconds: float) -> dict[str, float]:
    took: list[float] = []
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    began = time.perf_counter()

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
        while (start := time.perf_counter()) < began + seconds:
            writer.write(request)
            await _answer(reader)
            took.append(time.perf_counter() - start)
        writer.close()

    await asyncio.gather(*(one() for _ in range(_CONNECTIONS)))
    per_s = len(took) / (time.perf_counter() - began)
    cuts = statistics.quantiles(took, n=100)
    return {"per_s": per_s, "p50": cuts[49] * 1e3, "p95": cuts[94] * 1e3, "p99": cuts[98] * 1e3}


async def _answer(reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    assert head.startswith(b"http/1.1 200"), head
    if length := re.search(rb"content-length: (\d+)", head):
        await reader.readexactly(int(length[1]))
        return
    while size := int(await reader.readline(), 16):
        await reader.readexactly(size + 2)
    await reader.readline()


if __name__ == "__main__":
    main()
