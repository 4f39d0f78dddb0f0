"""Grocery photos: all photos, five a class, and classes without any; each class known by icon, description, taxonomy.

Judged on the labelled test photos, with the set's own validation photos for validation. Where there are no test
photos, the validation photos judge, and a tenth of the training photos, drawn by the seed, serve for validation; so
they do with five photos a class, of which the tenth is a part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from examples.grocery import Photo, ProductClass, draw_classes, read_classes, read_photos
from kgfuse.encode.finetune import FinetuneConfig, fit_tail
from kgfuse.fuse.data import ClassNodes, FloatArray, FusionData, IntArray, Split, Target, empty_graph, plain_classes
from tests.benchmarks.fusion_sets.case import Case, CaseSet, Features, MissingDataError, stratified

SHOTS: Final = 5
UNSEEN: Final = 16
_FILES: Final = ("classes.csv", "train.txt", "val.txt")
TUNED: Final = "image, fine-tuned"


@dataclass(frozen=True, eq=False, slots=True)
class _Photos:
    """All labelled photos with frozen features, and the classes."""

    folder: Path
    photos: tuple[Photo, ...]
    labels: IntArray
    image: FloatArray
    classes: ClassNodes
    icons: tuple[Path, ...]

    def rows(self, split: str) -> IntArray:
        return np.array([n for n, p in enumerate(self.photos) if p.split == split], np.int64)


def case_sets(data: Path | None, features: Features, seeds: int, salt: int) -> Iterator[CaseSet]:
    """With all photos, with five a class, and with classes that have none.

    Raises:
        MissingDataError: its files are not there.
    """
    folder = dataset(data)
    known = _read(folder, features)
    judged = known.rows("test")
    if not len(judged):
        judged = known.rows("validation")
    train = known.rows("train")
    count = len(known.classes.iris)
    numbers = [seed + 1000 * salt for seed in range(seeds)]
    about = f"{len(judged)} photos to judge on, {count} classes"
    yield CaseSet(
        "grocery, all photos", f"{about}, {len(train)} to learn from",
        [_tuned(known, _split(known, train, judged, n), seed, features) for seed, n in enumerate(numbers)],
    )  # fmt: skip
    yield CaseSet(
        f"grocery, {SHOTS} photos a class", about,
        [
            Case(_fused(known), _held(known, _few(known, train, n), judged, n), seed)
            for seed, n in enumerate(numbers)
        ],
    )  # fmt: skip
    yield CaseSet(
        f"grocery, {UNSEEN} classes unseen", f"{UNSEEN} of {count} classes by seed, told apart from each other",
        [_without(known, folder, seed, n, features) for seed, n in enumerate(numbers)],
    )  # fmt: skip


def dataset(data: Path | None) -> Path:
    """Folder of the data set.

    Raises:
        MissingDataError: its files are not there.
    """
    folder = (data or Path()) / "grocery-store"
    if (folder / "dataset").is_dir():
        folder = folder / "dataset"
    missing = [name for name in _FILES if data is None or not (folder / name).is_file()]
    if missing:
        raise MissingDataError(f"--data has no grocery-store/{missing[0]}")
    return folder.resolve()


def _read(folder: Path, features: Features) -> _Photos:
    rows = read_classes(folder)
    photos = tuple(p for p in read_photos(folder) if p.label is not None)
    names = tuple(c.name for c in rows)
    icons = tuple(folder / c.icon.lstrip("/") for c in rows)
    coarse = sorted({c.coarse for c in rows})
    texts = features.texts([described(folder, c) for c in rows])
    pictures = features.pictures([str(p) for p in icons], opened)
    image = features.pictures([str(folder / p.path) for p in photos], opened)
    whole = np.ones(len(rows), np.bool_)
    classes = replace(
        plain_classes(names),
        text=texts, text_mask=whole, image=pictures, image_mask=whole,
        ancestors=tuple(coarse), membership=np.array([[c.coarse == a for a in coarse] for c in rows], np.bool_),
    )  # fmt: skip
    labels = np.array([p.label for p in photos], np.int64)
    return _Photos(folder, photos, labels, image, classes, icons)


def described(folder: Path, row: ProductClass) -> str:
    """Name and English description of a class; the Swedish one follows it in the file."""
    text = (folder / row.description.lstrip("/")).read_text(encoding="utf-8", errors="replace")
    return f"{row.name.replace('-', ' ')}. {text.strip().split(chr(10) * 2)[0].strip()}"


def opened(name: str) -> Image.Image:
    """A photo or an icon."""
    with Image.open(name) as image:
        return image.convert("RGB")


def _held(known: _Photos, train: IntArray, judged: IntArray, seed: int) -> Split:
    """A tenth of the training photos of every class, at least one where there are two, validates."""
    drawn = stratified(known.labels[train], (0.1, 0.0), seed)
    held = train[drawn.validation]
    rest = np.setdiff1d(train, held)
    return Split(rest, held, judged)


def _split(known: _Photos, train: IntArray, judged: IntArray, seed: int) -> Split:
    """With the set's own validation photos of the classes in ``train``, where others judge."""
    if not len(known.rows("test")):
        return _held(known, train, judged, seed)
    own = known.rows("validation")
    return Split(train, own[np.isin(known.labels[own], known.labels[train])], judged)


def _few(known: _Photos, train: IntArray, seed: int) -> IntArray:
    rng = np.random.default_rng([seed, 20261130])
    kept = [rng.permutation(train[known.labels[train] == c])[:SHOTS] for c in np.unique(known.labels[train])]
    return np.sort(np.concatenate(kept))


def _fused(known: _Photos) -> FusionData:
    """Frozen features; the photos have no text and state nothing: the graph is that of the classes."""
    n = len(known.photos)
    nothing, nowhere = np.zeros((n, known.classes.text.shape[1]), np.float32), np.zeros(n, np.bool_)
    target = Target("product", known.classes, known.labels)
    items = tuple(p.path for p in known.photos)
    return FusionData(
        items, np.full(n, -1, np.int64), nothing, nowhere, known.image, ~nowhere, empty_graph(), (target,)
    )  # fmt: skip


def _tuned(known: _Photos, split: Split, seed: int, features: Features, unseen: Sequence[int] = ()) -> Case:
    """With the features and the scores of a CNN whose last blocks were tuned on the training photos."""
    paths = [known.folder / p.path for p in known.photos]
    seen = np.unique(known.labels[split.train])
    column = {int(c): n for n, c in enumerate(seen)}

    def some(rows: IntArray) -> tuple[list[Path], IntArray]:
        return [paths[n] for n in rows], np.array([column[int(known.labels[n])] for n in rows], np.int64)

    tail = fit_tail(
        *some(split.train), *some(split.validation),
        num_classes=len(seen), config=FinetuneConfig(epochs=8), seed=seed, cache_folder=features.folder / "maps",
    )  # fmt: skip
    image, logits = tail.look(paths)
    icons, _ = tail.look(list(known.icons))
    scores = np.full((len(paths), len(known.classes.iris)), logits.min(), np.float32)
    scores[:, seen] = logits
    scores -= np.log(np.exp(scores - scores.max(1, keepdims=True)).sum(1, keepdims=True)) + scores.max(1, keepdims=True)
    data = _fused(known)
    target = replace(data.targets[0], classes=replace(known.classes, image=icons), image_logits=scores)
    data = replace(data, image=image, targets=(target,))
    extra = {}
    if not unseen:
        extra[TUNED] = float(np.mean(scores[split.test].argmax(1) == known.labels[split.test]))
    return Case(data, split, seed, extra, tuple(unseen))


def _without(known: _Photos, folder: Path, seed: int, drawn_by: int, features: Features) -> Case:
    names = draw_classes(folder, UNSEEN, drawn_by)
    unseen = np.array([known.classes.iris.index(name) for name in names], np.int64)
    own = np.isin(known.labels, unseen)
    train = np.array([n for n in known.rows("train") if not own[n]], np.int64)
    judged = known.rows("test")
    judged = judged[own[judged]] if len(judged) else np.flatnonzero(own)
    case = _tuned(known, _split(known, train, judged, drawn_by), seed, features, unseen.tolist())
    alike = {
        "icon, frozen": (known.image, known.classes.image),
        "icon, fine-tuned": (case.data.image, case.data.targets[0].classes.image),
    }
    scores = {name: _nearest(photos, icons, case, unseen) for name, (photos, icons) in alike.items()}
    return replace(case, extra=scores)


def _nearest(photos: FloatArray, icons: FloatArray, case: Case, among: IntArray) -> float:
    """Accuracy of the nearest icon by cosine, both centred on the training photos."""
    mean = _unit(photos[case.split.train]).mean(0)
    likeness = _unit(_unit(photos[case.split.test]) - mean) @ _unit(_unit(icons[among]) - mean).T
    found = among[likeness.argmax(1)]
    return float(np.mean(found == case.data.targets[0].labels[case.split.test]))


def _unit(values: FloatArray) -> FloatArray:
    return np.asarray(values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12), np.float32)
