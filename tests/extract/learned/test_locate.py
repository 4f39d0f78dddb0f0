"""Labels are found however a text writes them, and only there."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgfuse.extract.learned.dates import Date, dates_in, parse_date
from kgfuse.extract.learned.locate import Folded, anaphors, fold, is_anaphor, places


def said(text: str, label: str) -> list[str]:
    return [text[p.start : p.end] for p in places(Folded(text), label)]


@pytest.mark.parametrize(
    ("text", "label", "words"),
    [
        ("Dug's Special Mission (2009) is short.", "Dug 's Special Mission", ["Dug's Special Mission"]),
        ("Acharya Institute of Technology is in Bangalore.", "Acharya_Institute_of_Technology",
         ["Acharya Institute of Technology"]),
        ("It opened in 1985.", "01 January 1985", ["1985"]),
        ("Born on 18 November 1923 in Derry.", '"1923-11-18"', ["18 November 1923"]),
        ("It lasts 94 minutes.", "94.0", ["94"]),
        ("The film grossed £282,838 in all.", "282838.0", ["282,838"]),
        ("Asterix was created by René Goscinny.", "Asterix_(comicsCharacter)", ["Asterix"]),
        ("Rene Goscinny drew it.", "René_Goscinny", ["Rene Goscinny"]),
        ("Babe (Winter Version) was recorded.", "Babe (Winter Version)", ["Babe (Winter Version)"]),
        ("Athens International Airport serves Athens.", "Athens", ["Athens", "Athens"]),
        ("It has four stars.", "4", ["four"]),
        ("It made $556 million in 2014.", "556000000", ["556 million"]),
        ("It is 125.8 metres long.", "125800.0 (millimetres)", ["125.8"]),
        ("Founded on 01-02-1913 in Rome.", '"1913-02-01"', ["01-02-1913"]),
    ],
)  # fmt: skip
def test_a_label_is_found_as_the_text_writes_it(text: str, label: str, words: list[str]) -> None:
    assert said(text, label) == words


@pytest.mark.parametrize(
    ("text", "label"),
    [("The carpet is red.", "car"), ("Opened in 1986.", "01 January 1985"), ("It lasts 940 minutes.", "94")],
)
def test_a_label_is_not_found_in_other_words(text: str, label: str) -> None:
    assert said(text, label) == []


@given(st.text(), st.text())
def test_places_lie_in_the_text_and_say_the_label(before: str, label: str) -> None:
    text = f"{before} {label} end"
    for place in places(Folded(text), label):
        assert 0 <= place.start < place.end <= len(text)
        if place.how == "same":
            assert fold(text[place.start : place.end]) == fold(label.replace("_", " "))


@given(st.text())
def test_dates_never_overlap(text: str) -> None:
    found = sorted((start, end) for start, end, _ in dates_in(f"{text} 3 May 1999 {text}"))
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(found))


@pytest.mark.parametrize(
    ("label", "date"),
    [
        ("01 January 1985", Date(1985, 1, 1)),
        ("November 18th, 1923", Date(1923, 11, 18)),
        ("1989-01-02", Date(1989, 1, 2)),
        ("May 2007", Date(2007, 5)),
        ("2001", Date(2001)),
        ("99 May 2007", None),
        ("2001: A Space Odyssey", None),
    ],
)
def test_a_date_is_read_as_far_as_it_is_said(label: str, date: Date | None) -> None:
    assert parse_date(label) == date


def test_pronouns_and_plain_definite_phrases_at_the_start_of_a_sentence_speak_of_something_named_elsewhere() -> None:
    text = "The film was shot in Rome. It won a prize, and the crew left."
    assert [text[p.start : p.end] for p in anaphors(text)] == ["The film", "It"]
    assert is_anaphor("The film")
    assert not is_anaphor("The Film of 1999")
