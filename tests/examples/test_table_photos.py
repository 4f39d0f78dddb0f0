"""Table and photos: every answer names its cell or its picture, and the page marks them."""

from pathlib import Path

import pytest

from examples.table_photos import main, run


def test_every_answer_names_its_cell_or_picture(tmp_path: Path) -> None:
    answers = run(tmp_path)
    heavy = [(r["variety"], float(r["grams"]), r["table"], r["cell"]) for r in answers["heavy"]]
    assert heavy == [
        ("Granny", 210.0, "varieties/varieties.csv", "cell=3,6"),
        ("Topaz", 180.0, "varieties/varieties.csv", "cell=2,6"),
    ]
    seen = {(r["variety"], r["stated"], r["seen"]): r for r in answers["stated-and-seen"]}
    assert {(v, s) for v, s, _ in seen} == {("Topaz", "red"), ("Granny", "green"), ("Golden", "red")}
    assert ("Topaz", "red", "red") in seen
    assert ("Granny", "green", "green") in seen
    assert ("Golden", "red", "red") not in seen
    row = seen["Topaz", "red", "red"]
    assert (row["table"], row["cell"], row["photo"]) == (
        "varieties/varieties.csv",
        "cell=2,5",
        "varieties/topaz.png",
    )
    assert row["region"].startswith("xywh=")
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "(row 2, column 5)" in html
    assert '<mark class="cited"' in html
    shown = html.split("<bdi>varieties/topaz.png</bdi><br>")[0].rpartition("<figure")[2]
    assert 'src="data:image/' in shown
    assert '<rect class="stated cited"' in shown


def test_errors_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "orchard.kg").mkdir()
    assert main(["--out", str(tmp_path)]) == 1
    assert "error: " in capsys.readouterr().err
