"""Service description tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import httpx
import pyoxigraph as ox
import rdflib
from rdflib import RDF, Namespace

from tests.benchmarks.w3c_suite.endpoint import endpoint
from tests.benchmarks.w3c_suite.manifest import Test
from tests.benchmarks.w3c_suite.outcome import Outcome

SD: Final = Namespace("http://www.w3.org/ns/sparql-service-description#")
# domain and range of each property in http://www.w3.org/ns/sparql-service-description#
_SCHEMA: Final = {
    "endpoint": ("Service", None),
    "feature": ("Service", "Feature"),
    "defaultEntailmentRegime": ("Service", "EntailmentRegime"),
    "entailmentRegime": ("NamedGraph", "EntailmentRegime"),
    "defaultSupportedEntailmentProfile": ("Service", "EntailmentProfile"),
    "supportedEntailmentProfile": ("NamedGraph", "EntailmentProfile"),
    "extensionFunction": ("Service", "Function"),
    "extensionAggregate": ("Service", "Aggregate"),
    "languageExtension": ("Service", "Feature"),
    "supportedLanguage": ("Service", "Language"),
    "propertyFeature": ("Service", "Feature"),
    "defaultDataset": ("Service", "Dataset"),
    "availableGraphs": ("Service", "GraphCollection"),
    "resultFormat": ("Service", None),
    "inputFormat": ("Service", None),
    "defaultGraph": ("Dataset", "Graph"),
    "namedGraph": ("GraphCollection", "NamedGraph"),
    "name": ("NamedGraph", None),
    "graph": ("NamedGraph", "Graph"),
}
_CLASSES: Final = {"Service", "Dataset", "GraphCollection", "Graph", "NamedGraph", "Language", "Feature", "Function"}
_LANGUAGES: Final = {"SPARQL10Query", "SPARQL11Query", "SPARQL11Update"}


def run(tests: Sequence[Test]) -> Iterator[Outcome]:
    """Run the tests against an endpoint with two named graphs."""
    node = ox.NamedNode("http://example.org/g")
    with endpoint(
        [ox.Quad(node, node, node, node), ox.Quad(node, node, node, ox.NamedNode(node.value + "2"))]
    ) as client:
        for test in tests:
            wrong = _wrong(test.name, client)
            yield Outcome(test.label, "failed" if wrong else "passed", wrong)


def _wrong(name: str, client: httpx.Client) -> str:
    answer = client.get("/sparql")
    if answer.status_code != 200 or "turtle" not in answer.headers["content-type"]:
        return f"HTTP {answer.status_code}, {answer.headers['content-type']}"
    graph = rdflib.Graph().parse(data=answer.text, format="turtle")
    if name == "returns-rdf":
        return "" if len(graph) else "an empty graph"
    if name == "has-endpoint-triple":
        address = rdflib.URIRef(str(client.base_url).rstrip("/") + "/sparql")
        return "" if (None, SD.endpoint, address) in graph else "no sd:endpoint of the URL asked"
    return "; ".join(_violations(graph))


def _violations(graph: rdflib.Graph) -> Iterator[str]:
    """What contradicts the vocabulary's schema: unknown terms, and subjects and objects of another class."""
    for s, p, o in graph:
        if not str(p).startswith(SD):
            continue
        term = str(p).removeprefix(SD)
        if term not in _SCHEMA:
            yield f"unknown property sd:{term}"
            continue
        domain, target = _SCHEMA[term]
        if (s, RDF.type, SD[domain]) not in graph:
            yield f"sd:{term} of something that is no sd:{domain}"
        if target == "Language":
            if str(o).removeprefix(SD) not in _LANGUAGES:
                yield f"unknown language {o}"
        elif target in _CLASSES and (o, RDF.type, SD[target]) not in graph:
            yield f"sd:{term} to something that is no sd:{target}"
    for kind in graph.objects(None, RDF.type):
        if str(kind).startswith(SD) and str(kind).removeprefix(SD) not in _CLASSES:
            yield f"unknown class {kind}"
