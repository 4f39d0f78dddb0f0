"""Training, answers, and the way back from an answer or a triple to what sources say."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from kgfuse import Workspace
from kgfuse.cli.chains import explanation_view, marked
from kgfuse.errors import UsageError
from kgfuse.explain.chain import Change, Check, Evidence, Explanation, Neighbour, Passage, Place
from kgfuse.graph import KnowledgeGraph
from tests.cli.conftest import answer, run

TEXT = "The owl eats mice and insects."


def test_training_shows_every_way_of_reading_and_what_is_noise(workspace: Path) -> None:
    quick = ("--set", "epochs=2", "--set", "gnn.enabled=false", "--set", "kernel.enabled=false")
    result = run("train", workspace, "--target", "fg:Thing", "--runs", "2", *quick, "--name", "second")
    assert result.exit_code == 0, result.stderr
    for row in ("text", "graph", "late fusion", "graph-aware fusion"):
        assert row in result.stdout
    assert re.search(r"\d\.\d{3} ± \d\.\d{3}", result.stdout)
    assert "the noise" in result.stdout
    assert "model second" in result.stdout
    names = [m["name"] for m in answer(run("models", workspace, "--json"))["models"]]  # type: ignore[attr-defined]
    assert names[-1] == "second"
    assert "second" in run("models", workspace).stdout


def test_a_models_page_is_written_and_its_figures_are_told(workspace: Path, tmp_path: Path) -> None:
    names = [m["name"] for m in answer(run("models", workspace, "--json"))["models"]]  # type: ignore[attr-defined]
    page = tmp_path / "model.html"
    result = run("models", workspace, "--model", names[0], "--html", page, "--answers", "1", "--json")
    assert result.exit_code == 0, result.stderr
    found = answer(result)
    assert [m["name"] for m in found["models"]] == names[:1]  # type: ignore[attr-defined]
    assert found["assessment"]["judged_on"] == "test"  # type: ignore[index]
    assert found["assessment"]["targets"][0]["items"] == 2  # type: ignore[index]
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert str(page) in run("models", workspace, "--html", page, "--answers", "0").stderr
    unknown = run("models", workspace, "--model", "nix")
    assert unknown.exit_code == 2
    assert "no model is called 'nix'" in unknown.stderr
    assert run("models", workspace, "--html", page, "--answers", "-1").exit_code == 2
    assert run("models", workspace, "--html", "/dev/null/page.html", "--answers", "0").exit_code == 1


def test_an_unknown_hyper_parameter_names_the_nearest(workspace: Path) -> None:
    result = run("train", workspace, "--set", "epoch=2")
    assert result.exit_code == 2
    assert "epochs" in result.stderr


def test_a_search_tells_each_trial_and_what_came_of_it(workspace: Path, tmp_path: Path) -> None:
    space = tmp_path / "space.toml"
    space.write_text("lr = {low = 1e-3, high = 1e-2, log = true}\nwidth = [16, 32]\n", encoding="utf-8")
    quick = ("--set", "epochs=2", "--set", "gnn.enabled=false", "--set", "kernel.enabled=false", "--runs", "0")
    asked = ("train", workspace, *quick, "--trials", "3", "--search-space", space, "--name", "searched")
    result = run(*asked)
    assert result.exit_code == 0, result.stderr
    told = result.stderr.splitlines()
    assert [line for line in told if line.startswith("default settings: log-loss ")]
    assert [line for line in told if line.startswith("trial 2: ")]
    assert "3 trials" in result.stdout
    assert "default" in result.stdout
    assert "the noise" in result.stdout or "No trial was better" in result.stdout
    chosen = workspace / "models" / "searched" / "settings.toml"
    assert str(chosen) in result.stderr.replace("\n", "")
    found = answer(run(*asked, "--json"))["search"]
    assert [t["number"] for t in found["trials"]] == [0, 1, 2]  # type: ignore[index]
    again = run("train", workspace, "--config", chosen, "--runs", "0", "--name", "by-file", "--json")
    assert again.exit_code == 0, again.stderr
    models = {m["name"]: m for m in answer(run("models", workspace, "--json"))["models"]}  # type: ignore[attr-defined]
    assert models["by-file"]["metrics"] == models["searched"]["metrics"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--search", "soon"), "no span of time"),
        (("--search", "0s"), "more than 0"),
        (("--search-space", "nowhere.toml"), "--search"),
        (("--trials", "2", "--search-space", "nowhere.toml"), "no such search-space file"),
        (("--trials", "0"), "--trials"),
    ],
)
def test_a_search_that_is_asked_for_wrongly_is_a_usage_error(
    workspace: Path, options: tuple[str, ...], said: str
) -> None:
    result = run("train", workspace, *options)
    assert result.exit_code == 2
    assert said in result.stderr


def test_test_items_are_classified_with_probability_and_runner_up(workspace: Path) -> None:
    found = answer(run("classify", workspace, "--top", "2", "--json"))["predictions"]
    assert {p["name"] for p in found} >= {"finch", "axe"}  # type: ignore[attr-defined]
    assert all(0 <= p["probability"] <= 1 and len(p["ranking"]) <= 2 for p in found)  # type: ignore[attr-defined]
    shown = run("classify", workspace).stdout
    assert "runner-up" in shown
    assert "%" in shown
    assert "█" in shown


def test_a_file_is_classified_without_being_added(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "kite.txt").write_text("The kite has feathers and a beak. It eats mice.", encoding="utf-8")
    found = answer(run("classify", workspace, tmp_path / "kite.txt", "--json"))["predictions"]
    assert len(found) == 1  # type: ignore[arg-type]
    assert answer(run("info", workspace, "--json"))["items"]["all"] == 13  # type: ignore[index]


def test_a_stream_of_files_gives_a_line_each_and_tells_what_fails(workspace: Path, tmp_path: Path) -> None:
    for name in ("kite", "hawk"):
        (tmp_path / f"{name}.txt").write_text(f"The {name} has feathers. It eats mice.", encoding="utf-8")
    (tmp_path / "empty.txt").write_bytes(b"")
    result = run("classify", workspace, tmp_path, "--stream", "--top", "1")
    assert result.exit_code == 0, result.stderr
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [Path(line["files"][0]).name for line in lines] == ["hawk.txt", "kite.txt"]
    assert all(0 <= line["probability"] <= 1 and len(line["ranking"]) == 1 for line in lines)
    assert "empty.txt" in result.stderr
    assert run("classify", workspace, "--stream").exit_code == 2


def test_answers_are_held_back_where_the_risk_asked_for_cannot_be_promised(workspace: Path) -> None:
    quick = ("--set", "epochs=2", "--set", "gnn.enabled=false", "--set", "kernel.enabled=false", "--runs", "0")
    made = run("train", workspace, "--target", "fg:Thing", *quick, "--name", "careful", "--set", "risk=0.05")
    assert made.exit_code == 0, made.stderr
    assert "CANNOT be promised" in made.stdout
    shown = run("classify", workspace, "--model", "careful")
    assert "no answer" in shown.stdout
    assert "cannot be promised" in shown.stderr
    found = answer(run("classify", workspace, "--model", "careful", "--json"))["predictions"]
    assert all(p["abstained"] and p["needed"] is None and not p["labels"] for p in found)  # type: ignore[attr-defined]
    told = answer(run("train", workspace, *quick, "--name", "careful", "--set", "risk=0.05", "--json"))["promises"]
    assert next(iter(told.values()))["threshold"] is None  # type: ignore[attr-defined]


def test_an_unknown_model_or_target_is_a_usage_error(workspace: Path) -> None:
    assert run("classify", workspace, "--model", "nope").exit_code == 2
    assert run("classify", workspace, "--target", "fg:Food").exit_code == 2


def test_an_answer_is_led_back_to_sentences_and_tested(workspace: Path) -> None:
    found = answer(run("explain", workspace, "finch", "--json"))
    assert found["name"] == "finch"
    assert found["statements"]
    assert {"before", "without_cited", "without_random", "holds"} <= set(found["check"])  # type: ignore[call-overload]
    result = run("explain", workspace, "finch")
    assert "counterfactual check" in result.stdout
    assert "It eats mice." in result.stdout
    assert found["nearest"]
    assert "most like it, of what the model learned from" in result.stdout
    assert ("without all of this" if found["change"] else "nothing of the evidence") in result.stdout


def test_a_triple_is_proved_down_to_what_sources_say(workspace: Path) -> None:
    found = answer(run("explain", workspace, "item:finch", "rdf:type", "fg:Animal", "--json"))
    assert found["rule"] != "asserted"
    shown = run("explain", workspace, "item:finch", "rdf:type", "fg:Animal").stdout
    assert "item:finch" in shown
    assert "stated by" in shown


def test_a_triple_that_does_not_hold_has_no_proof(workspace: Path) -> None:
    result = run("explain", workspace, "item:finch", "rdf:type", "gen:Colour")
    assert result.exit_code == 1
    assert "does not hold" in result.stderr


def test_python_finds_the_same_proof(workspace: Path) -> None:
    with Workspace.open(workspace, read_only=True) as ws:
        proof = ws.graph.prove("item:finch", "a", "fg:Animal")
        assert proof is not None
        assert proof == ws.prove("item:finch", "rdf:type", "fg:Animal")
        assert ws.graph.prove("item:finch", "a", "gen:Colour") is None
        with pytest.raises(UsageError, match="is no literal"):
            ws.graph.prove("item:finch", "rdfs:label", '"finch')
        with pytest.raises(UsageError, match="knows no rules"):
            KnowledgeGraph(ws.graph.store).prove("item:finch", "a", "fg:Animal")


def test_two_names_are_neither_an_item_nor_a_triple(workspace: Path) -> None:
    assert run("explain", workspace, "finch", "rdf:type").exit_code == 2


def test_cited_characters_are_marked_where_they_stand() -> None:
    line = marked(TEXT, [(8, 12), (13, 17)])
    assert line.plain == f"“{TEXT}”"
    assert [line.plain[s.start : s.end] for s in line.spans if "yellow" in str(s.style)] == ["eats", "mice"]


def test_an_explanation_quotes_sentences_and_names_boxes() -> None:
    words = [Place("owl.txt", "text", 8, 12, "eats", 0, TEXT), Place("owl.txt", "text", 13, 17, "mice", 0, TEXT)]
    box = Place("owl.png", "image", box=(1, 2, 30, 40), sha256="0")
    evidence = Evidence(
        "item:owl",
        "fg:eats",
        "ent:mouse",
        "owl · eats · mouse",
        0.4,
        ("owl · is a · animal",),
        0.9,
        "text",
        "it",
        (*words,),
    )
    check = Check(0.9, 0.3, (0.88, 0.02), 0.85, "tool")
    explanation = Explanation(
        "item:owl", "owl", "bird", "fg:Bird", 0.9, {"text": 0.5, "graph": 0.3}, (evidence,),
        (Passage(box, 0.1), Passage(replace(box, box=(5, 6, 7, 8)), -0.2)), check,
        Change(("owl · eats · mouse", "“It hoots.”"), "tool", smallest=False),
        (Neighbour("item:wren", "wren", ("bird",), 0.75, {"text": 0.8}),),
    )  # fmt: skip
    console = Console(width=160, record=True, quiet=False, file=None, force_terminal=False)
    with console.capture() as captured:
        console.print(explanation_view(explanation))
    shown = captured.get()
    assert f"“{TEXT}”" in shown
    assert "owl.txt:8–12, 13–17" in shown
    assert "owl.png box 1,2 30×40 px" in shown
    assert "what is cited matters" in shown
    assert "→ tool" in shown
    against = shown[shown.index("speaks against") :]
    assert "-0.200  owl.png box 5,6 7×8 px" in against
    assert "the answer is tool; fewer may do" in against
    assert "“It hoots.”" in against
    assert "0.75  wren → bird  (text 0.80)" in against
