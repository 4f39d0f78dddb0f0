"""Encodings are told by the language that comes out; texts are stored in one form, with a way back."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgfuse.errors import SourceError
from kgfuse.sources.decoding import decoded
from kgfuse.sources.language import language
from kgfuse.sources.normal import Changed, joined, normalise, original, replaced
from kgfuse.sources.places import (
    CharacterPlaces,
    ElementPlaces,
    LineEndPlaces,
    PagePlaces,
    dumps,
    loads,
    of_characters,
)

GERMAN = "Das Käuzchen frisst Mäuse und lebt im Wald. Die Größe beträgt über dreißig Zentimeter; schöne Grüße aus Köln."
RUSSIAN = "Сова ест мышей и живёт в тёмном лесу недалеко от старой мельницы. Она летает ночью."
POLISH = "Sowa zjada myszy i mieszka w ciemnym lesie niedaleko starego młyna. Żółć, gęś, jaźń, śnieg."
GREEK = "Η κουκουβάγια τρώει ποντίκια και ζει στο δάσος."
JAPANESE = "フクロウはネズミを食べ、森に住んでいます。夜に飛びます。"
ENGLISH = "The café’s owl – a “barn owl” – costs £20 and eats mice; the naïve mouse doesn’t see it."


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (GERMAN, "cp1252"),
        (GERMAN, "cp437"),
        (ENGLISH, "cp1252"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8-r"),
        (RUSSIAN, "cp866"),
        (POLISH, "cp1250"),
        (POLISH, "iso8859-2"),
        (GREEK, "cp1253"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc_jp"),
        ("猫头鹰吃老鼠，住在森林里。它在夜间飞行，听觉非常好。", "gb18030"),
        (GERMAN, "utf-16-le"),
        (ENGLISH, "utf-16-be"),
        (GERMAN, "utf-8"),
    ],
)
def test_an_encoding_is_told_by_the_language_that_comes_out(text: str, encoding: str) -> None:
    assert decoded(text.encode(encoding), "a.txt").text == text


def test_the_encoding_that_a_person_names_wins() -> None:
    assert decoded(RUSSIAN.encode("cp866"), "a.txt", "cp437").text == RUSSIAN.encode("cp866").decode("cp437")


def test_bytes_too_few_to_tell_an_encoding_by_are_refused() -> None:
    with pytest.raises(SourceError, match="--encoding"):
        decoded("Käuzchen".encode("cp1252"), "a.txt")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (GERMAN, "de"),
        (RUSSIAN, "ru"),
        (JAPANESE, "ja"),
        (f"{ENGLISH} It lives in the forest and hunts at night, when the mice leave their holes.", "en"),
        ("The owl eats mice.", ""),
        ("SKU 1234 Acme GmbH Berlin München", ""),
        ("", ""),
    ],
)
def test_a_language_is_told_where_there_is_enough_to_tell_it_by(text: str, code: str) -> None:
    assert language(text) == code


def test_line_ends_and_decomposed_letters_become_one_form_and_lead_back() -> None:
    text = "\ufeffKa\u0308uzchen\r\nfrisst\rMa\u0308use\u200b."
    stored = normalise(text)
    assert stored.text == "Käuzchen\nfrisst\nMäuse."
    for word, before in (("Käuzchen", "Ka\u0308uzchen"), ("frisst", "frisst"), ("Mäuse", "Ma\u0308use")):
        at = stored.text.index(word)
        start, end = stored.original(at, at + len(word))
        assert text[start:end] == before


LETTERS = st.sampled_from("ab \n\r\u200b\ufeffäe\u0301\u0308\u0327ᄀ\u1161\u11a8각🦉")


@settings(deadline=None)
@given(st.text(LETTERS))
def test_every_stored_character_leads_back_to_what_it_was_made_from(text: str) -> None:
    stored = normalise(text)
    assert stored.text == normalise(stored.text).text
    before = 0
    for n, char in enumerate(stored.text):
        start, end = stored.original(n, n + 1)
        assert before <= start < end <= len(text)
        before = start
        assert char in normalise(text[start:end]).text
    whole = stored.original(0, len(stored.text))
    assert normalise(text[slice(*whole)]).text == stored.text


@given(st.text(st.sampled_from("ab \n")), st.data())
def test_line_ends_of_one_kind_lead_back_without_a_list_of_them(text: str, data: st.DataObject) -> None:
    file = text.replace("\n", "\r\n")
    stored = normalise(file)
    assert stored.text == text
    assert stored.from_returns == ("\n" in text)
    listed = replaced(file, [(m.start(), m.end(), "\n") for m in re.finditer("\r\n", file)])
    assert stored.changes == listed.edits
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    assert stored.original(start, end) == original(listed.edits, start, end)
    places = of_characters(stored)
    if places is not None:
        assert places == loads(dumps(places)) == LineEndPlaces()
        assert LineEndPlaces().original(text, start, end) == stored.original(start, end)
    upper = replaced(text, [(m.start(), m.end(), "bb") for m in re.finditer("a", text)])
    assert joined(stored, upper) == joined(listed, upper)


def rewritten(text: str) -> st.SearchStrategy[Changed]:
    """A text with some stretches of it replaced."""
    cuts = st.lists(st.integers(0, len(text)), max_size=6).map(sorted)
    words = st.lists(st.sampled_from(["", "x", "yz"]), min_size=3, max_size=3)
    return st.builds(lambda at, new: replaced(text, zip(at[::2], at[1::2], new, strict=False)), cuts, words)


@given(st.text("ab\n", max_size=12), st.booleans(), st.data())
def test_two_steps_lead_back_as_one_after_the_other(text: str, is_first: bool, data: st.DataObject) -> None:
    first = normalise(text.replace("\n", "\r\n")) if is_first else data.draw(rewritten(text))
    then = data.draw(rewritten(first.text))
    both = joined(first, then)
    assert both.text == then.text
    for n in range(len(then.text)):
        assert both.original(n, n + 1) == first.original(*then.original(n, n + 1))


@given(st.text(LETTERS))
def test_lines_are_as_they_are_where_each_line_end_is_looked_at(text: str) -> None:
    plain = re.sub("[\u200b\u2060\ufeff]", "", re.sub("\r\n?", "\n", text))
    assert normalise(text).text == unicodedata.normalize("NFC", plain)


def test_places_are_read_as_they_were_written() -> None:
    changes = normalise("a\rb\r\nc").changes
    assert changes == ((3, 1, 3, 2),)
    for places in (
        LineEndPlaces(),
        CharacterPlaces(changes),
        PagePlaces((0, 5, 9)),
        ElementPlaces((0, 3), ("/p[1]", "/p[2]")),
    ):
        assert loads(dumps(places)) == places


def test_a_span_over_two_pages_is_a_piece_on_each() -> None:
    pages = PagePlaces((0, 5, 9))
    assert pages.on_pages(3, 7) == [(1, 3, 5), (2, 0, 2)]
    assert pages.on_pages(9, 12) == [(3, 0, 3)]
