"""Names for people: the best label of an IRI."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

import pyoxigraph as ox

from kgfuse.graph.store import GraphStore
from kgfuse.terms.namespaces import RDFS, SCHEMA, SKOS, local_name

if TYPE_CHECKING:
    import polars as pl

    from kgfuse.graph.columns import Columns

LABELS: Final = tuple(ox.NamedNode(iri) for iri in (SKOS + "prefLabel", RDFS + "label", SCHEMA + "name"))
NAMES: Final = (*(p.value for p in LABELS), SKOS + "altLabel")
"""Properties whose values are looked for when somebody searches by name."""


def label(store: GraphStore, iri: str) -> str:
    """skos:prefLabel, rdfs:label or schema:name, English or untagged first; else the last part of the IRI."""
    if iri.startswith("_:"):
        return iri
    quads = (quad for predicate in LABELS for quad in store.quads(ox.NamedNode(iri), predicate))
    return _best(quads) or fallback(iri)


def labels(columns: Columns) -> dict[int, str]:
    """The best label of every IRI that has one, by number; the same one as `label` gives."""
    return best_by(columns, [p.value for p in LABELS])


def best_by(columns: Columns, properties: Iterable[str]) -> dict[int, str]:
    """For every IRI the best text these properties give it: English first, then untagged, then the first property's."""
    import polars as pl

    table = named_by(columns, properties)
    language = pl.col("language")
    rank = pl.when(language == "").then(1).when((language == "en") | language.str.starts_with("en-")).then(0)
    table = table.with_columns(rank.otherwise(2).alias("rank")).sort("s", "rank", "at", "lexical")
    best = table.unique("s", keep="first", maintain_order=True).filter(pl.col("lexical") != "")
    return dict(zip(best["s"].to_list(), best["lexical"].to_list(), strict=True))


def named_by(columns: Columns, properties: Iterable[str]) -> pl.DataFrame:
    """Literals that these properties give to IRIs: ``s``, ``at`` (place of the property), ``lexical``, ``language``."""
    import polars as pl

    from kgfuse.graph.decoded import literal_parts

    wanted = columns.numbers(f"<{p}>" for p in properties)
    places = pl.DataFrame({"p": wanted, "at": range(len(wanted))}, schema={"p": pl.Int64, "at": pl.UInt32})
    places = places.filter(pl.col("p") >= 0).with_columns(pl.col("p").cast(pl.UInt32))
    rows = columns.edges.filter(pl.col("p").is_in(places["p"].implode()) & (pl.col("o") < columns.literals))
    rows = rows.filter(columns.terms.gather(rows["s"]).str.starts_with("<")).join(places, on="p", how="left")
    parts = literal_parts(columns.terms.gather(rows["o"]))
    return pl.concat([rows.select("s", "at"), parts.select("lexical", "language")], how="horizontal")


def fallback(iri: str) -> str:
    """The last part of an IRI, readable.

    >>> fallback("https://w3id.org/kgfuse/entity/granny%20smith")
    'granny smith'
    """
    return unquote(local_name(iri)) or iri


def _best(quads: Iterable[ox.Quad]) -> str:
    found = (
        (_language_rank(quad.object.language), LABELS.index(quad.predicate), quad.object.value)
        for quad in quads
        if isinstance(quad.object, ox.Literal)
    )
    return min(found, default=(0, 0, ""))[2]


def _language_rank(language: str | None) -> int:
    if language is None:
        return 1
    return 0 if language == "en" or language.startswith("en-") else 2
