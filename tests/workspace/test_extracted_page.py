"""The page of `kgfuse extract`: it is the text, nothing in it is alive, and it asks nobody."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kgfuse.extract.document import Document, End, Place, Stated
from kgfuse.extract.documents import Reader, ontology_of
from kgfuse.terms.mentions import TextSpan, Value
from kgfuse.workspace.report.extracted import write_extracted

HOSTILE = "<script>document.title='owned'</script></style><img src=x onerror=\"document.title='owned'\">\u202e'\"&amp;"
TEXT = f"The owl eats mice.\n\n{HOSTILE} The saw is made of steel.\nIt is used for cutting wood.\n"
EATS = "https://w3id.org/kgfuse/field-guide#eats"
VOCABULARY = ontology_of("field-guide")


class Page(HTMLParser):
    """Tags with attributes, and the text of each paragraph block."""

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.blocks: list[str] = []
        self._depth = 0
        self.feed(path.read_text(encoding="utf-8"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "div" and dict(attrs).get("class") == "line":
            self.blocks.append("")
            self._depth = 1
        elif self._depth and tag == "div":
            self._depth += 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "div" and self._depth:
            self._depth -= 1

    def handle_data(self, data: str) -> None:
        if self._depth:
            self.blocks[-1] += data


def hostile() -> Document:
    """A document that is hostile wherever it can be."""
    span, other = TextSpan(4, 7, "owl"), TextSpan(13, 17, "mice")
    ends = End(HOSTILE, HOSTILE, at=span), End(HOSTILE, value=Value(HOSTILE), at=other)
    stated = Stated(ends[0], EATS, ends[1], 0.9, (HOSTILE,), HOSTILE, (span, other), "", "")
    away = Stated(ends[0], HOSTILE, ends[1], 0.1, (HOSTILE,), HOSTILE, (span,), HOSTILE, HOSTILE)
    place = Place(span, HOSTILE, HOSTILE, (HOSTILE,), (HOSTILE,), 0.5)
    return Document(HOSTILE, TEXT, (place,), (stated,), (away,))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "page.html"
    documents = list(Reader(VOCABULARY).read([("a.txt", TEXT)]))
    write_extracted([*documents, hostile(), Document("b.txt", "x", problem=HOSTILE)], VOCABULARY, path)
    return path


def test_without_its_marks_the_page_is_the_text(page: Path) -> None:
    assert "".join(Page(page).blocks) == 2 * TEXT + "x"


def test_nothing_hostile_is_alive_and_nothing_is_loaded(page: Path) -> None:
    tags = Page(page).tags
    assert [t for t, _ in tags].count("script") == 1
    assert not [t for t, _ in tags if t in ("img", "iframe", "object", "embed", "base")]
    assert not [a for _, a in tags for name in a if name.startswith("on")]
    links = {v for _, a in tags for k, v in a.items() if k in ("src", "href", "action", "xlink:href")}
    assert links <= {"data:,", "#list"}
    policy = next(
        a["content"] for t, a in tags if t == "meta" and "Content-Security-Policy" in str(a.get("http-equiv"))
    )
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "url(" not in page.read_text(encoding="utf-8")


def test_every_statement_leads_from_and_to_marks_that_are_there(page: Path) -> None:
    tags = Page(page).tags
    keys = {k for _, a in tags for k in (a.get("data-k") or "").split()}
    lines = [a for t, a in tags if t == "li" and "data-from" in a]
    assert len(lines) >= 4
    for line in lines:
        assert {line["data-from"], line["data-to"], *(line["data-evidence"] or "").split()} - {""} <= keys


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00\r"), max_size=80), st.data())
def test_whatever_the_marks_the_page_is_the_text(tmp_path: Path, text: str, data: st.DataObject) -> None:
    edges = data.draw(st.lists(st.tuples(st.integers(0, 79), st.integers(1, 9)), max_size=5))
    places = {(a, min(a + n, len(text))) for a, n in edges if a < len(text)}
    found = [Place(TextSpan(a, b, text[a:b]), "x", "", (), ("t",), 1.0) for a, b in sorted(places)]
    write_extracted([Document("t", text, tuple(found))], VOCABULARY, tmp_path / "t.html")
    assert "".join(Page(tmp_path / "t.html").blocks) == text


@pytest.mark.system
def test_a_browser_draws_the_arrows_and_runs_nothing_else(page: Path, tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    assert browser is not None, "install chromium: apt-get install chromium"
    told = subprocess.run(
        [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--virtual-time-budget=3000",
            f"--user-data-dir={tmp_path / 'u'}", "--enable-logging=stderr", "--v=0", "--dump-dom", page.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert "owned" not in re.findall(r"<title>(.*?)</title>", told.stdout)[0]
    assert told.stdout.count('class="tip"') >= 3
    assert "Uncaught" not in told.stderr
    assert "Content Security Policy" not in told.stderr
