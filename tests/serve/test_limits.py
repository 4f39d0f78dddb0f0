from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgfuse.errors import WorkspaceError
from kgfuse.serve.rowcount import RowCounter
from kgfuse.serve.snapshots import PublishedSnapshots
from tests.serve.conftest import EX, publish_store, running, write

RUNAWAY = "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?a ?b ?c . ?d ?e ?f . ?h ?i ?j . ?k ?l ?m } }"
HUNGRY = "SELECT (GROUP_CONCAT(CONCAT(STR(?a), STR(?d), STR(?a), STR(?d))) AS ?x) { GRAPH ?g { ?a ?b ?c . ?d ?e ?f } }"


def get(url: str, query: str, accept: str = "*/*") -> httpx.Response:
    return httpx.get(url + "/sparql", params={"query": query}, headers={"Accept": accept}, timeout=30)


def test_a_runaway_query_is_killed_while_others_are_answered(small: str) -> None:
    ended: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: ended.append(get(small, RUNAWAY)))
    thread.start()
    answered = 0
    while thread.is_alive():
        assert get(small, "ASK { ?s ?p ?o }").json()["boolean"]
        answered += not ended
    assert answered > 1
    assert (ended[0].status_code, "stopped" in ended[0].text) == (504, True)
    assert get(small, "ASK { ?s ?p ?o }").status_code == 200


def test_a_hungry_query_is_stopped_and_the_server_lives(small: str) -> None:
    assert get(small, HUNGRY).status_code in (500, 504)
    assert get(small, "ASK { ?s ?p ?o }").status_code == 200


@pytest.mark.parametrize(
    "accept", ["application/sparql-results+json", "application/xml", "text/csv", "text/tab-separated-values"]
)
def test_too_many_rows_are_refused_never_cut_short(small: str, accept: str) -> None:
    query = "SELECT ?s { GRAPH ?g { ?s <http://example.org/number> ?n } } LIMIT %d"
    assert get(small, query % 100, accept).status_code == 200
    refused = get(small, query % 101, accept)
    assert (refused.status_code, "LIMIT" in refused.text) == (413, True)
    assert get(small, "CONSTRUCT { ?s ?p ?o } { GRAPH ?g { ?s ?p ?o } } LIMIT 101").status_code == 413


def test_too_many_bytes_break_the_connection_once_it_streams(small: str) -> None:
    long = "BIND(STR(?n) AS ?a)" + "".join(
        f" BIND(CONCAT(?{a}, ?{a}, ?{a}, ?{a}) AS ?{b})" for a, b in zip("abcdefg", "bcdefgh", strict=True)
    )
    query = f"SELECT ?h {{ GRAPH ?all {{ ?s <http://example.org/number> ?n }} FILTER(?n > 2950) {long} }}"
    with pytest.raises(httpx.RemoteProtocolError):
        get(small, query)


def test_more_than_may_wait_are_sent_away(small: str) -> None:
    answers: list[httpx.Response] = []
    threads = [threading.Thread(target=lambda: answers.append(get(small, RUNAWAY))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    codes = sorted(a.status_code for a in answers)
    assert codes.count(503) >= 3
    assert 504 in codes
    assert all("retry-after" in a.headers for a in answers if a.status_code == 503)


@pytest.mark.system
def test_a_query_process_has_no_network_where_the_system_allows_it() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    program = f"""
import socket, sys
from kgfuse.serve.worker import leave_network
if not leave_network():
    sys.exit("not allowed here")
try:
    socket.create_connection(("127.0.0.1", {listener.getsockname()[1]}), timeout=5)
except OSError:
    print("cut off")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    listener.close()
    assert done.stdout == "cut off\n", done.stderr


def test_a_request_that_is_too_long_is_refused(address: str) -> None:
    content = "ASK {} #" + "x" * (1 << 20)
    answer = httpx.post(address + "/sparql", content=content, headers={"Content-Type": "application/sparql-query"})
    assert answer.status_code == 413


def test_answers_follow_the_graph(tmp_path: Path) -> None:
    write(tmp_path / "graph")
    with running(tmp_path / "graph") as url:
        assert not get(url, "ASK { ?s a <http://example.org/New> }").json()["boolean"]
        store = ox.Store(str(tmp_path / "graph"))
        kind = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
        store.add(ox.Quad(ox.NamedNode(EX + "x"), kind, ox.NamedNode(EX + "New")))
        assert get(url, "ASK { ?s a <http://example.org/Bird> }").json()["boolean"]  # while another process writes
        store.flush()
        del store
        publish_store(tmp_path / "graph")
        deadline = time.monotonic() + 20
        while not get(url, "ASK { ?s a <http://example.org/New> }").json()["boolean"]:
            assert time.monotonic() < deadline
    assert not list(tmp_path.glob(".read-*"))


def test_a_missing_graph_is_told(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="no graph"):
        PublishedSnapshots(tmp_path / "none")()


TEXTS = st.text(alphabet=st.sampled_from(list('ab"\\,{}[]<>\n\r\t&é')), max_size=6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=6), st.integers(1, 40))
def test_rows_are_counted_exactly_in_any_cut(rows: list[tuple[str, str]], size: int) -> None:
    store = ox.Store()
    values = " ".join(f"({ox.Literal(a)} {ox.Literal(b)})" for a, b in rows)
    for media in ("application/json", "application/xml", "text/csv", "text/tab-separated-values"):
        data = store.query(f"SELECT ?a ?b {{ VALUES (?a ?b) {{ {values} }} }}").serialize(
            format=ox.QueryResultsFormat.from_media_type(media)
        )
        counter = RowCounter(media)
        for start in range(0, len(data), size):
            counter.feed(data[start : start + size])
        assert counter.rows == len(rows), (media, data)
