"""The named graphs as sorted integers beside the store: what reasoning, PyG, NetworkX and statistics read.

Decoding terms is what costs in a triple store, so the numbers are kept: every term of the graphs that hold has a
number, which is its rank in N-Triples form. The content decides the numbers, never the order in which it came.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from kgfuse.graph.literals import stored_forms
from kgfuse.terms.namespaces import GRAPH_INFERRED, ONTOLOGY

if TYPE_CHECKING:
    pass

SPO: Final = ["s", "p", "o"]
ROWS: Final = {"s": pl.UInt32, "p": pl.UInt32, "o": pl.UInt32, "c": pl.Float32}
ASSERTED, IN_ONTOLOGY, INFERRED = 1, 2, 4
"""Who says an edge, as bits."""
_SHARED: Final = 2048  # from so many terms on a join beats looking each up
_NUMBERED: Final = {"term": pl.String, "n": pl.UInt32}


@dataclass(frozen=True)
class Columns:
    """A whole state of the graphs that hold.

    Args:
        terms: every term in N-Triples form, sorted: literals first, then triple terms, IRIs and blank nodes.
        graphs: named graph → its triples as numbers of terms, with the confidence ``c`` of each (1 where nothing
            less was said); sorted by subject, predicate and object.
    """

    terms: pl.Series
    graphs: Mapping[str, pl.DataFrame]

    @classmethod
    def empty(cls) -> Columns:
        """No graph at all."""
        return cls(pl.Series("term", [], pl.String), {})

    @cached_property
    def edges(self) -> pl.DataFrame:
        """What holds, each triple once, sorted: highest confidence ``c``, and who says so as bits in ``status``."""
        return union(self.graphs)

    @cached_property
    def literals(self) -> int:
        """How many terms are literals: those numbered below this."""
        return int((self.terms.str.slice(0, 1) == '"').sum()) if len(self.terms) else 0

    def numbers(self, terms: Iterable[str]) -> npt.NDArray[np.int64]:
        """Numbers of terms in N-Triples form; -1 for one that no graph has."""
        wanted = pl.Series("term", list(terms), pl.String)
        found = _look_up(self.terms, wanted)
        return found.fill_null(-1).to_numpy().astype(np.int64)

    def texts(self, numbers: npt.NDArray[np.integer] | Sequence[int]) -> list[str]:
        """N-Triples forms of numbered terms."""
        found: list[str] = self.terms.gather(np.asarray(numbers, np.int64)).to_list()
        return found


def union(graphs: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """All triples of some graphs, each once, sorted, with the highest confidence and who says so."""
    if not graphs:
        return pl.DataFrame(schema={**ROWS, "status": pl.UInt8})
    merged = pl.concat(list(graphs.values()))
    said = np.repeat([_status(graph) for graph in graphs], [len(rows) for rows in graphs.values()]).astype(np.uint8)
    merged = merged.with_columns(pl.Series("status", said))
    if len(graphs) > 1:
        bits = [((pl.col("status") & bit).max()).alias(f"b{bit}") for bit in (ASSERTED, IN_ONTOLOGY, INFERRED)]
        merged = merged.group_by(SPO).agg(pl.col("c").max(), *bits)
        merged = merged.select(*SPO, "c", (pl.col("b1") | pl.col("b2") | pl.col("b4")).alias("status"))
    return merged.sort(SPO)


def _status(graph: str) -> int:
    if graph == GRAPH_INFERRED:
        return INFERRED
    return IN_ONTOLOGY if graph.startswith(ONTOLOGY) else ASSERTED


def split_lines(data: bytes) -> pl.DataFrame:
    """N-Triples, one triple a line as Oxigraph writes them, as three columns of terms."""
    lines = pl.read_csv(
        io.BytesIO(data), has_header=False, separator="\x01", quote_char=None, new_columns=["l"],
        schema={"l": pl.String},
    ) if data else pl.DataFrame(schema={"l": pl.String})  # fmt: skip
    parts = pl.col("l").str.strip_suffix(" .").str.splitn(" ", 3).struct.rename_fields(SPO)
    return lines.select(parts).unnest("l")


class Draft:
    """Columns that are being changed. Numbers stay what they are until `finish` ranks all terms anew.

    Args:
        base: what is changed.
    """

    def __init__(self, base: Columns) -> None:
        self.base = base
        self._graphs: dict[str, pl.DataFrame] = dict(base.graphs)
        self._new = pl.DataFrame(schema=_NUMBERED)
        self._count = len(base.terms)

    @property
    def graphs(self) -> Mapping[str, pl.DataFrame]:
        """Named graph → rows, as they are now."""
        return self._graphs

    def rows(self, graph: str) -> pl.DataFrame:
        """Rows of a graph; none where there is no such graph."""
        found = self._graphs.get(graph)
        return pl.DataFrame(schema=ROWS) if found is None else found

    def put(self, graph: str, rows: pl.DataFrame) -> None:
        """Make these the graph's rows; none takes the graph away."""
        if len(rows):
            self._graphs[graph] = rows
        else:
            self._graphs.pop(graph, None)

    def encode(self, lines: bytes, confidence: Sequence[float] | None = None) -> pl.DataFrame:
        """Rows of N-Triples lines, each triple once; unknown terms get new numbers.

        Args:
            lines: as Oxigraph writes them.
            confidence: of each line; 1 where not given.
        """
        table = split_lines(lines)
        (rows,) = self.encode_all([(table, confidence)])
        return rows

    def encode_all(self, tables: Sequence[tuple[pl.DataFrame, Sequence[float] | None]]) -> list[pl.DataFrame]:
        """Rows of several graphs at once: many small ones cost what a large one does.

        Args:
            tables: of each graph its lines from `split_lines`, and the confidence of each line.
        """
        heights = [len(table) for table, _ in tables]
        parts = [
            table.with_columns((pl.lit(1.0) if c is None else pl.Series("c", c)).cast(pl.Float32).alias("c"))
            for table, c in tables
        ]
        table = pl.concat(parts).with_columns(pl.Series("g", np.repeat(np.arange(len(parts)), heights)))
        known = self.number_all(pl.concat([table[name] for name in SPO]))
        for name in SPO:
            table = table.join(known, left_on=name, right_on="term", how="left", maintain_order="left")
            table = table.drop(name).rename({"n": name})
        table = table.group_by("g", *SPO).agg(pl.col("c").max()).sort("g", *SPO)
        counts = np.bincount(table["g"].to_numpy(), minlength=len(parts)) if len(table) else np.zeros(len(parts), int)
        starts = np.concatenate([[0], np.cumsum(counts)]).tolist()
        rows = table.select(*ROWS)
        return [rows.slice(starts[i], n) for i, n in enumerate(counts.tolist())]

    def number_all(self, terms: pl.Series) -> pl.DataFrame:
        """Every term once with its number (columns ``term`` and ``n``); unknown ones get new numbers."""
        wanted = stored_forms(terms.unique())  # columns term and stored
        distinct = wanted["stored"].unique().rename("term")
        found = pl.DataFrame({"term": distinct, "n": _look_up(self.base.terms, distinct)}, schema=_NUMBERED)
        if len(self._new):
            later = found.filter(pl.col("n").is_null()).select("term").join(self._new, on="term", how="inner")
            found = found.update(later, on="term")
        unknown = found.filter(pl.col("n").is_null())["term"].sort()
        if len(unknown):
            numbers = pl.Series("n", range(self._count, self._count + len(unknown)), pl.UInt32)
            fresh = pl.DataFrame({"term": unknown, "n": numbers}, schema=_NUMBERED)
            self._count += len(unknown)
            self._new = pl.concat([self._new, fresh])
            found = found.update(fresh, on="term")
        return wanted.join(found, left_on="stored", right_on="term", how="left").select("term", "n")

    @property
    def terms(self) -> pl.Series:
        """N-Triples form by number."""
        return pl.concat([self.base.terms, self._new["term"]]) if len(self._new) else self.base.terms

    def decode(self, rows: pl.DataFrame) -> bytes:
        """Rows as N-Triples lines."""
        if not len(rows):
            return b""
        terms = self.terms
        texts = pl.DataFrame({name: terms.gather(rows[name]) for name in SPO})
        lines: pl.Series = texts.select(pl.concat_str([*SPO, pl.lit(".")], separator=" "))["s"]
        return ("\n".join(lines.to_list()) + "\n").encode()

    def finish(self) -> Columns:
        """The state as it is now, terms ranked, terms that no graph uses left out."""
        names = sorted(self._graphs)
        heights = [len(self._graphs[name]) for name in names]
        rows = pl.concat([pl.DataFrame(schema=ROWS), *(self._graphs[name] for name in names)])
        used = np.zeros(self._count, np.bool_)
        for name in SPO:
            used[rows[name].to_numpy()] = True
        kept = np.flatnonzero(used)
        ranked = pl.DataFrame({"term": self.terms.gather(kept), "n": kept}).sort("term")
        new = np.zeros(self._count, np.uint32)
        new[ranked["n"].to_numpy()] = np.arange(len(kept), dtype=np.uint32)
        rows = rows.with_columns(
            pl.Series("g", np.repeat(np.arange(len(names), dtype=np.uint32), heights)),
            **{name: pl.Series(name, new[rows[name].to_numpy()]) for name in SPO},
        )
        rows = rows.sort("g", *SPO).select(*ROWS)
        starts = np.concatenate([[0], np.cumsum(heights)]).tolist()
        graphs = {name: rows.slice(starts[i], heights[i]) for i, name in enumerate(names)}
        return Columns(ranked["term"].rename("term"), graphs)


def differ(rows: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """Rows whose triple the other ones do not have."""
    return rows.join(other.select(SPO), on=SPO, how="anti") if len(other) else rows


def _look_up(terms: pl.Series, wanted: pl.Series) -> pl.Series:
    """Positions in sorted terms; null for what is not there."""
    if not len(terms) or not len(wanted):
        return pl.Series("n", [None] * len(wanted), pl.UInt32)
    if len(wanted) < _SHARED:
        at = terms.search_sorted(wanted).clip(0, len(terms) - 1)
        return pl.select(pl.when(terms.gather(at) == wanted).then(at).otherwise(None))[:, 0].cast(pl.UInt32)
    here = terms.to_frame("term").with_row_index("n").join(wanted.unique().to_frame("term"), on="term", how="semi")
    joined = wanted.to_frame("term").join(here, on="term", how="left", maintain_order="left")
    return joined["n"].cast(pl.UInt32)
