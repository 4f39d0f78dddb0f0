"""Content negotiation: which serialisation an Accept header asks for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, TypeVar

import pyoxigraph as ox

_LONGEST: Final = 2000  # characters of an Accept header that count
Format = TypeVar("Format")

RESULTS: Final[Mapping[str, ox.QueryResultsFormat]] = {
    "application/sparql-results+json": ox.QueryResultsFormat.JSON,
    "application/json": ox.QueryResultsFormat.JSON,
    "application/sparql-results+xml": ox.QueryResultsFormat.XML,
    "application/xml": ox.QueryResultsFormat.XML,
    "text/xml": ox.QueryResultsFormat.XML,
    "text/csv": ox.QueryResultsFormat.CSV,
    "text/tab-separated-values": ox.QueryResultsFormat.TSV,
}
GRAPHS: Final[Mapping[str, ox.RdfFormat]] = {
    "text/turtle": ox.RdfFormat.TURTLE,
    "application/n-triples": ox.RdfFormat.N_TRIPLES,
    "application/ld+json": ox.RdfFormat.JSON_LD,
    "application/rdf+xml": ox.RdfFormat.RDF_XML,
    "text/plain": ox.RdfFormat.N_TRIPLES,
    "application/json": ox.RdfFormat.JSON_LD,
    "application/xml": ox.RdfFormat.RDF_XML,
}


def negotiate(accept: str, offered: Mapping[str, Format]) -> tuple[str, Format] | None:
    """The offered media type that the Accept header likes best; the first offered where it does not care.

    See RFC 9110, section 12.5.1: a more specific range overrides a wider one.

    >>> negotiate("text/csv;q=0.5, application/sparql-results+xml", RESULTS)[0]
    'application/sparql-results+xml'
    >>> negotiate("image/png", RESULTS) is None
    True
    """
    ranges = _ranges(accept[:_LONGEST] or "*/*")
    best: tuple[float, str, Format] | None = None
    for media, format_ in offered.items():
        main = media.partition("/")[0]
        quality = next((ranges[r] for r in (media, f"{main}/*", "*/*") if r in ranges), 0.0)
        if quality > (best[0] if best else 0.0):
            best = (quality, media, format_)
    return best[1:] if best else None


@lru_cache(maxsize=64)
def _ranges(accept: str) -> Mapping[str, float]:
    ranges: dict[str, float] = {}
    for part in accept.split(","):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                try:
                    quality = min(1.0, max(0.0, float(value)))
                except ValueError:
                    quality = 0.0
        if media:
            ranges[media] = max(quality, ranges.get(media, 0.0))
    return ranges
