"""A pack's own patterns (``patterns.jsonl``): spaCy DependencyMatcher or Matcher patterns for one property each.

One JSON object a line::

    {"property": "fg:eats", "pattern": [{"RIGHT_ID": "verb", "RIGHT_ATTRS": {"LEMMA": "munch"}},
     {"LEFT_ID": "verb", "REL_OP": ">", "RIGHT_ID": "food", "RIGHT_ATTRS": {"DEP": "dobj"}}], "object": "food"}
    {"property": "fg:madeOf", "pattern": [{"LEMMA": "all"}, {"LOWER": "of"}, {"POS": "NOUN"}], "object": 2}

``object`` names a ``RIGHT_ID``, or counts elements of a token pattern from 0; so does ``subject``, which is left out or
null where the statement is about the item (in a text without item: about the clause's subject). Optional:
``confidence`` (default 0.85), ``negated``, ``reason``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from kgfuse.errors import PackError
from kgfuse.extract.text.clauses import subjects, with_examples
from kgfuse.extract.text.relations import Link, make_link
from kgfuse.ontology.pack import Property
from kgfuse.ontology.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class _Rule:
    property: Property
    object: int
    subject: int | None
    confidence: float
    negated: bool
    reason: str


class Patterns:
    """The patterns of all packs of a vocabulary, compiled.

    Raises:
        PackError: a line names no property of the vocabulary, or spaCy does not accept its pattern.
    """

    def __init__(self, vocabulary: Vocabulary, nlp: Any) -> None:
        from spacy.matcher import DependencyMatcher, Matcher

        self._dependency = DependencyMatcher(nlp.vocab)
        self._tokens = Matcher(nlp.vocab)
        self._rules: dict[str, _Rule] = {}
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
            if "RIGHT_ID" in pattern[0]:
                names = [node["RIGHT_ID"] for node in pattern]
                self._dependency.add(key, [pattern])
                object_ = names.index(record["object"])
                subject = names.index(subject) if subject is not None else None
            else:
                self._tokens.add(key, [pattern])
                object_ = int(record["object"])
                if not 0 <= object_ < len(pattern):
                    raise ValueError(f"object {object_} is outside the pattern")
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise PackError(
                f"not a pattern: {error}", where=where, remedy="see the spaCy documentation of DependencyMatcher"
            ) from error
        self._rules[key] = _Rule(
            prop,
            object_,
            subject,
            float(record.get("confidence", 0.85)),
            bool(record.get("negated", False)),
            str(record.get("reason", f"a pattern of {key.partition(':')[0]}")),
        )

    def links(self, doc: Any) -> Iterator[Link]:
        """Every link that a pattern makes, in the order of the text."""
        matches: list[tuple[str, list[int]]] = []
        if len(self._dependency):
            matches += [(doc.vocab.strings[key], list(ids)) for key, ids in self._dependency(doc)]
        if len(self._tokens):
            aligned: Any = self._tokens(doc, with_alignments=True)
            for number, start, end, alignment in aligned:
                first = {element: start + n for n, element in reversed(list(enumerate(alignment[: end - start])))}
                width = max(first) + 1
                matches.append((doc.vocab.strings[number], [first.get(n, -1) for n in range(width)]))
        for key, ids in sorted(matches, key=lambda m: (m[1], m[0])):
            rule = self._rules[key]
            if rule.object < len(ids) and ids[rule.object] >= 0:
                yield from self._link(rule, doc, ids)

    def _link(self, rule: _Rule, doc: Any, ids: list[int]) -> Iterator[Link]:
        target = doc[ids[rule.object]]
        anchor = doc[ids[0]] if ids[0] >= 0 else target
        about_item = rule.subject is None
        found = subjects(anchor) if rule.subject is None else [doc[ids[rule.subject]]]
        for subject in found if found is not None else [None]:
            for one in with_examples(target):
                if one == subject and not about_item:
                    continue
                more: dict[str, Any] = {"extractor": "text.pattern", "about_item": about_item}
                link = make_link(rule.property, subject, one, anchor, rule.reason, rule.confidence, **more)
                yield replace(link, negated=True) if rule.negated else link
