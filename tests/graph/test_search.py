"""Full-text search: exact characters, any script, any input, only what changed is written."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgfuse.errors import UsageError, WorkspaceError
from kgfuse.graph.passages import passage
from kgfuse.graph.search import Text, TextIndex, Updated, parse

EX = "https://example.org/"
LABELS = [(EX + "owl", "Barn owl"), (EX + "owl", "Schleiereule"), (EX + "uhu", "Uhu"), (EX + "cafe", "Café Crème")]
LONG = "Nothing of note. " * 40 + "At night the barn owl hunts mice; an owl hears them. " + "Nothing more. " * 40
STORED = {"a.txt": LONG, "b.txt": "Мыши боятся совы.\n\nنام بوم", "c.txt": "An owl"}


@pytest.fixture
def index(tmp_path):
    made = TextIndex(tmp_path / "search.sqlite")
    made.update(LABELS, [Text.of(name, EX + name, text) for name, text in STORED.items()])
    return made


def test_a_hit_leads_to_the_exact_characters(index):
    hits = index.search("owl", kind="text")
    assert {h.name for h in hits} == {"a.txt", "c.txt"}
    for hit in hits:
        assert STORED[hit.name][hit.start : hit.end] == hit.exact
        assert {STORED[hit.name][a:b] for a, b in hit.matches} == {"owl"}
    (far,) = [h for h in hits if h.name == "a.txt"]
    assert "barn owl hunts mice; an owl hears" in far.exact
    assert len(far.exact) <= 160


def test_case_and_diacritics_do_not_count(index):
    assert [(h.iri, h.exact) for h in index.search("cafe CREME")] == [(EX + "cafe", "Café Crème")]


def test_any_script_is_found(index):
    assert [h.name for h in index.search("совы")] == ["b.txt"]
    (hit,) = index.search("بوم")
    assert STORED["b.txt"][slice(*hit.matches[0])] == "بوم"


def test_phrases_stand_together_and_stars_find_beginnings(index):
    assert [h.iri for h in index.search('"barn owl"', kind="label")] == [EX + "owl"]
    assert index.search('"owl barn"') == []
    assert [h.exact for h in index.search("schleier*")] == ["Schleiereule"]
    assert index.search("schleier") == []


def test_all_words_are_wanted_and_any_where_none_has_all(index):
    assert [h.name for h in index.search("owl mice")] == ["a.txt"]
    assert {h.iri for h in index.search("uhu crème")} == {EX + "uhu", EX + "cafe"}


def test_of_equals_labels_come_first_whatever_the_order_of_adding(tmp_path):
    labels = [(f"{EX}{i}", "owl") for i in range(20)]
    one, two = TextIndex(tmp_path / "1"), TextIndex(tmp_path / "2")
    one.update(labels, [Text.of("t", EX + "t", "owl")])
    two.update(labels[10:], [])
    two.update(reversed(labels), [Text.of("t", EX + "t", "owl")])
    assert one.search("owl", 30) == two.search("owl", 30)
    assert [h.iri for h in one.search("owl", 3)] == sorted(iri for iri, _ in labels)[:3]


def test_only_what_changed_is_read_and_written(index):
    def unread():
        raise AssertionError("read again")

    same = [Text(n, EX + n, Text.of(n, "", t).sha256, unread) for n, t in STORED.items() if n != "c.txt"]
    assert index.update(LABELS, [*same, Text.of("c.txt", EX + "c.txt", "A wren")]) == Updated(1, 1)
    assert [h.name for h in index.search("wren")] == ["c.txt"]
    assert "c.txt" not in {h.name for h in index.search("owl")}
    assert index.update([], []) == Updated(0, len(LABELS) + 3)
    assert index.search("owl") == []


def test_an_update_that_fails_leaves_what_was(index):
    def broken():
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        index.update([], [Text("d", EX + "d", "1", broken)])
    assert len(index.search("owl")) == 3


KILLED = """
import os, sys
from pathlib import Path
from kgfuse.graph.search import Text, TextIndex
labels = [(f"urn:{i}", f"owl {i} " + "x" * 400) for i in range(20_000)]
TextIndex(Path(sys.argv[1])).update(labels, [Text("t", "urn:t", "1", lambda: os._exit(9))])
"""


def test_an_update_that_is_killed_leaves_what_was(index):
    before = index.search("owl")
    assert subprocess.run([sys.executable, "-c", KILLED, str(index.path)], check=False).returncode == 9
    assert index.path.with_name(index.path.name + "-journal").exists()
    assert index.search("owl") == before


def test_a_damaged_index_is_told_to_a_reader_and_made_anew_by_an_update(index):
    index.path.write_bytes(b"damaged" * 1000)
    with pytest.raises(WorkspaceError, match="search index"):
        index.search("owl")
    index.update(LABELS, [])
    assert [h.iri for h in index.search("uhu")] == [EX + "uhu"]


def test_no_index_finds_nothing(tmp_path):
    assert TextIndex(tmp_path / "none").search("owl") == []


@pytest.mark.parametrize("options", [{"limit": 0}, {"kind": "picture"}])
def test_what_makes_no_sense_is_told(index, options):
    with pytest.raises(UsageError):
        index.search("owl", **options)


nasty = st.text(st.one_of(st.sampled_from("\"*^:(){}+-~ \0\n'owl NEAR AND OR NOT"), st.characters()), max_size=20)


@settings(deadline=None, max_examples=150)
@given(query=nasty)
def test_no_input_breaks_the_search(query, tmp_path_factory):
    index = TextIndex(tmp_path_factory.getbasetemp() / "shared.sqlite")
    if not index.path.exists():
        index.update(LABELS, [Text.of(n, EX + n, t) for n, t in STORED.items()])
    for hit in index.search(query):
        if hit.kind == "text":
            assert STORED[hit.name][hit.start : hit.end] == hit.exact


@settings(deadline=None, max_examples=60)
@given(text=st.text(st.one_of(st.sampled_from("owl \x01\x02\0\né"), st.characters()), max_size=300))
def test_offsets_are_exact_in_any_text(text, tmp_path_factory):
    index = TextIndex(tmp_path_factory.getbasetemp() / "any.sqlite")
    full = text + " owl " + text
    index.update([], [Text.of("t", EX + "t", full)])
    (hit,) = index.search("owl")
    assert hit.matches
    shown = full.replace("\0", " ")
    assert all(shown[a:b].casefold() in ("owl", "ówl") or "owl" in _plain(shown[a:b]) for a, b in hit.matches)
    assert len(hit.exact) == hit.end - hit.start
    assert hit.start <= hit.matches[0][0] < hit.matches[-1][1] <= hit.end


def _plain(text):
    import unicodedata

    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).casefold()


@settings(deadline=None)
@given(words=st.lists(st.sampled_from(["owl", "mouse", "x" * 200, " ", "\n"]), max_size=60), data=st.data())
def test_a_passage_holds_a_whole_word_it_was_found_by(words, data):
    text = " ".join(words)
    found = [(i, i + 3) for i in range(len(text)) if text[i : i + 3] == "owl"]
    start, end = passage(text, found)
    assert 0 <= start <= end <= len(text)
    assert not found or any(start <= a and b <= end for a, b in found)


def test_operators_are_words():
    assert parse('a AND NEAR("b c")') == ['"a"', '"AND"', '"NEAR("', '"b c"']
    assert parse(' " * - ') == []
