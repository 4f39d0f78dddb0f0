"""Manifests, as JSON Lines and tables, say what items are; slips in them are told with file and line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kgfuse.errors import ManifestError
from kgfuse.terms.namespaces import OWL, RDF, XSD
from kgfuse.workspace.intake import Intake
from kgfuse.workspace.manifest import Entry, read
from tests.workspace.samples import FG, ITEM, TEXTS, manifest, names, shape, texts

TYPE = RDF + "type"


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


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_items_may_be_of_a_group(intake: Intake, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"manifest.{suffix}"
    rows = [("owl", "Ada"), ("saw", 3), ("pear", "")]
    if suffix == "csv":
        path.write_text("id,group\n" + "".join(f"{name},{group}\n" for name, group in rows))
    else:
        path.write_text("".join(json.dumps({"id": name, "group": group}) + "\n" for name, group in rows))
    assert intake.add([path]).problems == []
    assert {i.identifier: i.group for i in intake.catalog.items()} == {"owl": "Ada", "saw": "3", "pear": None}


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
