"""Values as the objects of statements: literals under a property's range and unit, and nodes for whole quantities.

Three ways, by what the ontology asks for:

* a data property with a unit (``kgf:unit``, ``qudt:hasUnit``): the number converted to it;
* a data property without one: the number as written, with ``kgf:unit`` on the statement node;
* an object property whose range is ``qudt:QuantityValue``, ``qudt:Quantity`` or ``schema:QuantitativeValue`` (or a
  class under one of these): a node with ``qudt:numericValue`` (or ``qudt:lowerBound`` and ``qudt:upperBound``) and
  ``qudt:hasUnit``. Its IRI comes from number and unit, so that the same quantity is the same node.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from kgfuse.extract.text.reading import Reading
from kgfuse.extract.values.spans import ValueSpan
from kgfuse.extract.values.units import UNIT, unit_of
from kgfuse.terms.mentions import Mention, Statement, TextSpan, Value
from kgfuse.terms.namespaces import BASE, QUDT, RDF, XSD

QUANTITY: Final = BASE + "quantity/"
_AMOUNTS: Final = frozenset(("quantity", "money", "percent"))


def quantity_node(reading: Reading, span: ValueSpan, cls: str) -> Mention | None:
    """A mention of a quantity, with the IRI of its node; ``None`` for what has no unit."""
    if span.kind not in _AMOUNTS:
        return None
    unit = unit_of(span.value.unit)
    sign = span.value.unit.removeprefix(UNIT)
    numbers = span.value.lexical if span.upper is None else f"{span.value.lexical}..{span.upper.lexical}"
    label = f"{numbers.replace('..', ' to ')} {unit.symbol if unit else sign.removeprefix('CCY_')}"
    place = reading.characters(span.start, span.end)
    iri = f"{QUANTITY}{quote(numbers, safe='.')}-{sign}"
    return Mention(reading.source.iri, place, label, "text.value", types=(cls,), entity=iri, confidence=0.95)


def quantity_statements(mention: Mention, said: Statement, reading: Reading) -> Iterator[Statement]:
    """What makes a quantity's node one: its class, number (or bounds) and unit."""
    place = mention.selector
    if mention.entity is None or not mention.entity.startswith(QUANTITY) or not isinstance(place, TextSpan):
        return
    span = next((s for s in reading.values if reading.characters(s.start, s.end) == place), None)
    if span is None:
        return
    parts: list[tuple[str, str | Value]] = [(RDF + "type", mention.types[0]), (QUDT + "hasUnit", span.value.unit)]
    ends = (("numericValue", span.value),)
    if span.upper is not None:
        ends = (("lowerBound", span.value), ("upperBound", span.upper))  # type: ignore[assignment]
    parts += [(QUDT + name, Value(end.lexical, XSD + "decimal")) for name, end in ends]
    for predicate, value in parts:
        yield replace(
            said, subject=mention, predicate=predicate, object=value, evidence=(mention,), extractor="text.value",
            confidence=0.95, reason="the words give a number with a unit",
        )  # fmt: skip
