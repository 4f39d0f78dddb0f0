"""Photos of groceries, zero-shot: a tag mapped to the shop's coarse classes, which nothing was trained on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from examples.grocery import SECTIONS, known_class, read_classes, read_photos
from kgfuse.encode.image import ImageEncoder
from kgfuse.encode.image_steps import ImagePipeline
from kgfuse.extract.image.settings import ImageSettings
from kgfuse.extract.image.tags import Tagger, is_drawing
from kgfuse.ontology import Vocabulary, load_all

PACK: Final = "retail"


@dataclass(frozen=True)
class Judged:
    """One photo: the class it shows, and what the CNN scored."""

    truth: str
    coarse: str
    logits: NDArray[np.float32]
    drawing: bool


def judged(data: Path, encoder: ImageEncoder, vocabulary: Vocabulary, *, train: bool = False) -> Iterator[Judged]:
    """The labelled photos that tags were not calibrated on: all but those of ``train.txt``; or else those."""
    classes = read_classes(data)
    for photo in read_photos(data):
        if (photo.split == "train") == train and photo.label is not None:
            own = classes[photo.label]
            section = SECTIONS[own.section]
            truth = vocabulary.expand(known_class(vocabulary, own.coarse, section, section))
            image = ImagePipeline().open(data / photo.path).image
            yield Judged(truth, own.coarse, encoder.look(image).logits, is_drawing(image))


def holds(vocabulary: Vocabulary, said: str, truth: str) -> bool:
    """Whether a tag is true: the photo's class, one above it, or one below it."""
    return said in vocabulary.ancestors(truth) or truth in vocabulary.ancestors(said)


def fits(vocabulary: Vocabulary, said: str, truth: str) -> bool:
    """Whether a tag is true and says something: it is no whole section of the shop, such as fruit."""
    broad = {vocabulary.expand(name) for name in (*SECTIONS.values(), "retail:Product")}
    return holds(vocabulary, said, truth) and (said == truth or said not in broad)


def measure(data: Path) -> dict[str, Any]:
    """Score tags and their confidences on a data set's photos."""
    encoder, vocabulary = ImageEncoder(device="cpu"), Vocabulary(load_all([PACK]))
    return score(list(judged(data, encoder, vocabulary)), encoder.classes, vocabulary, ImageSettings().tag_threshold)


def score(photos: Sequence[Judged], names: Sequence[str], vocabulary: Vocabulary, threshold: float) -> dict[str, Any]:
    """Share of photos with a right class first, among five, and of the tags that are let in; calibration of these."""
    tagger = Tagger(vocabulary, names)
    counts: defaultdict[str, int] = defaultdict(int)
    said: list[tuple[float, bool]] = []
    for photo in photos:
        order = np.argsort(-photo.logits, kind="stable")[:5].tolist()
        bare = [any(fits(vocabulary, iri, photo.truth) for iri in tagger.direct(column)) for column in order]
        true = any(holds(vocabulary, iri, photo.truth) for iri in tagger.direct(order[0]))
        exact = [photo.truth in tagger.direct(column) for column in order]
        ranked = [t.iri for t in tagger.tags(photo.logits, drawing=photo.drawing, threshold=0.0)[:5]]
        mine = [fits(vocabulary, iri, photo.truth) for iri in ranked]
        tags = tagger.tags(photo.logits, drawing=photo.drawing, threshold=threshold)
        admitted = [(t.confidence, fits(vocabulary, t.iri, photo.truth)) for t in tags if t.confidence >= threshold]
        found = {
            "argmax: first": bare[0], "argmax: one of five": any(bare),
            "argmax: says a class": bool(tagger.direct(order[0])),
            "argmax: says a true one": true,
            "argmax: the coarse class itself": exact[0], "kgfuse: the coarse class itself": ranked[:1] == [photo.truth],
            "kgfuse: first": mine[:1] == [True], "kgfuse: one of five": any(mine),
            "kgfuse: lets in a tag": bool(admitted), "kgfuse: lets in a right one": any(ok for _, ok in admitted),
        }  # fmt: skip
        for key, value in found.items():
            counts[key] += value
        said += [(t.confidence, holds(vocabulary, t.iri, photo.truth)) for t in tags]
    admitted_all = [one for one in said if one[0] >= threshold]
    return {
        "photos": len(photos),
        "shares": {key: value / len(photos) for key, value in counts.items()},
        "argmax_precision": counts["argmax: says a true one"] / max(counts["argmax: says a class"], 1),
        "tags_let_in": len(admitted_all),
        "tag_precision": sum(ok for _, ok in admitted_all) / max(len(admitted_all), 1),
        "calibration_error": calibration_error(said),
        "calibration_error_let_in": calibration_error(admitted_all),
        "mean_confidence_let_in": sum(c for c, _ in admitted_all) / max(len(admitted_all), 1),
        "brier": sum((c - ok) ** 2 for c, ok in said) / max(len(said), 1),
    }


def calibration_error(said: Sequence[tuple[float, bool]], bins: int = 10) -> float:
    """Expected calibration error: mean distance of confidence and share of right ones, over bins of equal width."""
    of: defaultdict[int, list[tuple[float, bool]]] = defaultdict(list)
    for confidence, right in said:
        of[min(int(confidence * bins), bins - 1)].append((confidence, right))
    gaps = [abs(sum(c for c, _ in own) - sum(ok for _, ok in own)) for own in of.values()]
    return sum(gaps) / max(len(said), 1)
