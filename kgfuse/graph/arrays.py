"""The graph as integer arrays: what encoders, PyG and statistics read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import pyoxigraph as ox

from kgfuse.graph.nodes import Term, plain, text
from kgfuse.graph.store import GraphStore
from kgfuse.terms.mentions import Value
from kgfuse.terms.namespaces import GRAPH_PREDICTED

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Exclude: TypeAlias = Callable[[ox.Triple], bool] | Collection[ox.Triple] | None

_CONFIDENCES = """
SELECT ?s ?p ?o ?g ?c { GRAPH kgf:provenance {
  ?st rdf:subject ?s ; rdf:predicate ?p ; rdf:object ?o ; kgf:inGraph ?g ; kgf:confidence ?c } }
"""


@dataclass(frozen=True)
class GraphView:
    """Nodes, relations and edges by number, in an order that depends on the triples alone.

    Args:
        nodes: IRIs, and literals in N-Triples form, sorted.
        relations: property IRIs, sorted.
        edges: int64 (E, 3): subject, relation, object; sorted.
        confidence: float32 (E,): the highest of its statements; 1 where it was not extracted.
        literals: node number → its literal.
    """

    nodes: tuple[str, ...]
    relations: tuple[str, ...]
    edges: npt.NDArray[np.int64]
    confidence: npt.NDArray[np.float32]
    literals: Mapping[int, Value]

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
    return triple_arrays(holding(store, graphs), exclude, confidences(store))


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
    terms = sorted(names, key=names.__getitem__)
    number = {term: i for i, term in enumerate(terms)}
    properties = sorted(relations, key=relations.__getitem__)
    property_number = {p: i for i, p in enumerate(properties)}
    edges = np.array(
        [(number[t.subject], property_number[t.predicate], number[t.object]) for t in kept], dtype=np.int64
    ).reshape(-1, 3)
    known = confidence or {}
    weight = np.array([known.get(t, 1.0) for t in kept], dtype=np.float32)
    order = np.lexsort(edges.T[::-1])
    literals = {i: value for i, term in enumerate(terms) if isinstance(value := plain(term), Value)}
    return GraphView(
        nodes=tuple(names[term] for term in terms),
        relations=tuple(relations[p] for p in properties),
        edges=edges[order],
        confidence=weight[order],
        literals=literals,
    )


def text_of(term: Term | None) -> str:
    """The text of a bound term; empty where unbound."""
    return "" if term is None else text(term)


def _excluded(triple: ox.Triple, exclude: Exclude) -> bool:
    if exclude is None:
        return False
    return exclude(triple) if callable(exclude) else triple in exclude
