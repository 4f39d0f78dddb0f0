"""Archives are unpacked within limits; what would lead out of them, or is too much, is left out and said."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from pathlib import Path

import pytest

from kgfuse.errors import SourceError
from kgfuse.sources import archives
from kgfuse.sources.archives import Budget, unpack
from kgfuse.sources.identify import identify
from tests.sources.made import zipped


def tar(members: dict[str, bytes], **other: tarfile.TarInfo) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in other.values():
            archive.addfile(info)
    return held.getvalue()


def out_of(path: Path, into: Path) -> tuple[list[str], list[str]]:
    """The files that come out, and what is said of the others."""
    into.mkdir()
    problems = unpack(path, identify(path).media_type, into, Budget(path.stat().st_size))
    said = [f"{p.where}: {p.what}" for p in problems]
    return sorted(f.relative_to(into).as_posix() for f in into.rglob("*") if f.is_file()), said


@pytest.mark.parametrize("pack", [lambda d: d, gzip.compress, bz2.compress, lzma.compress])
def test_a_tar_is_unpacked_however_it_is_compressed(tmp_path: Path, pack) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "a.tar").write_bytes(pack(tar({"b/owl.txt": b"An owl.", "c.txt": b"A fox."})))
    assert out_of(tmp_path / "a.tar", tmp_path / "out") == (["b/owl.txt", "c.txt"], [])
    assert (tmp_path / "out/b/owl.txt").read_bytes() == b"An owl."


def test_a_file_without_a_name_is_left_out(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"x1.txt": b"?", "owl.txt": b"An owl."})
    path.write_bytes(path.read_bytes().replace(b"x1.txt", b"\0x.txt"))  # a name ends at a zero byte
    assert out_of(path, tmp_path / "out") == (["owl.txt"], ["file 1: has no name"])


def test_one_compressed_file_is_an_archive_of_one(tmp_path: Path) -> None:
    (tmp_path / "owl.txt.gz").write_bytes(gzip.compress(b"An owl."))
    assert out_of(tmp_path / "owl.txt.gz", tmp_path / "out") == (["owl.txt"], [])


@pytest.mark.parametrize(
    "name",
    ["../evil.txt", "a/../../evil.txt", "/evil.txt", "C:\\evil.txt", "..\\evil.txt", "a\x07b.txt", "x/" * 70 + "y"],
)
def test_a_name_that_leads_out_is_left_out(tmp_path: Path, name: str) -> None:
    path = zipped(tmp_path / "a.zip", {name: b"evil", "good.txt": b"good"})
    names, said = out_of(path, tmp_path / "out")
    assert names == ["good.txt"]
    assert "leads out" in said[0]
    (tmp_path / "b.tar").write_bytes(tar({name: b"evil", "good.txt": b"good"}))
    assert out_of(tmp_path / "b.tar", tmp_path / "out2")[0] == ["good.txt"]
    assert not list(tmp_path.glob("evil*"))


def test_links_and_devices_are_left_out(tmp_path: Path) -> None:
    link, device = tarfile.TarInfo("link"), tarfile.TarInfo("device")
    link.type, link.linkname, device.type = tarfile.SYMTYPE, "/etc/passwd", tarfile.CHRTYPE
    (tmp_path / "a.tar").write_bytes(tar({"good.txt": b"good"}, link=link, device=device))
    names, said = out_of(tmp_path / "a.tar", tmp_path / "out")
    assert names == ["good.txt"]
    assert len(said) == 2
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
        archive.writestr("good.txt", "good")
    names, said = out_of(tmp_path / "a.zip", tmp_path / "out2")
    assert (names, len(said)) == (["good.txt"], 1)


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "gz"])
def test_a_bomb_is_stopped_when_it_has_unpacked_too_much(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_ALWAYS", 3_000_000)
    zeros = bytes(20_000_000)
    path = tmp_path / f"a.{kind}"
    if kind == "zip":
        zipped(path, {"a.txt": zeros})
    else:
        path.write_bytes(gzip.compress(tar({"a.txt": zeros}) if kind == "tar.gz" else zeros))
    into = tmp_path / "out"
    into.mkdir()
    with pytest.raises(SourceError, match="bomb"):
        list(unpack(path, identify(path).media_type, into, Budget(path.stat().st_size)))
    assert sum(f.stat().st_size for f in into.rglob("*") if f.is_file()) <= 5_000_000


def test_too_many_members_are_too_much(tmp_path: Path) -> None:
    for path in (zipped(tmp_path / "a.zip", {f"{n}": b"x" for n in range(9)}), tmp_path / "a.tar"):
        if path.suffix == ".tar":
            path.write_bytes(tar({f"{n}": b"x" for n in range(9)}))
        into = tmp_path / f"out{path.suffix}"
        into.mkdir()
        with pytest.raises(SourceError, match="more than"):
            list(unpack(path, identify(path).media_type, into, Budget(path.stat().st_size, files=5)))


def test_a_damaged_archive_gives_what_came_before_the_damage(tmp_path: Path) -> None:
    data = gzip.compress(tar({"a.txt": b"An owl.", "b.txt": bytes(range(256)) * 4000}))
    (tmp_path / "a.tar.gz").write_bytes(data[: len(data) // 2])
    into = tmp_path / "out"
    into.mkdir()
    with pytest.raises(SourceError, match="damaged"):
        list(unpack(tmp_path / "a.tar.gz", "application/gzip", into, Budget(len(data))))
    assert (into / "a.txt").read_bytes() == b"An owl."


def test_members_with_a_password_or_a_wrong_checksum_are_left_out(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a.txt": b"An owl eats mice." * 9, "good.txt": b"good"})
    data = bytearray(path.read_bytes())
    data[data.index(b"a.txt") + 8] ^= 0xFF
    path.write_bytes(data)
    names, said = out_of(path, tmp_path / "out")
    assert (names, len(said)) == (["good.txt"], 1)
