"""Whole quantities as nodes of the graph: number (or both bounds) and unit, in the terms of QUDT or schema.org.

The IRI says number and unit, so that the same quantity is the same node, and what the node is follows from its IRI: it
stands in the graph with the statements that lead to it, and never without one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final
from urllib.parse import quote

from kgfuse.extract.values.spans import ValueSpan
from kgfuse.extract.values.units import UNIT, unit_of
from kgfuse.terms.mentions import Value
from kgfuse.terms.namespaces import BASE, QUDT, RDF, RDFS, SCHEMA, XSD

QUANTITY: Final = BASE + "quantity/"
QUANTITATIVE_VALUE: Final = SCHEMA + "QuantitativeValue"
QUANTITIES: Final = frozenset((QUDT + "QuantityValue", QUDT + "Quantity", QUANTITATIVE_VALUE))
"""Classes whose members are such nodes."""
_AMOUNTS: Final = frozenset(("quantity", "money", "percent"))
_NODE: Final = re.compile(re.escape(QUANTITY) + r"(-?\d+(?:\.\d+)?)(?:\.\.(-?\d+(?:\.\d+)?))?-([A-Za-z][\w-]*)")
_QUDT: Final = (QUDT + "numericValue", QUDT + "lowerBound", QUDT + "upperBound", QUDT + "hasUnit")
_SCHEMA: Final = (SCHEMA + "value", SCHEMA + "minValue", SCHEMA + "maxValue", SCHEMA + "unitCode")


def quantity_iri(span: ValueSpan) -> str | None:
    """The node of a quantity, a sum of money or a percentage; ``None`` for what has no unit."""
    if span.kind not in _AMOUNTS or not span.value.unit.startswith(UNIT):
        return None
    numbers = span.value.lexical if span.upper is None else f"{span.value.lexical}..{span.upper.lexical}"
    return f"{QUANTITY}{numbers}-{quote(span.value.unit.removeprefix(UNIT))}"


def quantity_label(iri: str) -> str:
    """A quantity's node, for people.

    >>> quantity_label(QUANTITY + "5..10-KiloM"), quantity_label(QUANTITY + "3-CCY_EUR")
    ('5 to 10 km', '3 EUR')
    """
    found = _NODE.fullmatch(iri)
    if found is None:
        return ""
    low, high, name = found.groups()
    unit = unit_of(UNIT + name)
    return f"{low if high is None else f'{low} to {high}'} {unit.symbol if unit else name.removeprefix('CCY_')}"


def quantity_triples(iri: str, cls: str, above: Collection[str]) -> Iterator[tuple[str, str | Value]]:
    """Predicates and objects that make a quantity's node one.

    Args:
        iri: the node.
        cls: its class.
        above: classes of which that is a special case.
    """
    found = _NODE.fullmatch(iri)
    if found is None:
        return
    low, high, name = found.groups()
    number, least, most, unit = _SCHEMA if QUANTITATIVE_VALUE in (cls, *above) else _QUDT
    yield RDF + "type", cls
    yield RDFS + "label", Value(quantity_label(iri))
    yield unit, UNIT + name
    if high is None:
        yield number, Value(low, XSD + "decimal")
    else:
        yield least, Value(low, XSD + "decimal")
        yield most, Value(high, XSD + "decimal")
