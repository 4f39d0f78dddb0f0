"""Annotated sentences are read in every form that the README names, and a broken one is named by its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kgfuse.errors import PackError
from kgfuse.extract.learned.examples import Example, Triple, read_examples

TEXT = "Ran was directed by Akira Kurosawa."


def read(tmp_path: Path, *records: Any) -> list[Example]:
    file = tmp_path / "examples.jsonl"
    file.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in records), encoding="utf-8")
    return read_examples(file)


def test_both_ways_to_name_a_triple_and_its_places_are_read(tmp_path: Path) -> None:
    named = {"subject": "Ran", "property": "f:director", "object": "Akira Kurosawa", "subject_span": [0, 3]}
    short = {"sub": "Ran", "rel": "f:director", "obj": "Akira Kurosawa", "obj_start": 20, "obj_end": 34}
    one, two = read(tmp_path, {"text": TEXT, "triples": [named]}, "", {"text": TEXT, "triples": [short]})
    assert one.triples == (Triple("Ran", "f:director", "Akira Kurosawa", (0, 3)),)
    assert two.triples == (Triple("Ran", "f:director", "Akira Kurosawa", None, (20, 34)),)
    assert TEXT[20:34] == "Akira Kurosawa"


def test_what_a_review_did_not_decide_is_unknown(tmp_path: Path) -> None:
    triple = {"sub": "Ran", "rel": "f:writer", "obj": "Akira Kurosawa"}
    reviewed = {"text": TEXT, "triples": [], "rejected": [triple], "from": {"source": "a.txt", "review": True}}
    plain, partial, review = read(tmp_path, {"text": TEXT}, {"text": TEXT, "complete": False}, reviewed)
    assert (plain.complete, partial.complete, review.complete) == (True, False, False)
    assert review.rejected == (Triple("Ran", "f:writer", "Akira Kurosawa"),)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ({"text": TEXT, "triples": None}, "is a list"),
        ({"text": TEXT, "rejected": "x"}, "is a list"),
        ({"triples": []}, 'needs a "text"'),
        ({"text": TEXT, "triples": ["x"]}, "a triple is an object"),
        ({"text": TEXT, "triples": [{"subject": "Ran", "object": "x"}]}, 'no "property"'),
        ({"text": TEXT, "triples": [{"sub": "Ran", "rel": "r", "obj": "x", "subject_span": [0, 99]}]}, "within the"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, record: Any, message: str) -> None:
    with pytest.raises(PackError, match=message) as raised:
        read(tmp_path, {"text": TEXT}, record)
    assert str(raised.value.where).endswith("examples.jsonl:2")


def test_a_file_that_is_missing_or_in_another_encoding_is_named(tmp_path: Path) -> None:
    file = tmp_path / "examples.jsonl"
    with pytest.raises(PackError, match="cannot be read"):
        read_examples(file)
    file.write_bytes(json.dumps({"text": "Café"}, ensure_ascii=False).encode("latin-1"))
    with pytest.raises(PackError, match="not UTF-8"):
        read_examples(file)
