"""Triggers matched in a parsed sentence: which words stand to which in which property."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kgfuse.extract.text.assertion import Standing
from kgfuse.extract.text.clauses import (
    dependents,
    is_hedged,
    is_passive,
    lighten,
    preposition_objects,
    subjects,
    with_conjuncts,
    with_examples,
)
from kgfuse.extract.text.english import HEDGES, PREPOSITIONS, RELATIVES
from kgfuse.extract.text.sentence import Sentence
from kgfuse.extract.text.triggers import Trigger, Triggers, is_dated
from kgfuse.ontology.pack import Property

_DIRECT: Final = frozenset(("dobj", "obj", "oprd"))
_PREDICATE: Final = frozenset(("acomp", "attr", "oprd"))
_PREPOSED: Final = frozenset(("prep",))
_MEASURE: Final = frozenset(("npadvmod",))
"""What an adjective is measured by: "324 metres tall"; of "324 m tall" the parser makes two predicates."""
_SITUATING: Final = frozenset(("in", "on", "at", "since"))
_HAVING: Final = frozenset(("have", "reach", "possess", "boast", "with", "at"))
_HOLDING: Final = _HAVING | {"employ", "contain", "comprise", "include", "hold", "feature"}
_AMOUNTING: Final = frozenset(("reach", "equal", "total", "measure"))
_LISTING: Final = _AMOUNTING | {"include", "comprise"}
_COUNT: Final = frozenset(("nummod",))
_REACH: Final = 12
RESTRICTED: Final = 0.7
"""Of the confidence is left where a sentence restricts what it says ("rarely eats")."""


@dataclass(frozen=True, slots=True)
class Link:
    """A candidate relation between words of one sentence.

    Args:
        property: what is said.
        subject: its token; ``None`` where the sentence leaves the subject out.
        object: its token.
        anchor: the trigger's head.
        phrase: the trigger, for the reason.
        confidence: of the pattern.
        standing: how the sentence stands to it, where a pattern says so; otherwise that is read from the parse, once
            the link has become a statement.
        extractor: ``text.trigger`` or ``text.pattern``.
        about_item: only good where the subject is the item or a part of it, and then said of the item itself.
        weight: how many content words the trigger has.
    """

    property: Property
    subject: Any | None
    object: Any
    anchor: Any
    phrase: str
    confidence: float
    standing: Standing | None = None
    extractor: str = "text.trigger"
    about_item: bool = False
    weight: int = 1


def find_links(sentence: Sentence, triggers: Triggers) -> Iterator[Link]:
    """Every link that a trigger makes, in the order of the text."""
    restricted = not HEDGES.isdisjoint(sentence.forms)
    for token, form, lemma in zip(sentence.tokens, sentence.lower, sentence.lemmas, strict=True):
        for trigger in triggers.at(form, lemma):
            if not trigger.needs <= sentence.forms:
                continue
            for subject, object_ in _match(trigger, token):
                weight = 1 + len(trigger.before) + len(trigger.after)
                confidence = 0.9 * (RESTRICTED if restricted and is_hedged(token) else 1.0)
                yield Link(trigger.property, subject, object_, token, trigger.phrase, confidence, weight=weight)


def _match(trigger: Trigger, token: Any) -> Iterator[tuple[Any | None, Any]]:
    if trigger.before and not _has_adverbs(trigger, token):
        return
    match trigger.kind:
        case "isa":
            if token.lemma_ == "be":
                yield from _pairs(
                    token, [o for a in dependents(token, frozenset(("attr",))) for o in with_conjuncts(a)]
                )
        case "attribute":
            if token.pos_ in ("NOUN", "PROPN"):
                yield from _attribute(trigger, token)
        case "counted":
            if token.pos_ in ("NOUN", "PROPN") and token.dep_ in ("dobj", "pobj") and token.head.lemma_ in _HOLDING:
                yield from _pairs(token.head, dependents(token, _COUNT))
        case "be":
            if token.lemma_ == "be":
                yield from _pairs(token, _objects(trigger, token))
        case "copular":
            if token.pos_ not in ("VERB", "AUX") or is_passive(token):
                yield from _pairs(token, _objects(trigger, token))
        case "finite":
            if token.pos_ in ("VERB", "AUX"):
                yield from _finite(trigger, token)
        case "passive" | "either":
            yield from _participle(trigger, token)


def _finite(trigger: Trigger, token: Any) -> Iterator[tuple[Any | None, Any]]:
    if not is_passive(token):
        yield from _pairs(token, _objects(trigger, token))
    elif not trigger.after:
        yield from _pairs(token, _situated(token)) if is_dated(trigger.property) else _by_agent(token)


def _situated(verb: Any) -> list[Any]:
    """What stands where a sentence says when or where: "in 1950", "on 3 May", "in Berlin"."""
    return [o for p in dependents(verb, _PREPOSED) if p.lower_ in _SITUATING for o in preposition_objects(p)]


def _by_agent(participle: Any) -> Iterator[tuple[Any | None, Any]]:
    agents = [o for by in dependents(participle, frozenset(("agent",))) for o in preposition_objects(by)]
    for patient in subjects(participle) or []:
        yield from ((agent, patient) for agent in agents)


def _participle(trigger: Trigger, token: Any) -> Iterator[tuple[Any | None, Any]]:
    if token.pos_ not in ("VERB", "ADJ", "AUX"):
        return
    if is_passive(token) and not trigger.after and is_dated(trigger.property):
        yield from _pairs(token, _situated(token))
        return
    if is_passive(token) and not trigger.after and trigger.kind == "either":
        yield from _by_agent(token)
        return
    if is_passive(token) or (trigger.kind == "either" and not dependents(token, _DIRECT)):
        yield from _pairs(token, _objects(trigger, token))
        return
    direct = [o for d in dependents(token, _DIRECT) if d.pos_ not in ("VERB", "AUX") for o in with_conjuncts(d)]
    if not trigger.after:
        if token.tag_ in ("VBD", "VBN"):  # "acquired" is the past of "acquires" too
            yield from _pairs(token, direct)
    elif trigger.after[-1:] == ("by",):
        for agent in subjects(token) or []:
            yield from ((patient, agent) for patient in direct)
    elif direct:
        yield from ((patient, found) for patient in direct for found in _objects(trigger, token) if found != patient)


def _pairs(token: Any, objects: list[Any]) -> Iterator[tuple[Any | None, Any]]:
    if not objects:
        return
    found = subjects(token)
    for subject in found if found is not None else [None]:
        yield from ((subject, one) for one in objects if one != subject)


def _objects(trigger: Trigger, token: Any) -> list[Any]:
    matched = [token]
    for n, word in enumerate(trigger.after):
        following = _follow(matched, word, n == len(trigger.after) - 1)
        if following is None:
            return _shared(trigger, token)
        matched.append(following)
    last = matched[-1]
    if not trigger.after:
        deps = _DIRECT if token.pos_ == "VERB" else _MEASURE if token.pos_ == "ADJ" else frozenset[str]()
        found = [o for d in dependents(token, deps) for o in with_examples(d)]
        if token.pos_ == "ADJ" and not found:
            found = [o for o in dependents(token.head, frozenset(("attr",))) if o.i == token.i - 1 and _is_figure(o)]
        if trigger.is_linking():
            found += [o for d in dependents(token, frozenset(("acomp", "attr", "advmod"))) for o in with_conjuncts(d)]
        if is_dated(trigger.property):
            found += _situated(token)
        return [_antecedent(o) for o in found] or _shared(trigger, token)
    if last.lower_ in PREPOSITIONS:
        if last.tag_ == "TO" or last.dep_ == "aux":
            return with_conjuncts(last.head) if last.head.pos_ == "VERB" else []
        return [_antecedent(o) for o in preposition_objects(last)]
    found = [o for d in dependents(last, _DIRECT | {"pobj"}) for o in with_examples(d)]
    return found or [o for d in dependents(token, _DIRECT) for o in with_examples(d) if o != last]


def _shared(trigger: Trigger, token: Any) -> list[Any]:
    """Objects that the next verb shares: "catches and eats fish", "lives and breeds in forests"."""
    for verb in dependents(token, frozenset(("conj",))):
        between = token.doc[token.i + 1 : verb.i]
        if verb.pos_ == "VERB" and verb.i > token.i and all(t.pos_ in ("CCONJ", "ADV", "PUNCT") for t in between):
            return _objects(trigger, verb)
    return []


def _follow(matched: Sequence[Any], word: str, final: bool) -> Any | None:
    """The next trigger word, right of the last one and governed by one of them without another verb between."""
    last = matched[-1]
    doc = last.doc
    for at in range(last.i + 1, min(last.i + 1 + _REACH, len(doc))):
        token = doc[at]
        if token.is_sent_start:
            break
        if word not in (token.lower_, token.lemma_.lower()):
            continue
        if final and word == "to" and token.dep_ == "aux":
            if token.head.dep_ in ("xcomp", "advcl", "acl", "conj") and token.head.head in (last, last.head):
                return token
            continue
        up = token.head
        for _ in range(3):
            if up in matched:
                return token
            if up.pos_ in ("VERB", "AUX"):
                break
            up = up.head
        if token.i == last.i + 1 and token.head == last.head and last.pos_ == "ADP":
            return token
    return None


def _attribute(trigger: Trigger, noun: Any) -> Iterator[tuple[Any | None, Any]]:
    """Read "its colour is red", "the colour of the fox is red", "has a red colour", "with a length of 3 m"."""
    owners = [c for c in noun.children if c.dep_ == "poss"]
    owners += [o for c in noun.children if c.dep_ == "prep" and c.lower_ == "of" for o in preposition_objects(c)]
    if noun.dep_ == "nsubj" and noun.head.lemma_ == "be":
        values = [o for d in dependents(noun.head, _PREDICATE) for o in with_conjuncts(d)]
        if not values and trigger.property.kind == "object":  # "its headquarters are in Berlin"
            values = _situated(noun.head)
        for owner in owners or [None]:
            yield from ((owner, value) for value in values)
    elif noun.dep_ == "attr" and owners:
        for value in subjects(noun.head) or []:
            yield from ((owner, value) for owner in owners)
    elif noun.dep_ == "nsubj" and noun.head.lemma_ in _LISTING and owners:  # "symptoms of influenza include fever"
        values = [o for d in dependents(noun.head, _DIRECT) for o in with_examples(d)]
        if noun.head.lemma_ in _AMOUNTING:
            values = [o for o in values if _is_figure(o)]
        yield from ((owner, value) for owner in owners for value in values)
    elif noun.dep_ == "appos" and owners:  # "Anna Keller, founder of the firm"
        yield from ((owner, lighten(noun.head)) for owner in owners)
    elif noun.dep_ in ("dobj", "pobj"):
        values = [o for o in owners if _is_figure(o)] if noun.head.lemma_ in _HAVING else []
        if trigger.phrase.lower().startswith("ha"):
            values += [o for d in dependents(noun, frozenset(("amod", "compound"))) for o in with_conjuncts(d)]
            if noun.dep_ == "pobj" and noun.head.lower_ == "in" and noun.head.head.pos_ == "ADJ":
                values.append(noun.head.head)
        yield from _pairs(noun.head, values)


def _is_figure(token: Any) -> bool:
    return any(one.like_num for one in token.subtree)


def _has_adverbs(trigger: Trigger, token: Any) -> bool:
    near = {t.lower_ for t in token.doc[max(token.i - 3, token.sent.start) : token.i]}
    near |= {c.lower_ for c in token.children}
    return all(adverb in near for adverb in trigger.before)


def _antecedent(token: Any) -> Any:
    """The noun behind a relative pronoun in object position ("the fish that it eats")."""
    if token.lower_ in RELATIVES and token.pos_ in ("PRON", "DET", "SCONJ"):
        for up in token.ancestors:
            if up.dep_ == "relcl":
                return up.head
    return token
