"""What pictures show: tags and their boxes against what a person sees in the pictures that ship with packages."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kgfuse.encode.image import ImageEncoder, Look
from kgfuse.encode.image_steps import ImagePipeline, Prepared
from kgfuse.extract.image.cam import box
from kgfuse.extract.image.settings import ImageSettings
from kgfuse.extract.image.tags import Tagger, is_drawing
from kgfuse.ontology import Vocabulary, load_all
from kgfuse.terms.mentions import Region
from kgfuse.terms.namespaces import KGF

PACKS: Final = ("field-guide",)
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Seen:
    """A picture of a package, and the ImageNet names that are right for it with the place of the thing.

    A picture without names shows nothing that ImageNet has a class for: every tag of it is false.
    """

    package: str
    file: str
    names: dict[str, Box] = field(default_factory=dict)


_CAT: Final = (0, 0, 365, 300)
_CUP: Final = (170, 15, 236, 295)
_ROCKET: Final = (308, 125, 32, 290)
_PAGODA: Final = (64, 27, 287, 360)
_MOTORCYCLE: Final = (89, 86, 596, 365)
PICTURES: Final = (
    Seen("skimage.data", "astronaut.png", {"space shuttle": (355, 4, 107, 280)}),
    Seen("skimage.data", "camera.png", {"tripod": (233, 196, 173, 316)}),
    Seen("skimage.data", "chelsea.png", {"tabby": _CAT, "tiger cat": _CAT, "Egyptian cat": _CAT}),
    Seen("skimage.data", "coffee.png", {"espresso": _CUP, "cup": _CUP, "coffee mug": _CUP}),
    Seen("skimage.data", "horse.png", {"sorrel": (17, 9, 372, 302)}),
    Seen("skimage.data", "motorcycle_left.png", {"moped": _MOTORCYCLE, "disk brake": (525, 285, 120, 165)}),
    Seen("skimage.data", "rocket.jpg", {"missile": _ROCKET, "projectile": _ROCKET}),
    Seen("sklearn.datasets.images", "china.jpg", {"palace": _PAGODA, "stupa": _PAGODA, "monastery": _PAGODA}),
    Seen("sklearn.datasets.images", "flower.jpg"),
    *(
        Seen("skimage.data", file)
        for file in (
            "brick.png", "coins.png", "color.png", "grass.png", "gravel.png", "hubble_deep_field.jpg", "moon.png",
            "retina.jpg",
        )
    ),
)  # fmt: skip


def file_of(seen: Seen) -> Path | None:
    """The file, or ``None`` where the package does not bring it."""
    spec = importlib.util.find_spec(seen.package)
    folders = spec.submodule_search_locations if spec else None
    path = Path(next(iter(folders or ["."]))) / seen.file
    return path if folders and path.is_file() else None


def probabilities(look: Look) -> NDArray[np.float64]:
    """Softmax of the scores."""
    shifted = np.exp(look.logits.astype(np.float64) - look.logits.max())
    return np.asarray(shifted / shifted.sum())


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes.

    >>> overlap((0, 0, 2, 1), (1, 0, 2, 1))
    0.3333333333333333
    """
    across = max(0.0, min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0]))
    down = max(0.0, min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1]))
    both = across * down
    return both / (a[2] * a[3] + b[2] * b[3] - both)


def classes_of(vocabulary: Vocabulary, tagger: Tagger, encoder: ImageEncoder, names: Iterable[str]) -> set[str]:
    """Classes of the packs that are right for a picture: those that the names map to, and all above them."""
    columns = [encoder.classes.index(name) for name in names]
    direct = {iri for column in columns for iri in tagger.direct(column)}
    return {a for iri in direct for a in vocabulary.ancestors(iri) if not a.startswith(KGF)}


def measure() -> dict[str, Any]:
    """Tags, boxes and false tags on the pictures that are there."""
    encoder, settings = ImageEncoder(device="cpu"), ImageSettings()
    vocabulary = Vocabulary(load_all(PACKS))
    tagger = Tagger(vocabulary, encoder.classes)
    rows, boxes, absent = [], [], []
    for seen in PICTURES:
        path = file_of(seen)
        if path is None:
            absent.append(f"{seen.package} brings no {seen.file}")
            continue
        picture = ImagePipeline().open(path)
        look = encoder.look(picture.image)
        rows.append(_row(seen, picture, look, encoder, vocabulary, tagger, settings.tag_threshold))
        boxes += [_boxed(seen, name, picture, look, encoder, settings.box_threshold) for name in seen.names]
    return {"pictures": rows, "boxes": boxes, "absent": absent}


def _row(
    seen: Seen, picture: Prepared, look: Look, encoder: ImageEncoder, vocabulary: Vocabulary, tagger: Tagger,
    threshold: float,
) -> dict[str, Any]:  # fmt: skip
    order = [encoder.classes[i] for i in np.argsort(-probabilities(look), kind="stable")[:5]]
    drawing = is_drawing(picture.image)
    right = classes_of(vocabulary, tagger, encoder, seen.names)
    ranked = [t.iri for t in tagger.tags(look.logits, drawing=drawing, threshold=0.0)[:5]]
    said = [t for t in tagger.tags(look.logits, drawing=drawing, threshold=threshold) if t.confidence >= threshold]
    mapped = [tagger.direct(encoder.classes.index(name)) for name in order]
    return {
        "file": seen.file,
        "right": sorted(seen.names),
        "names": order,
        "bare": [not right.isdisjoint(iris) for iris in mapped],
        "bare_says": bool(mapped[0]),
        "ranked": [iri in right for iri in ranked],
        "said": [{"label": t.label, "confidence": t.confidence, "right": t.iri in right} for t in said],
    }


def _boxed(
    seen: Seen, name: str, picture: Prepared, look: Look, encoder: ImageEncoder, threshold: float
) -> dict[str, Any]:
    head = encoder.class_weights
    weights = None if head is None else head[encoder.classes.index(name)]
    region = picture.region(*box(look, weights, threshold))
    window = picture.region(*look.window)
    true = seen.names[name]
    found, whole = as_box(region), as_box(window)
    x, y = found[0] + found[2] / 2, found[1] + found[3] / 2
    return {
        "file": seen.file,
        "name": name,
        "iou": overlap(found, true),
        "iou_window": overlap(whole, true),
        "centre_inside": true[0] <= x <= true[0] + true[2] and true[1] <= y <= true[1] + true[3],
    }


def as_box(region: Region) -> Box:
    """Left, top, width, height."""
    return (region.x, region.y, region.w, region.h)


def shares(rows: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """What the table says of the pictures."""
    shown = [r for r in rows if r["right"]]
    empty = [r for r in rows if not r["right"]]
    names = [[n in r["right"] for n in r["names"]] for r in shown]
    said = [t for r in rows for t in r["said"]]
    ranked = (
        ("ImageNet names, argmax", names),
        ("pack's classes, argmax mapped", [r["bare"] for r in shown]),
        ("pack's classes, kgfuse", [r["ranked"] for r in shown]),
    )
    first = [
        (f"{who}, first right / one of five", f"{sum(x[:1] == [True] for x in a)} / {sum(map(any, a))}")
        for who, a in ranked
    ]
    return [
        (f"pictures with a right name / without one: {len(shown)} / {len(empty)}", ""),
        *first,
        ("kgfuse lets in, right / wrong", f"{sum(t['right'] for t in said)} / {sum(not t['right'] for t in said)}"),
        ("false tags where nothing is right: argmax / kgfuse",
         f"{sum(r['bare_says'] for r in empty)} / {sum(len(r['said']) for r in empty)}"),
    ]  # fmt: skip
