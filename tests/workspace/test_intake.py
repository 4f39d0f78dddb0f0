"""Files, folders and manifests become sources and items; what cannot be used is a problem, and the rest goes on."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from kgfuse.catalog import Blobs, Catalog
from kgfuse.errors import ManifestError, SourceError, UsageError
from kgfuse.ontology import Vocabulary, load_all
from kgfuse.sources.places import CharacterPlaces, loads
from kgfuse.terms.namespaces import OWL, RDF, XSD
from kgfuse.workspace.intake import Intake
from kgfuse.workspace.manifest import Entry, read
from kgfuse.workspace.removal import remove
from tests.workspace.samples import FG, ITEM, TEXTS, graph_hash, manifest, shape, texts, workspace

TYPE = RDF + "type"


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary(load_all(["field-guide"]))


@pytest.fixture
def intake(tmp_path: Path, vocabulary: Vocabulary) -> Iterator[Intake]:
    (tmp_path / "ws").mkdir()
    catalog = Catalog(tmp_path / "ws")
    yield Intake(catalog, Blobs(tmp_path / "ws" / "blobs"), vocabulary)
    catalog.close()


def names(intake: Intake) -> list[str]:
    return [row.name for row in intake.catalog.sources()]


# folders and files


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


# manifests


def test_a_manifest_says_what_an_item_is(intake: Intake, tmp_path: Path) -> None:
    shape(tmp_path / "data" / "a.png", "red")
    (tmp_path / "data" / "owl.txt").write_text(TEXTS["owl"])
    path = manifest(
        tmp_path / "data",
        [
            {
                "id": "owl",
                "name": "owl",
                "type": "fg:Thing",
                "text_path": "owl.txt",
                "images": "a.png",
                "label": "fg:Bird",
                "split": "val",
                "links": {"fg:eats": ["saw", "mouse"], "lives in": "fg:forest", "rdfs:comment": ["a", 3]},
            },
            {"id": "saw", "text": TEXTS["saw"], "label": ["Tool", "fg:Vehicle"]},
            {"id": 7, "type": "owl:Class"},
        ],
    )
    report = intake.add([path])
    assert (report.added, report.items, report.problems) == (4, 3, [])
    owl, saw, seven = (intake.catalog.item(ITEM + i) for i in ("owl", "saw", "7"))
    assert owl is not None and saw is not None and seven is not None  # noqa: PT018
    assert (owl.split, owl.types, owl.labels) == ("validation", (FG + "Thing",), {TYPE: (FG + "Bird",)})
    assert owl.links[FG + "eats"][0] == ITEM + "saw"
    assert owl.links[FG + "livesIn"] == (FG + "forest",)
    assert ["3", XSD + "integer", ""] in [list(v) for v in owl.links["http://www.w3.org/2000/01/rdf-schema#comment"]]
    assert saw.labels == {TYPE: (FG + "Tool", FG + "Vehicle")}
    assert seven.types == (OWL + "Class",)
    assert names(intake) == ["data/a.png", "data/manifest.jsonl", "data/manifest.jsonl#saw", "data/owl.txt"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{not json", ":2: not valid JSON"),
        ("[1, 2]", ":2: not a JSON object"),
        ('{"text": "no id"}', ":2: id: Field required"),
        ('{"id": ""}', ":2: id:"),
        ('{"id": "first"}', ":2: id 'first' stands on line 1 already"),
        ('{"id": "x", "split": "testing"}', "use train, validation or test"),
        (
            '{"id": "x", "type": "fg:Brid"}',
            ":2: fg:Brid is not in the ontologies of this workspace (did you mean fg:Bird",
        ),
        ('{"id": "x", "label": "brid"}', ":2: no class or item is called 'brid'"),
        ('{"id": "x", "label": {"no such": "fg:Bird"}}', ":2: no property is called 'no such'"),
        ('{"id": "x", "links": {"nix:eats": "y"}}', ":2: "),
        ('{"id": "x", "images": ["gone.png"]}', ":2: "),
        ('{"id": "x", "text": "a\\u0000b"}', "NUL"),
        ('{"id": "\\ud800"}', ":2: id:"),
        ("[" * 100_000, ":2: not valid JSON"),
    ],
)
def test_a_broken_line_is_told_with_file_and_line_and_the_others_go_on(
    intake: Intake, tmp_path: Path, line: str, said: str
) -> None:
    rows = [{"id": "first", "text": TEXTS["owl"]}, line, {"id": "last", "text": TEXTS["saw"]}]
    path = manifest(tmp_path / "data", rows)
    report = intake.add([path])
    assert len(report.problems) == 1
    assert said in report.problems[0]
    assert str(path) in report.problems[0]
    assert {"data/manifest.jsonl#first", "data/manifest.jsonl#last"} <= set(names(intake))
    manifest(tmp_path / "data", [rows[0], rows[2]])
    assert intake.add([path]).problems == []
    assert intake.catalog.problems() == []


@pytest.mark.parametrize(("delimiter", "encoding"), [(",", "utf-8"), (";", "utf-8-sig"), ("\t", "utf-16")])
def test_a_table_as_spreadsheets_write_it_is_a_manifest(
    intake: Intake, tmp_path: Path, delimiter: str, encoding: str
) -> None:
    rows = [
        "id|name|text|label|split|links",
        'owl|Eule|"Die Eule\nhat Federn."|fg:Bird|train|',
        "saw|Säge|Aus Stahl|||",
    ]
    path = tmp_path / "items.csv"
    path.write_text("\r\n".join(rows).replace("|", delimiter), encoding=encoding, newline="")
    report = intake.add([path])
    assert (report.items, report.problems) == (2, [])
    owl = intake.catalog.item(ITEM + "owl")
    assert owl is not None
    assert (owl.label, owl.split, owl.labels) == ("Eule", "train", {TYPE: (FG + "Bird",)})


def test_long_cells_lists_and_open_quotes_in_a_table(intake: Intake, tmp_path: Path) -> None:
    shape(tmp_path / "a.png", "red")
    shape(tmp_path / "b.png", "red")
    path = tmp_path / "items.csv"
    long = "The owl eats mice. " * 10_000
    path.write_text(
        f'id,text,images,label,links\nowl,{long},a.png | b.png,fg:Bird|fg:Animal,{{no json\nsaw,x,,,\nbad,"x\n'
    )
    report = intake.add([path])
    assert len(report.problems) == 2
    assert "links is not JSON" in report.problems[0]
    assert "items.csv:4: not valid CSV" in report.problems[1]
    path.write_text(f"id,text,images,label\nowl,{long},a.png | b.png,fg:Bird|fg:Animal\n")
    assert intake.add([path]).problems == []
    owl = intake.catalog.item(ITEM + "owl")
    assert owl is not None
    assert owl.labels == {TYPE: (FG + "Bird", FG + "Animal")}
    assert len(intake.catalog.sources(item=owl.iri)) == 3


def test_a_manifest_without_a_usable_line_is_a_problem_and_the_batch_goes_on(intake: Intake, tmp_path: Path) -> None:
    folder = texts(tmp_path / "docs")
    manifest(folder, ["{", "{}"])
    (folder / "other.csv").write_text("id,text\n")
    report = intake.add([folder])
    assert report.added == len(TEXTS)
    assert sum("no usable line" in p for p in report.problems) == 2


def test_a_table_without_ids_is_a_text(intake: Intake, tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("fruit,price\npear,2\n")
    assert intake.add([tmp_path / "prices.csv"]).added == 1
    assert [r.kind for r in intake.catalog.sources()] == ["text"]


def test_a_manifest_may_name_pictures_outside_its_folder_and_two_of_one_name(intake: Intake, tmp_path: Path) -> None:
    for side in ("left", "right"):
        shape(tmp_path / "shots" / side / "1.png", "red" if side == "left" else "blue")
    images = ["../../shots/left/1.png", "../../shots/right/1.png"]
    path = manifest(tmp_path / "a" / "b", [{"id": "x", "images": images}])
    report = intake.add([path])
    assert report.problems == []
    pictures = intake.catalog.sources(kind="image")
    assert len({r.sha256 for r in pictures}) == 2
    assert not any(str(tmp_path) in r.name for r in pictures)


def test_a_picture_that_two_items_share_is_a_source_of_each(intake: Intake, tmp_path: Path) -> None:
    shape(tmp_path / "data" / "pair.png", "red")
    path = manifest(tmp_path / "data", [{"id": i, "images": ["pair.png"]} for i in ("x", "y")])
    intake.add([path])
    first = intake.catalog.sources()
    assert {r.item for r in first if r.kind == "image"} == {ITEM + "x", ITEM + "y"}
    assert intake.add([path]).unchanged == 3
    assert intake.catalog.sources() == first


def test_in_a_folder_what_the_manifest_names_is_not_an_item_of_its_own(intake: Intake, tmp_path: Path) -> None:
    folder = texts(tmp_path / "docs")
    shape(folder / "photo 1.png", "red")
    manifest(
        folder,
        [
            {"id": "x", "images": ["photo 1.png"], "text_path": "owl.txt"},
            {"id": "y", "text_path": "saw.txt", "type": "Nix"},
        ],
    )
    report = intake.add([folder])
    assert len(report.problems) == 1
    assert {i.identifier for i in intake.catalog.items()} == {"x", "docs/pear"}
    assert intake.add([folder / "photo 1.png"]).unchanged == 1
    assert {i.identifier for i in intake.catalog.items()} == {"x", "docs/pear"}


def test_a_changed_manifest_lets_go_of_what_it_no_longer_names(intake: Intake, tmp_path: Path) -> None:
    rows = [{"id": i, "text": t, "label": "fg:Thing"} for i, t in TEXTS.items()]
    path = manifest(tmp_path / "data", rows)
    intake.add([path])
    manifest(tmp_path / "data", rows[:2])
    report = intake.add([path])
    assert (report.removed, report.changed, report.unchanged) == (1, 1, 2)
    assert {i.identifier for i in intake.catalog.items()} == {"owl", "saw"}
    assert len(names(intake)) == 3


def test_an_absolute_iri_as_id_stays_itself(intake: Intake, tmp_path: Path) -> None:
    path = manifest(tmp_path, [{"id": "http://example.org/owl", "text": TEXTS["owl"]}, json.dumps({"id": "a:b c"})])
    assert intake.add([path]).problems == []
    assert {i.iri for i in intake.catalog.items()} == {"http://example.org/owl", ITEM + "a%3Ab%20c"}


def test_a_key_that_is_nearly_a_known_one_is_a_slip_of_the_pen(tmp_path: Path) -> None:
    path = tmp_path / "manifest.jsonl"
    path.write_text('{"id": "a", "lable": "x"}\n{"id": "b", "image": "b.png"}\n{"id": "c", "emoji": "1F981"}\n')
    first, second, third = read(path)
    assert isinstance(first, ManifestError)
    assert "'lable'" in first.what
    assert "'label'" in first.remedy
    assert isinstance(second, ManifestError)
    assert "'images'" in second.remedy
    assert isinstance(third, Entry)


def test_the_folders_of_the_machine_do_not_show_in_the_names_of_sources(tmp_path: Path, intake: Intake) -> None:
    elsewhere = tmp_path / "private" / "photos"

    shape(elsewhere / "one.png", "red")
    folder = tmp_path / "here" / "set"
    folder.mkdir(parents=True)
    (folder / "manifest.jsonl").write_text(json.dumps({"id": "a", "images": [str(elsewhere / "one.png")]}) + "\n")
    intake.add([folder / "manifest.jsonl"])
    assert [r.name for r in intake.catalog.sources(kind="image")] == ["set/manifest.jsonl#a/1/one.png"]


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
