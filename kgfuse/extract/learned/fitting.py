"""From annotated sentences to a relation reader: split, train, calibrate, score."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from kgfuse.encode.device import seed_everything
from kgfuse.encode.reader import ReaderConfig
from kgfuse.errors import UsageError
from kgfuse.extract.learned import calibrate
from kgfuse.extract.learned.artefact import Learned, RelationReader, new_reader
from kgfuse.extract.learned.calibrate import Judged, Verifier
from kgfuse.extract.learned.corpus import Annotated, aligned, argument_places
from kgfuse.extract.learned.decode import candidates
from kgfuse.extract.learned.examples import Example
from kgfuse.extract.learned.features import Habits, matrix
from kgfuse.extract.learned.formats import Formats
from kgfuse.extract.learned.locate import Folded, anaphors
from kgfuse.extract.learned.schema import Schema
from kgfuse.extract.learned.tokens import tokenise
from kgfuse.extract.learned.training import Corpus, OnStep, TrainSettings, describe, train

_LEAST = -4.0


def fit(
    annotated: Sequence[Annotated],
    settings: TrainSettings | None = None,
    config: ReaderConfig | None = None,
    *,
    encoder: str | None = None,
    device: str = "auto",
    on_step: OnStep | None = None,
) -> RelationReader:
    """Train one reader on all sets of examples, and learn formats, verifier and threshold of each.

    Args:
        annotated: schemas with their examples; names must differ.
        settings: of training.
        config: of the reader.
        encoder: a BERT by name or folder; ``None`` is the packaged one.
        device: ``auto``, ``cpu``, ``cuda`` …
        on_step: told about progress.

    Raises:
        UsageError: there are too few examples to learn from and to check on.
    """
    settings = settings or TrainSettings()
    whole = _whole(annotated, settings) if settings.unseen else None
    parts = [_split(a, settings) if whole is None else _all_or_none(a, whole) for a in annotated]
    training = [replace(a, examples=rest) for a, (rest, _) in zip(annotated, parts, strict=True) if rest]
    if not any(dev for _, dev in parts):
        raise UsageError("too few examples to train on", remedy="annotate at least ten sentences of an ontology")
    tokenizer, reader = new_reader(encoder, config or ReaderConfig(), device, settings.seed)
    seed_everything(settings.seed)
    train(reader, Corpus(reader, tokenizer, training, settings.copies, settings.seed), settings, on_step)
    judged: dict[str, list[Judged]] = {}
    golds: dict[str, list[int]] = {}
    learned_habits: dict[str, tuple[Formats, Habits]] = {}
    styles = sorted({a.style for a in annotated})
    for style in styles:
        found = [x for a in training if a.style == style for x in aligned(a.examples)]
        learned_habits[f"style:{style}"] = (Formats.learn(found), Habits.learn(found))
    for a, (rest, dev) in zip(annotated, parts, strict=True):
        found = list(aligned(rest))
        formats = Formats.learn(found) if found else learned_habits[f"style:{a.style}"][0]
        learned_habits[a.schema.name] = (formats, learned_habits[f"style:{a.style}"][1])
        vectors = describe(reader, tokenizer, a.schema)
        judged[a.schema.name] = judge(reader, tokenizer, vectors, a.schema, dev, learned_habits[a.schema.name][1])
        golds[a.schema.name] = [len(e.triples) for e in dev]
    learned: dict[str, Learned] = {}
    for style in styles:
        names = [a.schema.name for a in annotated if a.style == style]
        pooled, gold = _pool([(judged[n], golds[n]) for n in names])
        verifier, threshold, scores = _calibrated(pooled, gold, settings)
        learned[f"style:{style}"] = Learned(*learned_habits[f"style:{style}"], verifier, threshold, scores)
        for name in names:
            formats, habits = learned_habits[name]
            own = _scores(judged[name], golds[name], verifier, threshold)
            learned[name] = Learned(formats, habits, verifier, threshold, own)
    record = {"settings": settings.model_dump(), "examples": {a.schema.name: len(a.examples) for a in annotated}}
    return RelationReader(
        reader,
        tokenizer,
        encoder,
        learned,
        {a.schema.name: a.schema for a in annotated},
        {a.schema.name: a.style for a in annotated},
        record,
    )


def _split(annotated: Annotated, settings: TrainSettings) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    """Training and development examples; no two of them are mainly about one subject.

    Data sets repeat entities: with the same ones on both sides, learning them by heart would look like reading.
    """
    groups: dict[str, list[Example]] = {}
    for n, example in enumerate(annotated.examples):
        groups.setdefault(_about(example) or f"no subject {n}", []).append(example)
    order = sorted(groups)
    random.Random(f"{settings.seed} {annotated.schema.name}").shuffle(order)
    wanted = int(len(annotated.examples) * settings.dev)
    held: list[Example] = []
    rest: list[Example] = []
    for name in order:
        fits = len(held) + len(groups[name]) <= wanted * 1.25
        (held if len(held) < wanted and fits else rest).extend(groups[name])
    return tuple(rest), tuple(held)


def _whole(annotated: Sequence[Annotated], settings: TrainSettings) -> frozenset[str]:
    """Names of the ontologies that are kept for development: a share of every style, at least one."""
    held: list[str] = []
    for style in sorted({a.style for a in annotated}):
        names = sorted(a.schema.name for a in annotated if a.style == style)
        random.Random(f"{settings.seed} {style}").shuffle(names)
        held += names[: max(round(len(names) * settings.dev), 1)]
    if len(held) == len(annotated):
        raise UsageError("too few ontologies to keep one for calibration", remedy="train on at least two a style")
    return frozenset(held)


def _all_or_none(annotated: Annotated, whole: frozenset[str]) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    return ((), annotated.examples) if annotated.schema.name in whole else (annotated.examples, ())


def _about(example: Example) -> str:
    """The subject of most of an example's triples; of equals the first."""
    counts = Counter(t.subject for t in example.triples)
    return max(counts, key=lambda s: counts[s]) if counts else ""


def judge(
    reader: Any, tokenizer: Any, vectors: Any, schema: Schema, dev: Sequence[Example], habits: Habits
) -> list[Judged]:
    """The reader's candidates on development sentences, right or wrong by the annotation."""
    keys = [r.key for r in schema.relations]
    rows = candidates(reader, tokenise(tokenizer, [e.text for e in dev]), vectors, _LEAST, reader.lower)
    found: list[Judged] = []
    for number, (example, row) in enumerate(zip(dev, rows, strict=True)):
        if not row:
            continue
        right = _right_places(example)
        for one, features in zip(row, matrix(example.text, row, keys, habits), strict=True):
            relation = keys[one.relation]
            is_right = (relation, one.subject, one.object) in right
            is_open = not example.complete and not _touches(relation, one.subject, one.object, right)
            found.append(Judged(number, relation, features, is_right, is_open))
    return found


def _touches(
    relation: str,
    subject: tuple[int, int],
    object_: tuple[int, int],
    right: Iterable[tuple[str, tuple[int, int], tuple[int, int]]],
) -> bool:
    """An annotated triple of the relation shares characters with both places."""
    return any(
        r == relation and s[0] < subject[1] and subject[0] < s[1] and o[0] < object_[1] and object_[0] < o[1]
        for r, s, o in right
    )


def _right_places(example: Example) -> set[tuple[str, tuple[int, int], tuple[int, int]]]:
    text = Folded(example.text)
    found = set()
    for t in example.triples:
        named = argument_places(text, t.subject, t.subject_span) or anaphors(example.text)[:1]
        subjects = [(p.start, p.end) for p in named]
        objects = [(p.start, p.end) for p in argument_places(text, t.object, t.object_span)]
        found |= {(t.relation, s, o) for s in subjects for o in objects}
    return found


def _pool(sets: Iterable[tuple[list[Judged], list[int]]]) -> tuple[list[Judged], list[int]]:
    judged: list[Judged] = []
    gold: list[int] = []
    for found, counts in sets:
        judged += [replace(j, sentence=j.sentence + len(gold)) for j in found]
        gold += counts
    return judged, gold


def _calibrated(
    judged: Sequence[Judged], gold: Sequence[int], settings: TrainSettings
) -> tuple[Verifier, float, Mapping[str, float]]:
    try:
        p = calibrate.cross_fitted(judged, settings.unsaid)
        verifier = calibrate.fit(judged, settings.unsaid)
    except ValueError as error:
        raise UsageError(
            f"the extractor cannot be calibrated: {error}", remedy="annotate more sentences, some with several triples"
        ) from error
    chosen = calibrate.threshold(judged, p, gold)
    right = np.array([j.right for j in judged])
    scores = _f1(judged, p, gold, chosen) | {"calibration_error": calibrate.expected_error(p, right)}
    return verifier, chosen, scores


def _scores(judged: Sequence[Judged], gold: Sequence[int], verifier: Verifier, threshold: float) -> Mapping[str, float]:
    if not judged:
        return {"sentences": float(len(gold))}
    p = verifier.probabilities(np.stack([j.features for j in judged]), [j.relation for j in judged])
    return _f1(judged, p, gold, threshold)


def _f1(judged: Sequence[Judged], p: Any, gold: Sequence[int], threshold: float) -> dict[str, float]:
    """Triples by place: precision, recall and F1 over all development sentences."""
    kept = [j for j, value in zip(judged, p, strict=True) if value >= threshold]
    hits, wanted = sum(j.right for j in kept), sum(gold)
    precision, recall = hits / max(len(kept), 1), hits / max(wanted, 1)
    f1 = 2 * precision * recall / max(precision + recall, 1e-9)
    return {"sentences": float(len(gold)), "precision": precision, "recall": recall, "f1": f1}
