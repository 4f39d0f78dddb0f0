"""PDF: text that flows, a box for every span, pictures with their captions."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from kgfuse.errors import SourceError
from kgfuse.sources.pdf import _flow, _words, boxes, read, render
from kgfuse.sources.places import PagePlaces
from kgfuse.sources.readers import PDF
from kgfuse.sources.sandbox import Sandbox
from tests.sources.made import CAPTION, FULL, HEADING, REST, objects, pdf, report


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "report.pdf").write_bytes(report())
    return tmp_path / "report.pdf"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seconds=60) as sandbox:
        yield sandbox


def test_full_lines_run_on_and_short_ones_end_a_paragraph(path: Path, tmp_path: Path) -> None:
    found = read(path, "report.pdf", tmp_path)
    assert found.text == f"{HEADING}\n\n{FULL} {REST}\n\n{CAPTION}\n\nThe tawny owl eats mice.\n\n"
    assert found.title == "Owls"
    assert isinstance(found.places, PagePlaces)
    assert [found.places.page(found.text.index(w)) for w in ("snowy", "tawny")] == [1, 2]


PIECES = ["an owl", "an owl that eats", "Fig. 1", "\r\n", "\r\n", " ", "\ufffe", "\n", "\t", "é", "e\u0301", "\xa0"]


@given(st.lists(st.sampled_from(PIECES[:4]) | st.sampled_from(PIECES), max_size=12))
def test_words_of_a_page_are_those_that_lead_back_to_it(parts: list[str]) -> None:
    text = "".join(parts)
    assert _words(text) == _flow(text).text


def test_a_span_has_a_box_for_each_line_that_it_touches(path: Path, tmp_path: Path) -> None:
    found = read(path, "report.pdf", tmp_path)
    assert isinstance(found.places, PagePlaces)
    at = found.text.index("day and by night")
    first, second = boxes(path, "report.pdf", found.places.on_pages(at, at + 16))[0]
    assert (first.page, second.page) == (1, 1)
    assert first.x > 400  # the end of the second line; 72 from the left, 15 further down, begins the third
    assert second.x == pytest.approx(72, abs=2)
    assert second.y - first.y == pytest.approx(15, abs=2)
    assert 792 - 720 + 15 - 11 < first.y < 792 - 720 + 15 + 3


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_a_box_is_where_the_words_are_drawn_however_the_page_is_turned(tmp_path: Path, rotate: int) -> None:
    path = tmp_path / "turned.pdf"
    path.write_bytes(pdf([["", "", "snowy owl"]], rotate=rotate))
    found = read(path, "turned.pdf", tmp_path)
    assert isinstance(found.places, PagePlaces)
    at = found.text.index("owl")
    ((box,),) = boxes(path, "turned.pdf", found.places.on_pages(at, at + 3))
    name, width, height = render(path, "turned.pdf", 1, 1000, tmp_path)
    with Image.open(tmp_path / name) as drawn:
        scale = drawn.width / width
        assert drawn.height / height == pytest.approx(scale, rel=0.01)
        dark = drawn.convert("L").point(lambda v: 255 if v < 128 else 0).getbbox()
    assert dark is not None
    inside = (dark[0] - 3, dark[1] - 3, dark[2] + 3, dark[3] + 3)
    x0, y0, x1, y1 = (scale * n for n in (box.x, box.y, box.x + box.w, box.y + box.h))
    assert inside[0] <= x0 < x1 <= inside[2] + 3 * scale
    assert inside[1] <= y0 < y1 <= inside[3] + 3 * scale
    assert max(box.w, box.h) < 25  # "owl", not "snowy owl"


def test_pictures_are_saved_once_with_page_and_caption(path: Path, tmp_path: Path) -> None:
    (picture,) = read(path, "report.pdf", tmp_path).pictures
    assert (picture.page, picture.caption) == (1, CAPTION)
    with Image.open(io.BytesIO((tmp_path / picture.file).read_bytes())) as saved:
        assert saved.size == (64, 48)


def test_a_pdf_of_pictures_alone_says_so(tmp_path: Path) -> None:
    path = tmp_path / "scan.pdf"
    path.write_bytes(pdf([[]], pictures={1: (64, 48)}))
    found = read(path, "scan.pdf", tmp_path)
    assert (found.text.strip(), len(found.pictures)) == ("", 1)
    assert "no text" in found.notes[0]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"%PDF-1.7", "damaged or cut short"),
        (b"%PDF-1.4\n1 0 obj<<>>endobj trailer<</Root 1 0 R>>%%EOF", "damaged or cut short"),
        (pdf([[]]), "without text or pictures"),
        (objects([b"<</Type /Catalog /Pages 2 0 R>>", b"<</Type /Pages /Count 1 /Kids [2 0 R]>>"]), "."),
    ],
)
def test_what_holds_nothing_is_refused(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "bad.pdf"
    path.write_bytes(data)
    with pytest.raises(SourceError, match=reason):
        read(path, "bad.pdf", tmp_path)


def test_only_so_much_text_is_read_and_the_rest_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kgfuse.sources.pdf.MAX_PAGES", 2)
    path = tmp_path / "long.pdf"
    path.write_bytes(pdf([["one"], ["two"], ["three"]]))
    found = read(path, "long.pdf", tmp_path)
    assert found.text.split() == ["one", "two"]
    assert found.notes == ("only the first 2 of 3 pages were read",)


def test_a_process_of_its_own_reads_the_same(path: Path, tmp_path: Path, sandbox: Sandbox) -> None:
    found, folder = sandbox.read(path, PDF, "report.pdf")
    assert found == read(path, "report.pdf", tmp_path)
    assert (folder / found.pictures[0].file).stat().st_size > 0
    png, width, height = sandbox.render(path, "report.pdf", 2, 400)
    assert png.startswith(b"\x89PNG")
    assert (width, height) == (612, 792)


def test_what_needs_too_much_memory_or_time_is_a_problem_of_the_file(path: Path, tmp_path: Path) -> None:
    wide = tmp_path / "wide.pdf"
    wide.write_bytes(pdf([["a"]], pictures={1: (4000, 4000)}))
    with Sandbox(seconds=60, memory=150 << 20) as small, pytest.raises(SourceError, match=r"ended|memory|cannot be"):
        small.read(wide, PDF, "wide.pdf")
    with Sandbox(seconds=0.0) as hasty, pytest.raises(SourceError, match="took longer"):
        hasty.read(path, PDF, "report.pdf")


def test_after_a_bad_file_comes_the_next(path: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.pdf"
    bad.write_bytes(b"%PDF-1.7")
    with Sandbox(seconds=60) as sandbox:
        with pytest.raises(SourceError, match="damaged"):
            sandbox.read(bad, PDF, "bad.pdf")
        assert sandbox.read(path, PDF, "report.pdf")[0].title == "Owls"
        assert sandbox._process is not None
        sandbox._process.kill()
        with pytest.raises(SourceError, match=r"process that was reading it (was )?ended"):
            sandbox.read(path, PDF, "report.pdf")
        assert sandbox.read(path, PDF, "report.pdf")[0].title == "Owls"
