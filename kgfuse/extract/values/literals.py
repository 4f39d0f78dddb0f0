"""The literal that some words stand for under a property's range, unit and patterns; and which literals are valid.

A number goes into the unit that the property asks for, or stays as written with its unit beside it (``Value.unit``,
which the statement node keeps as ``kgf:unit``). A range ("5 to 10 km") is no number: two ends are not one value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from kgfuse.extract.values.coordinates import WKT
from kgfuse.extract.values.find import find_values
from kgfuse.extract.values.spans import IDENTIFIERS, ValueSpan, number_literal
from kgfuse.extract.values.units import UNIT, convert
from kgfuse.terms.mentions import Value
from kgfuse.terms.namespaces import RDF, XSD

INTEGERS: Final = frozenset(
    XSD + n for n in ("integer", "int", "long", "short", "nonNegativeInteger", "positiveInteger", "unsignedInt")
)
DECIMALS: Final = frozenset(XSD + n for n in ("decimal", "double", "float"))
STRINGS: Final = frozenset((XSD + "string", RDF + "langString", XSD + "token", XSD + "normalizedString"))
EDTF: Final = "http://id.loc.gov/datatypes/edtf/EDTF"
_MOMENTS: Final = tuple(
    XSD + n for n in ("dateTime", "dateTimeStamp", "date", "gYearMonth", "gYear", "gMonthDay", "time")
)
_DURATION: Final = {"YR": "P{}Y", "MO": "P{}M", "DAY": "P{}D", "HR": "PT{}H", "MIN": "PT{}M", "SEC": "PT{}S"}
_SCHEMES: Final = {
    "doi": "https://doi.org/",
    "email": "mailto:",
    "url": "",
    "orcid": "https://orcid.org/",
    "phone": "tel:",
}


def value_of(
    text: str, datatypes: Sequence[str], unit: str = "", patterns: Sequence[re.Pattern[str]] = ()
) -> Value | None:
    """The literal that a stretch of text stands for under the first datatype that it fits.

    >>> value_of("about 12 legs", (XSD + "integer",)).lexical
    '12'
    >>> value_of("3 miles", (XSD + "decimal",), UNIT + "KiloM").lexical
    '4.828032'
    """
    found = place_of(text, datatypes, unit, patterns)
    return None if found is None else found.value


def place_of(
    text: str,
    datatypes: Sequence[str],
    unit: str = "",
    patterns: Sequence[re.Pattern[str]] = (),
    spans: Sequence[ValueSpan] | None = None,
) -> ValueSpan | None:
    """The same, with its place in the text.

    Args:
        text: the words.
        datatypes: of the property's range; none stands for strings. Points in time are tried the most exact first.
        unit: IRI of the unit that a number is wanted in; empty where it stays as it is.
        patterns: of which the value must match one; see `kgfuse.extract.values.facets`.
        spans: what `find_values` gives for the text, where that is known.
    """
    if patterns:
        return _by_pattern(text, datatypes, patterns)
    spans = find_values(text) if spans is None else spans
    for datatype in sorted(datatypes, key=_exactness) or (XSD + "string",):
        if (found := _as(text, datatype, unit, spans)) is not None:
            return found
    return None


def _exactness(datatype: str) -> int:
    return _MOMENTS.index(datatype) if datatype in _MOMENTS else -1


def _as(text: str, datatype: str, unit: str, spans: Sequence[ValueSpan]) -> ValueSpan | None:
    if datatype in INTEGERS or datatype in DECIMALS:
        return _number(datatype, unit, spans)
    if datatype in _MOMENTS or datatype == EDTF:
        return _moment(text, datatype, spans)
    if datatype == XSD + "duration":
        return _first(spans, _duration)
    if datatype == XSD + "anyURI":
        return _first(spans, _uri)
    if datatype == WKT:
        return next((s for s in spans if s.kind == "coordinates"), None)
    if datatype in STRINGS or not datatype.startswith(XSD):
        return _string(text, spans)
    return None


def _number(datatype: str, unit: str, spans: Sequence[ValueSpan]) -> ValueSpan | None:
    amounts = [s for s in spans if s.kind in ("quantity", "money", "percent", "number")]
    if unit:  # "two cans of 330 ml": the number that has such a unit is meant
        amounts.sort(key=lambda s: convert(Decimal(1), s.value.unit, unit) is None)
    if not amounts:
        amounts = [s for s in spans if s.kind == "date" and s.value.datatype == XSD + "gYear" and datatype in INTEGERS]
    if not amounts or amounts[0].upper is not None:
        return None
    span, value = amounts[0], amounts[0].value
    if unit and value.unit:
        number = convert(Decimal(value.lexical), value.unit, unit)
        if number is None:
            return None
        value = replace(value, lexical=number_literal(format(number, "f")), unit=unit)
    elif value.datatype == XSD + "gYear":
        value = replace(value, lexical=number_literal(value.lexical))
    if datatype in INTEGERS and "." in value.lexical:
        return None
    return replace(span, value=replace(value, datatype=datatype))


def _moment(text: str, datatype: str, spans: Sequence[ValueSpan]) -> ValueSpan | None:
    if datatype == EDTF:
        return _first(spans, _edtf)
    single = [s for s in spans if s.upper is None]
    for span in single:
        if (lexical := _cut(span.value, datatype)) is not None:
            return replace(span, value=Value(lexical, datatype))
    if datatype == XSD + "gYear" and not any(s.upper is not None for s in spans):
        bare = re.search(r"(?<!\w)(\d{3,4})(?!\w)", text)
        if bare:
            return ValueSpan(*bare.span(), "date", Value(str(int(bare[1])).zfill(4), datatype))
    return None


def _cut(value: Value, datatype: str) -> str | None:
    """A point in time at the exactness of a datatype; ``None`` where it is not that exact."""
    have, lexical = value.datatype, value.lexical
    if have == datatype:
        return lexical
    match datatype.removeprefix(XSD):
        case "dateTime" if have == XSD + "date":
            return lexical + "T00:00:00"
        case "date" if have == XSD + "dateTime":
            return lexical.partition("T")[0]
        case "gYearMonth" if have in (XSD + "date", XSD + "dateTime"):
            return re.sub(r"^(-?\d{4,}-\d\d).*", r"\1", lexical)
        case "gYear" if have in (XSD + "date", XSD + "dateTime", XSD + "gYearMonth"):
            return re.sub(r"^(-?\d{4,}).*", r"\1", lexical)
        case "time" if have == XSD + "dateTime":
            return lexical.partition("T")[2]
    return None


def _edtf(span: ValueSpan) -> Value | None:
    """Extended Date/Time Format, https://www.loc.gov/standards/datetime/: decades as 199X, periods as 1914/1918."""
    moments = (XSD + "gYear", XSD + "gYearMonth", XSD + "date")
    if span.value.datatype not in moments:
        return None
    low = span.value.lexical
    if span.upper is None:
        return Value(low, EDTF)
    high = span.upper.lexical
    if low.isdigit() and low[:3] == high[:3] and low[3] == "0" and high[3] == "9":
        return Value(low[:3] + "X", EDTF)
    if low.isdigit() and low[:2] == high[:2] and low[2:] == "00" and high[2:] == "99":
        return Value(low[:2] + "XX", EDTF)
    return Value(f"{low}/{high}", EDTF)


def _duration(span: ValueSpan) -> Value | None:
    name = span.value.unit.removeprefix(UNIT)
    if span.kind != "quantity" or span.upper is not None:
        return None
    number = span.value.lexical
    if name == "WK" and "." not in number:
        name, number = "DAY", str(7 * int(number))
    if name not in _DURATION or ("." in number and name != "SEC"):
        return None
    return Value(_DURATION[name].format(number), XSD + "duration")


def _uri(span: ValueSpan) -> Value | None:
    if span.kind not in _SCHEMES:
        return None
    lexical = span.value.lexical
    if span.kind == "url" and not re.match(r"https?://", lexical, re.IGNORECASE):
        lexical = "http://" + lexical
    return Value(_SCHEMES[span.kind] + lexical, XSD + "anyURI")


def _string(text: str, spans: Sequence[ValueSpan]) -> ValueSpan | None:
    for span in spans:
        if span.kind in IDENTIFIERS:
            return replace(span, value=Value(span.value.lexical, XSD + "string"))
    lexical = " ".join(text.split())
    start = len(text) - len(text.lstrip())
    return ValueSpan(start, len(text.rstrip()), "number", Value(lexical, XSD + "string")) if lexical else None


def _by_pattern(text: str, datatypes: Sequence[str], patterns: Sequence[re.Pattern[str]]) -> ValueSpan | None:
    """The first stretch that matches a pattern, whole words only."""
    datatype = next((d for d in datatypes if d.startswith(XSD)), XSD + "string")
    for pattern in patterns:
        for found in pattern.finditer(text):
            if found.end() > found.start():
                value = Value(found[0], datatype)
                if is_valid(value):
                    return ValueSpan(found.start(), found.end(), "number", value)
    return None


def _first(spans: Iterable[ValueSpan], read: Any) -> ValueSpan | None:
    for span in spans:
        value = read(span)
        if value is not None:
            return replace(span, value=value, upper=None)
    return None


_ZONE: Final = r"(Z|[-+]\d\d:\d\d)?"
_CHECKS: Final[dict[str, str]] = {
    XSD + "gYear": r"-?\d{4,}" + _ZONE,
    XSD + "gYearMonth": r"-?\d{4,}-\d\d" + _ZONE,
    XSD + "gMonthDay": r"--\d\d-\d\d" + _ZONE,
    XSD + "boolean": r"true|false|0|1",
    XSD + "date": r"-?\d{4,}-\d\d-\d\d" + _ZONE,
    XSD + "time": r"\d\d:\d\d:\d\d(\.\d+)?" + _ZONE,
    XSD + "dateTime": r"-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?" + _ZONE,
    XSD + "duration": r"-?P(?=.)(\d+Y)?(\d+M)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?",
    XSD + "decimal": r"[-+]?(\d+(\.\d*)?|\.\d+)",
    **dict.fromkeys(INTEGERS, r"[-+]?\d+"),
    **dict.fromkeys((XSD + "double", XSD + "float"), r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?|-?INF|NaN"),
}


def is_valid(value: Value) -> bool:
    """True where the lexical form is in the datatype's lexical space; datatypes unknown here always pass."""
    pattern = _CHECKS.get(value.datatype)
    return pattern is None or re.fullmatch(pattern, value.lexical) is not None
