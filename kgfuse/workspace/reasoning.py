"""The closure of the workspace's graphs, brought up to date by what changed since the last one."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Any, Final

import numpy as np
import polars as pl
import pyoxigraph as ox
from numpy.typing import NDArray

import kgfuse
from kgfuse.graph.columns import ROWS, SPO, Draft, union
from kgfuse.graph.writing import Writer
from kgfuse.reason.falsity import FALSITIES
from kgfuse.reason.inconsistency import Report, inconsistencies
from kgfuse.reason.infer import infer
from kgfuse.reason.rules import RULES
from kgfuse.reason.symbols import BLANK, BUILT_IN, IRI, LITERAL, QUOTED, Term
from kgfuse.terms.namespaces import GRAPH_INFERRED, OWL, RDF, RDFS, XSD, digest
from kgfuse.workspace.parts import Parts

_EXPLAINED: Final = 20  # contradictions that a build leads back to their sources; all are counted
MARK: Final = "closure"
"""Under this the catalog keeps by which rules the closure was made, and of which columns."""


@lru_cache(maxsize=1)
def _constants() -> dict[str, Term]:
    """The terms that the engine's rules speak of, by their N-Triples form."""
    patterns = [p for falsity in FALSITIES for p in falsity.premises]
    for rule in RULES:
        patterns += [*rule.premises, *(one.pattern for one in rule.lists), rule.conclusion]
    return {str(term): term for p in patterns for term in p if not isinstance(term, ox.Variable)}


class DraftSymbols:
    """The numbering of a draft's terms, as the reasoner reads it."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        table = draft.number_all(pl.Series("term", list(_constants()), pl.String))  # one by one takes far longer
        self._numbers = {_constants()[form]: n for form, n in table.select("term", "n").iter_rows()}

    def number(self, term: Term) -> int:
        """Number of a term, minted where it has none."""
        known = self._numbers.get(term)
        if known is None:
            known = int(self._draft.number_all(pl.Series("term", [str(term)], pl.String))["n"][0])
            self._numbers[term] = known
        return known

    def kinds(self, ids: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Kind of each number."""
        text = pl.col("term")
        built_in = pl.any_horizontal(text.str.starts_with(f"<{space}") for space in (RDF, RDFS, OWL, XSD))
        kind = (
            pl.when(text.str.starts_with('"'))
            .then(LITERAL)
            .when(text.str.starts_with("_"))
            .then(BLANK)
            .when(text.str.starts_with("<<"))
            .then(QUOTED)
            .when(built_in)
            .then(BUILT_IN)
            .otherwise(IRI)
        )
        kinds = self._draft.terms.to_frame("term").select(kind.cast(pl.UInt8))[:, 0].to_numpy()
        return np.asarray(kinds[ids], np.uint8)

    def term(self, number: int) -> Term:
        """The term of a number."""
        (quad,) = ox.parse(f"<urn:s> <urn:p> {self._terms[number]} .".encode(), ox.RdfFormat.N_TRIPLES, lenient=True)
        found: Term = quad.object
        return found

    @cached_property
    def _terms(self) -> pl.Series:
        return self._draft.terms


def bring_up_to_date(parts: Parts, writer: Writer) -> None:
    """Make ``kgf:inferred`` what follows from the writer's other graphs.

    Where the columns before are a finished state and were closed under the same rules, a change costs what it
    touches; otherwise all is computed anew.
    """
    writer.settle()
    draft = writer.draft
    base = draft.base
    asserted = _rows({graph: rows for graph, rows in draft.graphs.items() if graph != GRAPH_INFERRED})
    before: tuple[Any, Any] | None = None
    if not writer.interrupted and parts.catalog.get_state(MARK) == mark(parts):
        before = (
            _rows({graph: rows for graph, rows in base.graphs.items() if graph != GRAPH_INFERRED}),
            _rows({graph: rows for graph, rows in base.graphs.items() if graph == GRAPH_INFERRED}),
        )
        if np.array_equal(before[0], asserted):
            return
    found = infer(asserted, DraftSymbols(draft), parts.rules, before=before)
    rows = pl.DataFrame({name: found[:, i].astype(np.uint32) for i, name in enumerate(SPO)})
    writer.put_rows(GRAPH_INFERRED, rows.with_columns(pl.lit(1.0, pl.Float32).alias("c")).select(*ROWS))


def contradictions(parts: Parts) -> Report:
    """What in the graph contradicts itself, each with a minimal set of asserted triples and who says them."""
    columns = parts.store.columns
    asserted = _rows({graph: rows for graph, rows in columns.graphs.items() if graph != GRAPH_INFERRED})
    holds = columns.edges.select(SPO).to_numpy().astype(np.int64).reshape(-1, 3)
    if not len(holds):
        return Report((), {})
    symbols = DraftSymbols(Draft(columns))
    return inconsistencies(
        parts.store, rules=parts.rules, holds=holds, asserted=asserted, symbols=symbols, limit=_EXPLAINED
    )


def mark(parts: Parts) -> str:
    """By which rules the closure is made, and of which columns."""
    rules = digest(kgfuse.__version__, *(f"{rule.name}\n{rule.query}" for rule in parts.rules))
    return f"{rules} {parts.store.columns_version}"


def _rows(graphs: dict[str, pl.DataFrame]) -> NDArray[np.int64]:
    return union(graphs).select(SPO).to_numpy().astype(np.int64).reshape(-1, 3)
