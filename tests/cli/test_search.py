"""Search by words, and across modalities."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from tests.cli.conftest import answer, run


def test_words_are_found_with_their_place(workspace: Path) -> None:
    found = answer(run("search", workspace, "feathers", "--kind", "text", "--json"))["hits"]
    assert isinstance(found, list)
    assert len(found) == 6


def test_a_text_finds_items_that_mean_it(workspace: Path) -> None:
    result = run("search", workspace, "--text", "an implement for the workshop", "--limit", "6", "--json")
    assert result.exit_code == 0, result.stderr
    hits = answer(result)["hits"]
    assert isinstance(hits, list)
    assert {hit["label"] for hit in hits} == {"hammer", "saw", "chisel", "wrench", "drill", "axe"}
    assert all(hit["sources"]["text"] for hit in hits)
    assert "hammer" in run("search", workspace, "--text", "an implement for the workshop").stdout


def test_a_picture_that_is_none_is_refused(workspace: Path, articles: Path) -> None:
    result = run("search", workspace, "--image", articles / "notes.txt", "--json")
    assert result.exit_code == 1
    assert answer(result)["error"]["type"] == "SourceError"  # type: ignore[index]
    assert "not a picture" in result.stderr


def test_a_picture_is_looked_for(workspace: Path, tmp_path: Path) -> None:
    Image.new("RGB", (64, 64), "red").save(tmp_path / "red.png")
    result = run("search", workspace, "--image", tmp_path / "red.png", "--in", "text", "--json")
    assert result.exit_code == 0, result.stderr
    hits = answer(result)["hits"]
    assert isinstance(hits, list)
    assert {hit["methods"]["text"] for hit in hits} == {"words"}
    assert "compared by words" in run("search", workspace, "--image", tmp_path / "red.png").stderr


def test_words_and_meaning_do_not_mix(workspace: Path) -> None:
    assert run("search", workspace, "owl", "--text", "a bird").exit_code == 2
    assert run("search", workspace, "owl", "--in", "text").exit_code == 2
    assert run("search", workspace, "--text", "a bird", "--kind", "text").exit_code == 2
    assert run("search", workspace).exit_code == 2
