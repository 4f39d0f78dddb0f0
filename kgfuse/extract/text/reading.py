"""One parsed piece of text with what is known of its source: from tokens to mentions with exact offsets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

from kgfuse.extract.text.abbreviations import definitions
from kgfuse.extract.text.clauses import governors, phrase, subjects
from kgfuse.extract.text.coreference import PRONOUNS, Candidate, Topic, kinds_of
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
from kgfuse.extract.text.quantities import quantity_node, takes_quantities
from kgfuse.extract.values import ValueSpan, find_values, place_of
from kgfuse.extract.values.facets import NONE, Facets
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
        facets: units and patterns of properties.
        support: by the place of a mention, further places that it rests on (antecedents, long forms, shared words),
            and what to tell people about them.
    """

    doc: Any
    source: Source
    offset: int
    hits: list[Hit]
    vocabulary: Vocabulary
    topic: Topic
    words: Sequence[Word]
    entities: bool = True
    facets: Mapping[str, Facets] = field(default_factory=dict)
    support: dict[TextSpan, tuple[str, tuple[Mention, ...]]] = field(default_factory=dict)
    labels: list[tuple[int, int]] = field(default_factory=list)
    _hit_at: dict[int, Hit] = field(default_factory=dict)
    _ner_at: dict[int, Any] = field(default_factory=dict)
    _short_at: dict[int, tuple[int, int, Mention]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.source.item_label:
            self.labels = list(find_phrase(self.words, fold(self.source.item_label)))
        if not self.labels and self.topic.alias:
            self.labels = list(find_phrase(self.words, self.topic.alias))
        self._hit_at = {i: hit for hit in self.hits for i in range(hit.start, hit.end)}
        if self.entities:
            self._ner_at = {t.i: e for e in self.doc.ents for t in e if self.is_name(e) or e.label_ in _MEASURES}
        if self.labels and self.topic.named is None and self.source.item is not None:
            self.topic.named = self.item(*self.labels[0])
        self._read_abbreviations()

    def _read_abbreviations(self) -> None:
        """Learn the definitions of this piece, and find where short forms stand."""
        known = self.topic.abbreviations
        for found in definitions(self.doc.text):
            long = self.doc.char_span(found.long_start, found.long_end, alignment_mode="expand")
            if long is not None and found.short not in known:
                known[found.short] = self._long_form(long)
        for short, mention in known.items():
            for place in re.finditer(rf"(?<!\w){re.escape(short)}(?!\w)", self.doc.text):
                span = self.doc.char_span(*place.span())
                if span is not None:
                    self._short_at |= {t.i: (span.start, span.end, mention) for t in span}

    def _long_form(self, span: Any) -> Mention:
        start, end = span.start, span.end
        while start < end - 1 and self.doc[start].lower_ in ARTICLES:
            start += 1
        hit = self._hit_at.get(end - 1)
        if hit is not None and (hit.start, hit.end) == (start, end) and len(hit.terms) == 1:
            return self._of_term(hit, hit.terms[0])
        ent = self._ner_at.get(end - 1)
        cls = self.vocabulary.ner_classes.get(ent.label_) if ent is not None and ent.end == end else None
        label = " ".join(self.doc[start:end].text.split())
        return self.mention(start, end, label, "text.phrase", types=(cls,) if cls else ())

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
        start, end = self._extent(token)
        near = [v for v in self.values if v.start < end and start < v.end]
        at = token.idx
        return next((v for v in near if v.start <= at < v.end), near[0] if near else None)

    def _extent(self, token: Any) -> tuple[int, int]:
        """Characters of a token's phrase, and of the measure around it."""
        start, end = phrase(token)
        ent = self._ner_at.get(token.i)
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

    def siblings(self, token: Any) -> list[Any]:
        """Tokens of the names that share a token with its own: "North" for "Korea" in "North and South Korea"."""
        found = []
        for hit in self.hits:
            if hit.shared is not None and hit.shared[0] <= token.i < hit.shared[1]:
                found.append(self.doc[hit.end - 1])
        return found

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
        if (short := self.short_form(token)) is not None:  # the parser takes "WHO" for a pronoun
            return Subject(short, WHOLE)
        if token.pos_ in ("PRON", "DET"):
            found = self.antecedent(token)
            return None if found is None else Subject(found[0], found[1])
        return Subject(*(self.antecedent(token) or (self.thing(token), WHOLE)))

    # coreference

    def antecedent(self, token: Any) -> tuple[Mention, float] | None:
        """An earlier mention that a pronoun or a noun with "the" takes up, seen at this place, and how sure that is."""
        if token.pos_ in ("PRON", "DET"):
            if token.lower_ not in PRONOUNS:
                return None
            start, end = token.i, token.i + 1
            found = self._inside_sentence(token) or self.topic.pronoun(token.lower_, self.offset + token.idx)
        elif self._is_plain_definite(token):
            start, end = phrase(token)
            start = next((c.i for c in token.children if c.dep_ == "det" and c.i < start), start)
            found = self._definite_antecedent(token)
        else:
            return None
        if found is None:
            return None
        candidate, certainty = found
        there = candidate.mention
        here = replace(there, selector=self.span(start, end), extractor="text.subject")
        note = f"{self.doc[start:end].text} = “{_exact(there)}” ({_offsets(there)})"
        self.support[self.span(start, end)] = (note, (there,))
        return here, certainty

    def _inside_sentence(self, token: Any) -> tuple[Candidate, float] | None:
        """The subject of the main clause, for a pronoun in a clause under it: "Marie says that she …"."""
        main = main_subject(token.sent)
        if main is None or main.i >= token.i or token.head == main.head or main.pos_ not in ("PROPN", "NOUN"):
            return None
        one = self._candidate(main, is_subject=True)
        fits = {"it": not one.person and not one.plural, "they": one.plural}.get(token.lower_)
        if token.lower_ in ("he", "she"):
            said = self.topic.pronouns.get(one.key, token.lower_)
            fits = one.person is True and said == token.lower_
        if not fits or _exact(one.mention) == "":
            return None
        return one, 0.75

    def _is_plain_definite(self, token: Any) -> bool:
        """True for "the company", without an owner, "of …", a relative clause or a name beside it."""
        if token.pos_ != "NOUN" or token.i in self._ner_at:
            return False
        children = list(token.children)
        if not any(c.dep_ == "det" and c.lower_ in DEFINITE for c in children):
            return False
        return not any(c.dep_ in ("poss", "relcl", "acl", "appos", "compound", "nummod", "prep") for c in children)

    def _definite_antecedent(self, token: Any) -> tuple[Candidate, float] | None:
        hit = self.hit_at(token)
        plain = hit is not None and hit.end == token.i + 1
        classes = [t.iri for t in hit.terms if t.kind == "class"] if hit is not None and plain else []
        place = self.offset + token.idx
        found = self.topic.definite(token.lemma_.lower(), classes, place)
        if found is None and token.lemma_.lower() in GENERIC and self.topic.last is not None:
            found = self.topic.pronoun("it", place)
        return found

    def _candidate(self, token: Any, *, is_subject: bool) -> Candidate:
        mention = self.thing(token)
        ent = self._ner_at.get(token.i)
        label = ent.label_ if ent is not None and self.is_name(ent) else ""
        above = frozenset(a for t in mention.types for a in self.vocabulary.ancestors(t))
        person_class = self.vocabulary.ner_classes.get("PERSON")
        person = True if label == "PERSON" or (person_class is not None and person_class in above) else None
        if person is None and (label or (above and person_class is not None)):
            person = False
        plural = token.tag_ in ("NNS", "NNPS") or any(c.dep_ == "conj" for c in token.children)
        kinds = kinds_of(token, mention.label)
        return Candidate(mention, self.topic.sentences, is_subject, plural, person, label, kinds, above)

    def note_names(self, sent: Any) -> None:
        """Remember the persons that a sentence names in full, for their surnames alone."""
        for ent in sent.ents if self.entities else ():
            if ent.label_ == "PERSON" and self.is_name(ent):
                before = self.doc[ent.start - 1].text if ent.start else ""
                self.topic.person(self.named(ent), before)

    def _pronoun(self, token: Any) -> Subject | None:
        word = token.lower_
        if word in SUBJECT_PRONOUNS or word in QUANTIFIERS or word in ("them", "itself", "themselves"):
            here = self.span(token.i, token.i + 1)
            if word == "they" and self.topic.last is not None and self.topic.last_plural:
                self._rests_on(here, self.topic.last)
                return Subject(replace(self.topic.last, selector=here, extractor="text.subject"), OTHER)
            return Subject(self.item(token.i, token.i + 1), ANAPHOR)
        return None

    def _rests_on(self, here: TextSpan, there: Mention) -> None:
        self.support[here] = (f"{here.exact} = “{_exact(there)}” ({_offsets(there)})", (there,))

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
        if (short := self.short_form(token)) is not None:
            return short
        ent = self._ner_at.get(token.i)
        hit = self.hit_at(token)
        if ent is None and hit is None and (full := self._by_surname(token.i, token.i + 1)) is not None:
            return full
        start, end = phrase(token) if token.pos_ != "VERB" else (token.i, token.i + 1)
        if hit is not None and not (hit.weak and prop is None):
            term = self._term(hit, prop)
            if term is not None and ((hit.start <= start and hit.end >= end) or hit.shared is not None):
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

    def short_form(self, token: Any) -> Mention | None:
        """What an abbreviation stands for that the text has given a long form."""
        found = self._short_at.get(token.i)
        if found is None:
            return None
        start, end, long = found
        here = self.span(start, end)
        self._rests_on(here, long)
        return replace(long, selector=here, extractor="text.abbreviation")

    def _by_surname(self, start: int, end: int) -> Mention | None:
        """The person whom the text has named in full before, for the surname or given name alone."""
        here = self.span(start, end)
        full = self.topic.short_name(here.exact, here.start)
        if full is None or (start and self.doc[start - 1].text in full.label.split()):
            return None
        self._rests_on(here, full)
        return replace(full, selector=here, extractor="text.ner", confidence=0.75)

    def _shares(self, hit: Hit) -> None:
        """A name that a coordination leaves incomplete rests on the words that it shares too."""
        if hit.shared is not None:
            shared = self.mention(*hit.shared, self.doc[slice(*hit.shared)].text, "text.shared")
            note = f"“{self.doc[hit.start : hit.end].text}” shares “{shared.label}” ({_offsets(shared)})"
            self.support[self.span(hit.start, hit.end)] = (note, (shared,))

    def _of_term(self, hit: Hit, term: Term) -> Mention:
        label = term.label
        self._shares(hit)
        if term.kind == "class":
            name = self._label(hit.start, hit.end)
            return self.mention(hit.start, hit.end, name, "text.lexicon", types=(term.iri,), confidence=0.95)
        more: dict[str, Any] = {"types": term.types, "entity": term.iri, "confidence": 0.95}
        return self.mention(hit.start, hit.end, label, "text.lexicon", **more)

    def class_mention(self, hit: Hit, term: Term) -> Mention:
        """A match read as the class itself, not as one of its members."""
        self._shares(hit)
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
        opened = next((t.i for t in self.doc[start + 1 : end] if t.text == "("), None)
        if opened is not None and not any(t.text == ")" for t in self.doc[opened:end]):
            end = opened  # an abbreviation's bracket, half taken in
        if end - start == 1:
            if (short := self.short_form(self.doc[start])) is not None:
                return short
            if ent.label_ in ("PERSON", "ORG", "GPE") and (full := self._by_surname(start, end)) is not None:
                return full
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
            found = self.literal(token, prop)
            return None if found is None else found.value
        if cls := takes_quantities(prop, self.vocabulary):
            near = self.value_near(token)
            if near is not None and (node := quantity_node(self, near, cls)) is not None:
                return node
        if token.pos_ in _EMPTY:
            if self.source.item is None:
                before = self.antecedent(token) if token.pos_ == "PRON" and token.dep_ != "poss" else None
                return None if before is None else replace(before[0], confidence=before[1])
            return self.item(token.i, token.i + 1) if token.lower_ == "it" else None
        if (short := self.short_form(token)) is not None:
            return short
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

    def literal(self, token: Any, prop: Property) -> ValueSpan | None:
        """The value that a data property takes from a token's phrase, in characters of the piece."""
        start, end = self._extent(token)
        facets = self.facets.get(prop.iri, NONE)
        near = [
            replace(v, start=v.start - start, end=v.end - start)
            for v in self.values
            if start <= v.start and v.end <= end
        ]
        text = self.doc.text[start:end]
        found = place_of(text, prop.range, facets.unit, facets.patterns, near or None)
        return None if found is None else replace(found, start=found.start + start, end=found.end + start)

    def _covers(self, hit: Hit, token: Any) -> bool:
        """True where a match is all of a noun phrase but for qualities, numbers and the like."""
        if hit.shared is not None:
            return True
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
            if self.source.item is None:
                return  # what a pronoun takes up stays the topic
            if token.lower_ != "they":
                self.topic.last, self.topic.last_plural = None, False
            return
        about = self.subject(token, token)
        if about is not None and about.note == "" and about.mention.entity != (self.source.item or ""):
            self.topic.add(replace(self._candidate(token, is_subject=True), mention=self._origin(about.mention)))
        other = about is not None and (about.mention.entity is None or about.mention.entity != self.source.item)
        self.topic.last = about.mention if about is not None and (other or not self.source.item) else None
        self.topic.last_plural = self.topic.last is not None and token.tag_ in ("NNS", "NNPS")

    def note_others(self, sent: Any, main: Any | None) -> None:
        """Remember what else a sentence names: entities, in its order, after its main subject."""
        for ent in sent.ents if self.entities else ():
            covered = main is not None and ent.start <= main.i < ent.end
            if self.is_name(ent) and not covered and not self.in_label(ent.root):
                one = self._candidate(ent.root, is_subject=False)
                self.topic.add(replace(one, mention=self._origin(one.mention)))

    def _origin(self, mention: Mention) -> Mention:
        """The first full naming that a pronoun, short name or abbreviation goes back to."""
        seen: set[TextSpan] = set()
        while isinstance(mention.selector, TextSpan) and mention.selector in self.support:
            there = self.support[mention.selector][1][0]
            if mention.selector in seen or there.label != mention.label:
                break
            seen.add(mention.selector)
            mention = there
        return mention

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


def _exact(mention: Mention) -> str:
    return mention.selector.exact if isinstance(mention.selector, TextSpan) else mention.label


def _offsets(mention: Mention) -> str:
    place = mention.selector
    return f"{place.start}–{place.end}" if isinstance(place, TextSpan) else "elsewhere"


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
