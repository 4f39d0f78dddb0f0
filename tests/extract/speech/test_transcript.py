"""Words with their times as one text: in stored form, every word where it says; long ones cut where it is quiet."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kgfuse.extract.speech.transcript import PAUSE, Word, cuts, joined
from kgfuse.sources.normal import normalise
from kgfuse.sources.places import dumps, loads

WORDS = st.lists(
    st.tuples(st.text(st.characters(exclude_categories=("Cs",)), max_size=6), st.integers(0, 9_000), st.booleans())
)


@given(WORDS)
def test_a_transcript_is_in_stored_form_and_its_words_have_their_times_in_order(
    heard: list[tuple[str, int, bool]],
) -> None:
    words = [Word((" " if spaced else "") + text, at, at + 100) for text, at, spaced in heard]
    text, places = joined(words)
    assert text == text.strip()
    assert "\r" not in text
    assert normalise(text).text == text
    assert list(places.starts) == sorted(set(places.starts))
    flat = [ms for span in places.times for ms in span]
    assert flat == sorted(flat)
    assert len(places.starts) == len(places.times)
    for start in places.starts:
        assert not text[start].isspace()


def test_words_stand_where_their_offsets_say() -> None:
    heard = [Word(" 20", 0, 400), Word("-year", 400, 700), Word(" olds.", 700, 900), Word(" They", 900 + PAUSE, 3_200)]
    text, places = joined(heard)
    assert text == "20-year olds.\n\nThey"
    assert [text[a:].split()[0] for a in places.starts] == ["20-year", "-year", "olds.", "They"]
    assert places.seconds(0, 7) == (0.0, 0.7)
    assert places.seconds(3, 12) == (0.4, 0.9)


def test_each_word_keeps_how_surely_it_was_heard() -> None:
    _, places = joined([Word(" An", 0, 200, 0.987), Word(" ", 200, 300, 0.1), Word(" owl", 300, 500, 0.001)])
    assert places.heard == ((0, 0.99), (3, 0.01))
    assert loads(dumps(places)) == places


@given(st.integers(0, 4_000), st.integers(100, 900), st.integers(0, 2**32 - 1))
def test_cuts_cover_everything_in_pieces_that_are_short_enough(length: int, longest: int, seed: int) -> None:
    samples = np.random.default_rng(seed).integers(-9_000, 9_000, length).astype(np.int16)
    found = cuts(samples, longest, longest // 3)
    assert found[0][0] == 0
    assert found[-1][1] == length
    assert all(a[1] == b[0] for a, b in pairwise(found))
    assert all(0 < end - start <= longest + 1_600 for start, end in found[:-1])


def test_the_cut_is_in_the_pause() -> None:
    rate = 16_000
    samples = np.full(40 * rate, 5_000, np.int16)
    samples[24 * rate : 25 * rate] = 0
    (first, second) = cuts(samples, 30 * rate, 10 * rate)
    assert 24 * rate <= first[1] <= 25 * rate
    assert second == (first[1], 40 * rate)
