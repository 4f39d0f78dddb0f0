"""Packs from the command line: what is there, what is in one, what is wrong with one, a new one."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import answer, run


def test_shipped_packs_are_listed() -> None:
    found = answer(run("ontologies", "list", "--json"))["ontologies"]
    assert {"general", "field-guide", "retail"} <= {pack["name"] for pack in found}  # type: ignore[attr-defined]
    assert "retail" in run("ontologies", "list").stdout


def test_a_pack_is_shown_as_a_tree_with_its_properties() -> None:
    shown = run("ontologies", "show", "field-guide").stdout
    lines = shown.splitlines()
    depth = {name: next(line.index(name) for line in lines if name in line) for name in ("fg:Animal", "fg:Bird")}
    assert depth["fg:Bird"] > depth["fg:Animal"]
    assert "fg:eats" in shown
    assert "gen:Place" not in [line.strip("│├└─ ").split(" ")[0] for line in lines if "──" in line]
    found = answer(run("ontologies", "show", "field-guide", "--all", "--json"))
    assert "gen:Place" in {c["name"] for c in found["classes"]}  # type: ignore[attr-defined]


def test_a_new_pack_passes_check_and_makes_a_workspace(tmp_path: Path) -> None:
    folder = tmp_path / "smart-home"
    assert run("ontologies", "new", "smart-home", "--folder", folder).exit_code == 0
    assert answer(run("ontologies", "check", folder, "--json")) == {"findings": [], "errors": 0}
    assert "smart-home" in run("init", tmp_path / "home.kg", "-o", folder).stdout


def test_check_tells_file_and_line_and_fails(tmp_path: Path) -> None:
    folder = tmp_path / "pack"
    run("ontologies", "new", "pack", "--folder", folder)
    with (folder / "ontology.ttl").open("a", encoding="utf-8") as f:
        f.write("\npack:broken a owl:Class ;\n")
    result = run("ontologies", "check", folder)
    assert result.exit_code == 1
    assert "ontology.ttl:" in result.stdout
    assert "error:" in result.stdout


def test_check_takes_a_registered_name() -> None:
    assert run("ontologies", "check", "general").exit_code == 0


def test_a_pack_that_is_not_there() -> None:
    assert run("ontologies", "show", "retial").exit_code == 1
    assert run("ontologies", "check", "no/such/pack").exit_code == 1
    assert run("ontologies", "new", "not a name").exit_code == 2
