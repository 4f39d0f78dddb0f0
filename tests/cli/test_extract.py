"""kgfuse extract: a table, JSON Lines or a page, from files or standard input, without a workspace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import run

TEXT = "The saw is made of steel. It is used for cutting wood. The owl does not eat grass."


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "saw.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_a_table_tells_what_is_stated_and_where(text: Path) -> None:
    result = run("extract", "-o", "field-guide", text)
    assert result.exit_code == 0, result.stderr
    assert ["saw", "made", "of", "steel", "0.90", "4–24"] in [line.split() for line in result.stdout.splitlines()]
    assert "--rejected lists why" in result.stderr
    assert "the text denies it" in run("extract", "-o", "field-guide", text, "--rejected").stdout


def test_json_lines_from_files_and_standard_input(text: Path, tmp_path: Path) -> None:
    result = run("extract", "-o", "field-guide", text, "-", "--json", stdin="The fork is made of steel.")
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [r["name"] for r in records] == [text.as_posix(), "stdin"]
    saw, fork = records
    assert saw["text"] == TEXT
    (made, *_) = saw["statements"]
    assert made["object"] == {
        "iri": "https://w3id.org/kgfuse/general#Steel", "label": "steel", "start": 19, "end": 24, "exact": "steel"
    }  # fmt: skip
    assert made["evidence"][0] == {"start": 0, "end": 25, "exact": "The saw is made of steel."}
    assert [s["property"]["label"] for s in fork["statements"]] == ["made of"]
    assert {r["rule"] for r in saw["rejected"]} == {"negated"}
    assert not list(tmp_path.glob("*.kg"))


def test_an_owl_file_is_enough(tmp_path: Path) -> None:
    (tmp_path / "tools.ttl").write_text(
        "@prefix t: <http://example.org/t#> . @prefix owl: <http://www.w3.org/2002/07/owl#> ."
        "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . t:Tool a owl:Class ; rdfs:label 'tool' ."
        "t:cuts a owl:ObjectProperty ; rdfs:label 'cuts' ; rdfs:domain t:Tool .",
        encoding="utf-8",
    )
    result = run("extract", "-o", tmp_path / "tools.ttl", "-", "--json", stdin="The old saw cuts thick boards.")
    (record,) = [json.loads(line) for line in result.stdout.splitlines()]
    assert [s["property"]["iri"] for s in record["statements"]] == ["http://example.org/t#cuts"]


def test_a_folder_stands_for_its_texts_and_a_bad_file_stops_nothing(tmp_path: Path, text: Path) -> None:
    (tmp_path / "bad.txt").write_bytes(b"\xff\xfe\xfa\xfb no text")
    (tmp_path / "cp.txt").write_bytes("The café is made of steel.".encode("cp1252"))
    result = run("extract", "-o", "field-guide", tmp_path)
    assert result.exit_code == 0
    assert "saw" in result.stdout
    assert "cp.txt:1: not valid UTF-8" in result.stderr
    alone = run("extract", "-o", "field-guide", tmp_path / "cp.txt")
    assert alone.exit_code == 1
    assert run("extract", "-o", "field-guide", tmp_path / "cp.txt", "--encoding", "cp1252").exit_code == 0


def test_a_text_in_a_language_without_a_model_is_told_and_not_read(tmp_path: Path, text: Path) -> None:
    french = tmp_path / "fr.txt"
    french.write_text("Le marteau est un outil fait d'acier et de bois que les menuisiers utilisent pour les clous.")
    alone = run("extract", "-o", "field-guide", french)
    assert alone.exit_code == 1
    assert "fr.txt: is in French, for which there is no model; say --language" in alone.stderr
    both = run("extract", "-o", "field-guide", french, text, "--json", "--workers", "2")
    assert both.exit_code == 0
    assert "is in French" in both.stderr
    assert [bool(json.loads(line).get("statements")) for line in both.stdout.splitlines()] == [False, True]
    assert run("extract", "-o", "field-guide", french, "--language", "en").exit_code == 0


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("x.txt",), "no ontology is given"),
        (("-o", "field-guide"), "FILE is missing"),
        (("-o", "field-guide", "x.txt"), "no such file or folder"),
        (("-o", "field-guid", "-"), "did you mean 'field-guide'?"),
        (("-o", "field-guide", "-", "--set", "extract.txt.model=x"), "there is no setting"),
        (("-o", "field-guide", "-", "--set", "extract.text.chunk=1"), "extract.text.chunk"),
    ],
)
def test_slips_are_told_with_a_remedy(args: tuple[str, ...], told: str) -> None:
    result = run("extract", *args, stdin="x")
    assert result.exit_code in (1, 2)
    assert told in result.stderr


def test_a_page_is_written(text: Path, tmp_path: Path) -> None:
    page = tmp_path / "out" / "saw.html"
    result = run("extract", "-o", "field-guide", text, "--html", page, "--json")
    assert result.exit_code == 0, result.stderr
    assert len(result.stdout.splitlines()) == 1
    assert "<mark" in page.read_text(encoding="utf-8")
