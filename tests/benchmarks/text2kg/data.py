"""The files of Text2KGBench, read where they lie."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kgfuse.errors import UsageError
from kgfuse.extract.learned.examples import Example, Triple
from kgfuse.extract.learned.schema import Schema, schema_of_text2kg

FAMILIES = ("wikidata_tekgen", "dbpedia_webnlg")


@dataclass(frozen=True, slots=True)
class Ontology:
    """One ontology of the benchmark with its sentences.

    Args:
        family: ``wikidata_tekgen`` or ``dbpedia_webnlg``.
        name: such as ``ont_1_movie``.
        number: its place in the family.
        schema: its relations.
        train: its training sentences, triples of one sentence together.
        test: (id, sentence) of its test file; empty where that is not there.
        gold: triples by id; ``None`` where the ground truth is not there.
    """

    family: str
    name: str
    number: int
    schema: Schema
    train: tuple[Example, ...]
    test: tuple[tuple[str, str], ...]
    gold: dict[str, list[tuple[str, str, str]]] | None


def read_all(data: Path, only: Sequence[str] = ()) -> list[Ontology]:
    """Every ontology under a folder, or those whose name or number is asked for.

    Raises:
        UsageError: none is there.
    """
    found = []
    for family in FAMILIES:
        files = sorted((data / family / "ontologies").glob("*.json"), key=lambda f: int(f.name.split("_")[0]))
        found += [_read(data / family, family, file) for file in files]
    wanted = [o for o in found if not only or {o.name, o.name.split("_", 2)[-1], f"{o.family}/{o.name}"} & set(only)]
    if not wanted:
        raise UsageError(
            "no ontology was found", where=data, remedy="--data names the folder that holds " + " and ".join(FAMILIES)
        )
    return wanted


def _read(folder: Path, family: str, file: Path) -> Ontology:
    record = json.loads(file.read_text(encoding="utf-8"))
    name = record["id"]
    gold = _lines(folder / "ground_truth" / f"{name}_ground_truth.jsonl")
    return Ontology(
        family,
        name,
        int(name.split("_")[1]),
        schema_of_text2kg(record),
        tuple(_examples(_lines(folder / "train" / f"{name}_train.jsonl") or ())),
        tuple((r["id"], r["sent"]) for r in _lines(folder / "test" / f"{name}_test.jsonl") or ()),
        None if gold is None else {r["id"]: [(t["sub"], t["rel"], t["obj"]) for t in r["triples"]] for r in gold},
    )


def _lines(file: Path) -> list[dict[str, Any]] | None:
    if not file.is_file():
        return None
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def _examples(rows: Sequence[dict[str, Any]]) -> list[Example]:
    """Sentences with all their rows' triples; a file of one triple a row does not claim to be complete."""
    triples: dict[str, dict[Triple, None]] = {}
    complete = all("triples" in row for row in rows)
    for row in rows:
        given = row.get("triples") or [{"sub": row["sub_label"], "rel": row["rel_label"], "obj": row["obj_label"]}]
        for t in given:
            triples.setdefault(row["sent"], {}).setdefault(Triple(t["sub"], t["rel"], t["obj"]))
    return [Example(text, tuple(found), complete=complete) for text, found in triples.items()]
