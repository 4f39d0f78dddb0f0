"""A workspace that is missing, damaged or from a newer kgfuse says so: which file, and what to do."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from kgfuse import Workspace
from kgfuse.errors import KgfuseError, PackError, WorkspaceError
from tests.workspace.samples import graph_hash, texts, workspace


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A built workspace that is closed, and its hash; tests damage copies of it."""
    root = tmp_path_factory.mktemp("kept")
    with workspace(root / "ws", texts(root / "docs", {"owl": "The owl eats mice."})) as ws:
        return ws.path, graph_hash(ws)


@pytest.fixture
def copy(kept: tuple[Path, str], tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept[0], tmp_path / "ws"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe\x00", "cannot be read"),
        (b"ontologies = [", "cannot be read"),
        (b'nonsense = "x"', "nonsense"),
        (b"seed = 'many'", "seed"),
        (b"format = 999", "newer kgfuse"),
        (b"format = 'x'", "format"),
        (b"[extract.text]\nlexicn = true", "extract.text.lexicn"),
        (b"", ""),
    ],
)
def test_a_garbled_settings_file(copy: Path, content: bytes, said: str) -> None:
    (copy / "kgfuse.toml").write_bytes(content)
    if not said:
        Workspace.open(copy).close()  # all defaults
        return
    with pytest.raises(WorkspaceError, match=said) as caught:
        Workspace.open(copy)
    assert str(copy) in caught.value.where
    assert caught.value.remedy


def test_a_folder_that_is_no_workspace(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path, tmp_path / "nowhere", tmp_path / "file"):
        with pytest.raises(WorkspaceError, match="not a kgfuse workspace") as caught:
            Workspace.open(path)
        assert "kgfuse init" in caught.value.remedy


def test_a_catalog_that_is_no_database(copy: Path) -> None:
    for name in ("catalog.sqlite-wal", "catalog.sqlite-shm"):
        (copy / name).unlink(missing_ok=True)
    (copy / "catalog.sqlite").write_bytes(b"garbage" * 1000)
    with pytest.raises(WorkspaceError, match=r"catalog\.sqlite") as caught:
        Workspace.open(copy)
    assert caught.value.remedy


def test_a_catalog_from_a_newer_version(copy: Path) -> None:
    with sqlite3.connect(copy / "catalog.sqlite") as connection:
        connection.execute("UPDATE schema_version SET version = 999")
    connection.close()
    with pytest.raises(WorkspaceError, match="newer kgfuse"):
        Workspace.open(copy)


def test_a_damaged_graph_is_told_and_the_lock_is_let_go(copy: Path) -> None:
    (copy / "graph" / "CURRENT").write_text("nonsense\n")
    for _ in range(2):
        with pytest.raises(WorkspaceError, match="graph cannot be opened") as caught:
            Workspace.open(copy)
        assert str(copy / "graph") in caught.value.where
        assert caught.value.remedy


def test_a_graph_that_was_deleted_is_built_again(copy: Path, kept: tuple[Path, str]) -> None:
    shutil.rmtree(copy / "graph")
    with Workspace.open(copy) as ws:
        report = ws.build()
        assert (report.extracted, report.unchanged) == (0, False)
        assert graph_hash(ws) == kept[1]


def test_lost_content_is_told(copy: Path) -> None:
    shutil.rmtree(copy / "blobs")
    with Workspace.open(copy) as ws:
        texts(copy.parent / "docs", {"bat": "The bat eats moths."})
        ws.add(copy.parent / "docs")
        with pytest.raises(WorkspaceError, match="lost this content") as caught:
            ws.build()
        assert "add the source" in caught.value.remedy


def test_an_ontology_that_went_away_is_told(tmp_path: Path) -> None:
    pack = tmp_path / "own.ttl"
    pack.write_text("<urn:e/A> a <http://www.w3.org/2002/07/owl#Class> .")
    Workspace.create(tmp_path / "ws", [str(pack)]).close()
    pack.unlink()
    with pytest.raises(PackError, match=r"own\.ttl"), Workspace.open(tmp_path / "ws") as ws:
        ws.build()


def test_a_workspace_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = texts(tmp_path / "docs")
    with pytest.raises(WorkspaceError, match="not an empty folder"):
        Workspace.create(folder)
    broken = tmp_path / "broken.ttl"
    broken.write_text("nonsense")
    for ontology in ("no-such-pack", str(broken)):
        with pytest.raises(KgfuseError):
            Workspace.create(tmp_path / "ws", [ontology])
        assert not (tmp_path / "ws").exists()
    with pytest.raises(WorkspaceError, match="nonsense"):
        Workspace.create(tmp_path / "ws", [], {"nonsense": 1})
    assert not (tmp_path / "ws").exists()
    Workspace.create(tmp_path / "ws").close()
    with pytest.raises(WorkspaceError, match="a workspace already"):
        Workspace.create(tmp_path / "ws")


def test_a_folder_in_the_way_does_not_hide_a_registered_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    texts(tmp_path / "retail")
    with Workspace.create("ws", ["retail"]) as ws:
        assert "retail" in [p.name for p in ws.vocabulary.packs]
