"""The graph as a NetworkX multi-digraph, and what NetworkX computes as triples again."""

from __future__ import annotations

import gc
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Final

import pyoxigraph as ox

from kgfuse.errors import UsageError
from kgfuse.graph import labels as names
from kgfuse.graph.arrays import confidences, holding
from kgfuse.graph.nodes import named, node, plain
from kgfuse.graph.python_values import python_value
from kgfuse.graph.store import GraphStore, holds
from kgfuse.terms.mentions import Value
from kgfuse.terms.namespaces import XSD

if TYPE_CHECKING:
    import networkx
    import polars as pl

    from kgfuse.graph.columns import Columns

_IRI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s<>\"{}|\\^`]+")


def to_networkx(
    store: GraphStore, short: Callable[[str], str], *, literals: bool = False, graphs: Iterable[str] | None = None
) -> networkx.MultiDiGraph:
    """A multi-digraph of what holds, or of some named graphs; see ``KnowledgeGraph.to_networkx``."""
    chosen = None if graphs is None else sorted(set(graphs))
    columns = store.columns
    if chosen is None:
        return of_rows(columns, columns.edges, short, literals=literals)
    if set(chosen) <= set(columns.graphs):
        from kgfuse.graph.columns import union

        return of_rows(columns, union({g: columns.graphs[g] for g in chosen}), short, literals=literals)
    return of_triples(store, short, literals=literals, graphs=chosen)


@contextmanager
def _without_collection() -> Iterator[None]:
    """Stop the garbage collector: it takes as long as all the rest, and what is being made is all still needed."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@_without_collection()
def of_rows(
    columns: Columns, rows: pl.DataFrame, short: Callable[[str], str], *, literals: bool = False
) -> networkx.MultiDiGraph:
    """A multi-digraph of edges of the columns, without a look into the store."""
    import networkx
    import numpy as np
    import polars as pl

    from kgfuse.graph.decoded import bare, confidences_of, python_values, sources_of, texts_of

    known = names.labels(columns)
    valued = np.unique(rows.filter(pl.col("o") < columns.literals)["o"].to_numpy())
    value = dict(zip(valued.tolist(), python_values(columns.terms.gather(valued)), strict=True))
    graph = networkx.MultiDiGraph()

    # nodes come in the order in which the edges mention them
    ends = np.stack([rows["s"].to_numpy(), rows["o"].to_numpy()], axis=1).ravel()
    ends = ends if literals else ends[ends >= columns.literals]
    distinct, first = np.unique(ends, return_index=True)
    numbers = distinct[np.argsort(first)]
    texts = bare(columns.terms.gather(numbers)).to_list()
    text = dict(zip(numbers.tolist(), texts, strict=True))
    data: dict[int, dict[str, Any]] = {
        n: {"label": str(value[n]) if n in value else known.get(n) or names.fallback(iri), "values": {}}
        for n, iri in text.items()
    }
    graph.add_nodes_from((iri, data[n]) for n, iri in text.items())
    predicates = np.unique(rows["p"].to_numpy()).tolist()
    predicate = dict(zip(predicates, texts_of(columns, predicates), strict=True))
    said = {n: known.get(n) or names.fallback(iri) for n, iri in predicate.items()}

    edges = rows
    if not literals:
        edges = rows.filter(pl.col("o") >= columns.literals)
        shorter = {n: short(iri) for n, iri in predicate.items()}
        for s, p, o in _triples(rows.filter(pl.col("o") < columns.literals)):
            data[s]["values"].setdefault(shorter[p], []).append(value[o])
    # what `add_edge` does, without its look-ups: each triple comes once
    succ, pred = graph._succ, graph._pred
    for (s, p, o), c, by in zip(_triples(edges), confidences_of(edges), sources_of(columns, edges), strict=True):
        subject, iri, obj = text[s], predicate[p], text[o]
        edge = {"predicate": iri, "label": said[p], "confidence": c, "sources": by}
        parallel = succ[subject].get(obj)
        if parallel is None:
            succ[subject][obj] = pred[obj][subject] = {iri: edge}
        else:
            parallel[iri] = edge
    return graph


def of_triples(
    store: GraphStore, short: Callable[[str], str], *, literals: bool = False, graphs: Iterable[str] | None = None
) -> networkx.MultiDiGraph:
    """The same, triple by triple from the store: for graphs that the columns do not have, such as kgf:predicted."""
    import networkx

    graph = networkx.MultiDiGraph()
    known = dict(_labels(store))
    weight = confidences(store, predicted=graphs is not None)
    sources = _sources(store)

    def add(iri: str) -> None:
        if iri not in graph:
            graph.add_node(iri, label=known.get(iri) or names.fallback(iri), values={})

    for triple in sorted(holding(store, graphs), key=str):
        s, p, o = str(plain(triple.subject)), triple.predicate.value, plain(triple.object)
        add(s)
        if isinstance(o, Value) and not literals:
            graph.nodes[s]["values"].setdefault(short(p), []).append(python_value(triple.object))
            continue
        if isinstance(o, Value):
            o = str(triple.object)
            graph.add_node(o, label=str(python_value(triple.object)), values={})
        else:
            add(o)
        graph.add_edge(
            s,
            o,
            key=p,
            predicate=p,
            label=known.get(p) or names.fallback(p),
            confidence=weight.get(triple, 1.0),
            sources=tuple(sources.get(triple, ())),
        )
    return graph


def _triples(rows: pl.DataFrame) -> Iterable[tuple[int, int, int]]:
    return zip(*(rows[name].to_list() for name in ("s", "p", "o")), strict=True)


def triples_of(results: Mapping[str, Any], property: str) -> list[ox.Triple]:
    """What an algorithm found out about nodes, as triples to be added to the graph.

    Args:
        results: IRI of a node → a number, truth value, date, text, IRI or ``Value``, or a list, tuple or set of them.
            A text that reads as an IRI is one; wrap it in ``Value`` to keep it a text.
        property: IRI of the property.

    Returns:
        Triples in the order of their N-Triples form: floats are ``xsd:double``, integers ``xsd:integer``. Blank nodes
        are left out: outside their own source nobody can speak of them.

    Raises:
        UsageError: a value of another type, or a name that is not an IRI.

    >>> str(triples_of({"urn:a": 0.5}, "urn:rank")[0].object)
    '"0.5"^^<http://www.w3.org/2001/XMLSchema#double>'
    """
    predicate = named(property)
    found = set()
    for iri, result in results.items():
        if iri.startswith("_:"):
            continue
        several = isinstance(result, Collection) and not isinstance(result, str | Value | Mapping)
        for value in result if several else (result,):
            found.add(ox.Triple(named(iri), predicate, _term(value, iri)))
    return sorted(found, key=str)


def _term(value: object, where: str) -> ox.NamedNode | ox.Literal:
    if isinstance(value, Value):
        return node(value)
    if isinstance(value, str):
        return named(value) if _IRI.fullmatch(value) else node(Value(value))
    if isinstance(value, bool) or type(value).__name__ == "bool":  # NumPy's, without loading NumPy
        return node(Value("true" if value else "false", XSD + "boolean"))
    if isinstance(value, Integral):
        return node(Value(str(int(value)), XSD + "integer"))
    if isinstance(value, Real):
        number = float(value)
        text = {"inf": "INF", "-inf": "-INF", "nan": "NaN"}.get(repr(number), repr(number))
        return node(Value(text, XSD + "double"))
    if isinstance(value, datetime):
        return node(Value(value.isoformat(), XSD + "dateTime"))
    if isinstance(value, date):
        return node(Value(value.isoformat(), XSD + "date"))
    raise UsageError(
        f"{value!r} is no value for a statement", where=where, remedy="give a number, text, date, IRI or Value"
    )


def _labels(store: GraphStore) -> Iterable[tuple[str, str]]:
    for subject in {q.subject for p in names.LABELS for q in store.quads(None, p)}:
        if isinstance(subject, ox.NamedNode):
            yield subject.value, names.label(store, subject.value)


def _sources(store: GraphStore) -> dict[ox.Triple, list[str]]:
    found: dict[ox.Triple, list[str]] = defaultdict(list)
    for graph in filter(holds, store.graphs()):
        for quad in store.quads(graph=graph):
            found[quad.triple].append(graph)
    return found
