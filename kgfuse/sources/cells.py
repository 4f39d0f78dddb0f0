"""Cells as literals of XSD: what a column's mapping makes of the text in a cell."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal, InvalidOperation
from typing import Final

from kgfuse.terms.namespaces import XSD

INTEGERS: Final = frozenset({"integer", "int", "long", "nonNegativeInteger", "positiveInteger"})
TYPES: Final = frozenset(
    {"string", "decimal", "double", "float", "boolean", "date", "dateTime", "gYear", "anyURI", *INTEGERS}
)
_BOOLEANS: Final = {
    "true": "true", "yes": "true", "y": "true", "1": "true", "x": "true",
    "false": "false", "no": "false", "n": "false", "0": "false",
}  # fmt: skip
_DATES: Final = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d %B %Y", "%B %d, %Y")


def literal(text: str, datatype: str, decimal: str = ".") -> str:
    """The lexical form of a cell.

    Args:
        text: of the cell.
        datatype: local name of an XSD type.
        decimal: the mark before the fraction of a number.

    Raises:
        ValueError: the text is none of that type; says what one looks like.

    >>> literal("1.234,50", "decimal", ","), literal("4.0", "integer"), literal("3.10.2024", "date")
    ('1234.5', '4', '2024-10-03')
    """
    if datatype in INTEGERS or datatype in ("decimal", "double", "float"):
        return _number(text, datatype, decimal)
    if datatype == "boolean":
        if text.lower() not in _BOOLEANS:
            raise ValueError(f"{text!r} is neither true nor false")
        return _BOOLEANS[text.lower()]
    if datatype == "gYear":
        if not re.fullmatch(r"-?\d{4}", text):
            raise ValueError(f"{text!r} is no year of four digits")
        return text
    if datatype == "date":
        return _date(text)
    if datatype == "dateTime":
        try:
            return datetime.datetime.fromisoformat(text).isoformat()
        except ValueError as e:
            raise ValueError(f"{text!r} is no time such as 2024-10-03T12:30:00") from e
    return text


def _number(text: str, datatype: str, decimal: str) -> str:
    plain = re.sub(r"[\s'’]", "", text).replace("," if decimal == "." else ".", "").replace(decimal, ".")
    try:
        value = Decimal(plain.replace("−", "-"))
    except InvalidOperation as e:
        raise ValueError(f"{text!r} is no number with {decimal!r} before its fraction") from e
    if not value.is_finite() or abs(value.adjusted()) > 400:
        raise ValueError(f"{text!r} is out of range")
    if datatype in INTEGERS:
        if value != value.to_integral_value():
            raise ValueError(f"{text!r} is no whole number")
        return str(int(value))
    form = format(value, "f")
    return (form.rstrip("0").rstrip(".") if "." in form else form) or "0"


def _date(text: str) -> str:
    text = text.removesuffix("T00:00:00").removesuffix(" 00:00:00")
    for form in _DATES:
        try:
            return datetime.datetime.strptime(text, form).date().isoformat()
        except ValueError:
            continue
    raise ValueError(f"{text!r} is no date such as 2024-10-03 or 3.10.2024")


def short(datatype: str) -> str:
    """Local name of an XSD type, from IRI, CURIE or local name; empty where it is none that cells can have.

    >>> short("xsd:decimal"), short("nonsense")
    ('decimal', '')
    """
    name = datatype.removeprefix(XSD).removeprefix("xsd:")
    return name if name in TYPES else ""
