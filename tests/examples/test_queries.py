"""The five queries of ``examples/queries`` give what a reader of the field guide would answer."""

from pathlib import Path

import pytest

from examples.queries import main, questions
from kgfuse import Workspace
from kgfuse.errors import UsageError


def ask(guide: Workspace, name: str) -> list[dict[str, str]]:
    return list(guide.query(questions([name])[0].sparql))


def articles(folder: Path) -> dict[str, str]:
    return {path.stem: path.read_text(encoding="utf-8") for path in (folder / "articles").glob("*.txt")}


def test_every_query_starts_with_its_question() -> None:
    assert len(questions()) == 5
    assert all(q.question.endswith("?") for q in questions())


def test_an_unknown_question_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="insect-eaters"):
        questions(["insects"])


def test_insect_eaters_are_found_by_the_word_and_by_the_insect(guide: Workspace) -> None:
    rows = {row["animal"]: row for row in ask(guide, "insect-eaters")}
    assert rows["turkey"]["insects"] == "insect"
    assert "forest" in rows["turkey"]["habitats"]
    assert "beetle" in rows["frog"]["insects"]
    assert "owl" not in rows


def test_asian_foods_come_with_their_country_and_ingredients(guide: Workspace) -> None:
    rows = {row["food"]: row for row in ask(guide, "asian-foods")}
    assert rows["sushi"]["country"] == "Japan"
    assert {"rice", "vinegar"} & set(rows["sushi"]["ingredients"].split(", "))
    assert "pizza" not in rows


def test_stated_colours_are_told_from_those_seen(guide: Workspace) -> None:
    rows = ask(guide, "stated-and-seen")
    seen = [row for row in rows if "box" in row]
    assert 0 < len(seen) < len(rows)
    assert all(row["box"].startswith("xywh=") for row in seen)


def test_what_is_said_of_the_owl_stands_in_its_article(guide: Workspace, guide_folder: Path) -> None:
    rows = ask(guide, "what-is-said-of")
    text = articles(guide_folder)["owl"]
    assert {(row["says"], row["what"]) for row in rows} >= {("lives in", "forest"), ("eats", "vole")}
    assert all(text[int(row["start"]) : int(row["end"])] == row["sentence"] for row in rows)


def test_predictions_lead_to_sentences_of_their_item(guide: Workspace, guide_folder: Path) -> None:
    rows = ask(guide, "behind-predictions")
    texts = articles(guide_folder)
    assert {row["item"] for row in rows} >= {"hedgehog", "sparrow", "dumpling"}
    for row in rows:
        assert 0 < float(row["probability"]) <= 1
        assert row["answer"]
        assert texts[row["item"]][int(row["start"]) : int(row["end"])] == row["sentence"]


def test_the_command_names_what_is_no_workspace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "nothing")]) == 1
    assert "not a kgfuse workspace" in capsys.readouterr().err
