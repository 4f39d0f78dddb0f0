"""Extractions as bytes: compressed JSON with one table of mentions, read back to equal dataclasses."""

from __future__ import annotations

import json
import zlib
from sys import intern
from typing import Any, Final

from kgfuse.errors import WorkspaceError
from kgfuse.terms.mentions import Extraction, Mention, Node, Region, Selector, Statement, TextSpan, TimeSpan, Value

FORMAT: Final = 2


def dumps(extraction: Extraction) -> bytes:
    """Return the extraction as zlib-compressed JSON; equal extractions give equal bytes."""
    table: dict[Mention, int] = {}

    def index(mention: Mention) -> int:
        return table.setdefault(mention, len(table))

    def node(one: Node | Value) -> Any:
        if isinstance(one, Mention):
            return index(one)
        return one if isinstance(one, str) else [one.lexical, one.datatype, one.language, one.unit]

    mentions = [index(mention) for mention in extraction.mentions]
    statements = [
        [
            node(s.subject),
            s.predicate,
            node(s.object),
            [index(mention) for mention in s.evidence],
            s.extractor,
            s.confidence,
            s.reason,
            s.source,
            s.assertion,
            None if s.said_by is None else index(s.said_by),
        ]
        for s in extraction.statements
    ]
    document = {
        "format": FORMAT,
        "source": extraction.source,
        "run": extraction.run,
        "table": [_mention_row(mention) for mention in table],
        "mentions": mentions,
        "statements": statements,
        "parameters": extraction.parameters,
    }
    return zlib.compress(json.dumps(document, sort_keys=True, separators=(",", ":")).encode("ascii"), 6)


def loads(data: bytes) -> Extraction:
    """Read what `dumps` wrote.

    Raises:
        WorkspaceError: the bytes are damaged or from another format.
    """
    try:
        document = json.loads(zlib.decompress(data))
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']} is not {FORMAT}")
        table = [_mention(row) for row in document["table"]]

        def node(one: Any) -> Node | Value:
            if isinstance(one, int):
                return table[one]
            return one if isinstance(one, str) else Value(*one)

        return Extraction(
            document["source"],
            document["run"],
            tuple(table[i] for i in document["mentions"]),
            tuple(_statement(row, table, node(row[0]), node(row[2])) for row in document["statements"]),
            document["parameters"],
        )
    except (zlib.error, ValueError, KeyError, IndexError, TypeError) as error:
        raise WorkspaceError(
            f"a stored extraction cannot be read: {error}", remedy="run 'kgfuse build' again; it extracts anew"
        ) from error


def _statement(row: list[Any], table: list[Mention], subject: Node | Value, object_: Node | Value) -> Statement:
    if isinstance(subject, Value):
        raise ValueError("a literal cannot be a subject")
    evidence = tuple(table[i] for i in row[3])
    said_by = None if row[9] is None else table[row[9]]
    predicate, extractor, source = map(intern, (row[1], row[4], row[7]))  # thousands of extractions share them
    return Statement(subject, predicate, object_, evidence, extractor, row[5], row[6], source, row[8], said_by)


def _mention_row(mention: Mention) -> list[Any]:
    return [
        mention.source,
        _selector_row(mention.selector),
        mention.label,
        mention.extractor,
        list(mention.types),
        mention.entity,
        mention.confidence,
    ]


def _mention(row: list[Any]) -> Mention:
    source, selector, label, extractor, types, entity, confidence = row
    known = None if entity is None else intern(entity)
    return Mention(
        intern(source), _selector(selector), label, intern(extractor), tuple(map(intern, types)), known, confidence
    )


def _selector_row(selector: Selector) -> list[Any]:
    match selector:
        case TextSpan():
            return ["text", selector.start, selector.end, selector.exact]
        case Region():
            return ["region", selector.x, selector.y, selector.w, selector.h]
        case TimeSpan():
            return ["time", selector.start, selector.end]


def _selector(row: list[Any]) -> Selector:
    kind, *values = row
    kinds: dict[str, type[TextSpan] | type[Region] | type[TimeSpan]]
    kinds = {"text": TextSpan, "region": Region, "time": TimeSpan}
    return kinds[kind](*values)
