"""SPARQL from an argument, a file or standard input, in every format."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import ENVIRONMENT, answer, command, run

EATERS = "SELECT ?who { ?who fg:eats ?food } ORDER BY ?who LIMIT 2"
GRAPH = "CONSTRUCT { ?s fg:eats ?o } { ?s fg:eats ?o }"


def test_a_table_for_people(workspace: Path) -> None:
    result = run("query", workspace, EATERS)
    assert "item:eagle" in result.stdout
    assert "2 rows" in result.stderr


def test_a_query_from_a_file_and_from_standard_input(workspace: Path, tmp_path: Path) -> None:
    file = tmp_path / "question.rq"
    file.write_text(EATERS, encoding="utf-8")
    told = run("query", workspace, EATERS, "--format", "csv").stdout
    assert run("query", workspace, file, "--format", "csv").stdout == told
    assert run("query", workspace, "-", "--format", "csv", stdin=EATERS).stdout == told
    assert len(list(csv.DictReader(io.StringIO(told)))) == 2


@pytest.mark.parametrize("name", ["json", "csv", "tsv", "xml"])
def test_rows_in_every_format(workspace: Path, name: str) -> None:
    result = run("query", workspace, EATERS, "--format", name)
    assert result.exit_code == 0
    assert "eagle" in result.stdout


@pytest.mark.parametrize("name", ["turtle", "ntriples", "jsonld", "rdfxml"])
def test_graphs_in_every_format(workspace: Path, name: str) -> None:
    result = run("query", workspace, GRAPH, "--format", name)
    assert result.exit_code == 0
    assert "eats" in result.stdout


def test_json_of_a_graph_is_json_ld(workspace: Path) -> None:
    assert json.loads(run("query", workspace, GRAPH, "--json").stdout)


def test_json_of_rows_follows_the_standard(workspace: Path) -> None:
    found = answer(run("query", workspace, EATERS, "--json"))
    assert found["head"] == {"vars": ["who"]}


def test_a_format_that_does_not_fit_is_a_usage_error(workspace: Path) -> None:
    assert run("query", workspace, GRAPH, "--format", "csv").exit_code == 2
    assert run("query", workspace, EATERS, "--format", "turtle").exit_code == 2


def test_a_broken_query_shows_where(workspace: Path) -> None:
    result = run("query", workspace, "SELECT * {", "--json")
    assert result.exit_code == 1
    assert answer(result)["error"]["type"] == "QueryError"  # type: ignore[index]
    assert "query:1" in result.stderr


def test_a_query_file_that_is_missing(workspace: Path) -> None:
    result = run("query", workspace, "missing.rq")
    assert result.exit_code == 2
    assert "no such file" in result.stderr


def test_a_reader_that_leaves_early_is_no_error(workspace: Path) -> None:
    every = command("query", workspace, "SELECT * { ?s ?p ?o }", "--format", "csv")
    with subprocess.Popen(every, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode in (0, 141)
