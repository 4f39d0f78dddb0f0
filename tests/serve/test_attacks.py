"""What a hostile client may try: each attack ends within its limit while others are answered."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import psutil
import pyoxigraph as ox
import pytest

from tests.serve.conftest import EX, running, write

PREFIX = f"PREFIX : <{EX}> "
SHORT = "ASK { ?s ?p ?o }"
ENDLESS = "SELECT * { GRAPH ?g { ?a ?b ?c } GRAPH ?h { ?d ?e ?f } }"  # nine million rows, the first at once
STUCK = "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?a ?b ?c . ?d ?e ?f . ?h ?i ?j . ?k ?l ?m } }"


@pytest.fixture(scope="module")
def dense(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete graph of 60 nodes under two properties, and long texts."""
    folder = tmp_path_factory.mktemp("dense") / "graph"
    store = ox.Store(str(folder))
    nodes = [ox.NamedNode(f"{EX}n{i}") for i in range(60)]
    store.extend(ox.Quad(a, ox.NamedNode(EX + p), b) for p in "pq" for a in nodes for b in nodes)
    store.extend(ox.Quad(a, ox.NamedNode(EX + "text"), ox.Literal("a" * 5000 + str(a))) for a in nodes)
    del store
    return folder


@pytest.fixture(scope="module")
def target(dense: Path) -> Iterator[str]:
    with running(dense, timeout_s=1, memory_mb=300, workers=2, max_rows=1000) as url:
        yield url


@pytest.fixture(scope="module")
def single(graph: Path) -> Iterator[str]:
    """One query process and much time: whoever pins it is noticed at once."""
    limits = {"timeout_s": 120, "max_rows": 10**9, "max_bytes": 10**10}
    with running(graph, workers=1, patience_s=1, **limits) as url:
        yield url


def get(url: str, query: str) -> httpx.Response:
    return httpx.get(url + "/sparql", params={"query": query}, timeout=30)


def post(url: str, query: str) -> httpx.Response:
    kind = {"Content-Type": "application/sparql-query"}
    return httpx.post(url + "/sparql", content=query, headers=kind, timeout=30)


def nested(left: str, middle: str, right: str, depth: int) -> str:
    return left * depth + middle + right * depth


ATTACKS = {
    "cross product": "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n ?o }",
    "cross product with a filter": "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i FILTER(?a = 1 && ?d = 2 && ?g = 3) }",
    "path explosion": PREFIX + "SELECT (COUNT(*) AS ?n) { ?a (:p|:q)* ?b . ?c (:p|:q)+ ?d . ?e (:p|:q)* ?f }",
    "nested paths": PREFIX
    + "SELECT (COUNT(*) AS ?n) { ?a ((:p*/:q*)*|(^:p/:q)*)* ?b . ?b ((:p|:q)*)* ?c . ?c !:r* ?d }",
    "large regular expression": PREFIX + 'ASK { ?s :text ?t FILTER(REGEX(?t, "((a{1,500}){1,500}){1,500}b$")) }',
    "regular expressions a row": PREFIX
    + 'SELECT (COUNT(*) AS ?n) { ?s :text ?t . ?u :text ?v . ?a :p ?b FILTER(REGEX(?t, CONCAT("(a|", ?v, "|a)*b"))) }',
    "large ORDER BY": "SELECT * { ?a ?b ?c . ?d ?e ?f } ORDER BY ?c ?f ?a DESC(?d)",
    "GROUP_CONCAT": PREFIX + "SELECT (GROUP_CONCAT(?t) AS ?x) { ?s :text ?t . ?a :p ?b . ?c :q ?d }",
    "doubling": PREFIX
    + "SELECT (STRLEN(?z) AS ?n) { :n1 :text ?a "
    + "".join(
        f"BIND(CONCAT(?{a}, ?{a}, ?{a}, ?{a}) AS ?{b}) " for a, b in zip("abcdefghijk", "bcdefghijkz", strict=True)
    )
    + "}",
    "giant VALUES": f"SELECT (COUNT(*) AS ?n) {{ VALUES ?a {{ {'1 ' * 40_000} }} VALUES ?b {{ {'2 ' * 40_000} }} }}",
    "deep parentheses": f"ASK {{ FILTER({nested('(', '1', ')', 100_000)}) }}",
    "deep OPTIONALs": f"ASK {{ {nested('OPTIONAL { ', '?s ?p ?o', ' }', 40_000)} }}",
    "deep subqueries": f"SELECT * {{ {nested('{ SELECT * { ', '?s ?p ?o', ' } }', 20_000)} }}",
    "deep lists": f"ASK {{ ?s ?p {nested('(', '1', ')', 20_000)} }}",
    "long path": PREFIX + f"ASK {{ ?s {'/'.join([':p'] * 20_000)} ?o }}",
    "unclosed": "SELECT * { " + "{ " * 100_000,
    "many UNIONs": "SELECT * { " + " UNION ".join(["{ ?s ?p ?o }"] * 20_000) + " }",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_pathological_query_is_stopped_while_others_are_answered(target: str, attack: str) -> None:
    ended: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: ended.append(post(target, ATTACKS[attack])))
    thread.start()
    while thread.is_alive():
        assert get(target, SHORT).json()["boolean"]
    assert ended[0].status_code in (200, 400, 413, 500, 504), ended[0].text
    assert ended[0].status_code == 200 or len(ended[0].text) > 10  # and says why
    assert get(target, SHORT).status_code == 200


def test_a_stack_that_overflows_is_told_for_what_it_is(target: str) -> None:
    answer = post(target, ATTACKS["deep parentheses"])
    assert (answer.status_code, "nested too deeply" in answer.text) == (500, True)


def test_memory_that_runs_out_is_told_for_what_it_is(dense: Path) -> None:
    with running(dense, timeout_s=30, memory_mb=100, workers=1) as url:
        answer = post(url, ATTACKS["GROUP_CONCAT"])
        assert (answer.status_code, "100 MB of memory" in answer.text) == (500, True)
        assert get(url, SHORT).status_code == 200


def test_a_query_process_that_is_killed_is_replaced(graph: Path) -> None:
    with running(graph, workers=1) as url:
        assert get(url, SHORT).status_code == 200
        for child in psutil.Process().children():
            if "kgfuse.serve.worker" in child.cmdline():
                os.kill(child.pid, signal.SIGKILL)
        answers = [get(url, SHORT).status_code for _ in range(3)]
        assert answers[-1] == 200


def connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20)


def until_closed(connection: socket.socket) -> bytes:
    """The last bytes that come before the other side closes."""
    last = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(1 << 16):
            last = (last + piece)[-10:]
    return last


def request(query: str) -> bytes:
    return f"GET /sparql?query={quote(query)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def test_a_client_that_leaves_frees_its_process(single: str) -> None:
    for query, reads in ((ENDLESS, 100_000), (STUCK, 0)):
        with connect(single) as left:
            left.sendall(request(query))
            while reads > 0:
                reads -= len(left.recv(65536))
        assert httpx.get(single + "/sparql", params={"query": SHORT}, timeout=60).status_code == 200


def test_a_client_that_waits_and_leaves_gives_its_place_up(graph: Path) -> None:
    with running(graph, workers=1, max_queue=1, timeout_s=60) as url, connect(url) as busy:
        busy.sendall(request(STUCK))
        with connect(url) as waits:
            waits.sendall(request(SHORT))
            deadline = time.monotonic() + 20
            while get(url, SHORT).status_code != 503:  # the one that waits fills the queue
                assert time.monotonic() < deadline
        busy.close()
        deadline = time.monotonic() + 20
        while get(url, SHORT).status_code != 200:
            assert time.monotonic() < deadline


def test_a_client_that_reads_nothing_is_cut_off(single: str) -> None:
    with connect(single) as slow:
        slow.sendall(request(ENDLESS))
        assert get(single, SHORT).status_code == 200  # waits until the process is free again
        assert not until_closed(slow).endswith(b"0\r\n\r\n")  # nothing that could be taken for the answer's end


@pytest.mark.parametrize(
    "half", [b"", b"GET /sparql HTTP/1.1\r\nHost: 127", b"GET /graphs?default HTTP/1.1\r\nHost: 127.0.0.1\r\nX: "]
)
def test_half_a_request_does_not_hold_a_connection(single: str, half: bytes) -> None:
    with connect(single) as idle:
        idle.sendall(half)
        assert until_closed(idle) == b""


def test_a_body_that_never_comes_is_not_waited_for(target: str) -> None:
    kind = "Content-Type: application/sparql-query"
    head = ("POST /sparql HTTP/1.1", "Host: 127.0.0.1", kind, "Content-Length: 99", "", "ASK")
    with connect(target) as half:
        half.sendall("\r\n".join(head).encode())
        assert half.recv(100).startswith(b"HTTP/1.1 408")


def test_many_half_open_connections_leave_room_for_others(target: str) -> None:
    held = [connect(target) for _ in range(200)]
    for each in held:
        each.sendall(b"GET /")
    assert get(target, SHORT).status_code == 200
    for each in held:
        each.close()


def test_a_url_that_is_too_long_is_refused(target: str) -> None:
    with connect(target) as long:
        long.sendall(b"GET /sparql?query=" + b"x" * 100_000)
        assert long.recv(100).startswith(b"HTTP/1.1 4")
    assert get(target, SHORT).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        ["Host: evil.example"],
        ["Host: 127.0.0.1", "Host: evil.example"],
        ["Host: evil.example", "X-Forwarded-Host: 127.0.0.1"],
        ["Host: 127.0.0.1@evil.example"],
        ["Host: 127.0.0.1.evil.example"],
        ["Host: localhost.evil.example:80"],
        ["Host: evil.example/127.0.0.1"],
        ["Host: evil.example#127.0.0.1"],
        ["Host: 127.0.0.1 evil.example"],
        ["Host: 127.0.0.1:80:evil.example"],
        ["Host:"],
        [],
    ],
)
def test_a_foreign_or_twisted_host_is_turned_away(target: str, headers: list[str]) -> None:
    with connect(target) as sent:
        lines = ["GET /sparql?query=ASK%7B%7D HTTP/1.1", *headers, "Connection: close", "", ""]
        sent.sendall("\r\n".join(lines).encode())
        answer = sent.recv(1000)
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 421"))
    assert b"boolean" not in answer


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1.evil.example", "file://", "http://"]
)
def test_pages_of_other_origins_read_nothing(target: str, origin: str) -> None:
    for answer in (
        httpx.get(target + "/sparql", params={"query": SHORT}, headers={"Origin": origin}),
        httpx.options(target + "/sparql", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}),
        httpx.get(target + "/graphs?default", headers={"Origin": origin}),
    ):
        assert "access-control-allow-origin" not in answer.headers


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Somebody who must not be asked."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { SERVICE <URL> { ?s ?p ?o } }",
        "SELECT * { sErViCe SILENT <URL> { ?s ?p ?o } }",
        "SELECT * { SERVICE # { \n <URL> # \n { ?s ?p ?o } }",
        "SELECT * { \\u0053ERVICE <URL> { ?s ?p ?o } }",
        "SELECT * { \\U00000053\\u0045RVICE <URL> { ?s ?p ?o } }",
        "SELECT * { BIND(<URL> AS ?x) SERVICE ?x { ?s ?p ?o } }",
        "PREFIX a: <URL> SELECT * { ?s ?p 1SERVICE a:{ ?s ?p ?o } }",
        "SELECT * { { SELECT * { OPTIONAL { SERVICE <URL> { ?s ?p ?o } } } } }",
        "ASK { FILTER EXISTS { SERVICE <URL> { ?s ?p ?o } } }",
        "SELECT * FROM <URL> FROM NAMED <URL> { ?s ?p ?o SERVICE <URL> { } }",
    ],
)
def test_service_is_refused_however_it_is_written(target: str, listener: socket.socket, text: str) -> None:
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    for answer in (get(target, text.replace("URL", url)), post(target, text.replace("URL", url))):
        assert answer.status_code in (400, 403)


@pytest.mark.parametrize("name", ["URL", "file:///etc/passwd", "file:///etc/hostname"])
def test_a_data_set_is_never_fetched(target: str, listener: socket.socket, name: str) -> None:
    name = name.replace("URL", f"http://127.0.0.1:{listener.getsockname()[1]}/data.ttl")
    count = "SELECT (COUNT(*) AS ?n) FROM <IRI> FROM NAMED <IRI> { { ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } } }"
    inside = get(target, count.replace("IRI", name))
    outside = httpx.get(
        target + "/sparql",
        params={"query": "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", "default-graph-uri": name, "named-graph-uri": name},
    )
    for answer in (inside, outside):
        assert answer.json()["results"]["bindings"][0]["n"]["value"] == "0"
    assert httpx.get(target + "/graphs", params={"graph": name}).status_code == 404


@pytest.mark.parametrize(
    "text",
    ["LOAD <URL>", "LOAD SILENT <file:///etc/passwd>", "INSERT DATA { <a:a> <a:b> <a:c> }", "CLEAR ALL", "DROP ALL"],
)
def test_nothing_is_loaded_or_changed(target: str, listener: socket.socket, text: str) -> None:
    text = text.replace("URL", f"http://127.0.0.1:{listener.getsockname()[1]}/")
    count = "SELECT (COUNT(*) AS ?n) { { ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } } }"
    before = get(target, count).json()
    assert get(target, text).status_code == 400  # it is no query
    assert post(target, text).status_code == 400
    kind = {"Content-Type": "application/sparql-update"}
    assert httpx.post(target + "/sparql", content=text, headers=kind).status_code == 403
    assert httpx.post(target + "/sparql", data={"query": SHORT, "update": text}).status_code == 403
    assert get(target, count).json() == before


def test_query_processes_end_with_the_endpoint(graph: Path, tmp_path: Path) -> None:
    write(tmp_path / "graph")
    program = f"""
from pathlib import Path
from tests.serve.conftest import running
import httpx, psutil, sys
with running(Path({str(tmp_path / "graph")!r}), timeout_s=600) as url:
    print(*(c.pid for c in psutil.Process().children()), flush=True)
    httpx.get(url + "/sparql", params={{"query": {STUCK!r}}}, timeout=None)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        workers = [psutil.Process(int(pid)) for pid in server.stdout.readline().split()]
        assert len(workers) == 2
        server.kill()
    assert not psutil.wait_procs(workers, timeout=20)[1]
