"""The graph as integer arrays: what encoders, PyG and statistics read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import pyoxigraph as ox

from kgfuse.graph.nodes import Term, parsed, text
from kgfuse.graph.store import GraphStore
from kgfuse.terms.mentions import Value
from kgfuse.terms.namespaces import GRAPH_PREDICTED

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

Exclude: TypeAlias = Callable[[ox.Triple], bool] | Collection[ox.Triple] | None

_CONFIDENCES = """
SELECT ?s ?p ?o ?g ?c { GRAPH kgf:provenance {
  ?st rdf:subject ?s ; rdf:predicate ?p ; rdf:object ?o ; kgf:inGraph ?g ; kgf:confidence ?c } }
"""


@dataclass(frozen=True)
class GraphView:
    """Nodes, relations and edges by number, in an order that depends on the triples alone.

    Args:
        nodes: IRIs (``_:…`` for blank nodes), and literals in N-Triples form; in the order of their N-Triples form.
        relations: property IRIs, in that order too.
        edges: int64 (E, 3): subject, relation, object; sorted.
        confidence: float32 (E,): the highest of its statements; 1 where it was not extracted.
    """

    nodes: tuple[str, ...]
    relations: tuple[str, ...]
    edges: npt.NDArray[np.int64]
    confidence: npt.NDArray[np.float32]

    @cached_property
    def literals(self) -> Mapping[int, Value]:
        """Node number → its literal."""
        found = ((i, parsed(node)) for i, node in enumerate(self.nodes) if node.startswith('"'))
        return {i: term for i, term in found if isinstance(term, Value)}

    @cached_property
    def node_index(self) -> dict[str, int]:
        """Node → number."""
        return {node: i for i, node in enumerate(self.nodes)}

    @cached_property
    def relation_index(self) -> dict[str, int]:
        """Relation → number."""
        return {relation: i for i, relation in enumerate(self.relations)}


def arrays(store: GraphStore, exclude: Exclude = None, *, graphs: Iterable[str] | None = None) -> GraphView:
    """The default graph, or the union of some named graphs, without what is excluded.

    Args:
        store: where.
        exclude: triples to leave out, or a predicate that says so (labels of test items and what follows from them).
        graphs: IRIs of named graphs; the default graph where not given.
    """
    from kgfuse.graph.columns import union

    chosen = None if graphs is None else set(graphs)
    columns = store.columns
    if exclude is None and (chosen is None or chosen <= set(columns.graphs)):
        edges = columns.edges if chosen is None else union({g: columns.graphs[g] for g in sorted(chosen)})
        return _ranked(columns.terms, edges)
    return triple_arrays(holding(store, graphs), exclude, confidences(store))


def _ranked(terms: pl.Series, rows: pl.DataFrame) -> GraphView:
    """Rows of numbered terms with nodes and relations numbered apart, each in the order of its N-Triples form."""
    import numpy as np

    from kgfuse.graph.decoded import bare

    s, p, o = (rows[name].to_numpy() for name in ("s", "p", "o"))
    nodes, relations = _used(len(terms), s, o), _used(len(terms), p)
    at, number = np.zeros((2, len(terms)), np.int64)
    at[nodes] = np.arange(len(nodes))
    number[relations] = np.arange(len(relations))
    edges = np.stack([at[s], number[p], at[o]], axis=1)
    return GraphView(
        nodes=tuple(bare(terms.gather(nodes)).to_list()),
        relations=tuple(text[1:-1] for text in terms.gather(relations).to_list()),
        edges=edges,
        confidence=rows["c"].to_numpy().astype(np.float32),
    )


def _used(count: int, *columns: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
    import numpy as np

    used = np.zeros(count, np.bool_)
    for column in columns:
        used[column] = True
    return np.flatnonzero(used)


def holding(store: GraphStore, graphs: Iterable[str] | None = None) -> Iterator[ox.Triple]:
    """Triples of the default graph, or of the union of some named graphs, each once."""
    if graphs is None:
        return (quad.triple for quad in store.quads())
    return iter({quad.triple for graph in graphs for quad in store.quads(graph=graph)})


def confidences(store: GraphStore, *, predicted: bool = False) -> dict[ox.Triple, float]:
    """Highest confidence of every extracted triple; predicted ones count only when asked for."""
    found: dict[ox.Triple, float] = {}
    for s, p, o, graph, confidence in store.query(_CONFIDENCES).rows:
        if predicted or text_of(graph) != GRAPH_PREDICTED:
            triple = ox.Triple(s, p, o)  # type: ignore[arg-type]
            found[triple] = max(found.get(triple, 0.0), float(text_of(confidence)))
    return found


def triple_arrays(
    triples: Iterable[ox.Triple], exclude: Exclude = None, confidence: Mapping[ox.Triple, float] | None = None
) -> GraphView:
    """Number the nodes and relations of these triples."""
    import numpy as np

    kept = [triple for triple in triples if not _excluded(triple, exclude)]
    names: dict[Term, str] = {}
    relations: dict[ox.NamedNode, str] = {}
    for triple in kept:
        for term in (triple.subject, triple.object):
            if term not in names:
                names[term] = term.value if isinstance(term, ox.NamedNode) else str(term)
        relations.setdefault(triple.predicate, triple.predicate.value)
    terms = sorted(names, key=str)
    number = {term: i for i, term in enumerate(terms)}
    properties = sorted(relations, key=str)
    property_number = {p: i for i, p in enumerate(properties)}
    edges = np.array(
        [(number[t.subject], property_number[t.predicate], number[t.object]) for t in kept], dtype=np.int64
    ).reshape(-1, 3)
    known = confidence or {}
    weight = np.array([known.get(t, 1.0) for t in kept], dtype=np.float32)
    order = np.lexsort(edges.T[::-1])
    return GraphView(
        nodes=tuple(names[term] for term in terms),
        relations=tuple(relations[p] for p in properties),
        edges=edges[order],
        confidence=weight[order],
    )


def text_of(term: Term | None) -> str:
    """The text of a bound term; empty where unbound."""
    return "" if term is None else text(term)


def _excluded(triple: ox.Triple, exclude: Exclude) -> bool:
    if exclude is None:
        return False
    return exclude(triple) if callable(exclude) else triple in exclude
