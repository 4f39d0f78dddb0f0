"""A text finds pictures and a picture finds texts; how they compare is learned from the workspace without labels."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from PIL import Image

from kgfuse import Workspace
from kgfuse.errors import SourceError, UsageError
from kgfuse.workspace.crossing import Match
from tests.workspace.samples import ITEM, TEXT_ONLY, manifest, shape, workspace

COLOURS = ("red", "blue", "green", "orange", "black", "purple", "yellow", "pink", "brown", "grey", "navy", "cyan")
SHAPES = {"disc": 0, "triangle": 3, "square": 4, "hexagon": 6}
UNTOLD = ("purple disc", "green triangle")
"""Drawn, but no text says what they are."""


def rows(folder: Path, *, labels: bool = False) -> list[dict[str, object]]:
    found = []
    for colour, (name, corners) in itertools.product(COLOURS, SHAPES.items()):
        thing = f"{colour} {name}"
        picture = shape(folder / "pictures" / f"{thing.replace(' ', '-')}.png", colour, corners=corners)
        row: dict[str, object] = {"id": thing.replace(" ", "-"), "images": [str(picture)]}
        if thing not in UNTOLD:
            row["text"] = f"This is a {thing}."
        if labels:
            row["label"] = "fg:Bird" if name == "disc" else "fg:Tool"
        found.append(row)
    return found


def made(folder: Path, lines: Sequence[dict[str, object]]) -> Workspace:
    return workspace(folder / "w.kg", manifest(folder / "in", lines), settings=TEXT_ONLY)


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("shapes")
    with made(folder, rows(folder)) as ws:
        yield ws


def places(matches: Sequence[Match]) -> list[str]:
    return [match.item.removeprefix(ITEM) for match in matches]


def test_a_text_finds_pictures_that_nothing_is_written_of(shapes: Workspace) -> None:
    for thing in UNTOLD:
        found = shapes.search(text=f"a {thing}", within=["image"])
        own = thing.replace(" ", "-")
        assert own in places(found)[:5]
        match = found[places(found).index(own)]
        assert (match.modality, set(match.similarities)) == ("image", {"image"})
        assert match.sources["image"].endswith(f"{own}.png")


def test_what_was_learned_is_said(shapes: Workspace) -> None:
    (first, *_) = shapes.search(text="a red square", limit=1)
    assert places([first]) == ["red-square"]
    assert first.methods["text"] == "same"
    assert "canonical" in first.methods["image"] or "contrastive" in first.methods["image"]


def test_a_picture_finds_texts_and_pictures(shapes: Workspace, tmp_path: Path) -> None:
    drawn = shape(tmp_path / "new.png", "blue", corners=4, shift=1)
    found = shapes.search(image=drawn, within=["text"], limit=8)
    assert all(set(match.similarities) == {"text"} for match in found)
    assert places(found)[0] == "blue-square"
    assert places(shapes.search(image=drawn, limit=1)) == ["blue-square"]


def test_a_picture_in_memory_is_the_picture_of_the_file(shapes: Workspace, tmp_path: Path) -> None:
    drawn = shape(tmp_path / "new.png", "red", corners=3)
    with Image.open(drawn) as image:
        assert shapes.search(image=image) == shapes.search(image=str(drawn))


def test_picture_and_text_together(shapes: Workspace, tmp_path: Path) -> None:
    drawn = shape(tmp_path / "new.png", "red", corners=6)
    assert places(shapes.search(text="a red hexagon", image=drawn, limit=1)) == ["red-hexagon"]


def test_neither_labels_nor_order_matter(shapes: Workspace, tmp_path: Path) -> None:
    with made(tmp_path, rows(tmp_path, labels=True)[::-1]) as other:
        for query in ("a yellow disc", "something with corners"):
            mine = [(m.item, m.score, m.similarities) for m in shapes.search(text=query, within=["text", "image"])]
            its = [(m.item, m.score, m.similarities) for m in other.search(text=query, within=["text", "image"])]
            assert mine == its


def test_it_is_learned_once_for_each_state_of_the_sources(tmp_path: Path) -> None:
    lines = rows(tmp_path)
    with made(tmp_path, lines[:36]) as ws:
        assert {match.methods["image"] for match in ws.search(text="a disc")} == {"words"}  # too few
        ws.add(manifest(tmp_path / "more", lines[36:], "more.jsonl"))
        ws.build()
        found = ws.search(text="a cyan hexagon", limit=5)
        assert "cyan-hexagon" in places(found)
        assert "words" not in {match.methods["image"] for match in found}
        (kept,) = ws.path.glob("features/aligned/aligned.json")
        learned = kept.stat().st_mtime_ns
    with Workspace.open(tmp_path / "w.kg", read_only=True) as reader:
        assert reader.search(text="a cyan hexagon", limit=5) == found
        assert kept.stat().st_mtime_ns == learned
    with Workspace.open(tmp_path / "w.kg") as ws:
        ws.remove("more/more.jsonl")
        assert len(left := ws.search(text="a cyan hexagon", limit=60)) == 36
        assert {match.methods["image"] for match in left} == {"words"}


def test_a_handful_of_items_is_compared_by_words(tmp_path: Path) -> None:
    with made(tmp_path, rows(tmp_path)[:6]) as ws:
        found = ws.search(text="a red disc", within=["image"])
        assert len(found) == 6
        assert {match.methods["image"] for match in found} == {"words"}


def test_what_cannot_be_looked_for_is_told(shapes: Workspace, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(shape(tmp_path / "whole.png", "red").read_bytes()[:200])
    with pytest.raises(SourceError, match=r"broken\.png"):
        shapes.search(image=broken)
    with pytest.raises(SourceError, match="cannot be read"):
        shapes.search(image=tmp_path / "nowhere.png")
    with Image.open(broken) as image, pytest.raises(SourceError, match="damaged"):
        shapes.search(image=image)
    with pytest.raises(UsageError, match="nothing to look for"):
        shapes.search(text=" ")
    with pytest.raises(UsageError, match="nothing to look for"):
        shapes.search()  # type: ignore[call-overload]
    with pytest.raises(UsageError, match="neither text nor picture"):
        shapes.search("disc", text="a disc")  # type: ignore[call-overload]
    with pytest.raises(UsageError, match="no modality"):
        shapes.search(text="a disc", within=["sound"])  # type: ignore[list-item]
