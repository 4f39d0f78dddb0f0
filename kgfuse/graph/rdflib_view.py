"""The store as rdflib sees it: for reading in place, or a copy that a program may change."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

from oxrdflib import OxigraphStore
from rdflib import Dataset, Graph

from kgfuse.errors import UsageError
from kgfuse.graph.store import GraphStore


class ReadingStore(OxigraphStore):
    """Refuses to be written to: the default graph must stay what the named graphs say."""

    def add(self, *_: Any, **__: Any) -> NoReturn:
        """Refused."""
        _refuse()

    def addN(self, *_: Any, **__: Any) -> NoReturn:  # noqa: N802
        """Refused."""
        _refuse()

    def remove(self, *_: Any, **__: Any) -> NoReturn:
        """Refused."""
        _refuse()

    def remove_graph(self, *_: Any, **__: Any) -> NoReturn:
        """Refused."""
        _refuse()

    def update(self, *_: Any, **__: Any) -> NoReturn:
        """Refused."""
        _refuse()

    def add_graph(self, graph: Graph) -> None:
        """Nothing: a dataset announces its default graph, and an empty one says nothing."""


def _refuse() -> NoReturn:
    raise UsageError(
        "the graph is for reading only in rdflib",
        remedy="change a copy, to_rdflib(), and add what it finds as a source",
    )


def dataset(store: GraphStore) -> Dataset:
    """The same store as an rdflib dataset, for reading: its default graph is what holds."""
    found = Dataset(store=ReadingStore(store=store.raw))
    _bind(found, store)
    return found


def copied(store: GraphStore, graphs: Iterable[str] | None = None) -> Graph:
    """What holds, or what some named graphs say, as an rdflib graph in memory that anything may be done with."""
    found = Graph()
    _bind(found, store)
    source = dataset(store)
    for part in [source.default_graph] if graphs is None else [source.graph(iri) for iri in sorted(set(graphs))]:
        for triple in part:
            found.add(triple)
    return found


def _bind(graph: Graph, store: GraphStore) -> None:
    for prefix, namespace in store.prefixes.items():
        graph.bind(prefix, namespace, replace=True)
