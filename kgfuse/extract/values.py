"""Numbers, years and dates in words made into XSD literals."""

from __future__ import annotations

import datetime
import re
from typing import Any, Final

from kgfuse.terms.mentions import Value
from kgfuse.terms.namespaces import RDF, XSD


def _words(text: str) -> list[str]:
    return text.split()


_INTEGERS: Final = frozenset(
    XSD + n for n in ("integer", "int", "long", "short", "nonNegativeInteger", "positiveInteger", "unsignedInt")
)
_DECIMALS: Final = frozenset(XSD + n for n in ("decimal", "double", "float"))
_STRINGS: Final = frozenset((XSD + "string", RDF + "langString", XSD + "token", XSD + "normalizedString"))
_MONTHS: Final = {
    m: n
    for n, full in enumerate(
        _words("january february march april may june july august september october november december"), 1
    )
    for m in (full, full[:3])
} | {"sept": 9}
_UNDER_TWENTY: Final = _words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS: Final = _words("twenty thirty forty fifty sixty seventy eighty ninety")
_SMALL: Final = {w: n for n, w in enumerate(_UNDER_TWENTY)} | {w: 10 * n for n, w in enumerate(_TENS, 2)}
_SCALE: Final = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12}
_NUMBER: Final = re.compile(r"[-+−]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[-+−]?\d+(?:\.\d+)?")
_YEAR: Final = re.compile(r"\b(\d{3,4})\b")
_ISO: Final = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")


def number(text: str) -> str | None:
    """Canonical decimal of a number in digits or English words, or ``None``.

    >>> [number(t) for t in ("1,200", "two hundred", "forty-two", "3.50", "2.5 million", "several")]
    ['1200', '200', '42', '3.5', '2500000', None]
    """
    words = re.findall(r"[^\W\d_]+", text.lower())
    scale = 1
    for word in words:
        scale *= _SCALE.get(word, 1)
    if found := _NUMBER.search(text):
        from decimal import Decimal

        value = Decimal(found[0].replace(",", "").replace("−", "-")) * scale
        plain = format(value, "f")
        return (plain.rstrip("0").rstrip(".") if "." in plain else plain) or "0"
    total, current, seen = 0, 0, False
    for word in words:
        if word in _SMALL:
            current, seen = current + _SMALL[word], True
        elif word in ("hundred", "dozen"):
            current, seen = max(current, 1) * _SCALE[word], True
        elif word in _SCALE:
            total, current, seen = total + max(current, 1) * _SCALE[word], 0, True
        elif word != "and" and seen:
            break
    return str(total + current) if seen else None


def date(text: str) -> str | None:
    """ISO form of a calendar date, or ``None``.

    >>> [date(t) for t in ("3 March 1998", "March 3rd, 1998", "1998-03-03", "31 February 1998", "in March")]
    ['1998-03-03', '1998-03-03', '1998-03-03', None, None]
    """
    if found := _ISO.search(text):
        return _valid(*(int(g) for g in found.groups()))
    words = re.findall(r"[^\W\d_]+|\d+", text.lower())
    months = [_MONTHS[w] for w in words if w in _MONTHS]
    years = [int(w) for w in words if w.isdigit() and len(w) == 4]
    days = [int(w) for w in words if w.isdigit() and len(w) <= 2]
    return _valid(years[0], months[0], days[0]) if months and years and days else None


def year(text: str) -> str | None:
    """Four-digit year, or ``None``.

    >>> year("in 1969"), year("the late 1800s"), year("year 12")
    ('1969', None, None)
    """
    found = _YEAR.search(text)
    return str(int(found[1])).zfill(4) if found else None


def value_of(text: str, datatypes: tuple[str, ...]) -> Value | None:
    """The literal that a stretch of text stands for under the first datatype that it fits.

    >>> value_of("about 12 legs", (XSD + "integer",)).lexical
    '12'
    """
    for datatype in datatypes or (XSD + "string",):
        lexical: str | None = None
        if datatype in _INTEGERS or datatype in _DECIMALS:
            lexical = number(text)
            if lexical is not None and datatype in _INTEGERS and "." in lexical:
                lexical = None
        elif datatype == XSD + "gYear":
            lexical = year(text)
        elif datatype == XSD + "date":
            lexical = date(text)
        elif datatype in _STRINGS or not datatype.startswith(XSD):
            lexical, datatype = " ".join(text.split()), XSD + "string"
        if lexical:
            return Value(lexical, datatype)
    return None


def is_valid(value: Value) -> bool:
    """True where the lexical form is in the datatype's lexical space; datatypes unknown here always pass."""
    checks: dict[str, Any] = {
        XSD + "gYear": r"-?\d{4,}",
        XSD + "boolean": r"true|false|0|1",
        XSD + "date": r"-?\d{4,}-\d\d-\d\d",
    }
    checks |= dict.fromkeys(_INTEGERS, r"[-+]?\d+")
    checks[XSD + "decimal"] = r"[-+]?(\d+(\.\d*)?|\.\d+)"
    checks[XSD + "double"] = checks[XSD + "float"] = r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?|-?INF|NaN"
    pattern = checks.get(value.datatype)
    return pattern is None or re.fullmatch(pattern, value.lexical) is not None


def _valid(y: int, m: int, d: int) -> str | None:
    try:
        return datetime.date(y, m, d).isoformat()
    except ValueError:
        return None
