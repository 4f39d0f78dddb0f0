"""From mentions to IRIs and from candidate statements to facts, over all sources at once.

The outcome depends on the set of extractions alone: what contradicts what is decided jointly, in an order of IRIs, and
whatever is taken one by one is taken by confidence, then by place.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kgfuse.extract.facts import Entity, facts_of
from kgfuse.extract.gating.gate import CLASS_LIKE, Gate
from kgfuse.extract.gating.joint import Candidate, Given, Givens, TypeClaim, decide, nothing
from kgfuse.extract.identity.gazetteer import Gazetteer
from kgfuse.extract.identity.same import Identity, Wish, identify
from kgfuse.extract.link import Known, Linker
from kgfuse.extract.settings import ExtractSettings
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.mentions import REVIEW, Extraction, Fact, Mention, Rejected, Statement, Value
from kgfuse.terms.namespaces import ENTITY, KGF, entity_iri

__all__ = ["Entity", "Given", "Known", "Resolution", "resolve"]


@dataclass(frozen=True, slots=True)
class Resolution:
    """What all extractions come to.

    Args:
        facts: for the graph.
        rejected: what was turned away, and why.
        entities: that were minted.
        ends: what each candidate's ends are.
        identity: which names were taken for one another.
    """

    facts: tuple[Fact, ...]
    rejected: tuple[Rejected, ...]
    entities: Mapping[str, Entity]
    ends: Mapping[Statement, tuple[str, str | Value]] = field(default_factory=dict)
    identity: Identity = field(default_factory=Identity)


@dataclass(slots=True)
class _Types:
    """Types accepted for minted entities, and which statement of which source supports them."""

    vocabulary: Vocabulary
    of: dict[str, dict[str, None]] = field(default_factory=dict)

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
    given: Givens = nothing,
    wishes: Iterable[Wish] = (),
    gazetteer: Gazetteer | None = None,
) -> Resolution:
    """Name what was mentioned, and let the gate decide what enters the graph.

    A mention with an entity keeps it. Otherwise its label is looked up among the items, then in the lexicon, then
    without its leading adjectives; what nobody knows becomes an entity of its own under ``entity/``.

    Args:
        extractions: of all sources, in any order.
        vocabulary: lexicon, ranges and disjointness.
        items: items of the workspace by `label_key` of their labels.
        settings: for ``min_confidence``.
        given: triples that hold whatever is extracted.
        wishes: names that a person takes for one, or keeps apart.
        gazetteer: identifiers that names are linked to.

    Returns:
        Facts in the order of source, subject, predicate, object.
    """
    settings = settings or ExtractSettings()
    linker = Linker(vocabulary, items)
    named = _named(extractions, linker)
    identity = identify(named, vocabulary, wishes, gazetteer)
    if identity.of:
        named = sorted(map(identity.apply, named), key=_order)
    gate = Gate(vocabulary, settings.min_confidence, {"image.tag": settings.image.tag_threshold}, settings.admit)
    rejected: dict[Rejected, None] = {}
    fitting: list[Candidate] = []
    for one in named:
        verdict = _alone(gate, one)
        if verdict is None:
            fitting.append(one)
        else:
            rejected.setdefault(Rejected(one.statement, *verdict))
    decided = decide(fitting, _mention_types(named), vocabulary, given)
    accepted: list[Candidate] = []
    for n, one in enumerate(fitting):
        if n in decided.rejected:
            rejected.setdefault(Rejected(one.statement, *decided.rejected[n]))
        else:
            accepted.append(one)
    types = _Types(vocabulary)
    for claim in sorted(decided.types, key=lambda c: (-c.surest, c.iri, c.cls)):
        types.accept(claim.iri, claim.cls)
    ranged: dict[int, str] = {}
    for one in accepted:
        cls = _range_type(vocabulary, one, types)
        if cls is not None and isinstance(one.object, str) and types.accept(one.object, cls):
            ranged[id(one)] = cls
    entities = _entities(accepted, types, identity)
    facts = facts_of(accepted, entities, ranged, vocabulary)
    ends = {one.statement: (one.subject, one.object) for one in named}
    return Resolution(tuple(facts), tuple(sorted(rejected, key=_rejected_key)), entities, ends, identity)


def _named(extractions: Iterable[Extraction], linker: Linker) -> list[Candidate]:
    found: list[Candidate] = []
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
            # of a minted entity, what all sources together say holds, not what one mention claims
            known = () if subject[0].startswith(ENTITY) else subject[1]
            known_value = () if isinstance(value, str) and value.startswith(ENTITY) else value_types
            found.append(Candidate(s, extraction.run, subject[0], value, known, known_value))
    return sorted(found, key=_order)


def resolved_ends(
    statements: Iterable[Statement], vocabulary: Vocabulary, items: Mapping[str, Known], identity: Identity
) -> Mapping[Statement, tuple[str, str | Value]]:
    """Subject and object of statements that the gate does not see, named as `resolve` names them."""
    alone = Extraction("", "", (), tuple(statements))
    named = map(identity.apply, _named([alone], Linker(vocabulary, items)))
    return {one.statement: (one.subject, one.object) for one in named}


def _order(one: Candidate) -> tuple[float, str, str, str, str, str]:
    s = one.statement
    return (-s.confidence, one.subject, s.predicate, repr(one.object), s.source, repr(s))


def _mention_types(named: Iterable[Candidate]) -> list[TypeClaim]:
    """The types that extractors are sure of, for minted entities; of a source, the surest mention counts."""
    claims: defaultdict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for one in named:
        if one.statement.assertion == "negated":
            continue
        for node, iri in ((one.statement.subject, one.subject), (one.statement.object, one.object)):
            if isinstance(node, Mention) and isinstance(iri, str) and iri.startswith(ENTITY):
                for cls in node.types:
                    sources = claims[iri, cls]
                    sources[node.source] = max(sources.get(node.source, 0.0), node.confidence)
    return [TypeClaim(iri, cls, tuple(sorted(of.items()))) for (iri, cls), of in claims.items()]


def _alone(gate: Gate, one: Candidate) -> tuple[str, str] | None:
    """What speaks against a statement whatever others say."""
    if one.statement.extractor == REVIEW:  # a person has the last word
        return None
    if one.subject == one.object:
        return "itself", "subject and object are the same thing"
    return gate.decide(one.statement, one.subject_types, one.object_types)


def _range_type(vocabulary: Vocabulary, one: Candidate, types: _Types) -> str | None:
    """The range, where it is one class of the vocabulary and says something new of a minted object."""
    prop = vocabulary.properties.get(one.statement.predicate)
    if prop is None or len(prop.range) != 1 or not isinstance(one.object, str) or not one.object.startswith(ENTITY):
        return None
    cls = prop.range[0]
    if cls in CLASS_LIKE or cls not in vocabulary.classes:
        return None
    known = types.of.get(one.object, {})
    return None if cls not in known and any(cls in vocabulary.ancestors(t) for t in known) else cls


def _entities(accepted: Iterable[Candidate], types: _Types, identity: Identity) -> dict[str, Entity]:
    """Minted and linked entities that a fact mentions; the label is the spelling used most, then the first of them."""
    spellings: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in accepted:
        for node, iri in ((one.statement.subject, one.subject), (one.statement.object, one.object)):
            named = isinstance(iri, str) and (iri.startswith(ENTITY) or iri in identity.linked)
            if named and isinstance(node, Mention) and isinstance(iri, str):
                spellings[iri][node.label.strip()] += 1
    entities = {}
    for iri in sorted(spellings):
        if entry := identity.linked.get(iri):
            known = tuple(sorted(t for t in entry.types if t in types.vocabulary.classes))
            entities[iri] = Entity(iri, entry.label, known or (KGF + "Entity",), entry.file)
            continue
        own = {label: n for label, n in spellings[iri].items() if entity_iri(label) == iri} or spellings[iri]
        label = min(own.items(), key=lambda c: (-c[1], c[0]))[0]
        entities[iri] = Entity(iri, label, tuple(sorted(types.of.get(iri, ()))) or (KGF + "Entity",))
    return entities


def _rejected_key(one: Rejected) -> tuple[str, str, str]:
    return one.statement.source, repr(one.statement), one.rule
