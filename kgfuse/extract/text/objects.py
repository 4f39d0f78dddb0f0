"""What the object of a property stands for: a literal, a quantity, a term of its range, or a thing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from kgfuse.extract.text.antecedents import antecedent, is_unclear
from kgfuse.extract.text.clauses import phrase
from kgfuse.extract.text.english import LIGHT
from kgfuse.extract.text.lexicon import Hit
from kgfuse.extract.text.naming import of_term, short_form, term_mention, thing
from kgfuse.extract.text.reading import MEASURES, Reading
from kgfuse.extract.values import ValueSpan, place_of
from kgfuse.extract.values.facets import NONE
from kgfuse.extract.values.nodes import quantity_iri, quantity_label
from kgfuse.ontology.pack import Property
from kgfuse.terms.mentions import Mention, Value

_EMPTY: Final = frozenset(("PRON", "DET", "NUM", "PUNCT", "SPACE", "PART", "ADP", "AUX", "SCONJ", "CCONJ"))


def object_of(reading: Reading, token: Any, prop: Property) -> Mention | Value | None:
    """What a property's object token stands for; ``None`` where it names nothing."""
    if prop.kind == "data":
        found = literal(reading, token, prop)
        return None if found is None else found.value
    if cls := reading.facets.get(prop.iri, NONE).quantity:
        near = reading.value_near(token)
        if near is not None and (iri := quantity_iri(near)) is not None:
            place = reading.characters(near.start, near.end)
            more: dict[str, Any] = {"types": (cls,), "entity": iri, "confidence": 0.95}
            return Mention(reading.source.iri, place, quantity_label(iri), "text.value", **more)
    if token.pos_ in _EMPTY:
        if reading.source.item is None:
            before = antecedent(reading, token) if token.pos_ == "PRON" and token.dep_ != "poss" else None
            return None if before is None else replace(before[0], confidence=before[1])
        return reading.item(token.i, token.i + 1) if token.lower_ == "it" else None
    if (short := short_form(reading, token)) is not None:
        return short
    if reading.source.item is None and token.pos_ == "NOUN":
        if (taken := antecedent(reading, token)) is not None:
            return replace(taken[0], confidence=taken[1])
        if is_unclear(reading, token):
            return None
    hit = reading.hit_at(token) or (_inside(reading, token, prop) if token.pos_ == "VERB" else None)
    term = reading.term_for(hit, prop) if hit is not None else None
    if term is None and reading.source.item and reading.in_label(token) and token.pos_ != "VERB":
        return reading.item(*next((a, b) for a, b in reading.labels if a <= token.i < b))
    if hit is not None and (token.pos_ == "VERB" or _covers(reading, hit, token)):
        if term is not None:
            return term_mention(reading, hit, term)
        is_other = all(t.kind == "individual" and not reading.accepts(prop, t) for t in hit.terms)
        if hit.end == token.i + 1 and is_other:
            return of_term(reading, hit, hit.terms[-1])
    ent = reading.ner_at.get(token.i)
    if token.pos_ in ("ADJ", "ADV", "INTJ", "X") or token.lemma_.lower() in LIGHT or token.is_stop:
        return None
    return None if ent is not None and ent.label_ in MEASURES else thing(reading, token, prop)


def literal(reading: Reading, token: Any, prop: Property) -> ValueSpan | None:
    """The value that a data property takes from a token's phrase, in characters of the piece."""
    start, end = reading.extent(token)
    facets = reading.facets.get(prop.iri, NONE)
    near = [
        replace(v, start=v.start - start, end=v.end - start)
        for v in reading.values
        if start <= v.start and v.end <= end
    ]
    text = reading.doc.text[start:end]
    found = place_of(text, prop.range, facets.unit, facets.patterns, near or None)
    return None if found is None else replace(found, start=found.start + start, end=found.end + start)


def _covers(reading: Reading, hit: Hit, token: Any) -> bool:
    """True where a match is all of a noun phrase but for qualities, numbers and the like."""
    if hit.shared is not None:
        return True
    start, _ = phrase(token)
    qualities = ("ADJ", "VERB", "NUM", "ADV", "CCONJ", "PUNCT")
    return all(t.pos_ in qualities for t in reading.doc[start : hit.start])


def _inside(reading: Reading, verb: Any, prop: Property) -> Hit | None:
    """A term of the range inside a verb phrase: "for playing folk songs" names a use by its object."""
    for child in verb.children:
        if child.dep_ in ("dobj", "obj") and child.i > verb.i:
            hit = reading.hit_at(child)
            if hit is not None and reading.term_for(hit, prop) is not None:
                return hit
    return None
