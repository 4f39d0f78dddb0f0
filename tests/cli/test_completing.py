"""``kgfuse complete``: proposals as data, the judgement beside them, and what is no question."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import answer, run
from tests.workspace.test_completing import ONTOLOGY, X, towns


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("towns")
    (place / "towns.ttl").write_text(ONTOLOGY, encoding="utf-8")
    (place / "said.ttl").write_text(towns(), encoding="utf-8")
    for args in (
        ("init", place / "t.kg", "-o", place / "towns.ttl"),
        ("add", place / "t.kg", place / "said.ttl"),
        ("build", place / "t.kg"),
    ):
        result = run(*args)
        assert result.exit_code == 0, result.stderr
    return place / "t.kg"


def test_proposals_are_data_and_the_judgement_a_note(town: Path) -> None:
    result = run("complete", town, X + "p2", X + "speaks", "--top", "3")
    assert result.exit_code == 0, result.stderr
    assert "tongue 2" in result.stdout
    assert "→" in result.stdout
    assert "held out" in result.stderr
    assert "none of them a fact" in result.stderr
    found = answer(run("complete", town, X + "p2", X + "speaks", "--json", "--quiet"))
    assert found["proposals"][0]["iri"] == X + "tongue2"
    assert found["judged"]["better"] is True
    assert found["subject"] == X + "p2"


def test_subjects_are_asked_for_with_a_question_mark(town: Path) -> None:
    found = answer(run("complete", town, "?", X + "speaks", X + "tongue3", "--paths", "0", "--json"))
    assert found["proposals"][0]["iri"] == X + "p3"
    assert found["proposals"][0]["paths"] == []
    same = answer(run("complete", town, X + "p2", X + "speaks", "?", "--json"))
    assert same["proposals"][0]["iri"] == X + "tongue2"


@pytest.mark.parametrize("ends", [(), ("a",), ("a", "b", "c"), ("?", "b"), ("?", "b", "?"), ("a", "b", "c", "d")])
def test_what_is_no_question_is_a_usage_error(town: Path, ends: tuple[str, ...]) -> None:
    result = run("complete", town, *ends)
    assert result.exit_code == 2
    assert "error" in result.stderr
