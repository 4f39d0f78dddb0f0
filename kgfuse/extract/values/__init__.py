"""Values in texts: numbers, quantities, money, dates, times, identifiers, coordinates; XSD literals and QUDT units."""

from kgfuse.extract.values.dates import date, year
from kgfuse.extract.values.find import find_values
from kgfuse.extract.values.literals import is_valid, place_of, value_of
from kgfuse.extract.values.numbers import number
from kgfuse.extract.values.spans import ValueSpan

__all__ = ["ValueSpan", "date", "find_values", "is_valid", "number", "place_of", "value_of", "year"]
