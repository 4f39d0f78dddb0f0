"""The catalog keeps rows as they were given, writes whole transactions, and says what is wrong with its file."""

import sqlite3
import subprocess
import sys
import threading

import pytest
from sqlalchemy import text

from kgfuse.catalog import Catalog, DecisionRow, IdentityRow, ItemRow, ModelRow, SourceRow
from kgfuse.catalog.database import Database
from kgfuse.catalog.schema import MIGRATIONS, Base, prepare
from kgfuse.errors import UsageError, WorkspaceError

SHA = "ab" * 32


def source(name: str, **more: object) -> SourceRow:
    return SourceRow(name, f"/data/{name}", "text", "text/plain", SHA, added_at="2026-01-01T00:00:00+00:00", **more)


@pytest.fixture
def catalog(tmp_path):
    catalog = Catalog(tmp_path)
    yield catalog
    catalog.close()


def test_a_source_comes_back_as_it_was_added(catalog):
    row = source("a/ü.txt", text_sha256="cd" * 32, item="item:a", size=7, parent="m.jsonl", meta={"encoding": "cp1252"})
    catalog.add_source(row)
    assert catalog.source("a/ü.txt") == row
    assert catalog.sources(kind="text", item="item:a", parent="m.jsonl") == [row]
    assert catalog.sources(kind="image") == []


def test_many_thousands_of_sources_are_added_in_one_go(catalog):
    assert catalog.add_sources(source(f"{i:05}.txt") for i in range(20_000)) == 20_000
    assert catalog.counts()["source"] == 20_000
    assert catalog.source("19999.txt") == source("19999.txt")


def test_an_item_comes_back_as_it_was_put(catalog):
    row = ItemRow(
        "item:1", "1", "Apple", ("ex:Fruit",), "m.jsonl", "train", {"rdf:type": ("ex:Apple",)}, {"ex:from": ("Peru", 3)}
    )
    catalog.put_item(row)
    assert catalog.item("item:1") == row
    assert catalog.items(split="train") == [row]
    assert catalog.remove_items_of("m.jsonl") == 1
    assert catalog.items() == []


def test_removing_a_source_takes_its_extractions_along_and_replacing_it_does_not(catalog):
    catalog.add_source(source("a"))
    catalog.put_extraction("a", "key", "run:1", b"payload", 0.5)
    catalog.add_source(source("a", size=9))
    assert catalog.extraction("a", "key") == b"payload"
    assert catalog.extraction("a", "other") is None
    assert catalog.remove_source("a")
    assert catalog.extraction_keys() == set()
    assert not catalog.remove_source("a")


def test_an_extraction_needs_its_source(catalog):
    with pytest.raises(UsageError, match="no source is called 'nobody'"):
        catalog.put_extraction("nobody", "key", "run:1", b"", 0.0)


def test_extractions_under_old_keys_can_be_let_go(catalog):
    catalog.add_source(source("a"))
    for key in ("old", "new"):
        catalog.put_extraction("a", key, "run:1", b"", 0.0)
    assert catalog.remove_extractions("a", keep=["new"]) == 1
    assert catalog.extraction_keys("a") == {("a", "new")}


def test_a_problem_is_kept_once_and_cleared_with_its_lines(catalog):
    for place in ("m.jsonl:3", "m.jsonl:3", "m.jsonl", "m.jsonl2"):
        catalog.record_problem(place, "add", "no id", "give it one")
    assert [p.place for p in catalog.problems()] == ["m.jsonl", "m.jsonl2", "m.jsonl:3"]
    assert catalog.clear_problem("m.jsonl") == 2
    assert [(p.place, p.remedy) for p in catalog.problems(stage="add")] == [("m.jsonl2", "give it one")]


def test_models_and_states(catalog):
    row = ModelRow("m", "models/m", SHA, ("rdf:type",), "2026-01-01", {"lr": 0.1}, {"accuracy": [0.5, 0.6]})
    catalog.put_model(row)
    assert catalog.model("m") == row
    assert catalog.models() == [row]
    catalog.set_state("graph/a", "1")
    catalog.set_state("graph/b", "2")
    catalog.set_state("graph/a", None)
    assert catalog.states("graph/") == {"graph/b": "2"}
    assert catalog.get_state("graph/a") is None


def test_a_transaction_is_written_whole_or_not_at_all(catalog):
    def half() -> None:
        with catalog.transaction():
            catalog.add_source(source("a"))
            catalog.set_state("k", "v")
            assert catalog.source("a") is not None
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert catalog.sources() == []
    assert catalog.get_state("k") is None


def test_readers_go_on_while_another_thread_writes(catalog):
    catalog.add_source(source("a"))
    seen = []
    with catalog.transaction():
        catalog.add_source(source("b"))
        reader = threading.Thread(target=lambda: seen.extend(s.name for s in catalog.sources()))
        reader.start()
        reader.join()
    assert seen == ["a"]


def test_a_killed_writer_leaves_nothing_half_written(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from kgfuse.catalog import Catalog, SourceRow\n"
        "c = Catalog(Path(sys.argv[1])); c.set_state('done', '1')\n"
        "with c.transaction():\n"
        "    c.add_sources(SourceRow(str(i), '/', 'text', 't', 'x') for i in range(5000))\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == -9
    catalog = Catalog(tmp_path)
    assert catalog.get_state("done") == "1"
    assert catalog.sources() == []


def test_a_newer_catalog_is_refused(tmp_path):
    Catalog(tmp_path).close()
    with sqlite3.connect(tmp_path / "catalog.sqlite") as connection:
        connection.execute("UPDATE schema_version SET version = 99")
    with pytest.raises(WorkspaceError, match=r"newer kgfuse.*upgrade kgfuse"):
        Catalog(tmp_path)


def test_an_older_catalog_is_brought_forward_step_by_step(tmp_path):
    Catalog(tmp_path).close()
    path = tmp_path / "catalog.sqlite"
    steps = [
        *MIGRATIONS,
        lambda c: c.execute(text("ALTER TABLE state ADD COLUMN note VARCHAR")),
        lambda c: c.execute(text("UPDATE state SET note = 'moved'")),
    ]
    database = Database(path)
    for _ in range(2):
        with database.write() as connection:
            prepare(connection, path, steps)
            assert connection.execute(text("SELECT version FROM schema_version")).scalar() == len(steps) + 1
    database.close()


def test_there_is_one_decision_on_two_names_whichever_way_round(catalog):
    catalog.identities.put(IdentityRow("ent:a", "ent:b", False, "Ada", "2026-01-01T00:00:00+00:00"))
    row = IdentityRow("ent:b", "ent:a", True, "Eve", "2026-01-02T00:00:00+00:00")
    catalog.identities.put(row)
    assert catalog.identities.all() == [row]
    assert catalog.identities.remove("ent:a", "ent:b")
    assert not catalog.identities.remove("ent:a", "ent:b")


def test_a_catalog_of_the_first_version_gets_the_tables_of_today(tmp_path):
    (tmp_path / "new").mkdir()
    Catalog(tmp_path / "new").close()
    Catalog(tmp_path).close()
    path = tmp_path / "catalog.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE decision")
        connection.execute("DROP TABLE identity")
        connection.execute("UPDATE schema_version SET version = 1")
    Catalog(tmp_path).close()
    assert _tables(path) == _tables(tmp_path / "new" / "catalog.sqlite")


def _tables(path):
    """Tables with their columns, keys and what these refer to."""
    with sqlite3.connect(path) as connection:
        return {
            name: (
                connection.execute(f"PRAGMA table_info({name})").fetchall(),
                connection.execute(f"PRAGMA foreign_key_list({name})").fetchall(),
            )
            for name in Base.metadata.tables
        }


def decision(source_name: str, key: str = "k1", content: str = SHA, **more: object) -> DecisionRow:
    values = {"decision": "rejected", "reviewer": "Ada", "payload": {"reason": "ü"}, "decided_at": "2026-01-01"}
    return DecisionRow(source_name, content, key, **{**values, **more})


def test_a_decision_is_replaced_by_the_next_on_the_same_words_and_goes_with_its_source(catalog):
    with pytest.raises(UsageError, match="no source is called 'a'"):
        catalog.decisions.put(decision("a"))
    catalog.add_source(source("a"))
    catalog.add_source(source("b"))
    for row in (decision("a"), decision("a", decision="accepted"), decision("a", content="0" * 64), decision("b")):
        catalog.decisions.put(row)
    catalog.add_source(source("a", size=9))  # a changed source keeps them
    assert catalog.decisions.all() == [
        decision("a", content="0" * 64), decision("a", decision="accepted"), decision("b")
    ]  # fmt: skip
    assert catalog.decisions.remove(decision("b"))
    assert not catalog.decisions.remove(decision("b"))
    catalog.remove_source("a")
    assert catalog.decisions.all() == []


@pytest.mark.parametrize(
    "content", [b"this is not a database at all, whatever its name says" * 50, b"SQLite format 3\0"]
)
def test_a_damaged_file_is_named_with_what_to_do(tmp_path, content):
    (tmp_path / "catalog.sqlite").write_bytes(content)
    with pytest.raises(WorkspaceError, match=r"catalog\.sqlite.*copy of the workspace"):
        Catalog(tmp_path)


def test_a_strange_database_is_not_taken_over(tmp_path):
    with sqlite3.connect(tmp_path / "catalog.sqlite") as connection:
        connection.execute("CREATE TABLE recipes (name)")
    with pytest.raises(WorkspaceError, match="not a kgfuse catalog"):
        Catalog(tmp_path)


def test_a_full_disk_is_told_and_nothing_is_written(catalog):
    catalog.add_source(source("a"))
    with catalog._database.write() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar()
        connection.execute(text(f"PRAGMA max_page_count = {pages + 2}"))
    with pytest.raises(WorkspaceError, match=r"disk is full.*free some space"):
        catalog.add_sources(source(f"{i}" * 50) for i in range(5000))
    assert [s.name for s in catalog.sources()] == ["a"]


def test_a_missing_folder_is_told(tmp_path):
    with pytest.raises(WorkspaceError, match="missing"):
        Catalog(tmp_path / "nowhere")
