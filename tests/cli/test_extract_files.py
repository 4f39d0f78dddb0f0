"""kgfuse extract on whatever people have: documents, pictures and recordings, each fact with its place."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageFont

from kgfuse.sources import sound_kinds
from tests.cli.conftest import run
from tests.sources import made
from tests.sources.sounds import INSPECTION, SAID, tone, write

WRITTEN = "The saw is made of steel."


def sign(path: Path, text: str = WRITTEN) -> Path:
    """A picture of a sentence, 620 × 160 pixels, the words between 60 and 110 down."""
    image = Image.new("RGB", (620, 160), "white")
    ImageDraw.Draw(image).text((40, 60), text, fill="black", font=ImageFont.load_default(40))
    image.save(path)
    return path


def records(*args: str | Path) -> list[dict[str, Any]]:
    result = run("extract", *args, "--json")
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def stated(record: dict[str, Any], label: str) -> dict[str, Any]:
    return next(s for s in record["statements"] if s["property"]["label"] == label)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with a picture on its page, an office file, a page, a picture, a table."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "report.pdf").write_bytes(made.report())
    made.word(folder / "word.docx")
    (folder / "page.html").write_text("<html><body><p>Hello.</p><p>The owl eats mice.</p></body></html>")
    sign(folder / "sign.png")
    (folder / "prices.csv").write_text("a,b\n1,2\n")
    return folder


def test_a_pdf_gives_pages_and_boxes_and_its_pictures_are_read_too(folder: Path) -> None:
    text, picture = records("-o", "field-guide", folder / "report.pdf")
    said = [e for s in text["statements"] for e in s["evidence"]]
    evidence = next(e for e in said if e["exact"].startswith("The tawny owl eats"))
    assert evidence["page"] == 2
    left, top, width, height = evidence["box"]
    assert 70 <= left <= 74
    assert 55 <= top <= 75
    assert 80 < width < 250
    assert 5 < height < 20
    assert picture["name"] == f"{text['name']}#page-1-picture-1.png"
    assert picture["kind"] == "image"


def test_documents_with_elements_give_their_paths(folder: Path) -> None:
    for name in ("word.docx", "page.html"):
        record = records("-o", "field-guide", folder / name)[0]
        eats = stated(record, "eats")
        assert eats["object"]["path"].rpartition("/")[2].startswith(("w:p", "p")), eats["object"]
        table = run("extract", "-o", "field-guide", folder / name).stdout
        assert f"({eats['object']['path']})" in table


def test_a_picture_gives_tags_colours_and_what_its_writing_says_with_boxes(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "sign.html"
    (record,) = records("-o", "field-guide", folder / "sign.png", "--html", page)
    assert (record["kind"], record["text"]) == ("image", "")
    shows = stated(record, "shows text")
    assert shows["subject"]["label"] == record["name"]
    assert shows["object"]["literal"] == WRITTEN
    made_of = stated(record, "made of")
    assert (made_of["subject"]["label"], made_of["object"]["label"]) == ("saw", "steel")
    for box in (shows["evidence"][0], made_of["object"]):
        assert 30 < box["x"] < 50
        assert 50 < box["y"] < 75
        assert 350 < box["w"] < 560
        assert 20 < box["h"] < 60
    html = page.read_text(encoding="utf-8")
    assert 'src="data:image/' in html
    assert html.count("<rect ") >= 2
    x, y = shows["evidence"][0]["x"], shows["evidence"][0]["y"]
    assert f'x="{x}" y="{y}"' in html
    assert "perceptual" not in html
    assert f"{x},{y} " in run("extract", "-o", "field-guide", folder / "sign.png").stdout


def test_a_recording_is_transcribed_and_what_it_says_has_its_seconds(tmp_path: Path) -> None:
    recording, page = tmp_path / "walk.dat", tmp_path / "walk.html"
    shutil.copy(INSPECTION, recording)
    (record,) = records("-o", INSPECTION.parent, recording, "--html", page)
    assert (record["kind"], record["text"]) == ("audio", SAID)
    shows = stated(record, "shows")
    start, end = shows["object"]["seconds"]
    assert shows["object"]["exact"] == "cracks"
    assert 6 < start < end < 8
    html = page.read_text(encoding="utf-8")
    assert html.count("<audio ") >= 1
    assert 'src="data:audio/mpeg;base64,' in html
    shown = run("extract", "-o", INSPECTION.parent, recording).stdout
    assert f"–{end:.2f} s)" in shown


def test_a_folder_stands_for_all_of_it_that_is_read_whatever_the_workers(folder: Path) -> None:
    one = records("-o", "field-guide", folder)
    assert [Path(r["name"]).name for r in one] == [
        "page.html", "report.pdf", "report.pdf#page-1-picture-1.png", "sign.png", "word.docx",
        "word.docx#picture-1.png",
    ]  # fmt: skip
    assert records("-o", "field-guide", folder, "--workers", "2") == one


def test_what_cannot_be_read_is_told_and_the_rest_goes_on(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, silent = tmp_path / "broken.png", write(tmp_path / "silent.flac", tone(2, 0))
    broken.write_bytes((folder / "sign.png").read_bytes()[:300])
    graph = tmp_path / "graph.ttl"
    graph.write_text("<urn:a> <urn:b> <urn:c> .")
    alone = run("extract", "-o", "field-guide", graph)
    assert alone.exit_code == 1
    assert "is no text, picture or recording but text/turtle (read it by `kgfuse add`" in alone.stderr
    result = run("extract", "-o", "field-guide", broken, silent, graph, folder / "sign.png")
    assert result.exit_code == 0
    for told in ("broken.png: ", "holds no speech that was heard", "text/turtle"):
        assert told in result.stderr
    assert "steel" in result.stdout
    texts = ("-o", "field-guide", "--set", 'extract.extractors=["text"]')
    assert "is not read: extract.extractors names text only" in run("extract", *texts, folder / "sign.png").stderr
    monkeypatch.setattr(sound_kinds, "_NEEDS", ("no_such_package",))
    missing = run("extract", "-o", "field-guide", silent)
    assert missing.exit_code == 1
    assert "pip install 'kgfuse[speech]'" in missing.stderr
