"""Files and folders become sources and items; what cannot be used is a problem, and the rest goes on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from kgfuse.errors import SourceError, UsageError
from kgfuse.ontology import Vocabulary
from kgfuse.sources.places import CharacterPlaces, loads
from kgfuse.terms.namespaces import RDF
from kgfuse.workspace.intake import Intake
from kgfuse.workspace.removal import remove
from tests.workspace.samples import ITEM, TEXTS, graph_hash, names, shape, texts, workspace

TYPE = RDF + "type"


def test_a_text_and_pictures_of_one_name_in_a_folder_are_one_item(intake: Intake, tmp_path: Path) -> None:
    folder = texts(tmp_path / "docs")
    shape(folder / "owl.png", "brown")
    shape(folder / "birds" / "owl.png", "brown")
    report = intake.add([folder])
    assert (report.added, report.items, report.problems) == (5, 4, [])
    of = {row.name: row.item for row in intake.catalog.sources()}
    assert of["docs/owl.txt"] == of["docs/owl.png"] == ITEM + "docs/owl"
    assert of["docs/birds/owl.png"] == ITEM + "docs/birds/owl"


def test_a_photo_whose_exif_cannot_be_is_kept_and_what_was_ignored_is_told(intake: Intake, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (91.0, 0.0, 0.0), 3: "E", 4: (2.0, 0.0, 0.0)})
    Image.new("RGB", (40, 20), "red").save(tmp_path / "photo.jpg", exif=exif)
    assert intake.add([tmp_path / "photo.jpg"]).added == 1
    (problem,) = intake.catalog.problems()
    assert problem.place == "photo.jpg"
    assert "within ±90" in problem.message


def test_names_in_any_script_and_with_awkward_characters_are_kept(intake: Intake, tmp_path: Path) -> None:
    stems = [
        "Käuzchen",
        "梟",
        "بومة",
        "a b",
        "50%",
        "no#1",
        'say "owl"',
        "it's",
        "a+b&c=d?",
        "owl🦉",
        "line\nbreak",
        "a\\b",
    ]
    folder = texts(tmp_path / "docs", dict.fromkeys(stems, "An owl."))
    assert intake.add([folder]).problems == []
    assert names(intake) == sorted(f"docs/{s}.txt" for s in stems)
    assert len({row.item for row in intake.catalog.sources()}) == len(stems)


def test_a_name_that_is_no_unicode_is_a_problem_not_a_crash(intake: Intake, tmp_path: Path) -> None:
    folder = texts(tmp_path / "docs")
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.txt")).write_text("An owl.")
    report = intake.add([folder])
    assert report.added == len(TEXTS)
    assert [p for p in report.problems if "not valid Unicode" in p and "rename" in p]
    assert len(intake.catalog.problems()) == 1


def test_one_bad_file_does_not_stop_the_batch(intake: Intake, tmp_path: Path) -> None:
    folder = texts(tmp_path / "docs", {**TEXTS, "blank": " \n"})
    (folder / "empty.txt").touch()
    (folder / "latin.txt").write_bytes("Käuzchen".encode("cp1252"))
    (folder / "report.txt").write_bytes(b"%PDF-1.7")
    (folder / "gone.txt").symlink_to("nowhere")
    (folder / "circle.txt").symlink_to("circle.txt")
    report = intake.add([folder])
    assert report.added == len(TEXTS)
    assert len(report.problems) == 6
    assert {i.label for i in intake.catalog.items()} == set(TEXTS)
    assert {p.place for p in intake.catalog.problems()} == {
        f"docs/{n}.txt" for n in ("blank", "empty", "latin", "report", "gone", "circle")
    }


def test_a_mended_file_is_no_problem_any_more(intake: Intake, tmp_path: Path) -> None:
    folder = texts(tmp_path / "docs")
    (folder / "owl.txt").write_bytes(b"")
    assert len(intake.add([folder]).problems) == 1
    texts(folder)
    assert intake.add([folder]).problems == []
    assert intake.catalog.problems() == []


def test_a_file_mended_and_added_under_another_name_is_no_problem_any_more(
    intake: Intake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = texts(tmp_path / "docs")
    for name in ("a.txt", "b.txt", "c.txt"):
        (folder / name).touch()
    monkeypatch.chdir(tmp_path)
    intake.add(["docs"])
    places = {"docs/a.txt", "docs/b.txt", "docs/c.txt"}
    assert {p.place for p in intake.catalog.problems()} == places
    (folder / "a.txt").write_text("The owl eats mice.")
    assert intake.add([folder / "a.txt", folder / "b.txt"]).added == 1
    assert {p.place for p in intake.catalog.problems()} == {"b.txt", "docs/c.txt"}
    (folder / "c.txt").unlink()
    (folder / "b.txt").unlink()
    intake.add([folder])
    assert intake.catalog.problems() == []


def test_what_is_removed_is_no_problem_any_more(intake: Intake, tmp_path: Path) -> None:
    folder = texts(tmp_path / "docs")
    for name in ("a.txt", "b.txt", "c.txt"):
        (folder / name).touch()
    intake.add([folder])
    assert remove(intake.catalog, "docs/a.txt") == 0
    assert {p.place for p in intake.catalog.problems()} == {"docs/b.txt", "docs/c.txt"}
    assert remove(intake.catalog, str(folder / "b.txt")) == 0
    assert remove(intake.catalog, "docs") == len(TEXTS)
    assert intake.catalog.problems() == []
    with pytest.raises(UsageError):
        remove(intake.catalog, "docs/a.txt")


def test_a_path_that_does_not_exist_is_refused_before_anything_is_added(intake: Intake, tmp_path: Path) -> None:
    folder = texts(tmp_path / "docs")
    with pytest.raises(SourceError, match="no such file or folder"):
        intake.add([folder, tmp_path / "nowhere"])
    assert names(intake) == []


def test_adding_again_leaves_alone_what_has_not_changed(intake: Intake, tmp_path: Path) -> None:
    folder = texts(tmp_path / "docs")
    intake.add([folder])
    before = intake.catalog.sources()
    (folder / "owl.txt").write_text("The owl eats voles.")
    report = intake.add([folder])
    assert (report.added, report.changed, report.unchanged) == (0, 1, 2)
    after = intake.catalog.sources()
    assert [r for r in after if r not in before] == [r for r in after if r.name == "docs/owl.txt"]


def test_naming_the_right_encoding_later_replaces_what_was_misread(
    intake: Intake, tmp_path: Path, vocabulary: Vocabulary
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("Käuzchen".encode("cp1252"))
    Intake(intake.catalog, intake.blobs, vocabulary, "cp437").add([path])
    report = Intake(intake.catalog, intake.blobs, vocabulary, "cp1252").add([path])
    assert report.changed == 1
    (row,) = intake.catalog.sources()
    assert intake.blobs.read_text(str(row.text_sha256)) == "Käuzchen"


def test_two_files_that_would_have_one_name_are_never_mixed_up(intake: Intake, tmp_path: Path) -> None:
    one, two = texts(tmp_path / "x" / "docs"), texts(tmp_path / "y" / "docs", {"owl": "Another owl.", "elm": "An elm."})
    intake.add([one])
    report = intake.add([two])
    assert report.added == 1
    assert "x/docs/owl.txt, which is docs/owl.txt here already" in report.problems[0]
    row = intake.catalog.source("docs/owl.txt")
    assert row is not None
    assert row.location == str(one / "owl.txt")


def test_a_folder_that_was_moved_is_still_the_same_sources(intake: Intake, tmp_path: Path) -> None:
    folder = texts(tmp_path / "x" / "docs")
    intake.add([folder])
    (tmp_path / "y").mkdir()
    folder = folder.rename(tmp_path / "y" / "docs")
    report = intake.add([folder])
    assert (report.added, report.unchanged, report.problems) == (0, 3, [])
    assert {Path(r.location).parent for r in intake.catalog.sources()} == {folder}


def test_a_file_that_was_added_with_its_folder_is_not_added_twice(intake: Intake, tmp_path: Path) -> None:
    folder = texts(tmp_path / "docs")
    intake.add([folder])
    assert intake.add([folder / "owl.txt"]).unchanged == 1
    assert len(names(intake)) == len(TEXTS)


def test_results_of_a_program_are_a_source_that_can_be_replaced_and_removed(tmp_path: Path) -> None:
    import pyoxigraph as ox

    def score(value: str) -> ox.Triple:
        return ox.Triple(ox.NamedNode("urn:x:a"), ox.NamedNode("urn:x:rank"), ox.Literal(value))

    with workspace(tmp_path / "ws", texts(tmp_path / "docs")) as ws:
        before = graph_hash(ws)
        ws.add_statements("computed/rank", [score("1")])
        ws.add_statements("computed/rank", [score("2")])
        ws.build()
        assert [r["v"] for r in ws.query("SELECT ?v { <urn:x:a> <urn:x:rank> ?v }")] == ["2"]
        assert ws.check().findings == ()
        ws.remove("computed/rank")
        assert graph_hash(ws) == before
        with pytest.raises(UsageError):
            ws.add_statements("docs/owl.txt", [])


# languages and normal forms


def test_a_text_in_a_language_without_a_model_is_kept_searchable_and_said_to_be_unextracted(tmp_path: Path) -> None:
    german = "Das Käuzchen frisst Mäuse und lebt im Wald. Die Größe beträgt über dreißig Zentimeter; Grüße aus Köln."
    folder = texts(tmp_path / "docs", {"owl": TEXTS["owl"], "eule": german})
    with workspace(tmp_path / "ws", folder) as ws:
        (problem,) = ws.problems()
        assert (problem.place, problem.stage) == ("docs/eule.txt", "language")
        assert "German" in problem.message
        assert [found.hit.name for found in ws.search("Mäuse")] == ["docs/eule.txt"]
        assert {m.file_name for s in ws.graph.statements() for m in s.mentions} == {"docs/owl.txt"}
        ws.add(folder, language="en")
        ws.build()
        assert ws.problems() == []


def test_a_text_is_stored_in_one_form_with_a_way_back_to_its_file(intake: Intake, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("Ka\u0308uzchen\r\nfressen".encode())
    intake.add([tmp_path / "a.txt"])
    (row,) = intake.catalog.sources()
    assert intake.blobs.read_text(str(row.text_sha256)) == "Käuzchen\nfressen"
    places = loads(intake.blobs.read_bytes(row.meta["places"]))
    assert isinstance(places, CharacterPlaces)
    assert places.original(9, 16) == (11, 18)


def test_blank_nodes_that_would_keep_a_canonicalisation_busy_for_days_are_read_at_once(tmp_path: Path) -> None:
    clique = "".join(f"_:b{i} <urn:x:p> _:b{j} .\n" for i in range(12) for j in range(12) if i != j)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "clique.nt").write_text(clique, encoding="utf-8")
    with workspace(tmp_path / "ws", tmp_path / "docs") as ws:
        assert len(ws.query("SELECT ?s ?o { ?s <urn:x:p> ?o }")) == 132
        assert ws.check().findings == ()
