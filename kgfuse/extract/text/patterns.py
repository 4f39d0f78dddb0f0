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

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final

from kgfuse.errors import PackError
from kgfuse.extract.text.assertion import Standing
from kgfuse.extract.text.clauses import is_hedged, subjects, with_examples
from kgfuse.extract.text.relations import RESTRICTED, Link
from kgfuse.extract.text.sentence import Sentence
from kgfuse.ontology.pack import Property
from kgfuse.ontology.vocabulary import Vocabulary

_ATTRIBUTES: Final = ("LOWER", "LEMMA", "DEP", "POS", "TAG", "ENT_TYPE")


@dataclass(frozen=True, slots=True)
class _Rule:
    """A pattern with its matcher.

    Args:
        matcher: spaCy's.
        aligned: it is a token pattern.
        words: sets of forms of each of which the text must have one.
        nodes: what each token must be, by attribute.
        property, object, subject, confidence, negated, reason: as in the file.
    """

    matcher: Any
    aligned: bool
    words: tuple[frozenset[str], ...]
    nodes: tuple[tuple[tuple[str, frozenset[str]], ...], ...]
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
            wanted = () if aligned else tuple(tuple(_wanted(node, _ATTRIBUTES)) for node in nodes)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise PackError(
                f"not a pattern: {error}", where=where, remedy="see the spaCy documentation of DependencyMatcher"
            ) from error
        confidence, negated = float(record.get("confidence", 0.85)), bool(record.get("negated", False))
        reason = str(record.get("reason", f"a pattern of {key.partition(':')[0]}"))
        self._rules.append(_Rule(matcher, aligned, words, wanted, prop, object_, subject, confidence, negated, reason))

    def links(self, doc: Any, sentences: Sequence[Sentence]) -> list[Link]:
        """Every link that a pattern makes, in the order of the text.

        A pattern is tried only in the sentences (a token pattern: in a text) where its words all occur: the matcher's
        cost grows with its patterns and with the text that it is given.
        """
        if not self._rules:
            return []
        whole = frozenset().union(*(sentence.forms for sentence in sentences))
        alone: dict[int, Any] = {}
        found: list[tuple[list[int], int]] = []
        for number, rule in enumerate(self._rules):
            if not _can_match(rule, whole):
                continue
            if rule.aligned:
                found += [(ids, number) for ids in _matches(rule, doc)]
                continue
            for sentence in sentences:
                if _can_match(rule, sentence.forms) and _has_nodes(rule, sentence.tokens):
                    start = sentence.span.start
                    if start not in alone:
                        alone[start] = sentence.span.as_doc()
                    found += [([i + start for i in ids], number) for ids in _matches(rule, alone[start])]
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
                confidence = rule.confidence * (RESTRICTED if is_hedged(anchor) else 1.0)
                said = Standing("negated", anchor) if rule.negated else None
                more: dict[str, Any] = {"extractor": "text.pattern", "about_item": about_item}
                yield Link(rule.property, subject, one, anchor, rule.reason, confidence, said, **more)


def _can_match(rule: _Rule, forms: Set[str]) -> bool:
    return all(not words.isdisjoint(forms) for words in rule.words)


def _has_nodes(rule: _Rule, tokens: Sequence[Any]) -> bool:
    """True where each node of a pattern has a token for it, wherever it stands: far cheaper to see than a match."""
    return all(
        any(all(getattr(token, name) in forms for name, forms in node) for token in tokens) for node in rule.nodes
    )


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


def _words(attributes: Mapping[str, Any]) -> Iterator[frozenset[str]]:
    """The forms that an element of a pattern asks for, in lower case."""
    for _, forms in _wanted(attributes, ("LOWER", "LEMMA")):
        yield frozenset(map(str.lower, forms))


def _wanted(attributes: Mapping[str, Any], kinds: Sequence[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """What an element asks of a token, where it names it: the token's attribute and the values that it may have."""
    for kind in kinds:
        wanted = attributes.get(kind)
        if isinstance(wanted, str):
            yield kind.lower() + "_", frozenset((wanted,))
        elif isinstance(wanted, dict) and set(wanted) == {"IN"}:
            yield kind.lower() + "_", frozenset(wanted["IN"])
