"""Trigger phrases of properties ("is found in", "eats", "has colour") compiled into what a parsed clause must show.

A trigger's head is looked up by lemma, so the cost of matching grows with the text, not with the number of
properties.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from kgfuse.extract.text.english import ARTICLES, BE, MEASURED_BY, MEASURING, PREPOSITIONS, singular, words
from kgfuse.extract.text.paraphrase import paraphrases
from kgfuse.ontology.pack import Property
from kgfuse.terms.namespaces import XSD

_ADVERBS: Final = words("first often mainly mostly usually only also well still now originally commonly")
_LINKING: Final = words("taste smell look feel become seem sound")
_PARTICLES: Final = words("out up off down away back over")
_TIMES: Final = frozenset(XSD + name for name in ("date", "dateTime", "dateTimeStamp", "gYear", "gYearMonth", "time"))


Kind: TypeAlias = Literal["finite", "passive", "either", "copular", "be", "isa", "attribute", "counted"]


@dataclass(frozen=True, slots=True)
class Trigger:
    """One phrase of one property.

    Args:
        property: the property.
        phrase: as the pack writes it.
        kind: ``finite`` ("lives in", "eats"), ``passive`` ("is found in"), ``either`` ("made of", which also reads as
            an active past), ``copular`` ("is native to", "home to"), ``be`` ("is in", "is at home in"), ``isa``
            ("is a"), ``attribute`` ("has colour", "author": a noun between the two) or ``counted`` ("number of legs").
        heads: lemmas or forms of the head word.
        before: adverbs that must stand beside the head.
        after: the words that lead on from the head to the object, in order.
        needs: words without which no sentence can say it.
    """

    property: Property
    phrase: str
    kind: Kind
    heads: frozenset[str]
    before: tuple[str, ...]
    after: tuple[str, ...]
    needs: frozenset[str] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        led_on = () if self.kind in ("attribute", "counted") or self.after[-1:] == ("by",) else self.after
        object.__setattr__(self, "needs", frozenset((*self.before, *led_on)))

    def is_linking(self) -> bool:
        """True for verbs whose complement says what the subject is like ("tastes sweet")."""
        return not self.heads.isdisjoint(_LINKING)


class Tagger:
    """Tag and lemma of a phrase's head in a small sentence around it, many phrases at a time."""

    def __init__(self, nlp: Any) -> None:
        self._nlp = nlp
        self._known: dict[str, tuple[str, str]] = {}

    def prime(self, phrases: Iterable[str]) -> None:
        """Tag these phrases at once."""
        todo = [p for p in dict.fromkeys(phrases) if p not in self._known]
        with self._nlp.select_pipes(disable=[n for n in ("parser", "ner") if n in self._nlp.pipe_names]):
            for phrase, doc in zip(todo, self._nlp.pipe(f"It {p} something." for p in todo), strict=True):
                token = doc[2 if phrase.startswith("is ") else 1]
                self._known[phrase] = token.tag_, token.lemma_.lower()

    def __call__(self, phrase: str) -> tuple[str, str]:
        """Tag and lemma of the first word, after a leading "is"."""
        if phrase not in self._known:
            self.prime([phrase])
        return self._known[phrase]


class Triggers:
    """Triggers by the form or lemma of their head."""

    def __init__(self, by_head: Mapping[str, tuple[Trigger, ...]]) -> None:
        self._by_head = by_head
        self._at: dict[tuple[str, str], tuple[Trigger, ...]] = {}

    def at(self, form: str, lemma: str) -> tuple[Trigger, ...]:
        """Triggers whose head a word with this form and lemma can be."""
        if form not in self._by_head and lemma not in self._by_head:
            return ()
        key = form, lemma
        if key not in self._at:
            both = (*self._by_head.get(form, ()), *self._by_head.get(lemma, ()))
            self._at[key] = tuple(dict.fromkeys(both))
        return self._at[key]


def compile_triggers(properties: Iterable[Property], nlp: Any) -> Triggers:
    """Compile every trigger of every property that text can state, by head form."""
    stated = sorted((p for p in properties if p.kind != "annotation"), key=lambda p: p.iri)
    tagger = Tagger(nlp)
    taken = {content_of(phrase) for prop in stated for phrase in prop.triggers}
    phrases = {prop.iri: _phrases(prop, taken) for prop in stated}
    parts = [_split(phrase) for own in phrases.values() for phrase in own]
    bodies = [" ".join(content) for _, _, content in parts if content]
    tagger.prime([*bodies, *(f"is {body}" for body in bodies)])
    index: defaultdict[str, dict[Trigger, None]] = defaultdict(dict)
    for prop in stated:
        for phrase in phrases[prop.iri]:
            for trigger in compile_phrase(prop, phrase, tagger):
                for head in trigger.heads:
                    index[head].setdefault(trigger)
    return Triggers({head: tuple(found) for head, found in index.items()})


def _phrases(prop: Property, taken: Collection[tuple[str, ...]]) -> list[str]:
    """A property's own phrases, and what else says them, unless the ontology says it itself."""
    others = [said for phrase in prop.triggers for said in paraphrases(phrase, dated=is_dated(prop))]
    return list(dict.fromkeys((*prop.triggers, *(said for said in others if content_of(said) not in taken))))


def content_of(phrase: str) -> tuple[str, ...]:
    """The words that make a phrase, without forms of "be" and articles."""
    return tuple(_split(phrase)[2])


def is_dated(prop: Property) -> bool:
    """True where what is said is when something happened ("opened in 1950", of a property that takes a date)."""
    return prop.kind == "data" and not _TIMES.isdisjoint(prop.range)


def _split(phrase: str) -> tuple[bool, tuple[str, ...], list[str]]:
    """Whether a phrase starts with "be", its leading adverbs, and its content words from the head on."""
    said = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", phrase).lower().split()
    had_be = bool(said) and said[0] in BE
    content = [w for w in said[had_be:] if w not in ARTICLES and w not in BE]
    before: list[str] = []
    while len(content) > 1 and (content[0] in _ADVERBS or content[0].endswith("ly")):
        before.append(content.pop(0))
    return had_be, tuple(before), content


def compile_phrase(prop: Property, phrase: str, tagger: Tagger) -> list[Trigger]:
    """Compile one phrase; a phrase without content gives nothing."""
    had_be, before, content = _split(phrase)
    if not content:
        return [Trigger(prop, phrase, "isa", frozenset(("be",)), (), ())] if had_be else []
    head, after = content[0], tuple(content[1:])
    if head in PREPOSITIONS:
        return [Trigger(prop, phrase, "be", frozenset(("be",)), before, tuple(content))]
    if head in ("has", "have", "had") and after and not set(after) & PREPOSITIONS:
        noun = singular(after[-1])
        named = Trigger(prop, phrase, "attribute", frozenset((after[-1], noun)), (), after[:-1])
        return [named, *(_measured(prop, phrase, noun) if len(after) == 1 else ())]
    found = _content(prop, phrase, had_be, before, head, after, tagger)
    if content[:2] in (["number", "of"], ["count", "of"]) and len(content) > 2:
        last = content[-1]
        found.append(Trigger(prop, phrase, "counted", frozenset((last, singular(last))), (), tuple(content[2:-1])))
    return found


def _measured(prop: Property, phrase: str, noun: str) -> list[Trigger]:
    """Other words for a quantity: its adjectives and its verb."""
    adjectives = MEASURED_BY.get(noun)
    found = [Trigger(prop, phrase, "copular", frozenset(adjectives), (), ())] if adjectives else []
    if verb := MEASURING.get(noun):
        found.append(Trigger(prop, phrase, "finite", frozenset((verb,)), (), ()))
    return found


def _content(
    prop: Property,
    phrase: str,
    had_be: bool,
    before: tuple[str, ...],
    head: str,
    after: tuple[str, ...],
    tagger: Tagger,
) -> list[Trigger]:
    body = " ".join((head, *after))
    lemma = tagger(body)[1]
    passive_tag, passive_lemma = tagger(f"is {body}")
    heads = frozenset((head, passive_lemma) if had_be else (head, lemma, passive_lemma))
    participle = passive_tag in ("VBN", "VBD") or head.endswith("ed")
    found: list[Trigger] = []

    def add(kind: Kind, tail: tuple[str, ...], forms: frozenset[str] = heads) -> None:
        found.append(Trigger(prop, phrase, kind, forms, before, tail))

    if had_be:
        add("passive" if participle else "copular", after)
    elif head.endswith("s") and not head.endswith("ss"):
        add("finite", after, frozenset((head, singular(head), lemma)))
        if passive_tag in ("NN", "NNS") and not after:  # "symptoms"
            add("attribute", (), frozenset((head, passive_lemma, singular(head))))
    elif participle:
        add("either", after)
    elif after and (after[-1] in PREPOSITIONS or after[-1] in _PARTICLES):
        add("copular", after)
        add("finite", after)
    else:
        last = (head, *after)[-1]
        add("finite", after)
        add("attribute", (head, *after)[:-1], frozenset((last, singular(last))))
        found += _measured(prop, phrase, last) if not after else []
    if participle and after[-1:] == ("for",):
        add("passive" if had_be else "either", (*after[:-1], "to"))
    return found
