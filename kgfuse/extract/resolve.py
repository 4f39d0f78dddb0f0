"""From mentions to IRIs and from candidate statements to facts, over all sources at once.

The outcome depends on the set of extractions alone: statements are taken by confidence, then by place, and every tie
is broken by IRI.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from kgfuse.extract.gate import CLASS_LIKE, Gate
from kgfuse.extract.link import Known, Linker
from kgfuse.extract.settings import ExtractSettings
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.mentions import Extraction, Fact, Mention, Rejected, Statement, Value
from kgfuse.terms.namespaces import ENTITY, KGF, RDF, RDFS, XSD

__all__ = ["Entity", "Known", "Resolution", "resolve"]

TYPE: Final = RDF + "type"
LABEL: Final = RDFS + "label"


@dataclass(frozen=True, slots=True)
class Entity:
    """A thing that no ontology and no manifest knows, named after its label."""

    iri: str
    label: str
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resolution:
    """Facts for the graph, what was turned away, and the entities that were minted."""

    facts: tuple[Fact, ...]
    rejected: tuple[Rejected, ...]
    entities: Mapping[str, Entity]


@dataclass(frozen=True, slots=True)
class _Resolved:
    """A statement with both ends named."""

    statement: Statement
    run: str
    subject: str
    object: str | Value
    subject_types: tuple[str, ...]
    object_types: tuple[str, ...]


@dataclass(slots=True)
class _Types:
    """Types accepted for minted entities, and which statement of which source supports them."""

    vocabulary: Vocabulary
    of: dict[str, dict[str, None]] = field(default_factory=dict)

    def known(self, iri: str, stated: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*stated, *self.of.get(iri, ()))))

    def accept(self, iri: str, cls: str) -> bool:
        """Take the type unless it contradicts one taken before."""
        have = self.of.setdefault(iri, {})
        if any(self.vocabulary.are_disjoint(cls, other) for other in have):
            return False
        have.setdefault(cls)
        return True


def resolve(
    extractions: Iterable[Extraction],
    vocabulary: Vocabulary,
    items: Mapping[str, Known],
    settings: ExtractSettings | None = None,
) -> Resolution:
    """Name what was mentioned, and let the gate decide what enters the graph.

    A mention with an entity keeps it. Otherwise its label is looked up among the items, then in the lexicon, then
    without its leading adjectives; what nobody knows becomes an entity of its own under ``entity/``.

    Args:
        extractions: of all sources, in any order.
        vocabulary: lexicon, ranges and disjointness.
        items: items of the workspace by `label_key` of their labels.
        settings: for ``min_confidence``.

    Returns:
        Facts in the order of source, subject, predicate, object.
    """
    settings = settings or ExtractSettings()
    linker = Linker(vocabulary, items)
    named = _named(extractions, linker)
    types = _Types(vocabulary)
    _mention_types(named, types)
    ranged: dict[int, str] = {}
    gate = Gate(vocabulary, settings.min_confidence, {"image.tag": settings.image.tag_threshold}, settings.admit)
    accepted: list[_Resolved] = []
    rejected: dict[Rejected, None] = {}
    for one in named:
        verdict = _decide(gate, one, types)
        if verdict is not None:
            rejected.setdefault(Rejected(one.statement, *verdict))
            continue
        accepted.append(one)
        cls = _range_type(vocabulary, one, types)
        if cls is not None and isinstance(one.object, str) and types.accept(one.object, cls):
            ranged[id(one)] = cls
    entities = _entities(accepted, types)
    facts = _facts(accepted, entities, ranged)
    return Resolution(tuple(facts), tuple(sorted(rejected, key=_rejected_key)), entities)


def _named(extractions: Iterable[Extraction], linker: Linker) -> list[_Resolved]:
    found: list[_Resolved] = []
    for extraction in extractions:
        for s in extraction.statements:
            prop = linker.vocabulary.properties.get(s.predicate)
            subject = linker.link(s.subject, prop.domain if prop else ())
            value: str | Value
            value_types: tuple[str, ...]
            if isinstance(s.object, Value):
                value, value_types = s.object, ()
            else:
                value, value_types = linker.link(s.object, prop.range if prop else ())
            found.append(_Resolved(s, extraction.run, subject[0], value, subject[1], value_types))
    return sorted(found, key=_order)


def _order(one: _Resolved) -> tuple[float, str, str, str, str, str]:
    s = one.statement
    return (-s.confidence, one.subject, s.predicate, repr(one.object), s.source, repr(s))


def _mention_types(named: Iterable[_Resolved], types: _Types) -> None:
    """Give minted entities the types that the extractors are sure of: by confidence, then IRI."""
    claims: dict[tuple[str, str], float] = {}
    for one in named:
        if one.statement.assertion == "negated":
            continue
        for node, iri in ((one.statement.subject, one.subject), (one.statement.object, one.object)):
            if isinstance(node, Mention) and isinstance(iri, str) and iri.startswith(ENTITY):
                for cls in node.types:
                    claims[iri, cls] = max(claims.get((iri, cls), 0.0), node.confidence)
    for (iri, cls), _ in sorted(claims.items(), key=lambda c: (-c[1], c[0])):
        types.accept(iri, cls)


def _decide(gate: Gate, one: _Resolved, types: _Types) -> tuple[str, str] | None:
    if one.subject == one.object:
        return "itself", "subject and object are the same thing"
    # of a minted entity, what all sources together say holds, not what one mention claims
    subject = types.known(one.subject, () if one.subject.startswith(ENTITY) else one.subject_types)
    object_types: tuple[str, ...] = ()
    if isinstance(one.object, str):
        object_types = types.known(one.object, () if one.object.startswith(ENTITY) else one.object_types)
    return gate.decide(one.statement, subject, object_types)


def _range_type(vocabulary: Vocabulary, one: _Resolved, types: _Types) -> str | None:
    """The range, where it is one class of the vocabulary and says something new of a minted object."""
    prop = vocabulary.properties.get(one.statement.predicate)
    if prop is None or len(prop.range) != 1 or not isinstance(one.object, str) or not one.object.startswith(ENTITY):
        return None
    cls = prop.range[0]
    if cls in CLASS_LIKE or cls not in vocabulary.classes:
        return None
    known = types.of.get(one.object, {})
    return None if cls not in known and any(cls in vocabulary.ancestors(t) for t in known) else cls


def _entities(accepted: Iterable[_Resolved], types: _Types) -> dict[str, Entity]:
    """Minted entities that a fact mentions; the label is the most frequent spelling, then the first by alphabet."""
    spellings: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in accepted:
        for node, iri in ((one.statement.subject, one.subject), (one.statement.object, one.object)):
            if isinstance(node, Mention) and isinstance(iri, str) and iri.startswith(ENTITY):
                spellings[iri][node.label.strip()] += 1
    entities = {}
    for iri in sorted(spellings):
        label = min(spellings[iri].items(), key=lambda c: (-c[1], c[0]))[0]
        entities[iri] = Entity(iri, label, tuple(sorted(types.of.get(iri, ()))) or (KGF + "Entity",))
    return entities


def _facts(
    accepted: Iterable[_Resolved],
    entities: Mapping[str, Entity],
    ranged: Mapping[int, str],
) -> list[Fact]:
    """One fact per source and triple: evidence united, the highest confidence, reasons joined."""
    groups: defaultdict[tuple[str, str, str, str], list[Fact]] = defaultdict(list)
    for one in accepted:
        _put(groups, _fact(one))
        for node, iri in ((one.statement.subject, one.subject), (one.statement.object, one.object)):
            if isinstance(iri, str) and isinstance(node, Mention) and iri in entities:
                for fact in _about(entities[iri], node, one, ranged.get(id(one))):
                    _put(groups, fact)
    return [_merged(groups[key]) for key in sorted(groups)]


def _fact(one: _Resolved) -> Fact:
    s = one.statement
    who = "" if s.said_by is None else s.said_by.label
    return Fact(
        one.subject, s.predicate, one.object, s.source, s.evidence, s.extractor, s.confidence, s.reason, one.run,
        s.assertion, who,
    )  # fmt: skip


def _about(
    entity: Entity,
    mention: Mention,
    one: _Resolved,
    ranged: str | None,
) -> Iterable[Fact]:
    """Label and types of a minted entity, as far as this statement supports them."""
    s = one.statement
    base = Fact(
        entity.iri, LABEL, Value(entity.label, XSD + "string"), s.source, (mention,), mention.extractor,
        mention.confidence, "named so in the text", one.run,
    )  # fmt: skip
    yield base
    for cls in entity.types:
        if cls == KGF + "Entity":
            yield replace(base, predicate=TYPE, object=cls, reason="no class of the ontology is known for it")
        elif cls in mention.types:
            yield replace(base, predicate=TYPE, object=cls, reason="the words name a member of this class")
        elif one.object == entity.iri and cls == ranged:
            yield replace(
                base, predicate=TYPE, object=cls, evidence=s.evidence, extractor=s.extractor, confidence=s.confidence,
                reason="it stands where the property takes this class",
            )  # fmt: skip


def _put(groups: defaultdict[tuple[str, str, str, str], list[Fact]], fact: Fact) -> None:
    groups[fact.source, fact.subject, fact.predicate, repr(fact.object)].append(fact)


def _merged(same: list[Fact]) -> Fact:
    # what a source also says outright is asserted, whatever it supposes or reports elsewhere
    ordered = sorted(
        same, key=lambda f: (f.assertion != "asserted", -f.confidence, f.extractor, f.reason, f.run, repr(f))
    )
    best = ordered[0]
    if len(ordered) == 1:
        return best
    evidence = tuple(sorted({m for f in ordered for m in f.evidence}, key=repr))
    reasons = "; ".join(dict.fromkeys(f.reason for f in ordered))
    return replace(best, evidence=evidence, reason=reasons)


def _rejected_key(one: Rejected) -> tuple[str, str, str]:
    return one.statement.source, repr(one.statement), one.rule
