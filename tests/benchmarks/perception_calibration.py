"""Fits what a tag's share of the softmax says of its being right: the two constants of ``kgfuse.extract.image.tags``.

    python -m tests.benchmarks.perception_calibration --data GroceryStoreDataset/dataset [--out DIR]

Fitted on the training photos of groceries and on the pictures that scikit-image and scikit-learn ship, both weighing
the same, since in any folder some pictures show nothing that the pack has a class for. Tags with a small share count
for nothing: they are never let in, and whether they are right is mostly how common their class is. Judged on the
validation photos, and on each picture of a package by what was fitted without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from kgfuse.encode.device import one_thread
from kgfuse.encode.image import ImageEncoder
from kgfuse.encode.image_steps import ImagePipeline
from kgfuse.extract.image.settings import ImageSettings
from kgfuse.extract.image.tags import Tagger, is_drawing
from kgfuse.ontology import Vocabulary, load_all
from tests.benchmarks import common, perception_grocery, perception_tags

LEAST: Final = 0.2
Floats: TypeAlias = NDArray[np.float64]
"""Rows of share, right (0 or 1), number of the picture."""


def groceries(data: Path, encoder: ImageEncoder, *, train: bool) -> Floats:
    """Tags of photos of groceries."""
    vocabulary = Vocabulary(load_all([perception_grocery.PACK]))
    tagger, threshold = Tagger(vocabulary, encoder.classes), ImageSettings().tag_threshold
    rows = [
        (tag.mass, perception_grocery.holds(vocabulary, tag.iri, photo.truth), n)
        for n, photo in enumerate(perception_grocery.judged(data, encoder, vocabulary, train=train))
        for tag in tagger.tags(photo.logits, drawing=photo.drawing, threshold=threshold)
    ]
    return np.array(rows, np.float64)


def packages(encoder: ImageEncoder) -> Floats:
    """Tags of the photos in packages."""
    vocabulary = Vocabulary(load_all(perception_tags.PACKS))
    tagger, threshold = Tagger(vocabulary, encoder.classes), ImageSettings().tag_threshold
    rows = []
    for n, seen in enumerate(perception_tags.PICTURES):
        path = perception_tags.file_of(seen)
        image = ImagePipeline().open(path).image if path else None
        if image is not None and not is_drawing(image):
            right = perception_tags.classes_of(vocabulary, tagger, encoder, seen.names)
            tags = tagger.tags(encoder.look(image).logits, drawing=False, threshold=threshold)
            rows += [(tag.mass, tag.iri in right, n) for tag in tags]
    return np.array(rows, np.float64)


def fit(parts: Sequence[Floats]) -> tuple[float, float]:
    """Slope and intercept over the log odds of the share; each part weighs the same."""
    used = [part[part[:, 0] >= LEAST] for part in parts]
    weights = np.concatenate([np.full(len(part), 1000 / len(part)) for part in used])
    rows = np.concatenate(used)
    model = LogisticRegression(C=1e6, max_iter=5000).fit(_odds(rows), rows[:, 1], sample_weight=weights)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def judge(rows: Floats, confidence: Floats) -> dict[str, float]:
    """Calibration of all tags, and of those that are let in."""
    said = [(float(c), bool(ok)) for c, ok in zip(confidence, rows[:, 1], strict=True)]
    let_in = [one for one in said if one[0] >= ImageSettings().tag_threshold]
    return {
        "tags": len(said),
        "calibration_error": perception_grocery.calibration_error(said),
        "brier": sum((c - ok) ** 2 for c, ok in said) / len(said),
        "let_in": len(let_in),
        "precision": sum(ok for _, ok in let_in) / max(len(let_in), 1),
        "mean_confidence": sum(c for c, _ in let_in) / max(len(let_in), 1),
        "calibration_error_let_in": perception_grocery.calibration_error(let_in),
    }


def confidences(rows: Floats, slope: float, intercept: float) -> Floats:
    """What the constants make of the shares."""
    return np.asarray(1 / (1 + np.exp(-(slope * _odds(rows)[:, 0] + intercept))))


def _odds(rows: Floats) -> Floats:
    share = np.clip(rows[:, :1], 1e-6, 1 - 1e-6)
    return np.asarray(np.log(share / (1 - share)))


def main() -> None:
    """Fit, judge and print."""
    parser = common.parser(__doc__ or "", data=True)
    options = parser.parse_args()
    encoder, data = ImageEncoder(device="cpu"), options.data.resolve()
    with one_thread():
        train, validation = (groceries(data, encoder, train=train) for train in (True, False))
        shipped = packages(encoder)
    slope, intercept = fit([train, shipped])
    apart = np.zeros(len(shipped))
    for n in np.unique(shipped[:, 2]):
        own = shipped[:, 2] == n
        apart[own] = confidences(shipped[own], *fit([train, shipped[~own]]))
    found: dict[str, Any] = {
        "slope": slope, "intercept": intercept,
        "groceries, validation": judge(validation, confidences(validation, slope, intercept)),
        "packages, each left out": judge(shipped, apart),
    }  # fmt: skip
    common.table("constants", [("slope", f"{slope:.2f}"), ("intercept", f"{intercept:.2f}")])
    for name in ("groceries, validation", "packages, each left out"):
        common.table(name, [(key, f"{value:.3f}") for key, value in found[name].items()])
    common.write(options.out, "perception_calibration", found)


if __name__ == "__main__":
    main()
