"""What an ontology's triples say: an index over them, and the OWL, RDFS, SKOS and schema.org ways to say one thing."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

import pyoxigraph as ox

from kgfuse.terms.namespaces import KGF, OWL, RDF, RDFS, SKOS, XSD, local_name

TYPE: Final = RDF + "type"
SUBCLASS: Final = RDFS + "subClassOf"
SUBPROPERTY: Final = RDFS + "subPropertyOf"
THINGS: Final = frozenset({OWL + "Thing", RDFS + "Resource"})
_SCHEMAS: Final = ("https://schema.org/", "http://schema.org/")
CLASS_TYPES: Final = frozenset({OWL + "Class", RDFS + "Class"})
OBJECT_TYPES: Final = frozenset(
    OWL + n
    for n in (
        "ObjectProperty",
        "SymmetricProperty",
        "AsymmetricProperty",
        "TransitiveProperty",
        "InverseFunctionalProperty",
        "ReflexiveProperty",
        "IrreflexiveProperty",
    )
)
PROPERTY_TYPES: Final = OBJECT_TYPES | {
    OWL + "DatatypeProperty",
    OWL + "AnnotationProperty",
    OWL + "FunctionalProperty",
    RDF + "Property",
}
DOMAINS: Final = (RDFS + "domain", *(s + "domainIncludes" for s in _SCHEMAS))
RANGES: Final = (RDFS + "range", *(s + "rangeIncludes" for s in _SCHEMAS))
LABELS: Final = (SKOS + "prefLabel", RDFS + "label")
SYNONYMS: Final = (
    SKOS + "altLabel",
    SKOS + "hiddenLabel",
    "http://www.geneontology.org/formats/oboInOwl#hasExactSynonym",
)
DEFINITIONS: Final = (
    SKOS + "definition",
    "http://purl.obolibrary.org/obo/IAO_0000115",
    RDFS + "comment",
)
_BUILT_IN: Final = (RDF, RDFS, OWL, XSD)
_META: Final = frozenset(
    OWL + n
    for n in (
        "Ontology",
        "Class",
        "Restriction",
        "NamedIndividual",
        "AllDisjointClasses",
        "AllDifferent",
        "Axiom",
        "Annotation",
        "NegativePropertyAssertion",
        "AllDisjointProperties",
        "DataRange",
    )
) | {RDFS + "Class", RDFS + "Datatype", RDF + "List", RDF + "Statement"}

Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple


class Index:
    """Triples by predicate and subject; blank nodes are keyed ``_:name``."""

    def __init__(self, triples: Iterable[ox.Triple]) -> None:
        self._by: defaultdict[str, dict[str, list[Term]]] = defaultdict(dict)
        for t in triples:
            if isinstance(t.subject, ox.Triple):
                continue
            self._by[t.predicate.value].setdefault(key(t.subject), []).append(t.object)

    def subjects(self, predicate: str) -> Iterator[str]:
        """All that have the predicate, in file order."""
        yield from self._by.get(predicate, ())

    def objects(self, subject: str, predicate: str) -> list[Term]:
        """Objects, in file order."""
        table = self._by.get(predicate)
        return [] if table is None else table.get(subject, [])

    def nodes(self, subject: str, *predicates: str) -> list[str]:
        """Keys of the objects that are no literals."""
        found: list[str] = []
        for p in predicates:
            for o in self.objects(subject, p):
                if isinstance(o, ox.NamedNode):
                    found.append(o.value)
                elif isinstance(o, ox.BlankNode):
                    found.append("_:" + o.value)
        return found

    def one(self, subject: str, predicate: str) -> str | None:
        """The first literal, as text."""
        return next((o.value for o in self.objects(subject, predicate) if isinstance(o, ox.Literal)), None)

    def flag(self, subject: str, predicate: str) -> bool:
        """True where the predicate says ``true``."""
        return self.one(subject, predicate) in ("true", "1")

    def texts(self, subject: str, *predicates: str) -> list[str]:
        """Literals in English or without language, in the order of the predicates; else those of any language."""
        found: list[tuple[bool, str]] = []
        for p in predicates:
            here = [o for o in self.objects(subject, p) if isinstance(o, ox.Literal) and o.value.strip()]
            if len(here) > 1:
                here.sort(key=lambda o: (o.language or "", o.value))
            for o in here:
                is_english = not o.language or o.language.lower().startswith("en")
                found.append((is_english, " ".join(o.value.split())))
        if not found:
            return []
        english = [text for is_english, text in found if is_english]
        return list(dict.fromkeys(english or [text for _, text in found]))

    def members(self, head: str) -> list[str]:
        """Keys of the members of an RDF list; a list that loops ends where it does."""
        found: list[str] = []
        seen: set[str] = set()
        while head != RDF + "nil" and head not in seen:
            seen.add(head)
            found += self.nodes(head, RDF + "first")[:1]
            rest = self.nodes(head, RDF + "rest")
            if not rest:
                break
            head = rest[0]
        return found

    def named(self, expression: str, *, depth: int = 8) -> tuple[str, ...]:
        """IRIs that a class or data range expression comes to, as alternatives.

        A union gives its members, an intersection its first named member, a restricted datatype its base; anything
        else that has no name (restrictions, complements) says nothing here.
        """
        if not expression.startswith("_:"):
            return () if expression in THINGS else (expression,)
        if depth == 0:
            return ()
        for head in self.nodes(expression, OWL + "unionOf"):
            return tuple(dict.fromkeys(n for m in self.members(head) for n in self.named(m, depth=depth - 1)))
        for head in self.nodes(expression, OWL + "intersectionOf"):
            return next((n for m in self.members(head) if (n := self.named(m, depth=depth - 1))), ())
        for base in self.nodes(expression, OWL + "onDatatype"):
            return (base,)
        return ()


def key(node: ox.NamedNode | ox.BlankNode | Term) -> str:
    """IRI, or ``_:name`` of a blank node."""
    if isinstance(node, ox.NamedNode):
        return node.value
    if isinstance(node, ox.BlankNode):
        return "_:" + node.value
    raise TypeError(f"{node} is neither an IRI nor a blank node")


def is_datatype(iri: str, index: Index) -> bool:
    """True for XSD types, ``rdfs:Literal``, language strings, schema.org's data types and declared datatypes."""
    if iri.startswith(XSD) or iri in (RDFS + "Literal", RDF + "langString", RDF + "PlainLiteral", RDF + "HTML"):
        return True
    if iri.startswith(_SCHEMAS) and local_name(iri) in _SCHEMA_DATATYPES:
        return True
    return RDFS + "Datatype" in index.nodes(iri, TYPE)


_SCHEMA_DATATYPES: Final = frozenset(
    (
        *("Text", "URL", "Number", "Integer", "Float", "Boolean", "Date", "DateTime", "Time", "DataType"),
        *("CssSelectorType", "PronounceableText", "XPathType"),
    )
)


def classes_of(index: Index) -> list[str]:
    """IRIs of all classes: declared, or used as one in the hierarchy."""
    found = {s for s in index.subjects(TYPE) if not CLASS_TYPES.isdisjoint(index.nodes(s, TYPE))}
    for predicate in (SUBCLASS, OWL + "equivalentClass", OWL + "disjointWith"):
        for s in index.subjects(predicate):
            found.add(s)
            found.update(index.nodes(s, predicate))
    return sorted(
        c for c in found if not c.startswith(("_:", *_BUILT_IN)) and not is_datatype(c, index) and c not in THINGS
    )


def properties_of(index: Index) -> list[str]:
    """IRIs of all properties: declared, or used as one in the hierarchy."""
    found = {s for s in index.subjects(TYPE) if not PROPERTY_TYPES.isdisjoint(index.nodes(s, TYPE))}
    found.update(index.subjects(SUBPROPERTY))
    return sorted(p for p in found if not p.startswith(("_:", *_BUILT_IN)))


def individuals_of(index: Index, classes: Iterable[str]) -> list[str]:
    """IRIs of named individuals and SKOS concepts."""
    known = set(classes) | {OWL + "NamedIndividual", SKOS + "Concept"}
    found = []
    for s in index.subjects(TYPE):
        types = set(index.nodes(s, TYPE))
        if s.startswith("_:") or not types.isdisjoint(_META - {OWL + "NamedIndividual"}):
            continue
        if types.isdisjoint(PROPERTY_TYPES) and not types.isdisjoint(known):
            found.append(s)
    return sorted(set(found))


def top_classes(triples: Iterable[ox.Triple]) -> tuple[str, ...]:
    """Declared classes without a named class above them."""
    index = Index(triples)
    declared = {c for c in classes_of(index) if not CLASS_TYPES.isdisjoint(index.nodes(c, TYPE))}
    return tuple(c for c in sorted(declared) if not any(p in declared and p != c for p in index.nodes(c, SUBCLASS)))


def main_namespace(triples: Iterable[ox.Triple]) -> str:
    """Namespace of most classes and properties; empty where nothing is declared."""
    index = Index(triples)
    declared = (i for i in (*classes_of(index), *properties_of(index)) if index.nodes(i, TYPE))
    counts = Counter(iri[: max(iri.rfind("#"), iri.rfind("/")) + 1] for iri in declared)
    return min(counts, key=lambda n: (-counts[n], n)) if counts else ""


def readable(iri: str) -> str:
    """Label made from an IRI where none is given.

    >>> readable("http://example.org/shop#SourMilk")
    'sour milk'
    >>> readable("http://example.org/shop#hasDVDPlayer")
    'has DVD player'
    """
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_\-]+", " ", local_name(iri)).split()
    return " ".join(w if len(w) > 1 and w.isupper() else w.lower() for w in words)


def is_code(iri: str) -> bool:
    """True where the local name is an identifier, not words: ``GO_0008150``, ``Q42``."""
    return re.fullmatch(r"[A-Za-z]{0,8}[_:]?\d+[A-Za-z]?", local_name(iri)) is not None


NOT_IN_LEXICON: Final = KGF + "notInLexicon"
