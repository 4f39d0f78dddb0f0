"""The command line in this process (quick) and in one of its own (whole); one small workspace, built once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from kgfuse.cli.main import app

Run = Callable[..., Result]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
for name in ("KGFUSE_WORKSPACE", "KGFUSE_DEBUG", "FORCE_COLOR"):
    ENVIRONMENT.pop(name, None)

BIRDS = ("owl", "heron", "robin", "eagle", "stork", "finch")
TOOLS = ("hammer", "saw", "chisel", "wrench", "drill", "axe")
SPLITS = ("train", "train", "train", "train", "validation", "test")


def run(*args: str | Path, env: dict[str, str] | None = None, stdin: str | None = None) -> Result:
    """A command in this process."""
    variables = {"KGFUSE_WORKSPACE": None, "KGFUSE_DEBUG": None, **(env or {})}
    return CliRunner().invoke(app, [str(a) for a in args], env=variables, input=stdin)


def spawn(*args: str | Path) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own."""
    return subprocess.run(command(*args), env=ENVIRONMENT, capture_output=True, text=True, timeout=120, check=False)


def command(*args: str | Path) -> list[str]:
    return [sys.executable, "-m", "kgfuse.cli.main", *(str(a) for a in args)]


def answer(result: Result | subprocess.CompletedProcess[str]) -> dict[str, object]:
    """The JSON on standard output, which must be all that is there."""
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


@pytest.fixture(autouse=True)
def _wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture(scope="session")
def articles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest of twelve short texts on birds and tools."""
    folder = tmp_path_factory.mktemp("articles")
    rows = []
    for bird, tool, split in zip(BIRDS, TOOLS, SPLITS, strict=True):
        told = f"The {bird} has feathers and a beak. It eats mice. It lives in the forest."
        rows.append({"id": bird, "name": bird, "type": "fg:Thing", "text": told, "label": "fg:Bird", "split": split})
        told = f"The {tool} is made of steel. It is kept in a workshop."
        rows.append({"id": tool, "name": tool, "type": "fg:Thing", "text": told, "label": "fg:Tool", "split": split})
    (folder / "manifest.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    (folder / "notes.txt").write_text("The falcon does not eat grass. It eats voles.", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def workspace(articles: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of those texts, built and trained."""
    folder = tmp_path_factory.mktemp("kept") / "guide.kg"
    for args in (
        ("init", folder, "-o", "field-guide", "--set", "extract.extractors=['text']"),
        ("add", folder, articles),
        ("build", folder),
        ("train", folder, "--target", "fg:Thing", "--runs", "0", "--set", "epochs=3", "--set", "gnn.enabled=false"),
    ):
        result = run(*args)
        assert result.exit_code == 0, result.stderr
    return folder


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A fresh workspace with nothing in it."""
    folder = tmp_path / "empty.kg"
    assert run("init", folder, "-o", "field-guide", "--set", "extract.extractors=['text']").exit_code == 0
    return folder
