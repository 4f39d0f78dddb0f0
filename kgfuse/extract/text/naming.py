"""What words name: lexicon entries, named entities, short forms, and plain noun and verb phrases, as mentions."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Final

from kgfuse.extract.text.clauses import phrase
from kgfuse.extract.text.english import ARTICLES
from kgfuse.extract.text.lexicon import Hit
from kgfuse.extract.text.reading import Reading, offsets_of
from kgfuse.ontology.pack import Property, Term
from kgfuse.terms.mentions import Mention
from kgfuse.terms.namespaces import OWL

_CODE: Final = re.compile(r"[A-Za-z][\w./-]*\d[\w./-]*")
"""An identifier: it begins with a letter and has a digit."""


def thing(reading: Reading, token: Any, prop: Property | None = None) -> Mention:
    """A noun or verb phrase as a mention: lexicon entry, named entity, or its normalised words."""
    if prop is not None:
        return _thing(reading, token, prop)
    if token.i not in reading.things:
        reading.things[token.i] = _thing(reading, token, None)
    return reading.things[token.i]


def _thing(reading: Reading, token: Any, prop: Property | None) -> Mention:
    if (short := short_form(reading, token)) is not None:
        return short
    ent = reading.ner_at.get(token.i)
    hit = reading.hit_at(token)
    if (coded := _coded(reading, token, hit)) is not None:
        return coded
    if ent is None and (name := _name_after(token)) is not None:
        kind = [t for t in hit.terms if t.kind == "class"] if hit is not None else []
        found = _thing(reading, name, prop)
        return replace(found, types=(kind[0].iri,)) if len(kind) == 1 and found.entity is None else found
    if ent is None and hit is None and (full := _by_surname(reading, token.i, token.i + 1)) is not None:
        return full
    start, end = phrase(token) if token.pos_ != "VERB" else (token.i, token.i + 1)
    if hit is not None and not (hit.weak and prop is None):
        term = _term(reading, hit, prop)
        if term is not None and ((hit.start <= start and hit.end >= end) or hit.shared is not None):
            return of_term(reading, hit, term)
    if ent is not None and reading.is_name(ent) and not any(reading.in_label(t) for t in ent):
        return named(reading, ent)
    if token.pos_ == "VERB":
        return _activity(reading, token)
    types: tuple[str, ...] = ()
    if hit is not None and hit.end == end:
        term = _term(reading, hit, prop)
        types = () if term is None else ((term.iri,) if term.kind == "class" else ())
    if hit is not None and hit.start < start:
        start = hit.start
    return reading.mention(start, end, _label(reading, start, end), "text.phrase", types=types)


def _name_after(noun: Any) -> Any | None:
    """The name that follows the noun for what it names, without a comma: "the film Super Capers", "the pump P-103"."""
    if noun.pos_ not in ("NOUN", "PROPN") or noun.i + 1 == len(noun.doc) or _CODE.fullmatch(noun.text):
        return None  # a row of codes is no name of its first
    if _CODE.fullmatch((following := noun.nbor()).text) and following.dep_ in ("appos", "nummod", "nmod"):
        return following
    names = [c for c in noun.children if c.dep_ == "appos" and c.pos_ == "PROPN" and noun.pos_ == "NOUN"]
    return next((c for c in names if c.left_edge.i == noun.i + 1), None)


def _coded(reading: Reading, token: Any, hit: Hit | None) -> Mention | None:
    """What a code names, typed by the noun before it ("pump P-101" is P-101), or a noun and its number ("hall 2")."""
    doc = reading.doc
    if _CODE.fullmatch(token.text) and hit is None and token.i and (before := reading.hit_at(doc[token.i - 1])):
        kinds = [t for t in before.terms if t.kind == "class"] if before.end == token.i else []
        if len(kinds) == 1:
            return reading.mention(token.i, token.i + 1, token.text, "text.phrase", types=(kinds[0].iri,))
    following = doc[token.i + 1] if token.i + 1 < len(doc) else None
    if following is None or not following.text.isdigit() or following.dep_ != "nummod" or following.head != token:
        return None
    if hit is not None and (hit.end > token.i + 1 or any(t.kind != "class" for t in hit.terms)):
        return None
    start, end = phrase(token)
    types = (hit.terms[0].iri,) if hit is not None and len(hit.terms) == 1 else ()
    return reading.mention(
        start, end + 1, f"{_label(reading, start, end)} {following.text}", "text.phrase", types=types
    )


def _term(reading: Reading, hit: Hit, prop: Property | None) -> Term | None:
    if prop is not None:
        found = reading.term_for(hit, prop)
        if found is not None:
            return found
    return hit.terms[0] if len(hit.terms) == 1 else None


def short_form(reading: Reading, token: Any) -> Mention | None:
    """What an abbreviation stands for that the text has given a long form."""
    found = reading.short_at.get(token.i)
    if found is None:
        return None
    start, end, long = found
    here = reading.span(start, end)
    reading.take_up(here, long)
    return replace(long, selector=here, extractor="text.abbreviation")


def _by_surname(reading: Reading, start: int, end: int) -> Mention | None:
    """The person whom the text has named in full before, for the surname or given name alone."""
    if reading.doc[start].text not in reading.topic.names:
        return None
    here = reading.span(start, end)
    full = reading.topic.short_name(here.exact, here.start)
    if full is None or (start and reading.doc[start - 1].text in full.label.split()):
        return None
    reading.take_up(here, full)
    return replace(full, selector=here, extractor="text.ner", confidence=0.75)


def _shares(reading: Reading, hit: Hit) -> None:
    """A name that a coordination leaves incomplete rests on the words that it shares too."""
    if hit.shared is not None:
        shared = reading.mention(*hit.shared, reading.doc[slice(*hit.shared)].text, "text.shared")
        note = f"“{reading.doc[hit.start : hit.end].text}” shares “{shared.label}” ({offsets_of(shared)})"
        reading.support[reading.span(hit.start, hit.end)] = (note, (shared,))


def of_term(reading: Reading, hit: Hit, term: Term) -> Mention:
    """A match read as its term, or as a member of it where that is a class."""
    label = term.label
    _shares(reading, hit)
    if term.kind == "class":
        name = _label(reading, hit.start, hit.end)
        return reading.mention(hit.start, hit.end, name, "text.lexicon", types=(term.iri,), confidence=0.95)
    more: dict[str, Any] = {"types": term.types, "entity": term.iri, "confidence": 0.95}
    return reading.mention(hit.start, hit.end, label, "text.lexicon", **more)


def class_mention(reading: Reading, hit: Hit, term: Term) -> Mention:
    """A match read as the class itself, not as one of its members."""
    _shares(reading, hit)
    more: dict[str, Any] = {"types": (OWL + "Class",), "entity": term.iri, "confidence": 0.95}
    return reading.mention(hit.start, hit.end, term.label, "text.lexicon", **more)


def term_mention(reading: Reading, hit: Hit, term: Term) -> Mention:
    """A match read as the object of a property that takes the term."""
    return class_mention(reading, hit, term) if term.kind == "class" else of_term(reading, hit, term)


def named(reading: Reading, ent: Any) -> Mention:
    """A named entity, without article and possessive ending, typed by the class with its ``kgf:nerLabel``."""
    place = ent.start, ent.end
    if place not in reading.known:
        reading.known[place] = _named(reading, ent)
    return reading.known[place]


def _named(reading: Reading, ent: Any) -> Mention:
    start, end = ent.start, ent.end
    while start < end - 1 and (reading.doc[start].lower_ in ARTICLES or reading.doc[start].is_space):
        start += 1
    if end - 1 > start and reading.doc[end - 1].lower_ in ("'s", "'"):
        end -= 1
    if "(" in (text := reading.span(start, end).exact) and ")" not in text:  # an abbreviation's bracket, half taken in
        end = next((t.i for t in reading.doc[start + 1 : end] if t.text == "("), end)
    if end - start == 1:
        if (short := short_form(reading, reading.doc[start])) is not None:
            return short
        if ent.label_ in ("PERSON", "ORG", "GPE") and (full := _by_surname(reading, start, end)) is not None:
            return full
    cls = reading.vocabulary.ner_classes.get(ent.label_)
    types = (cls,) if cls else ()
    return reading.mention(
        start, end, " ".join(reading.doc[start:end].text.split()), "text.ner", types=types, confidence=0.8
    )


def _activity(reading: Reading, verb: Any) -> Mention:
    direct = next((c for c in verb.children if c.dep_ in ("dobj", "obj") and c.i > verb.i), None)
    if direct is None:
        return reading.mention(verb.i, verb.i + 1, verb.lemma_.lower(), "text.phrase")
    a, b = phrase(direct)
    label = f"{verb.lemma_.lower()} {_label(reading, a, b)}"
    return reading.mention(verb.i, b, label, "text.phrase")


def _label(reading: Reading, start: int, end: int) -> str:
    head = reading.doc[end - 1]
    words = [t.text if t.pos_ == "PROPN" else t.lower_ for t in reading.doc[start : end - 1] if not t.is_space]
    last = head.text if head.pos_ == "PROPN" else (head.lemma_.lower() or head.lower_)
    return " ".join((*words, last)).replace(" - ", "-")
