"""Quantities with units, money, percentages, and ranges of them ("5 to 10 km", "$3–4 million")."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from kgfuse.extract.values.numbers import NumberSpan, find_numbers
from kgfuse.extract.values.spans import Kind, ValueSpan, number_literal
from kgfuse.extract.values.spelling import SCALE
from kgfuse.extract.values.units import LONGEST, NAMES, SYMBOLS, UNIT, Unit, convert, per
from kgfuse.terms.mentions import Value
from kgfuse.terms.namespaces import XSD

_GAP: Final = re.compile(r"[ \t\u00a0\u202f\u2009]?\n?[ \t\u00a0]?-?|-")
_SYMBOL: Final = re.compile(r"°\s?[CF]\b|[°%‰℃℉]|[^\W\d_]+(?:\^?[23²³](?!\d))?")
_WORD: Final = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)?")
_PER: Final = re.compile(r"\s?/\s?|\s(?:per|an?)\s|\sp\.?\s?(?=h\b)")
_BETWEEN: Final = re.compile(r"\s?(?:-|–|—|−|\bto\b|\bthrough\b|\band\b|\bor\b)\s?", re.IGNORECASE)
_SIZED: Final = re.compile(r"\s(?:tall|long|wide|high|deep|thick|across|by|in)\b")
_ONLY_CLOSE: Final = frozenset(["m", "g", "l", "s", "h", "t", "d", "L", "A", "V", "W", "J", "N", "K", "T", "F", "B"])
"""Symbols of one letter, which follow their number at most one space away and are not the first letter of a word."""
_ONLY_DIGITS: Final = frozenset(("stone", "bar", "second", "foot", "pound", "degree", "carat", "in", "mo", "st", "au"))
"""Names with other meanings ("two stone walls", "one second thought"): units behind digits only."""
_CURRENCY_SIGNS: Final = {
    "€": "EUR", "£": "GBP", "$": "USD", "¥": "JPY", "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY", "₪": "ILS",
    "₫": "VND", "₦": "NGN", "₱": "PHP", "₴": "UAH", "฿": "THB", "US$": "USD", "A$": "AUD", "AU$": "AUD", "C$": "CAD",
    "CA$": "CAD", "HK$": "HKD", "NZ$": "NZD", "S$": "SGD", "R$": "BRL", "NT$": "TWD", "CN¥": "CNY", "Rs": "INR",
    "Rs.": "INR",
}  # fmt: skip
_CURRENCY_CODES: Final = frozenset((
    "USD", "EUR", "GBP", "JPY", "CHF", "CNY", "INR", "AUD", "CAD", "NZD", "SEK", "NOK", "DKK", "RUB", "BRL", "MXN",
    "ZAR", "KRW", "TRY", "PLN", "CZK", "HUF", "ILS", "SGD", "HKD", "THB", "TWD", "SAR", "AED", "EGP", "NGN", "PKR",
    "IDR", "MYR", "PHP", "VND", "UAH", "RON", "BGN", "ISK", "CLP", "COP", "ARS",
))  # fmt: skip
_CURRENCY_NAMES: Final = {
    "dollar": "USD", "dollars": "USD", "us dollars": "USD", "u.s. dollars": "USD", "american dollars": "USD",
    "australian dollars": "AUD", "canadian dollars": "CAD", "hong kong dollars": "HKD", "euro": "EUR", "euros": "EUR",
    "pounds sterling": "GBP", "pound sterling": "GBP", "british pounds": "GBP", "yen": "JPY", "japanese yen": "JPY",
    "swiss francs": "CHF", "yuan": "CNY", "renminbi": "CNY", "rupees": "INR", "indian rupees": "INR",
    "rubles": "RUB", "roubles": "RUB", "russian rubles": "RUB", "swedish kronor": "SEK", "norwegian kroner": "NOK",
    "danish kroner": "DKK", "won": "KRW", "reais": "BRL", "rand": "ZAR",
}  # fmt: skip
_SHORT_SCALE: Final = {"k": 10**3, "m": 10**6, "mn": 10**6, "bn": 10**9, "b": 10**9, "tn": 10**12, "trn": 10**12}
_SIGN_BEFORE: Final = re.compile(
    r"(?:(?<![^\W\d_])(?:"
    + "|".join(map(re.escape, sorted(_CURRENCY_SIGNS, key=len, reverse=True)))
    + r"|\b(?:"
    + "|".join(sorted(_CURRENCY_CODES))
    + r")))\s?$"
)
_SCALE_BEHIND: Final = re.compile(r"\s?(k|mn?|bn?|tr?n)\b", re.IGNORECASE)
_CODE_BEHIND: Final = re.compile(r"\s?(€|£|\$|[A-Z]{3}\b)")


@dataclass(frozen=True, slots=True)
class _Measured:
    """A number with what stands behind (or, for money, before) it."""

    start: int
    end: int
    decimal: Decimal
    kind: Kind
    unit: str
    bare_end: int


def find_quantities(text: str) -> Iterator[ValueSpan]:
    """Quantities, money, percentages and bare numbers, in order; ranges and sums of units ("6 ft 2 in") as one."""
    found = [m for m in (_measured(text, n) for n in find_numbers(text)) if m.unit or not _is_name_part(text, m)]
    at = 0
    while at < len(found):
        one = found[at]
        at += 1
        while at < len(found) and (joined := _sum(text, one, found[at])) is not None:
            one = joined
            at += 1
        if at < len(found) and (pair := _range(text, one, found[at])) is not None:
            low, high = pair
            if low.decimal <= high.decimal:
                yield ValueSpan(one.start, found[at].end, high.kind, _value(low), _value(high))
                at += 1
                continue
        yield ValueSpan(one.start, one.end, one.kind, _value(one))


def _is_name_part(text: str, one: _Measured) -> bool:
    """True for digits that are part of a name or a fraction: "3D", "1st", "COVID-19", "03/04/1998"."""
    behind, before = text[one.end : one.end + 2], text[max(0, one.start - 2) : one.start]
    return (
        behind[:1].isalpha()
        or (before[-1:] in ("-", "/") and ((before[:1].isalnum() and not before[:1].isdigit()) or before[-1:] == "/"))
        or re.match(r"/\d", behind) is not None
    )


def _measured(text: str, number: NumberSpan) -> _Measured:
    if (money := _money(text, number)) is not None:
        return money
    place = _unit_behind(text, number)
    if place is None:
        return _Measured(number.start, number.end, number.decimal, "number", "", number.end)
    end, unit = place
    kind: Kind = "percent" if unit.iri == UNIT + "PERCENT" else "quantity"
    return _Measured(number.start, end, number.decimal, kind, unit.iri, number.end)


def _money(text: str, number: NumberSpan) -> _Measured | None:
    start, end, amount = number.start, number.end, number.decimal
    code = ""
    before = text[max(0, start - 4) : start]
    if (sign := _SIGN_BEFORE.search(before)) is not None:
        written = sign[0].strip()
        code = _CURRENCY_SIGNS.get(written, written)
        start -= len(before) - sign.start()
    scaled = _SCALE_BEHIND.match(text, end)
    behind = scaled.end() if scaled is not None else end
    if not code:
        if (sign := _CODE_BEHIND.match(text, behind)) and (sign[1] in _CURRENCY_CODES or sign[1] in "€£$"):
            code, behind = _CURRENCY_SIGNS.get(sign[1], sign[1]), sign.end()
        elif (named := _currency_name(text, end)) is not None:
            behind, code, scaled = *named, None
        else:
            return None
        end = behind
    elif scaled is not None:
        end = scaled.end()
    if scaled is not None:
        amount *= _SHORT_SCALE[scaled[1].lower()]
    return _Measured(start, end, amount, "money", f"{UNIT}CCY_{code}", number.end)


def _currency_name(text: str, at: int) -> tuple[int, str] | None:
    gap = re.match(r"[ \u00a0-]", text[at : at + 1])
    if gap is None:
        return None
    ends = [m.end() for m in re.finditer(r"[^\W\d_.]+|u\.s\.", text[at + 1 : at + 30].lower())][:3]
    for end in reversed(ends):
        if code := _CURRENCY_NAMES.get(text[at + 1 : at + 1 + end].lower()):
            return at + 1 + end, code
    return None


def _unit_behind(text: str, number: NumberSpan) -> tuple[int, Unit] | None:
    """Where the unit behind a number ends, and which it is: the longest name, else a symbol; then a unit per unit."""
    gap = _GAP.match(text, number.end)
    at = gap.end() if gap is not None else number.end
    first = _unit_at(text, at, number.digits, at - number.end)
    if first is None:
        return None
    end, unit = first
    if (stroke := _PER.match(text, end)) is not None:
        second = _unit_at(text, stroke.end(), True, 1)
        if second is not None and (rate := per(unit, second[1])) is not None:
            return second[0], rate
        if "/" in stroke[0] and text[stroke.end() : stroke.end() + 1].isalpha():
            return None  # a rate that is not known is not its upper half
    return end, unit


def _unit_at(text: str, at: int, digits: bool, gap: int) -> tuple[int, Unit] | None:
    words: list[re.Match[str]] = []
    here = at
    while len(words) < LONGEST and (word := _WORD.match(text, here)):
        words.append(word)
        here = word.end() + 1
        if text[word.end() : here] not in (" ", "\u00a0", "-"):
            break
    for n in range(len(words), 0, -1):
        name = " ".join(w[0] for w in words[:n]).lower()
        if name == "stone" and re.match(r"\s\w", text[words[n - 1].end() : words[n - 1].end() + 2]):
            continue  # "two stone walls"
        if (unit := NAMES.get(name)) is not None and (digits or name not in _ONLY_DIGITS):
            return words[n - 1].end(), unit
    if words and "-" in words[0][0]:  # "a 12-year-old whisky"
        name = words[0][0].partition("-")[0]
        if (unit := NAMES.get(name.lower())) is not None and (digits or name.lower() not in _ONLY_DIGITS):
            return words[0].start() + len(name), unit
    symbol = _SYMBOL.match(text, at)
    if symbol is None or not digits:
        return None
    sign = symbol[0].replace(" ", "")
    unit = SYMBOLS.get(sign)
    if unit is None or (sign in _ONLY_CLOSE and gap > 1):
        return None
    following = text[symbol.end() : symbol.end() + 2]
    if sign == "in" and re.match(r"\s\w", following) and not _SIZED.match(text, symbol.end()):
        return None
    if sign == "s" and gap == 0:
        return None  # "the 1990s"
    return symbol.end(), unit


def _sum(text: str, one: _Measured, two: _Measured) -> _Measured | None:
    """Join "6 ft 2 in", "1 h 30 min": the second a smaller unit of one kind, close behind. In the smaller unit."""
    if one.kind != "quantity" or two.kind != "quantity" or one.unit == two.unit:
        return None
    if not re.fullmatch(r"[ ,]? ?(?:and )?", text[one.end : two.start]) or ", " in text[one.end : two.start]:
        return None
    whole = convert(one.decimal, one.unit, two.unit)
    if whole is None or two.decimal >= (convert(Decimal(1), one.unit, two.unit) or 0):
        return None
    return _Measured(one.start, two.end, whole + two.decimal, "quantity", two.unit, two.end)


def _range(text: str, one: _Measured, two: _Measured) -> tuple[_Measured, _Measured] | None:
    """Both ends of "5 to 10 km", "5 km to 10 km", "$3–4 million": each in its own unit, or both in the second's."""
    joint = _BETWEEN.fullmatch(text, one.end, two.start)
    if joint is None:
        return None
    word = joint[0].strip().lower()
    if word == "and" and not re.search(r"\bbetween\s+\S{0,3}$", text[max(0, one.start - 12) : one.start], re.I):
        return None
    if word == "or" and one.unit:
        return None
    if word in ("-", "−") and one.end == two.start:
        return None
    if one.unit == two.unit and (one.unit or word != "or"):
        if not one.unit and word in ("to", "or"):
            return None  # "from 3 to 4" of nothing says too little to be a range of values
        return one, two
    if one.kind == "number" and two.unit:
        return _Measured(one.start, one.end, _scaled(text, one, two), two.kind, two.unit, one.bare_end), two
    if one.kind == "money" and two.kind == "number":
        return (
            _Measured(one.start, one.end, _scaled(text, one, two), "money", one.unit, one.bare_end),
            _Measured(two.start, two.end, two.decimal, "money", one.unit, two.bare_end),
        )
    return None


def _scaled(text: str, one: _Measured, two: _Measured) -> Decimal:
    """The lower end of "3 to 4 million" is three million."""
    behind = re.search(r"\b(hundred|thousand|million|billion|trillion)\b", text[two.start : two.end], re.I)
    if behind is None or re.search(r"[^\W\d_]", text[one.start : one.end]):
        return one.decimal
    return one.decimal * SCALE[behind[1].lower()]


def _value(one: _Measured) -> Value:
    lexical = number_literal(format(one.decimal, "f"))
    is_whole = one.kind == "number" and "." not in lexical
    return Value(lexical, XSD + ("integer" if is_whole else "decimal"), unit=one.unit)


def amount(spans: Sequence[ValueSpan]) -> ValueSpan | None:
    """The first of several spans that is a number of something."""
    return next((s for s in spans if s.kind in ("quantity", "money", "percent", "number")), None)
