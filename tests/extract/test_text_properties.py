"""What holds for any text: exact spans, independence of batch and order, nothing lost in storage."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kgfuse.extract.protocol import collect, run
from kgfuse.extract.serialise import dumps, loads
from kgfuse.extract.settings import ExtractSettings, TextSettings
from kgfuse.extract.text import TextExtractor, build
from kgfuse.extract.text.nlp import model_view, pieces
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.mentions import Mention, Statement, TextSpan
from tests.extract.conftest import text_source

SLOW = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
FRAGMENTS = (
    "The fox eats mice. It lives in forests\r\n\r\nand eats  seeds.",
    "Le re\u0301sume\u0301 du renard, l\u2019e\u0301te\u0301.",
    "狐は森に住んでいる。",
    "الثعلب يأكل الفئران.",
    "लोमड़ी जंगल में रहती है।",
    "🦊👩‍👩‍👧‍👦 The fox\u00a0— red\u2009tail — lives in rivers!",
    "\ufeffＴｈｅ　ｆｏｘ eats\u200bseeds",
    "The fox eats \ud83d seeds.",
    "\x00\x07 fox \t\v\f",
)
ANY_TEXT = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(FRAGMENTS), max_size=3).map(" ".join),
    st.tuples(st.sampled_from(FRAGMENTS), st.text(max_size=20)).map("".join),
)


@SLOW
@given(text=ANY_TEXT)
def test_every_span_is_exact(extractor: TextExtractor, text: str) -> None:
    mentions: list[Mention] = []
    for found in extractor.extract(text_source(text)):
        mentions += [found] if isinstance(found, Mention) else found.evidence
        if isinstance(found, Statement):
            mentions += [n for n in (found.subject, found.object) if isinstance(n, Mention)]
    for mention in mentions:
        assert isinstance(mention.selector, TextSpan)
        assert mention.selector.start < mention.selector.end
        assert text[mention.selector.start : mention.selector.end] == mention.selector.exact


@SLOW
@given(text=ANY_TEXT)
def test_an_extraction_survives_storage(extractor: TextExtractor, text: str) -> None:
    source = text_source(text)
    extraction = collect(source.iri, "run", extractor.extract(source), extractor.parameters)
    assert loads(dumps(extraction)) == extraction
    assert dumps(loads(dumps(extraction))) == dumps(extraction)


@SLOW
@given(texts=st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=5), seed=st.randoms(use_true_random=False))
def test_a_text_says_the_same_in_any_batch_and_order(extractor: TextExtractor, texts: list[str], seed: object) -> None:
    sources = [text_source(t, name=f"{n}.txt") for n, t in enumerate(texts)]
    alone = {s.name: list(extractor.extract(s)) for s in sources}
    shuffled = sorted(sources, key=lambda s: s.name, reverse=True)
    together = dict(zip([s.name for s in shuffled], extractor.extract_batch(shuffled), strict=True))
    assert together == alone


@given(text=st.text(max_size=200), size=st.integers(1, 50))
def test_pieces_joined_are_the_text(text: str, size: int) -> None:
    cut = list(pieces(text, size))
    assert "".join(p for _, p in cut) == text
    assert all(text[at : at + len(p)] == p and len(p) <= size for at, p in cut)


@given(st.text())
def test_the_model_sees_as_many_characters_as_there_are(text: str) -> None:
    assert len(model_view(text)) == len(text)
    model_view(text).encode("utf-8")


def test_a_long_text_is_read_to_its_end_with_exact_spans(zoo: Vocabulary) -> None:
    extractor = build(zoo, ExtractSettings(text=TextSettings(chunk=1_000)))
    text = "\n\n".join(["The fox eats mice."] * 100 + ["It lives in the woods."])
    (extraction,) = run(extractor, [text_source(text)])
    last = [s for s in extraction.statements if s.predicate.endswith("livesIn")]
    assert len(last) == 1
    assert all(
        text[m.selector.start : m.selector.end] == m.selector.exact
        for m in extraction.mentions
        if isinstance(m.selector, TextSpan)
    )


def test_the_sentence_is_part_of_the_evidence(extractor: TextExtractor) -> None:
    text = "The fox lives here.  The fox belongs to the mammals. It is red."
    statements = [s for s in extractor.extract(text_source(text)) if isinstance(s, Statement)]
    (revealing,) = [s for s in statements if s.predicate.endswith("kind")]
    assert [m.selector.exact for m in revealing.evidence if m.extractor == "text.sentence"] == [
        "The fox belongs to the mammals."
    ]


def test_the_fingerprint_covers_settings_and_vocabulary_but_not_the_batch(zoo: Vocabulary) -> None:
    def fingerprint(**given: object) -> str:
        return build(zoo, ExtractSettings(text=TextSettings.model_validate(given))).fingerprint

    assert fingerprint() == fingerprint(batch=3)
    assert fingerprint() != fingerprint(entities=False)


def test_empty_texts_say_nothing(extractor: TextExtractor) -> None:
    assert [list(x) for x in extractor.extract_batch([text_source(""), text_source(" \n")])] == [[], []]
