"""From files to a graph and back, through the commands alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.cli.conftest import answer, run, spawn


def test_init_tells_what_the_packs_bring(tmp_path: Path) -> None:
    result = run("init", tmp_path / "a.kg", "-o", "retail", "-o", "field-guide", "--json")
    found = answer(result)
    assert found["ontologies"] == ["general", "retail", "field-guide"]
    assert (tmp_path / "a.kg" / "kgfuse.toml").exists()


def test_init_keeps_settings(tmp_path: Path) -> None:
    assert run("init", tmp_path / "a.kg", "--set", "neighbours.k=3", "--set", "extract.image.ocr=off").exit_code == 0
    text = (tmp_path / "a.kg" / "kgfuse.toml").read_text(encoding="utf-8")
    assert "k = 3" in text
    assert 'ocr = "off"' in text


def test_add_counts_what_is_new_and_what_is_not(empty: Path, articles: Path) -> None:
    assert "14 added, 0 changed, 0 unchanged" in run("add", empty, articles).stdout
    found = answer(run("add", empty, articles, "--json"))
    assert (found["added"], found["changed"], found["problems"]) == (0, 0, [])
    assert found["unchanged"] == 14


def test_one_bad_file_stops_nothing_and_is_told(empty: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "good.txt").write_text("The owl eats mice.", encoding="utf-8")
    (tmp_path / "in" / "empty.txt").touch()
    result = run("add", empty, tmp_path / "in")
    assert result.exit_code == 0
    assert "1 added" in result.stdout
    assert "problem:" in result.stderr
    assert "empty.txt: is empty" in result.stderr
    problems = answer(run("problems", empty, "--json"))["problems"]
    assert [p["place"] for p in problems] == ["in/empty.txt"]  # type: ignore[attr-defined]


def test_nothing_usable_is_a_failure(empty: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    assert run("add", empty, tmp_path / "empty.txt").exit_code == 1


def test_a_build_reports_counts_and_is_not_done_twice(workspace: Path) -> None:
    found = answer(run("build", workspace, "--json"))
    assert found["unchanged"] is True
    assert found["extracted"] == 0
    assert (found["sources"], found["items"]) == (14, 13)
    assert "nothing changed" in run("build", workspace).stdout


def test_what_the_gate_turned_away_is_listed_with_rule_and_reason(workspace: Path) -> None:
    found = answer(run("build", workspace, "--rejected", "--json"))
    rejected = found["rejected_statements"]
    assert isinstance(rejected, list)
    assert len(rejected) == found["rejected"]
    denied = [r for r in rejected if r["rule"] == "negated"]
    assert denied
    assert all(r["reason"] for r in rejected)
    shown = run("build", workspace, "--rejected").stdout
    assert "negated" in shown
    assert "notes.txt" in shown


def test_info_counts_sources_items_triples_and_models(workspace: Path) -> None:
    found = answer(run("info", workspace, "--json"))
    assert found["sources"] == {"manifest": 1, "text": 13}
    assert found["items"] == {"all": 13, "labelled": 12, "test": 2, "train": 8, "unassigned": 1, "validation": 2}
    assert str(found["models"][0]).startswith("thing-")  # type: ignore[index]
    assert found["preprocessing"]["image"][1] == {"step": "resize", "version": 1, "longest": 1600}
    shown = run("info", workspace).stdout
    assert "Triples" in shown
    assert "orient, resize (longest 1600)" in shown


def test_remove_takes_a_source_with_what_it_said(workspace: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.kg"
    shutil.copytree(workspace, copy)
    notes = next(name for name in _sources(copy) if name.endswith("notes.txt"))
    assert answer(run("remove", copy, notes, "--json"))["sources"] == 1
    asked = run("query", copy, "ASK { ?s kgf:fileName ?n FILTER(CONTAINS(?n, 'notes')) }", "--json")
    assert answer(asked) == {"head": {}, "boolean": False}


def test_remove_of_an_unknown_source_names_the_nearest(workspace: Path) -> None:
    result = run("remove", workspace, "note.txt")
    assert result.exit_code == 2
    assert "notes.txt" in result.stderr


def test_export_writes_the_format_that_the_name_tells(workspace: Path, tmp_path: Path) -> None:
    found = answer(run("export", workspace, tmp_path / "graph.ttl", "--json"))
    assert Path(str(found["file"])).read_text(encoding="utf-8").startswith("@prefix")
    assert run("export", workspace, tmp_path / "graph.xyz").exit_code == 2
    assert not (tmp_path / "graph.xyz").exists()


def test_the_workspace_may_come_from_the_environment(workspace: Path, articles: Path, empty: Path) -> None:
    here = {"KGFUSE_WORKSPACE": str(workspace)}
    assert answer(run("info", "--json", env=here))["workspace"] == str(workspace)
    asked = run("query", "ASK { ?s ?p ?o }", "--json", env=here)
    assert answer(asked)["boolean"] is True
    named = run("add", empty, articles / "notes.txt", "--json", env=here)
    assert answer(named)["added"] == 1, "a workspace that is named wins"


def test_json_is_all_there_is_on_standard_output(workspace: Path) -> None:
    result = spawn("info", workspace, "--json")
    assert result.stdout.startswith("{")
    assert json.loads(result.stdout)["workspace"] == str(workspace)


def test_quiet_says_nothing_on_standard_error(workspace: Path) -> None:
    assert run("build", workspace, "--quiet").stderr == ""
    assert run("--quiet", "build", workspace).stderr == "", "before the command too"


def _sources(folder: Path) -> list[str]:
    from kgfuse.workspace import Workspace

    with Workspace.open(folder) as ws:
        return [source.name for source in ws.sources()]
