"""Broken, lying and harmful files: refused or read in part, with a reason; memory is bounded, the batch goes on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from kgfuse.catalog import Blobs, Catalog
from kgfuse.encode.preprocess_image import open_image
from kgfuse.errors import SourceError
from kgfuse.ontology import Vocabulary, load_all
from kgfuse.workspace.intake import Intake
from kgfuse.workspace.landing import AddReport
from tests.sources.hostile import SECRET, Hostile, corpus, unreadable_pictures
from tests.sources.made import report

MOST_MEMORY = 1_200_000_000
FILES = {one.name: one for one in corpus()}


@pytest.fixture(scope="module")
def added(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Intake, AddReport, Path, int]]:
    folder = tmp_path_factory.mktemp("hostile") / "docs"
    for name, one in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(one.content)
        FILES[name] = Hostile(name, b"", one.refused)  # the large ones need not stay in memory
    (folder / "good.txt").write_text("The owl eats mice.")
    workspace = folder.parent / "ws"
    workspace.mkdir()
    catalog = Catalog(workspace)
    process, most = psutil.Process(), 0

    def look(name: str) -> None:
        nonlocal most
        most = max(most, process.memory_info().rss)

    before = process.memory_info().rss
    intake = Intake(catalog, Blobs(workspace / "blobs"), Vocabulary(load_all(["field-guide"])), on_file=look)
    told = intake.add([folder])
    yield intake, told, folder, most - before
    catalog.close()


def test_there_are_at_least_eighty_of_them() -> None:
    assert len([n for n in FILES if not n.endswith(".toml")]) + len(list(unreadable_pictures())) >= 80


@pytest.mark.parametrize("name", sorted(n for n, one in FILES.items() if one.refused))
def test_it_is_refused_with_file_reason_and_remedy(added: tuple[Intake, AddReport, Path, int], name: str) -> None:
    intake, _, folder, _ = added
    place = f"docs/{name}"
    mine = [p for p in intake.catalog.problems() if p.place == place or p.place.startswith((place + "/", place + ":"))]
    assert mine
    for problem in mine:
        assert str(folder) in problem.message
        assert problem.remedy
        assert len(problem.message) < 1000
    assert not [row for row in intake.catalog.sources() if row.name == place]


def test_the_others_are_read_as_far_as_they_go_and_the_good_one_is_there(
    added: tuple[Intake, AddReport, Path, int],
) -> None:
    intake, _, _, _ = added
    names = {row.name for row in intake.catalog.sources()}
    assert "docs/good.txt" in names
    wanted = {f"docs/{n}" for n, one in FILES.items() if not one.refused and not n.endswith(".toml")}
    told = {p.place for p in intake.catalog.problems()}
    assert wanted <= names | told


def test_memory_stays_bounded_and_nothing_leads_out(added: tuple[Intake, AddReport, Path, int]) -> None:
    intake, _, folder, most = added
    assert most < MOST_MEMORY
    assert not [
        p for p in (folder.parent / "evil.txt", folder.parent.parent / "evil.txt", Path("/evil.txt")) if p.exists()
    ]
    for row in intake.catalog.sources():
        assert SECRET not in intake.blobs.read_bytes(row.sha256)
        if row.text_sha256:
            text = intake.blobs.read_text(row.text_sha256)
            assert SECRET.decode() not in text
            assert len(text) <= 1_000_000


def test_a_file_that_is_mended_is_no_problem_any_more(tmp_path: Path) -> None:
    (tmp_path / "ws").mkdir()
    (tmp_path / "docs").mkdir()
    catalog = Catalog(tmp_path / "ws")
    intake = Intake(catalog, Blobs(tmp_path / "ws" / "blobs"), Vocabulary(load_all(["field-guide"])))
    (tmp_path / "docs" / "cut.pdf").write_bytes(b"%PDF-1.7")
    assert len(intake.add([tmp_path / "docs"]).problems) == 1
    (tmp_path / "docs" / "cut.pdf").write_bytes(report())
    assert intake.add([tmp_path / "docs"]).problems == []
    assert catalog.problems() == []
    catalog.close()


@pytest.mark.parametrize("one", unreadable_pictures(), ids=lambda one: one.name)
def test_a_picture_that_cannot_be_read_is_refused_when_it_is_looked_at(tmp_path: Path, one: Hostile) -> None:
    path = tmp_path / one.name
    path.write_bytes(one.content)
    with pytest.raises(SourceError) as caught:
        open_image(path)
    assert str(path) in caught.value.message


def test_names_of_any_script_and_none_are_told(tmp_path: Path) -> None:
    (tmp_path / "ws").mkdir()
    catalog = Catalog(tmp_path / "ws")
    folder = tmp_path / "docs"
    folder.mkdir()
    for name in ("梟.pdf", "בומה.docx", "a\nb.zip", "🦉.html", " .xlsx"):
        (folder / name).write_bytes(b"%PDF-1.7 no")
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.pdf")).write_bytes(b"%PDF-1.7 no")
    intake = Intake(catalog, Blobs(tmp_path / "ws" / "blobs"), Vocabulary(load_all(["field-guide"])))
    assert len(intake.add([folder]).problems) == 6
    assert len(catalog.problems()) == 6
    catalog.close()
