"""What pronouns, short names and definite nouns stand for: an earlier mention in the same text, by rule.

Precision before recall: a noun with an article finds an antecedent only where exactly one thing of the last sentences
is of that kind, a surname only where one person has it, and "he" or "she" never changes over to somebody for whom the
text has used the other. Nobody's gender is guessed from a name. Salience follows centering (Grosz, Joshi & Weinstein
1995): the subject of the last sentence first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from kgfuse.extract.text.english import singular, words
from kgfuse.terms.mentions import Mention, TextSpan

THING: Final = words("it this that itself its")
PEOPLE: Final = words("he she him her himself herself his hers")
GROUP: Final = words("they them themselves these those their")
PRONOUNS: Final = THING | PEOPLE | GROUP
_SHE: Final = words("she her hers herself")
_TITLES: Final = {
    **dict.fromkeys(words("mr mr. sir lord king prince"), "he"),
    **dict.fromkeys(words("mrs mrs. ms ms. miss lady queen princess dame"), "she"),
}
_KINDS: Final = {
    "PERSON": words(
        "man woman person author writer artist scientist player singer actor actress director politician poet painter "
        "composer physicist chemist mathematician philosopher president minister teacher engineer athlete musician"
    ),
    "ORG": words(
        "company firm corporation organisation organization agency group institution university college school team "
        "club party manufacturer publisher bank airline association committee institute business startup"
    ),
    "GPE": words("city country town state village nation capital municipality province republic"),
    "LOC": words("river mountain lake island region sea ocean valley range area desert peninsula"),
    "FAC": words("building bridge airport stadium station museum tower road highway church castle palace monument"),
    "WORK_OF_ART": words("film movie book novel song album painting series show play poem opera game story"),
    "PRODUCT": words("product device car vehicle aircraft ship phone computer software engine rocket model"),
    "EVENT": words("war battle event festival tournament championship revolution election conference"),
}
"""Nouns that a definite article makes stand for something with this entity label of spaCy."""
_WINDOW: Final = 3
_KEPT: Final = 24


@dataclass(frozen=True, slots=True)
class Candidate:
    """A mention that later words may take up.

    Args:
        mention: it.
        sentence: number of its sentence in the text.
        is_subject: it was the subject of that sentence.
        plural: it names several.
        person: it names a person; ``None`` where that is open.
        label: entity label of spaCy, or empty.
        kinds: lemmas of nouns that the text used for it ("a company", "… University").
        classes: IRIs of its classes and all above them.
        group: it is the first of several that are named together.
    """

    mention: Mention
    sentence: int
    is_subject: bool = False
    plural: bool = False
    person: bool | None = None
    label: str = ""
    kinds: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    group: bool = False

    @property
    def key(self) -> str:
        """The same for two mentions of one thing."""
        return self.mention.entity or self.mention.label.casefold()


@dataclass
class Topic:
    """What the text has been about so far; carried from piece to piece of one source.

    Args:
        alias: the words for the item where its label does not occur.
        last: the main subject of the last sentence, where that is not the item.
        last_plural: it names several.
        sentences: read so far.
        named: the first place that names the item.
        candidates: what was mentioned, newest last.
        names: surnames and given names of persons; ``None`` where two share one.
        pronouns: "he" or "she" by what the text used it for.
        abbreviations: long forms by short form, in the order of the text.
        inferred: classes of things by what was said of them.
    """

    alias: tuple[str, ...] = ()
    last: Mention | None = None
    last_plural: bool = False
    sentences: int = 0
    named: Mention | None = None
    candidates: list[Candidate] = field(default_factory=list)
    names: dict[str, Mention | None] = field(default_factory=dict)
    pronouns: dict[str, str] = field(default_factory=dict)
    abbreviations: dict[str, list[Mention]] = field(default_factory=dict)
    inferred: dict[str, frozenset[str]] = field(default_factory=dict)

    def add(self, candidate: Candidate) -> None:
        """Remember a mention; what the text said of the same thing before stays known."""
        kinds, person, key = candidate.kinds, candidate.person, candidate.key
        classes = candidate.classes | self.inferred.get(key, frozenset())
        for other in reversed(self.candidates):
            if other.key == key:
                kinds, classes = kinds | other.kinds, classes | other.classes
                person = other.person if person is None else person
                break
        self.candidates.append(replace(candidate, person=person, kinds=kinds, classes=classes))
        del self.candidates[:-_KEPT]

    def renew(self, mention: Mention) -> None:
        """Remember that the sentence at hand is about something that a pronoun takes up."""
        key = mention.entity or mention.label.casefold()
        known = next((c for c in reversed(self.candidates) if c.key == key), None)
        if known is not None:
            self.add(replace(known, sentence=self.sentences, is_subject=True))

    def learn(self, mention: Mention, classes: Iterable[str]) -> None:
        """Remember classes that what was said of a thing gives it (the domain of a property)."""
        key = mention.entity or mention.label.casefold()
        known, added = self.inferred.get(key), frozenset(classes)
        if known is None or not added <= known:
            self.inferred[key] = added if known is None else known | added

    def person(self, mention: Mention, before: str = "") -> None:
        """Remember a person's full name by its parts, and a title that goes before it."""
        parts = [p for p in mention.label.split() if p[:1].isupper()]
        if (pronoun := _TITLES.get(before.casefold())) is not None:
            self.pronouns.setdefault(mention.label.casefold(), pronoun)
        if len(parts) < 2:
            return
        for part in (parts[0], parts[-1]):
            known = self.names.get(part, mention)
            self.names[part] = known if known is not None and known.label == mention.label else None

    def short_name(self, word: str, start: int) -> Mention | None:
        """The full name of which this one word is the surname or the given name, where it came before."""
        full = self.names.get(word)
        is_earlier = full is not None and isinstance(full.selector, TextSpan) and full.selector.end <= start
        return full if is_earlier else None

    def pronoun(self, word: str, start: int) -> tuple[Candidate, float] | None:
        """What a pronoun stands for, and how sure that is."""
        word = word.casefold()
        near = self._near(start)
        if word in PEOPLE:
            said = "she" if word in _SHE else "he"
            fitting = [c for c in near if not c.plural and (c.person or (c.person is None and _may_be_person(c)))]
            fitting = [c for c in fitting if self.pronouns.get(c.key, said) == said]
            persons = [c for c in fitting if c.person]
            used = frozenset(key for key, pronoun in self.pronouns.items() if pronoun == said)
            found = _most_salient(persons or fitting, used)
            if found is not None:
                self.pronouns.setdefault(found[0].key, said)
            return found
        if word in GROUP:
            several = [c for c in near if c.plural]
            if several or word in ("these", "those"):
                found = _most_salient(several)
                return None if found is None or found[0].group else found  # "they" are not the first of them
            found = _most_salient(
                [c for c in near if c.label in ("ORG", "NORP")] or [c for c in near if c.is_subject and not c.person]
            )
            return None if found is None else (found[0], found[1] * 0.8)
        if word in THING:
            return _most_salient([c for c in near if not c.person and not c.plural])
        return None

    def definite(
        self, noun: str, classes: Collection[str], start: int, *, plural: bool = False
    ) -> tuple[Candidate, float] | None:
        """The one thing of the last sentences that a noun with "the" names by its kind.

        Args:
            noun: lemma of the noun.
            classes: IRIs of the classes that the noun names.
            start: its place in the text.
            plural: it names several, which one thing is not.
        """
        near, fitting = self._near(start), self.of_kind(noun, classes, start, plural=plural)
        distinct = {c.key for c in fitting}
        if len(distinct) == 1:
            last = fitting[-1]
            return None if any(_is_open(c) and c.sentence > last.sentence for c in near) else (last, 0.85)
        topics = [c for c in reversed(fitting) if c.is_subject and _continues(c, fitting)]
        if len({c.key for c in topics}) == 1:
            return topics[0], 0.7
        return None if fitting or plural else self._untyped(noun, classes, near)

    def of_kind(self, noun: str, classes: Iterable[str], start: int, *, plural: bool = False) -> list[Candidate]:
        """What the last sentences mention of a kind, oldest first: see `definite`."""
        wanted = set(classes)
        near = [c for c in self._near(start) if c.plural or not plural]
        fitting = [c for c in near if noun in c.kinds or not wanted.isdisjoint(c.classes)]
        return fitting or [c for c in near if c.label and not c.plural and noun in _KINDS.get(c.label, ())]

    def _untyped(self, noun: str, wanted: Collection[str], near: list[Candidate]) -> tuple[Candidate, float] | None:
        """The one name of which nothing is known, the subject of the last sentence: "Zog opened. The film …"."""
        if not wanted and not any(noun in nouns for nouns in _KINDS.values()):
            return None
        latest = self.sentences - 1
        names = [c for c in near if c.sentence == latest and _is_open(c)]
        return (names[0], 0.6) if len({c.key for c in names}) == 1 else None

    def _near(self, start: int) -> list[Candidate]:
        """Candidates of the last sentences that stand before a place, oldest first."""
        first = self.sentences - _WINDOW
        found = [c for c in self.candidates if c.sentence >= first]
        return [c for c in found if isinstance(c.mention.selector, TextSpan) and c.mention.selector.end <= start]


def _is_open(candidate: Candidate) -> bool:
    """True for a name in subject position of which nothing tells what kind of thing it names."""
    is_name = candidate.mention.label[:1].isupper() and not candidate.plural
    return candidate.is_subject and is_name and not candidate.label and not candidate.classes


def _may_be_person(candidate: Candidate) -> bool:
    label = candidate.mention.label
    return candidate.is_subject and (label[:1].isupper() or label in _KINDS["PERSON"])


def _continues(candidate: Candidate, candidates: Iterable[Candidate]) -> bool:
    """True where more than one sentence is about it."""
    return len({c.sentence for c in candidates if c.is_subject and c.key == candidate.key}) > 1


def _alike(one: Candidate, other: Candidate) -> bool:
    """True for two things of one kind, between which a pronoun does not tell."""
    if (one.person and other.person) or (one.label and one.label == other.label):
        return True
    return bool(one.classes and other.classes) and (one.classes <= other.classes or other.classes <= one.classes)


def _most_salient(candidates: list[Candidate], used: frozenset[str] = frozenset()) -> tuple[Candidate, float] | None:
    """The subject of the latest sentence, else the only one there is in it; surer where nothing else fits.

    Beside another thing of its kind, the subject counts only where the text is about it for more than one sentence, or
    has used the pronoun for it before.

    Args:
        candidates: that fit, oldest first.
        used: keys of those for which the text has used the pronoun.
    """
    if not candidates:
        return None
    latest = max(c.sentence for c in candidates)
    here = [c for c in candidates if c.sentence == latest]
    subjects = [c for c in here if c.is_subject]
    alone = len({c.key for c in here}) == 1
    if not subjects:
        return (here[-1], 0.65) if alone else None
    first = subjects[0]
    has_rival = any(c.key != first.key and _alike(c, first) for c in here)
    if has_rival and first.key not in used and not _continues(first, candidates):
        return None
    return first, 0.8 if alone else 0.7


def kinds_of(noun: Any, name: str) -> frozenset[str]:
    """Nouns that the text itself uses for what a noun names: "Acme is a company", "Acme, a company", "… University"."""
    found = {singular(name.split()[-1].lower())} if len(name.split()) > 1 else set()
    if noun.dep_ in ("nsubj", "nsubjpass") and noun.head.lemma_ == "be":
        found |= {c.lemma_.lower() for c in noun.head.children if c.dep_ == "attr" and c.pos_ == "NOUN"}
    found |= {c.lemma_.lower() for c in noun.children if c.dep_ == "appos" and c.pos_ == "NOUN"}
    if noun.dep_ == "appos" and noun.head.pos_ == "NOUN":
        found.add(noun.head.lemma_.lower())
    found |= {c.lemma_.lower() for c in noun.children if c.dep_ == "compound" and c.pos_ == "NOUN"}
    return frozenset(found)
