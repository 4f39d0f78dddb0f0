"""Facts for the graph: accepted statements, and what they support of the entities and quantities that they name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from kgfuse.extract.gating.joint import Candidate
from kgfuse.extract.values.nodes import QUANTITY, quantity_triples
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.mentions import Fact, Mention, Value
from kgfuse.terms.namespaces import KGF, RDF, RDFS, SKOS, XSD, label_key

TYPE: Final = RDF + "type"
LABEL: Final = RDFS + "label"
ALTERNATIVE: Final = SKOS + "altLabel"


@dataclass(frozen=True, slots=True)
class Entity:
    """A thing that no ontology and no manifest knows, named after its label or by a gazetteer's identifier.

    Args:
        iri, label, types: what it is called and is.
        file: name of the gazetteer that knows it; empty for what is known from texts alone.
    """

    iri: str
    label: str
    types: tuple[str, ...]
    file: str = ""


def facts_of(
    accepted: Iterable[Candidate],
    entities: Mapping[str, Entity],
    ranged: Mapping[int, str],
    vocabulary: Vocabulary,
) -> list[Fact]:
    """One fact per source and triple: evidence united, the highest confidence, reasons joined."""
    groups: defaultdict[tuple[str, str, str, str], list[Fact]] = defaultdict(list)
    for one in accepted:
        _put(groups, _fact(one))
        for node, iri in ((one.statement.subject, one.subject), (one.statement.object, one.object)):
            if isinstance(iri, str) and isinstance(node, Mention) and iri in entities:
                for fact in _about(entities[iri], node, one, ranged.get(id(one))):
                    _put(groups, fact)
            elif isinstance(iri, str) and isinstance(node, Mention) and iri.startswith(QUANTITY) and node.types:
                for fact in _quantity(iri, node, one, vocabulary):
                    _put(groups, fact)
    return [_merged(groups[key]) for key in sorted(groups)]


def _fact(one: Candidate) -> Fact:
    s = one.statement
    who = "" if s.said_by is None else s.said_by.label
    return Fact(
        one.subject, s.predicate, one.object, s.source, s.evidence, s.extractor, s.confidence,
        f"{s.reason}; {one.note}" if one.note else s.reason, one.run, s.assertion, who,
    )  # fmt: skip


def _quantity(iri: str, mention: Mention, one: Candidate, vocabulary: Vocabulary) -> Iterable[Fact]:
    """What a quantity's node is, on the words that an accepted statement has for it."""
    cls = mention.types[0]
    for predicate, value in quantity_triples(iri, cls, vocabulary.ancestors(cls)):
        yield Fact(
            iri, predicate, value, one.statement.source, (mention,), mention.extractor, mention.confidence,
            "the words give a number with a unit", one.run,
        )  # fmt: skip


def _about(
    entity: Entity,
    mention: Mention,
    one: Candidate,
    ranged: str | None,
) -> Iterable[Fact]:
    """Label and types of a minted entity, as far as this statement supports them."""
    s = one.statement
    base = Fact(
        entity.iri, LABEL, Value(entity.label, XSD + "string"), s.source, (mention,), mention.extractor,
        mention.confidence, f"named so in {entity.file or 'the text'}", one.run,
    )  # fmt: skip
    yield base
    if one.note and label_key(mention.label) != label_key(entity.label):
        name = Value(mention.label.strip(), XSD + "string")
        yield replace(base, predicate=ALTERNATIVE, object=name, reason=one.note)
    for cls in entity.types:
        if cls == KGF + "Entity":
            yield replace(base, predicate=TYPE, object=cls, reason="no class of the ontology is known for it")
        elif entity.file:
            yield replace(base, predicate=TYPE, object=cls, reason=f"{entity.file} says so")
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
    if len(same) == 1:
        return same[0]
    # what a source also says outright is asserted, whatever it supposes or reports elsewhere
    ordered = sorted(
        same, key=lambda f: (f.assertion != "asserted", -f.confidence, f.extractor, f.reason, f.run, repr(f))
    )
    best = ordered[0]
    evidence = tuple(sorted({m for f in ordered for m in f.evidence}, key=repr))
    reasons = "; ".join(dict.fromkeys(f.reason for f in ordered))
    vouched = next((f.assertion for f in ordered if f.assertion == "asserted"), best.assertion)
    return replace(best, evidence=evidence, reason=reasons, assertion=vouched)
