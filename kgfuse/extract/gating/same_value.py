"""When two values are one: equal numbers however written, and dates of which one only says less."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

from kgfuse.terms.mentions import Value
from kgfuse.terms.namespaces import XSD

PRECISIONS: Final = {XSD + "gYear": 1, XSD + "gYearMonth": 2, XSD + "date": 3, XSD + "dateTime": 4}
"""Kinds of dates, by how much they say."""


def value_key(value: str | Value) -> str:
    """Form under which values are compared.

    >>> value_key(Value("4.0", XSD + "decimal")) == value_key(Value("4", XSD + "integer"))
    True
    """
    if isinstance(value, str):
        return value
    try:
        number = Decimal(value.lexical)
        return format(number.normalize(), "f") if number.is_finite() else value.lexical
    except InvalidOperation:
        return " ".join(value.lexical.casefold().split())


def ladder(values: Iterable[str | Value]) -> list[Mapping[str | Value, str]]:
    """Groups within which values that differ contradict each other, each value with its key.

    Numbers in different units are not compared. Dates are compared at every precision that occurs: 1990 goes with any
    day of 1990, and two days of it contradict each other.
    """
    groups: defaultdict[tuple[str, str], list[str | Value]] = defaultdict(list)
    for value in dict.fromkeys(values):
        is_date = isinstance(value, Value) and value.datatype in PRECISIONS
        unit = value.unit if isinstance(value, Value) else ""
        groups["date" if is_date else "", unit].append(value)
    found: list[Mapping[str | Value, str]] = []
    for kind, unit in sorted(groups):
        members = groups[kind, unit]
        if kind != "date":
            found.append({v: value_key(v) for v in members})
            continue
        dates = [v for v in members if isinstance(v, Value)]
        for precision in sorted({PRECISIONS[v.datatype] for v in dates}):
            found.append({v: _cut(v.lexical, precision) for v in dates if PRECISIONS[v.datatype] >= precision})
    return found


def dates_agree(a: str, b: str) -> bool:
    """Whether one date only says less than the other.

    >>> dates_agree("1990", "1990-05-03"), dates_agree("1990-05", "1990-06-01")
    (True, False)
    """
    return a.startswith(b) or b.startswith(a)


def _cut(lexical: str, precision: int) -> str:
    sign = "-" if lexical.startswith("-") else ""
    if precision == 4:
        return lexical
    return sign + "-".join(lexical.lstrip("-").partition("T")[0].split("-")[:precision])
