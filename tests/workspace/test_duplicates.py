"""Near duplicates: found without comparing all, linked both ways, gone with either, whatever the order."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from sklearn.datasets import load_sample_image

from kgfuse import Workspace
from kgfuse.extract.image.likeness import Likeness, colour_gap
from kgfuse.terms.mentions import Mention, Region
from kgfuse.workspace.duplicates import BITS, COLOURS, Hashed, pairs
from tests.workspace.samples import graph_hash, manifest, small_ontology

SETTINGS = {
    "extract": {"extractors": ["image"], "image": {"ocr": "off", "tags": False}},
    "neighbours": {"k": 0},
    "validate_shapes": False,
}
ALIKE = {("copy.png", "view.png"), ("small.jpg", "copy.png")}


def heart(colour: str) -> Image.Image:
    image = Image.new("RGB", (120, 120), "white")
    ImageDraw.Draw(image).polygon([(60, 110), (10, 50), (35, 20), (60, 40), (85, 20), (110, 50)], fill=colour)
    return image


def pictures(folder: Path) -> list[Path]:
    folder.mkdir()
    photo = Image.fromarray(load_sample_image("china.jpg")).resize((320, 214))
    photo.save(folder / "view.png")
    photo.resize((200, 134)).save(folder / "small.jpg", quality=70)
    (folder / "copy.png").write_bytes((folder / "view.png").read_bytes())
    heart("#d0202a").save(folder / "red.png")
    heart("#2050d0").save(folder / "blue.png")
    return sorted(folder.iterdir())


def linked(ws: Workspace) -> set[tuple[str, str]]:
    rows = ws.query("SELECT ?x ?y WHERE { ?x kgf:nearDuplicateOf ?y }")
    return {(os.path.basename(str(r["x"])), os.path.basename(str(r["y"]))) for r in rows}  # noqa: PTH119 - IRIs


def both_ways(pairs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    return pairs | {(b, a) for a, b in pairs}


def test_copies_are_linked_in_any_order_and_part_with_either(tmp_path: Path) -> None:
    files, ontology = pictures(tmp_path / "files"), small_ontology(tmp_path)
    hashes = []
    for order in (files, files[::-1]):
        with Workspace.create(tmp_path / f"{len(hashes)}.kg", [str(ontology)], SETTINGS) as ws:
            for file in order:
                ws.add(file)
            ws.build()
            assert linked(ws) == both_ways(ALIKE)
            hashes.append(graph_hash(ws))
            if len(hashes) == 2:
                reasons = {s.reason for s in ws.graph.statements(predicate="kgf:nearDuplicateOf")}
                assert any(r.startswith("the same bytes as ") for r in reasons)
                assert not ws.check().findings
                ws.remove("copy.png")
                assert linked(ws) == both_ways({("small.jpg", "view.png")})
                ws.add(next(f for f in files if f.name == "copy.png"))
                ws.build()
                hashes.append(graph_hash(ws))
    assert len(set(hashes)) == 1


def test_a_duplicate_across_splits_is_named(tmp_path: Path) -> None:
    files, ontology = pictures(tmp_path / "files"), small_ontology(tmp_path)
    split = {"view.png": "train", "copy.png": "train", "small.jpg": "test", "red.png": "train", "blue.png": "test"}
    rows = [{"id": f.stem, "images": [str(f)], "split": split[f.name]} for f in files]
    rows += [{"id": i, "text": "Owls eat mice.", "split": s} for i, s in (("a", "train"), ("b", "validation"))]
    with Workspace.create(tmp_path / "w.kg", [str(ontology)], SETTINGS) as ws:
        ws.add(manifest(tmp_path, rows))
        ws.build()
        assert not ws.check().findings
        found = ws.check(leakage=True).findings
    assert {f.rule for f in found} == {"duplicate across splits"}
    told = sorted(f.what for f in found)
    assert len(told) == 3
    alike = [t for t in told if "looks like" in t]
    assert len(alike) == 2
    assert all("small.jpg (test)" in t for t in alike)
    assert all(any(name in t for t in alike) for name in ("view.png (train)", "copy.png (train)"))
    assert any("(validation)" in t and "has the same content as" in t for t in told)


def test_a_group_across_splits_is_named(tmp_path: Path) -> None:
    said = (("a", "train", "Ada"), ("b", "test", "Ada"), ("c", "test", "Bo"), ("d", "test", "Bo"), ("e", "train", None))
    rows = [{"id": i, "text": f"Item {i}.", "split": split, "group": group} for i, split, group in said]
    with Workspace.create(tmp_path / "w.kg", [str(small_ontology(tmp_path))], SETTINGS) as ws:
        ws.add(manifest(tmp_path, rows))
        ws.build()
        assert not ws.check().findings
        (found,) = ws.check(leakage=True).findings
    assert (found.rule, found.where) == ("group across splits", "Ada")
    assert found.what == "group 'Ada' holds b (test) and a (train)"


def hashed(name: str, bits: int, colours: bytes) -> Hashed:
    whole = Mention(f"urn:{name}", Region(0, 0, 1, 1), name, "image.picture")
    return Hashed(f"urn:{name}", name, name, Likeness(bits, colours), whole)


def compared_one_by_one(pictures: list[Hashed]) -> list[tuple[str, str]]:
    """What `pairs` must find, without any index."""
    firsts: list[Hashed] = []
    found = []
    for one in sorted(pictures, key=lambda p: p.name):
        for first in firsts:
            apart = (first.likeness.bits ^ one.likeness.bits).bit_count()
            if apart <= BITS and colour_gap(first.likeness, one.likeness) <= COLOURS:
                found.append((first.name, one.name))
                break
        else:
            firsts.append(one)
    return found


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), kinds=st.integers(1, 6), noise=st.integers(0, 9))
def test_an_index_finds_what_comparing_all_finds_in_any_order(seed: int, kinds: int, noise: int) -> None:
    rng = np.random.default_rng(seed)
    bits = [int(b) for b in rng.integers(0, 2**64, kinds, np.uint64)]
    grounds = rng.integers(20, 230, (kinds, 192))
    made = []
    for n in range(40):
        kind, ground = rng.integers(kinds, size=2)
        flips = sum({1 << int(place) for place in rng.choice(64, rng.integers(0, 5))})
        colours = (grounds[ground] + rng.integers(0, noise + 1, 192)).astype(np.uint8).tobytes()
        made.append(hashed(f"{n:02}.png", bits[kind] ^ flips, colours))
    wanted = compared_one_by_one(made)
    for order in (made, made[::-1]):
        assert [(a.name, b.name) for a, b in pairs(order)] == wanted


def test_a_still_scene_makes_as_many_pairs_as_pictures() -> None:
    rng = np.random.default_rng(0)
    frames = [
        hashed(f"{n:05}.png", 12345, (120 + rng.integers(0, 2, 192)).astype(np.uint8).tobytes()) for n in range(2000)
    ]
    assert [(a.name, b.name) for a, b in pairs(frames)] == [("00000.png", f"{n:05}.png") for n in range(1, 2000)]
