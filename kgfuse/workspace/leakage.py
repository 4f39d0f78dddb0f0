"""What the encoders may not see: the labels, every statement that gives them away, and all that follows from them.

Statements whose property is marked ``kgf:revealsLabel``, or that say an item's target class outright, are hidden, with
the sentences they were read from and whatever else rests on those sentences.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kgfuse.ontology import Vocabulary
from kgfuse.terms.mentions import Extraction, Fact, Mention, Statement, TextSpan
from kgfuse.terms.namespaces import RDF
from kgfuse.workspace.hierarchy import TargetSpec

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Mask:
    """Hidden spans of texts by source IRI, and hidden (property, class) pairs.

    Args:
        spans: sorted, disjoint spans that state a label.
        revealing: properties that state a class.
        targets: the questions asked.
    """

    spans: Mapping[str, tuple[Span, ...]]
    revealing: frozenset[str]
    targets: tuple[TargetSpec, ...]

    def hides(self, subject: str, predicate: str, value: object, items: frozenset[str]) -> bool:
        """Whether a triple states the label of one of the items."""
        if predicate in self.revealing:
            return True
        if subject not in items:
            return False
        return any(t.property == predicate and (predicate != RDF + "type" or value in t.family) for t in self.targets)

    def hides_fact(self, fact: Fact, items: frozenset[str]) -> bool:
        """Whether a fact states a label, or rests on a hidden sentence, be it in part."""
        if self.hides(fact.subject, fact.predicate, fact.object, items):
            return True
        spans = self.spans.get(fact.source)
        if not spans:
            return False
        places = [m.selector for m in fact.evidence if isinstance(m.selector, TextSpan)]
        return bool(places) and any(_overlaps(p, spans) for p in places)

    def visible(self, source: str, text: str) -> str:
        """A text without its hidden sentences."""
        kept, position = [], 0
        for start, end in self.spans.get(source, ()):
            kept.append(text[position:start])
            position = end
        return "".join([*kept, text[position:]]).strip()


def make_mask(extractions: Iterable[Extraction], targets: Sequence[TargetSpec], vocabulary: Vocabulary) -> Mask:
    """Find every sentence that states a label, whether or not the gate let its statement in."""
    revealing = frozenset(p.iri for p in vocabulary.properties.values() if p.reveals_label)
    revealing |= {t.property for t in targets if t.property != RDF + "type"}
    family = frozenset().union(*(t.family for t in targets))
    found: dict[str, set[Span]] = {}
    for extraction in extractions:
        for statement in extraction.statements:
            if statement.predicate in revealing or _says_class(statement, family):
                span = _widest(statement.evidence)
                if span is not None:
                    found.setdefault(extraction.source, set()).add(span)
    return Mask({source: _merge(spans) for source, spans in found.items()}, revealing, tuple(targets))


def _says_class(statement: Statement, family: frozenset[str]) -> bool:
    if statement.predicate != RDF + "type":
        return False
    value = statement.object
    return (value.entity if isinstance(value, Mention) else value) in family


def _widest(evidence: Iterable[Mention]) -> Span | None:
    spans = [(m.selector.start, m.selector.end) for m in evidence if isinstance(m.selector, TextSpan)]
    return (min(s for s, _ in spans), max(e for _, e in spans)) if spans else None


def _merge(spans: Iterable[Span]) -> tuple[Span, ...]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _overlaps(place: TextSpan, spans: Sequence[Span]) -> bool:
    return any(place.start < end and start < place.end for start, end in spans)
