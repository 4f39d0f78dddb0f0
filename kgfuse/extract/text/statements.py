"""From links between words to statements: objects chosen by range, evidence attached, certainty weighed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from kgfuse.extract.protocol import Found
from kgfuse.extract.settings import TextSettings
from kgfuse.extract.text.assertion import PLAIN, Standing
from kgfuse.extract.text.clauses import subjects, with_conjuncts
from kgfuse.extract.text.english import ARTICLES
from kgfuse.extract.text.lexicon import Hit
from kgfuse.extract.text.naming import class_mention, named, term_mention, thing
from kgfuse.extract.text.objects import literal, object_of
from kgfuse.extract.text.reading import Reading
from kgfuse.extract.text.relations import Link, find_links
from kgfuse.extract.text.sentence import Sentence
from kgfuse.extract.text.subjects import ANAPHOR, Subject, subject_of
from kgfuse.extract.text.triggers import Triggers
from kgfuse.ontology.pack import Property
from kgfuse.terms.mentions import Mention, Statement, Value
from kgfuse.terms.namespaces import KGF, RDF

MENTIONS = KGF + "mentions"
TYPE = RDF + "type"
_KNOWN, _OPEN, _UNKNOWN, _MISFIT = 2, 1, 0, -1


def relation_statements(
    reading: Reading,
    sentence: Sentence,
    triggers: Triggers,
    pattern_links: Sequence[Link],
    settings: TextSettings,
) -> Iterator[Statement]:
    """What the triggers and patterns find in one sentence."""
    sent = sentence.span
    links = list(find_links(sentence, triggers))
    links += [link for link in pattern_links if sent.start <= link.anchor.i < sent.end]
    links = list(_completed(reading, links))
    groups: defaultdict[tuple[int, int, int], list[tuple[int, Link, Mention | Value]]] = defaultdict(list)
    for link in links:
        found = object_of(reading, link.object, link.property)
        if found is not None:
            key = (-1 if link.subject is None else link.subject.i, link.object.i, link.anchor.i)
            groups[key].append((_fit(reading, link, found), link, found))
    taken: set[tuple[int, int]] = set()
    for group in groups.values():
        for fit, link, found in _best(group):
            statement = _statement(reading, link, found, fit)
            if statement is not None:
                taken.add((-1 if link.subject is None else link.subject.i, link.object.i))
                yield statement
                for end, classes in ((statement.subject, link.property.domain), (found, link.property.range)):
                    if len(classes) == 1 and isinstance(end, Mention):
                        reading.topic.learn(end, classes)
    if settings.copula:
        yield from _types(reading, sentence, taken)


def _completed(reading: Reading, links: Sequence[Link]) -> Iterator[Link]:
    """The links, and those of names that share their words: "in North and South Korea" says two things."""
    seen = {(link.property.iri, link.anchor.i, link.subject and link.subject.i, link.object.i) for link in links}
    for link in links:
        yield link
        for role, token in (("object", link.object), ("subject", link.subject)):
            for other in reading.siblings(token) if token is not None else ():
                more = replace(link, **{role: other})
                key = more.property.iri, more.anchor.i, more.subject and more.subject.i, more.object.i
                if key not in seen:
                    seen.add(key)
                    yield more


def _fit(reading: Reading, link: Link, found: Mention | Value) -> int:
    if isinstance(found, Value):
        return _KNOWN
    if not link.property.range:
        return _OPEN
    types = {a for t in found.types for a in reading.vocabulary.ancestors(t)}
    if found.entity is not None and found.entity in reading.vocabulary.classes:
        return _KNOWN if link.property.range else _OPEN
    if not types.isdisjoint(link.property.range):
        return _KNOWN
    return _UNKNOWN if found.entity is None or found.entity == reading.source.item else _MISFIT


def _best(group: Sequence[tuple[int, Link, Mention | Value]]) -> list[tuple[int, Link, Mention | Value]]:
    """Among properties that fit the same words: the best range, then the longest trigger, then the most special."""
    top = max(fit for fit, _, _ in group)
    kept = [one for one in group if one[0] == top]
    weight = max(link.weight for _, link, _ in kept)
    if top != _KNOWN:
        kept = [one for one in kept if one[1].weight == weight]
    above = {p for _, link, _ in kept for p in link.property.parents if p != link.property.iri}
    if top in (_UNKNOWN, _MISFIT):
        properties = [link.property for _, link, _ in kept]
        above = {p.iri for p in properties if any(q.iri in p.parents and q.iri != p.iri for q in properties)}
    first: dict[str, tuple[int, Link, Mention | Value]] = {}
    for one in kept:
        if one[1].property.iri not in above:
            first.setdefault(one[1].property.iri, one)
    best = list(first.values())
    if len(best) > 1 and top != _KNOWN:
        return [(f, replace(link, confidence=link.confidence * 0.6), o) for f, link, o in best]
    return best


def _statement(reading: Reading, link: Link, found: Mention | Value, fit: int) -> Statement | None:
    about = subject_of(reading, link.subject, link.anchor)
    if about is not None and link.about_item and reading.source.item is not None:
        about = None if about.mention.entity != reading.source.item else replace(about, certainty=ANAPHOR, note="")
    if about is None:
        return None
    if isinstance(found, Mention) and found.entity is not None and found.entity == about.mention.entity:
        return None
    certainty = link.confidence * about.certainty
    if isinstance(found, Mention):
        is_guess = found.extractor == "text.subject" or (found.entity is None and found.extractor == "text.ner")
        certainty *= found.confidence if is_guess else 1.0
        certainty *= {_KNOWN: 1.0, _OPEN: 0.9, _UNKNOWN: 0.75, _MISFIT: 0.3}[fit]
    target = found if isinstance(found, Mention) else _literal_mention(reading, link)
    reason = f"“{link.phrase}” links subject and object"
    if link.extractor == "text.pattern":
        reason = link.phrase
    if fit == _MISFIT:
        reason += ", though the object is known as something else than the property takes"
    return statement(reading, about, link.property, found, target, link.anchor, certainty, reason, link)


def statement(
    reading: Reading,
    about: Subject,
    prop: Property | str,
    found: Mention | Value,
    target: Mention,
    anchor: Any,
    certainty: float,
    reason: str,
    link: Link | None = None,
    extractor: str = "text.trigger",
    said: Standing = PLAIN,
) -> Statement:
    """A statement with its evidence: the words of both ends, what these rest on, and the whole sentence.

    Where somebody is named who says so, their words are evidence too.
    """
    if link is not None:
        said = link.standing or reading.said(link.anchor, link.object, link.subject)
    holder = thing(reading, said.holder) if said.holder is not None else None
    notes, evidence = [reason], [about.mention, target, reading.sentence(anchor), *([holder] if holder else [])]
    if said.assertion in ("speculated", "attributed"):
        notes.append(f"“{said.cue.text}”")
    for mention in dict.fromkeys((about.mention, target)):
        note, places = reading.rests_on(mention)
        notes += [note] if note else []
        evidence += places
    if about.note:
        notes.append(about.note)
    return Statement(
        about.mention,
        prop if isinstance(prop, str) else prop.iri,
        found,
        tuple(dict.fromkeys(evidence)),
        extractor if link is None else link.extractor,
        round(certainty, 4),
        "; ".join(notes),
        reading.source.iri,
        said.assertion,
        holder,
    )


def _literal_mention(reading: Reading, link: Link) -> Mention:
    """The words that spell the value."""
    found = literal(reading, link.object, link.property)
    token = link.object
    if found is None or found.start >= found.end:
        return reading.mention(token.i, token.i + 1, token.text, "text.value")
    place = reading.characters(found.start, found.end)
    return Mention(reading.source.iri, place, place.exact, "text.value")


def _types(reading: Reading, sentence: Sentence, taken: set[tuple[int, int]]) -> Iterator[Statement]:
    """Read "X is a C" for a class C of the vocabulary, where no property of the vocabulary said it."""
    for token, lemma in zip(sentence.tokens, sentence.lemmas, strict=True):
        if lemma != "be" or token.pos_ not in ("AUX", "VERB"):
            continue
        nouns = [o for c in token.children if c.dep_ == "attr" for o in with_conjuncts(c)]
        for noun in nouns:
            hit = reading.hit_at(noun)
            term = next((t for t in hit.terms if t.kind == "class"), None) if hit is not None else None
            if hit is None or term is None or hit.end != noun.i + 1 or reading.in_label(noun):
                continue
            if not any(c.lower_ in ARTICLES for c in noun.children) and noun.tag_ not in ("NNS", "NNPS"):
                continue
            for subject in subjects(token) or []:
                about = subject_of(reading, subject, token)
                if about is None or about.note or (subject.i, noun.i) in taken:
                    continue
                target = class_mention(reading, hit, term)
                made = statement(
                    reading, about, TYPE, target, target, token, 0.85 * about.certainty, "“is a” names a class",
                    extractor="text.copula", said=reading.said(token, noun, subject),
                )  # fmt: skip
                yield made


def mention_statements(reading: Reading, nested: Sequence[Hit], settings: TextSettings) -> Iterator[Found]:
    """Lexicon entries and named entities as mentions, and what the item thereby mentions.

    A name inside a longer one ("Oxford" in "University of Oxford") is a mention too, but not said to be the item's.
    """
    found: list[Mention] = []
    for hit in reading.hits:
        term = hit.terms[0]
        if hit.weak or (all(reading.in_label(t) for t in reading.doc[hit.start : hit.end]) and reading.source.item):
            continue
        if term.kind == "class":
            yield class_mention(reading, hit, term)
        elif len(hit.terms) == 1:
            found.append(term_mention(reading, hit, term))
    if settings.entities:
        for ent in reading.doc.ents:
            known = ent.label_ in reading.vocabulary.ner_classes and reading.is_name(ent)
            if known and not any(reading.in_label(t) for t in ent) and not _is_named_by_hit(reading, ent):
                found.append(named(reading, ent))
    if settings.noun_chunks:
        for chunk in reading.doc.noun_chunks:
            if chunk.root.pos_ in ("NOUN", "PROPN") and not reading.in_label(chunk.root):
                found.append(thing(reading, chunk.root))
    for mention in dict.fromkeys(found):
        yield mention
        if settings.mentions and reading.source.item is not None and mention.entity != reading.source.item:
            note, places = reading.rests_on(mention)
            yield Statement(
                reading.source.item, MENTIONS, mention, (mention, *places), mention.extractor, mention.confidence,
                f"the text names it; {note}" if note else "the text names it", reading.source.iri,
            )  # fmt: skip
    for hit in nested:
        if not hit.weak and len(hit.terms) == 1:
            yield term_mention(reading, hit, hit.terms[0])


def _is_named_by_hit(reading: Reading, ent: Any) -> bool:
    """True where a lexicon entry says what an entity's head is, so that the entity is no name of its own."""
    inside = [hit for token in ent if (hit := reading.hit_at(token)) is not None]
    if not inside:
        return False
    return reading.hit_at(ent.root) is not None or any(h.start < ent.start or h.end > ent.end for h in inside)
