"""One parsed piece of text with what is known of its source: from tokens to mentions with exact offsets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from kgfuse.extract.text.clauses import governors, phrase, subjects
from kgfuse.extract.text.english import (
    ARTICLES,
    BEARING,
    DEFINITE,
    GENERIC,
    LIGHT,
    POSSESSIVES,
    QUANTIFIERS,
    SUBJECT_PRONOUNS,
    singular,
)
from kgfuse.extract.text.lexicon import Hit, Word, find_phrase, fold
from kgfuse.extract.values import value_of
from kgfuse.ontology.pack import Property, Term
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.mentions import Mention, Source, TextSpan, Value
from kgfuse.terms.namespaces import OWL, RDFS, SKOS

CLASS_RANGES: Final = frozenset((RDFS + "Class", OWL + "Class", SKOS + "Concept", RDFS + "Resource"))
WHOLE: Final = 1.0
PART: Final = 0.75
ANAPHOR: Final = 0.9
_EMPTY: Final = frozenset(("PRON", "DET", "NUM", "PUNCT", "SPACE", "PART", "ADP", "AUX", "SCONJ", "CCONJ"))
_MEASURES: Final = frozenset(("DATE", "TIME", "PERCENT", "MONEY", "QUANTITY", "ORDINAL", "CARDINAL"))
OTHER: Final = 0.8


@dataclass(frozen=True, slots=True)
class Subject:
    """Who a statement is about, how sure that is, and what to tell people about it."""

    mention: Mention
    certainty: float
    note: str = ""


@dataclass
class Topic:
    """What the text has been about so far; carried from piece to piece of one source."""

    alias: tuple[str, ...] = ()
    last: Mention | None = None
    last_plural: bool = False
    sentences: int = 0


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
        entities: use named entities.
    """

    doc: Any
    source: Source
    offset: int
    hits: list[Hit]
    vocabulary: Vocabulary
    topic: Topic
    words: Sequence[Word]
    entities: bool = True
    labels: list[tuple[int, int]] = field(default_factory=list)
    _hit_at: dict[int, Hit] = field(default_factory=dict)
    _ner_at: dict[int, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.source.item_label:
            self.labels = list(find_phrase(self.words, fold(self.source.item_label)))
        if not self.labels and self.topic.alias:
            self.labels = list(find_phrase(self.words, self.topic.alias))
        self._hit_at = {i: hit for hit in self.hits for i in range(hit.start, hit.end)}
        if self.entities:
            self._ner_at = {t.i: e for e in self.doc.ents for t in e if self.is_name(e) or e.label_ in _MEASURES}

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
        return ent.label_ not in _MEASURES and any(
            t.text[:1].isupper() and t.pos_ in ("PROPN", "ADJ", "NOUN") for t in ent
        )

    def sentence(self, token: Any) -> Mention:
        """The sentence around a token, without the space at its edges."""
        sent = token.sent
        start, end = sent.start, sent.end
        while start < end - 1 and self.doc[start].is_space:
            start += 1
        while end - 1 > start and self.doc[end - 1].is_space:
            end -= 1
        return self.mention(start, end, "", "text.sentence")

    def hit_at(self, token: Any) -> Hit | None:
        """The lexicon match that covers a token."""
        return self._hit_at.get(token.i)

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
        """The one term of a match that the property takes: a class first where it takes classes."""
        return next((t for t in hit.terms if self.accepts(prop, t)), None)

    # subjects

    def subject(self, token: Any | None, anchor: Any) -> Subject | None:
        """Whom a clause is about; ``None`` where that cannot be told."""
        if token is None:
            return Subject(self.item(anchor.i, anchor.i + 1), ANAPHOR) if self.source.item else None
        if self.source.item is None:
            return self._without_item(token)
        start, end = phrase(token)
        for a, b in self.labels:
            if a <= token.i < b:
                return Subject(self.item(a, b), WHOLE)
            if b == token.i and start <= a and self._is_anaphor(token, token.lemma_.lower()):
                return Subject(self.item(a, token.i + 1), WHOLE)
        if token.dep_ == "ROOT" and token.pos_ == "NOUN":
            return Subject(self.item(start, end), ANAPHOR)
        if token.pos_ in ("PRON", "DET") or (token.lower_ in QUANTIFIERS and token.pos_ != "NOUN"):
            return self._pronoun(token)
        owners = [c for c in token.children if c.dep_ == "poss"]
        if any(c.lower_ in POSSESSIVES or self.in_label(c) for c in owners):
            return self._part(token, start, end)
        definite = any(c.lower_ in DEFINITE for c in token.children if c.dep_ in ("det", "predet", "amod"))
        if definite and token.i not in self._ner_at and not owners:
            return self._definite(token, start, end)
        if token.lemma_.lower() == "one" or self._is_part(token, anchor):
            return self._part(token, start, end)
        return Subject(self.thing(token), OTHER)

    def _is_part(self, token: Any, anchor: Any) -> bool:
        """True for a noun that the sentence gives the item as a part ("has wings made of steel", "with a tip")."""
        if token == anchor or token.head == token:
            return False
        head: Any = token
        while head.dep_ == "conj":
            head = head.head
        if head.dep_ == "dobj" and head.head.lemma_.lower() in BEARING and head.head != anchor:
            return self.is_about_item(head.head) is not None
        if head.dep_ == "pobj" and head.head.lower_ == "with" and head.head.head != anchor:
            return self.is_about_item(head.head) is not None
        return False

    def _without_item(self, token: Any) -> Subject | None:
        generic = token.lemma_.lower() in GENERIC and any(c.lower_ in DEFINITE for c in token.children)
        if token.pos_ == "PRON" or (generic and self.topic.last is not None):
            if self.topic.last is None or token.lower_ not in SUBJECT_PRONOUNS | {token.lower_} - {"i", "you", "we"}:
                return None
            here = self.span(token.i, token.i + 1)
            return Subject(replace(self.topic.last, selector=here, extractor="text.subject"), OTHER, "pronoun")
        return Subject(self.thing(token), WHOLE)

    def _pronoun(self, token: Any) -> Subject | None:
        word = token.lower_
        if word in SUBJECT_PRONOUNS or word in QUANTIFIERS or word in ("them", "itself", "themselves"):
            if word == "they" and self.topic.last is not None and self.topic.last_plural:
                here = self.span(token.i, token.i + 1)
                return Subject(replace(self.topic.last, selector=here, extractor="text.subject"), OTHER, "pronoun")
            return Subject(self.item(token.i, token.i + 1), ANAPHOR)
        return None

    def _definite(self, token: Any, start: int, end: int) -> Subject | None:
        lemma = token.lemma_.lower()
        if self._is_anaphor(token, lemma):
            return Subject(self.item(start, end), ANAPHOR)
        wholes = [o for c in token.children if c.dep_ == "prep" and c.lower_ == "of" for o in c.children]
        if wholes and not any(self.in_label(o) or self._is_anaphor(o, o.lemma_.lower()) for o in wholes):
            return Subject(self.thing(token), OTHER)
        return self._part(token, start, end)

    def _is_anaphor(self, token: Any, lemma: str) -> bool:
        if token.lower_ == "it" or lemma in GENERIC:
            return True
        name = fold(self.source.item_label or "")
        if name and singular(name[-1]) in (lemma, singular(token.lower_)) and len(name) > 1:
            return not any(c.dep_ == "compound" for c in token.children)
        hit = self.hit_at(token)
        return hit is not None and hit.end == token.i + 1 and any(t.kind == "class" for t in hit.terms)

    def _part(self, token: Any, start: int, end: int) -> Subject:
        name = self.doc[start:end].text
        return Subject(self.item(start, end, "text.part"), PART, f"said of “{name}”")

    # things

    def thing(self, token: Any, prop: Property | None = None) -> Mention:
        """A noun or verb phrase as a mention: lexicon entry, named entity, or its normalised words."""
        ent = self._ner_at.get(token.i)
        hit = self.hit_at(token)
        start, end = phrase(token) if token.pos_ != "VERB" else (token.i, token.i + 1)
        if hit is not None and not (hit.weak and prop is None):
            term = self._term(hit, prop)
            if term is not None and hit.start <= start and hit.end >= end:
                return self._of_term(hit, term)
        if ent is not None and self.is_name(ent) and not any(self.in_label(t) for t in ent):
            return self.named(ent)
        if token.pos_ == "VERB":
            return self._activity(token)
        types: tuple[str, ...] = ()
        if hit is not None and hit.end == end:
            term = self._term(hit, prop)
            types = () if term is None else ((term.iri,) if term.kind == "class" else ())
        if hit is not None and hit.start < start:
            start = hit.start
        return self.mention(start, end, self._label(start, end), "text.phrase", types=types)

    def _term(self, hit: Hit, prop: Property | None) -> Term | None:
        if prop is not None:
            found = self.term_for(hit, prop)
            if found is not None:
                return found
        return hit.terms[0] if len(hit.terms) == 1 else None

    def _of_term(self, hit: Hit, term: Term) -> Mention:
        label = term.label
        if term.kind == "class":
            name = self._label(hit.start, hit.end)
            return self.mention(hit.start, hit.end, name, "text.lexicon", types=(term.iri,), confidence=0.95)
        more: dict[str, Any] = {"types": term.types, "entity": term.iri, "confidence": 0.95}
        return self.mention(hit.start, hit.end, label, "text.lexicon", **more)

    def class_mention(self, hit: Hit, term: Term) -> Mention:
        """A match read as the class itself, not as one of its members."""
        more: dict[str, Any] = {"types": (OWL + "Class",), "entity": term.iri, "confidence": 0.95}
        return self.mention(hit.start, hit.end, term.label, "text.lexicon", **more)

    def term_mention(self, hit: Hit, term: Term) -> Mention:
        """A match read as the object of a property that takes the term."""
        return self.class_mention(hit, term) if term.kind == "class" else self._of_term(hit, term)

    def named(self, ent: Any) -> Mention:
        """A named entity, without article and possessive ending, typed by the class with its ``kgf:nerLabel``."""
        start, end = ent.start, ent.end
        while start < end - 1 and (self.doc[start].lower_ in ARTICLES or self.doc[start].is_space):
            start += 1
        if end - 1 > start and self.doc[end - 1].lower_ in ("'s", "'"):
            end -= 1
        cls = self.vocabulary.ner_classes.get(ent.label_)
        types = (cls,) if cls else ()
        return self.mention(
            start, end, " ".join(self.doc[start:end].text.split()), "text.ner", types=types, confidence=0.8
        )

    def _activity(self, verb: Any) -> Mention:
        direct = next((c for c in verb.children if c.dep_ in ("dobj", "obj") and c.i > verb.i), None)
        if direct is None:
            return self.mention(verb.i, verb.i + 1, verb.lemma_.lower(), "text.phrase")
        a, b = phrase(direct)
        label = f"{verb.lemma_.lower()} {self._label(a, b)}"
        return self.mention(verb.i, b, label, "text.phrase")

    def _label(self, start: int, end: int) -> str:
        head = self.doc[end - 1]
        words = [t.text if t.pos_ == "PROPN" else t.lower_ for t in self.doc[start : end - 1] if not t.is_space]
        last = head.text if head.pos_ == "PROPN" else (head.lemma_.lower() or head.lower_)
        return " ".join((*words, last)).replace(" - ", "-")

    # objects

    def object(self, token: Any, prop: Property) -> Mention | Value | None:
        """What a property's object token stands for; ``None`` where it names nothing."""
        if prop.kind == "data":
            return self._value(token, prop)
        if token.pos_ in _EMPTY:
            it = token.lower_ == "it" and self.source.item
            return self.item(token.i, token.i + 1) if it else None
        hit = self.hit_at(token) or (self._inside(token, prop) if token.pos_ == "VERB" else None)
        term = self.term_for(hit, prop) if hit is not None else None
        if term is None and self.source.item and self.in_label(token) and token.pos_ != "VERB":
            return self.item(*next((a, b) for a, b in self.labels if a <= token.i < b))
        if hit is not None and (token.pos_ == "VERB" or self._covers(hit, token)):
            if term is not None:
                return self.term_mention(hit, term)
            if hit.end == token.i + 1 and all(t.kind == "individual" for t in hit.terms):
                return self._of_term(hit, hit.terms[-1])
        ent = self._ner_at.get(token.i)
        if token.pos_ in ("ADJ", "ADV", "INTJ", "X") or token.lemma_.lower() in LIGHT or token.is_stop:
            return None
        return None if ent is not None and ent.label_ in _MEASURES else self.thing(token, prop)

    def _value(self, token: Any, prop: Property) -> Value | None:
        start, end = phrase(token)
        ent = self._ner_at.get(token.i)
        if ent is not None:
            start, end = min(start, ent.start), max(end, ent.end)
        return value_of(self.doc[start:end].text, prop.range)

    def _covers(self, hit: Hit, token: Any) -> bool:
        """True where a match is all of a noun phrase but for qualities, numbers and the like."""
        start, _ = phrase(token)
        qualities = ("ADJ", "VERB", "NUM", "ADV", "CCONJ", "PUNCT")
        return all(t.pos_ in qualities for t in self.doc[start : hit.start])

    def _inside(self, verb: Any, prop: Property) -> Hit | None:
        """A term of the range inside a verb phrase: "for playing folk songs" names a use by its object."""
        for child in verb.children:
            if child.dep_ in ("dobj", "obj") and child.i > verb.i:
                hit = self.hit_at(child)
                if hit is not None and self.term_for(hit, prop) is not None:
                    return hit
        return None

    def note(self, token: Any) -> None:
        """Remember the main subject of a sentence for the pronouns of the next one."""
        if token.pos_ in ("PRON", "DET") or self.in_label(token):
            if token.lower_ != "they":
                self.topic.last, self.topic.last_plural = None, False
            return
        about = self.subject(token, token)
        other = about is not None and (about.mention.entity is None or about.mention.entity != self.source.item)
        self.topic.last = about.mention if about is not None and (other or not self.source.item) else None
        self.topic.last_plural = self.topic.last is not None and token.tag_ in ("NNS", "NNPS")

    def is_about_item(self, token: Any) -> Subject | None:
        """The subject of the clause around a token where that is the item or a part of it."""
        found = subjects(token)
        if found is None:
            return self.subject(None, token)
        for one in found:
            about = self.subject(one, token)
            if about is not None and about.mention.entity == self.source.item and self.source.item:
                return about
        return None


def root_of(reading: Reading, hit: Hit) -> Any:
    """The syntactic head of a match."""
    inside = range(hit.start, hit.end)
    return next(t for t in reading.doc[hit.start : hit.end] if t.head.i not in inside or t.head == t)


def main_subject(sent: Any) -> Any | None:
    """The subject of a sentence's root."""
    return next((c for c in sent.root.children if c.dep_ in ("nsubj", "nsubjpass")), None)


def chain(token: Any) -> list[Any]:
    """The token and its governors up to the root."""
    return list(governors(token))
