from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pyoxigraph as ox
import pytest
import rdflib

from kgfuse.terms.namespaces import GRAPH_INFERRED
from tests.serve.conftest import EX, publish_store, running, write

Ask = Callable[..., httpx.Response]
NAMES = "SELECT ?n WHERE { <http://example.org/owl> <http://example.org/name> ?n } ORDER BY ?n"


@pytest.mark.parametrize(
    "media",
    ["application/sparql-results+json", "application/sparql-results+xml", "text/csv", "text/tab-separated-values"],
)
def test_select_comes_in_each_format(ask: Ask, media: str) -> None:
    answer = ask(NAMES, accept=media)
    assert answer.headers["content-type"].startswith(media)
    if media == "text/csv":  # has no terms, only values
        assert answer.text == 'n\r\nKäuzchen\r\n"owl ""q""\n},{"\r\n' or "Käuzchen" in answer.text
        return
    format_ = ox.QueryResultsFormat.from_media_type(media)
    found: Any = ox.parse_query_results(answer.content, format_)
    assert {row["n"] for row in found} == {ox.Literal("Käuzchen", language="de"), ox.Literal('owl "q"\n},{')}


@pytest.mark.parametrize(
    ("media", "format_"),
    [
        ("text/turtle", "turtle"),
        ("application/n-triples", "nt"),
        ("application/ld+json", "json-ld"),
        ("application/rdf+xml", "xml"),
    ],
)
def test_construct_comes_in_each_format(ask: Ask, media: str, format_: str) -> None:
    answer = ask("CONSTRUCT WHERE { ?s a ?c }", accept=media)
    assert answer.headers["content-type"].startswith(media)
    assert len(rdflib.Graph().parse(data=answer.text, format=format_)) == 2


def test_the_client_that_does_not_care_gets_json_or_turtle(ask: Ask) -> None:
    assert ask("ASK { ?s ?p ?o }").json() == {"head": {}, "boolean": True}
    browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    assert ask("SELECT * { ?s a ?c }", accept=browser).status_code == 200
    assert ask("DESCRIBE <http://example.org/owl>").headers["content-type"].startswith("text/turtle")
    assert ask("SELECT * { ?s a ?c }", accept="image/png").status_code == 406


def test_post_as_form_and_as_query(address: str) -> None:
    form = httpx.post(address + "/sparql", data={"query": NAMES})
    raw = httpx.post(address + "/sparql", content=NAMES, headers={"Content-Type": "application/sparql-query"})
    assert form.json() == raw.json()
    assert len(form.json()["results"]["bindings"]) == 2
    assert httpx.post(address + "/sparql", content=NAMES, headers={"Content-Type": "text/plain"}).status_code == 415


def test_the_protocol_chooses_the_dataset(ask: Ask) -> None:
    def classes(text: str, **parameters: Any) -> set[str]:
        return {row["c"]["value"].removeprefix(EX) for row in ask(text, **parameters).json()["results"]["bindings"]}

    assert classes("SELECT ?c { ?s a ?c }") == {"Bird", "Rodent"}
    assert classes("SELECT ?c { ?s a ?c }", **{"default-graph-uri": EX + "g"}) == {"Deer"}
    assert classes("SELECT ?c { GRAPH ?g { ?s a ?c } }") == {"Deer"}
    assert classes("SELECT ?c { GRAPH ?g { ?s a ?c } }", **{"named-graph-uri": EX + "n"}) == set()
    assert classes("SELECT ?c FROM <http://example.org/n> { ?s a ?c }", **{"default-graph-uri": EX + "g"}) == {"Deer"}
    assert ask("ASK {}", **{"default-graph-uri": "no iri"}).status_code == 400


def test_a_syntax_error_names_its_position(ask: Ask) -> None:
    answer = ask("SELECT * {\n ?a ?b ?c . ?d }")
    assert (answer.status_code, "line 2, column 17" in answer.text) == (400, True)
    assert ask("").status_code == 400


def test_a_request_that_is_not_utf8_is_told_so(address: str) -> None:
    kind = "application/sparql-query"
    sent = httpx.post(address + "/sparql", content="ASK {}".encode("utf-16"), headers={"Content-Type": kind})
    assert (sent.status_code, "UTF-8" in sent.text) == (400, True)
    named = httpx.post(address + "/sparql", content=b"ASK {}", headers={"Content-Type": kind + "; charset=UTF-16"})
    assert (named.status_code, "UTF-8" in named.text) == (415, True)
    assert httpx.get(address + "/sparql?query=%FF%FE").status_code == 400


@pytest.mark.parametrize(
    "request_",
    [
        {"content": "DELETE WHERE { ?s ?p ?o }", "headers": {"Content-Type": "application/sparql-update"}},
        {"data": {"update": "DELETE WHERE { ?s ?p ?o }"}},
    ],
)
def test_updates_are_refused(address: str, request_: dict[str, Any]) -> None:
    answer = httpx.post(address + "/sparql", **request_)
    assert (answer.status_code, "only reads" in answer.text) == (403, True)
    assert httpx.put(address + "/graphs?default", content="").status_code == 405
    assert httpx.delete(address + "/sparql").status_code == 405


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }",
        "SELECT * { ?s ?p trueSERVICE<http://127.0.0.1:1/>{?a ?b ?c} }",
        "PREFIX : <http://127.0.0.1:1/> ASK { service silent :x { ?s ?p ?o } }",
    ],
)
def test_other_servers_are_never_asked(ask: Ask, text: str) -> None:
    answer = ask(text)
    assert (answer.status_code, "SERVICE" in answer.text) == (403, True)


def test_the_word_service_in_a_literal_is_no_service(ask: Ask) -> None:
    assert ask('ASK { BIND("SERVICE <http://127.0.0.1/> { }" AS ?x) # SERVICE <http://127.0.0.1/> {\n }').json()[
        "boolean"
    ]


def test_without_a_query_the_service_describes_itself(address: str) -> None:
    answer = httpx.get(address + "/sparql")
    assert answer.headers["content-type"].startswith("text/turtle")
    found = rdflib.Graph().parse(data=answer.text, format="turtle")
    sd = rdflib.Namespace("http://www.w3.org/ns/sparql-service-description#")
    assert (rdflib.URIRef(address + "/sparql"), rdflib.RDF.type, sd.Service) in found


def test_the_description_lists_every_named_graph_with_its_size(address: str) -> None:
    found = rdflib.Graph().parse(data=httpx.get(address + "/sparql").text, format="turtle")
    asked = """
        PREFIX sd: <http://www.w3.org/ns/sparql-service-description#> PREFIX void: <http://rdfs.org/ns/void#>
        SELECT ?name ?n { ?s sd:availableGraphs/sd:namedGraph [ sd:name ?name ; sd:graph/void:triples ?n ] }"""
    assert {(str(row.name), int(row.n)) for row in found.query(asked)} == {(EX + "g", 1), (EX + "n", 3000)}
    regime = rdflib.URIRef("http://www.w3.org/ns/sparql-service-description#defaultEntailmentRegime")
    assert list(found.objects(None, regime)) == [rdflib.URIRef("http://www.w3.org/ns/entailment/Simple")]
    assert httpx.get(address + "/sparql", headers={"Accept": "text/html"}).headers["content-type"].startswith("text/tu")
    assert httpx.get(address + "/sparql", headers={"Accept": "image/png"}).status_code == 406


def test_a_description_of_what_holds_says_that_it_is_materialised(tmp_path: Path) -> None:
    node = ox.NamedNode(EX + "x")
    ox.Store(str(tmp_path / "graph")).add(ox.Quad(node, node, node, ox.NamedNode(GRAPH_INFERRED)))
    with running(tmp_path / "graph", workers=1) as url:
        assert "OWL 2 RL" in httpx.get(url + "/sparql").text


def test_what_a_client_has_already_is_not_sent_again(address: str) -> None:
    for path in ("/graphs?default", "/graphs?graph=" + EX + "n", "/sparql"):
        first = httpx.get(address + path)
        known = {"If-None-Match": f'"other", W/{first.headers["etag"]}'}
        again = httpx.get(address + path, headers=known)
        assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
        other = httpx.get(address + path, headers={**known, "Accept": "application/n-triples"})
        assert other.status_code == 200  # another form of it
    assert "etag" not in httpx.get(address + "/graphs", params={"graph": EX + "none"}).headers


def test_a_graph_is_also_read_at_its_own_address(tmp_path: Path) -> None:
    write(tmp_path / "graph")
    with running(tmp_path / "graph", workers=1) as url:
        assert httpx.get(url + "/graphs/a%20b").status_code == 404
    node = ox.NamedNode(EX + "x")
    with running(tmp_path / "graph", workers=1) as url:
        store = ox.Store(str(tmp_path / "graph"))
        store.add(ox.Quad(node, node, node, ox.NamedNode(url + "/graphs/people/1.ttl")))
        del store
        publish_store(tmp_path / "graph")
        deadline = time.monotonic() + 20
        while (answer := httpx.get(url + "/graphs/people/1.ttl")).status_code != 200:
            assert time.monotonic() < deadline
        assert len(rdflib.Graph().parse(data=answer.text, format="turtle")) == 1


def test_relative_iris_are_read_against_the_endpoint(ask: Ask, address: str) -> None:
    answer = ask("SELECT (<x> AS ?x) {}").json()
    assert answer["results"]["bindings"][0]["x"]["value"] == address + "/x"


def test_whole_graphs_are_read_by_the_graph_store_protocol(address: str) -> None:
    named = httpx.get(address + "/graphs", params={"graph": EX + "g"}, headers={"Accept": "application/n-triples"})
    assert len(rdflib.Graph().parse(data=named.text, format="nt")) == 1
    default = httpx.get(address + "/graphs?default", headers={"Accept": "text/turtle"})
    assert len(rdflib.Graph().parse(data=default.text, format="turtle")) == 6
    assert httpx.get(address + "/graphs", params={"graph": EX + "none"}).status_code == 404
    assert httpx.get(address + "/graphs").status_code == 400


def test_pages_of_this_machine_may_read_and_others_may_not(address: str) -> None:
    def allowed(origin: str) -> str | None:
        return httpx.get(address + "/sparql", params={"query": "ASK {}"}, headers={"Origin": origin}).headers.get(
            "access-control-allow-origin"
        )

    assert allowed("http://localhost:3000") == "http://localhost:3000"
    assert allowed("https://example.org") is None
    preflight = httpx.options(address + "/sparql", headers={"Origin": "http://localhost:3000"})
    assert (preflight.status_code, "POST" in preflight.headers["access-control-allow-methods"]) == (204, True)


def test_a_name_rebound_to_this_machine_is_turned_away(address: str) -> None:
    assert httpx.get(address + "/sparql?query=ASK{}", headers={"Host": "evil.example:80"}).status_code == 421


def test_the_query_page_needs_nothing_from_elsewhere(address: str) -> None:
    page = httpx.get(address + "/")
    assert "<textarea" in page.text
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert "script-src 'sha256-" in page.headers["content-security-policy"]


def test_kgfuse_prefixes_need_no_declaration(ask: Ask) -> None:
    assert ask("ASK { ?s rdf:type ?c FILTER(?s != kgf:x) }").json()["boolean"]


def test_head_and_long_answers(address: str) -> None:
    text = "SELECT * { GRAPH ?g { ?s ?p ?o } GRAPH ?h { ?s ?q ?x } }"
    answer = httpx.get(address + "/sparql", params={"query": text})
    assert answer.headers.get("transfer-encoding") == "chunked"
    assert len(json.loads(answer.content)["results"]["bindings"]) == 3001
    assert httpx.head(address + "/sparql", params={"query": "ASK {}"}).content == b""
