"""Values of XSD literals: whether a lexical form belongs to a datatype, whether two literals mean the same."""

from __future__ import annotations

import math
import re
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final

import pyoxigraph as ox

from kgfuse.terms.namespaces import RDF, RDFS, XSD

_BOUNDS: Final[dict[str, tuple[int | None, int | None]]] = {
    "integer": (None, None),
    "nonNegativeInteger": (0, None),
    "positiveInteger": (1, None),
    "nonPositiveInteger": (None, 0),
    "negativeInteger": (None, -1),
    "long": (-(2**63), 2**63 - 1),
    "int": (-(2**31), 2**31 - 1),
    "short": (-(2**15), 2**15 - 1),
    "byte": (-128, 127),
    "unsignedLong": (0, 2**64 - 1),
    "unsignedInt": (0, 2**32 - 1),
    "unsignedShort": (0, 2**16 - 1),
    "unsignedByte": (0, 255),
}
_ZONE = r"(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)?"
_DAY = r"-?(?:[1-9]\d{3,}|0\d{3})-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_CLOCK = r"(?:(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?|24:00:00(?:\.0+)?)"
_LEXICAL: Final = {
    "decimal": r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)",
    "double": r"(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?INF|NaN)",
    "boolean": r"true|false|0|1",
    "date": _DAY + _ZONE,
    "dateTime": f"{_DAY}T{_CLOCK}{_ZONE}",
    "dateTimeStamp": f"{_DAY}T{_CLOCK}(?:Z|[+-](?:0\\d|1[0-4]):[0-5]\\d)",
    "time": _CLOCK + _ZONE,
    "gYear": r"-?(?:[1-9]\d{3,}|0\d{3})" + _ZONE,
    "gYearMonth": r"-?(?:[1-9]\d{3,}|0\d{3})-(?:0[1-9]|1[0-2])" + _ZONE,
    "gMonthDay": r"--(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])" + _ZONE,
    "gMonth": r"--(?:0[1-9]|1[0-2])" + _ZONE,
    "gDay": r"---(?:0[1-9]|[12]\d|3[01])" + _ZONE,
    "duration": r"-?P(?=.)(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=.)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?",
    "hexBinary": r"(?:[0-9a-fA-F]{2})*",
    "language": r"[a-zA-Z]{1,8}(?:-[a-zA-Z0-9]{1,8})*",
    "anyURI": r"[^\s<>]*",
    "normalizedString": r"[^\r\n\t]*",
    "token": r"(?:[^\s](?:[^\r\n\t]*[^\s])?)?",
    "string": r"(?s:.*)",
}
_LEXICAL_FORMS: Final = {name: re.compile(text) for name, text in {**_LEXICAL, "float": _LEXICAL["double"]}.items()}
_PARENTS: Final = {
    "dateTimeStamp": "dateTime",
    "normalizedString": "string",
    "token": "string",
    "language": "string",
}
_EVERYTHING: Final = RDFS + "Literal"


def _local(datatype: str) -> str:
    return datatype.removeprefix(XSD) if datatype.startswith(XSD) else ""


def _space(name: str) -> str:
    """The value space that a datatype is part of; different spaces share no value."""
    return "decimal" if name in _BOUNDS else _PARENTS.get(name, name)


def known(datatype: str) -> bool:
    """Whether it can be said which literals belong to a datatype."""
    return datatype == RDF + "langString" or _local(datatype) in _LEXICAL_FORMS or _local(datatype) in _BOUNDS


def well_formed(literal: ox.Literal) -> bool:
    """Whether the lexical form is one of the literal's own datatype; true of datatypes that are not known.

    >>> well_formed(ox.Literal("seven", datatype=ox.NamedNode(XSD + "integer")))
    False
    """
    return belongs(literal, literal.datatype.value) if _local(literal.datatype.value) else True


def belongs(literal: ox.Literal, datatype: str) -> bool:
    """Whether the literal's value is one of the datatype's; true where either datatype is not known.

    >>> belongs(ox.Literal("-1", datatype=ox.NamedNode(XSD + "integer")), XSD + "nonNegativeInteger")
    False
    """
    own = literal.datatype.value
    if datatype == _EVERYTHING or not known(datatype) or not known(own):
        return True
    if RDF + "langString" in (datatype, own):
        return datatype == own
    wanted, name = _local(datatype), _local(own)
    if _space(wanted) != _space(name):
        return False
    text = literal.value.strip() if _space(wanted) != "string" else literal.value
    if not _written(text, name):
        return False
    if wanted in _BOUNDS:
        number = Decimal(text)
        low, high = _BOUNDS[wanted]
        whole = number == number.to_integral_value()
        return whole and (low is None or number >= low) and (high is None or number <= high)
    return _space(wanted) == "decimal" or _written(text, wanted)


def _written(text: str, name: str) -> bool:
    """Whether this is a lexical form of a known datatype."""
    if name in _BOUNDS:
        if not re.fullmatch(r"[+-]?\d+", text):
            return False
        low, high = _BOUNDS[name]
        return (low is None or int(text) >= low) and (high is None or int(text) <= high)
    if not _LEXICAL_FORMS[name].fullmatch(text):
        return False
    if _space(name) in ("date", "dateTime") and not text.startswith("-") and len(text.split("-")[0]) == 4:
        try:
            datetime.strptime(text[:10], "%Y-%m-%d")  # only whether there is such a day
        except ValueError:
            return text[:4] == "0000"
    return True


def differ(a: ox.Literal, b: ox.Literal) -> bool:
    """Whether two literals surely mean different values (``dt-diff``); ill-formed ones and unknown types never do.

    >>> one = ox.Literal("1", datatype=ox.NamedNode(XSD + "integer"))
    >>> differ(one, ox.Literal("1.0", datatype=ox.NamedNode(XSD + "decimal"))), differ(one, ox.Literal("one"))
    (False, True)
    """
    if a == b or not (known(a.datatype.value) and known(b.datatype.value)):
        return False
    if not (well_formed(a) and well_formed(b)):
        return False
    left, right = _value(a), _value(b)
    return left is not None and right is not None and left != right


def _value(literal: ox.Literal) -> tuple[str, object] | None:
    if literal.language:
        return "langString", (literal.value, literal.language.lower())
    name = _local(literal.datatype.value)
    space, text = _space(name), literal.value
    if space == "decimal":
        try:
            return space, Decimal(text.strip())
        except InvalidOperation:
            return None
    if space in ("double", "float"):
        number = float(text.strip().replace("INF", "inf"))
        return None if math.isnan(number) else (space, number)
    if space == "boolean":
        return space, text.strip() in ("true", "1")
    if space == "dateTime":
        try:
            when = datetime.fromisoformat(text.strip())
        except ValueError:
            return None
        return space, (when.timestamp() if when.tzinfo else when.isoformat(), when.tzinfo is None)
    if space in ("date", "time", "duration", "gYear", "gYearMonth", "gMonthDay", "gMonth", "gDay") and (
        re.search(r"(?:Z|[+-]\d\d:\d\d)$", text) or space in ("duration", "time")
    ):
        return None  # several lexical forms may mean one value: not told apart here
    return space, text.strip() if space != "string" else text
