"""What rests on words that were heard with doubt is as much less sure, and says so."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from kgfuse.extract.doubt import as_heard, replaced
from kgfuse.terms.mentions import Mention, Source, Statement, TextSpan

TEXT = "Tower Bridge shows rust"
STARTS = (0, 6, 13, 19)
IRI = "urn:talk"


def source(*sure: float) -> Source:
    return Source(IRI, "talk.ogg", "audio", "audio/ogg", "", text=TEXT, heard=tuple(zip(STARTS, sure, strict=False)))


def mention(words: str, confidence: float = 1.0) -> Mention:
    start = TEXT.index(words)
    return Mention(IRI, TextSpan(start, start + len(words), words), words, "test", confidence=confidence)


BRIDGE, SHOWS, RUST = mention("Tower Bridge", 0.8), mention("shows"), mention("rust")
SAYS = Statement(BRIDGE, "urn:shows", RUST, (BRIDGE, SHOWS, RUST), "test", 0.9, "the verb says so", IRI)


def test_a_mention_is_as_sure_as_its_words_and_a_statement_as_its_most_doubtful_mention() -> None:
    bridge, says = as_heard([BRIDGE, SAYS], source(0.625, 0.4, 1.0, 0.75))
    assert isinstance(bridge, Mention)
    assert isinstance(says, Statement)
    assert bridge.confidence == 0.4
    assert says.confidence == 0.45
    assert [m.confidence for m in says.evidence] == [0.4, 1.0, 0.75]
    assert says.subject == bridge
    assert says.reason == "the verb says so; heard with probability 0.50"


def test_what_was_heard_surely_or_read_is_as_it_was_found() -> None:
    assert list(as_heard([BRIDGE, SAYS], source(1.0, 1.0, 1.0, 1.0))) == [BRIDGE, SAYS]
    assert list(as_heard([BRIDGE, SAYS], source())) == [BRIDGE, SAYS]
    fine = replace(SAYS, confidence=0.123456)
    assert list(as_heard([fine], source(1.0, 1.0, 1.0, 1.0))) == [fine]


def test_rounding_makes_nothing_surer_than_it_was() -> None:
    vague = mention("rust", 0.6666)
    sure = replace(SAYS, evidence=(vague,), confidence=1.0)
    assert replaced(sure, lambda m: replace(m, confidence=round(m.confidence, 3))).confidence == 1.0


@given(st.lists(st.floats(0.01, 1), min_size=4, max_size=4))
def test_nothing_becomes_surer_and_places_stay(sure: list[float]) -> None:
    (says,) = as_heard([SAYS], source(*sure))
    assert isinstance(says, Statement)
    assert 0 <= says.confidence <= SAYS.confidence
    assert [m.iri for m in says.evidence] == [m.iri for m in SAYS.evidence]
    least = min((sure[0] * sure[1]) ** 0.5, *sure[2:])
    assert abs(says.confidence - SAYS.confidence * least) <= 0.002
