"""Whom a clause is about: the item, a part of it, something else, or what a pronoun stands for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from kgfuse.extract.text.antecedents import antecedent, is_unclear
from kgfuse.extract.text.clauses import phrase, subjects
from kgfuse.extract.text.english import BEARING, DEFINITE, GENERIC, POSSESSIVES, QUANTIFIERS, SUBJECT_PRONOUNS, singular
from kgfuse.extract.text.lexicon import fold
from kgfuse.extract.text.naming import short_form, thing
from kgfuse.extract.text.reading import Reading
from kgfuse.terms.mentions import Mention

WHOLE: Final = 1.0
PART: Final = 0.75
ANAPHOR: Final = 0.9
OTHER: Final = 0.8


@dataclass(frozen=True, slots=True)
class Subject:
    """Who a statement is about, how sure that is, and what to tell people about it."""

    mention: Mention
    certainty: float
    note: str = ""


def subject_of(reading: Reading, token: Any | None, anchor: Any) -> Subject | None:
    """Whom a clause is about; ``None`` where that cannot be told."""
    if token is None:
        return Subject(reading.item(anchor.i, anchor.i + 1), ANAPHOR) if reading.source.item else None
    if reading.source.item is None:
        return _without_item(reading, token)
    start, end = phrase(token)
    for a, b in reading.labels:
        if a <= token.i < b:
            return Subject(reading.item(a, b), WHOLE)
        if b == token.i and start <= a and _is_anaphor(reading, token, token.lemma_.lower()):
            return Subject(reading.item(a, token.i + 1), WHOLE)
    if token.dep_ == "ROOT" and token.pos_ == "NOUN":
        return Subject(reading.item(start, end), ANAPHOR)
    if token.pos_ in ("PRON", "DET") or (token.lower_ in QUANTIFIERS and token.pos_ != "NOUN"):
        return _pronoun(reading, token)
    owners = [c for c in token.children if c.dep_ == "poss"]
    if any(c.lower_ in POSSESSIVES or reading.in_label(c) for c in owners):
        return _part(reading, token, start, end)
    definite = any(c.lower_ in DEFINITE for c in token.children if c.dep_ in ("det", "predet", "amod"))
    if definite and token.i not in reading.ner_at and not owners:
        return _definite(reading, token, start, end)
    if token.lemma_.lower() == "one" or _is_part(reading, token, anchor):
        return _part(reading, token, start, end)
    return Subject(thing(reading, token), OTHER)


def _is_part(reading: Reading, token: Any, anchor: Any) -> bool:
    """True for a noun that the sentence gives the item as a part ("has wings made of steel", "with a tip")."""
    if token == anchor or token.head == token:
        return False
    head: Any = token
    while head.dep_ == "conj":
        head = head.head
    if head.dep_ == "dobj" and head.head.lemma_.lower() in BEARING and head.head != anchor:
        return about_item(reading, head.head) is not None
    if head.dep_ == "pobj" and head.head.lower_ == "with" and head.head.head != anchor:
        return about_item(reading, head.head) is not None
    return False


def _without_item(reading: Reading, token: Any) -> Subject | None:
    if (short := short_form(reading, token)) is not None:  # the parser takes "WHO" for a pronoun
        return Subject(short, WHOLE)
    if token.pos_ in ("PRON", "DET"):
        found = antecedent(reading, token)
        return None if found is None else Subject(found[0], found[1])
    if (found := antecedent(reading, token)) is None and is_unclear(reading, token):
        return None
    return Subject(*(found or (thing(reading, token), WHOLE)))


def _pronoun(reading: Reading, token: Any) -> Subject | None:
    word = token.lower_
    if word in SUBJECT_PRONOUNS or word in QUANTIFIERS or word in ("them", "itself", "themselves"):
        here = reading.span(token.i, token.i + 1)
        if word == "they" and reading.topic.last is not None and reading.topic.last_plural:
            reading.take_up(here, reading.topic.last)
            return Subject(replace(reading.topic.last, selector=here, extractor="text.subject"), OTHER)
        return Subject(reading.item(token.i, token.i + 1), ANAPHOR)
    return None


def _definite(reading: Reading, token: Any, start: int, end: int) -> Subject | None:
    lemma = token.lemma_.lower()
    if _is_anaphor(reading, token, lemma):
        return Subject(reading.item(start, end), ANAPHOR)
    if token.pos_ == "PROPN":  # "the Harbour Bridge" is no part of anything
        return Subject(thing(reading, token), OTHER)
    wholes = [o for c in token.children if c.dep_ == "prep" and c.lower_ == "of" for o in c.children]
    if wholes and not any(reading.in_label(o) or _is_anaphor(reading, o, o.lemma_.lower()) for o in wholes):
        return Subject(thing(reading, token), OTHER)
    if (last := reading.topic.last) is not None and last.entity is None and last.label[:1].isupper():
        return Subject(thing(reading, token), OTHER)  # as likely a part of what the last sentence named
    return _part(reading, token, start, end)


def _is_anaphor(reading: Reading, token: Any, lemma: str) -> bool:
    if token.lower_ == "it" or lemma in GENERIC:
        return True
    name = fold(reading.source.item_label or "")
    if name and singular(name[-1]) in (lemma, singular(token.lower_)) and len(name) > 1:
        return not any(c.dep_ == "compound" for c in token.children)
    hit = reading.hit_at(token)
    return hit is not None and hit.end == token.i + 1 and any(t.kind == "class" for t in hit.terms)


def _part(reading: Reading, token: Any, start: int, end: int) -> Subject:
    name = reading.doc[start:end].text
    return Subject(reading.item(start, end, "text.part"), PART, f"said of “{name}”")


def about_item(reading: Reading, token: Any) -> Subject | None:
    """The subject of the clause around a token where that is the item or a part of it."""
    found = subjects(token)
    if found is None:
        return subject_of(reading, None, token)
    for one in found:
        about = subject_of(reading, one, token)
        if about is not None and about.mention.entity == reading.source.item and reading.source.item:
            return about
    return None
