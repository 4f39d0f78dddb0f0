"""The clients that people have: SPARQLWrapper, rdflib, curl, and a page in a browser."""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rdflib
import SPARQLWrapper
from rdflib.plugins.stores.sparqlstore import SPARQLStore

from tests.serve.conftest import EX, running

NAMES = "SELECT ?n WHERE { <http://example.org/owl> <http://example.org/name> ?n } ORDER BY ?n"


@pytest.fixture(params=[SPARQLWrapper.GET, SPARQLWrapper.POST])
def wrapper(request: pytest.FixtureRequest, address: str) -> SPARQLWrapper.SPARQLWrapper:
    made = SPARQLWrapper.SPARQLWrapper(address + "/sparql")
    made.setMethod(request.param)
    return made


@pytest.mark.parametrize("how", [SPARQLWrapper.URLENCODED, SPARQLWrapper.POSTDIRECTLY])
def test_sparqlwrapper_reads_rows_in_each_format(wrapper: SPARQLWrapper.SPARQLWrapper, how: str) -> None:
    if wrapper.method == SPARQLWrapper.POST:
        wrapper.setRequestMethod(how)
    wrapper.setQuery(NAMES)
    wrapper.setReturnFormat(SPARQLWrapper.JSON)
    found = wrapper.queryAndConvert()["results"]["bindings"]
    assert {row["n"]["value"] for row in found} == {"Käuzchen", 'owl "q"\n},{'}
    wrapper.setReturnFormat(SPARQLWrapper.XML)
    assert len(wrapper.queryAndConvert().getElementsByTagName("result")) == 2
    wrapper.setReturnFormat(SPARQLWrapper.CSV)
    assert "Käuzchen".encode() in wrapper.queryAndConvert()
    wrapper.setReturnFormat(SPARQLWrapper.TSV)
    assert '"Käuzchen"@de'.encode() in wrapper.queryAndConvert()


def test_sparqlwrapper_reads_answers_and_graphs(wrapper: SPARQLWrapper.SPARQLWrapper) -> None:
    wrapper.setQuery("ASK { ?s a <http://example.org/Bird> }")
    wrapper.setReturnFormat(SPARQLWrapper.JSON)
    assert wrapper.queryAndConvert()["boolean"]
    wrapper.setReturnFormat(SPARQLWrapper.XML)
    assert wrapper.queryAndConvert().getElementsByTagName("boolean")[0].firstChild.data == "true"
    wrapper.setQuery("CONSTRUCT WHERE { ?s a ?c }")
    for given, format_ in (
        (SPARQLWrapper.TURTLE, "turtle"),
        (SPARQLWrapper.N3, "n3"),
        (SPARQLWrapper.RDFXML, "xml"),
        (SPARQLWrapper.JSONLD, "json-ld"),
    ):
        wrapper.setReturnFormat(given)
        made = wrapper.queryAndConvert()
        graph = made if isinstance(made, rdflib.Graph) else rdflib.Graph().parse(data=made, format=format_)
        assert len(graph) == 2


def test_sparqlwrapper_is_told_what_is_wrong(wrapper: SPARQLWrapper.SPARQLWrapper) -> None:
    wrapper.setQuery("SELECT * {")
    with pytest.raises(SPARQLWrapper.SPARQLExceptions.QueryBadFormed, match="syntax error in line 1"):
        wrapper.query()


@pytest.mark.parametrize("method", ["GET", "POST", "POST_FORM"])
@pytest.mark.parametrize("form", ["xml", "json", "csv", "tsv"])
def test_rdflib_reads_through_its_sparql_store(address: str, method: Any, form: str) -> None:
    graph = rdflib.Graph(store=SPARQLStore(address + "/sparql", method=method, returnFormat=form))
    rows = list(graph.query("SELECT ?w { ?s <http://example.org/weight> ?w }"))
    assert [int(row.w) for row in rows] == [20]


def test_rdflib_looks_patterns_up(address: str) -> None:
    graph = rdflib.Graph(store=SPARQLStore(address + "/sparql"))
    owl, eats, mouse = (rdflib.URIRef(EX + name) for name in ("owl", "eats", "mouse"))
    assert (owl, eats, mouse) in graph
    assert set(graph.objects(owl, eats)) == {mouse}
    assert len(graph) == 6
    assert bool(graph.query("ASK { ?s ?p ?o }"))
    assert len(graph.query("CONSTRUCT WHERE { ?s a ?c }").graph) == 2
    whole = rdflib.Graph(store=SPARQLStore(address + "/sparql"), identifier=EX + "g")
    assert len(whole) == 1


@pytest.mark.system
def test_curl_asks_and_gets(address: str, tmp_path: Path) -> None:
    def curl(*arguments: str) -> str:
        done = subprocess.run(["curl", "-sS", *arguments], capture_output=True, text=True, timeout=30, check=True)
        return done.stdout

    got = curl("-G", address + "/sparql", "--data-urlencode", f"query={NAMES}")
    assert len(json.loads(got)["results"]["bindings"]) == 2
    (tmp_path / "q.rq").write_text(NAMES, encoding="utf-8")
    kind = "Content-Type: application/sparql-query"
    posted = curl(address + "/sparql", "-H", kind, "--data-binary", f"@{tmp_path}/q.rq")
    assert posted == got
    assert curl(address + "/sparql", "--data-urlencode", f"query={NAMES}", "-H", "Accept: text/csv").startswith("n\n")
    assert "200 OK" in curl("-I", address + "/graphs?default")
    assert len(rdflib.Graph().parse(data=curl(address + "/graphs?default"), format="turtle")) == 6
    (tmp_path / "long.rq").write_text("#" * 1_100_000, encoding="utf-8")
    code = ("-o", "/dev/null", "-w", "%{http_code}", "--data-binary", f"@{tmp_path}/long.rq")
    assert curl(address + "/sparql", "-H", kind, *code) == "413"


PAGE = """<!doctype html><meta charset="utf-8"><p id="told">nothing yet</p><script>
async function told() {
  try {
    const answer = await fetch("ADDRESS/sparql", { method: "POST", body: "ASK { ?s ?p ?o }",
      headers: { "Content-Type": "application/sparql-query", "Accept": "application/sparql-results+json" } });
    return "answered " + (await answer.json()).boolean;
  } catch (error) { return "kept away"; }
}
told().then(text => { document.getElementById("told").textContent = text; });
</script>"""


@contextlib.contextmanager
def pages(folder: Path) -> Iterator[int]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.system
@pytest.mark.parametrize(
    ("host", "origins", "told"),
    [
        ("127.0.0.1", (), "answered true"),
        ("shop.example", (), "kept away"),
        ("shop.example", ("http://shop.example:{port}",), "answered true"),
    ],
)
def test_pages_in_a_browser_read_where_their_origin_may(
    graph: Path, tmp_path: Path, host: str, origins: tuple[str, ...], told: str
) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    assert browser is not None, "install chromium: apt-get install chromium"
    site = tmp_path / "site"
    site.mkdir()
    with pages(site) as port, running(graph, origins=[o.format(port=port) for o in origins], workers=1) as address:
        (site / "index.html").write_text(PAGE.replace("ADDRESS", address), encoding="utf-8")
        shown = subprocess.run(
            [
                browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
                "--disable-background-networking", "--disable-component-update", f"--user-data-dir={tmp_path / 'u'}",
                "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests",
                "--host-resolver-rules=MAP shop.example 127.0.0.1", "--virtual-time-budget=10000", "--dump-dom",
                f"http://{host}:{port}/",
            ],
            capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
    assert f'<p id="told">{told}</p>' in shown.stdout


@pytest.mark.system
def test_the_query_page_works_in_a_browser(address: str, tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    assert browser is not None, "install chromium: apt-get install chromium"
    told = subprocess.run(
        [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
            "--disable-background-networking", "--disable-component-update", f"--user-data-dir={tmp_path / 'u'}",
            "--enable-logging=stderr", "--v=0", "--virtual-time-budget=5000", "--dump-dom", address + "/",
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert "CONSOLE" not in told.stderr
    assert "Query the graph" in told.stdout
