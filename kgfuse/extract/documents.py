"""Texts read without a workspace: each document alone, with its mentions, its statements and what was turned away.

The same extractors, resolution and gate as in a workspace; nothing is stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final

from kgfuse.errors import KgfuseError
from kgfuse.extract.identity.gazetteer import Gazetteer
from kgfuse.extract.protocol import Extractor, check_places, run
from kgfuse.extract.registry import available, load, load_some
from kgfuse.extract.resolve import Resolution, resolve
from kgfuse.extract.settings import ExtractSettings
from kgfuse.ontology import Vocabulary, load_all
from kgfuse.terms.mentions import Extraction, Mention, Node, Source, Statement, TextSpan, Value
from kgfuse.terms.namespaces import KGF, OWL, RDFS, source_iri

_BATCH: Final = 16
_CLASSES: Final = frozenset((OWL + "Class", RDFS + "Class"))


@dataclass(frozen=True, slots=True)
class Place:
    """Something that the text names.

    Args:
        start, end, exact: code points of the text; ``text[start:end] == exact``.
        label: its normalised name.
        iri: what it was resolved to; empty where no statement needed it.
        types: class IRIs.
        extractors: who found it.
        confidence: 0 to 1.
    """

    start: int
    end: int
    exact: str
    label: str
    iri: str
    types: tuple[str, ...]
    extractors: tuple[str, ...]
    confidence: float


@dataclass(frozen=True, slots=True)
class End:
    """Subject or object of a statement: an IRI or a literal, and where it stands, as far as that is known."""

    label: str
    iri: str = ""
    value: Value | None = None
    span: TextSpan | None = None


@dataclass(frozen=True, slots=True)
class Stated:
    """A statement that a text makes; with ``rule`` and ``why`` one that was turned away.

    Args:
        subject, object: its ends.
        property: IRI.
        confidence: 0 to 1; the highest where several extractors found it in the same place.
        extractors: who found it.
        reason: for people.
        evidence: the words it rests on, in text order.
        rule: of the gate that turned it away; empty where it holds.
        why: the gate's sentence for people.
    """

    subject: End
    property: str
    object: End
    confidence: float
    extractors: tuple[str, ...]
    reason: str
    evidence: tuple[TextSpan, ...]
    rule: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """All that was found in one text; ``problem`` says why nothing was."""

    name: str
    text: str
    places: tuple[Place, ...] = ()
    statements: tuple[Stated, ...] = ()
    rejected: tuple[Stated, ...] = ()
    problem: str = ""


def ontology_of(*specs: str) -> Vocabulary:
    """The vocabulary of packs (by name or folder) or ontology files, with all that they import.

    Raises:
        PackError: one is missing or broken; names file and line.
    """
    return Vocabulary(load_all(specs))


class Reader:
    """Reads texts with every extractor of texts that the settings name.

    Args:
        vocabulary: what may be said.
        settings: how to read, and what the gate lets through.
        extractors: these, in place of those that the settings name.

    Raises:
        UsageError: the settings name an extractor that is not registered.
        PackError: an extractor cannot be imported.
        SourceError: a gazetteer cannot be read; names file and line.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        settings: ExtractSettings | None = None,
        extractors: Sequence[Extractor] | None = None,
    ) -> None:
        self.vocabulary = vocabulary
        self.settings = settings or ExtractSettings()
        files = [Path(name) for name in self.settings.gazetteers]
        self._gazetteer = Gazetteer(files, vocabulary) if files else None
        if extractors is not None:
            self.extractors = tuple(extractors)
            return
        named = self.settings.extractors
        built: Iterable[Extractor]
        if named is None:
            texts = [name for name in available() if name != "image"]  # pictures need big models
            built = load_some(texts, vocabulary, self.settings)
        else:
            built = (load(name, vocabulary, self.settings) for name in named)
        self.extractors = tuple(e for e in built if "text" in e.kinds)

    def read(self, texts: Iterable[tuple[str, str]]) -> Iterator[Document]:
        """Yield one document per (name, text), in order; what one holds does not depend on the others."""
        rest = iter(texts)
        while batch := list(islice(rest, _BATCH)):
            sources = [_source(name, text) for name, text in batch]
            found: dict[str, list[Extraction]] = {s.iri: [] for s in sources}
            problems: dict[str, str] = {}
            for extractor in self.extractors:
                for source, result in _run(extractor, sources):
                    if isinstance(result, Extraction):
                        found[source.iri].append(result)
                    else:
                        problems.setdefault(source.iri, result)
            for source in sources:
                if source.iri in problems:
                    yield Document(source.name, source.text or "", problem=problems[source.iri])
                else:
                    yield self._document(source, found[source.iri])

    def _document(self, source: Source, extractions: Sequence[Extraction]) -> Document:
        resolution = resolve(extractions, self.vocabulary, {}, self.settings, gazetteer=self._gazetteer)
        away = {r.statement: r for r in resolution.rejected}
        candidates = sorted({s for e in extractions for s in e.statements}, key=_order)
        holding = [_stated(s, resolution, self.vocabulary) for s in candidates if s not in away]
        turned = [
            replace(_stated(s, resolution, self.vocabulary), rule=away[s].rule, why=away[s].reason)
            for s in candidates
            if s in away
        ]
        return Document(
            source.name, source.text or "", _places(extractions, resolution), _merged(holding), _merged(turned)
        )


def _source(name: str, text: str) -> Source:
    sha256 = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return Source(source_iri(name), name, "text", "text/plain", sha256, text=text)


def _run(extractor: Extractor, sources: Sequence[Source]) -> Iterator[tuple[Source, Extraction | str]]:
    """Each source's extraction, or the sentence that says why there is none; one bad text stops no other."""
    try:
        yield from [(s, _checked(e, s)) for s, e in zip(sources, run(extractor, sources), strict=True)]
    except Exception as error:  # an extractor's fault is the text's problem, never the batch's
        if len(sources) > 1:
            for source in sources:
                yield from _run(extractor, [source])
        elif isinstance(error, KgfuseError):
            yield sources[0], error.message
        else:
            yield sources[0], f"extractor {extractor.name}: {type(error).__name__}: {error}"


def _checked(extraction: Extraction, source: Source) -> Extraction:
    check_places((*extraction.mentions, *extraction.statements), source)
    return extraction


def _order(statement: Statement) -> tuple[int, int, str]:
    spans = [m.selector for m in statement.evidence if isinstance(m.selector, TextSpan)]
    shortest = min(spans, key=lambda s: (s.end - s.start, s.start), default=TextSpan(0, 0, ""))
    return min((s.start for s in spans), default=0), shortest.start, repr(statement)


def _stated(statement: Statement, resolution: Resolution, vocabulary: Vocabulary) -> Stated:
    subject, value = resolution.ends[statement]
    spans = {m.selector for m in statement.evidence if isinstance(m.selector, TextSpan)}
    return Stated(
        _end(statement.subject, subject, statement, vocabulary),
        statement.predicate,
        _end(statement.object, value, statement, vocabulary),
        statement.confidence,
        (statement.extractor,),
        statement.reason,
        tuple(sorted(spans, key=lambda s: (s.start, s.end))),
    )


def _end(node: Node | Value, resolved: str | Value, statement: Statement, vocabulary: Vocabulary) -> End:
    if isinstance(resolved, Value):
        return End(resolved.lexical, value=resolved, span=literal_place(statement))
    if isinstance(node, Mention):
        span = node.selector if isinstance(node.selector, TextSpan) else None
        return End(node.label or (span.exact if span else resolved), resolved, span=span)
    return End(vocabulary.label(resolved), resolved)


def literal_place(statement: Statement) -> TextSpan | None:
    """Where the literal of a statement stands: the shortest of its evidence that is not the subject."""
    subject = statement.subject.selector if isinstance(statement.subject, Mention) else None
    spans = [m.selector for m in statement.evidence if isinstance(m.selector, TextSpan) and m.selector != subject]
    return min(spans, key=lambda s: (s.end - s.start, s.start), default=None)


def _merged(statements: Iterable[Stated]) -> tuple[Stated, ...]:
    """One for each subject, property and object in one place: the surest, with all who found it."""
    groups: dict[tuple[object, ...], list[Stated]] = {}
    for s in statements:
        groups.setdefault((s.subject, s.property, s.object), []).append(s)
    merged = []
    for group in groups.values():
        ordered = sorted(group, key=lambda s: (-s.confidence, s.extractors, s.reason))
        merged.append(
            replace(
                ordered[0],
                extractors=tuple(sorted({e for s in group for e in s.extractors})),
                reason="; ".join(dict.fromkeys(s.reason for s in ordered)),
                evidence=tuple(sorted({e for s in group for e in s.evidence}, key=lambda e: (e.start, e.end))),
            )
        )
    return tuple(merged)


def _places(extractions: Iterable[Extraction], resolution: Resolution) -> tuple[Place, ...]:
    """Mentions with a name, one for each place; whole sentences have none."""
    at: dict[TextSpan, list[Mention]] = {}
    for extraction in extractions:
        for mention in extraction.mentions:
            if mention.label and isinstance(mention.selector, TextSpan):
                at.setdefault(mention.selector, []).append(mention)
    named: dict[TextSpan, str] = {}
    for statement, ends in resolution.ends.items():
        for node, iri in zip((statement.subject, statement.object), ends, strict=True):
            if isinstance(node, Mention) and isinstance(node.selector, TextSpan) and isinstance(iri, str):
                known = named.get(node.selector)
                named[node.selector] = iri if known is None else min(known, iri)
    return tuple(_place(span, at[span], named, resolution) for span in sorted(at, key=lambda s: (s.start, -s.end)))


def _place(span: TextSpan, mentions: Sequence[Mention], named: dict[TextSpan, str], resolution: Resolution) -> Place:
    best = min(mentions, key=lambda m: (-m.confidence, m.extractor, m.label))
    iri = named.get(span) or next((m.entity for m in mentions if m.entity), "")
    entity = resolution.entities.get(iri)
    types = {t for m in mentions for t in m.types} - _CLASSES
    types |= set(entity.types) - {KGF + "Entity"} if entity and not types else set()
    extractors = tuple(sorted({m.extractor for m in mentions}))
    return Place(
        span.start, span.end, span.exact, best.label, iri, tuple(sorted(types)), extractors,
        max(m.confidence for m in mentions),
    )  # fmt: skip
