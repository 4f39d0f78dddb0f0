"""Identifiers that can be told by their form: URL, e-mail, telephone, DOI, and those with a check digit.

ISBN, ISSN, GTIN (EAN, UPC) and ORCID count only where their check digit is right. GTINs and ten-digit ISBNs must be
announced as such, since one number in ten has a right check digit by chance.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from kgfuse.extract.values.spans import Kind, ValueSpan
from kgfuse.terms.mentions import Value
from kgfuse.terms.namespaces import XSD

_URL: Final = re.compile(r"\b(?:https?://|www\.)[^\s<>\"“”«»{}|\\^`]+", re.IGNORECASE)
_EMAIL: Final = re.compile(r"(?<![\w.+-])[A-Za-z0-9][A-Za-z0-9._%+-]*@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,24}(?![\w@])")
_DOI: Final = re.compile(r"(?:\bdoi:\s?)?(?<![\w.])(10\.\d{4,9}/[^\s<>\"“”]+)", re.IGNORECASE)
_ISBN: Final = re.compile(
    r"(?P<named>\bISBN(?:-1[03])?:?\s?)?(?<![\w-])(?P<digits>(?:97[89][- ]?)?(?:\d[- ]?){9}[\dXx])(?![\w-])"
)
_ISSN: Final = re.compile(r"\bISSN:?\s?(\d{4}-\d{3}[\dXx])(?!\w)")
_GTIN: Final = re.compile(r"\b(?:EAN|GTIN|UPC)(?:-?(?:8|12|13|14))?(?:\s(?:code|number))?:?\s?(\d{8}|\d{12,14})(?!\d)")
_ORCID: Final = re.compile(r"(?<!\d)(\d{4}-\d{4}-\d{4}-\d{3}[\dX])(?![\w-])")
_PHONE: Final = re.compile(
    r"(?<![\w+.])(?:\+\d{1,3}[\s.-]?(?:\(0?\d{1,4}\)[\s.-]?)?(?:\d{1,5}[\s.-]?){1,5}\d{2,}(?!\w)"
    r"|(?<=[Tt]el\.: )\(?\d[\d\s().-]{5,}\d|(?<=[Tt]el\. )\(?\d[\d\s().-]{5,}\d|(?<=[Pp]hone: )\(?\d[\d\s().-]{5,}\d"
    r"|\(\d{3}\)\s?\d{3}-\d{4}(?!\d))"
)
_TRAILING: Final = ".,;:!?'’\")]}*_"


def find_identifiers(text: str) -> Iterator[ValueSpan]:
    """Identifiers, the most telling forms first; spans may overlap, the first one is meant."""
    if "://" in text or "www." in text.lower():
        for found in _URL.finditer(text):
            start, end = _trimmed(text, *found.span())
            yield _span(start, end, "url", text[start:end], XSD + "anyURI")
    if "@" in text:
        for found in _EMAIL.finditer(text):
            yield _span(*found.span(), "email", found[0], XSD + "string")
    if "10." in text:
        for found in _DOI.finditer(text):
            start, end = _trimmed(text, *found.span(1))
            yield _span(found.start(), end, "doi", text[start:end].lower(), XSD + "string")
    if "ISSN" in text:
        for found in _ISSN.finditer(text):
            if _is_issn(found[1]):
                yield _span(found.start(1), found.end(1), "issn", found[1].upper(), XSD + "string")
    if "ISBN" in text or "978" in text or "979" in text:
        for found in _ISBN.finditer(text):
            digits = re.sub(r"[- ]", "", found["digits"]).upper()
            if is_isbn(digits) and (found["named"] or len(digits) == 13):
                yield _span(*found.span("digits"), "isbn", digits, XSD + "string")
    if "EAN" in text or "GTIN" in text or "UPC" in text:
        for found in _GTIN.finditer(text):
            if is_gtin(found[1]):
                yield _span(*found.span(1), "gtin", found[1], XSD + "string")
    if "-" in text:
        for found in _ORCID.finditer(text):
            if _is_orcid(found[1]):
                yield _span(*found.span(1), "orcid", found[1], XSD + "string")
    if "+" in text or "(" in text or "tel" in text.lower() or "phone" in text.lower():
        for found in _PHONE.finditer(text):
            digits = re.sub(r"\D", "", re.sub(r"\(0\)", "", found[0]))
            if 7 <= len(digits) <= 15:
                number = "+" * found[0].startswith("+") + digits
                yield _span(*found.span(), "phone", number, XSD + "string")


def is_isbn(digits: str) -> bool:
    """True for ten or thirteen digits with a right check digit (ISO 2108).

    >>> is_isbn("9783161484100"), is_isbn("316148410X"), is_isbn("9783161484101")
    (True, True, False)
    """
    if len(digits) == 13 and digits.isdigit():
        return digits[:3] in ("978", "979") and is_gtin(digits)
    if len(digits) != 10 or not digits[:9].isdigit() or not (digits[9].isdigit() or digits[9] == "X"):
        return False
    values = [int(d) for d in digits[:9]] + [10 if digits[9] == "X" else int(digits[9])]
    return sum(w * v for w, v in zip(range(10, 0, -1), values, strict=True)) % 11 == 0


def is_gtin(digits: str) -> bool:
    """True for a GTIN-8, -12, -13 or -14 with a right check digit (GS1 General Specifications).

    >>> is_gtin("4006381333931"), is_gtin("4006381333930"), is_gtin("96385074")
    (True, False, True)
    """
    if len(digits) not in (8, 12, 13, 14) or not (digits.isascii() and digits.isdigit()):
        return False
    weighted = sum((3 if n % 2 else 1) * int(d) for n, d in enumerate(reversed(digits)))
    return weighted % 10 == 0


def _is_issn(text: str) -> bool:
    digits = text.replace("-", "").upper()
    values = [10 if d == "X" else int(d) for d in digits]
    return sum(w * v for w, v in zip(range(8, 0, -1), values, strict=True)) % 11 == 0


def _is_orcid(text: str) -> bool:
    """ISO 7064 mod 11-2."""
    digits = text.replace("-", "")
    total = 0
    for d in digits[:-1]:
        total = (total + int(d)) * 2 % 11
    check = (12 - total) % 11
    return digits[-1] == ("X" if check == 10 else str(check))


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Without the punctuation of the sentence around; a closing bracket stays where it was opened inside."""
    while end > start and text[end - 1] in _TRAILING:
        if text[end - 1] == ")" and text.count("(", start, end) >= text.count(")", start, end):
            break
        end -= 1
    return start, end


def _span(start: int, end: int, kind: Kind, lexical: str, datatype: str) -> ValueSpan:
    return ValueSpan(start, end, kind, Value(lexical, datatype))
