"""A word of a text, a tag of a photo and a line on a sign that name one thing come to one node, each with its place."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from kgfuse import Workspace
from kgfuse.terms.mentions import Region, TextSpan
from tests.workspace.samples import ITEM, manifest

EX = "http://example.org/cafes#"
ONTOLOGY = """
@prefix : <http://example.org/cafes#> .
@prefix kgf: <https://w3id.org/kgfuse#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
:Drink a owl:Class ; rdfs:label "drink" .
:Espresso a owl:Class ; rdfs:subClassOf :Drink ; rdfs:label "espresso" .
:River a owl:Class ; rdfs:label "river" .
:elbe a :River ; rdfs:label "Elbe" .
:serves a owl:ObjectProperty ; rdfs:label "serves" ; rdfs:range owl:Class .
"""


def sign(path: Path, *lines: str) -> str:
    image = Image.new("RGB", (560, 100 * len(lines) + 60), "white")
    for n, line in enumerate(lines):
        ImageDraw.Draw(image).text((40, 40 + 100 * n), line, fill="black", font=ImageFont.load_default(48))
    image.save(path)
    return str(path)


@pytest.fixture(scope="module")
def cafe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("cafes")
    (folder / "cafes.ttl").write_text(ONTOLOGY, encoding="utf-8")
    spec = importlib.util.find_spec("skimage.data")
    assert spec is not None
    assert spec.submodule_search_locations
    cup = str(Path(spec.submodule_search_locations[0]) / "coffee.png")
    text = "The corner serves espresso. From its door one sees the Elbe."
    images = [cup, sign(folder / "board.png", "ESPRESSO"), sign(folder / "street.png", "ELBE PROMENADE", "TO THE ELBE")]
    row = {"id": "corner", "name": "corner", "text": text, "images": images}
    with Workspace.create(folder / "w.kg", [str(folder / "cafes.ttl")], {"validate_shapes": False}) as ws:
        ws.add(manifest(folder, [row]))
        ws.build()
        yield ws


def places(ws: Workspace, thing: str) -> dict[str, set[type]]:
    """By property, what kinds of places say it of the item with that thing."""
    found: dict[str, set[type]] = {}
    for s in ws.graph.statements(f"{ITEM}corner"):
        if s.object == thing and s.status == "asserted":
            own = [m for m in s.mentions if thing in m.refers_to]
            assert own, f"{s.predicate} rests on no place that refers to it"
            assert s.reason
            found.setdefault(s.predicate.rpartition("#")[2], set()).update(type(m.selector) for m in own)
    return found


def test_text_tag_and_sign_name_one_class(cafe: Workspace) -> None:
    assert places(cafe, f"{EX}Espresso") == {"serves": {TextSpan}, "depicts": {Region}, "mentions": {Region}}


def test_text_and_sign_name_one_thing_and_the_fact_has_both_places(cafe: Workspace) -> None:
    assert places(cafe, f"{EX}elbe") == {"mentions": {TextSpan, Region}}


def test_provenance_is_complete(cafe: Workspace) -> None:
    assert not cafe.check().findings
