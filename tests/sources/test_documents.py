"""Pages, word processor files and Markdown: words in order, each with its place; pictures with what is said of them."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from kgfuse.errors import SourceError
from kgfuse.sources import frames, html, odt, word
from kgfuse.sources.elements import Gathered
from kgfuse.sources.identify import identify
from kgfuse.sources.markdown import plain
from kgfuse.sources.places import ElementPlaces
from tests.sources import made


def page(folder: Path, text: str | bytes) -> Path:
    path = folder / "page.html"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_page_is_its_main_text(tmp_path: Path) -> None:
    found = html.read(page(tmp_path, made.PAGE), "page.html", tmp_path)
    assert found.title == "Owls & others"
    assert found.text.split("\n\n") == [
        "Owls of the north",
        "The snowy owl eats lemmings.\nIt hunts by day.",
        "Fig. 1: the owl",
        "It is white.",
        "It is large.",
        "bird | food",
        "tawny owl | mice",
        "a = 1\n  b = 2",
        "The tawny owl lives in the forest, in parks and in gardens, and is heard at night far more often than it is "
        "seen.",
        "",
    ]


def test_a_paragraph_has_the_path_of_its_element(tmp_path: Path) -> None:
    found = html.read(page(tmp_path, made.PAGE), "page.html", tmp_path)
    assert isinstance(found.places, ElementPlaces)
    for words, path in (
        ("lemmings", "/html[1]/body[1]/main[1]/p[1]"),
        ("It is large", "/html[1]/body[1]/main[1]/ul[2]/li[2]"),
        ("Fig. 1", "/html[1]/body[1]/main[1]/figure[1]/figcaption[1]"),
    ):
        assert found.places.path(found.text.index(words)) == path


def test_a_picture_beside_a_page_has_its_caption_and_alternative_text(tmp_path: Path) -> None:
    (picture,) = html.read(page(tmp_path, made.PAGE), "page.html", tmp_path).pictures
    assert (picture.beside, picture.caption, picture.alternative) == (
        "pictures/owl 1.png",
        "Fig. 1: the owl",
        "A white owl",
    )


def test_a_picture_within_a_page_is_saved(tmp_path: Path) -> None:
    data = base64.b64encode(made.png()).decode()
    text = f"<html><p>The owl eats mice.</p><img alt='red' src='data:image/png;base64,{data}'></html>"
    (picture,) = html.read(page(tmp_path, text), "page.html", tmp_path).pictures
    assert (tmp_path / picture.file).read_bytes() == made.png()


@pytest.mark.parametrize(
    ("head", "encoding"),
    [("<meta charset=windows-1252>", "cp1252"), ("", "utf-8"), ("", "utf-16"), ("<meta charset=nonsense>", "utf-8")],
)
def test_a_page_says_its_encoding(tmp_path: Path, head: str, encoding: str) -> None:
    text = f"<html><head>{head}</head><body><p>Das Käuzchen frisst Mäuse.</p></body></html>"
    assert "Käuzchen frisst Mäuse" in html.read(page(tmp_path, text.encode(encoding)), "p", tmp_path).text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<html><script>x</script></html>", "without text"),
        ("<html>" + "<div>" * 6000 + "x", "nested more than"),
    ],
)
def test_pages_that_hold_nothing_or_too_much_are_refused(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        html.read(page(tmp_path, text), "page.html", tmp_path)


@settings(deadline=None)
@given(text=st.text(st.sampled_from("<>/=\"' &;!-abdipv\n\x00äé"), max_size=200))
def test_whatever_is_written_between_angle_brackets_ends_in_a_text_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    try:
        found = html.read(page(folder, "<html><p>An owl." + text), "page.html", folder)
    except SourceError:
        return
    assert isinstance(found.places, ElementPlaces)
    assert len(found.places.starts) == len(found.text.split("\n\n")) - 1


HTML_PIECES = [
    "<p>", "</p>", "<b>", "</b>", "<table><tr>", "<td>", "<br>", "<pre>", "</pre>", "<img src=a.png>", "<div>",
    "</div>", "<?pi?>",
    "<nav>", "</nav>", "<li hidden>", "</li>", "<!-- c -->", "<script>x</script>", "owl", "owl\neats", "\n", " ",
    "\xa0",
]  # fmt: skip


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(st.sampled_from(HTML_PIECES), max_size=20))
def test_words_of_an_element_are_the_same_at_once_and_piece_by_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: list[str]
) -> None:
    file = page(tmp_path, f"<body><p>begin</p>{''.join(parts)}the end</body>")
    at_once = html.read(file, "page.html", tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(html.Page, "_at_once", lambda self, node, level: False)
        assert html.read(file, "page.html", tmp_path) == at_once


def test_what_stands_after_a_line_break_alone_has_the_path_of_its_own_element(tmp_path: Path) -> None:
    found = html.read(page(tmp_path, "<body><div><p>An owl.</p></div><br>A cat.</body>"), "page.html", tmp_path)
    assert isinstance(found.places, ElementPlaces)
    assert found.places.path(found.text.index("cat")) == "/html[1]/body[1]"


PARAGRAPHS = st.lists(st.text(st.sampled_from("ab \n\t\x00\xa0\u3000\u200bée\u0301"), max_size=5), max_size=5)


@given(PARAGRAPHS, PARAGRAPHS, st.integers(0, 30))
def test_paragraphs_that_are_added_at_once_are_those_that_are_added_one_by_one(
    first: list[str], then: list[str], most: int
) -> None:
    at_once, one_by_one = Gathered(), Gathered()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kgfuse.sources.elements.MAX_TEXT_CHARACTERS", most)
        for texts in (first, then):
            at_once.extend(texts, [f"/p[{n}]" for n in range(len(texts))])
            for n, text in enumerate(texts):
                one_by_one.add(text.replace("\n", " "), f"/p[{n}]")
    assert (at_once.text, at_once.places, at_once.notes()) == (one_by_one.text, one_by_one.places, one_by_one.notes())


def test_a_word_file_is_its_paragraphs_and_cells_in_order(tmp_path: Path) -> None:
    found = word.read(made.word(tmp_path / "a.docx"), "a.docx", tmp_path)
    assert found.text.split("\n\n")[:-1] == [
        made.HEADING,
        "The snowy owl eats lemmings.",
        made.CAPTION,
        "bird",
        "food",
        "tawny owl",
        "mice",
    ]
    assert isinstance(found.places, ElementPlaces)
    assert found.places.path(found.text.index("tawny")) == "/w:document/w:body/w:tbl[1]/w:tr[2]/w:tc[1]/w:p[1]"
    (picture,) = found.pictures
    assert (picture.caption, picture.alternative) == (made.CAPTION, "A red field")
    assert (tmp_path / picture.file).read_bytes().startswith(b"\x89PNG")
    assert found.title == "Owls"


ODT_BODY = f"""
<text:tracked-changes><text:p>Deleted words.</text:p></text:tracked-changes>
<text:h>{made.HEADING}</text:h>
<text:p>The <text:span>snowy</text:span> owl<text:s text:c="2"/>eats<text:tab/>lemmings.<text:note>
<text:note-citation>1</text:note-citation><text:note-body><text:p>Mostly.</text:p></text:note-body></text:note></text:p>
<text:p><draw:frame><draw:text-box><text:p><draw:frame><draw:image xlink:href="Pictures/1.png"/>
<svg:desc>A red field</svg:desc></draw:frame>{made.CAPTION}</text:p></draw:text-box></draw:frame></text:p>
<text:list><text:list-item><text:p>It is white.</text:p></text:list-item></text:list>
<table:table><table:table-row><table:table-cell><text:p>tawny owl</text:p></table:table-cell>
<table:table-cell><text:p>mice</text:p></table:table-cell></table:table-row></table:table>
"""
ODT_META = b'<m xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Owls</dc:title></m>'


def test_an_opendocument_text_is_its_paragraphs_and_cells_in_order(tmp_path: Path) -> None:
    path = tmp_path / "a.odt"
    path.write_bytes(made.odt(ODT_BODY, members={"Pictures/1.png": made.png(), "meta.xml": ODT_META}))
    assert identify(path).media_type == made.ODT
    found = odt.read(path, "a.odt", tmp_path)
    assert found.text.split("\n\n")[:-1] == [
        made.HEADING,
        "The snowy owl eats lemmings.",
        "Mostly.",
        made.CAPTION,
        "It is white.",
        "tawny owl",
        "mice",
    ]
    assert isinstance(found.places, ElementPlaces)
    body = "/office:document-content/office:body/office:text"
    for words, at in (
        ("lemmings", "/text:p[1]"),
        ("white", "/text:list[1]/text:list-item[1]/text:p[1]"),
        ("tawny", "/table:table[1]/table:table-row[1]/table:table-cell[1]/text:p[1]"),
    ):
        assert found.places.path(found.text.index(words)) == body + at
    (picture,) = found.pictures
    assert (picture.caption, picture.alternative) == (made.CAPTION, "A red field")
    assert (tmp_path / picture.file).read_bytes().startswith(b"\x89PNG")
    assert found.title == "Owls"
    assert found.notes == ()


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["<text:p>", "</text:p>", "<text:s/>", "owl", "<draw:frame>", "</draw:frame>", "&x;"])))
def test_whatever_an_opendocument_text_holds_ends_in_a_text_or_an_error(tmp_path: Path, parts: list[str]) -> None:
    path = tmp_path / "a.odt"
    path.write_bytes(made.odt("".join(parts)))
    try:
        found = odt.read(path, "a.odt", tmp_path)
    except SourceError:
        return
    assert isinstance(found.places, ElementPlaces)
    assert len(found.places.starts) == len(found.text.split("\n\n")) - 1


def test_markdown_is_its_words_and_leads_back_to_them() -> None:
    text = (
        '---\ntitle: x\n---\n# The *owl*\n\nIt eats **mice** &amp; [voles](http://x "t")\nand `code`.\n\n- item\n\n'
        "| a | b |\n|---|---|\n| c | dd |\n\n```\ncode x\n```\n![alt](p.png)\n"
    )
    words = plain(text)
    assert words.text.split("\n\n")[:-1] == [
        "The owl",
        "It eats mice & voles and code.",
        "item",
        "a",
        "b",
        "c",
        "dd",
        "code x",
        "alt",
    ]
    for word_ in ("owl", "mice", "voles", "item", "dd", "code x", "alt"):
        at = words.text.index(word_)
        start, end = words.original(at, at + len(word_))
        assert text[start:end] == word_


def test_words_right_after_the_front_matter_lead_back_to_themselves() -> None:
    text = "---\ntitle: owls\n---\nThe owl.\n"
    found = plain(text)
    assert found.text == "The owl.\n\n"
    assert [text[slice(*found.original(n, n + 1))] for n in range(8)] == list("The owl.")


@settings(deadline=None)
@given(st.text(st.sampled_from("#*_`[]()!<>|-+.&; \nab1\\~"), max_size=120))
def test_places_in_any_markdown_are_in_order_and_inside(text: str) -> None:
    words = plain(text)
    before = 0
    for n in range(len(words.text)):
        start, end = words.original(n, n + 1)
        assert before <= start <= end <= len(text)
        before = start


def test_the_pages_of_a_tiff_after_the_first_are_pictures(tmp_path: Path) -> None:
    pages = [Image.new("RGB", (40, 40), c) for c in ("red", "green", "blue")]
    pages[0].save(tmp_path / "scan.tif", save_all=True, append_images=pages[1:])
    found = frames.read(tmp_path / "scan.tif", "scan.tif", tmp_path)
    assert [p.page for p in found.pictures] == [2, 3]
    with Image.open(tmp_path / found.pictures[1].file) as last:
        assert last.convert("RGB").getpixel((5, 5)) == (0, 0, 255)


def animation(path: Path, colours: Sequence[str]) -> Path:
    frames = [Image.new("RGB", (40, 40), c) for c in colours]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=[100 + n for n in range(len(frames))])
    return path


def test_the_frames_of_a_gif_after_the_first_are_pictures(tmp_path: Path) -> None:
    path = animation(tmp_path / "a.gif", ("red", "green", "blue"))
    found = frames.read_animation(path, "a.gif", tmp_path)
    assert [(p.name, p.page) for p in found.pictures] == [("frame-2.png", 2), ("frame-3.png", 3)]
    with Image.open(tmp_path / found.pictures[1].file) as last:
        assert last.convert("RGB").getpixel((5, 5)) == (0, 0, 255)
    one = frames.read_animation(animation(tmp_path / "b.gif", ("red",)), "b.gif", tmp_path)
    assert (one.pictures, one.notes) == ((), ())


def test_a_long_a_cut_and_a_lying_gif_end_well(tmp_path: Path) -> None:
    long = animation(tmp_path / "a.gif", [f"#{n:02x}0000" for n in range(0, 240, 4)])
    found = frames.read_animation(long, "a.gif", tmp_path)
    assert len(found.pictures) == frames.MAX_FRAMES - 1
    assert found.notes == ("only the first 50 frames were read",)
    data = animation(tmp_path / "b.gif", ("red", "green", "blue")).read_bytes()
    for end in range(13, len(data), 7):
        (tmp_path / "c.gif").write_bytes(data[:end])
        with suppress(SourceError):
            assert len(frames.read_animation(tmp_path / "c.gif", "c.gif", tmp_path).pictures) <= 2
    (tmp_path / "d.gif").write_bytes(b"GIF89a" + b"\xff" * 7)
    with pytest.raises(SourceError):
        frames.read_animation(tmp_path / "d.gif", "d.gif", tmp_path)


def test_a_gif_that_breaks_off_keeps_what_came_before(tmp_path: Path) -> None:
    data = animation(tmp_path / "a.gif", ("red", "green", "blue")).read_bytes()
    at = data.rindex(b"\x21\xf9")
    (tmp_path / "b.gif").write_bytes(data[: at + 9])
    found = frames.read_animation(tmp_path / "b.gif", "b.gif", tmp_path)
    assert [p.page for p in found.pictures] == [2]
