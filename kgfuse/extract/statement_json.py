"""Statements as plain JSON values that people can read and that outlive the format of stored extractions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kgfuse.terms.mentions import Mention, Node, Region, Selector, Statement, TextSpan, TimeSpan, Value
from kgfuse.terms.namespaces import XSD, digest, label_key

_ARTICLES = ("the ", "a ", "an ")


def statement_key(statement: Statement) -> str:
    """Hex digest of what a source says with a statement, whoever found it and wherever in the source.

    Names count in their comparison form, without a leading article.
    """
    return digest(_end_key(statement.subject), statement.predicate, _end_key(statement.object))


def mirror_key(statement: Statement, predicate: str) -> str:
    """Key of the statement that says the same with its ends exchanged, under an inverse property."""
    return digest(_end_key(statement.object), predicate, _end_key(statement.subject))


def _end_key(node: Node | Value) -> str:
    if isinstance(node, Value):
        return " ".join(("literal", node.datatype, node.language, node.lexical, *filter(None, (node.unit,))))
    if isinstance(node, str):
        return f"iri {node}"
    if node.entity is not None:
        return f"iri {node.entity}"
    exact = node.selector.exact if isinstance(node.selector, TextSpan) else ""
    name = label_key(node.label or exact)
    article = next((a for a in _ARTICLES if name.startswith(a)), "")
    return f"name {name.removeprefix(article)}"


def statement_values(statement: Statement) -> dict[str, Any]:
    """JSON values of a statement, but for its source, which whoever keeps it knows."""
    return {
        "subject": _node(statement.subject),
        "property": statement.predicate,
        "object": _node(statement.object),
        "evidence": [mention_values(m) for m in statement.evidence],
        "extractor": statement.extractor,
        "confidence": statement.confidence,
        "reason": statement.reason,
    }


def statement_of(values: Mapping[str, Any], source: str) -> Statement:
    """The statement that `statement_values` described, as asserted.

    Args:
        values: JSON values.
        source: IRI of the source that makes it.
    """
    subject = _node_of(values["subject"], source)
    if isinstance(subject, Value):
        raise ValueError("a literal cannot be a subject")
    return Statement(
        subject,
        values["property"],
        _node_of(values["object"], source),
        tuple(mention_of(m, source) for m in values["evidence"]),
        values["extractor"],
        values["confidence"],
        values["reason"],
        source,
    )


def mention_values(mention: Mention) -> dict[str, Any]:
    """JSON values of a mention, but for its source."""
    return {
        **_selector(mention.selector),
        "label": mention.label,
        "extractor": mention.extractor,
        "types": list(mention.types),
        "entity": mention.entity,
        "confidence": mention.confidence,
    }


def mention_of(values: Mapping[str, Any], source: str) -> Mention:
    """The mention that `mention_values` described."""
    return Mention(
        source,
        _selector_of(values),
        values["label"],
        values["extractor"],
        tuple(values["types"]),
        values["entity"],
        values["confidence"],
    )


def _node(node: Node | Value) -> Any:
    if isinstance(node, Mention):
        return mention_values(node)
    if isinstance(node, Value):
        values = {"literal": node.lexical, "datatype": node.datatype, "language": node.language}
        return {**values, "unit": node.unit} if node.unit else values
    return {"iri": node}


def _node_of(values: Mapping[str, Any], source: str) -> Node | Value:
    if "iri" in values:
        return str(values["iri"])
    if "literal" in values:
        datatype, language = values.get("datatype", XSD + "string"), values.get("language", "")
        return Value(values["literal"], datatype, language, values.get("unit", ""))
    return mention_of(values, source)


def _selector(selector: Selector) -> dict[str, Any]:
    match selector:
        case TextSpan():
            return {"start": selector.start, "end": selector.end, "exact": selector.exact}
        case Region():
            return {"box": [selector.x, selector.y, selector.w, selector.h]}
        case TimeSpan():
            return {"time": [selector.start, selector.end]}


def _selector_of(values: Mapping[str, Any]) -> Selector:
    if "box" in values:
        return Region(*values["box"])
    if "time" in values:
        return TimeSpan(*values["time"])
    return TextSpan(values["start"], values["end"], values["exact"])
