"""``kgfuse check`` says what it looked at, and fails where something is without provenance."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyoxigraph as ox

from kgfuse.graph.store import GraphStore
from tests.cli.conftest import answer, run

X = ox.NamedNode("https://example.org/x")
RULES = """@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix fg: <https://w3id.org/kgfuse/field-guide#> .
<urn:x:Rule> a sh:NodeShape ; sh:targetSubjectsOf fg:eats ; sh:property [ sh:path fg:owner ; sh:minCount 1 ] .
"""


def test_a_healthy_workspace_passes(workspace: Path) -> None:
    result = run("check", workspace, "--json")
    assert result.exit_code == 0, result.stderr
    told = answer(result)
    assert told["findings"] == []
    assert told["checked"]["mentions"] > 0
    assert "complete" in run("check", workspace).stderr


def test_a_triple_that_nobody_says_fails_the_check(workspace: Path, tmp_path: Path) -> None:
    place = tmp_path / "ws"
    shutil.copytree(workspace, place)
    store = GraphStore(place / "graph")
    store.raw.add(ox.Quad(X, X, X))
    store.close()
    shutil.rmtree(place / "published")
    result = run("check", place)
    assert result.exit_code == 1
    assert "default graph" in result.stdout
    assert "https://example.org/x" in result.stdout


def test_rules_of_ones_own_fail_it_only_when_asked(workspace: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.ttl"
    rules.write_text(RULES, encoding="utf-8")
    assert run("check", workspace, "--shapes", rules).exit_code == 0
    assert run("check", workspace, "--shapes", rules, "--strict").exit_code == 1
    rules.write_text(RULES + "[", encoding="utf-8")
    broken = run("check", workspace, "--shapes", rules)
    assert broken.exit_code == 1
    assert "rules.ttl" in broken.stderr
