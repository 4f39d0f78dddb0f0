"""Literals in the lexical form that the store gives back, many at a time."""

from __future__ import annotations

from typing import Final

import polars as pl
import pyoxigraph as ox

from kgfuse.terms.namespaces import XSD

_P: Final = ox.NamedNode("urn:kgfuse:stored")
_TYPED: Final = f'"^^<{XSD}'


def stored_forms(terms: pl.Series) -> pl.DataFrame:
    """Terms in N-Triples form (``term``) beside the form that Oxigraph keeps (``stored``).

    Numbers, booleans, dates and durations are kept in canonical form: ``"007"^^xsd:integer`` as ``"7"``.
    """
    frame = pl.DataFrame({"term": terms, "stored": terms}, schema={"term": pl.String, "stored": pl.String})
    typed = frame.filter(pl.col("term").str.contains(_TYPED, literal=True) & ~pl.col("term").str.starts_with("<"))[
        "term"
    ]
    if not len(typed):
        return frame
    store = ox.Store()
    lines = "".join(f"<urn:kgfuse:{i}> {_P} {term} .\n" for i, term in enumerate(typed))
    store.bulk_load(lines.encode(), ox.RdfFormat.N_TRIPLES, lenient=True)
    kept = {str(q.subject): str(q.object) for q in store.quads_for_pattern(None, _P, None, None)}
    canonical = pl.Series("kept", [kept.get(f"<urn:kgfuse:{i}>", term) for i, term in enumerate(typed)], pl.String)
    changed = pl.DataFrame({"term": typed, "kept": canonical})
    joined = frame.join(changed, on="term", how="left", maintain_order="left")
    return joined.select("term", pl.coalesce("kept", "stored").alias("stored"))
