"""The recording: every answer names its seconds, and the page plays them."""

from pathlib import Path

import pytest

from examples.recording import TITLE, main, run


def test_every_answer_names_its_seconds_and_the_report_plays_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = {(r["bridge"], r["what"], r["found"]): r["seconds"] for r in run(tmp_path)}
    assert list(answers) == [
        ("London Bridge", "crosses", "Thames"),
        ("London Bridge", "shows", "cracks"),
        ("Tower Bridge", "crosses", "Thames"),
        ("Tower Bridge", "shows", "rust"),
    ]
    spans = [tuple(map(float, seconds.removeprefix("t=").split(","))) for seconds in answers.values()]
    assert spans == sorted(spans)
    assert all(0 < start < end < 12.62 for start, end in spans)
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"<title>{TITLE}</title>" in html
    assert html.count('src="data:audio/mpeg;base64,') == 4
    assert len(html) < 150_000
    clip = html.split("“<bdi>rust</bdi>”")[0].rpartition("<figure")[2]
    assert "inspection.ogg" in clip
    told = capsys.readouterr()
    assert "Tower Bridge · shows · rust" in told.out
    assert "“rust” in inspection.ogg#t=" in told.out
    assert told.err == ""


def test_errors_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "inspection.kg").mkdir()
    assert main(["--out", str(tmp_path)]) == 1
    assert "error: " in capsys.readouterr().err
