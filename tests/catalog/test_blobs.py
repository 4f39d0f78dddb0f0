"""Blobs are written whole under their hash, and texts keep every code point."""

import hashlib
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgfuse.catalog import Blobs
from kgfuse.errors import WorkspaceError


@pytest.fixture
def blobs(tmp_path):
    return Blobs(tmp_path / "blobs")


def test_bytes_lie_under_their_hash(blobs, tmp_path):
    sha256 = blobs.put(b"abc")
    assert sha256 == hashlib.sha256(b"abc").hexdigest()
    assert blobs.path(sha256) == tmp_path / "blobs" / sha256[:2] / sha256
    assert sha256 in blobs


def test_a_file_and_its_bytes_are_one_blob(blobs, tmp_path):
    (tmp_path / "f").write_bytes(b"x" * 3_000_000)
    assert blobs.put(tmp_path / "f") == blobs.put(b"x" * 3_000_000)
    assert len(list(blobs.folder.glob("??/*"))) == 1


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_comes_back_code_point_for_code_point(tmp_path_factory, text):
    blobs = Blobs(tmp_path_factory.getbasetemp() / "texts")
    assert blobs.read_text(blobs.put_text(text)) == text


def test_line_ends_and_byte_order_marks_stay(blobs):
    text = "\ufeffa\r\nb\rc\u2028e\u0301"
    assert blobs.read_text(blobs.put_text(text)) == text


def test_a_failed_write_leaves_nothing(blobs, monkeypatch):
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WorkspaceError, match=r"No space left on device.*free some space"):
        blobs.put(b"abc")
    assert [p for p in blobs.folder.rglob("*") if p.is_file()] == []


def test_garbage_goes_and_what_is_kept_stays(blobs):
    keep, lose = blobs.put(b"keep"), blobs.put(b"lose")
    (blobs.folder / "in" / ".partial-old").write_bytes(b"left by a kill")
    assert blobs.collect_garbage([keep]) == 2
    assert keep in blobs
    assert lose not in blobs


def test_a_lost_blob_is_told(blobs):
    with pytest.raises(WorkspaceError, match=r"lost this content.*again"):
        blobs.read_text("00" * 32)


def test_a_name_that_is_no_hash_never_leaves_the_folder(blobs):
    with pytest.raises(WorkspaceError, match="not a SHA-256"):
        blobs.path("../../etc/passwd")
