"""Short texts, drawn shapes and small workspaces that several tests start from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from kgfuse import Workspace
from kgfuse.explain.chain import Check, Evidence, Explanation, Place
from kgfuse.workspace.intake import Intake

FG = "https://w3id.org/kgfuse/field-guide#"
ITEM = "https://w3id.org/kgfuse/item/"
TEXTS = {
    "owl": "The owl has feathers. It eats mice and lives in the forest.",
    "saw": "The saw is made of steel. It is used for cutting wood.",
    "pear": "The pear is green. It grows on trees and tastes sweet.",
}
# reasons and extracts as the field guide does, at a fraction of its size
SMALL = """
@prefix s: <http://example.org/small#> .
@prefix kgf: <https://w3id.org/kgfuse#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
s:Being a owl:Class ; rdfs:label "being" .
s:Animal a owl:Class ; rdfs:subClassOf s:Being ; rdfs:label "animal" ; owl:disjointWith s:Place .
s:Place a owl:Class ; rdfs:label "place" .
s:forest a s:Place ; rdfs:label "forest" .
s:eats a owl:ObjectProperty ; rdfs:label "eats" ; kgf:trigger "eats" ; rdfs:domain s:Animal .
s:eatenBy a owl:ObjectProperty ; owl:inverseOf s:eats ; rdfs:label "eaten by" .
s:livesIn a owl:ObjectProperty ; rdfs:label "lives in" ; kgf:trigger "lives in" ; rdfs:range s:Place .
s:madeOf a owl:ObjectProperty ; rdfs:label "made of" ; kgf:trigger "is made of" .
"""
TEXT_ONLY = {"extract": {"extractors": ["text"]}, "validate_shapes": False}


def small_ontology(folder: Path) -> Path:
    """A file of the small ontology."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "small.ttl"
    path.write_text(SMALL, encoding="utf-8")
    return path


def texts(folder: Path, content: Mapping[str, str] = TEXTS) -> Path:
    """A folder of text files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in content.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8", newline="")
    return folder


def manifest(folder: Path, rows: Iterable[Mapping[str, Any] | str], name: str = "manifest.jsonl") -> Path:
    """A manifest of records, or of lines as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    lines = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def shape(path: Path, colour: str, *, corners: int = 0, shift: int = 0, size: int = 96) -> Path:
    """A disc, or a polygon of so many corners, on white."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", (size, size), "white")
    draw = ImageDraw.Draw(image)
    if corners:
        draw.regular_polygon((size // 2, size // 2, size // 3 - shift), corners, rotation=5 * shift, fill=colour)
    else:
        draw.ellipse((10 + shift, 10, size - 12, size - 16 - shift), fill=colour)
    image.save(path)
    return path


def workspace(
    folder: Path,
    *paths: Path,
    settings: Mapping[str, Any] = TEXT_ONLY,
    build: bool = True,
    ontology: str | Path = "field-guide",
) -> Workspace:
    """A workspace of these files."""
    ws = Workspace.create(folder, [str(ontology)], settings)
    if paths:
        ws.add(*paths)
        if build:
            ws.build()
    return ws


def graph_hash(ws: Workspace) -> str:
    """The canonical hash of the whole dataset, provenance included."""
    return ws.graph.store.canonical_hash()


def resting_on(place: Place, said: tuple[str, str, str], words: str, name: str, iri: str) -> Explanation:
    """An answer that rests on one statement, said in one place.

    Args:
        place: where.
        said: the statement; its subject is the item.
        words: of the statement, for people; its relation is in the middle.
        name: of the item.
        iri: of the class that is the answer.
    """
    reason = words.split(" · ")[1]
    evidence = Evidence(*said, words, 0.5, (), 0.9, "text.trigger", reason, (place,), cited=True)
    label = iri.rsplit("#", 1)[-1]
    check = Check(0.9, 0.4, (0.9, 0.0), 0.9, "Fish")
    return Explanation(said[0], name, label, iri, 0.9, {"text": 0.5}, (evidence,), (), check)


def names(intake: Intake) -> list[str]:
    """Names of the sources that are there."""
    return [row.name for row in intake.catalog.sources()]
