"""``train``: from labelled items to a saved model, with the ablation that says what each modality is worth."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import kgfuse
from kgfuse.catalog import ModelRow
from kgfuse.errors import TrainingError
from kgfuse.fuse import artefact
from kgfuse.fuse.ablation import Ablation, ablate
from kgfuse.fuse.config import TrainConfig
from kgfuse.fuse.data import FusionData, Split
from kgfuse.fuse.metrics import evaluate
from kgfuse.fuse.model import FusionModel
from kgfuse.fuse.search.budget import Search
from kgfuse.fuse.search.result import SearchResult, Tried
from kgfuse.fuse.search.space import space_of
from kgfuse.fuse.selective import Promise
from kgfuse.fuse.train import fit
from kgfuse.graph.nodes import named, text
from kgfuse.terms.mentions import Source
from kgfuse.terms.namespaces import digest, label_key, local_name
from kgfuse.workspace.dataset import Dataset, Sample, make_dataset, make_split, sample
from kgfuse.workspace.hierarchy import Hierarchy, TargetSpec, class_items, target_spec
from kgfuse.workspace.leakage import AXIOMS, Mask, make_mask
from kgfuse.workspace.links import OWL_CLASS
from kgfuse.workspace.parts import OnEvent, Parts, silent
from kgfuse.workspace.pictures import Tuned, tune, wants_tuning
from kgfuse.workspace.resolving import Resolved
from kgfuse.workspace.texts import TunedTexts, tune_texts, wants_text_tuning
from kgfuse.workspace.variations import with_copies

SEARCHES: Final = "searches.sqlite"
"""File of a workspace that keeps the trials of its searches for settings, an Optuna storage."""
CHOSEN: Final = "settings.toml"
"""File in a model's folder with the settings that a search chose."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A model that was trained, and how it did.

    Args:
        name: under which it is kept.
        folder: where its files are.
        targets: IRIs of what it predicts.
        metrics: on the test items (validation items where there are none), by target.
        ablation: the modalities alone and together, over splits or seeds; ``None`` if not asked for.
        counts: items to learn from, to select on, to report on.
        search: what the search for settings found; ``None`` if not asked for.
        promises: by target, what share of wrong answers the model promises not to exceed, or that it cannot; empty
            where ``risk`` is not set.
    """

    name: str
    folder: Path
    targets: tuple[str, ...]
    metrics: dict[str, dict[str, float]]
    ablation: Ablation | None
    counts: dict[str, int]
    search: SearchResult | None = None
    promises: Mapping[str, Promise] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What training and prediction both start from."""

    hierarchy: Hierarchy
    specs: tuple[TargetSpec, ...]
    dataset: Dataset


def prepare(parts: Parts, found: Resolved, targets: Sequence[str]) -> Prepared:
    """Arrays of all items that are not class nodes, for these targets.

    Raises:
        TrainingError: nothing to tell apart.
    """
    items = list(parts.catalog.items())
    hierarchy = Hierarchy(parts.vocabulary, class_items(items))
    specs = tuple(target_spec(t, hierarchy, items) for t in targets)
    mask = mask_of(parts, found, hierarchy, specs)
    rows = sorted((i for i in items if OWL_CLASS not in i.types), key=lambda i: i.iri)
    samples: list[Sample] = [sample(parts, item, mask) for item in rows]
    return Prepared(hierarchy, specs, make_dataset(parts, found.resolution, mask, hierarchy, specs, samples))


def mask_of(parts: Parts, found: Resolved, hierarchy: Hierarchy, specs: Sequence[TargetSpec]) -> Mask:
    """What encoders may not see where these are the questions."""
    answers = {c for s in specs for c in s.classes}
    names = {n for t in parts.vocabulary.terms.values() if t.iri in answers for n in t.names}
    names |= {hierarchy.label(c) for c in answers}
    return make_mask(found.extractions, specs, parts.vocabulary, _axioms(parts), names)


def _axioms(parts: Parts) -> list[tuple[str, str, str]]:
    """What holds of classes, properties and names, by which more than the label itself may give a label away."""
    found = (q for p in AXIOMS for q in parts.store.quads(None, named(p), None))
    return [(text(q.subject), q.predicate.value, text(q.object)) for q in found]


def train(
    parts: Parts,
    found: Resolved,
    targets: Sequence[str],
    config: TrainConfig,
    *,
    runs: int = 1,
    resplit: bool = False,
    name: str | None = None,
    asked: Search | None = None,
    pinned: Collection[str] = (),
    on_event: OnEvent = silent,
) -> Trained:
    """Train, calibrate, save; with ``runs`` above zero also compare the modalities.

    Args:
        parts: the workspace.
        found: its resolved extractions.
        targets: CURIEs or IRIs of classes or properties; several are learned together.
        config: all hyper-parameters.
        runs: seeds (on the manifest's split) or, with ``resplit``, random splits that the ablation goes over.
        resplit: whether each run of the ablation splits anew.
        name: of the model; made from target, configuration and data where not given.
        asked: search for better settings first.
        pinned: settings that the built-in search space leaves alone.
        on_event: told about progress.
    """
    if asked is not None:
        space_of(asked.space, config, pinned)  # what is wrong with it is told before the work begins
    on_event("prepare", 0, 1, "")
    prepared = prepare(parts, found, targets)
    dataset = prepared.dataset
    on_event("prepare", 1, 1, "")
    strata = _strata(dataset)
    split = make_split(dataset.samples, strata)
    arrays = _arrays(parts, prepared, split, config, on_event)
    data = arrays.data
    seeds = [config.seed + i for i in range(runs)]
    found_settings: SearchResult | None = None
    if asked is not None:
        known = arrays.pictures is not None or len(data.items) > len(dataset.data.items)
        found_settings = _search(parts, data, arrays.split, config, asked, pinned, known, on_event)
        config = found_settings.config
    comparison = None
    if runs:
        splits = [make_split(dataset.samples, strata, s) for s in seeds] if resplit else []
        each = [_arrays(parts, prepared, s, config, on_event) for s in splits] or [arrays] * runs
        comparison = ablate(
            [own.data for own in each],
            [own.split for own in each],
            config,
            seeds,
            on_run=lambda n, total, what: on_event("ablation", n, total, what),
        )
    fingerprint = digest(
        config.model_dump_json(),
        *dataset.data.items,
        str(data.graph.edges.tolist()),
        *map(str, strata),
        *([] if dataset.data.groups is None else [str(dataset.data.groups.tolist())]),
    )
    name = name or f"{label_key(local_name(prepared.specs[0].name)).replace(' ', '-')}-{fingerprint[:8]}"
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
        raise TrainingError(f"{name!r} cannot be a model's name", remedy="letters, digits, dots, hyphens")
    partial = parts.folder / "models" / f".partial-{fingerprint}"
    model = fit(
        data,
        arrays.split,
        config,
        resume_folder=partial,
        log_folder=parts.folder / "logs" / name,
        on_epoch=lambda e: on_event("train", e.epoch, config.epochs, f"validation loss {e.validation_loss:.3f}"),
    )
    judged = split.test if len(split.test) else split.validation
    metrics = {s.name: evaluate(model, data, judged, s.name) for s in prepared.specs}
    if found_settings is not None:
        model.metrics["search"] = found_settings.to_dict()
    compared = {"ablation": comparison.to_dict() if comparison else None, "resplit": resplit}
    folder = _save(parts, name, model, arrays, prepared, config, metrics, compared, split, found_settings)
    shutil.rmtree(partial, ignore_errors=True)
    on_event("train", config.epochs, config.epochs, name)
    counts = {k: len(getattr(split, k)) for k in ("train", "validation", "test")}
    promised = {target: stack.promise for target, stack in model.stacks.items() if stack.promise is not None}
    questions = tuple(s.name for s in prepared.specs)
    return Trained(name, folder, questions, metrics, comparison, counts, found_settings, promised)


@dataclass(frozen=True, eq=False, slots=True)
class _Arrays:
    """What the fusion model learns from under one split, with the encoders that were tuned on its training items."""

    data: FusionData
    split: Split
    pictures: Tuned | None
    texts: TunedTexts | None


def _arrays(parts: Parts, prepared: Prepared, split: Split, config: TrainConfig, on_event: OnEvent) -> _Arrays:
    """Tune the encoders that the configuration asks for, and add varied copies of pictures."""
    dataset, pictures, texts = prepared.dataset, None, None
    if wants_tuning(dataset, split, config):
        pictures = tune(parts, dataset, split, config, on_event)
        dataset = pictures.applied(parts, dataset, class_pictures(parts, prepared, pictures.target))
    if wants_text_tuning(parts, dataset, split, config):
        texts, dataset = tune_texts(parts, dataset, split, config, on_event)
    data = dataset.data
    if config.image.copies and "image" in config.modalities:
        data, (split,) = with_copies(parts, dataset, [split], config.image.vary, config.image.copies, pictures)
    return _Arrays(data, split, pictures, texts)


def _search(
    parts: Parts,
    data: FusionData,
    split: Split,
    config: TrainConfig,
    asked: Search,
    pinned: Collection[str],
    learned_features: bool,
    on_event: OnEvent,
) -> SearchResult:
    """Search on the arrays that training will use; the workspace's file of trials lets it go on another time."""
    from kgfuse.fuse.search.run import search

    total = asked.trials or 0

    def told(trial: Tried) -> None:
        on_event("search", trial.number + 1, total, trial.line())

    on_event("search", 0, total, "")
    found = search(
        data,
        split,
        config,
        asked,
        pinned=pinned,
        file=parts.folder / SEARCHES,
        learned_features=learned_features,
        on_trial=told,
    )
    on_event("search", len(found.trials), len(found.trials), found.verdict())
    return found


def class_pictures(parts: Parts, prepared: Prepared, target: str) -> list[tuple[Source, ...]]:
    """Iconic pictures of each class of a target."""
    spec = next(s for s in prepared.specs if s.name == target)
    items = [prepared.hierarchy.class_items.get(c) for c in spec.classes]
    return [sample(parts, i, prepared.dataset.mask).pictures if i is not None else () for i in items]


def _strata(dataset: Dataset) -> list[str | None]:
    """Each item's class under the first target that labels it; ``None`` for unlabelled items."""
    strata: list[str | None] = []
    for s in dataset.samples:
        found = [c for spec in dataset.specs for c in s.item.labels.get(spec.property, ()) if c in spec.classes]
        strata.append(found[0] if found else None)
    return strata


def _save(
    parts: Parts,
    name: str,
    model: FusionModel,
    arrays: _Arrays,
    prepared: Prepared,
    config: TrainConfig,
    metrics: dict[str, dict[str, float]],
    compared: dict[str, Any],
    split: Split,
    found: SearchResult | None,
) -> Path:
    """Write the model's folder beside the old one and swap them, so that a reader never sees half a model."""
    final = parts.folder / "models" / name
    fresh = parts.folder / "models" / f".new-{name}"
    shutil.rmtree(fresh, ignore_errors=True)
    artefact.save(model, fresh / "fusion")
    if arrays.pictures is not None:
        arrays.pictures.save(fresh / "pictures")
    if arrays.texts is not None:
        arrays.texts.save(fresh / "texts")
    card: dict[str, Any] = {
        "kgfuse": kgfuse.__version__,
        "name": name,
        "targets": [s.name for s in prepared.specs],
        "classes": {s.name: list(s.classes) for s in prepared.specs},
        "config": config.model_dump(mode="json"),
        "metrics": metrics,
        **compared,
        "search": found.to_dict() if found else None,
        "items": {
            k: [prepared.dataset.data.items[i] for i in getattr(split, k)] for k in ("train", "validation", "test")
        },
        "settings": parts.settings.model_dump(mode="json"),
        "text_model": parts.text_encoder.sha256,
        "image_model": parts.picture_key,
        "preprocessing": parts.settings.preprocessing(),
        "vocabulary": parts.vocabulary.sha256,
    }
    if found is not None:
        (fresh / CHOSEN).write_text(found.toml(), encoding="utf-8")
    (fresh / "model.json").write_text(json.dumps(card, indent=1, sort_keys=True), encoding="utf-8")
    shutil.rmtree(final, ignore_errors=True)
    fresh.rename(final)
    parts.catalog.put_model(
        ModelRow(
            name=name,
            folder=f"models/{name}",
            sha256=_folder_sha256(final),
            targets=tuple(s.name for s in prepared.specs),
            config=config.model_dump(mode="json"),
            metrics=metrics,
        )
    )
    return final


def _folder_sha256(folder: Path) -> str:
    """Hash over all files of a model."""
    h = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        h.update(f"{path.relative_to(folder).as_posix()}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return h.hexdigest()
