"""The gate turns away what contradicts the ontology, and says why in words."""

from __future__ import annotations

import pytest

from kgfuse.extract.gating.gate import Gate
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.mentions import Mention, Statement, TextSpan, Value
from kgfuse.terms.namespaces import OWL, RDF, XSD
from tests.extract.conftest import Z


def mention(label: str) -> Mention:
    return Mention("s", TextSpan(0, len(label), label), label, "test")


def statement(predicate: str, object_: Mention | Value | str, **more: object) -> Statement:
    subject = mention("fox")
    return Statement(subject, predicate, object_, (subject,), "test", 0.9, "test", "s", **more)  # type: ignore[arg-type]


CASES = [
    (Z + "eats", (), (), None),
    (Z + "eats", ("Bird",), ("Food",), None),
    (Z + "eats", ("Place",), ("Food",), "domain"),
    (Z + "eats", ("Mammal",), ("Habitat",), "range"),
    (Z + "livesIn", ("Mammal",), ("Part",), None),
    ("http://example.org/nowhere", (), (), "unknown"),
]


@pytest.mark.parametrize(("predicate", "subject", "object_", "rule"), CASES)
def test_types_decide(
    zoo: Vocabulary, predicate: str, subject: tuple[str, ...], object_: tuple[str, ...], rule: str | None
) -> None:
    verdict = Gate(zoo).decide(
        statement(predicate, mention("mouse")), [Z + t for t in subject], [Z + t for t in object_]
    )
    assert (verdict and verdict[0]) == rule


def test_the_reason_names_classes_by_their_labels(zoo: Vocabulary) -> None:
    verdict = Gate(zoo).decide(statement(Z + "eats", mention("river")), [Z + "Mammal"], [Z + "Habitat"])
    assert verdict == ("range", "“river” is a habitat, but the object of “eats” is a food")


def test_a_type_must_not_be_disjoint_with_those_known(zoo: Vocabulary) -> None:
    gate = Gate(zoo)
    assert gate.decide(statement(RDF + "type", Z + "Bird"), [Z + "Animal"], [OWL + "Class"]) is None
    verdict = gate.decide(statement(RDF + "type", Z + "Bird"), [Z + "Mammal"], [OWL + "Class"])
    assert verdict is not None
    assert verdict[0] == "disjoint"


def test_literals_and_things_keep_to_their_places(zoo: Vocabulary) -> None:
    gate = Gate(zoo)

    def rule(predicate: str, object_: Mention | Value) -> str | None:
        verdict = gate.decide(statement(predicate, object_), [], [])
        return verdict and verdict[0]

    assert rule(Z + "legs", Value("4", XSD + "integer")) is None
    assert rule(Z + "legs", Value("four", XSD + "integer")) == "literal"
    assert rule(Z + "legs", Value("1758", XSD + "gYear")) == "literal"
    assert rule(Z + "legs", mention("four")) == "literal"
    assert rule(Z + "eats", Value("4", XSD + "integer")) == "literal"


def test_what_is_denied_or_doubtful_stays_out(zoo: Vocabulary) -> None:
    denied = Gate(zoo).decide(statement(Z + "eats", mention("seed"), assertion="negated"), [], [])
    doubtful = Gate(zoo, 0.95).decide(statement(Z + "eats", mention("seed")), [], [])
    assert (denied and denied[0], doubtful and doubtful[0]) == ("negated", "confidence")


def test_a_class_is_wanted_where_the_range_is_classes(zoo: Vocabulary) -> None:
    gate = Gate(zoo)
    assert gate.decide(statement(Z + "kind", Z + "Mammal"), [], [OWL + "Class"]) is None
    verdict = gate.decide(statement(Z + "kind", mention("mouse")), [], [Z + "Food"])
    assert verdict is not None
    assert verdict[0] == "range"
