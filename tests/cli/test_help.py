"""What a newcomer meets first: help with examples, the version, quick start-up, and shell completion."""

from __future__ import annotations

import subprocess
import sys

import pytest

import kgfuse
from tests.cli.conftest import ENVIRONMENT, command, run

COMMANDS = (
    *("demo", "init", "add", "build", "query", "train", "models", "classify", "explain", "remove", "export", "serve"),
    *("extract", "review", "info", "problems"),
    *("ontologies list", "ontologies show", "ontologies check", "ontologies new"),
)
HEAVY = ("torch", "spacy", "transformers", "pandas", "matplotlib", "rdflib", "sqlalchemy", "pyoxigraph", "numpy")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_an_example(name: str) -> None:
    result = run(*name.split(), "--help")
    assert result.exit_code == 0
    assert f"kgfuse {name}" in result.stdout.partition("Example")[2]
    assert "--json" in result.stdout


@pytest.mark.parametrize("name", ["init", "add", "build", "review", "query", "train", "classify", "explain", "serve"])
def test_the_workspace_always_comes_first(name: str) -> None:
    usage = run(name, "--help").stdout.partition("Usage:")[2].partition("\n")[0]
    words = [word.strip("{}[].") for word in usage.split()]
    assert words[: words.index("WORKSPACE") + 1] == ["kgfuse", name, "OPTIONS", "WORKSPACE"] or (
        words[words.index(name) + 1 : words.index("WORKSPACE")] == ["OPTIONS"]
    )


def test_help_lists_every_command() -> None:
    shown = run("--help").stdout
    assert all(name.split()[0] in shown for name in COMMANDS)


def test_version() -> None:
    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, f"kgfuse {kgfuse.__version__}\n")


def test_a_misspelt_command_is_a_usage_error_that_names_the_nearest() -> None:
    result = run("buidl")
    assert result.exit_code == 2
    assert "build" in result.stderr


def test_help_loads_no_heavy_library() -> None:
    code = (
        "import sys; from kgfuse.cli.main import app; app(['--help'], standalone_mode=False); "
        f"print('LOADED', [m for m in {HEAVY!r} if m in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=True
    )
    assert ran.stdout.splitlines()[-1] == "LOADED []"


def test_shell_completion_offers_commands_and_packs() -> None:
    env = {**ENVIRONMENT, "_KGFUSE_COMPLETE": "complete_bash", "COMP_WORDS": "kgfuse ", "COMP_CWORD": "1"}
    ran = subprocess.run(command(), env=env, capture_output=True, text=True, timeout=60, check=False)
    assert {"init", "add", "build", "query", "ontologies"} <= set(ran.stdout.split())
    env |= {"COMP_WORDS": "kgfuse ontologies show re", "COMP_CWORD": "3"}
    ran = subprocess.run(command(), env=env, capture_output=True, text=True, timeout=60, check=False)
    assert ran.stdout.split() == ["retail"]
