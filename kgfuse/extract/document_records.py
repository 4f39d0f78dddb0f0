"""A document as JSON values: what ``kgfuse extract --json`` prints, one object a line."""

from __future__ import annotations

from typing import Any

from kgfuse.extract.documents import Document, End, Place, Stated
from kgfuse.ontology import Vocabulary
from kgfuse.terms.mentions import TextSpan


def document_record(document: Document, vocabulary: Vocabulary) -> dict[str, Any]:
    """The document with full IRIs; every place has ``start``, ``end`` (code points) and the ``exact`` characters."""
    record: dict[str, Any] = {"name": document.name, "text": document.text}
    if document.problem:
        return {**record, "problem": document.problem}
    return {
        **record,
        "mentions": [_place(p) for p in document.places],
        "statements": [statement_record(s, vocabulary) for s in document.statements],
        "rejected": [statement_record(s, vocabulary) for s in document.rejected],
    }


def statement_record(stated: Stated, vocabulary: Vocabulary) -> dict[str, Any]:
    """One statement, or one that was turned away."""
    record = {
        "subject": _end(stated.subject),
        "property": {"iri": stated.property, "label": vocabulary.label(stated.property)},
        "object": _end(stated.object),
        "confidence": stated.confidence,
        "extractors": list(stated.extractors),
        "reason": stated.reason,
        "evidence": [_span(e) for e in stated.evidence],
    }
    return {**record, "rule": stated.rule, "why": stated.why} if stated.rule else record


def _place(place: Place) -> dict[str, Any]:
    return {
        "start": place.start,
        "end": place.end,
        "exact": place.exact,
        "label": place.label,
        "iri": place.iri,
        "types": list(place.types),
        "extractors": list(place.extractors),
        "confidence": place.confidence,
    }


def _end(end: End) -> dict[str, Any]:
    where = _span(end.span) if end.span else {}
    if end.value is not None:
        literal = {"literal": end.value.lexical, "datatype": end.value.datatype}
        if end.value.language:
            literal["language"] = end.value.language
        return {**literal, **where}
    return {"iri": end.iri, "label": end.label, **where}


def _span(span: TextSpan) -> dict[str, Any]:
    return {"start": span.start, "end": span.end, "exact": span.exact}
