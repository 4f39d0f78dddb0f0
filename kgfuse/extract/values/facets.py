"""What an ontology asks of a property's values: the unit of its numbers, the patterns of its codes, whole quantities.

Read, whatever the vocabulary calls it:

* ``kgf:unit``, ``qudt:hasUnit`` or ``qudt:unit`` on the property: an IRI of QUDT, or of something that is
  ``skos:exactMatch`` with one; and ``sh:hasValue`` is not read, since it is about a node, not about the property;
* ``sh:pattern`` of a property shape in the ontology or in ``shapes.ttl``;
* ``xsd:pattern`` of a restricted datatype (``owl:withRestrictions``) that is the property's range;
* a range of ``qudt:QuantityValue``, ``qudt:Quantity`` or ``schema:QuantitativeValue``, or of a class under one of them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from kgfuse.extract.values.nodes import QUANTITIES
from kgfuse.extract.values.units import unit_of
from kgfuse.ontology.reading import Index
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.namespaces import KGF, OWL, QUDT, RDFS, SH, SKOS, XSD

_UNITS: Final = (KGF + "unit", QUDT + "hasUnit", QUDT + "unit")


@dataclass(frozen=True, slots=True)
class Facets:
    """Of one property.

    Args:
        unit: IRI of the unit that its numbers are in, or empty.
        patterns: of which its codes match one.
        quantity: class of its range that holds whole quantities, or empty.
    """

    unit: str = ""
    patterns: tuple[re.Pattern[str], ...] = ()
    quantity: str = ""


NONE: Final = Facets()


def facets_of(vocabulary: Vocabulary) -> Mapping[str, Facets]:
    """Facets by property IRI, for the properties that have any."""
    triples = [t for pack in vocabulary.packs for t in pack.triples]
    for pack in vocabulary.packs:
        if (shapes := pack.file("shapes.ttl")) is not None:
            triples += pack.parse(shapes).triples
    index = Index(triples)
    units = {p: unit for p in vocabulary.properties if (unit := _unit(p, index))}
    patterns: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for shape in index.subjects(SH + "pattern"):
        for path in index.nodes(shape, SH + "path"):
            for text in index.texts(shape, SH + "pattern"):
                patterns[path].setdefault(text)
    for p in vocabulary.properties:
        for datatype in index.nodes(p, RDFS + "range"):
            for text in _restrictions(datatype, index):
                patterns[p].setdefault(f"^(?:{text})$")
    compiled = {p: _compiled(texts) for p, texts in patterns.items() if p in vocabulary.properties}
    quantities = {p: cls for p, prop in vocabulary.properties.items() if (cls := _quantity(prop.range, vocabulary))}
    return {
        p: Facets(units.get(p, ""), compiled.get(p, ()), quantities.get(p, ""))
        for p in sorted(units.keys() | compiled.keys() | quantities.keys())
        if p in units or p in quantities or compiled[p]
    }


def _quantity(range_: Iterable[str], vocabulary: Vocabulary) -> str:
    return next((c for c in range_ if not QUANTITIES.isdisjoint({c, *vocabulary.ancestors(c)})), "")


def _unit(iri: str, index: Index) -> str:
    for unit in index.nodes(iri, *_UNITS):
        for one in (unit, *index.nodes(unit, SKOS + "exactMatch", OWL + "sameAs")):
            if unit_of(one) is not None or "/vocab/unit/CCY_" in one:
                return one
    return ""


def _restrictions(datatype: str, index: Index) -> Iterable[str]:
    equivalents = index.nodes(datatype, OWL + "equivalentClass")
    for one in (datatype, *equivalents):
        for head in index.nodes(one, OWL + "withRestrictions"):
            for facet in index.members(head):
                yield from index.texts(facet, XSD + "pattern")


def _compiled(texts: Iterable[str]) -> tuple[re.Pattern[str], ...]:
    """Patterns that find whole words; one that Python cannot read says nothing here (`kgfuse check` reports it)."""
    found = []
    for text in texts:
        body = text.removeprefix("^")
        body = body[:-1] if body.endswith("$") and not body.endswith(r"\$") else body
        try:
            pattern = re.compile(rf"(?<!\w)(?:{body})(?!\w)")
        except re.error:
            continue
        if pattern.search("") is None:
            found.append(pattern)
    return tuple(found)
