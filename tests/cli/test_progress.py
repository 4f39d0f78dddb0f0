"""Progress: how fast, how long still, and each problem as it happens, told once."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from kgfuse.cli.command import INTERRUPTED, attempt
from kgfuse.cli.output import Output
from kgfuse.cli.progress import duration, stage_lines
from kgfuse.errors import PROBLEM
from tests.cli.conftest import run


def test_lines_tell_rate_and_remaining_time_every_ten_seconds() -> None:
    times = iter([0.0, 0.0, 4.0, 10.0, 12.0, 25.0, 30.0, 30.0, 31.0, 31.0])
    lines: list[str] = []
    with stage_lines(lines.append, lambda: next(times)) as on_event:
        for done in (0, 20, 50, 60, 100):
            on_event("extract:image", done, 200, "a.png")
        on_event("extract:image", 200, 200, "b.png")
        on_event("reason", 1, 1, "")
    assert lines[:3] == [
        "Looking at pictures: 50 of 200, 30 s left (5.0/s)",
        "Looking at pictures: 100 of 200, 25 s left (4.0/s)",
        "Looking at pictures: 200 in 31.0 s (6.5/s)",
    ]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "0 s"), (59.7, "1 min 0 s"), (125, "2 min 5 s"), (5000, "1 h 23 min")]
)
def test_spans_of_time_are_told_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize("terminal", [False, True])
def test_a_problem_is_told_as_it_happens_and_only_once(
    terminal: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
    out = Output()
    with out.progress() as on_event:
        on_event("add", 1, 2, "a.txt")
        on_event(PROBLEM, 1, 2, "b.txt: is empty")
        assert "problem: b.txt: is empty" in capsys.readouterr().err
        on_event("add", 2, 2, "c.txt")
    out.problem("b.txt: is empty")
    out.problem("d.txt: is damaged")
    said = capsys.readouterr().err
    assert "b.txt" not in said
    assert "problem: d.txt: is damaged" in said


def test_adding_and_extracting_tell_each_problem_once(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "a.txt").write_text("The owl eats mice.")
    (folder / "b.txt").write_text("")
    assert run("init", tmp_path / "w.kg", "-o", "field-guide").exit_code == 0
    for command in (["add", tmp_path / "w.kg", folder], ["add", tmp_path / "w.kg", folder, "--quiet"]):
        said = run(*command).stderr
        assert said.count("b.txt") == 1
        assert "problem: " in said
    said = run("extract", "-o", "field-guide", folder / "a.txt", folder / "b.txt").stderr
    assert said.count("b.txt") == 1


def test_ctrl_c_that_a_callback_swallows_ends_the_command_at_the_next_event(capfd: pytest.CaptureFixture[str]) -> None:
    out = Output(quiet=True)

    class Thing:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)

    def act() -> int:
        with out.progress() as on_event:
            thing = Thing()
            del thing
            on_event("reason", 0, 1, "")
        return 0

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs inherit none
    try:
        assert attempt(out, act) == INTERRUPTED
    finally:
        signal.signal(signal.SIGINT, before)
    told = capfd.readouterr().err
    assert told.startswith("interrupted")
    assert "Traceback" not in told
