"""One parsed piece of text with what is known of its source: from tokens to mentions with exact offsets."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from kgfuse.extract.text.assertion import PLAIN, Standing, standing
from kgfuse.extract.text.clauses import phrase
from kgfuse.extract.text.coreference import Topic
from kgfuse.extract.text.lexicon import Hit, Word, find_name, find_phrase, fold
from kgfuse.extract.text.sentence import Sentence
from kgfuse.extract.values import ValueSpan, find_values
from kgfuse.extract.values.facets import Facets
from kgfuse.ontology.pack import Property, Term
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.mentions import Mention, Source, TextSpan
from kgfuse.terms.namespaces import OWL, RDFS, SKOS

CLASS_RANGES: Final = frozenset((RDFS + "Class", OWL + "Class", SKOS + "Concept", RDFS + "Resource"))
MEASURES: Final = frozenset(("DATE", "TIME", "PERCENT", "MONEY", "QUANTITY", "ORDINAL", "CARDINAL"))


@dataclass
class Reading:
    """A parsed piece of a source.

    Args:
        doc: the parse.
        source: whose text it is.
        offset: where the piece starts in the stored text.
        hits: lexicon matches.
        vocabulary: what the terms mean.
        topic: of the text so far.
        words: the word pieces of the parse.
        sentences: of the parse.
        entities: use named entities.
        facets: of properties.
        support: by the place of a mention, further places that it rests on (antecedents, long forms, shared words),
            and what to tell people about them.
        labels: tokens that name the item.
        known: mentions of named entities, by their tokens.
        things: what nouns and verbs name, by their token.
        taken_up: what pronouns and nouns with "the" take up, by their token; ``None`` where that is nothing.
        unclear: nouns with "the" that may take up several things, by their token.
    """

    doc: Any
    source: Source
    offset: int
    hits: list[Hit]
    vocabulary: Vocabulary
    topic: Topic
    words: Sequence[Word]
    sentences: Sequence[Sentence]
    entities: bool = True
    facets: Mapping[str, Facets] = field(default_factory=dict)
    support: dict[TextSpan, tuple[str, tuple[Mention, ...]]] = field(default_factory=dict)
    labels: list[tuple[int, int]] = field(default_factory=list)
    known: dict[tuple[int, int], Mention] = field(default_factory=dict)
    things: dict[int, Mention] = field(default_factory=dict)
    taken_up: dict[int, tuple[Mention, float] | None] = field(default_factory=dict)
    unclear: dict[int, bool] = field(default_factory=dict)
    _sentences: dict[int, Mention] = field(default_factory=dict)
    _is_name: dict[int, bool] = field(default_factory=dict)
    _hit_at: dict[int, Hit] = field(default_factory=dict)
    ner_at: dict[int, Any] = field(default_factory=dict)
    short_at: dict[int, tuple[int, int, Mention]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.source.item_label:
            self.labels = find_name(self.words, self.source.item_label)
        if not self.labels and self.topic.alias:
            self.labels = list(find_phrase(self.words, self.topic.alias))
        self._hit_at = {i: hit for hit in self.hits for i in range(hit.start, hit.end)}
        if self.entities:
            used = [e for e in self.doc.ents if e.label_ in MEASURES or self.is_name(e)]
            self.ner_at = {i: e for e in used for i in range(e.start, e.end)}
        if self.labels and self.topic.named is None and self.source.item is not None:
            self.topic.named = self.item(*self.labels[0])

    # values

    @cached_property
    def values(self) -> list[ValueSpan]:
        """Values of the piece, in characters of the piece."""
        return find_values(self.doc.text)

    def characters(self, start: int, end: int) -> TextSpan:
        """Exact characters of a stretch of the piece."""
        a, b = self.offset + start, self.offset + end
        return TextSpan(a, b, (self.source.text or "")[a:b])

    def value_near(self, token: Any) -> ValueSpan | None:
        """The value whose words cover a token, or stand in its noun phrase."""
        start, end = self.extent(token)
        near = [v for v in self.values if v.start < end and start < v.end]
        at = token.idx
        return next((v for v in near if v.start <= at < v.end), near[0] if near else None)

    def extent(self, token: Any) -> tuple[int, int]:
        """Characters of a token's phrase, and of the measure around it."""
        start, end = phrase(token)
        ent = self.ner_at.get(token.i)
        if ent is not None:
            start, end = min(start, ent.start), max(end, ent.end)
        a, b = self.doc[start].idx, self.doc[end - 1].idx + len(self.doc[end - 1])
        for value in self.values:
            if value.start <= token.idx < value.end:
                a, b = min(a, value.start), max(b, value.end)
        return a, b

    # mentions

    def span(self, start: int, end: int) -> TextSpan:
        """Exact characters of tokens ``start`` to ``end`` (exclusive)."""
        first, last = self.doc[start], self.doc[end - 1]
        a, b = self.offset + first.idx, self.offset + last.idx + len(last)
        return TextSpan(a, b, (self.source.text or "")[a:b])

    def mention(self, start: int, end: int, label: str, extractor: str, **more: Any) -> Mention:
        """A mention of these tokens."""
        return Mention(self.source.iri, self.span(start, end), label, extractor, **more)

    def item(self, start: int, end: int, extractor: str = "text.subject") -> Mention:
        """A mention of the source's item."""
        label = self.source.item_label or self.doc[start:end].text
        return self.mention(start, end, label, extractor, types=self.source.item_types, entity=self.source.item)

    def is_name(self, ent: Any) -> bool:
        """True for an entity that is named, not measured, and written like a name."""
        if ent.start not in self._is_name:
            self._is_name[ent.start] = ent.label_ not in MEASURES and any(
                t.text[:1].isupper() and t.pos_ in ("PROPN", "ADJ", "NOUN") for t in ent
            )
        return self._is_name[ent.start]

    def sentence(self, token: Any) -> Mention:
        """The sentence around a token, without the space at its edges."""
        number = bisect_right(self._starts, token.i) - 1
        if number in self._sentences:
            return self._sentences[number]
        start, end = self._starts[number], self._starts[number + 1]
        while start < end - 1 and self.doc[start].is_space:
            start += 1
        while end - 1 > start and self.doc[end - 1].is_space:
            end -= 1
        return self._sentences.setdefault(number, self.mention(start, end, "", "text.sentence"))

    def said(self, anchor: Any, target: Any, subject: Any = None) -> Standing:
        """How the text stands to a relation: `standing`, which most sentences need not be asked for."""
        number = bisect_right(self._starts, anchor.i) - 1
        inside = self._starts[number] <= target.i < self._starts[number + 1]
        return PLAIN if inside and self.sentences[number].is_plain else standing(anchor, target, subject)

    def names_in(self, sent: Any) -> list[Any]:
        """Named entities of a sentence."""
        return self._names.get(sent.start, []) if self.entities else []

    @cached_property
    def _starts(self) -> list[int]:
        return [*(sentence.span.start for sentence in self.sentences), len(self.doc)]

    @cached_property
    def _names(self) -> dict[int, list[Any]]:
        """Named entities by the first token of their sentence."""
        found: dict[int, list[Any]] = {}
        for ent in self.doc.ents:
            if self.is_name(ent):
                found.setdefault(self._starts[bisect_right(self._starts, ent.start) - 1], []).append(ent)
        return found

    def hit_at(self, token: Any) -> Hit | None:
        """The lexicon match that covers a token."""
        return self._hit_at.get(token.i)

    def siblings(self, token: Any) -> list[Any]:
        """Tokens of the names that share a token with its own: "North" for "Korea" in "North and South Korea"."""
        return [self.doc[hit.end - 1] for shared, hit in self._sharing if shared[0] <= token.i < shared[1]]

    @cached_property
    def _sharing(self) -> list[tuple[tuple[int, int], Hit]]:
        return [(hit.shared, hit) for hit in self.hits if hit.shared is not None]

    def rests_on(self, mention: Mention) -> tuple[str, tuple[Mention, ...]]:
        """What else a mention rests on, and what to tell people about it: see ``support``.

        A word for the item rests on the place that first names it.
        """
        place, named = mention.selector, self.topic.named
        if isinstance(place, TextSpan) and place in self.support:
            return self.support[place]
        is_item = self.source.item is not None and mention.entity == self.source.item
        if not is_item or named is None or mention.extractor == "text.part" or not isinstance(place, TextSpan):
            return "", ()
        first = named.selector
        if not isinstance(first, TextSpan) or place.start <= first.start or fold(first.exact) == fold(place.exact):
            return "", ()
        return f"{place.exact} = “{first.exact}” ({first.start}–{first.end})", (named,)

    def in_label(self, token: Any) -> bool:
        """True where the token is part of the item's name."""
        return any(start <= token.i < end for start, end in self.labels)

    # terms

    def accepts(self, prop: Property, term: Term) -> bool:
        """True where the term is declared to be in the property's range, or the range is open."""
        if term.kind == "class":
            return not CLASS_RANGES.isdisjoint(prop.range)
        if not prop.range:
            return True
        above = {a for t in term.types for a in self.vocabulary.ancestors(t)}
        return not above.isdisjoint(prop.range)

    def term_for(self, hit: Hit, prop: Property) -> Term | None:
        """The term of a match that the property takes, a class first; none of several things that share the name."""
        fitting = [t for t in hit.terms if self.accepts(prop, t)]
        found = next((t for t in fitting if t.kind == "class"), fitting[0] if fitting else None)
        if found is None or found.kind == "class":
            return found
        names = {name.casefold() for name in found.names}
        others = [t for t in fitting if t.iri != found.iri and not names.isdisjoint(map(str.casefold, t.names))]
        return None if others else found

    def take_up(self, here: TextSpan, there: Mention) -> None:
        """Note that words stand for what was named before, at another place."""
        self.support[here] = (f"{here.exact} = “{exact_of(there)}” ({offsets_of(there)})", (there,))


def exact_of(mention: Mention) -> str:
    """The words of a mention."""
    return mention.selector.exact if isinstance(mention.selector, TextSpan) else mention.label


def offsets_of(mention: Mention) -> str:
    """Where a mention stands, for people."""
    place = mention.selector
    return f"{place.start}–{place.end}" if isinstance(place, TextSpan) else "elsewhere"


def root_of(reading: Reading, hit: Hit) -> Any:
    """The syntactic head of a match."""
    inside = range(hit.start, hit.end)
    return next(t for t in reading.doc[hit.start : hit.end] if t.head.i not in inside or t.head == t)


def main_subject(sent: Any) -> Any | None:
    """The subject of a sentence's root."""
    return next((c for c in sent.root.children if c.dep_ in ("nsubj", "nsubjpass")), None)
