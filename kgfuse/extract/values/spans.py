"""What a value found in a text is: a place, a kind, a literal, and a second one where it is a range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from kgfuse.terms.mentions import Value

Kind: TypeAlias = Literal[
    "number", "quantity", "money", "percent", "date", "time", "period",
    "url", "email", "phone", "doi", "isbn", "issn", "gtin", "orcid", "coordinates",
]  # fmt: skip
IDENTIFIERS: frozenset[Kind] = frozenset(("url", "email", "phone", "doi", "isbn", "issn", "gtin", "orcid"))


@dataclass(frozen=True, slots=True)
class ValueSpan:
    """A value in a text.

    Args:
        start: first character, in code points.
        end: character after the last.
        kind: what it is.
        value: the literal, in the most special datatype that says all of it; a number's unit stands in ``value.unit``.
        upper: the other end where the words give a range ("5 to 10 km", "1914–1918", "the 1990s"); ``value`` is the
            lower one then.
    """

    start: int
    end: int
    kind: Kind
    value: Value
    upper: Value | None = None


def number_literal(text: str) -> str:
    """Canonical ``xsd:decimal`` or ``xsd:integer`` form of a decimal in plain notation.

    >>> [number_literal(t) for t in ("3.50", "007", "-0.0", "12")]
    ['3.5', '7', '0', '12']
    """
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text.lstrip("+"))
    whole, _, rest = digits.partition(".")
    whole, rest = whole.lstrip("0") or "0", rest.rstrip("0")
    found = f"{whole}.{rest}" if rest else whole
    return found if found == "0" else sign + found
