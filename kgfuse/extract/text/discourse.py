"""What the sentences read so far leave behind for those to come: names, abbreviations, and what may be taken up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kgfuse.extract.text.abbreviations import definitions
from kgfuse.extract.text.antecedents import antecedent, candidate
from kgfuse.extract.text.english import ARTICLES
from kgfuse.extract.text.naming import named, of_term
from kgfuse.extract.text.reading import Reading
from kgfuse.extract.text.subjects import subject_of
from kgfuse.terms.mentions import Mention, TextSpan


def note_abbreviations(reading: Reading) -> None:
    """Learn the abbreviations that a piece defines, and find where known short forms stand."""
    doc, known = reading.doc, reading.topic.abbreviations
    for found in definitions(doc.text):
        long = doc.char_span(found.long_start, found.long_end, alignment_mode="expand")
        if long is not None:
            meant = known.setdefault(found.short, [])
            mention = _long_form(reading, long)
            if not meant or meant[-1].label != mention.label:
                meant.append(mention)
    for short, meant in known.items():
        for place in re.finditer(rf"(?<!\w){re.escape(short)}(?!\w)", doc.text):
            span, long = doc.char_span(*place.span()), _meant(meant, reading.offset + place.start())
            if span is not None and long is not None:
                reading.short_at |= {t.i: (span.start, span.end, long) for t in span}


def _meant(forms: Sequence[Mention], start: int) -> Mention | None:
    """The long form given last before a place; before the first, that one where there is no other."""
    before = [m for m in forms if isinstance(m.selector, TextSpan) and m.selector.start <= start]
    return before[-1] if before else forms[0] if len(forms) == 1 else None


def _long_form(reading: Reading, span: Any) -> Mention:
    start, end = span.start, span.end
    while start < end - 1 and reading.doc[start].lower_ in ARTICLES:
        start += 1
    hit = reading.hit_at(reading.doc[end - 1])
    if hit is not None and (hit.start, hit.end) == (start, end) and len(hit.terms) == 1:
        return of_term(reading, hit, hit.terms[0])
    ent = reading.ner_at.get(end - 1)
    cls = reading.vocabulary.ner_classes.get(ent.label_) if ent is not None and ent.end == end else None
    label = " ".join(reading.doc[start:end].text.split())
    return reading.mention(start, end, label, "text.phrase", types=(cls,) if cls else ())


def note_names(reading: Reading, sent: Any) -> None:
    """Remember the persons that a sentence names in full, for their surnames alone."""
    for ent in reading.names_in(sent):
        if ent.label_ == "PERSON":
            before = reading.doc[ent.start - 1].text if ent.start else ""
            reading.topic.person(named(reading, ent), before)


def note(reading: Reading, token: Any) -> None:
    """Remember the main subject of a sentence for the pronouns of the next one."""
    if token.pos_ in ("PRON", "DET") or reading.in_label(token):
        if reading.source.item is None:
            if (found := antecedent(reading, token)) is not None:
                reading.topic.renew(_origin(reading, found[0]))
            return
        if token.lower_ != "they":
            reading.topic.last, reading.topic.last_plural = None, False
        return
    for owner in (c for c in token.children if c.dep_ == "poss" and c.pos_ == "PRON"):
        if reading.source.item is None and (found := antecedent(reading, owner)) is not None:
            reading.topic.renew(_origin(reading, found[0]))  # "its revenue was …" goes on about it
    about = subject_of(reading, token, token)
    if about is not None and about.note == "" and about.mention.entity != (reading.source.item or ""):
        reading.topic.add(replace(candidate(reading, token, is_subject=True), mention=_origin(reading, about.mention)))
    other = about is not None and (about.mention.entity is None or about.mention.entity != reading.source.item)
    reading.topic.last = about.mention if about is not None and (other or not reading.source.item) else None
    reading.topic.last_plural = reading.topic.last is not None and token.tag_ in ("NNS", "NNPS")


def note_others(reading: Reading, sent: Any, main: Any | None) -> None:
    """Remember what else a sentence names: entities, in its order, after its main subject."""
    for ent in reading.names_in(sent):
        covered = main is not None and ent.start <= main.i < ent.end
        if not covered and not reading.in_label(root := ent.root):
            one = candidate(reading, root, is_subject=False)
            reading.topic.add(replace(one, mention=_origin(reading, one.mention)))


def _origin(reading: Reading, mention: Mention) -> Mention:
    """The first full naming that a pronoun, short name or abbreviation goes back to."""
    seen: set[TextSpan] = set()
    while isinstance(mention.selector, TextSpan) and mention.selector in reading.support:
        there = reading.support[mention.selector][1][0]
        if mention.selector in seen or there.label != mention.label:
            break
        seen.add(mention.selector)
        mention = there
    return mention
