"""Values of every kind in running text: what they are, where they stand, and what is left alone as ambiguous."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgfuse.extract.values import find_values, is_valid
from kgfuse.terms.namespaces import QUDT_UNIT, XSD


def read(text: str) -> list[tuple[str, ...]]:
    """Each value: its words, literal, datatype or unit, and the upper end where there is one."""
    return [
        (
            text[v.start : v.end],
            v.value.lexical,
            v.value.unit.removeprefix(QUDT_UNIT) or v.value.datatype.removeprefix(XSD),
            *([v.upper.lexical] if v.upper is not None else []),
        )
        for v in find_values(text)
    ]


DATES = [
    ("on the 3rd of March 1998", ("3rd of March 1998", "1998-03-03", "date")),
    ("on March 3rd, 1998", ("March 3rd, 1998", "1998-03-03", "date")),
    ("on 3 Mar. 1998", ("3 Mar. 1998", "1998-03-03", "date")),
    ("on 1998-03-03", ("1998-03-03", "1998-03-03", "date")),
    ("on 03.04.1998", ("03.04.1998", "1998-04-03", "date")),
    ("on 13/04/1998", ("13/04/1998", "1998-04-13", "date")),
    ("on 04/13/1998", ("04/13/1998", "1998-04-13", "date")),
    ("May 5 was warm", ("May 5", "--05-05", "gMonthDay")),
    ("in July 2010", ("July 2010", "2010-07", "gYearMonth")),
    ("built in 1889", ("1889", "1889", "gYear")),
    ("in 44 BC", ("44 BC", "-0043", "gYear")),
    ("in AD 79", ("AD 79", "0079", "gYear")),
    ("in the 1990s", ("1990s", "1990", "gYear", "1999")),
    ("in the 1800s", ("1800s", "1800", "gYear", "1899")),
    ("in the 19th century", ("19th century", "1801", "gYear", "1900")),
    ("in the fifth century BC", ("fifth century BC", "-0499", "gYear", "-0400")),
    ("the war, 1914–1918", ("1914–1918", "1914", "gYear", "1918")),
    ("in 1998/99", ("1998/99", "1998", "gYear", "1999")),
    ("between 1990 and 1995", ("1990 and 1995", "1990", "gYear", "1995")),
    ("from 3 March 1914 to 4 May 1918", ("3 March 1914 to 4 May 1918", "1914-03-03", "date", "1918-05-04")),
    ("on 3–5 May 2001", ("3–5 May 2001", "2001-05-03", "date", "2001-05-05")),
]
TIMES = [
    ("at 14:30", ("14:30", "14:30:00", "time")),
    ("at 2:30 p.m.", ("2:30 p.m.", "14:30:00", "time")),
    ("at 12 am", ("12 am", "00:00:00", "time")),
    ("at noon", ("noon", "12:00:00", "time")),
    ("at 10:15 UTC", ("10:15 UTC", "10:15:00Z", "time")),
    ("at 2024-05-01T10:00:00Z", ("2024-05-01T10:00:00Z", "2024-05-01T10:00:00Z", "dateTime")),
]
QUANTITIES = [
    ("330 m tall", ("330 m", "330", "M")),
    ("5km away", ("5km", "5", "KiloM")),
    ("two hundred litres", ("two hundred litres", "200", "L")),
    ("1,234,567.89 kg", ("1,234,567.89 kg", "1234567.89", "KiloGM")),
    ("1.5 × 10^3 kg", ("1.5 × 10^3 kg", "1500", "KiloGM")),
    ("2½ miles", ("2½ miles", "2.5", "MI")),
    ("98.6 °F", ("98.6 °F", "98.6", "DEG_F")),
    ("minus forty degrees Celsius", ("minus forty degrees Celsius", "-40", "DEG_C")),
    ("100 km/h", ("100 km/h", "100", "KiloM-PER-HR")),
    ("9.81 m/s²", ("9.81 m/s²", "9.81", "M-PER-SEC2")),
    ("5 mg/L", ("5 mg/L", "5", "MilliGM-PER-L")),
    ("20 square miles", ("20 square miles", "20", "MI2")),
    ("3 GB", ("3 GB", "3", "GigaBYTE")),
    ("20 μm", ("20 μm", "20", "MicroM")),
    ("5 ft 11 in", ("5 ft 11 in", "71", "IN")),
    ("a 12-year-old whisky", ("12-year", "12", "YR")),
    ("10 percent", ("10 percent", "10", "PERCENT")),
    ("5 to 10 km", ("5 to 10 km", "5", "KiloM", "10")),
    ("between 5 and 10 kg", ("5 and 10 kg", "5", "KiloGM", "10")),
    ("-5 to 10 °C", ("-5 to 10 °C", "-5", "DEG_C", "10")),
]
MONEY = [
    ("$1.5 million", ("$1.5 million", "1500000", "CCY_USD")),
    ("€3.5bn", ("€3.5bn", "3500000000", "CCY_EUR")),
    ("£3–4 million", ("£3–4 million", "3000000", "CCY_GBP", "4000000")),
    ("CHF 100", ("CHF 100", "100", "CCY_CHF")),
    ("twenty dollars", ("twenty dollars", "20", "CCY_USD")),
    ("100 yen", ("100 yen", "100", "CCY_JPY")),
]
NUMBERS = [
    ("1,200 people", ("1,200", "1200", "integer")),
    ("one hundred and five", ("one hundred and five", "105", "integer")),
    ("half a million people", ("half a million", "500000", "integer")),
    ("a dozen eggs", ("a dozen", "12", "integer")),
    ("3.50 on average", ("3.50", "3.5", "decimal")),
]
IDENTIFIERS = [
    ("see https://example.org/a_(b).", ("https://example.org/a_(b)", "https://example.org/a_(b)", "anyURI")),
    ("write to me@example.org, please", ("me@example.org", "me@example.org", "string")),
    ("doi:10.1000/XYZ123.", ("doi:10.1000/XYZ123", "10.1000/xyz123", "string")),
    ("ISBN 978-3-16-148410-0", ("978-3-16-148410-0", "9783161484100", "string")),
    ("ISSN 0317-8471", ("0317-8471", "0317-8471", "string")),
    ("EAN 4006381333931", ("4006381333931", "4006381333931", "string")),
    ("call +44 20 7946 0958", ("+44 20 7946 0958", "+442079460958", "string")),
    ("ORCID 0000-0002-1825-0097", ("0000-0002-1825-0097", "0000-0002-1825-0097", "string")),
]
WKT = "http://www.opengis.net/ont/geosparql#wktLiteral"
PLACES = [
    ("at 51°30′26″N 0°7′39″W", ("51°30′26″N 0°7′39″W", "POINT(-0.1275 51.507222)", WKT)),
    ("at 48.8584, 2.2945", ("48.8584, 2.2945", "POINT(2.2945 48.8584)", WKT)),
    ("at 40.7128° N, 74.0060° W", ("40.7128° N, 74.0060° W", "POINT(-74.006 40.7128)", WKT)),
]


@pytest.mark.parametrize(
    ("text", "value"), [*DATES, *TIMES, *QUANTITIES, *MONEY, *NUMBERS, *IDENTIFIERS, *PLACES], ids=lambda v: str(v)[:30]
)
def test_a_value_is_read_with_its_exact_words(text: str, value: tuple[str, ...]) -> None:
    assert read(text) == [value]


@pytest.mark.parametrize(
    "text",
    [
        "03/04/1998",  # day first or month first
        "1.200,50",  # another language's marks
        "12 345 km",  # one number or two
        "6'2\"",
        "version 2.0.1",
        "a ratio of 3:2",
        "at 25:10",
        "COVID-19",
        "in 3D",
        "the 1st place",
        "an iPhone 5s",
        "one two three",
        "several million euros",
        "a quarter of a million men",
        "hundreds of men",
        "today, last week",
    ],
)
def test_what_can_be_read_in_two_ways_is_not_read(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("31 February 1998", {"date", "gYearMonth"}),
        ("He may 5 times", {"gMonthDay"}),
        ("two stone walls", {"STONE_UK"}),
        ("one second thought", {"SEC"}),
        ("5 in the morning", {"IN"}),
        ("12 in stock", {"IN"}),
        ("3 a day", {"PER-DAY"}),
        ("5 kg/person", {"KiloGM"}),
        ("95°N 10°E", {WKT}),
        ("9783161484101", {"string"}),
        ("ISSN 0317-8472", {"string"}),
        ("12.5, 13.5", {WKT}),
    ],
)
def test_what_only_looks_like_a_value_is_not_taken_for_one(text: str, wrong: set[str]) -> None:
    assert wrong.isdisjoint({kind for _, _, kind, *_ in read(text)})


PIECES = [text for text, _ in (*DATES, *TIMES, *QUANTITIES, *MONEY, *NUMBERS, *IDENTIFIERS, *PLACES)]


@given(st.lists(st.sampled_from([*PIECES, "and", "12", ".", "\u00a0", "–", "é", "🦊", "\n"]) | st.text(max_size=8)))
def test_values_are_valid_in_order_and_apart_in_any_text(parts: list[str]) -> None:
    text = " ".join(parts)
    found = find_values(text)
    ends = [0]
    for value in found:
        assert ends[-1] <= value.start < value.end <= len(text)
        assert text[value.start : value.end].strip() == text[value.start : value.end]
        assert is_valid(value.value)
        assert value.upper is None or is_valid(value.upper)
        ends.append(value.end)
