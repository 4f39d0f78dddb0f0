"""Sources read without a workspace: each document alone, with what it names, what it states and what was turned away.

The same extractors, resolution and gate as in a workspace; nothing is stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final, TypeAlias

from kgfuse.extract.document import Document, End, Place, Spot, Stated, extent, reading_order
from kgfuse.extract.identity.gazetteer import Gazetteer
from kgfuse.extract.image.likeness import PERCEPTUAL_HASH
from kgfuse.extract.protocol import Extractor, kinds_read, reads
from kgfuse.extract.registry import available, load, load_some
from kgfuse.extract.resolve import Resolution, resolve
from kgfuse.extract.running import outcomes
from kgfuse.extract.settings import ExtractSettings
from kgfuse.ontology import Vocabulary, load_all
from kgfuse.sources.language import language, without_model
from kgfuse.terms.mentions import Extraction, Mention, Node, Region, Source, SourceKind, Statement, TextSpan, Value
from kgfuse.terms.namespaces import KGF, OWL, RDFS, source_iri

_BATCH: Final = 32
_CLASSES: Final = frozenset((OWL + "Class", RDFS + "Class"))
_BETWEEN: Final = frozenset((PERCEPTUAL_HASH,))
"""What only serves to compare the sources of a workspace."""
_KINDS: Final = frozenset[SourceKind](("text", "image"))

Ran: TypeAlias = tuple[tuple[Source, ...], list[list[Extraction | str | None]]]
"""Sources, and for each what the extractors gave: an extraction, the sentence that says why there is none, or ``None``
where the extractor does not read this kind."""
Run: TypeAlias = Callable[[Iterable[tuple[Source, ...]]], Iterator[Ran]]
"""Runs extractors on batches of sources and yields the batches in order."""


def ontology_of(*specs: str) -> Vocabulary:
    """The vocabulary of packs (by name or folder) or ontology files, with all that they import.

    Raises:
        PackError: one is missing or broken; names file and line.
    """
    return Vocabulary(load_all(specs))


class Reader:
    """Reads texts, transcripts and pictures with every extractor of these that the settings name.

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
                found.update((name, e) for e in load_some([name], vocabulary, self.settings))
        found = {name: e for name, e in found.items() if e.kinds & _KINDS}
        self.extractors = tuple(found.values())
        self.settings = self.settings.model_copy(update={"extractors": tuple(found)})

    def read(self, texts: Iterable[tuple[str, str]]) -> Iterator[Document]:
        """Yield one document per (name, text), in order; what one holds does not depend on the others."""
        yield from self.read_sources(text_source(name, text) for name, text in texts)

    def read_sources(self, sources: Iterable[Source], run: Run | None = None) -> Iterator[Document]:
        """Yield one document per text, transcript or picture, in order.

        Args:
            sources: a few at a time are taken and held.
            run: runs the extractors elsewhere, such as in other processes; ``None`` is here.
        """
        for batch, rows in (run or self._run)(_batches(sources)):
            for source, found in zip(batch, rows, strict=True):
                yield self._read(source, found)

    def _read(self, source: Source, found: Sequence[Extraction | str | None]) -> Document:
        """A document of what was found by the extractors that read its kind and, of texts, its language."""
        said = "" if source.text is None else self._language(source)
        fitting = [one for e, one in zip(self.extractors, found, strict=True) if reads(e, source.kind, said)]
        problem = next((one for one in fitting if isinstance(one, str)), "")
        if self.extractors and not fitting:
            problem = self._unread(source.kind, said)
        document = Document(
            source.name,
            source.text or "",
            problem=problem,
            kind=source.kind,
            media_type=source.media_type,
            path=source.path,
        )
        return (
            document if problem else self._filled(document, source, [e for e in fitting if isinstance(e, Extraction)])
        )

    def _unread(self, kind: SourceKind, said: str) -> str:
        if any(kind in kinds_read(e) for e in self.extractors):
            return f"{without_model(said)}; say --language en where that is wrong"
        return f"is not read: extract.extractors names {', '.join(e.name for e in self.extractors)} only"

    def _language(self, source: Source) -> str:
        return self.language if self.language is not None else source.language or language(source.text or "")

    def _run(self, batches: Iterable[tuple[Source, ...]]) -> Iterator[Ran]:
        for sources in batches:
            rows: list[list[Extraction | str | None]] = [[None] * len(self.extractors) for _ in sources]
            for column, extractor in enumerate(self.extractors):
                mine = [n for n, source in enumerate(sources) if source.kind in kinds_read(extractor)]
                for n, found in zip(mine, outcomes(extractor, [sources[n] for n in mine]), strict=True):
                    rows[n][column] = found
            yield sources, rows

    def _filled(self, document: Document, source: Source, extractions: Sequence[Extraction]) -> Document:
        resolution = resolve(extractions, self.vocabulary, {}, self.settings, gazetteer=self._gazetteer)
        away = {r.statement: r for r in resolution.rejected}
        said = {s for e in extractions for s in e.statements if s.predicate not in _BETWEEN}
        candidates = sorted(said, key=_order)
        stated = {s: _stated(s, resolution, self.vocabulary, source) for s in candidates}
        turned = [replace(stated[s], rule=away[s].rule, why=away[s].reason) for s in candidates if s in away]
        return replace(
            document,
            places=_places(extractions, resolution),
            statements=_merged(stated[s] for s in candidates if s not in away),
            rejected=_merged(turned),
        )


def text_source(name: str, text: str) -> Source:
    """A text that is at hand as a source."""
    sha256 = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return Source(source_iri(name), name, "text", "text/plain", sha256, text=text)


def _batches(sources: Iterable[Source]) -> Iterator[tuple[Source, ...]]:
    rest = iter(sources)
    while batch := tuple(islice(rest, _BATCH)):
        yield batch


def _spots(mentions: Iterable[Mention]) -> list[Spot]:
    return [m.selector for m in mentions if isinstance(m.selector, TextSpan | Region)]


def _order(statement: Statement) -> tuple[tuple[int, ...], tuple[int, ...], str]:
    spots = _spots(statement.evidence) or [TextSpan(0, 0, "")]
    smallest = min(spots, key=lambda spot: (extent(spot), reading_order(spot)))
    return min(map(reading_order, spots)), reading_order(smallest), repr(statement)


def _stated(statement: Statement, resolution: Resolution, vocabulary: Vocabulary, source: Source) -> Stated:
    subject, value = resolution.ends[statement]
    return Stated(
        _end(statement.subject, subject, statement, vocabulary, source),
        statement.predicate,
        _end(statement.object, value, statement, vocabulary, source),
        statement.confidence,
        (statement.extractor,),
        statement.reason,
        tuple(sorted(set(_spots(statement.evidence)), key=reading_order)),
    )


def _end(
    node: Node | Value, resolved: str | Value, statement: Statement, vocabulary: Vocabulary, source: Source
) -> End:
    if isinstance(resolved, Value):
        return End(resolved.lexical, value=resolved, at=literal_place(statement))
    if isinstance(node, Mention):
        at = next(iter(_spots([node])), None)
        exact = at.exact if isinstance(at, TextSpan) else ""
        return End(node.label or exact or resolved, resolved, at=at)
    return End(source.name if resolved == source.iri else vocabulary.label(resolved), resolved)


def literal_place(statement: Statement) -> Spot | None:
    """Where the literal of a statement stands: the smallest of its evidence that is not the subject."""
    subject = statement.subject.selector if isinstance(statement.subject, Mention) else None
    spots = [spot for spot in _spots(statement.evidence) if spot != subject]
    return min(spots, key=lambda spot: (extent(spot), reading_order(spot)), default=None)


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
                evidence=tuple(sorted({e for s in group for e in s.evidence}, key=reading_order)),
            )
        )
    return tuple(merged)


def _places(extractions: Iterable[Extraction], resolution: Resolution) -> tuple[Place, ...]:
    """Mentions with a name, one for each place; whole sentences have none."""
    at: dict[Spot, list[Mention]] = {}
    for extraction in extractions:
        for mention in extraction.mentions:
            if mention.label and isinstance(mention.selector, TextSpan | Region):
                at.setdefault(mention.selector, []).append(mention)
    named: dict[Spot, str] = {}
    for statement, ends in resolution.ends.items():
        for node, iri in zip((statement.subject, statement.object), ends, strict=True):
            if isinstance(node, Mention) and isinstance(iri, str):
                for spot in _spots([node]):
                    named[spot] = min(named.get(spot, iri), iri)
    return tuple(_place(spot, at[spot], named, resolution) for spot in sorted(at, key=_outer_first))


def _outer_first(spot: Spot) -> tuple[int, ...]:
    return (spot.start, -spot.end) if isinstance(spot, TextSpan) else (spot.y, spot.x, -extent(spot), spot.w)


def _place(spot: Spot, mentions: Sequence[Mention], named: Mapping[Spot, str], resolution: Resolution) -> Place:
    best = min(mentions, key=lambda m: (-m.confidence, m.extractor, m.label))
    iri = named.get(spot) or next((m.entity for m in mentions if m.entity), "")
    entity = resolution.entities.get(iri)
    types = {t for m in mentions for t in m.types} - _CLASSES
    types |= set(entity.types) - {KGF + "Entity"} if entity and not types else set()
    extractors = tuple(sorted({m.extractor for m in mentions}))
    return Place(spot, best.label, iri, tuple(sorted(types)), extractors, max(m.confidence for m in mentions))
