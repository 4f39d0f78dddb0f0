"""From class scores to classes of the vocabulary, with the probability that the tag is right."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kgfuse.terms.namespaces import KGF, label_key

if TYPE_CHECKING:
    from kgfuse.ontology.vocabulary import Vocabulary

# Platt scaling (Platt 1999) of the probability mass on a class, fitted by `tests.benchmarks.perception_calibration`: on
# 2,640 photos of groceries and, weighing as much, on pictures of packages, most of which show nothing with a name here.
_SLOPE: Final = 1.39
_INTERCEPT: Final = -0.05
# Measured: 2 tags in 20 are right on drawings, and the scores there say nothing about which.
_DRAWING: Final = 0.1
_FLAT: Final = 0.85
_LEAST_MASS: Final = 0.05
_BROADEST: Final = 0.5


@dataclass(frozen=True, slots=True)
class Tag:
    """A class of the vocabulary that a picture seems to show.

    Args:
        iri: of the class.
        label: its name.
        mass: share of the softmax on the names that map to the class.
        confidence: calibrated probability that the tag is right.
        name: the strongest of those names.
        columns: positions of those names among the scores.
        weights: how much each counts, summing to one.
    """

    iri: str
    label: str
    mass: float
    confidence: float
    name: str
    columns: tuple[int, ...]
    weights: tuple[float, ...]


class Tagger:
    """Maps an encoder's class names onto a vocabulary once, then scores after scores.

    A pack's ``visual.toml`` decides where it names a class; else a class of the lexicon with that label. A class gets
    the mass of the names below it, too, so that lemon or orange may still be a citrus fruit; a class that more than
    half of the names of its hierarchy fall under says next to nothing and is left out.

    Args:
        vocabulary: of the workspace.
        names: of the scores' classes.
    """

    def __init__(self, vocabulary: Vocabulary, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._label = vocabulary.label
        own = self._own = _direct(vocabulary, names)
        direct = {iri for classes in own.values() for iri in classes}
        below: defaultdict[str, set[int]] = defaultdict(set)
        parts: defaultdict[str, set[str]] = defaultdict(set)
        for column, classes in own.items():
            for iri in classes:
                for above in vocabulary.ancestors(iri):
                    if not above.startswith(KGF):
                        below[above].add(column)
                        parts[above].add(iri)

        def widest(iri: str) -> int:
            return max(len(below[above]) for above in vocabulary.ancestors(iri) if above in below)

        self._columns: dict[str, tuple[int, ...]] = {
            iri: tuple(sorted(columns))
            for iri, columns in sorted(below.items())
            if iri in direct or (len(parts[iri]) > 1 and len(columns) <= _BROADEST * widest(iri))
        }
        self._ancestors = {iri: vocabulary.ancestors(iri) for iri in self._columns}
        self._direct = direct

    @property
    def classes(self) -> tuple[str, ...]:
        """IRIs of the classes that a tag can name."""
        return tuple(self._columns)

    def direct(self, column: int) -> frozenset[str]:
        """Classes that one name stands for by itself; none where it stands for nothing in the vocabulary."""
        return self._own.get(column, frozenset())

    def tags(self, logits: NDArray[np.float32], *, drawing: bool, threshold: float) -> list[Tag]:
        """Return the most specific classes whose confidence reaches the threshold, else the likeliest class alone.

        Args:
            logits: float32 (classes,).
            drawing: the picture is a drawing, on which such scores are mostly wrong.
            threshold: 0 to 1.

        Returns:
            tags by falling mass. A single one may lie below the threshold, for the gate to turn away and count; none
            where next to nothing speaks for any class.
        """
        shifted = np.exp(logits.astype(np.float64) - logits.max())
        probabilities = shifted / shifted.sum()
        masses = {iri: float(probabilities[list(columns)].sum()) for iri, columns in self._columns.items()}
        good = [iri for iri, mass in masses.items() if confidence(mass, drawing=drawing) >= threshold]
        chosen = [iri for iri in good if not any(o != iri and iri in self._ancestors[o] for o in good)]
        if not chosen:
            chosen = [iri for iri in masses if iri in self._direct and masses[iri] >= _LEAST_MASS]
            chosen = sorted(chosen, key=lambda iri: (-masses[iri], iri))[:1]
        found = [self._tag(iri, masses[iri], probabilities, drawing) for iri in chosen]
        return sorted(found, key=lambda tag: (-tag.mass, tag.iri))

    def _tag(self, iri: str, mass: float, probabilities: NDArray[np.float64], drawing: bool) -> Tag:
        columns = self._columns[iri]
        shares = probabilities[list(columns)] / mass
        return Tag(
            iri=iri,
            label=self._label(iri),
            mass=mass,
            confidence=round(confidence(mass, drawing=drawing), 3),
            name=self._names[columns[int(shares.argmax())]],
            columns=columns,
            weights=tuple(shares.tolist()),
        )


def confidence(mass: float, *, drawing: bool = False) -> float:
    """Calibrated probability that a class with this share of the softmax is what the picture shows.

    >>> confidence(0.95) > 0.85 and confidence(0.95, drawing=True) < 0.1
    True
    """
    inner = min(max(mass, 1e-6), 1 - 1e-6)
    value = 1 / (1 + math.exp(-(_SLOPE * math.log(inner / (1 - inner)) + _INTERCEPT)))
    return value * _DRAWING if drawing else value


def is_drawing(image: Image.Image) -> bool:
    """Whether the picture consists of flat areas: neighbouring pixels are equal almost everywhere.

    On rendered drawings more than nine neighbours in ten are equal; on photos up to two in ten, on cut-out product
    photos on white up to seven.
    """
    small = image.convert("RGB")
    small.thumbnail((256, 256))
    pixels = np.asarray(small)
    if min(pixels.shape[:2]) < 2:
        return True
    across = (pixels[:, 1:] == pixels[:, :-1]).all(axis=2).mean()
    down = (pixels[1:] == pixels[:-1]).all(axis=2).mean()
    return bool((across + down) / 2 > _FLAT)


def _direct(vocabulary: Vocabulary, names: Sequence[str]) -> dict[int, frozenset[str]]:
    """Return the classes that each column stands for, where it stands for any."""
    mapped: defaultdict[str, set[str]] = defaultdict(set)
    for pack in vocabulary.packs:
        if pack.visual is not None:
            for name, iri in pack.visual.imagenet.items():
                mapped[label_key(name)].add(iri)
    # Two classes of ImageNet are called crane; only a pack can say which is meant.
    counts = Counter(map(label_key, names))
    found = {}
    for column, name in enumerate(names):
        key = label_key(name)
        classes = mapped.get(key) or {term.iri for term in vocabulary.find(name) if term.kind == "class"}
        if classes and (key in mapped or counts[key] == 1):
            found[column] = frozenset(classes)
    return found
