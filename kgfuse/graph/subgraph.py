"""What lies around some things: a small graph of its own, with labels, values and who says so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyoxigraph as ox

from kgfuse.graph import labels as names
from kgfuse.graph import networkx_view, tables
from kgfuse.graph.arcs import TYPE, walkable
from kgfuse.graph.decoded import confidences_of, literal_values, number_of, sources_of, statuses_of, texts_of
from kgfuse.graph.nodes import shrink
from kgfuse.terms.mentions import Value

if TYPE_CHECKING:
    import networkx
    import numpy as np
    import numpy.typing as npt
    import pandas
    import polars as pl

    from kgfuse.graph.columns import Columns


@dataclass(frozen=True, slots=True)
class SubgraphNode:
    """A thing in a subgraph.

    Args:
        iri: of it.
        label: for people.
        types: IRIs of its classes.
        values: property IRI → literals.
        hops: how far it is from the things that were asked about.
    """

    iri: str
    label: str
    types: tuple[str, ...]
    values: Mapping[str, tuple[Value, ...]]
    hops: int


@dataclass(frozen=True, slots=True)
class SubgraphEdge:
    """A triple between two things.

    Args:
        subject: IRI.
        predicate: IRI.
        object: IRI.
        label: of the property.
        confidence: the highest of those who say it.
        status: asserted, ontology or inferred.
        sources: IRIs of the graphs that say it.
    """

    subject: str
    predicate: str
    object: str
    label: str
    confidence: float
    status: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Subgraph:
    """What lies around some things.

    Args:
        nodes: nearest first, then in the order of their IRIs.
        edges: between them, in the order of their triples.
        truncated: there is more than the limit let in.
    """

    nodes: tuple[SubgraphNode, ...]
    edges: tuple[SubgraphEdge, ...]
    truncated: bool
    _columns: Columns = field(repr=False, compare=False)
    _rows: pl.DataFrame = field(repr=False, compare=False)
    _prefixes: Mapping[str, str] = field(repr=False, compare=False)

    def to_networkx(self) -> networkx.MultiDiGraph:
        """A multi-digraph as ``KnowledgeGraph.to_networkx`` makes it; classes are nodes of it too."""
        graph = networkx_view.of_rows(self._columns, self._rows, self._short)
        for node in self.nodes:  # one that nothing is said of
            if node.iri not in graph:
                graph.add_node(node.iri, label=node.label, values={})
        return graph

    def to_pandas(self) -> pandas.DataFrame:
        """Its triples, types and values too, as ``KnowledgeGraph.to_pandas`` makes them."""
        return tables.to_pandas(self._columns, self._rows)

    def to_turtle(self) -> str:
        """Its triples, types and values too, in Turtle."""
        texts = ({name: self._columns.texts(self._rows[name].to_numpy()) for name in "spo"}) if len(self._rows) else {}
        lines = "".join(f"{s} {p} {o} .\n" for s, p, o in zip(*texts.values(), strict=True))
        triples = ox.parse(lines.encode(), ox.RdfFormat.N_TRIPLES, lenient=True)
        used = {k: v for k, v in self._prefixes.items() if f"<{v}" in lines}
        return (ox.serialize((t.triple for t in triples), format=ox.RdfFormat.TURTLE, prefixes=used) or b"").decode()

    def _short(self, iri: str) -> str:
        return shrink(iri, self._prefixes)


def subgraph(
    columns: Columns,
    iris: Iterable[str],
    prefixes: Mapping[str, str],
    hops: int = 1,
    *,
    properties: Collection[str] | None = None,
    min_confidence: float = 0.0,
    limit: int = 1000,
) -> Subgraph:
    """Everything that is so many edges away, and all edges between; see ``KnowledgeGraph.subgraph``."""
    import numpy as np
    import polars as pl

    known = sorted({n for n in (number_of(columns, f"<{iri}>") for iri in iris) if n >= 0})
    rows = walkable(columns, properties, min_confidence, through_types=False)
    far = _distances(rows, np.array(known, np.int64), len(columns.terms), hops)
    inside = pl.Series(far >= 0)
    rows = rows.filter(inside.gather(rows["s"]) & inside.gather(rows["o"]))
    # nearest edges first, then the surest: what the limit leaves hangs together
    away = np.stack([far[rows["s"].to_numpy()], far[rows["o"].to_numpy()]])
    order = np.lexsort((np.arange(len(rows)), -rows["c"].to_numpy(), away.min(axis=0), away.max(axis=0)))
    truncated = len(order) > limit
    rows = rows[np.sort(order[:limit])] if truncated else rows
    found = np.unique(np.concatenate([np.array(known, np.int64), rows["s"].to_numpy(), rows["o"].to_numpy()]))
    found = found[np.lexsort((found, far[found]))]
    about = columns.edges.filter(
        pl.col("s").is_in(pl.Series(found.astype(np.uint32)).implode())
        & ((pl.col("o") < columns.literals) | (pl.col("p") == number_of(columns, f"<{TYPE}>")))
        & (pl.col("c") >= min_confidence - 1e-6)
    )
    label = _labeller(columns)
    return Subgraph(
        nodes=_nodes(columns, found, far, about, label),
        edges=_edges(columns, rows, label),
        truncated=truncated,
        _columns=columns,
        _rows=pl.concat([rows, about]).unique(maintain_order=True).sort("s", "p", "o"),
        _prefixes=dict(prefixes),
    )


def _distances(rows: pl.DataFrame, start: npt.NDArray[np.int64], count: int, hops: int) -> npt.NDArray[np.int64]:
    """How far every node is from the nearest of these; -1 beyond so many hops."""
    import numpy as np

    s, o = rows["s"].to_numpy(), rows["o"].to_numpy()
    far = np.full(count, -1, np.int64)
    far[start] = 0
    for hop in range(1, hops + 1):
        reached = np.concatenate([o[far[s] == hop - 1], s[far[o] == hop - 1]])
        fresh = np.unique(reached[far[reached] < 0])
        if not len(fresh):
            break
        far[fresh] = hop
    return far


def _labeller(columns: Columns) -> Callable[[int, str], str]:
    known = names.labels(columns)
    return lambda number, iri: known.get(number) or names.fallback(iri)


def _nodes(
    columns: Columns,
    found: npt.NDArray[np.int64],
    far: npt.NDArray[np.int64],
    about: pl.DataFrame,
    label: Callable[[int, str], str],
) -> tuple[SubgraphNode, ...]:
    import polars as pl

    types: dict[int, list[str]] = defaultdict(list)
    values: dict[int, dict[str, list[Value]]] = defaultdict(lambda: defaultdict(list))
    valued = about.filter(pl.col("o") < columns.literals)
    terms = zip(texts_of(columns, valued["p"]), literal_values(columns.terms.gather(valued["o"])), strict=True)
    for s, (p, value) in zip(valued["s"].to_list(), terms, strict=True):
        values[s][p].append(value)
    typed = about.filter(pl.col("o") >= columns.literals)
    for s, type_ in zip(typed["s"].to_list(), texts_of(columns, typed["o"]), strict=True):
        types[s].append(type_)
    return tuple(
        SubgraphNode(
            iri=iri,
            label=label(n, iri),
            types=tuple(types.get(n, ())),
            values={p: tuple(v) for p, v in values.get(n, {}).items()},
            hops=int(far[n]),
        )
        for n, iri in zip(found.tolist(), texts_of(columns, found), strict=True)
    )


def _edges(columns: Columns, rows: pl.DataFrame, label: Callable[[int, str], str]) -> tuple[SubgraphEdge, ...]:
    ends = (texts_of(columns, rows[name]) for name in "spo")
    more = (confidences_of(rows), statuses_of(rows), sources_of(columns, rows))
    return tuple(
        SubgraphEdge(s, p, o, label(n, p), c, status, by)
        for n, s, p, o, c, status, by in zip(rows["p"].to_list(), *ends, *more, strict=True)
    )
