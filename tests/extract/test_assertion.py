"""What a text denies, only thinks possible, or reports of somebody else is told apart from what it says itself."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kgfuse.extract.gating.gate import Gate
from kgfuse.extract.text.assertion import PLAIN, standing
from kgfuse.extract.text.extractor import TextExtractor
from kgfuse.extract.text.nlp import load
from kgfuse.extract.text.sentence import Sentence
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.mentions import Statement
from tests.extract.conftest import Z, text_source


def eats(extractor: TextExtractor, text: str) -> list[Statement]:
    found = extractor.extract(text_source(text))
    return [s for s in found if isinstance(s, Statement) and s.predicate == Z + "eats"]


@pytest.mark.parametrize(
    ("sentence", "assertion"),
    [
        ("The fox eats mice.", "asserted"),
        ("The fox does not eat mice.", "negated"),
        ("The fox may eat mice.", "speculated"),
        ("Perhaps the fox eats mice.", "speculated"),
        ("The fox seems to eat mice.", "speculated"),
        ("Does the fox eat mice?", "speculated"),
        ("If the fox eats mice, farmers are happy.", "speculated"),
        ("Hunters suspect that the fox eats mice.", "speculated"),
        ("Hunters say that the fox eats mice.", "attributed"),
        ("According to hunters, the fox eats mice.", "attributed"),
        ("The fox is said to eat mice.", "attributed"),
        ("Hunters deny that the fox eats mice.", "negated"),
        ("The fox, which may be shy, eats mice.", "asserted"),
        ("The fox eats mice, but it may sleep.", "asserted"),
    ],
)
def test_how_the_text_stands_to_what_it_says(extractor: TextExtractor, sentence: str, assertion: str) -> None:
    assert [s.assertion for s in eats(extractor, sentence)] == [assertion]


def test_who_says_so_is_among_the_evidence(extractor: TextExtractor) -> None:
    text = "Old hunters say that the fox eats mice."
    (said,) = eats(extractor, text)
    assert said.said_by is not None
    assert said.said_by.label == "old hunter"
    spans = [m.selector for m in said.evidence]
    assert any(getattr(s, "exact", "") == "Old hunters" for s in spans)


def test_what_is_not_vouched_for_stays_out_unless_it_is_let_in(zoo: Vocabulary, extractor: TextExtractor) -> None:
    (maybe,) = eats(extractor, "The fox may eat mice.")
    (denied,) = eats(extractor, "The fox does not eat mice.")

    def rule(gate: Gate, statement: Statement) -> str | None:
        verdict = gate.decide(statement, (), ())
        return verdict and verdict[0]

    assert rule(Gate(zoo), maybe) == "speculated"
    assert rule(Gate(zoo, admit=("speculated",)), maybe) is None
    assert rule(Gate(zoo, admit=("speculated", "attributed")), denied) == "negated"


SAYINGS = st.sampled_from(
    (
        *("The fox", "eats", "mice", ".", "?", "may", "might", "not", "never", "no", "if", "perhaps", "and", "but"),
        *("rather than", "Anna says", "that", "it", "is said to", "deny", "according to her", "likely", "seems"),
        *("without", "except", "unless", "lives in", "forests", "or", "rivers", "which", "hardly", "don't", "cannot"),
    )
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(SAYINGS, min_size=3, max_size=14).map(" ".join))
def test_a_sentence_that_is_plain_says_everything_plainly(text: str) -> None:
    doc = load("auto")(text)
    for sentence in map(Sentence.of, doc.sents):
        if sentence.is_plain:
            ends = [t for t in sentence.tokens if not t.is_space]
            assert all(standing(a, b, c) == PLAIN for a in ends for b in ends for c in (None, ends[0]))
