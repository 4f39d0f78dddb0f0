"""SPARQL 1.1 Service Description of the endpoint, https://www.w3.org/TR/sparql11-service-description/."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pyoxigraph as ox

from kgfuse.terms.namespaces import GRAPH_INFERRED, RDF, RDFS

SD: Final = "http://www.w3.org/ns/sparql-service-description#"
_FORMATS: Final = "http://www.w3.org/ns/formats/"
_ENTAILMENT: Final = "http://www.w3.org/ns/entailment/"
_VOID: Final = "http://rdfs.org/ns/void#"
_NAMES: Final = (
    *("SPARQL_Results_JSON", "SPARQL_Results_XML", "SPARQL_Results_CSV", "SPARQL_Results_TSV"),
    *("Turtle", "N-Triples", "JSON-LD", "RDF_XML"),
)
_COUNTED: Final = 100_000  # a graph is counted triple by triple: a fraction of a second is spent on it, no more
_MATERIALISED: Final = (
    "What holds: asserted, of the ontologies, and what follows by OWL 2 RL, computed before (trivial triples such as "
    f"?c rdfs:subClassOf ?c left out); {GRAPH_INFERRED} has what was inferred alone. Queries see it as it is written."
)


def describe(store: ox.Store, endpoint: str) -> list[ox.Triple]:
    """The description: language, formats, every named graph with its size while counting is cheap.

    The entailment regime is simple entailment, even where the default graph holds a closure: queries are answered from
    the triples that are there, and trivial ones are not. No features are claimed: the default graph is not the union
    of the others, no graph is fetched from its IRI, and nothing is asked of other services.

    Args:
        store: what the endpoint reads.
        endpoint: IRI that queries are sent to.
    """
    service, dataset, graph = ox.NamedNode(endpoint), ox.BlankNode("dataset"), ox.BlankNode("default")
    kind, sd = ox.NamedNode(RDF + "type"), _sd
    graphs = sorted((g for g in store.named_graphs() if isinstance(g, ox.NamedNode)), key=lambda g: g.value)
    counts = _counts(store, [ox.DefaultGraph(), *graphs])
    triples = [
        ox.Triple(service, kind, sd("Service")),
        ox.Triple(service, sd("endpoint"), service),
        ox.Triple(service, sd("supportedLanguage"), sd("SPARQL11Query")),
        *(ox.Triple(service, sd("resultFormat"), ox.NamedNode(_FORMATS + name)) for name in _NAMES),
        ox.Triple(service, sd("defaultEntailmentRegime"), ox.NamedNode(_ENTAILMENT + "Simple")),
        ox.Triple(service, sd("defaultDataset"), dataset),
        ox.Triple(service, sd("availableGraphs"), dataset),
        ox.Triple(dataset, kind, sd("Dataset")),
        ox.Triple(dataset, kind, sd("GraphCollection")),
        ox.Triple(dataset, sd("defaultGraph"), graph),
        ox.Triple(graph, kind, sd("Graph")),
        *_size(graph, next(counts)),
    ]
    if ox.NamedNode(GRAPH_INFERRED) in graphs:
        triples.append(ox.Triple(graph, ox.NamedNode(RDFS + "comment"), ox.Literal(_MATERIALISED, language="en")))
    for number, name in enumerate(graphs):
        named, content = ox.BlankNode(f"named{number}"), ox.BlankNode(f"graph{number}")
        triples += [
            ox.Triple(dataset, sd("namedGraph"), named),
            ox.Triple(named, kind, sd("NamedGraph")),
            ox.Triple(named, sd("name"), name),
            ox.Triple(named, sd("graph"), content),
            ox.Triple(content, kind, sd("Graph")),
            *_size(content, next(counts)),
        ]
    return triples


def _sd(name: str) -> ox.NamedNode:
    return ox.NamedNode(SD + name)


def _size(graph: ox.BlankNode, count: int | None) -> list[ox.Triple]:
    if count is None:
        return []
    return [ox.Triple(graph, ox.NamedNode(_VOID + "triples"), ox.Literal(count))]


def _counts(store: ox.Store, graphs: list[ox.DefaultGraph | ox.NamedNode]) -> Iterator[int | None]:
    """Triples of one graph after the other; ``None`` once there are too many to count."""
    left = _COUNTED
    for graph in graphs:
        count: int | None = 0
        for count, _ in enumerate(store.quads_for_pattern(None, None, None, graph), 1):
            if count > left:
                count = None
                break
        left = 0 if count is None else left - count
        yield count
