"""Members of a range that speak for themselves: where a property says ``kgf:mentionSuffices``, naming one is enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kgfuse.extract.text.english import BEARING, POSSESSIVES
from kgfuse.extract.text.lexicon import Hit
from kgfuse.extract.text.naming import term_mention
from kgfuse.extract.text.reading import Reading, root_of
from kgfuse.extract.text.statements import statement
from kgfuse.extract.text.subjects import Subject, about_item, subject_of
from kgfuse.ontology.pack import Property, Term
from kgfuse.terms.mentions import Mention, Statement


def sufficient_statements(reading: Reading, sent: Any, known: Sequence[Statement]) -> Iterator[Statement]:
    """Members of the range of a ``kgf:mentionSuffices`` property, named in a clause about the item."""
    properties = sorted(
        (p for p in reading.vocabulary.properties.values() if p.mention_suffices and p.kind == "object" and p.range),
        key=lambda p: p.iri,
    )
    if not properties or reading.source.item is None:
        return
    said = {(s.predicate, s.object.entity) for s in known if isinstance(s.object, Mention)}
    ranges = {p.iri: p.range for p in reading.vocabulary.properties.values()}
    used = {(s.object.selector, ranges.get(s.predicate)) for s in known if isinstance(s.object, Mention)}
    objects = {
        s.object.selector
        for s in known
        if isinstance(s.object, Mention) and s.predicate not in {p.iri for p in properties}
    }
    for hit in reading.hits:
        if hit.weak or not (sent.start <= hit.start < sent.end):
            continue
        if all(reading.in_label(t) for t in reading.doc[hit.start : hit.end]):
            continue
        for prop in _specific(properties):
            term = reading.term_for(hit, prop)
            if term is None or term.kind == "class" or (prop.iri, term.iri) in said:
                continue
            if (reading.span(hit.start, hit.end), prop.range) in used:
                continue
            made = _sufficient(reading, hit, term, prop, objects)
            if made is not None:
                yield made


def _specific(properties: Sequence[Property]) -> list[Property]:
    above = {q for p in properties for q in p.parents if q != p.iri}
    return [p for p in properties if p.iri not in above]


def _sufficient(reading: Reading, hit: Hit, term: Term, prop: Property, objects: set[Any]) -> Statement | None:
    head = root_of(reading, hit)
    noun = head
    while noun.dep_ in ("amod", "compound", "nmod") or (
        noun.dep_ == "conj" and noun.head.dep_ in ("amod", "compound") and noun.pos_ in ("ADJ", "NOUN", "PROPN")
    ):
        noun = noun.head
    about = _bearer(reading, noun, modifier=noun != head)
    if about is None:
        return None
    if noun != head and _is_object_of_other(reading, noun, objects):
        return None
    target = term_mention(reading, hit, term)
    made = statement(
        reading, about, prop, target, target, head, 0.8 * about.certainty, f"“{term.label}” is named of the subject",
        extractor="text.mention", said=reading.said(head, head),
    )  # fmt: skip
    return made


def _is_object_of_other(reading: Reading, noun: Any, objects: set[Any]) -> bool:
    here = reading.offset + noun.idx
    if not any(o.start <= here < o.end for o in objects):
        return False
    governor = noun.head
    return not (governor.lemma_.lower() in BEARING or governor.lower_ == "with")


def _bearer(reading: Reading, noun: Any, *, modifier: bool) -> Subject | None:
    """The item or its part where a quality of this noun is a quality of it."""
    if not modifier:
        return about_item(reading, noun)
    if noun.dep_ in ("nsubj", "nsubjpass"):
        about = subject_of(reading, noun, noun)
        return about if about is not None and about.mention.entity == reading.source.item else None
    if any(c.dep_ == "poss" and c.lower_ in POSSESSIVES for c in noun.children):
        return subject_of(reading, noun, noun)
    return about_item(reading, noun)
