"""What a reader is asked for: the relations of an ontology as short descriptions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kgfuse.ontology.pack import Property
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.namespaces import XSD, local_name


@dataclass(frozen=True, slots=True)
class Relation:
    """One relation.

    Args:
        key: its IRI, or whatever else the examples call it.
        label: for people.
        domain: label of what its subjects are; empty where open.
        range: label of what its objects are; empty where open.
        literal: its objects are values, not things.
        functional: a subject has one object at most.
    """

    key: str
    label: str
    domain: str = ""
    range: str = ""
    literal: bool = False
    functional: bool = False

    @property
    def parts(self) -> tuple[str, str, str]:
        """What the encoder reads of it: ``("director", "film", "human")``."""
        return words(self.label), words(self.domain) or "thing", words(self.range) or "value"


@dataclass(frozen=True, slots=True)
class Schema:
    """The relations that one set of examples is annotated with, under a name."""

    name: str
    relations: tuple[Relation, ...]

    @property
    def keys(self) -> Mapping[str, int]:
        """Place of each relation by its key."""
        return {relation.key: n for n, relation in enumerate(self.relations)}


def words(name: str) -> str:
    """A label as plain words.

    >>> words("wasGivenTheTechnicalCampusStatusBy")
    'was given the technical campus status by'
    """
    if name.isupper():
        return name
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name.replace("_", " "))
    return " ".join(re.sub(r"(?<=[A-Z])(?=[A-Z][a-z])", " ", spaced).split()).lower()


def schema_of(vocabulary: Vocabulary, name: str) -> Schema:
    """The relations of a vocabulary that texts may state: object and data properties, in the order of their IRIs."""
    found = [_relation(vocabulary, p) for p in _asked(vocabulary.properties.values())]
    return Schema(name, tuple(found))


def _asked(properties: Iterable[Property]) -> list[Property]:
    return sorted((p for p in properties if p.kind in ("object", "data") and p.triggers), key=lambda p: p.iri)


def _relation(vocabulary: Vocabulary, prop: Property) -> Relation:
    return Relation(
        prop.iri,
        prop.label,
        " or ".join(vocabulary.label(c) for c in prop.domain[:2]),
        " or ".join(_range_label(vocabulary, c) for c in prop.range[:2]),
        prop.kind == "data",
        prop.functional,
    )


def _range_label(vocabulary: Vocabulary, iri: str) -> str:
    return local_name(iri) if iri.startswith(XSD) else vocabulary.label(iri)


def schema_of_text2kg(record: Mapping[str, Any]) -> Schema:
    """The relations of a Text2KGBench ontology (Mihindukulasooriya et al. 2023, arXiv:2308.02357)."""
    concepts = {c["qid"]: c["label"] for c in record["concepts"]}
    relations = []
    for r in record["relations"]:
        domain, range_ = (concepts.get(r.get(side), r.get(side) or "") for side in ("domain", "range"))
        relations.append(Relation(r["label"], r["label"], domain, range_, r.get("range") not in concepts))
    return Schema(record["id"], tuple(dict.fromkeys(relations)))
