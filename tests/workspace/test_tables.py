"""From a table and its mapping to items and statements, each with its cell; bad cells are told, the rest goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgfuse.terms.mentions import TextSpan, Value
from kgfuse.terms.namespaces import XSD, local_name
from kgfuse.workspace.searching import refresh_index, search
from tests.sources.made import sheet, zipped
from tests.workspace.samples import shape, workspace

MAPPING = """
[item]
id = "{name}"
type = "fg:Thing"
name = "{name}"
text = "{about}"
group = "{home}"
images = "{photo}"

[columns.eats]
property = "fg:eats"
separator = ";"

[columns.home]
property = "lives in"

[columns.seen]
property = "rdfs:comment"
datatype = "date"
missing = ["?"]
"""
ROWS = [
    ["name", "about", "photo", "eats", "home", "seen"],
    ["owl", "The owl has feathers.", "owl.png", "mouse; vole", "forest", "3.10.2024"],
    ["heron", "", "", "fish", "lake", "one day"],
    ["", "", "", "grass", "", ""],
    ["saw", "", "gone.png", "", "", "?"],
]
SETTINGS = {"extract": {"extractors": ["text", "table"]}, "validate_shapes": False}


def name(value: str | Value) -> str:
    return local_name(value) if isinstance(value, str) else value.lexical


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    shape(folder / "owl.png", "brown")
    (folder / "birds.xlsx").write_bytes(sheet(ROWS))
    (folder / "birds.toml").write_text(MAPPING)
    return folder


def test_rows_are_items_and_cells_are_their_evidence(folder: Path, tmp_path: Path) -> None:
    with workspace(tmp_path / "ws", folder, settings=SETTINGS) as ws:
        assert {row.name: row.kind for row in ws.sources()} == {
            "docs/birds.xlsx": "table",
            "docs/birds.xlsx#owl": "text",
            "docs/owl.png": "image",
        }
        assert {item.identifier: item.group for item in ws.items()} == {"owl": "forest", "heron": "lake", "saw": None}
        said = {
            (local_name(s.subject), local_name(s.predicate), name(s.object)): s
            for s in ws.graph.statements()
            if s.extractors == ("table.cell",)
        }
        eats = said["owl", "eats", "mouse"]
        (mention,) = eats.mentions
        assert mention.selector == TextSpan(mention.selector.start, mention.selector.end, "mouse")  # type: ignore[union-attr]
        assert mention.where is not None
        assert mention.where.cell == (2, 4)
        assert said["owl", "comment", "2024-10-03"].object == Value("2024-10-03", XSD + "date")
        assert ("owl", "livesIn", "forest") in said
        assert ("heron", "eats", "fish") in said
        assert ws.check().findings == ()
        problems = {(p.place, p.message.split(": ", 1)[1]) for p in ws.problems()}
        assert ("docs/birds.xlsx:3", "column 'seen': 'one day' is no date such as 2024-10-03 or 3.10.2024") in problems
        assert {place for place, _ in problems} == {"docs/birds.xlsx:3", "docs/birds.xlsx:4", "docs/birds.xlsx:5"}
        assert ws.add(folder).changed == 0
        assert ws.build().unchanged
        assert ws.remove("docs/birds.xlsx") == 3
        assert ws.items() == []
        assert [s for s in ws.graph.statements() if s.extractors] == []


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        (MAPPING.replace('"fg:eats"', '"fg:gobbles"'), "no property 'fg:gobbles'"),
        (MAPPING.replace('"date"', '"moment"'), "no datatype is called 'moment'"),
        (MAPPING.replace("[columns.home]", "[columns.house]"), "has no column 'house'"),
        (MAPPING.replace("[item]", "[itm]"), "item"),
        (MAPPING.replace('"fg:Thing"', '"fg:Brid"'), "did you mean fg:Bird"),
    ],
)
def test_what_is_wrong_with_a_mapping_is_told(folder: Path, tmp_path: Path, mapping: str, said: str) -> None:
    (folder / "birds.toml").write_text(mapping)
    with workspace(tmp_path / "ws", folder, settings=SETTINGS, build=False) as ws:
        assert any(said in p.message + p.remedy for p in ws.problems())


def test_a_mapping_may_lie_elsewhere_and_a_table_in_an_archive(folder: Path, tmp_path: Path) -> None:
    mapping = folder / "birds.toml"
    zipped(tmp_path / "more.zip", {"in/birds.csv": b"name,about,photo,eats,home,seen\nowl,,,mouse,,\n"})
    with workspace(tmp_path / "ws", settings=SETTINGS) as ws:
        report = ws.add(tmp_path / "more.zip", mapping=mapping)
        assert report.problems == []
        assert [row.name for row in ws.sources()] == ["more.zip/in/birds.csv"]
        mapping.unlink()
        assert "without a mapping" in ws.add(folder / "birds.xlsx").problems[0]


def test_a_plain_table_without_a_mapping_is_a_text_and_that_is_told(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("name,price\napple,1.2\n", encoding="utf-8")
    with workspace(tmp_path / "ws", settings=SETTINGS) as ws:
        report = ws.add(tmp_path / "prices.csv")
        assert (report.added, len(report.problems)) == (1, 1)
        assert "read as one text (say what its columns mean in prices.csv.toml" in report.problems[0]


def test_a_hit_in_a_table_names_its_cell(folder: Path, tmp_path: Path) -> None:
    with workspace(tmp_path / "ws", folder, settings=SETTINGS, build=False) as ws:
        refresh_index(ws._parts)
        (found,) = [f for f in search(ws._parts, "vole", kind="text") if f.hit.name == "docs/birds.xlsx"]
        assert found.where == "row 2, column 4"
