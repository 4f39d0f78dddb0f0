"""The literal that words stand for under a property's range, unit and patterns."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from kgfuse.extract.values import place_of, value_of
from kgfuse.extract.values.units import UNIT, convert, unit_of
from kgfuse.terms.mentions import Value
from kgfuse.terms.namespaces import XSD

DECIMAL = (XSD + "decimal",)


@pytest.mark.parametrize(
    ("text", "datatype", "lexical"),
    [
        ("3 March 1998", "date", "1998-03-03"),
        ("3 March 1998", "gYear", "1998"),
        ("3 March 1998", "gYearMonth", "1998-03"),
        ("3 March 1998", "dateTime", "1998-03-03T00:00:00"),
        ("March 1998", "date", None),
        ("the 1990s", "gYear", None),
        ("2024-05-01T10:00:00Z", "time", "10:00:00Z"),
        ("two weeks", "duration", "P14D"),
        ("3 hours", "duration", "PT3H"),
        ("twelve legs", "integer", "12"),
        ("2.5 legs", "integer", None),
        ("5 to 10 km", "decimal", None),
        ("www.example.org", "anyURI", "http://www.example.org"),
        ("doi:10.1000/1", "anyURI", "https://doi.org/10.1000/1"),
        ("ISBN 978-3-16-148410-0", "string", "9783161484100"),
    ],
)
def test_words_become_the_literal_that_the_range_asks_for(text: str, datatype: str, lexical: str | None) -> None:
    found = value_of(text, (XSD + datatype,))
    assert (found and (found.lexical, found.datatype)) == (lexical and (lexical, XSD + datatype))


def test_a_number_goes_into_the_unit_that_the_property_asks_for() -> None:
    assert value_of("3 miles", DECIMAL, UNIT + "KiloM") == Value("4.828032", XSD + "decimal", unit=UNIT + "KiloM")
    assert value_of("98.6 °F", DECIMAL, UNIT + "DEG_C") == Value("37", XSD + "decimal", unit=UNIT + "DEG_C")


def test_without_one_it_keeps_its_own() -> None:
    assert value_of("3 miles", DECIMAL) == Value("3", XSD + "decimal", unit=UNIT + "MI")


def test_what_measures_something_else_is_no_value_of_the_property() -> None:
    assert value_of("3 kg", DECIMAL, UNIT + "KiloM") is None


def test_the_number_with_a_fitting_unit_is_meant() -> None:
    found = place_of("two cans of 330 ml", DECIMAL, UNIT + "L")
    assert found is not None
    assert found.value.lexical == "0.33"


def test_a_pattern_finds_whole_codes_only() -> None:
    code = (re.compile(r"(?<!\w)(?:[A-Z]{2}\d{3})(?!\w)"),)
    assert value_of("the part XAB123, also AB123", (XSD + "string",), patterns=code) == Value("AB123")
    assert value_of("XAB123", (XSD + "string",), patterns=code) is None


@pytest.mark.parametrize(
    ("number", "source", "target", "result"),
    [
        ("1", "MI", "KiloM", "1.609344"),
        ("100", "DEG_C", "DEG_F", "212"),
        ("36", "KiloM-PER-HR", "M-PER-SEC", "10"),
        ("1", "TONNE", "KiloGM", "1000"),
        ("50", "PERCENT", "FRACTION", "0.5"),
    ],
)
def test_conversion_is_exact(number: str, source: str, target: str, result: str) -> None:
    assert convert(Decimal(number), UNIT + source, UNIT + target) == Decimal(result)


def test_units_of_other_dimensions_do_not_convert() -> None:
    assert convert(Decimal(1), UNIT + "KiloM", UNIT + "KiloGM") is None
    assert unit_of(UNIT + "NoSuchUnit") is None
