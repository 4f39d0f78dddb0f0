"""The graph in tables and numbers: a pandas frame of its edges, and how much of what there is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kgfuse.graph import labels as names
from kgfuse.graph.arcs import TYPE
from kgfuse.graph.decoded import confidences_of, number_of, sources_of, statuses_of, texts_of

if TYPE_CHECKING:
    import pandas
    import polars as pl

    from kgfuse.graph.columns import Columns


def to_pandas(columns: Columns, rows: pl.DataFrame) -> pandas.DataFrame:
    """Edges as a frame: subject, predicate, object (literals in N-Triples form), confidence, status, sources."""
    import pandas

    parts = {name: texts_of(columns, rows[column]) for name, column in zip(_ENDS, "spo", strict=True)}
    return pandas.DataFrame(
        {
            **parts,
            "confidence": confidences_of(rows),
            "status": statuses_of(rows),
            "sources": pandas.Series(sources_of(columns, rows), dtype=object),
        }
    )


_ENDS = ("subject", "predicate", "object")


@dataclass(frozen=True, slots=True)
class Degrees:
    """How many edges to other nodes a node has, in either direction, over all nodes.

    Args:
        mean: of all.
        median: of all.
        most: the highest.
        hubs: the ten nodes with most, by IRI.
    """

    mean: float
    median: float
    most: int
    hubs: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Statistics:
    """How much of what the graph holds.

    Args:
        triples: that hold, each once.
        status: asserted, ontology, inferred → triples; one that several say counts for each of them.
        nodes: IRIs, blank nodes and triple terms that are subject or object.
        literals: different ones.
        relations: properties in use.
        properties: property IRI → triples, most first.
        classes: class IRI → members, most first.
        labelled: nodes that have a label.
        degree: of the nodes.
    """

    triples: int
    status: Mapping[str, int]
    nodes: int
    literals: int
    relations: int
    properties: Mapping[str, int]
    classes: Mapping[str, int]
    labelled: int
    degree: Degrees


def statistics(columns: Columns) -> Statistics:
    """Count what holds."""
    import numpy as np
    import polars as pl

    rows = columns.edges
    links = rows.filter(pl.col("o") >= columns.literals)
    ends = np.concatenate([links["s"].to_numpy(), links["o"].to_numpy()])
    degree = np.bincount(ends, minlength=len(columns.terms))
    used = np.zeros(len(columns.terms), np.bool_)
    used[ends] = True
    used[rows["s"].to_numpy()] = True
    nodes = np.flatnonzero(used)
    of_nodes = degree[nodes]
    top = nodes[np.lexsort((nodes, -of_nodes))][:10]
    hubs = zip(texts_of(columns, top), degree[top].tolist(), strict=True)
    members = rows.filter(pl.col("p") == number_of(columns, f"<{TYPE}>"))
    status = rows["status"].to_numpy()
    bits = {"asserted": 1, "ontology": 2, "inferred": 4}
    return Statistics(
        triples=len(rows),
        status={name: int((status & bit).astype(np.bool_).sum()) for name, bit in bits.items()},
        nodes=len(nodes),
        literals=int(rows.filter(pl.col("o") < columns.literals)["o"].n_unique()),
        relations=int(rows["p"].n_unique()),
        properties=_counted(columns, rows["p"]),
        classes=_counted(columns, members["o"]),
        labelled=sum(n < len(used) and bool(used[n]) for n in names.labels(columns)),
        degree=Degrees(
            mean=float(of_nodes.mean()) if len(nodes) else 0.0,
            median=float(np.median(of_nodes)) if len(nodes) else 0.0,
            most=int(of_nodes.max(initial=0)),
            hubs=dict(hubs),
        ),
    )


def _counted(columns: Columns, numbers: pl.Series) -> dict[str, int]:
    import polars as pl

    counts = numbers.rename("n").to_frame().group_by("n").len().sort(-pl.col("len").cast(pl.Int64), "n")
    return dict(zip(texts_of(columns, counts["n"]), counts["len"].to_list(), strict=True))
