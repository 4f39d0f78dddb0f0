"""What a data set of the fusion benchmark is, and what several of them need to become one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from kgfuse.encode.cache import FeatureCache
from kgfuse.encode.image import ImageEncoder
from kgfuse.encode.text import TextEncoder
from kgfuse.fuse.data import FloatArray, FusionData, GraphArrays, IntArray, Split


class MissingDataError(Exception):
    """The data set is not where it should be; the message says what is missing."""


@dataclass(frozen=True, eq=False, slots=True)
class Case:
    """One data set with one split.

    Args:
        data: items, graph and one target.
        split: what serves what.
        seed: of the split and of the training.
        extra: accuracies of rivals that only this set has.
        among: the classes that are told apart, none of which has a training item; empty for all.
    """

    data: FusionData
    split: Split
    seed: int
    extra: Mapping[str, float] = field(default_factory=dict)
    among: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseSet:
    """One line of the benchmark's table.

    Args:
        name: of the set and its setting.
        about: items, classes and split, for people.
        cases: one for each seed.
        tiny: the test set is so small that one item, not one point, is the margin of what counts as no worse.
    """

    name: str
    about: str
    cases: Sequence[Case]
    tiny: bool = False


class Features:
    """Vectors of texts and pictures by the packaged encoders, kept in a folder between runs.

    Args:
        folder: of the cache.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._cache = FeatureCache(folder)
        self._text: TextEncoder | None = None
        self._image: ImageEncoder | None = None

    def texts(self, texts: Sequence[str]) -> FloatArray:
        """(n, 384) vectors; zero rows for blank texts."""
        self._text = self._text or TextEncoder()
        return self._text.encode(texts)

    def pictures(self, names: Sequence[str], draw: Callable[[str], Image.Image]) -> FloatArray:
        """(n, 1280) vectors of pictures, by names that stand for their content."""
        self._image = self._image or ImageEncoder()
        keys = [hashlib.sha256(name.encode()).hexdigest() for name in names]
        found, known = self._cache.get(self._image.sha256, keys)
        missing = [n for n in range(len(names)) if not known[n]]
        for start in range(0, len(missing), 256):
            rows = missing[start : start + 256]
            vectors = self._image.encode(draw(names[n]) for n in rows)
            self._cache.put(self._image.sha256, [keys[n] for n in rows], vectors)
        found, _ = self._cache.get(self._image.sha256, keys)
        return np.asarray(found, np.float32)


def graph_of(triples: Iterable[tuple[str, str, str]], features: Callable[[Sequence[str]], FloatArray]) -> GraphArrays:
    """Triples as integers; ``features`` gives the rows of the nodes by their names."""
    distinct = sorted(set(triples))
    nodes = tuple(sorted({t[0] for t in distinct} | {t[2] for t in distinct}))
    relations = tuple(sorted({t[1] for t in distinct}))
    at = {name: n for n, name in enumerate(nodes)}
    kind = {name: n for n, name in enumerate(relations)}
    edges = np.array([(at[s], kind[p], at[o]) for s, p, o in distinct], np.int64).reshape(-1, 3)
    return GraphArrays(nodes, relations, edges, features(nodes))


def nodes_of(graph: GraphArrays, items: Sequence[str]) -> IntArray:
    """(N,) place of each item in the graph, -1 where it has none."""
    at = {name: n for n, name in enumerate(graph.nodes)}
    return np.array([at.get(item, -1) for item in items], np.int64)


def stratified(labels: IntArray, shares: tuple[float, float], seed: int) -> Split:
    """A random split with the same classes in all parts.

    Args:
        labels: (N,) class numbers.
        shares: of validation and test.
        seed: of the shuffle.
    """
    rng = np.random.default_rng([seed, 20261129])
    train: list[int] = []
    validation: list[int] = []
    test: list[int] = []
    for label in np.unique(labels):
        own = rng.permutation(np.flatnonzero(labels == label))
        held = max(1, round(len(own) * shares[0])) if len(own) > 1 else 0
        judged = max(1, round(len(own) * shares[1])) if shares[1] else 0
        validation += own[:held].tolist()
        test += own[held : held + judged].tolist()
        train += own[held + judged :].tolist()
    return Split(*(np.array(sorted(part), np.int64) for part in (train, validation, test)))
