"""Small graphs for the tests, written as Turtle."""

from __future__ import annotations

import pyoxigraph as ox

PREFIXES = {
    "": "http://example.org/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "sh": "http://www.w3.org/ns/shacl#",
    "kgf": "https://w3id.org/kgfuse#",
}
_HEAD = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in PREFIXES.items())


def triples(text: str) -> list[ox.Triple]:
    return [quad.triple for quad in ox.parse(_HEAD + text, format=ox.RdfFormat.TURTLE)]


def graph_of(**graphs: str) -> ox.Store:
    """A store as kgfuse keeps it: each text in a named graph, all that holds in the default graph too."""
    store = ox.Store()
    for name, text in graphs.items():
        graph = ox.NamedNode(PREFIXES["kgf" if name in ("predicted", "provenance") else ""] + name)
        for triple in triples(text):
            store.add(ox.Quad(*triple, graph))
            if name not in ("predicted", "provenance"):
                store.add(ox.Quad(*triple))
    return store


def iri(name: str) -> ox.NamedNode:
    return ox.NamedNode(PREFIXES[""] + name)
