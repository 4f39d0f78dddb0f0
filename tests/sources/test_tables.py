"""Tables of any kind become the same text of rows; cells become XSD literals, or are said to be bad."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kgfuse.errors import SourceError
from kgfuse.sources.cells import literal
from kgfuse.sources.columns import BadCell, Cell, Column, Columns, cells, rows
from kgfuse.sources.identify import identify
from kgfuse.sources.json_lines import _parsed
from kgfuse.sources.lines import cell_text, ends, line, of_columns, of_rows
from kgfuse.sources.mapping import TableForm, TableMapping, filled, load, mapping_of
from kgfuse.sources.places import TablePlaces
from kgfuse.sources.tables import CSV, JSON_LINES, read
from tests.sources.made import sheet

RECORDS = [{"sku": "a1", "Größe": "3,5", "seen": "2024-10-03"}, {"sku": "b2", "Größe": "", "seen": "2024-11-05"}]
TEXT = "sku\tGröße\tseen\na1\t3,5\t2024-10-03\nb2\t\t2024-11-05\n"


def csv_bytes(delimiter: str, encoding: str) -> bytes:
    frame = pl.DataFrame(RECORDS)
    return frame.write_csv(separator=delimiter).replace("\n", "\r\n").encode(encoding)


def parquet_bytes() -> bytes:
    held = io.BytesIO()
    pl.DataFrame(RECORDS).with_columns(pl.col("seen").str.to_date()).write_parquet(held)
    return held.getvalue()


def table(
    folder: Path, name: str, data: bytes, form: TableForm | None = None, encoding: str | None = None
) -> tuple[str, TablePlaces]:
    path = folder / name
    path.write_bytes(data)
    found = identify(path)
    kind = found.media_type if found.kind == "table" else {".jsonl": JSON_LINES}.get(path.suffix, CSV)
    places = read(path, kind, form or TableForm(), name, encoding, folder / "out")
    return (folder / "out").read_text(encoding="utf-8"), places


@pytest.mark.parametrize(
    ("name", "data", "numbers"),
    [
        ("a.csv", csv_bytes(",", "utf-8"), (2, 3)),
        ("a.csv", csv_bytes(";", "cp1252") + b";\r\n" * 3, (2, 3)),
        ("a.tsv", csv_bytes("\t", "utf-16"), (2, 3)),
        ("a.jsonl", "\n".join(json.dumps(r) for r in RECORDS).encode(), (1, 2)),
        ("a.xlsx", sheet([["sku", "Größe", "seen"], *(list(r.values()) for r in RECORDS)]), (2, 3)),
        ("a.parquet", parquet_bytes(), (1, 2)),
    ],
)
def test_tables_of_any_kind_become_the_same_text(
    tmp_path: Path, name: str, data: bytes, numbers: tuple[int, ...]
) -> None:
    # too few letters to tell this encoding by
    text, places = table(tmp_path, name, data, encoding="cp1252" if name == "a.csv" and b"\xf6" in data else None)
    assert text == TEXT
    assert places.numbers == numbers
    assert places.cell(text, text.index("2024-11-05")) == (numbers[1], 3)


def test_a_header_may_stand_further_down(tmp_path: Path) -> None:
    data = sheet([["Stock of the week", "", ""], ["", "", ""], ["sku", "Größe", "seen"], ["a1", "3,5", "2024-10-03"]])
    text, places = table(tmp_path, "a.xlsx", data, TableForm(header=3))
    assert text.startswith("sku\tGröße\tseen\na1\t")
    assert places.numbers == (4,)


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.csv", b"a,b\n", "no rows"),
        ("a.csv", b"\n\n", "names no columns"),
        ("a.jsonl", b"[1]\n", "not a JSON object"),
        ("a.jsonl", b"{\n", "damaged"),
        ("a.csv", b'a,b\n"x\n', "damaged"),
        ("a.parquet", b"PAR1" + bytes(100) + b"PAR1", "damaged"),
        ("a.xlsx", sheet([["a"], ["1"]])[:-200], "damaged"),
    ],
)
def test_what_is_no_table_is_refused_with_the_reason(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        table(tmp_path, name, data)


@pytest.mark.parametrize(
    ("text", "datatype", "decimal", "lexical"),
    [
        ("1.234,50", "decimal", ",", "1234.5"),
        ("1,234.50", "decimal", ".", "1234.5"),
        ("1 234", "integer", ".", "1234"),
        ("-3.0", "integer", ".", "-3"),
        ("yes", "boolean", ".", "true"),
        ("3.10.2024", "date", ".", "2024-10-03"),
        ("2024-10-03T00:00:00", "date", ".", "2024-10-03"),
        ("1999", "gYear", ".", "1999"),
        ("0", "decimal", ".", "0"),
    ],
)
def test_a_cell_becomes_a_literal(text: str, datatype: str, decimal: str, lexical: str) -> None:
    assert literal(text, datatype, decimal) == lexical


@pytest.mark.parametrize(
    ("text", "datatype"),
    [("many", "decimal"), ("3.5", "integer"), ("perhaps", "boolean"), ("31.2.2024", "date"), ("99", "gYear"),
     ("1e999999", "double"), ("NaN", "decimal"), ("noon", "dateTime")],
)  # fmt: skip
def test_a_cell_that_is_none_is_told(text: str, datatype: str) -> None:
    with pytest.raises(ValueError, match=r"no |neither|out of range"):
        literal(text, datatype)


def test_cells_say_what_the_mapping_says_each_with_its_characters() -> None:
    text = "sku\tprice\tcolours\na1\tmany\tred; green\nb2\t2,5\tn/a\n\tx\ty\n"
    mapping = Columns(
        id="{sku}",
        columns=(
            Column(name="price", property="urn:p", datatype="decimal", decimal=",", unit="urn:eur"),
            Column(name="colours", property="urn:c", separator=";", missing=("n/a",)),
        ),
    )
    bad, red, green, price = cells(text, mapping)
    assert isinstance(bad, BadCell)
    assert (bad.row, bad.column) == (0, "price")
    assert isinstance(price, Cell)
    assert (price.item, price.lexical, price.unit) == ("b2", "2.5", "urn:eur")
    for cell, exact in ((red, "red"), (green, "green"), (price, "2,5")):
        assert isinstance(cell, Cell)
        assert cell.exact == exact == text[cell.start : cell.start + len(cell.exact)]


CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), min_size=2, max_size=2), min_size=1
    )
)
def test_whatever_is_in_the_cells_their_offsets_are_true(
    tmp_path_factory: pytest.TempPathFactory, made: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    data = "\n".join(json.dumps({"a": a, "b": b}) for a, b in made).encode()
    try:
        text, places = table(folder, "a.jsonl", data)
    except SourceError:
        assert not any(c.strip() for row in made for c in row if c.isprintable())
        return
    found = list(rows(text))
    assert [at for at, _ in found] == list(places.starts)
    for _, row in found:
        for start, cell in row.values():
            assert text[start : start + len(cell)] == cell


def test_a_mapping_names_what_is_wrong_with_it(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    for text, reason in (
        ("[item]", "item.id"),
        ("[item]\nid = '{a}'\n[columns.x]\nproprety = 'y'", "columns.x"),
        ("[item", "cannot be read"),
    ):
        path.write_text(text)
        with pytest.raises(SourceError, match=reason):
            load(path)
    path.write_text("[item]\nid = '{a}'\n[columns.x]\nproperty = 'rdfs:label'")
    assert load(path).columns["x"].property == "rdfs:label"
    assert mapping_of(tmp_path / "a.csv") == path
    assert TableMapping.model_validate({"item": {"id": "{a}", "name": "{b} {c}"}}).item.columns() == {"a", "b", "c"}
    assert filled("{a}/{b}", {"a": "1", "b": "2"}) == "1/2"


SIGNS = st.sampled_from("ab \t\n\x00\x7f\xa0ée\u0301\u200b")
VALUES = st.text(SIGNS, max_size=4) | st.integers() | st.floats() | st.booleans() | st.none() | st.just("owl")


def lines_at_once(text: str | None, count: int, width: int) -> list[str] | None:
    stops = None if text is None else ends(text, count, width)
    assert text is None or stops is None or [n for n, c in enumerate(text) if c == "\n"] == list(stops)
    return None if text is None or stops is None else text.split("\n")[:-1]


@settings(deadline=None)
@given(st.data(), st.integers(1, 3), st.integers(1, 4))
def test_columns_that_are_read_at_once_are_rows_that_are_read_one_by_one(
    data: st.DataObject, width: int, count: int
) -> None:
    kinds = st.sampled_from([VALUES, st.floats(), st.integers(), st.floats(0.1, 9), st.text("abé", min_size=1)])
    columns = [data.draw(st.lists(data.draw(kinds), min_size=count, max_size=count)) for _ in range(width)]
    together = lines_at_once(of_columns(columns), count, width)
    assert together is None or together == [line(cells, width) for cells in zip(*columns, strict=True)]


@settings(deadline=None)
@given(
    st.lists(st.lists(st.text(SIGNS, max_size=4), min_size=1, max_size=3), min_size=1, max_size=4), st.integers(1, 3)
)
def test_rows_that_are_read_at_once_are_those_that_are_read_one_by_one(rows: list[list[str]], width: int) -> None:
    together = lines_at_once(of_rows(rows, width), len(rows), width)
    assert together is None or together == [line(cells, width) for cells in rows]


def test_plain_rows_are_read_at_once_and_others_one_by_one() -> None:
    plain = [["a1", 3, 2.5, None, True], ["b é", -1, 0.5, "", "x"]]
    assert lines_at_once(of_columns(zip(*plain, strict=True)), 2, 5) == ["a1\t3\t2.5\t\ttrue", "b é\t-1\t0.5\t\tx"]
    for row in (
        *(["a", " b"], ["a ", "b"], ["a", "b\tc"], ["", ""], ["a"], ["a", "e\u0301"], ["a", "b\x7f"]),
        *(["a", "x" * 40_000], ["a", "b\xa0"]),
    ):
        assert lines_at_once(of_rows([["a", "b"], row], 2), 2, 2) is None


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(["a", "bb", ",", ",", '"', '""', "\n", "\n", "\r\n", "\r", "\t", " ", "é", "a,b\n"])),
    st.sampled_from([",", "\t", "a"]),
    st.integers(1, 9),
    st.integers(1, 2),
)
def test_a_csv_file_is_what_pythons_reader_reads_wherever_it_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: list[str], delimiter: str, size: int, header: int
) -> None:
    text = "".join(parts)
    with io.StringIO(text, newline="") as whole:
        try:
            expected = list(csv.reader(whole, delimiter=delimiter, strict=True))
        except csv.Error:
            return
    names = [cell_text(name) for name in expected[header - 1]] if len(expected) >= header else []
    told = [(n, line(cells, len(names))) for n, cells in enumerate(expected, 1) if n > header]
    kept = [(n, words) for n, words in told if words is not None]
    if not any(names) or not kept:
        return
    with monkeypatch.context() as patch:
        patch.setattr("kgfuse.sources.tables.CHARACTERS", size)
        found, places = table(tmp_path, "a.csv", text.encode(), TableForm(delimiter=delimiter, header=header))
    assert found.split("\n") == ["\t".join(names), *(words for _, words in kept), ""]
    assert places.numbers == tuple(n for n, _ in kept)
    assert [found[at - 1] for at in places.starts] == ["\n"] * len(kept)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.dictionaries(st.sampled_from("abc"), VALUES | st.lists(st.integers(), max_size=2), max_size=3)),
    st.integers(1, 99),
)
def test_json_lines_are_the_same_rows_wherever_they_are_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, records: list[dict[str, object]], size: int
) -> None:
    columns = list(dict.fromkeys(key for record in records for key in record))
    told = [(n, line([r.get(c) for c in columns], len(columns))) for n, r in enumerate(records, 1)]
    kept = [(n, words) for n, words in told if words is not None]
    if not kept:
        return
    with monkeypatch.context() as patch:
        patch.setattr("kgfuse.sources.json_lines.CHARACTERS", size)
        text, places = table(tmp_path, "a.jsonl", "\n".join(map(json.dumps, records)).encode())
    assert text.split("\n") == ["\t".join(columns), *(words for _, words in kept), ""]
    assert places.numbers == tuple(n for n, _ in kept)


def test_of_lines_that_are_no_json_the_first_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="not a JSON object") as told:
        table(tmp_path, "a.jsonl", b'{"a": 1}\n\n[2]\n{"b\n')
    assert told.value.where == "a.jsonl:3"
    with pytest.raises(SourceError, match="damaged"):
        table(tmp_path, "a.jsonl", b'{"a": [1\n2]},{}\n')


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    )
)
def test_a_line_of_json_is_what_python_reads(value: object) -> None:
    assert _parsed(json.dumps(value)) == json.loads(json.dumps(value)) == value
    assert _parsed('"\\ud800"') == "\ud800"


def test_a_long_json_lines_file_is_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [json.dumps({"sku": f"a{n}", "price": n}) for n in range(12_000)]
    data = "\n".join([*lines[:9000], '{"late": "owl"}', *lines[9000:]]).encode()
    text, places = table(tmp_path, "a.jsonl", data)
    assert text.startswith("sku\tprice\tlate\na0\t0\t\n")
    assert len(places.starts) == 12_001
    assert all(text[at - 1] == "\n" for at in places.starts)
    monkeypatch.setattr("kgfuse.sources.json_lines._HELD", 1000)  # too long to be held in memory: read twice
    assert table(tmp_path, "a.jsonl", data) == (text, places)
