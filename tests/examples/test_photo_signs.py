"""Photos of signs: every place of the map has its coordinates, its statements and the boxes they were read in."""

import json
from pathlib import Path

import pytest

from examples.photo_signs import SIGNS, main, run


def test_signs_become_places_of_a_map(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = run(tmp_path)
    assert json.loads((tmp_path / "map.geojson").read_text(encoding="utf-8")) == found
    said = {}
    for feature in found["features"]:
        name = Path(feature["properties"]["photo"]).name
        place = SIGNS[name][1]
        assert place is not None
        assert feature["geometry"]["coordinates"] == pytest.approx([place[1], place[0]], abs=1e-5)
        for one in feature["properties"]["statements"]:
            said[name, one["place"], one["says"]] = one["boxes"]
    assert set(said) == {
        ("mill.jpg", "Mill Bridge", "crosses Arle"),
        ("plaque.jpg", "Mill Bridge", "made of sandstone"),
        ("harbour.jpg", "Harbour Bridge", "crosses Arle"),
        ("notice.jpg", "Harbour Bridge", "shows rust"),
    }
    for boxes in said.values():
        assert boxes
        assert all(0 <= x < x + w <= 800 and 0 <= y < y + h <= 600 for x, y, w, h in boxes)
    assert "no place is known of photos/nowhere.jpg" in capsys.readouterr().out
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    shown = html.split("<bdi>photos/nowhere.jpg</bdi><br>")[0].rpartition("<figure")[2]
    assert 'src="data:image/' in shown
    assert '<rect class="stated cited"' in shown


def test_errors_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "signs.kg").mkdir()
    assert main(["--out", str(tmp_path)]) == 1
    assert "error: " in capsys.readouterr().err
