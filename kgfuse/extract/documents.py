"""Texts read without a workspace: each document alone, with its mentions, its statements and what was turned away.

The same extractors, resolution and gate as in a workspace; nothing is stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final, TypeAlias

from kgfuse.extract.identity.gazetteer import Gazetteer
from kgfuse.extract.protocol import Extractor, reads
from kgfuse.extract.registry import available, load, load_some
from kgfuse.extract.resolve import Resolution, resolve
from kgfuse.extract.running import outcomes
from kgfuse.extract.settings import ExtractSettings
from kgfuse.ontology import Vocabulary, load_all
from kgfuse.sources.language import NAMES, language
from kgfuse.terms.mentions import Extraction, Mention, Node, Source, Statement, TextSpan, Value
from kgfuse.terms.namespaces import KGF, OWL, RDFS, source_iri

_BATCH: Final = 32
_CLASSES: Final = frozenset((OWL + "Class", RDFS + "Class"))

Ran: TypeAlias = tuple[tuple[Source, ...], list[list[Extraction | str]]]
"""Sources, and for each what the extractors gave: an extraction, or the sentence that says why there is none."""
Run: TypeAlias = Callable[[Iterable[tuple[Source, ...]]], Iterator[Ran]]
"""Runs extractors on batches of texts and yields the batches in order."""


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
        language: of all texts, as an ISO 639 code; ``None`` lets each text tell.

    Attributes:
        settings: with the names of the extractors that are used.

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
        *,
        language: str | None = None,
    ) -> None:
        self.vocabulary = vocabulary
        self.language = language
        self.settings = settings or ExtractSettings()
        files = [Path(name) for name in self.settings.gazetteers]
        self._gazetteer = Gazetteer(files, vocabulary) if files else None
        if extractors is not None:
            self.extractors = tuple(extractors)
            return
        named = self.settings.extractors
        found: dict[str, Extractor] = {}
        if named is not None:
            found = {name: load(name, vocabulary, self.settings) for name in named}
        else:
            for name in available():
                if name != "image":  # pictures need big models
                    found.update((name, e) for e in load_some([name], vocabulary, self.settings))
        found = {name: e for name, e in found.items() if "text" in e.kinds}
        self.extractors = tuple(found.values())
        self.settings = self.settings.model_copy(update={"extractors": tuple(found)})

    def read(self, texts: Iterable[tuple[str, str]], run: Run | None = None) -> Iterator[Document]:
        """Yield one document per (name, text), in order; what one holds does not depend on the others.

        Args:
            texts: names and texts; a few at a time are taken and held.
            run: runs the extractors elsewhere, such as in other processes; ``None`` is here.
        """
        for sources, rows in (run or self._run)(_batches(texts)):
            for source, found in zip(sources, rows, strict=True):
                yield self._read(source, found)

    def _read(self, source: Source, found: Sequence[Extraction | str]) -> Document:
        """A document of what was found by the extractors that read the language of its text."""
        said = language(source.text or "") if self.language is None else self.language
        fitting = [one for e, one in zip(self.extractors, found, strict=True) if reads(e, "text", said)]
        problem = next((one for one in fitting if isinstance(one, str)), "")
        if self.extractors and not fitting:
            known = NAMES.get(said, f"the language {said!r}")
            problem = f"is in {known}, for which there is no model; say --language en where that is wrong"
        if problem:
            return Document(source.name, source.text or "", problem=problem)
        return self._document(source, [one for one in fitting if isinstance(one, Extraction)])

    def _run(self, batches: Iterable[tuple[Source, ...]]) -> Iterator[Ran]:
        for sources in batches:
            columns = [outcomes(extractor, sources) for extractor in self.extractors]
            yield sources, [[column[n] for column in columns] for n in range(len(sources))]

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


def _batches(texts: Iterable[tuple[str, str]]) -> Iterator[tuple[Source, ...]]:
    rest = iter(texts)
    while batch := tuple(_source(name, text) for name, text in islice(rest, _BATCH)):
        yield batch


def _source(name: str, text: str) -> Source:
    sha256 = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return Source(source_iri(name), name, "text", "text/plain", sha256, text=text)


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
