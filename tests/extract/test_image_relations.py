"""Regions of a picture: how they lie, said once a pair, bounded, and asked by SPARQL."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from kgfuse import Workspace
from kgfuse.extract.image.relations import (
    ABOVE,
    INSIDE,
    LEFT_OF,
    MOST,
    NEAR,
    OVERLAPS,
    relation_statements,
    relations,
)
from kgfuse.terms.mentions import Mention, Region

BOX = Region(100, 100, 40, 20)
boxes = st.builds(Region, st.integers(0, 200), st.integers(0, 200), st.integers(1, 90), st.integers(1, 90))


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (Region(400, 105, 40, 20), [(LEFT_OF, True)]),
        (Region(10, 95, 40, 20), [(LEFT_OF, False)]),
        (Region(90, 300, 60, 20), [(ABOVE, True)]),
        (Region(100, 125, 40, 20), [(ABOVE, True), (NEAR, True)]),
        (Region(110, 105, 10, 5), [(INSIDE, False)]),
        (Region(120, 110, 40, 20), [(OVERLAPS, True)]),
        (Region(400, 400, 40, 20), []),
    ],
)
def test_how_a_box_lies_to_another(other: Region, said: list[tuple[str, bool]]) -> None:
    assert relations(BOX, other) == said


@given(boxes, boxes)
def test_the_order_of_two_boxes_does_not_matter(a: Region, b: Region) -> None:
    symmetric = {OVERLAPS, NEAR}
    there = {(p, p in symmetric or f) for p, f in relations(a, b)}
    back = {(p, p in symmetric or not f) for p, f in relations(b, a)}
    if (a.x, a.y) != (b.x, b.y):
        assert there == back


def test_a_page_full_of_regions_says_a_bounded_number_in_any_order() -> None:
    places = [
        Mention("s:1", Region(x * 30, y * 30, 20, 20), f"{x} {y}", "image.ocr") for x, y in product(range(9), repeat=2)
    ]
    found = list(relation_statements(places))
    assert len(found) == MOST
    assert list(relation_statements(places[::-1])) == found
    assert all({m.iri for m in s.evidence} == {s.subject, s.object} for s in found)


@pytest.mark.parametrize("on", [True, False])
def test_relations_of_lines_are_asked_by_sparql(tmp_path: Path, on: bool) -> None:
    image = Image.new("RGB", (500, 400), "white")
    for text, y in (("FRESH APPLES", 60), ("RIPE PEARS", 280)):
        ImageDraw.Draw(image).text((60, y), text, fill="black", font=ImageFont.load_default(48))
    image.save(tmp_path / "sign.png")
    settings = {"extract": {"extractors": ["image"], "image": {"relations": on}}, "validate_shapes": False}
    with Workspace.create(tmp_path / "w.kg", settings=settings) as ws:
        ws.add(tmp_path / "sign.png")
        ws.build()
        found = list(ws.query("SELECT ?a ?b { ?a kgf:above ?b . ?b kgf:below ?a }"))
    assert len(found) == (1 if on else 0)
