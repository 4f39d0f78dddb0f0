"""From a folder of documents to a graph whose every mention says where it stands: page and box, or element."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kgfuse import Workspace
from kgfuse.errors import UsageError
from kgfuse.explain.chain import Place
from kgfuse.terms.mentions import TextSpan
from kgfuse.workspace.report import write_explanations
from kgfuse.workspace.report.chains import chain
from kgfuse.workspace.whereabouts import place_of
from tests.cli.conftest import run
from tests.sources import made
from tests.workspace.samples import FG, graph_hash, resting_on, shape, workspace

KGF = "https://w3id.org/kgfuse#"
WIDE = {"COLUMNS": "200"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents") / "docs"
    folder.mkdir()
    (folder / "owl.pdf").write_bytes(made.report())
    (folder / "page.html").write_text(made.PAGE, encoding="utf-8")
    shape(folder / "pictures" / "owl 1.png", "brown")
    made.word(folder / "report.docx")
    (folder / "notes.md").write_text("# Foxes\n\nThe **fox** eats mice.\n", encoding="utf-8")
    made.zipped(
        folder / "more.zip",
        {"in/owl.pdf": made.report(), "in/bear.txt": b"The bear eats fish.", "../evil.txt": b"The owl is a plant."},
    )
    return folder


@pytest.fixture(scope="module")
def ws(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with workspace(tmp_path_factory.mktemp("ws") / "ws", folder) as ws:
        yield ws


def test_documents_archives_and_their_pictures_are_sources(ws: Workspace) -> None:
    assert {row.name: (row.kind, row.parent) for row in ws.sources()} == {
        "docs/more.zip/in/bear.txt": ("text", None),
        "docs/more.zip/in/owl.pdf": ("text", None),
        "docs/more.zip/in/owl.pdf#page-1-picture-1.png": ("image", "docs/more.zip/in/owl.pdf"),
        "docs/notes.md": ("text", None),
        "docs/owl.pdf": ("text", None),
        "docs/owl.pdf#page-1-picture-1.png": ("image", "docs/owl.pdf"),
        "docs/page.html": ("text", None),
        "docs/pictures/owl 1.png": ("image", "docs/page.html"),
        "docs/report.docx": ("text", None),
        "docs/report.docx#picture-1.png": ("image", "docs/report.docx"),
    }
    (problem,) = ws.problems()
    assert "leads out of the archive" in problem.message
    assert problem.place == "docs/more.zip"


def test_evidence_from_a_document_says_where_it_stands_in_it(ws: Workspace) -> None:
    found = {
        (m.file_name, m.selector.exact): m.where
        for s in ws.graph.statements()
        for m in s.mentions
        if isinstance(m.selector, TextSpan)
    }
    where = found["docs/owl.pdf", "lemmings"]
    assert where is not None
    assert (where.page, where.path) == (1, "")
    assert where.box is not None
    x, y, w, h = where.box
    assert 270 < x < 330
    assert 70 < y < 90
    assert 30 < w < 60
    assert 5 < h < 16
    assert where == found["docs/more.zip/in/owl.pdf", "lemmings"]
    in_page = found["docs/page.html", "lemmings"]
    assert in_page is not None
    assert in_page.path == "/html[1]/body[1]/main[1]/p[1]"
    assert found["docs/more.zip/in/bear.txt", "fish"] is None
    assert ws.check().findings == ()


def test_a_picture_is_tied_to_its_document_page_and_caption(ws: Workspace) -> None:
    said = {
        (row["s"].rsplit("/", 1)[1], row["p"].removeprefix(KGF)): row["o"]
        for row in ws.query(
            f"SELECT ?s ?p ?o {{ ?s ?p ?o . VALUES ?p {{ <{KGF}onPage> <{KGF}caption> <{KGF}alternativeText> }} }}"
        )
        .to_pandas()
        .to_dict("records")
    }
    assert str(said["owl.pdf%23page-1-picture-1.png", "onPage"]) == "1"
    assert said["owl.pdf%23page-1-picture-1.png", "caption"] == made.CAPTION
    assert said["owl%201.png", "alternativeText"] == "A white owl"
    assert said["report.docx%23picture-1.png", "alternativeText"] == "A red field"


def test_adding_again_changes_nothing_and_another_order_gives_the_same_graph(
    ws: Workspace, folder: Path, tmp_path: Path
) -> None:
    before = graph_hash(ws)
    report = ws.add(folder)
    assert (report.added, report.changed, report.removed) == (0, 0, 0)
    assert ws.build().unchanged
    with workspace(tmp_path / "other") as other:
        for path in sorted(folder.iterdir(), reverse=True):
            other.add(path)
        assert {row.sha256 for row in other.sources()} == {row.sha256 for row in ws.sources()}
    with workspace(tmp_path / "again", folder) as again:
        assert graph_hash(again) == before


def test_what_a_document_or_archive_no_longer_holds_goes(folder: Path, tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "owl.pdf").write_bytes(made.report())
    made.zipped(docs / "more.zip", {"a.txt": b"The bear eats fish.", "b#1.txt": b"The fox eats mice."})
    with workspace(tmp_path / "ws", docs, build=False) as ws:
        assert len(ws.sources()) == 4
        (docs / "owl.pdf").write_bytes(made.pdf([["The owl eats mice."]]))
        made.zipped(docs / "more.zip", {"b#1.txt": b"The fox eats mice."})
        assert ws.add(docs).removed == 2
        assert {row.name for row in ws.sources()} == {"docs/owl.pdf", "docs/more.zip/b#1.txt"}
        assert ws.remove("docs/more.zip") == 1
        assert ws.remove(str(docs / "owl.pdf")) == 1
        assert ws.items() == []


def test_characters_lead_back_to_those_of_their_file(ws: Workspace, folder: Path) -> None:
    row = ws._parts.catalog.source("docs/notes.md")
    assert row is not None
    at = ws._parts.blobs.read_text(str(row.text_sha256)).index("fox eats")
    start, end = ws.original("docs/notes.md", at, at + 8)
    assert (folder / "notes.md").read_text(encoding="utf-8")[start:end] == "fox** eats"
    assert ws.original("docs/more.zip/in/bear.txt", 4, 8) == (4, 8)
    for name in ("docs/owl.pdf", "docs/nothing.txt"):
        with pytest.raises(UsageError):
            ws.original(name, 0, 1)


def test_globs_name_files(folder: Path, tmp_path: Path) -> None:
    with workspace(tmp_path / "ws") as ws:
        ws.add(folder / "*.md", str(folder / "**" / "*.docx"))
        assert {row.name for row in ws.sources() if row.parent is None} == {"notes.md", "report.docx"}


def test_the_report_shows_the_page_with_the_words_marked(ws: Workspace, tmp_path: Path) -> None:
    source = "docs/owl.pdf"
    row = ws._parts.catalog.source(source)
    assert row is not None
    text = ws._parts.blobs.read_text(str(row.text_sha256))
    at = text.index("lemmings")
    found = place_of(ws._parts.blobs, row, at, at + 8)
    page, where = found.page, found.words
    assert (page, where) == (1, "page 1")
    around = text.index(made.FULL)
    context = text[around : text.index(made.REST) + len(made.REST)]
    place = Place(source, "text", at, at + 8, "lemmings", around, context, page=page, where=where)
    said = (str(row.item), f"{FG}eats", f"{FG}mouse")
    answer = resting_on(place, said, "owl · eats · lemmings", "owl", f"{FG}Bird")
    shown = chain(ws, answer, None, 1)
    assert shown.lines[0].where == (f"docs/owl.pdf: “lemmings” {at}–{at + 8} (page 1)",)
    (marked,) = [p for p in shown.pictures if p.source == "docs/owl.pdf, page 1"]
    (mark,) = marked.marks
    assert (marked.picture.width, marked.picture.height) == (612, 792)
    assert 250 < mark.x < 330
    assert 70 < mark.y < 90
    write_explanations(ws, [answer], tmp_path / "page.html")
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "docs/owl.pdf, page 1" in html
    assert 'viewBox="0 0 612 792"' in html


def test_hits_and_cards_say_the_page_or_element(ws: Workspace) -> None:
    hits = {f.hit.name: f.where for f in ws.search("lemmings", kind="text")}
    assert hits["docs/owl.pdf"] == "page 1"
    assert hits["docs/page.html"] == "/html[1]/body[1]/main[1]/p[1]"
    assert {f.hit.name: f.where for f in ws.search("tawny mice", kind="text")}["docs/owl.pdf"] == "page 2"
    assert {f.where for f in ws.search("bear", kind="text")} == {""}
    cards = ws.review(None)
    pages = {c.words: c.where for c in cards if c.source == "docs/owl.pdf"}
    assert pages["The tawny owl eats mice."] == "page 2"
    assert {c.where for c in cards if c.source.endswith("bear.txt")} == {""}
    shown = run("search", ws.path, "tawny mice", "--kind", "text", env=WIDE)
    assert "(page 2)" in shown.stdout
    listed = run("review", ws.path, "--next", "50", "--source", "docs/owl.pdf", env=WIDE)
    assert "page 2" in listed.stdout
