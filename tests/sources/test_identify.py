"""What is identified as what, and how texts are decoded."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from kgfuse.errors import SourceError
from kgfuse.sources import decoding
from kgfuse.sources import identify as files


def picture(form: str) -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(held, form)
    return held.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "kind", "media_type"),
    [
        ("a.txt", b"An owl.", "text", "text/plain"),
        ("a.md", b"# An owl", "text", "text/markdown"),
        ("no suffix", "Ein Käuzchen".encode(), "text", "text/plain"),
        ("a.ttl", b"<urn:a> <urn:b> <urn:c> .", "rdf", "text/turtle"),
        ("a.JSONLD", b"{}", "rdf", "application/ld+json"),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image", "image/svg+xml"),
        ("wrong suffix.txt", picture("PNG"), "image", "image/png"),
        ("a.jpg", picture("JPEG"), "image", "image/jpeg"),
        ("a.gif", picture("GIF"), "image", "image/gif"),
        ("a.webp", picture("WEBP"), "image", "image/webp"),
        ("a.bmp", picture("BMP"), "image", "image/bmp"),
        ("a.tif", picture("TIFF"), "image", "image/tiff"),
    ],
)
def test_a_files_kind_is_told_by_its_content(
    tmp_path: Path, name: str, content: bytes, kind: str, media_type: str
) -> None:
    (tmp_path / name).write_bytes(content)
    found = files.identify(tmp_path / name)
    assert (found.kind, found.media_type) == (kind, media_type)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"PK\x03\x04....", "damaged zip"),
        (b"{\\rtf1 An owl.}", "rich text"),
        (b"Rar!...", "RAR"),
        (b"\x7fELF....", "program"),
        (b"\x01\x02\x00\x03", "binary"),
        (b"", "empty"),
        (b"a" * (4 * decoding.MAX_TEXT_CHARACTERS + 5), "characters"),
    ],
)
def test_what_only_claims_to_be_text_is_refused_with_the_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "report.txt"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=reason) as caught:
        files.identify(path)
    assert caught.value.where == str(path)
    assert caught.value.remedy


def test_what_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.txt").mkdir()
    (tmp_path / "dangling.txt").symlink_to(tmp_path / "nowhere")
    (tmp_path / "circle.txt").symlink_to(tmp_path / "circle.txt")
    for name, reason in (
        ("folder.txt", "regular file"),
        ("dangling.txt", "no such file"),
        ("circle.txt", "symbolic links"),
    ):
        with pytest.raises(SourceError, match=reason):
            files.identify(tmp_path / name)


def test_hidden_files_and_other_workspaces_are_passed_over(tmp_path: Path) -> None:
    for name in (
        "a.txt",
        ".hidden",
        ".git/config",
        "b/c.txt",
        "old.kg/kgfuse.toml",
        "old.kg/blobs/x",
        "b/old.kg/x.txt",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "b/around").symlink_to(tmp_path)
    found = [p.relative_to(tmp_path).as_posix() for p in files.walk(tmp_path)]
    assert found == ["a.txt", "b/c.txt", "b/old.kg/x.txt"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_decides_the_encoding(encoding: str) -> None:
    text = "Ein Käuzchen\r\nfrisst Mäuse 🦉"
    assert decoding.decode(text.encode(encoding), "a.txt") == text


@given(st.text(min_size=1).filter(lambda t: t.strip() and "\0" not in t and t[0] != "\ufeff"))
def test_a_text_is_kept_code_point_for_code_point(text: str) -> None:
    """Line ends, combining marks and normal forms too: offsets count these very characters."""
    assert decoding.decode(text.encode(), "a.txt") == text


def test_a_wrong_encoding_is_told_with_line_and_remedy() -> None:
    data = "Eule\nKäuzchen".encode("cp1252")
    with pytest.raises(SourceError, match=r"a\.txt:2: not valid UTF-8 at byte 6") as caught:
        decoding.decode(data, "a.txt")
    assert "--encoding" in caught.value.remedy
    assert decoding.decode(data, "a.txt", "cp1252") == "Eule\nKäuzchen"


@pytest.mark.parametrize(
    ("data", "encoding", "reason"),
    [
        (b"x", "latin-9000", "no encoding is called 'latin-9000'"),
        (b" \t\r\n \xc2\xa0", None, "nothing but white space"),
        (b"An owl\x00 eats.", None, "NUL"),
        (b"\xff\xfeo\x00w\x00l", None, "not valid utf-16"),
        (b"a" * (decoding.MAX_TEXT_CHARACTERS + 1), None, "1,000,001 characters"),
    ],
)
def test_what_is_no_text_is_refused(data: bytes, encoding: str | None, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        decoding.decode(data, "a.txt", encoding)
