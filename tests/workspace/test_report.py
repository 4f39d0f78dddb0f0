"""report.html: exact highlighting, nothing loaded from elsewhere, nothing hostile alive, boxes where they belong."""

from __future__ import annotations

import functools
import html
import http.server
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from kgfuse.explain.chain import Change, Check, Evidence, Explanation, Neighbour, Passage, Place
from kgfuse.fuse.ablation import FUSED, LATE, Ablation, Row
from kgfuse.terms.mentions import Rejected, Statement
from kgfuse.terms.namespaces import KGF, item_iri
from kgfuse.workspace import Workspace
from kgfuse.workspace.build import BuildReport
from kgfuse.workspace.dataset import Dataset, Sample
from kgfuse.workspace.demo import DemoResult
from kgfuse.workspace.prediction import Context, Prediction, Ranked
from kgfuse.workspace.report import write_explanations, write_report
from kgfuse.workspace.report.chains import chain
from kgfuse.workspace.report.highlight import Span, marked
from kgfuse.workspace.report.pictures import inline, within
from kgfuse.workspace.training import Trained

HOSTILE = "<script>alert(1)</script> </style> \u202eevil\u202c 🦉🏽 'quoted' \"&amp;\" $x^2$"
TEXT = f"An owl eats mice. It has {HOSTILE} feathers & sees at night."
BIRD, FISH = "https://w3id.org/kgfuse/field-guide#Bird", "https://w3id.org/kgfuse/field-guide#AquaticAnimal"
EATS = "https://w3id.org/kgfuse/field-guide#eats"
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20"><script>alert(2)</script>'
    '<rect width="40" height="20" fill="#a33"/></svg>'
)


class Page(HTMLParser):
    """Tags with their attributes, and the text between them."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.marked: list[str] = []
        self._depth = 0
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._depth += tag == "mark"

    def handle_endtag(self, tag: str) -> None:
        self._depth -= tag == "mark"

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self._depth:
            self.marked.append(data)

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=60) | st.just(HOSTILE)
spans = st.lists(st.tuples(st.integers(-5, 70), st.integers(-5, 70)), max_size=6)


@given(texts, spans)
def test_highlighting_gives_back_the_text_and_marks_exactly_the_spans(text: str, edges: list[tuple[int, int]]) -> None:
    made = marked(text, [Span(a, b, f"e{n}", title=HOSTILE) for n, (a, b) in enumerate(edges)])
    assert html.unescape(re.sub(r"<mark [^>]*>|</mark>", "", str(made))) == text
    covered = "".join(c for i, c in enumerate(text) if any(a <= i < b for a, b in edges))
    inside = re.findall(r"<mark [^>]*>(.*?)</mark>", str(made), flags=re.S)
    assert "".join(html.unescape(part) for part in inside) == covered


def test_overlapping_spans_keep_both_keys() -> None:
    assert str(marked("abc", [Span(0, 2, "e1"), Span(1, 3, "e2", "cited")])) == (
        '<mark class="stated" data-keys="e1">a</mark><mark class="stated cited" data-keys="e1 e2">b</mark>'
        '<mark class="cited" data-keys="e2">c</mark>'
    )


@given(*(st.integers(-500, 900) for _ in range(4)))
def test_boxes_lie_within_the_picture(x: int, y: int, w: int, h: int) -> None:
    picture = inline(_png(64, 32), "owl")
    left, top, width, height = within((x, y, w, h), picture)
    assert 0 <= left < left + width <= picture.width
    assert 0 <= top < top + height <= picture.height


def test_a_drawing_becomes_pixels() -> None:
    picture = inline(SVG.encode(), "owl")
    assert picture.uri.startswith(("data:image/png;base64,", "data:image/jpeg;base64,"))
    assert (picture.width, picture.height) == (512, 256)


@functools.cache
def _png(width: int, height: int) -> bytes:
    from io import BytesIO

    held = BytesIO()
    Image.new("RGB", (width, height), "#446688").save(held, "PNG")
    return held.getvalue()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("report")
    data = folder / "data"
    data.mkdir()
    (data / "owl.txt").write_text(TEXT, encoding="utf-8")
    (data / "owl.svg").write_text(SVG, encoding="utf-8")
    row = {"id": "owl", "name": f"owl {HOSTILE}", "type": "fg:Thing", "text_path": "owl.txt", "images": ["owl.svg"]}
    row |= {"label": "fg:Bird", "split": "test"}
    (data / "manifest.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    with Workspace.create(folder / "ws", ontologies=["field-guide"]) as ws:
        ws.add(data)
        yield ws


@pytest.fixture(scope="module")
def result(workspace: Workspace) -> DemoResult:
    """A run on one item: its sources, offsets and pictures are real, the figures are made."""
    prediction, explanation = _answer(workspace)
    rows = tuple(
        Row(name, (0.5, 0.6), (np.array([True, False]), np.array([True, True])), ({}, {}))
        for name in ("text", "image", "graph", LATE, FUSED)
    )
    refused = Statement(item_iri("owl"), KGF + "depicts", BIRD, (), "image.tag", 0.1, HOSTILE, "src")
    return DemoResult(
        workspace=workspace.path,
        report=workspace.path.parent / "report.html",
        build=BuildReport(sources=3, items=1, asserted=12, rejected=[Rejected(refused, "confidence", HOSTILE)]),
        trained=Trained(
            "m", workspace.path, (BIRD,), {BIRD: {"items": 1.0, "accuracy": 1.0}},
            Ablation({BIRD: rows}, (0, 1), (2, 2)), {"train": 5, "validation": 2, "test": 1},
        ),
        predictions=[prediction],
        correct=1,
        explanations=[explanation],
        colours={"items": 1, "stated": 2, "seen": 1, "share": 0.5, "chance": 0.2},
        tags={"pictures": 1, "tagged": 0, "turned_away": 1},
        seconds={"build": 1.5},
    )  # fmt: skip


def _answer(ws: Workspace) -> tuple[Prediction, Explanation]:
    article = next(s for s in ws.sources() if s.kind == "text")
    drawing = next(s for s in ws.sources() if s.kind == "image")
    iri, first, second = item_iri("owl"), TEXT[:17], TEXT[18:]

    def words(start: int, end: int, context_start: int, context: str) -> Place:
        return Place(article.name, "text", start, end, TEXT[start:end], context_start, context)

    beyond = Place(drawing.name, "image", box=(500, -9, 90, 60), sha256=drawing.sha256)
    places = (words(3, 6, 0, first), words(12, 16, 0, first), beyond)
    mouse = "https://example.org/mouse"
    evidence = Evidence(
        iri,
        EATS,
        mouse,
        f"owl · eats · mice {HOSTILE}",
        0.3,
        (HOSTILE,),
        0.9,
        "text.pattern",
        HOSTILE,
        places,
        cited=True,
    )
    against = Evidence(iri, EATS, '"night"', "owl · eats · night", -0.1, (), 0.5, "import", "", ())
    explanation = Explanation(
        item=iri,
        name=f"owl {HOSTILE}",
        label="bird",
        label_iri=BIRD,
        probability=0.8,
        shares={"text": 0.5, "image": -0.05, "graph": 0.25},
        statements=(evidence, against),
        passages=(
            Passage(words(0, 17, 0, first), 0.2, cited=True),
            Passage(words(18, len(TEXT), 18, second), 0.0),
            Passage(Place(drawing.name, "image", box=(0, 0, 170, 85), sha256=drawing.sha256), 0.05, cited=True),
        ),
        check=Check(0.8, 0.3, (0.75, 0.02), 0.7, "aquatic animal"),
        change=Change((f"owl · eats · mice {HOSTILE}", "“It hoots.”"), f"fish {HOSTILE}", smallest=False),
        nearest=(Neighbour("item:wren", f"wren {HOSTILE}", ("bird", HOSTILE), 0.75, {"text": 0.8}),),
    )
    sample = Sample(next(i for i in ws.items() if i.iri == iri), (TEXT,), ())
    nothing = cast(Any, None)
    context = Context(nothing, nothing, Dataset(nothing, nothing, nothing, (sample,), ()), 0, nothing, (), None)
    ranking = (Ranked(BIRD, "bird", 0.8), Ranked(FISH, HOSTILE, 0.2))
    made = Prediction(
        iri, explanation.name, BIRD, "bird", BIRD, 0.8, False, ranking[:1], ranking, (), {}, "m", 0.0, _context=context
    )
    return made, explanation


@pytest.fixture(scope="module")
def report(workspace: Workspace, result: DemoResult) -> str:
    write_report(workspace, result, result.report)
    return result.report.read_text(encoding="utf-8")


def test_the_page_is_the_same_each_time(workspace: Workspace, result: DemoResult, report: str, tmp_path: Path) -> None:
    write_report(workspace, result, tmp_path / "again.html")
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == report
    assert [p.name for p in tmp_path.iterdir()] == ["again.html"]


def test_the_page_holds_all_it_shows(report: str) -> None:
    page = Page(report)
    for tag, attributes in page.tags:
        assert not (attributes.get("src") or "data:").partition("data:")[0], tag
        target = attributes.get("href") or attributes.get("xlink:href") or "#"
        assert target.startswith(("#", "data:")) or (tag == "a" and target.startswith("https://")), (tag, target)
    assert "@import" not in report
    assert not re.findall(r"url\(\s*['\"]?(?!#|data:)", report)
    policy = next(a["content"] for a in page.attributes("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert len(report) < 3_000_000


def test_what_would_change_the_answer_and_what_is_like_it_are_shown(report: str) -> None:
    said = " ".join("".join(Page(report).text).split())
    assert "Without all of this, it is “fish" in said
    assert "fewer may do, not all sets were tried" in said
    assert "Most like it, of what the model learned from" in said
    assert "text 0.80" in said


def test_hostile_words_are_only_words(report: str) -> None:
    page = Page(report)
    assert len(page.attributes("script")) == len(page.attributes("style")) == 1
    assert not [a for _, attributes in page.tags for a in attributes if a.startswith("on")]
    assert all("{}" not in (a.get("class") or "") for _, a in page.tags)
    assert "alert(1)" in "".join(page.text)
    assert "alert(2)" not in report


def test_cited_words_are_marked_in_the_article(report: str) -> None:
    article = next(m for m in re.findall(r'<div class="text"[^>]*>(.*?)</div>', report, flags=re.S))
    page = Page(article)
    assert "".join(page.text) == TEXT
    cited = [html.unescape(m) for m in re.findall(r'<mark class="[a-z ]*\bcited\b[^>]*>(.*?)</mark>', article)]
    assert cited == ["owl", "mice"]


def test_boxes_over_the_picture_stay_inside_it(report: str) -> None:
    drawn = re.findall(r'<rect class="[a-z ]+" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', report)
    assert drawn
    for x, y, w, h in (tuple(map(float, box)) for box in drawn):
        assert x + w <= 512
        assert y + h <= 256


def test_pictures_and_tables_can_be_heard(report: str) -> None:
    page = Page(report)
    assert all("alt" in a for a in page.attributes("img"))
    assert all(a.get("scope") for a in page.attributes("th"))
    drawn = page.attributes("svg")
    assert len(drawn) == 3
    assert all(a.get("role") == "img" and a.get("aria-label") for a in drawn)
    ids = [a["id"] for _, a in page.tags if a.get("id")]
    assert len(ids) == len(set(ids))
    assert all(a["href"][1:] in ids for _, a in page.tags if (a.get("href") or "").startswith("#"))  # type: ignore[index]


def test_noise_is_called_noise(report: str) -> None:
    assert "the data do not decide" in report
    assert report.count("<td>inside the noise</td>") == 4


def test_a_check_that_fails_says_so(workspace: Workspace) -> None:
    prediction, explanation = _answer(workspace)
    assert chain(workspace, explanation, prediction, 1).verdict.holds
    weak = Check(0.8, 0.79, (0.6, 0.1), 0.7, "bird")
    verdict = chain(workspace, replace(explanation, check=weak), prediction, 1).verdict
    assert not verdict.holds
    assert "does not stand out" in verdict.sentence
    unmoved = replace(explanation, statements=(), passages=(), check=Check(0.8, 0.8, (0.8, 0.0), 0.8, "bird"))
    assert "nothing is cited" in chain(workspace, unmoved, None, 1).verdict.sentence


def test_what_the_model_did_not_see_is_struck_through(workspace: Workspace) -> None:
    _, explanation = _answer(workspace)
    first = replace(explanation, passages=explanation.passages[:1])
    (text,) = chain(workspace, first, None, 1).texts
    assert text.hidden
    assert [html.unescape(m) for m in re.findall(r'<mark class="unseen"[^>]*>(.*?)</mark>', text.html)] == [TEXT[18:]]
    assert not chain(workspace, explanation, None, 1).texts[0].hidden


def test_the_graph_stays_readable(workspace: Workspace) -> None:
    _, explanation = _answer(workspace)
    first = explanation.statements[0]
    many = tuple(replace(first, object=f"https://example.org/{n}", effect=n / 100) for n in range(60))
    drawn = chain(workspace, replace(explanation, statements=many), None, 1).graph.svg
    count = re.search(r": (\d+) nodes", drawn)
    assert count is not None
    assert int(count[1]) <= 25


def test_explanations_alone_make_a_page(workspace: Workspace, tmp_path: Path) -> None:
    _, explanation = _answer(workspace)
    write_explanations(workspace, [explanation], tmp_path / "why.html")
    page = Page((tmp_path / "why.html").read_text(encoding="utf-8"))
    assert "Counterfactual check" in page.text
    assert len(page.attributes("img")) == 1


def browsed(page: Path, profile: Path) -> tuple[list[str], str, str]:
    """Open a page in a browser: what it asked for, what it shows, and what it complains of."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    assert browser is not None, "install chromium: apt-get install chromium"
    asked: list[str] = []

    class Watch(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            asked.append(self.path)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Watch, directory=str(page.parent)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        address = f"http://127.0.0.1:{server.server_address[1]}/{page.name}"
        told = subprocess.run(
            [
                browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
                "--disable-background-networking", "--disable-component-update", f"--user-data-dir={profile}",
                "--enable-logging=stderr", "--v=0", "--dump-dom", address,
            ],
            capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    return asked, told.stdout, told.stderr


@pytest.mark.system
def test_a_browser_shows_it_and_asks_nobody(report: str, result: DemoResult, tmp_path: Path) -> None:
    asked, dom, errors = browsed(result.report, tmp_path / "u")
    assert asked == ["/report.html"]
    assert "CONSOLE" not in errors
    assert "In the graph" in dom
