"""Image classification on real photos: the Grocery Store data set as a kgfuse manifest.

    python -m examples.grocery GroceryStoreDataset/dataset --out grocery.jsonl
    kgfuse init grocery.kg -o retail
    kgfuse add grocery.kg grocery.jsonl
    kgfuse build grocery.kg
    kgfuse train grocery.kg --target retail:Product
    kgfuse classify grocery.kg

Every photo is an item. Every class is one too, a class node with its description, its iconic picture, its place in the
taxonomy and what the shop's page says of origin and brand: that is the graph which the photos are matched with.
``examples/README.md`` says where the data come from.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kgfuse.ontology import Vocabulary, load_all

SECTIONS = {"Fruit": "retail:Fruit", "Vegetables": "retail:Vegetable", "Packages": "retail:PackagedProduct"}
SPLITS = {"train": "train", "val": "validation", "test": "test"}


@dataclass(frozen=True)
class ProductClass:
    """A row of ``classes.csv``: names, and the files that describe it."""

    name: str
    coarse: str
    icon: str
    description: str

    @property
    def section(self) -> str:
        """Top folder of the taxonomy: Fruit, Vegetables or Packages."""
        return self.icon.split("/")[2]


@dataclass(frozen=True)
class Photo:
    """A line of ``train.txt``, ``val.txt`` or ``test.txt``; ``label`` is ``None`` where the line carries none."""

    path: str
    label: int | None
    split: str


def read_classes(folder: Path) -> list[ProductClass]:
    """The classes in the order of their numbers."""
    with (folder / "classes.csv").open(encoding="utf-8", newline="") as f:
        rows = sorted(csv.reader(f), key=lambda row: int(row[1]) if row[1].isdigit() else -1)[1:]
    return [ProductClass(row[0], row[2], row[4], row[5]) for row in rows]


def read_photos(folder: Path, shots: int | None = None, seed: int = 0) -> list[Photo]:
    """All photos that the split files name; with ``shots``, at most so many training photos a class."""
    photos: list[Photo] = []
    for name, split in SPLITS.items():
        file = folder / f"{name}.txt"
        if file.exists():
            for line in file.read_text(encoding="utf-8").splitlines():
                if line.strip():
                    fields = [field.strip() for field in line.split(",")]
                    photos.append(Photo(fields[0], int(fields[1]) if len(fields) > 1 and fields[1] else None, split))
    if shots is None:
        return photos
    rng = random.Random(seed)
    kept = [p for p in photos if p.split != "train"]
    for label in sorted({p.label for p in photos if p.split == "train" and p.label is not None}):
        own = [p for p in photos if p.split == "train" and p.label == label]
        kept += sorted(rng.sample(own, min(shots, len(own))), key=lambda p: p.path)
    return kept


def draw_classes(folder: Path, count: int, seed: int) -> list[str]:
    """Names of ``count`` classes, drawn by a seed, in the order of their numbers."""
    classes = read_classes(folder)
    if not 0 < count <= len(classes) - 2:
        raise SystemExit(f"of {len(classes)} classes, 1 to {len(classes) - 2} can go without photos, not {count}")
    return [classes[n].name for n in sorted(random.Random(f"unseen {seed}").sample(range(len(classes)), count))]


def entries(
    folder: Path, shots: int | None = None, seed: int = 0, unseen: Collection[str] = ()
) -> Iterator[dict[str, Any]]:
    """Lines of the manifest: coarse classes, fine classes, photos; those of ``unseen`` classes serve nothing."""
    classes = read_classes(folder)
    vocabulary = Vocabulary(load_all(["retail"]))
    for coarse in sorted({c.coarse for c in classes}):
        section = next(c.section for c in classes if c.coarse == coarse)
        parent = known_class(vocabulary, coarse, SECTIONS[section], SECTIONS[section])
        yield {
            "id": f"group/{coarse}",
            "name": coarse.replace("-", " "),
            "type": "owl:Class",
            "links": {"rdfs:subClassOf": [parent]},
        }
    for c in classes:
        text, links = _described(folder, c, vocabulary)
        yield {
            "id": f"class/{c.name}",
            "name": c.name.replace("-", " "),
            "type": "owl:Class",
            "text": text,
            "images": [str((folder / c.icon.lstrip("/")).resolve())],
            "links": {"rdfs:subClassOf": [f"group/{c.coarse}"], **links},
        }
    for photo in read_photos(folder, shots, seed):
        line: dict[str, Any] = {
            "id": photo.path,
            "type": "kgf:Picture",
            "images": [str((folder / photo.path).resolve())],
        }
        if photo.label is None or classes[photo.label].name not in unseen:
            line["split"] = photo.split
        if "split" in line and photo.label is not None:
            line["label"] = f"class/{classes[photo.label].name}"
        yield line


def known_class(vocabulary: Vocabulary, name: str, within: str, otherwise: str) -> str:
    """The pack's class of this name below ``within``, or the section itself."""
    top = vocabulary.expand(within)
    singular = name[:-1] if name.endswith("s") else name
    for label in (name, singular):
        for term in vocabulary.find(label):
            if term.kind == "class" and top in vocabulary.ancestors(term.iri):
                return vocabulary.shrink(term.iri)
    return otherwise


def _described(folder: Path, c: ProductClass, vocabulary: Vocabulary) -> tuple[str, dict[str, list[str]]]:
    """English description, and what the product page states in its own fields."""
    file = folder / c.description.lstrip("/")
    text = file.read_text(encoding="utf-8", errors="replace").strip().split("\n\n")[0].strip()
    links: dict[str, list[str]] = {}
    page = file.with_name(file.name.replace("_Description", "_Information"))
    if page.exists():
        for line in page.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            value = value.split(",")[0].strip()
            if key.startswith("Country") and (country := _individual(vocabulary, value)) is not None:
                links["retail:origin"] = [country]
            if key.startswith("Manufacturer") and (brand := _individual(vocabulary, value)) is not None:
                links["retail:brand"] = [brand]
    return text, links


def _individual(vocabulary: Vocabulary, name: str) -> str | None:
    found = [t.iri for t in vocabulary.find(name.removeprefix("The ")) if t.kind == "individual"]
    return vocabulary.shrink(min(found)) if found else None


def write_manifest(
    folder: Path, out: Path, shots: int | None = None, seed: int = 0, unseen: Collection[str] = ()
) -> int:
    """Write the manifest; return how many lines it has."""
    lines = [json.dumps(e, ensure_ascii=False) for e in entries(folder, shots, seed, unseen)]
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(lines)


def main() -> None:
    """Write the manifest of a data set's folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path, help="holds classes.csv, train.txt, val.txt, test.txt and the pictures")
    parser.add_argument("--out", type=Path, default=Path("grocery.jsonl"))
    parser.add_argument("--shots", type=int, help="training photos a class")
    parser.add_argument("--unseen", type=int, default=0, help="classes without a training photo")
    parser.add_argument("--seed", type=int, default=0, help="draws the shots and the unseen classes")
    options = parser.parse_args()
    folder = options.folder.resolve()
    unseen = draw_classes(folder, options.unseen, options.seed) if options.unseen else []
    count = write_manifest(folder, options.out, options.shots, options.seed, unseen)
    print(f"{options.out}: {count} items")


if __name__ == "__main__":
    main()
