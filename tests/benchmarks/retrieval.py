"""Retrieval across modalities: from texts to pictures and back, among items that nothing was learned from.

    python -m tests.benchmarks.retrieval [--data DIR] [--sets demo,openmoji,grocery] [--seeds 3] [--out DIR]

A fifth of the items is held out by the seed; all is learned and chosen on the others, without labels. Rows: chance; the
words alone (the names of the classes that the CNN sees in a picture, by the text encoder, against the text); canonical
correlations; contrastive training from chance; and what is kept. Medians are of ranks among the held-out items. A set
whose data are not there is named, the others run, and the exit code is 1. The demo needs no data.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from examples.grocery import read_classes
from kgfuse.encode.image import ImageEncoder
from kgfuse.encode.svg import render_svg
from kgfuse.fuse.data import FloatArray
from kgfuse.fuse.partners import Ranked
from kgfuse.fuse.trials import WORDS, Choice, Trials, try_all
from kgfuse.fuse.views import View
from kgfuse.ontology.shipped import field_guide_data
from tests.benchmarks import common
from tests.benchmarks.fusion_sets import grocery, openmoji
from tests.benchmarks.fusion_sets.case import Features, MissingDataError

SETS: Final = ("demo", "openmoji", "grocery")
HELD: Final = 0.2
FIGURES: Final = ("R@1", "R@5", "R@10", "median")


@dataclass(frozen=True, eq=False, slots=True)
class Pairs:
    """Items with a text and a picture each."""

    name: str
    about: str
    items: tuple[str, ...]
    text: View
    image: View


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    p = common.parser(__doc__ or "")
    p.add_argument("--data", type=Path, help="folder of the data sets")
    p.add_argument("--sets", default=",".join(SETS), help="names, with commas")
    p.add_argument("--features", type=Path, help="keep the encoders' vectors here (default: a temporary folder)")
    p.set_defaults(seeds=3)
    options = p.parse_args(arguments)
    wanted = [name for name in options.sets.split(",") if name]
    if unknown := sorted(set(wanted) - set(SETS)):
        p.error(f"--sets: no set is called {unknown[0]!r}; there are {', '.join(SETS)}")
    results, missing = [], []
    with tempfile.TemporaryDirectory() as folder:
        reading = _Reading(Features(options.features or Path(folder)))
        makers: dict[str, Callable[[], Pairs]] = {
            "demo": lambda: _demo(reading),
            "openmoji": lambda: _openmoji(options.data, reading),
            "grocery": lambda: _grocery(options.data, reading),
        }
        for name in wanted:
            try:
                results.append(_run(makers[name](), options.seeds))
            except MissingDataError as error:
                missing.append(f"{name}: {error}")
                print(f"\n{missing[-1]}", file=sys.stderr)
    common.write(options.out, "retrieval", {"sets": results, "missing": missing})
    return 1 if missing else 0


class _Reading:
    """Views of texts and pictures."""

    def __init__(self, features: Features) -> None:
        self._features = features
        self._encoder = ImageEncoder()
        self._names = features.texts(self._encoder.classes)

    def texts(self, texts: Sequence[str]) -> View:
        vectors = self._features.texts(texts)
        return View(vectors, vectors)

    def pictures(self, names: Sequence[str], draw: Callable[[str], Image.Image]) -> View:
        features = self._features.pictures(names, draw)
        shares = self._encoder.class_shares(features)
        assert shares is not None
        return View(features, shares @ self._names)


def _demo(reading: _Reading) -> Pairs:
    origin, drawings = field_guide_data(), openmoji.drawings()
    lines = [x for m in sorted(origin.glob("manifest*.jsonl")) for x in m.read_text("utf-8").splitlines() if x.strip()]
    rows = [json.loads(line) for line in lines]

    def draw(name: str) -> Image.Image:
        return render_svg(drawings / f"{name.removeprefix('demo ')}.svg", 256)

    texts = [(origin / row["text_path"]).read_text("utf-8") for row in rows]
    return Pairs(
        "demo",
        "articles and their drawings",
        tuple(row["id"] for row in rows),
        reading.texts(texts),
        reading.pictures([f"demo {row['emoji']}" for row in rows], draw),
    )


def _openmoji(data: Path | None, reading: _Reading) -> Pairs:
    file = (data or Path()) / "openmoji" / "openmoji.json"
    if data is None or not file.is_file():
        raise MissingDataError(f"--data has no openmoji/{file.name}")
    rows = openmoji.emoji(json.loads(file.read_text(encoding="utf-8")))
    drawings = openmoji.drawings()
    return Pairs(
        "openmoji",
        "names with keywords, and drawings",
        tuple(row["hexcode"] for row in rows),
        reading.texts([f"{row['annotation']}: {row['tags']}, {row['openmoji_tags']}" for row in rows]),
        reading.pictures([row["hexcode"] for row in rows], lambda name: render_svg(drawings / f"{name}.svg")),
    )


def _grocery(data: Path | None, reading: _Reading) -> Pairs:
    folder = grocery.dataset(data)
    rows = read_classes(folder)
    return Pairs(
        "grocery",
        "descriptions of classes, and their icons",
        tuple(row.name for row in rows),
        reading.texts([grocery.described(folder, row) for row in rows]),
        reading.pictures([str(folder / row.icon.lstrip("/")) for row in rows], grocery.opened),
    )


def _run(pairs: Pairs, seeds: int) -> dict[str, Any]:
    runs = []
    for seed in range(seeds):
        began = time.perf_counter()
        order = np.random.default_rng([seed, 20261130]).permutation(len(pairs.items))
        count = round(HELD * len(order))
        held, learned = np.sort(order[:count]), np.sort(order[count:])
        names = [pairs.items[n] for n in learned]
        trials = try_all(names, pairs.text[learned], pairs.image[learned], seed=seed, from_chance=True)
        chosen = dict(_rows(trials))
        found = {"chance": _figures(np.random.default_rng(seed).random((count, count)).astype(np.float32))}
        for name, choice in chosen.items():
            one = trials.fitted(choice)
            found[name] = _figures(one.left(pairs.text[held]) @ one.right(pairs.image[held]).T)
        kept = trials.fitted(chosen["kept"]).method
        seconds = round(time.perf_counter() - began, 1)
        runs.append({"seed": seed, "held": count, "kept": kept, "found": found, "seconds": seconds})
        print(f"{pairs.name} seed {seed}: {kept}, {seconds} s", file=sys.stderr)
    for side, title in enumerate(("text to picture", "picture to text")):
        rows = []
        for name in runs[0]["found"]:
            each = np.array([run["found"][name][side] for run in runs])
            told = [f"{f} {common.shown(each[:, n].tolist(), 1 if n == 3 else 3)}" for n, f in enumerate(FIGURES)]
            rows.append((name, "  ".join(told)))
        about = f"{pairs.about}; {len(pairs.items)} pairs, {runs[0]['held']} held out, {seeds} seeds"
        common.table(f"{pairs.name}, {title}: {about}", rows)
    return {"name": pairs.name, "about": pairs.about, "pairs": len(pairs.items), "runs": runs}


def _rows(trials: Trials) -> Iterator[tuple[str, Choice]]:
    """The best of each kind, chosen on what is learned from."""
    plain = [choice for choice in trials.ranked if choice.recipe is not None and choice.share == 0]
    yield "words alone", WORDS
    yield "canonical", trials.best(c for c in plain if c.recipe is not None and not c.recipe.epochs)
    yield "contrastive", trials.best(c for c in plain if c.recipe is not None and not c.recipe.ridges)
    yield "kept", trials.kept()


def _figures(table: FloatArray) -> list[list[float]]:
    """Recall at 1, 5, 10 and median rank, text to picture and picture to text."""
    ranks = Ranked.of(table).ranks
    return [[*(float((own <= k).mean()) for k in (1, 5, 10)), float(np.median(own))] for own in ranks]


if __name__ == "__main__":
    raise SystemExit(main())
