"""A document as JSON values: what ``kgfuse extract --json`` prints, one object a line."""

from __future__ import annotations

from typing import Any

from kgfuse.extract.document import Document, End, Place, Spot, Stated
from kgfuse.ontology import Vocabulary
from kgfuse.terms.mentions import Region


def document_record(document: Document, vocabulary: Vocabulary) -> dict[str, Any]:
    """The document with full IRIs.

    Places in a text have ``start``, ``end`` (code points) and the ``exact`` characters, and, as far as the file has
    them, ``page`` and ``box`` (points: left, top, width, height), ``path`` (XPath) or ``seconds`` (from, to); places in
    a picture have ``x``, ``y``, ``w``, ``h`` (pixels of the upright picture).
    """
    record: dict[str, Any] = {"name": document.name, "kind": document.kind, "text": document.text}
    if document.problem:
        return {**record, "problem": document.problem}
    return {
        **record,
        "mentions": [_place(p, document) for p in document.places],
        "statements": [statement_record(s, document, vocabulary) for s in document.statements],
        "rejected": [statement_record(s, document, vocabulary) for s in document.rejected],
    }


def statement_record(stated: Stated, document: Document, vocabulary: Vocabulary) -> dict[str, Any]:
    """One statement of the document, or one that was turned away."""
    record = {
        "subject": _end(stated.subject, document),
        "property": {"iri": stated.property, "label": vocabulary.label(stated.property)},
        "object": _end(stated.object, document),
        "confidence": stated.confidence,
        "extractors": list(stated.extractors),
        "reason": stated.reason,
        "evidence": [_spot(e, document) for e in stated.evidence],
    }
    return {**record, "rule": stated.rule, "why": stated.why} if stated.rule else record


def _place(place: Place, document: Document) -> dict[str, Any]:
    return {
        **_spot(place.at, document),
        "label": place.label,
        "iri": place.iri,
        "types": list(place.types),
        "extractors": list(place.extractors),
        "confidence": place.confidence,
    }


def _end(end: End, document: Document) -> dict[str, Any]:
    where = _spot(end.at, document) if end.at else {}
    if end.value is not None:
        literal = {"literal": end.value.lexical, "datatype": end.value.datatype}
        if end.value.language:
            literal["language"] = end.value.language
        return {**literal, **where}
    return {"iri": end.iri, "label": end.label, **where}


def _spot(spot: Spot, document: Document) -> dict[str, Any]:
    if isinstance(spot, Region):
        return {"x": spot.x, "y": spot.y, "w": spot.w, "h": spot.h}
    record: dict[str, Any] = {"start": spot.start, "end": spot.end, "exact": spot.exact}
    place = document.where.get(spot)
    if place is None:
        return record
    told = {
        "page": place.page,
        "box": place.box and list(place.box),
        "path": place.path,
        "seconds": place.time and list(place.time),
    }
    return record | {key: value for key, value in told.items() if value}
