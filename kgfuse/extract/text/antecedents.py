"""Which earlier mention a pronoun or a noun with "the" takes up, where the text has no item of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kgfuse.extract.text.clauses import phrase
from kgfuse.extract.text.coreference import PRONOUNS, Candidate, kinds_of
from kgfuse.extract.text.english import DEFINITE, GENERIC
from kgfuse.extract.text.naming import thing
from kgfuse.extract.text.reading import Reading, exact_of, main_subject, offsets_of
from kgfuse.terms.mentions import Mention


def antecedent(reading: Reading, token: Any) -> tuple[Mention, float] | None:
    """An earlier mention that a pronoun or a noun with "the" takes up, seen at this place, and how sure that is."""
    if token.i not in reading.taken_up:
        reading.taken_up[token.i] = _antecedent(reading, token)
    return reading.taken_up[token.i]


def _antecedent(reading: Reading, token: Any) -> tuple[Mention, float] | None:
    if token.pos_ in ("PRON", "DET"):
        if token.lower_ not in PRONOUNS:
            return None
        start, end = token.i, token.i + 1
        found = _inside_sentence(reading, token) or reading.topic.pronoun(token.lower_, reading.offset + token.idx)
    elif _is_plain_definite(reading, token):
        start, end = phrase(token)
        start = next((c.i for c in token.children if c.dep_ == "det" and c.i < start), start)
        found = _definite_antecedent(reading, token)
    else:
        reading.unclear[token.i] = False
        return None
    if found is None:
        return None
    chosen, certainty = found
    there = chosen.mention
    if token.pos_ == "NOUN" and there.label.casefold() == token.lemma_.lower():
        return None  # "the fox" names a fox by itself
    here = replace(there, selector=reading.span(start, end), extractor="text.subject")
    note = f"{reading.doc[start:end].text} = “{exact_of(there)}” ({offsets_of(there)})"
    reading.support[reading.span(start, end)] = (note, (there,))
    return here, certainty


def _inside_sentence(reading: Reading, token: Any) -> tuple[Candidate, float] | None:
    """The subject of another clause of the sentence: "Marie says that she …", "When owls are hungry, they …"."""
    main = main_subject(token.sent)
    if main is None or main.i >= token.i:
        main = _subject_before(token)
    if main is None or main.i >= token.i or token.head == main.head or main.pos_ not in ("PROPN", "NOUN"):
        return None
    one = candidate(reading, main, is_subject=True)
    beside = [e for e in reading.names_in(token.sent) if e.end <= token.i and not e.start <= main.i < e.end]
    if any(e.label_ == (one.label or "PERSON") for e in beside):
        return None
    word = {"its": "it", "their": "they"}.get(token.lower_, token.lower_)
    fits = {"it": not one.person and not one.plural, "they": one.plural}.get(word)
    if token.lower_ in ("he", "she"):
        said = reading.topic.pronouns.get(one.key, token.lower_)
        fits = one.person is True and said == token.lower_
    if not fits or exact_of(one.mention) == "":
        return None
    return one, 0.75


def _subject_before(token: Any) -> Any | None:
    """The subject of a clause that goes before the one whose subject a pronoun is."""
    if token.dep_ not in ("nsubj", "nsubjpass"):
        return None
    clauses = [c for c in token.head.lefts if c.dep_ in ("ccomp", "advcl", "parataxis") and c.i < token.i]
    return next((c for verb in clauses for c in verb.lefts if c.dep_ in ("nsubj", "nsubjpass")), None)


def _is_plain_definite(reading: Reading, token: Any) -> bool:
    """True for "the company", without an owner, "of …", a relative clause or a name beside it."""
    if token.pos_ != "NOUN" or token.i in reading.ner_at:
        return False
    children = list(token.children)
    if not any(c.dep_ == "det" and c.lower_ in DEFINITE for c in children):
        return False
    return not any(c.dep_ in ("poss", "relcl", "acl", "appos", "compound", "nummod", "prep") for c in children)


def _definite_antecedent(reading: Reading, token: Any) -> tuple[Candidate, float] | None:
    place = reading.offset + token.idx
    several = token.tag_ == "NNS"
    found = reading.topic.definite(token.lemma_.lower(), _classes(reading, token), place, plural=several)
    if found is None and not several and token.lemma_.lower() in GENERIC and reading.topic.last is not None:
        found = reading.topic.pronoun("it", place)
    return found


def _classes(reading: Reading, token: Any) -> list[str]:
    """Classes that a noun names."""
    hit = reading.hit_at(token)
    return [t.iri for t in hit.terms if t.kind == "class"] if hit is not None and hit.end == token.i + 1 else []


def is_unclear(reading: Reading, token: Any) -> bool:
    """True for a noun with "the" for which `antecedent` chose none of the things of its kind that were named before."""
    if token.i not in reading.unclear:
        reading.unclear[token.i] = _is_plain_definite(reading, token) and _has_kin(reading, token)
    return reading.unclear[token.i]


def _has_kin(reading: Reading, token: Any) -> bool:
    noun, place = token.lemma_.lower(), reading.offset + token.idx
    named = reading.topic.of_kind(noun, _classes(reading, token), place, plural=token.tag_ == "NNS")
    return any(c.mention.label.casefold() != noun for c in named)


def candidate(reading: Reading, token: Any, *, is_subject: bool) -> Candidate:
    """What a noun names, with all that later words may know it by."""
    mention = thing(reading, token)
    ent = reading.ner_at.get(token.i)
    label = ent.label_ if ent is not None and reading.is_name(ent) else ""
    above = frozenset(a for t in mention.types for a in reading.vocabulary.ancestors(t))
    person_class = reading.vocabulary.ner_classes.get("PERSON")
    person = True if label == "PERSON" or (person_class is not None and person_class in above) else None
    if person is None and (label or (above and person_class is not None)):
        person = False
    group = any(c.dep_ == "conj" for c in token.children)
    plural = group or token.tag_ in ("NNS", "NNPS") or _has_plural_verb(token)
    kinds = kinds_of(token, mention.label)
    return Candidate(mention, reading.topic.sentences, is_subject, plural, person, label, kinds, above, group)


def _has_plural_verb(noun: Any) -> bool:
    """True for "Bananas grow": the verb tells, where a capital letter hides the plural."""
    verb = noun.head
    if noun.dep_ != "nsubj" or noun.pos_ != "PROPN" or verb.tag_ not in ("VBP", "VB"):
        return False
    return not any(c.dep_.startswith("aux") for c in verb.children)
