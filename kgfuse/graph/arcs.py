"""Which thing leads to which, from the columns: what paths and subgraphs walk on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kgfuse.terms.namespaces import OWL, RDF, RDFS

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    from kgfuse.graph.columns import Columns

TYPE: Final = RDF + "type"


def walkable(
    columns: Columns, properties: Collection[str] | None, min_confidence: float, *, through_types: bool
) -> pl.DataFrame:
    """Edges between two IRIs that say something of things: no axioms, ``rdf:type`` only when asked.

    Args:
        columns: all that holds.
        properties: only edges of these.
        min_confidence: only edges of so much confidence.
        through_types: keep ``rdf:type``, which puts all members of a class two hops apart.
    """
    import polars as pl

    from kgfuse.graph.columns import ASSERTED, IN_ONTOLOGY
    from kgfuse.graph.decoded import bare

    rows = columns.edges
    used = rows["p"].unique().sort()
    iris = bare(columns.terms.gather(used))
    kept = ~(iris.str.starts_with(RDFS) | iris.str.starts_with(OWL))
    if not through_types:
        kept &= iris != TYPE
    if properties is not None:
        kept &= iris.is_in(list(properties))
    first, end = things(columns)
    said = pl.col("status") & (ASSERTED | IN_ONTOLOGY)
    return rows.filter(
        pl.col("p").is_in(used.filter(kept).implode())
        & pl.col("s").is_between(first, end, closed="left")
        & pl.col("o").is_between(first, end, closed="left")
        & (said != IN_ONTOLOGY)
        & (pl.col("c") >= min_confidence - 1e-6)
    )


def things(columns: Columns) -> tuple[int, int]:
    """The IRIs are numbered from the first of these to below the second."""
    terms = columns.terms
    if not len(terms):
        return 0, 0
    quoted = int(terms.str.starts_with("<<").sum())
    blank = int(terms.str.starts_with("_:").sum())
    return columns.literals + quoted, len(terms) - blank


@dataclass(frozen=True)
class Arcs:
    """Edges in both directions, of several between two nodes the surest: then said rather than inferred, then forward.

    Args:
        start: uint32 (A,): from where, sorted.
        end: uint32 (A,): to where, sorted for each start.
        predicate: uint32 (A,).
        forward: bool (A,): the start is the subject.
        confidence: float32 (A,).
    """

    start: npt.NDArray[np.uint32]
    end: npt.NDArray[np.uint32]
    predicate: npt.NDArray[np.uint32]
    forward: npt.NDArray[np.bool_]
    confidence: npt.NDArray[np.float32]

    @classmethod
    def of(cls, rows: pl.DataFrame) -> Arcs:
        """Arcs of such edges; loops lead nowhere."""
        import polars as pl

        from kgfuse.graph.columns import INFERRED

        rows = rows.filter(pl.col("s") != pl.col("o")).with_columns((pl.col("status") == INFERRED).alias("inferred"))
        there = rows.select(a="s", b="o", p="p", c="c", inferred="inferred", back=pl.lit(value=False, dtype=pl.Boolean))
        again = rows.select(a="o", b="s", p="p", c="c", inferred="inferred", back=pl.lit(value=True, dtype=pl.Boolean))
        order = [pl.col("a"), pl.col("b"), -pl.col("c"), pl.col("inferred"), pl.col("back"), pl.col("p")]
        arcs = pl.concat([there, again]).sort(order).unique(["a", "b"], keep="first", maintain_order=True)
        return cls(
            arcs["a"].to_numpy(),
            arcs["b"].to_numpy(),
            arcs["p"].to_numpy(),
            ~arcs["back"].to_numpy(),
            arcs["c"].to_numpy(),
        )

    def of_node(self, node: int) -> slice:
        """Which arcs start at a node."""
        import numpy as np

        first, end = np.searchsorted(self.start, np.array([node, node + 1], self.start.dtype))
        return slice(int(first), int(end))
