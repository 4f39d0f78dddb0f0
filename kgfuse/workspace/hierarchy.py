"""The classes of a target and their place in the hierarchy: pack classes and class nodes that a manifest brings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from kgfuse.catalog import ItemRow
from kgfuse.errors import TrainingError
from kgfuse.ontology import Vocabulary
from kgfuse.terms.namespaces import RDF, RDFS, local_name
from kgfuse.workspace.links import OWL_CLASS, linked

RDF_TYPE = RDF + "type"
SUBCLASS = RDFS + "subClassOf"


@dataclass(frozen=True)
class Hierarchy:
    """Classes of the packs together with the class nodes among the items."""

    vocabulary: Vocabulary
    class_items: Mapping[str, ItemRow]

    @cached_property
    def parents(self) -> dict[str, tuple[str, ...]]:
        """Direct superclasses of every class."""
        parents = {iri: c.parents for iri, c in self.vocabulary.classes.items()}
        for iri, item in self.class_items.items():
            parents[iri] = tuple(sorted(v for v in linked(item, SUBCLASS) if isinstance(v, str)))
        return parents

    def ancestors(self, iri: str) -> frozenset[str]:
        """A class and all its superclasses."""
        seen: set[str] = set()
        todo = [iri]
        while todo:
            c = todo.pop()
            if c not in seen:
                seen.add(c)
                todo += self.parents.get(c, ())
        return frozenset(seen)

    def excluded(self, iri: str) -> frozenset[str]:
        """Classes that are stated to be disjoint with the class or one above it."""
        known = (self.vocabulary.classes.get(c) for c in self.ancestors(iri))
        return frozenset(other for c in known if c is not None for other in c.disjoint)

    def label(self, iri: str) -> str:
        """A class's name for people."""
        item = self.class_items.get(iri)
        if item is not None:
            return item.label or item.identifier
        known = self.vocabulary.classes.get(iri)
        return known.label if known and known.label else local_name(iri)

    def definition(self, iri: str) -> str:
        """What the packs say a class is; empty where they say nothing."""
        known = self.vocabulary.classes.get(iri)
        return known.definition if known else ""


@dataclass(frozen=True, slots=True)
class TargetSpec:
    """One question: which property is predicted, and among which classes.

    Args:
        name: IRI that the caller gave: a class (its subclasses are predicted) or a property.
        property: property whose value is predicted; ``rdf:type`` where ``name`` is a class.
        classes: possible answers, in IRI order.
        family: the classes with all their superclasses below the target: what would give an answer away.
    """

    name: str
    property: str
    classes: tuple[str, ...]
    family: frozenset[str]


def class_items(items: Iterable[ItemRow]) -> dict[str, ItemRow]:
    """Items that stand for classes."""
    return {i.iri: i for i in items if OWL_CLASS in i.types}


def target_spec(name: str, hierarchy: Hierarchy, items: Iterable[ItemRow]) -> TargetSpec:
    """Find out what a target asks.

    Args:
        name: CURIE or IRI of a class or property, or ``""`` for whatever the items' labels are.
        hierarchy: the classes.
        items: of the workspace.

    Raises:
        TrainingError: fewer than two classes are labelled.
    """
    iri = hierarchy.vocabulary.expand(name) if name else RDF_TYPE
    rows = list(items)
    is_property = iri == RDF_TYPE or iri in hierarchy.vocabulary.properties
    prop = iri if is_property else RDF_TYPE
    seen = {c for item in rows for c in item.labels.get(prop, ())}
    if not is_property:
        seen = {c for c in seen if iri in hierarchy.ancestors(c)}
        inner = {p for c in hierarchy.class_items for p in hierarchy.parents.get(c, ())}
        seen |= {c for c in hierarchy.class_items if c not in inner and iri in hierarchy.ancestors(c)}
    if len(seen) < 2:
        known = sorted({hierarchy.vocabulary.shrink(p) for item in rows for p in item.labels})
        raise TrainingError(
            f"{len(seen)} class{'' if len(seen) == 1 else 'es'} to tell apart for target {name or 'rdf:type'}",
            remedy="label items in a manifest (key `label`)"
            + (f"; labelled targets here: {', '.join(known)}" if known else ""),
        )
    stop = hierarchy.ancestors(iri) if not is_property else frozenset()
    family = frozenset(a for c in seen for a in hierarchy.ancestors(c)) - stop | seen
    return TargetSpec(iri, prop, tuple(sorted(seen)), family)
