"""What the encoders may not see: the labels, every statement that gives them away, and all that follows from them.

Statements whose property is marked ``kgf:revealsLabel``, or that say an item's target class outright, are hidden, with
the sentences they were read from and whatever else rests on those sentences. So are those that say it by a subclass, a
subproperty, an inverse, an equivalent, another name of the item, or as a word instead of a node.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from kgfuse.ontology import Vocabulary
from kgfuse.terms.mentions import Extraction, Fact, Mention, Statement, TextSpan, Value
from kgfuse.terms.namespaces import KGF, OWL, RDFS, label_key
from kgfuse.workspace.hierarchy import RDF_TYPE, TargetSpec

AXIOMS: Final = (
    RDFS + "subClassOf",
    RDFS + "subPropertyOf",
    OWL + "equivalentClass",
    OWL + "equivalentProperty",
    OWL + "inverseOf",
    OWL + "sameAs",
)
"""Predicates by which something else may come to state a class."""

Span = tuple[int, int]


Said = tuple[str, str, str]
"""Subject, predicate and object of an axiom."""


@dataclass(frozen=True, slots=True)
class Mask:
    """Hidden spans of texts by source IRI, and what states a class.

    Args:
        spans: sorted, disjoint spans that state a label.
        revealing: properties that state a class, with all that entail them and their inverses.
        typing: ``rdf:type`` and what entails it.
        instances: inverses of those.
        classes: what an item's type may not say: the answers, what lies between them and the target, what lies below.
        names: comparison forms of the answers' names.
        same: other names of things, by ``owl:sameAs``.
        targets: the questions asked.
    """

    spans: Mapping[str, tuple[Span, ...]]
    revealing: frozenset[str]
    typing: frozenset[str]
    instances: frozenset[str]
    classes: frozenset[str]
    names: frozenset[str]
    same: Mapping[str, frozenset[str]]
    targets: tuple[TargetSpec, ...]

    def hides(self, subject: str, predicate: str, value: object, items: frozenset[str]) -> bool:
        """Whether a triple states the label of one of the items."""
        if predicate in self.revealing:
            return True
        if predicate in self.typing:
            return value in self.classes and self._is_item(subject, items)
        if predicate in self.instances:
            return subject in self.classes and isinstance(value, str) and self._is_item(value, items)
        if predicate.startswith(KGF) or not self._is_item(subject, items):
            return False
        words = value.lexical if isinstance(value, Value) else value
        return isinstance(words, str) and label_key(words) in self.names

    def _is_item(self, iri: str, items: frozenset[str]) -> bool:
        return iri in items or not items.isdisjoint(self.same.get(iri, ()))

    def hides_fact(self, fact: Fact, items: frozenset[str]) -> bool:
        """Whether a fact states a label, or rests on a hidden sentence, be it in part.

        That the sentence is what first names the item, which "it" takes up elsewhere, gives nothing away.
        """
        if self.hides(fact.subject, fact.predicate, fact.object, items):
            return True
        spans = self.spans.get(fact.source)
        if not spans:
            return False
        said = [m for m in fact.evidence if m.entity not in items] or fact.evidence
        places = [m.selector for m in said if isinstance(m.selector, TextSpan)]
        return bool(places) and any(_overlaps(p, spans) for p in places)

    def visible(self, source: str, text: str) -> str:
        """A text without its hidden sentences."""
        kept, position = [], 0
        for start, end in self.spans.get(source, ()):
            kept.append(text[position:start])
            position = end
        return "".join([*kept, text[position:]]).strip()


def make_mask(
    extractions: Iterable[Extraction],
    targets: Sequence[TargetSpec],
    vocabulary: Vocabulary,
    axioms: Iterable[Said] = (),
    names: Iterable[str] = (),
) -> Mask:
    """Find every sentence that states a label, whether or not the gate let its statement in.

    Args:
        extractions: of all sources.
        targets: the questions asked.
        vocabulary: the packs.
        axioms: triples of the predicates ``AXIOMS`` that hold; they say what else states a class.
        names: of the answers.
    """
    axioms = list(axioms)
    revealing = {p.iri for p in vocabulary.properties.values() if p.reveals_label}
    revealing |= {t.property for t in targets if t.property != RDF_TYPE}
    typing = _entailing({RDF_TYPE}, axioms, (RDFS + "subPropertyOf",), (OWL + "equivalentProperty",))
    instances = {a for s, p, o in axioms if p == OWL + "inverseOf" for a, b in ((s, o), (o, s)) if b in typing}
    mask = Mask(
        spans={},
        revealing=_entailing(
            revealing, axioms, (RDFS + "subPropertyOf",), (OWL + "equivalentProperty", OWL + "inverseOf")
        ),
        typing=typing,
        instances=_entailing(instances, axioms, (RDFS + "subPropertyOf",), (OWL + "equivalentProperty",)),
        classes=_hidden_classes(targets, axioms),
        names=frozenset(label_key(n) for n in names),
        same=_same(axioms),
        targets=tuple(targets),
    )
    found: dict[str, set[Span]] = {}
    for extraction in extractions:
        for statement in extraction.statements:
            if statement.predicate in mask.revealing or _says_class(statement, mask):
                span = _widest(statement.evidence)
                if span is not None:
                    found.setdefault(extraction.source, set()).add(span)
    return replace(mask, spans={source: _merge(spans) for source, spans in found.items()})


def _hidden_classes(targets: Sequence[TargetSpec], axioms: Sequence[Said]) -> frozenset[str]:
    """The families of the targets, with the classes below: to say that something is one of those says it too."""
    hidden: frozenset[str] = frozenset()
    for t in targets:
        if t.property == RDF_TYPE:
            # the family of a target that is no class reaches up to the most general classes, so only the answers count
            below = t.classes if t.name == RDF_TYPE else t.family
            hidden |= t.family | _entailing(below, axioms, (RDFS + "subClassOf",), (OWL + "equivalentClass",))
    return hidden


def _entailing(
    terms: Iterable[str], axioms: Iterable[Said], downwards: Collection[str], both_ways: Collection[str]
) -> frozenset[str]:
    """The terms, and all from which they follow."""
    near: dict[str, set[str]] = {}
    for s, p, o in axioms:
        if p in downwards or p in both_ways:
            near.setdefault(o, set()).add(s)
        if p in both_ways:
            near.setdefault(s, set()).add(o)
    seen: set[str] = set()
    todo = list(terms)
    while todo:
        term = todo.pop()
        if term not in seen:
            seen.add(term)
            todo += near.get(term, ())
    return frozenset(seen)


def _same(axioms: Sequence[Said]) -> dict[str, frozenset[str]]:
    things = {n for s, p, o in axioms if p == OWL + "sameAs" for n in (s, o)}
    return {n: _entailing((n,), axioms, (), (OWL + "sameAs",)) for n in things}


def _says_class(statement: Statement, mask: Mask) -> bool:
    if statement.predicate not in mask.typing:
        return False
    value = statement.object
    return (value.entity if isinstance(value, Mention) else value) in mask.classes


def _widest(evidence: Sequence[Mention]) -> Span | None:
    """The sentence that says it, without the places that only say what its words stand for; else all its words."""
    stated = [m for m in evidence if m.extractor == "text.sentence"] or evidence
    spans = [(m.selector.start, m.selector.end) for m in stated if isinstance(m.selector, TextSpan)]
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
