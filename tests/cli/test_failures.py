"""What goes wrong is told in one line that says what, where and what to do; the exit code tells which kind it was."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from kgfuse.cli.command import command as register
from kgfuse.cli.output import Output
from kgfuse.errors import WorkspaceError
from tests.cli.conftest import ENVIRONMENT, answer, command, run, spawn

MANY = 120


@pytest.mark.parametrize(
    "args", [("add", "."), ("build",), ("info",), ("query", "ASK {}"), ("train",), ("classify",), ("serve",)]
)
def test_a_folder_that_is_no_workspace(tmp_path: Path, args: tuple[str, ...]) -> None:
    name, *rest = args
    result = run(name, tmp_path / "nowhere.kg", *rest)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "not a kgfuse workspace (make one: kgfuse init" in result.stderr
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1


def test_the_error_is_an_object_with_json(tmp_path: Path) -> None:
    error = answer(run("info", tmp_path, "--json"))["error"]
    assert error["type"] == "WorkspaceError"  # type: ignore[index]
    assert error["where"] == str(tmp_path)  # type: ignore[index]
    assert error["remedy"]  # type: ignore[index]


def test_an_unknown_ontology_names_the_nearest_and_makes_nothing(tmp_path: Path) -> None:
    result = run("init", tmp_path / "a.kg", "-o", "retial")
    assert result.exit_code == 1
    assert "did you mean 'retail'?" in result.stderr
    assert not (tmp_path / "a.kg").exists()


def test_a_broken_ontology_is_told_with_its_line(tmp_path: Path) -> None:
    pack = tmp_path / "broken.ttl"
    pack.write_text(
        "@prefix owl: <http://www.w3.org/2002/07/owl#> .\n<http://x> a owl:Class\n<http://y> a .\n", "utf-8"
    )
    result = run("init", tmp_path / "a.kg", "-o", pack)
    assert result.exit_code == 1
    assert "broken.ttl:" in result.stderr
    assert not (tmp_path / "a.kg").exists()


def test_init_leaves_a_folder_alone_that_holds_something(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep", encoding="utf-8")
    result = run("init", tmp_path)
    assert result.exit_code == 1
    assert "not an empty folder" in result.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_init_twice(empty: Path) -> None:
    result = run("init", empty)
    assert result.exit_code == 1
    assert "workspace already" in result.stderr


@pytest.mark.parametrize(
    ("setting", "told"), [("neighbour.k=3", "neighbours.k"), ("k", "key=value"), ("neighbours.k=many", "neighbours.k")]
)
def test_a_bad_setting(tmp_path: Path, setting: str, told: str) -> None:
    result = run("init", tmp_path / "a.kg", "--set", setting)
    assert result.exit_code in (1, 2)
    assert told in result.stderr
    assert not (tmp_path / "a.kg").exists()


def test_a_path_that_is_missing(empty: Path) -> None:
    result = run("add", empty, "no/such/file.txt")
    assert result.exit_code == 1
    assert "no such file" in result.stderr


def test_nothing_named_to_add(empty: Path) -> None:
    result = run("add", empty)
    assert result.exit_code == 2
    assert "PATH is missing" in result.stderr


@pytest.mark.parametrize("file", ["kgfuse.toml", "catalog.sqlite"])
def test_a_damaged_workspace(empty: Path, file: str) -> None:
    for journal in empty.glob("catalog.sqlite-*"):
        journal.unlink()
    (empty / file).write_bytes(b"\x00garbage[[[" * 500)
    result = run("info", empty)
    assert result.exit_code == 1
    assert file in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_workspace_that_another_process_has_open(empty: Path) -> None:
    from kgfuse.workspace import Workspace

    with Workspace.open(empty):
        result = spawn("info", empty)
    assert result.returncode == 1
    assert "another process" in result.stderr


def test_train_before_there_is_anything_to_learn(empty: Path) -> None:
    assert run("train", empty).exit_code in (1, 2)
    assert run("classify", empty).exit_code == 2


def test_a_bug_is_one_line_and_a_traceback_only_on_demand() -> None:
    app = typer.Typer()

    @register(app, "break", "kgfuse break")
    def _break(out: Output) -> None:
        """Fail."""
        raise ValueError("two\nlines")

    told = CliRunner().invoke(app, [])
    assert told.exit_code == 1
    assert told.stderr == "error: ValueError: two lines (this is a bug; --debug shows where)\n"
    assert "Traceback" in CliRunner().invoke(app, ["--debug"]).stderr
    assert "Traceback" in CliRunner().invoke(app, [], env={"KGFUSE_DEBUG": "1"}).stderr
    assert json.loads(CliRunner().invoke(app, ["--json"]).stdout)["error"]["type"] == "ValueError"


def test_markup_in_a_message_is_shown_as_it_is() -> None:
    app = typer.Typer()

    @register(app, "break", "kgfuse break")
    def _break(out: Output) -> None:
        """Fail."""
        raise WorkspaceError("odd [bold]name[/x]", where="a[1].txt")

    assert CliRunner().invoke(app, []).stderr == "error: a[1].txt: odd [bold]name[/x]\n"


def test_a_full_disk_is_told_as_such() -> None:
    app = typer.Typer()

    @register(app, "break", "kgfuse break")
    def _break(out: Output) -> None:
        """Fail."""
        Path("/dev/full").write_bytes(b"x" * 100_000)

    result = CliRunner().invoke(app, [])
    assert result.exit_code == 1
    assert "No space left" in result.stderr
    assert "free some space" in result.stderr


def test_ctrl_c_keeps_a_workspace_that_resumes(tmp_path: Path) -> None:
    folder, many = tmp_path / "many.kg", tmp_path / "many"
    many.mkdir()
    for n in range(MANY):
        (many / f"{n}.txt").write_text(f"Number {n} was quite as slow as this. It went on and on.\n" * 4, "utf-8")
    light = ("--set", "extract.extractors=['text']", "--set", "validate_shapes=false")
    assert run("init", folder, *light).exit_code == 0
    assert run("add", folder, many).exit_code == 0
    with subprocess.Popen(
        command("build", folder),
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a job in the background inherits "ignored"
    ) as process:
        _wait_for_an_extraction(folder, process)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert stdout == ""
    assert "interrupted" in stderr
    assert "Traceback" not in stderr
    resumed = spawn("build", folder, "--json")
    found = answer(resumed)
    assert "Reading texts" in resumed.stderr, "one line a stage where standard error is no terminal"
    assert found["sources"] == MANY
    assert 0 < int(str(found["extracted"])) < MANY, "what was done before is not done again"


def _wait_for_an_extraction(folder: Path, process: subprocess.Popen[str]) -> None:
    import sqlite3
    from contextlib import closing, suppress

    uri = f"file:{folder / 'catalog.sqlite'}?mode=ro"
    while process.poll() is None:
        with closing(sqlite3.connect(uri, uri=True)) as database:
            if database.execute("SELECT COUNT(*) FROM extraction").fetchone()[0]:
                return
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.01)
