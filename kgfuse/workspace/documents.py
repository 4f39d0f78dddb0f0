"""Reading texts without a workspace: what the extractors find in each, and what the gate makes of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kgfuse.encode.device import one_thread
from kgfuse.extract.protocol import run
from kgfuse.extract.registry import available, load_some
from kgfuse.extract.resolve import resolve
from kgfuse.extract.settings import ExtractSettings
from kgfuse.ontology import Vocabulary, load_all
from kgfuse.terms.mentions import Extraction, Mention, Rejected, Source, Statement, TextSpan, Value
from kgfuse.terms.namespaces import source_iri

_WITHOUT_TEXTS = frozenset(("image",))


@dataclass(frozen=True, slots=True)
class Document:
    """A text and what was found in it.

    Args:
        name: what it is called.
        text: as it was given.
        mentions: places that speak of something, in the order of the text.
        statements: what the gate lets through, in the order of the text.
        rejected: what it turns away, with rule and reason.
    """

    name: str
    text: str
    mentions: tuple[Mention, ...]
    statements: tuple[Statement, ...]
    rejected: tuple[Rejected, ...]

    def to_dict(self, vocabulary: Vocabulary) -> dict[str, Any]:
        """JSON-able form; offsets count Unicode code points of the text."""
        return {
            "name": self.name,
            "characters": len(self.text),
            "mentions": [_mention(m, vocabulary) for m in self.mentions],
            "statements": [statement_record(s, vocabulary) for s in self.statements],
            "rejected": [
                {**statement_record(r.statement, vocabulary), "rule": r.rule, "why": r.reason} for r in self.rejected
            ],
        }


def vocabulary_of(ontologies: Sequence[str]) -> Vocabulary:
    """The merged view of packs or ontology files, by name or path.

    Raises:
        PackError: one is unknown or broken.
    """
    return Vocabulary(load_all(ontologies))


def read(
    texts: Sequence[tuple[str, str]], vocabulary: Vocabulary, settings: ExtractSettings | None = None
) -> Iterator[Document]:
    """Read texts, each by itself, in the order given.

    Args:
        texts: (name, text).
        vocabulary: of `vocabulary_of`.
        settings: of extraction; extractors of pictures are left out.
    """
    settings = settings or ExtractSettings()
    names = [n for n in (settings.extractors or available()) if n not in _WITHOUT_TEXTS]
    extractors = [e for e in load_some(names, vocabulary, settings) if "text" in e.kinds]
    for name, text in texts:
        source = Source(
            source_iri(name), name, "text", "text/plain", hashlib.sha256(text.encode("utf-8", "replace")).hexdigest(),
            text=text,
        )  # fmt: skip
        with one_thread():
            found = [extraction for extractor in extractors for extraction in run(extractor, [source])]
        yield _document(name, text, found, vocabulary, settings)


def _document(
    name: str, text: str, found: Sequence[Extraction], vocabulary: Vocabulary, settings: ExtractSettings
) -> Document:
    outcome = resolve(found, vocabulary, {}, settings)
    away = {id(r.statement): r for r in outcome.rejected}
    statements = [s for extraction in found for s in extraction.statements]
    mentions = dict.fromkeys(m for extraction in found for m in extraction.mentions)
    return Document(
        name,
        text,
        tuple(sorted(mentions, key=_place)),
        tuple(sorted((s for s in statements if id(s) not in away), key=_order)),
        tuple(sorted(outcome.rejected, key=lambda r: _order(r.statement))),
    )


def spans_of(statement: Statement) -> dict[str, TextSpan | None]:
    """Where a statement's subject and object stand; an object that is a literal stands in its last short evidence."""
    subject = statement.subject.selector if isinstance(statement.subject, Mention) else None
    if isinstance(statement.object, Mention):
        object_ = statement.object.selector
    else:
        others = [m.selector for m in statement.evidence if m.selector != subject]
        object_ = others[0] if others else None
    return {
        "subject": subject if isinstance(subject, TextSpan) else None,
        "object": object_ if isinstance(object_, TextSpan) else None,
    }


def node_label(node: Mention | str | Value, vocabulary: Vocabulary) -> str:
    """What a person calls a node."""
    if isinstance(node, Mention):
        return node.label
    return node.lexical if isinstance(node, Value) else vocabulary.label(node)


def statement_record(statement: Statement, vocabulary: Vocabulary) -> dict[str, Any]:
    """A statement with its words, for JSON."""
    spans = spans_of(statement)
    return {
        "subject": _node(statement.subject, spans["subject"], vocabulary),
        "property": vocabulary.shrink(statement.predicate),
        "label": vocabulary.label(statement.predicate),
        "object": _node(statement.object, spans["object"], vocabulary),
        "confidence": round(statement.confidence, 4),
        "extractor": statement.extractor,
        "reason": statement.reason,
        "evidence": [_span(m.selector) for m in statement.evidence if isinstance(m.selector, TextSpan)],
    }


def _node(node: Mention | str | Value, span: TextSpan | None, vocabulary: Vocabulary) -> dict[str, Any]:
    found: dict[str, Any] = {"label": node_label(node, vocabulary)}
    if isinstance(node, Value):
        found |= {"value": node.lexical, "datatype": vocabulary.shrink(node.datatype)}
    elif isinstance(node, str):
        found["iri"] = node
    else:
        found |= {"iri": node.entity} if node.entity else {}
        found["types"] = [vocabulary.shrink(t) for t in node.types]
    return found | ({} if span is None else _span(span))


def _span(span: TextSpan) -> dict[str, Any]:
    return {"start": span.start, "end": span.end, "exact": span.exact}


def _mention(mention: Mention, vocabulary: Vocabulary) -> Mapping[str, Any]:
    span = _span(mention.selector) if isinstance(mention.selector, TextSpan) else {}
    return {
        **span,
        "label": mention.label,
        "types": [vocabulary.shrink(t) for t in mention.types],
        **({"iri": mention.entity} if mention.entity else {}),
        "extractor": mention.extractor,
        "confidence": round(mention.confidence, 4),
    }


def _place(mention: Mention) -> tuple[int, int, str]:
    span = mention.selector
    return (span.start, span.end, mention.extractor) if isinstance(span, TextSpan) else (0, 0, mention.extractor)


def _order(statement: Statement) -> tuple[int, int, str, str]:
    starts = [m.selector.start for m in statement.evidence if isinstance(m.selector, TextSpan)]
    spans = spans_of(statement)
    object_ = spans["object"]
    return min(starts, default=0), object_.start if object_ else 0, statement.predicate, statement.extractor


def read_file(path: Path, encoding: str | None = None) -> str:
    """The text of a file.

    Raises:
        SourceError: it is missing, no text, or in another encoding.
    """
    from kgfuse.errors import SourceError
    from kgfuse.workspace import files

    known = files.identify(path)
    if known.kind != "text":
        raise SourceError(f"is {known.media_type}, not a text", where=path, remedy="add it to a workspace instead")
    return files.decode(path.read_bytes(), path, encoding)
