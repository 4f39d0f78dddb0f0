"""SPARQL 1.1 Service Description of the endpoint, https://www.w3.org/TR/sparql11-service-description/."""

from __future__ import annotations

from typing import Final

import pyoxigraph as ox

from kgfuse.serve.formats import GRAPHS, negotiate
from kgfuse.terms.namespaces import RDF

SD: Final = "http://www.w3.org/ns/sparql-service-description#"
_FORMATS: Final = "http://www.w3.org/ns/formats/"
_NAMES: Final = (
    *("SPARQL_Results_JSON", "SPARQL_Results_XML", "SPARQL_Results_CSV", "SPARQL_Results_TSV"),
    *("Turtle", "N-Triples", "JSON-LD", "RDF_XML"),
)


def describe(endpoint: str, accept: str) -> tuple[str, bytes] | None:
    """Media type and text of the description; ``None`` where the client accepts no RDF."""
    chosen = negotiate(accept, GRAPHS)
    if chosen is None:
        chosen = ("text/turtle", ox.RdfFormat.TURTLE) if "html" in accept else None
    if chosen is None:
        return None
    service, dataset, graph = ox.NamedNode(endpoint), ox.BlankNode("dataset"), ox.BlankNode("graph")

    def sd(name: str) -> ox.NamedNode:
        return ox.NamedNode(SD + name)

    kind = ox.NamedNode(RDF + "type")
    triples = [
        ox.Triple(service, kind, sd("Service")),
        ox.Triple(service, sd("endpoint"), service),
        ox.Triple(service, sd("supportedLanguage"), sd("SPARQL11Query")),
        *(ox.Triple(service, sd("resultFormat"), ox.NamedNode(_FORMATS + name)) for name in _NAMES),
        ox.Triple(service, sd("defaultDataset"), dataset),
        ox.Triple(dataset, kind, sd("Dataset")),
        ox.Triple(dataset, sd("defaultGraph"), graph),
        ox.Triple(graph, kind, sd("Graph")),
    ]
    media, format_ = chosen
    prefixes = {"sd": SD} if format_ in (ox.RdfFormat.TURTLE, ox.RdfFormat.RDF_XML) else None
    return media, ox.serialize(triples, format=format_, prefixes=prefixes) or b""
