"""The text extractor: spaCy's parse, the vocabulary's names and triggers → mentions and statements with their words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from kgfuse.extract.protocol import Found
from kgfuse.extract.settings import TextSettings
from kgfuse.extract.text.coreference import Topic
from kgfuse.extract.text.discourse import note, note_abbreviations, note_names, note_others
from kgfuse.extract.text.ellipsis import elliptic_hits
from kgfuse.extract.text.lexicon import Lexicon, fold, words_of
from kgfuse.extract.text.misread import Misread
from kgfuse.extract.text.nlp import load, model_hash, model_view, pieces
from kgfuse.extract.text.patterns import Patterns
from kgfuse.extract.text.reading import Reading, main_subject
from kgfuse.extract.text.sentence import Sentence
from kgfuse.extract.text.statements import mention_statements, relation_statements
from kgfuse.extract.text.sufficient import sufficient_statements
from kgfuse.extract.text.triggers import compile_triggers
from kgfuse.extract.values.facets import facets_of
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.mentions import Source, SourceKind, Statement
from kgfuse.terms.namespaces import digest

VERSION: Final = "6"


class TextExtractor:
    """Reads texts with a spaCy pipeline, the lexicon and the dependency patterns of a vocabulary.

    Args:
        vocabulary: what may be said.
        settings: how to read.
    """

    name = "text"
    kinds: frozenset[SourceKind] = frozenset(("text",))

    def __init__(self, vocabulary: Vocabulary, settings: TextSettings) -> None:
        self.settings = settings
        self.vocabulary = vocabulary
        self._nlp = load(settings.model)
        self._lexicon = Lexicon(vocabulary.lexicon if settings.lexicon else {})
        self._triggers = compile_triggers(vocabulary.properties.values() if settings.triggers else (), self._nlp)
        self._misread = Misread(self._nlp, self._triggers)
        self._facets = facets_of(vocabulary)
        self._patterns = Patterns(vocabulary, self._nlp) if settings.patterns else None
        meta = self._nlp.meta
        self.languages = frozenset((str(meta["lang"]),))
        self.parameters = {
            "settings": settings.model_dump(mode="json"),
            "model": f"{meta['lang']}_{meta['name']}",
            "model_version": meta["version"],
            "model_sha256": model_hash(settings.model),
            "vocabulary": vocabulary.sha256,
            "version": VERSION,
        }
        ignored = {"batch"}
        kept = {k: v for k, v in settings.model_dump(mode="json").items() if k not in ignored}
        self.fingerprint = digest(json.dumps({**self.parameters, "settings": kept}, sort_keys=True))

    def extract(self, source: Source) -> Iterable[Found]:
        """Yield what one text says."""
        return next(iter(self.extract_batch([source])))

    def extract_batch(self, sources: Sequence[Source]) -> Iterator[list[Found]]:
        """Yield one list per text, in order. The pipeline's result for a piece does not depend on its batch."""
        cut = [(n, at, piece) for n, s in enumerate(sources) for at, piece in pieces(s.text or "", self.settings.chunk)]
        docs = self._nlp.pipe((model_view(piece) for _, _, piece in cut), batch_size=self.settings.batch)
        found: list[Found] = []
        topic, current = Topic(), 0
        for (number, offset, _), doc in zip(cut, docs, strict=True):
            while current < number:
                yield found
                found, topic, current = [], Topic(), current + 1
            found += self._read(sources[number], offset, self._misread.mended(doc), topic)
        while current < len(sources):
            yield found
            found, current = [], current + 1

    def _read(self, source: Source, offset: int, doc: Any, topic: Topic) -> Iterator[Found]:
        if not len(doc):
            return
        if topic.sentences == 0:
            topic.alias = _alias(source, doc)
        words = words_of(doc)
        hits = self._lexicon.hits(doc, words)
        if shared := elliptic_hits(doc, words, self._lexicon, hits):
            covered = {i for hit in shared for i in range(hit.start, hit.end)}
            hits = [h for h in hits if covered.isdisjoint(range(h.start, h.end))]
            hits = sorted([*hits, *shared], key=lambda h: (h.start, h.end))
        entities = self.settings.entities
        sentences = [Sentence.of(sent) for sent in doc.sents]
        reading = Reading(doc, source, offset, hits, self.vocabulary, topic, words, sentences, entities, self._facets)
        note_abbreviations(reading)
        links = self._patterns.links(doc, sentences) if self._patterns else []
        for sentence in sentences:
            sent = sentence.span
            note_names(reading, sent)
            statements = list(relation_statements(reading, sentence, self._triggers, links, self.settings))
            if self.settings.suffices:
                statements += sufficient_statements(reading, sent, statements)
            yield from _with_mentions(statements)
            if (main := main_subject(sent)) is not None:
                note(reading, main)
            note_others(reading, sent, main)
            topic.sentences += 1
        nested = [inner for hit in hits for inner in self._lexicon.inside(doc, words, hit)]
        yield from mention_statements(reading, nested, self.settings)


def _with_mentions(statements: Iterable[Statement]) -> Iterator[Found]:
    for statement in statements:
        yield from statement.evidence
        yield statement


def _alias(source: Source, doc: Any) -> tuple[str, ...]:
    """The first sentence's subject, where the item's own label does not occur in the text: it names the topic."""
    if source.item is None:
        return ()
    label = fold(source.item_label or "")
    text = fold(doc.text)
    if label and any(text[n : n + len(label)] == label for n in range(len(text) - len(label) + 1)):
        return ()
    first = next((main_subject(s) for s in doc.sents if main_subject(s) is not None), None)
    if first is None or first.pos_ != "NOUN" or first.ent_type_ or any(c.dep_ == "poss" for c in first.children):
        return ()
    compounds = [c.lower_ for c in first.lefts if c.dep_ == "compound"]
    return tuple(fold(" ".join((*compounds, first.lemma_.lower()))))


def build(vocabulary: Vocabulary, settings: Any) -> TextExtractor:
    """Entry point of the group ``kgfuse.extractors``."""
    return TextExtractor(vocabulary, settings.text)
