"""A pack's own patterns (``patterns.jsonl``): spaCy DependencyMatcher or Matcher patterns for one property each.

One JSON object a line::

    {"property": "fg:eats", "pattern": [{"RIGHT_ID": "verb", "RIGHT_ATTRS": {"LEMMA": "munch"}},
     {"LEFT_ID": "verb", "REL_OP": ">", "RIGHT_ID": "food", "RIGHT_ATTRS": {"DEP": "dobj"}}], "object": "food"}
    {"property": "fg:madeOf", "pattern": [{"LEMMA": "all"}, {"LOWER": "of"}, {"POS": "NOUN"}], "object": 2}

``object`` names a ``RIGHT_ID``, or counts elements of a token pattern from 0; so does ``subject``, which is left out or
null where the statement is about the item (in a text without item: about the clause's subject). Optional:
``confidence`` (default 0.85), ``assertion`` (``negated``, ``speculated`` or ``attributed``, where the wording itself
says it so; or ``negated: true``), ``reason``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

from kgfuse.errors import PackError
from kgfuse.extract.text.assertion import Said
from kgfuse.extract.text.clauses import subjects, with_examples
from kgfuse.extract.text.relations import Link, make_link
from kgfuse.ontology.pack import Property
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.mentions import Assertion


@dataclass(frozen=True, slots=True)
class _Rule:
    """A pattern with its matcher; ``words``: sets of forms of each of which the text must have one."""

    matcher: Any
    aligned: bool
    words: tuple[tuple[str, frozenset[str]], ...]
    property: Property
    object: int
    subject: int | None
    confidence: float
    assertion: Assertion | None
    reason: str


class Patterns:
    """The patterns of all packs of a vocabulary, compiled.

    Raises:
        PackError: a line names no property of the vocabulary, or spaCy does not accept its pattern.
    """

    def __init__(self, vocabulary: Vocabulary, nlp: Any) -> None:
        from spacy.matcher import DependencyMatcher, Matcher

        self._matchers: dict[bool, Any] = {False: DependencyMatcher, True: Matcher}
        self._vocab = nlp.vocab
        self._rules: list[_Rule] = []
        for pack in vocabulary.packs:
            for line, record in pack.records("patterns.jsonl"):
                where = f"{pack.folder}/patterns.jsonl:{line}"
                self._add(f"{pack.name}:{line}", record, vocabulary, where)

    def __bool__(self) -> bool:
        return bool(self._rules)

    def _add(self, key: str, record: dict[str, Any], vocabulary: Vocabulary, where: str) -> None:
        prop = vocabulary.properties.get(vocabulary.expand(str(record.get("property", ""))))
        if prop is None:
            raise PackError(f"{record.get('property')!r} is no property of the ontology", where=where)
        try:
            pattern, subject = record["pattern"], record.get("subject")
            aligned = "RIGHT_ID" not in pattern[0]
            names = list(range(len(pattern))) if aligned else [node["RIGHT_ID"] for node in pattern]
            object_ = names.index(record["object"])
            subject = names.index(subject) if subject is not None else None
            matcher = self._matchers[aligned](self._vocab)
            matcher.add(key, [pattern])
            nodes = [node for node in pattern if "OP" not in node] if aligned else [n["RIGHT_ATTRS"] for n in pattern]
            words = tuple(w for node in nodes for w in _words(node))
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise PackError(
                f"not a pattern: {error}", where=where, remedy="see the spaCy documentation of DependencyMatcher"
            ) from error
        confidence = float(record.get("confidence", 0.85))
        assertion = "negated" if record.get("negated") else record.get("assertion")
        if assertion not in (None, *get_args(Assertion)):
            raise PackError(f"{assertion!r} is no assertion", where=where, remedy=f"use one of {get_args(Assertion)}")
        reason = str(record.get("reason", f"a pattern of {key.partition(':')[0]}"))
        self._rules.append(_Rule(matcher, aligned, words, prop, object_, subject, confidence, assertion, reason))

    def links(self, doc: Any) -> list[Link]:
        """Every link that a pattern makes, in the order of the text.

        A pattern whose words do not all occur in the text is not tried: the matcher's cost grows with its patterns.
        """
        forms = {"LOWER": {t.lower_ for t in doc}, "LEMMA": {t.lemma_ for t in doc}}
        found: list[tuple[list[int], int]] = []
        for number, rule in enumerate(self._rules):
            if all(not forms[kind].isdisjoint(words) for kind, words in rule.words):
                found += [(ids, number) for ids in _matches(rule, doc)]
        return [link for ids, number in sorted(found) for link in self._link(self._rules[number], doc, ids)]

    def _link(self, rule: _Rule, doc: Any, ids: list[int]) -> Iterator[Link]:
        target = doc[ids[rule.object]]
        anchor = doc[ids[0]]
        about_item = rule.subject is None
        found = subjects(anchor) if rule.subject is None else [doc[ids[rule.subject]]]
        for subject in found if found is not None else [None]:
            for one in with_examples(target):
                if one == subject and not about_item:
                    continue
                more: dict[str, Any] = {"extractor": "text.pattern", "about_item": about_item}
                link = make_link(rule.property, subject, one, anchor, rule.reason, rule.confidence, **more)
                yield link if rule.assertion is None else replace(link, said=Said(rule.assertion))


def _matches(rule: _Rule, doc: Any) -> Iterator[list[int]]:
    """Tokens of each match, by element of the pattern; matches without the object's token are left out."""
    if not rule.aligned:
        for _, ids in rule.matcher(doc):
            yield list(ids)
        return
    for _, start, end, alignment in rule.matcher(doc, with_alignments=True):
        first: dict[int, int] = {}
        for n, element in enumerate(alignment[: end - start]):
            first.setdefault(element, start + n)
        if rule.object in first and (rule.subject is None or rule.subject in first):
            yield [first.get(n, start) for n in range(max(first) + 1)]


def _words(attributes: Mapping[str, Any]) -> Iterator[tuple[str, frozenset[str]]]:
    """The forms that an element of a pattern asks for."""
    for kind in ("LOWER", "LEMMA"):
        wanted = attributes.get(kind)
        if isinstance(wanted, str):
            yield kind, frozenset((wanted,))
        elif isinstance(wanted, dict) and set(wanted) == {"IN"}:
            yield kind, frozenset(wanted["IN"])
