"""kgfuse review: listing, deciding by id, from a file, and one key at a time on a terminal."""

from __future__ import annotations

import json
import os
import select
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from kgfuse.cli.reviewing import read_changes
from kgfuse.errors import UsageError
from tests.cli.conftest import ENVIRONMENT, answer, command, run


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "r.kg"
    (tmp_path / "owl.txt").write_text("The owl has feathers. It eats mice and lives in the forest.", encoding="utf-8")
    run("init", folder, "-o", "field-guide", "--set", "extract.extractors=['text']")
    run("add", folder, tmp_path / "owl.txt")
    assert run("build", folder).exit_code == 0
    return folder


def cards(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    found: Any = answer(run("review", folder, "--next", "50", "--json"))["cards"]
    return {(c["property"], c["object"]): c for c in found}


def holds(folder: Path, pattern: str) -> bool:
    result = run("query", folder, f"ASK {{ GRAPH <https://w3id.org/kgfuse/source/owl.txt> {{ {pattern} }} }}", "--json")
    return bool(answer(result)["boolean"])


def test_what_to_look_at_is_listed_with_ids_and_words(built: Path) -> None:
    shown = run("review", built, "--next", "2")
    assert shown.exit_code == 0
    assert shown.stdout.count("It eats mice") == 2
    found = cards(built)
    assert found["eats", "mouse"]["in_graph"] is True
    assert found["eats", "living"]["turned_away"].startswith("confidence:")
    assert found["eats", "mouse"]["words"] == "It eats mice and lives in the forest."


def test_deciding_by_id_brings_the_graph_up_to_date(built: Path) -> None:
    found = cards(built)
    assert holds(built, "?s fg:eats ent:mouse")
    result = run(
        "review", built, "--reject", found["eats", "mouse"]["id"][:7], "--accept", found["has part", "feather"]["id"],
        "--correct", found["eats", "living"]["id"], "p=lives in o=forest", "--by", "Ada", "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    told = answer(result)
    assert (told["decisions"], told["lapsed"]) == (3, 0)
    assert not holds(built, "?s fg:eats ent:mouse")
    assert holds(built, "?s fg:livesIn fg:forest")
    assert run("check", built).exit_code == 0
    listed: Any = answer(run("review", built, "--list", "--json"))["decisions"]
    assert {(d["decision"], d["by"], d["state"]) for d in listed} == {
        (what, "Ada", "holds") for what in ("accepted", "rejected", "corrected")
    }
    assert "owl · eats · living → owl · lives in · forest" in run("review", built, "--list").stdout
    assert run("review", built, "--undo", found["eats", "mouse"]["id"]).exit_code == 0
    assert holds(built, "?s fg:eats ent:mouse")


def test_a_list_that_was_filled_in_is_taken_back(built: Path, tmp_path: Path) -> None:
    found = cards(built)
    lines = [
        {"id": found["eats", "mouse"]["id"], "decision": "reject", "by": "Bo"},
        {**found["eats", "living"], "decision": "correct", "property": "lives in", "object": "forest"},
        {**found["has part", "feather"]},  # nobody filled it in
    ]
    file = tmp_path / "decisions.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    result = run("review", built, "--import", file, "--by", "Ada", "--json")
    assert result.exit_code == 0, result.stderr
    listed: Any = answer(run("review", built, "--list", "--json"))["decisions"]
    assert {(d["decision"], d["by"]) for d in listed} == {("rejected", "Bo"), ("corrected", "Ada")}
    assert holds(built, "?s fg:livesIn fg:forest")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "decisions.jsonl:2: is no object with id and decision"),
        ('{"id": "0000", "decision": "accept"}', "decisions.jsonl:2: no candidate is '0000'"),
        ('{"id": "ID", "decision": "maybe"}', "decisions.jsonl:2: 'maybe' is no decision"),
    ],
)
def test_a_broken_line_is_told_and_nothing_is_decided(built: Path, tmp_path: Path, line: str, told: str) -> None:
    name = cards(built)["eats", "mouse"]["id"]
    file = tmp_path / "decisions.jsonl"
    file.write_text(f'{{"id": "{name}", "decision": "accept"}}\n{line.replace("ID", name)}\n', encoding="utf-8")
    result = run("review", built, "--import", file)
    assert result.exit_code in (1, 2)
    assert told in result.stderr
    assert answer(run("review", built, "--list", "--json"))["decisions"] == []


def test_slips_are_told(built: Path) -> None:
    name = cards(built)["eats", "mouse"]["id"]
    assert "asking needs a terminal" in run("review", built).stderr
    assert "no candidate is 'zzz'" in run("review", built, "--accept", "zzz").stderr
    assert "is decided twice" in run("review", built, "--accept", name, "--reject", name).stderr
    assert "1 correction, but 0 changes" in run("review", built, "--correct", name).stderr
    other = cards(built)["has part", "feather"]["id"]
    half = run("review", built, "--accept", other, "--correct", name, "o=a moon")
    assert "does not stand in the text" in half.stderr
    assert answer(run("review", built, "--list", "--json"))["decisions"] == []


def test_changes_may_be_quoted_or_not() -> None:
    assert read_changes("s=owl p='lives in' o=the forest") == {
        "subject": "owl", "property": "lives in", "object": "the forest"
    }  # fmt: skip
    with pytest.raises(UsageError, match="is no change"):
        read_changes("lives in")


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are of Unix")
def test_one_key_each_on_a_terminal(built: Path) -> None:
    keys = ["n", "u", "x", "e", "\n", "lives in\n", "a moon\n", "e", "\n", "lives in\n", "forest\n", "s", "y", "q"]
    shown, left = _at_a_terminal(command("review", built, "--by", "Ada", "--quiet"), keys)
    assert left == []
    assert "taken back" in shown
    assert "'a moon' does not stand in the text" in shown
    assert "2 decisions made; 2 hold in all" in shown
    listed: Any = answer(run("review", built, "--list", "--json"))["decisions"]
    assert {d["decision"] for d in listed} == {"corrected", "accepted"}


def _at_a_terminal(args: list[str], keys: list[str]) -> tuple[str, list[str]]:
    """Press a key whenever the program waits for one; what it showed, and the keys that it did not ask for."""
    import pty

    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(args[0], args, {**ENVIRONMENT, "COLUMNS": "200", "TERM": "dumb"})
    left, shown, since = list(keys), "", ""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        if left and since.rstrip().endswith((">", "]:")) and not select.select([terminal], [], [], 0.2)[0]:
            os.write(terminal, left.pop(0).encode())
            since = ""
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                read = os.read(terminal, 4096).decode(errors="replace")
            except OSError:  # it left
                break
            if not read:
                break
            shown, since = shown + read, since + read
    os.waitpid(pid, 0)
    return shown, left
