"""Columns made readable, many terms at a time: IRIs without brackets, literals in parts, who says an edge."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import pyoxigraph as ox

from kgfuse.graph.nodes import named
from kgfuse.graph.python_values import python_value
from kgfuse.terms.mentions import Value
from kgfuse.terms.namespaces import RDF, XSD

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    from kgfuse.graph.columns import Columns

_LITERAL: Final = r'(?s)^"(?<lexical>.*)"(?:@(?<language>[A-Za-z0-9-]+)|\^\^<(?<datatype>[^>]*)>)?$'
_ESCAPE: Final = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_CONTROL: Final = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f"}
_STATUSES: Final = ((1, "asserted"), (2, "ontology"), (4, "inferred"))


def bare(terms: pl.Series) -> pl.Series:
    """Terms in N-Triples form, IRIs without their brackets; all others as they are."""
    iri = terms.str.starts_with("<") & ~terms.str.starts_with("<<")
    return terms.str.strip_prefix("<").str.strip_suffix(">").zip_with(iri, terms)


def literal_parts(terms: pl.Series) -> pl.DataFrame:
    """Literals in N-Triples form as ``lexical``, ``datatype`` and ``language`` (empty where there is none)."""
    import polars as pl

    found = terms.str.extract_groups(_LITERAL).struct.unnest()
    escaped = found["lexical"].str.contains("\\", literal=True).fill_null(False)
    lexical = found["lexical"]
    if escaped.any():
        read = pl.Series([unescaped(t) for t in lexical.filter(escaped)], dtype=pl.String)
        lexical = lexical.scatter(escaped.arg_true(), read)
    implied = pl.when(pl.col("language").is_null()).then(pl.lit(XSD + "string")).otherwise(pl.lit(RDF + "langString"))
    return found.select(
        lexical.alias("lexical"),
        pl.coalesce("datatype", implied).alias("datatype"),
        pl.col("language").fill_null(""),
    )


def unescaped(text: str) -> str:
    r"""What N-Triples escapes stand for.

    >>> unescaped(r"a\"b\u00e9")
    'a"bé'
    """

    def read(match: re.Match[str]) -> str:
        code = match[1] or match[2]
        return chr(int(code, 16)) if code else _CONTROL.get(match[3], match[3])

    return _ESCAPE.sub(read, text)


def literal_values(terms: pl.Series) -> list[Value]:
    """Literals in N-Triples form as values."""
    return [Value(*row) for row in literal_parts(terms).iter_rows()]


def python_values(terms: pl.Series) -> list[object]:
    """Literals in N-Triples form as `python_value` gives them."""
    types: dict[str, ox.NamedNode] = {}
    found: list[object] = []
    for lexical, datatype, language in literal_parts(terms).iter_rows():
        if language or datatype == XSD + "string":
            found.append(lexical)
            continue
        if datatype not in types:
            types[datatype] = named(datatype)
        found.append(python_value(ox.Literal(lexical, datatype=types[datatype])))
    return found


def confidences_of(rows: pl.DataFrame) -> list[float]:
    """Confidences as they were written: the columns keep them in single precision."""
    import numpy as np

    rounded: list[float] = rows["c"].to_numpy().astype(np.float64).round(6).tolist()
    return rounded


def statuses_of(rows: pl.DataFrame) -> list[str]:
    """For each edge the first of asserted, ontology and inferred that says it."""
    names = [next((name for bit, name in _STATUSES if bits & bit), "") for bits in range(8)]
    return [names[bits] for bits in rows["status"].to_list()]


def sources_of(columns: Columns, rows: pl.DataFrame) -> list[tuple[str, ...]]:
    """For each of these edges the graphs that say it, sorted.

    Args:
        columns: all that holds.
        rows: with ``s``, ``p`` and ``o``, each triple once.
    """
    import polars as pl

    from kgfuse.graph.columns import SPO

    if not len(rows):
        return []
    wanted = rows.select(SPO).with_row_index("row")
    names = sorted(columns.graphs)
    parts = [
        columns.graphs[graph].select(SPO).with_columns(pl.lit(i, pl.UInt32).alias("g")) for i, graph in enumerate(names)
    ]
    said = wanted.join(pl.concat(parts), on=SPO, how="inner").sort("row", "g")
    single: list[tuple[str, ...]] = [(name,) for name in names]
    found: list[tuple[str, ...]] = [()] * len(rows)
    for row, graph in zip(said["row"].to_list(), said["g"].to_list(), strict=True):
        found[row] = found[row] + single[graph] if found[row] else single[graph]
    return found


def texts_of(columns: Columns, numbers: npt.NDArray[np.integer] | Sequence[int] | pl.Series) -> list[str]:
    """Numbered terms, IRIs without their brackets."""
    import numpy as np

    found: list[str] = bare(columns.terms.gather(np.asarray(numbers, np.int64))).to_list()
    return found


def number_of(columns: Columns, form: str) -> int:
    """Number of a term in N-Triples form; -1 where no graph that holds has it."""
    return int(columns.numbers([form])[0])
