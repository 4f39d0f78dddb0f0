"""The sentiment case end to end, on sentences made for this test: it runs; nothing is claimed of its accuracy."""

import json
from pathlib import Path

import pytest

from examples.sentiment import main

GOOD = ("wonderful", "excellent", "great", "lovely", "perfect")
BAD = ("horrible", "awful", "terrible", "defective", "useless")
THINGS = ("camera", "phone", "player", "lens", "battery", "screen", "menu", "case")


def test_sentences_are_built_trained_classified_and_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"This {thing} is {word}.,{label}" for thing in THINGS for label, words in
            (("positive", GOOD), ("negative", BAD)) for word in words]  # fmt: skip
    reviews = tmp_path / "reviews.csv"
    reviews.write_text("text,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    assert main(["--data", str(reviews), "--limit", "60", "--runs", "0", "--out", str(tmp_path / "out")]) == 0
    result = json.loads((tmp_path / "out/result.json").read_text(encoding="utf-8"))
    assert result["reached"] == 1.0
    assert set(result["test"]) >= {"VADER alone", "kgfuse: text and graph"}
    assert "kgfuse: text and graph" in capsys.readouterr().out
