"""XSD literals as Python values, for data frames and node attributes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Final

import pyoxigraph as ox

from kgfuse.graph.nodes import Term, text
from kgfuse.terms.namespaces import XSD

_INTEGERS: Final = (
    "integer",
    "int",
    "long",
    "short",
    "byte",
    "nonNegativeInteger",
    "positiveInteger",
    "nonPositiveInteger",
    "negativeInteger",
    "unsignedInt",
    "unsignedLong",
    "unsignedShort",
    "unsignedByte",
    "gYear",
)
_READ: Final[dict[str, Callable[[str], object]]] = {
    **{XSD + name: int for name in _INTEGERS},
    **{XSD + name: float for name in ("decimal", "double", "float")},
    XSD + "boolean": lambda s: {"true": True, "1": True, "false": False, "0": False}[s],
    XSD + "date": date.fromisoformat,
    XSD + "dateTime": datetime.fromisoformat,
    XSD + "time": time.fromisoformat,
}


def python_value(term: Term) -> object:
    """int, float, bool, date, datetime or time where the datatype says so and the text agrees; else text.

    >>> python_value(ox.Literal("4", datatype=ox.NamedNode(XSD + "integer")))
    4
    """
    if not isinstance(term, ox.Literal):
        return text(term)
    read = _READ.get(term.datatype.value)
    if read is None:
        return term.value
    try:
        return read(term.value)
    except (ValueError, KeyError):
        return term.value
