"""From annotated sentences to a relation reader: split, train, calibrate, score."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from kgfuse.encode.device import seed_everything
from kgfuse.encode.reader import ReaderConfig
from kgfuse.errors import UsageError
from kgfuse.extract.learned import calibrate
from kgfuse.extract.learned.artefact import Learned, RelationReader, new_reader
from kgfuse.extract.learned.calibrate import Chosen, Judged, Verifier
from kgfuse.extract.learned.clues import Clues, Judgement
from kgfuse.extract.learned.corpus import Annotated, aligned, argument_places
from kgfuse.extract.learned.decode import Candidate, candidates
from kgfuse.extract.learned.examples import Example, Triple
from kgfuse.extract.learned.features import Habits, matrix
from kgfuse.extract.learned.formats import Formats
from kgfuse.extract.learned.locate import Folded, anaphors
from kgfuse.extract.learned.schema import Schema
from kgfuse.extract.learned.tokens import tokenise
from kgfuse.extract.learned.training import Corpus, OnStep, TrainSettings, describe, train

Parts: TypeAlias = tuple[tuple[Example, ...], tuple[Example, ...]]
"""Training and development examples."""


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
    train(reader, Corpus(tokenizer, training, settings), settings, on_step)
    return RelationReader(
        reader,
        tokenizer,
        encoder,
        learn(reader, tokenizer, annotated, parts, settings),
        {a.schema.name: a.schema for a in annotated},
        {a.schema.name: a.style for a in annotated},
        {"settings": settings.model_dump(), "examples": {a.schema.name: len(a.examples) for a in annotated}},
    )


def learn(
    reader: Any, tokenizer: Any, annotated: Sequence[Annotated], parts: Sequence[Parts], settings: TrainSettings
) -> dict[str, Learned]:
    """What surrounds a trained reader: formats of every schema; habits, clues, verifier and threshold of its style.

    Args:
        reader: trained.
        tokenizer: of its encoder.
        annotated: as for `fit`.
        parts: training and development examples of each.
        settings: of training.
    """
    styles = sorted({a.style for a in annotated})
    habits: dict[str, tuple[Formats, Habits]] = {}
    for style in styles:
        found = [x for a, (rest, _) in zip(annotated, parts, strict=True) if a.style == style for x in aligned(rest)]
        habits[style] = (Formats.learn(found), Habits.learn(found))
    own = {
        style: [(a.schema, rest, dev) for a, (rest, dev) in zip(annotated, parts, strict=True) if a.style == style]
        for style in styles
    }
    clues: dict[str, Clues] = {}
    judged: dict[str, list[tuple[list[Judged], list[int]]]] = {}
    for style, sets in own.items():
        judges = [Judge(reader, tokenizer, schema, habits[style][1], settings.unsaid) for schema, _, _ in sets]
        clues[style] = Clues.learn(
            j for judge, (_, rest, _) in zip(judges, sets, strict=True) for j in judge.judgements(rest)
        )
        judged[style] = [
            (judge.judge(dev, clues[style]), [len(e.triples) for e in dev])
            for judge, (_, _, dev) in zip(judges, sets, strict=True)
        ]
    # of whole ontologies few are kept out: a verifier for each style would learn the only one of its style by heart
    shared = _calibrated(*_pool(itertools.chain(*judged.values())), settings) if settings.unseen else None
    learned: dict[str, Learned] = {}
    for style, sets in own.items():
        verifier, threshold, missing, scores = shared or _calibrated(*_pool(judged[style]), settings)
        formats, habit = habits[style]
        learned[f"style:{style}"] = Learned(formats, habit, clues[style], verifier, threshold, missing, scores)
        for (schema, rest, _), (by_place, gold) in zip(sets, judged[style], strict=True):
            scores = _scores(by_place, gold, verifier, threshold)
            places = list(aligned(rest))
            formats_here = Formats.learn(places) if places else formats
            learned[schema.name] = Learned(formats_here, habit, clues[style], verifier, threshold, missing, scores)
    return learned


def _split(annotated: Annotated, settings: TrainSettings) -> Parts:
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


def _all_or_none(annotated: Annotated, whole: frozenset[str]) -> Parts:
    return ((), annotated.examples) if annotated.schema.name in whole else (annotated.examples, ())


def _about(example: Example) -> str:
    """The subject of most of an example's triples; of equals the first."""
    counts = Counter(t.subject for t in example.triples)
    return max(counts, key=lambda s: counts[s]) if counts else ""


class Judge:
    """Reads annotated sentences of a schema with a trained reader, and tells right candidates from wrong ones.

    Args:
        reader: trained.
        tokenizer: of its encoder.
        schema: whose relations are asked.
        habits: of the examples' arguments.
        unsaid: weight of a negative that proves little.
    """

    def __init__(self, reader: Any, tokenizer: Any, schema: Schema, habits: Habits, unsaid: float) -> None:
        self.reader, self.tokenizer, self.schema, self.habits, self.unsaid = reader, tokenizer, schema, habits, unsaid
        self.keys = [r.key for r in schema.relations]
        self.labels = [r.label for r in schema.relations]
        self.vectors = describe(reader, tokenizer, schema)

    def judgements(self, examples: Sequence[Example]) -> Iterator[Judgement]:
        """What training examples say of their candidates: which words speak for a relation is learned from that."""
        for example, row in self._read(examples):
            facts = self._facts(example, row)
            right = np.array([f[0] for f in facts])
            weight = np.array([self.unsaid if is_open else 1.0 for _, is_open in facts], np.float32)
            yield Judgement(example.text, row, self.labels, right, weight)

    def judge(self, examples: Sequence[Example], clues: Clues) -> list[Judged]:
        """The candidates of development examples; sentences are numbered by their place."""
        numbers = {id(e): n for n, e in enumerate(examples)}
        found: list[Judged] = []
        for example, row in self._read(examples):
            by_words = clues.scores(example.text, row, self.labels)
            features = matrix(example.text, row, self.keys, self.habits, by_words)
            for one, f, (right, is_open) in zip(row, features, self._facts(example, row), strict=True):
                found.append(Judged(numbers[id(example)], self.keys[one.relation], one, f, right, is_open))
        return found

    def _read(self, examples: Sequence[Example]) -> Iterator[tuple[Example, list[Candidate]]]:
        texts = [e.text for e in examples]
        tokens = tokenise(self.tokenizer, texts)
        rows = candidates(self.reader, texts, tokens, self.vectors)
        return ((e, row) for e, row in zip(examples, rows, strict=True) if row)

    def _facts(self, example: Example, row: Sequence[Candidate]) -> list[tuple[bool, bool]]:
        """Of each candidate whether the annotation has it, and whether its absence proves little."""
        gold, wrong = _places(example, example.triples), _places(example, example.rejected)
        found = []
        for one in row:
            key = self.keys[one.relation]
            right = (key, one.subject, one.object) in gold
            known = right or example.complete or (key, one.subject, one.object) in wrong
            little = not known and not _touches(key, one.subject, one.object, gold)
            found.append((right, little))
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


def _places(example: Example, triples: Iterable[Triple]) -> set[tuple[str, tuple[int, int], tuple[int, int]]]:
    """Relation, subject's and object's characters, wherever these triples are said."""
    text = Folded(example.text)
    found = set()
    for t in triples:
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
) -> tuple[Verifier, float, float, Mapping[str, float]]:
    try:
        found = calibrate.chosen(judged, calibrate.cross_fitted(judged, settings.unsaid))
        verifier = calibrate.fit(judged, settings.unsaid)
    except ValueError as error:
        raise UsageError(
            f"the extractor cannot be calibrated: {error}", remedy="annotate more sentences, some with several triples"
        ) from error
    threshold, missing = calibrate.threshold(found, gold), calibrate.missing(found, gold)
    p, right = np.array([c.probability for c in found]), np.array([c.judged.right for c in found])
    scores = _f1(found, gold, threshold) | {"calibration_error": calibrate.expected_error(p, right)}
    return verifier, threshold, missing, scores


def _scores(judged: Sequence[Judged], gold: Sequence[int], verifier: Verifier, threshold: float) -> Mapping[str, float]:
    if not judged:
        return {"sentences": float(len(gold))}
    p = verifier.probabilities(np.stack([j.features for j in judged]), [j.relation for j in judged])
    return _f1(calibrate.chosen(judged, p), gold, threshold)


def _f1(found: Sequence[Chosen], gold: Sequence[int], threshold: float) -> dict[str, float]:
    """Triples by place: precision, recall and F1 over all development sentences."""
    kept = [c for c in found if c.probability >= threshold]
    hits, wanted = sum(c.judged.right for c in kept), sum(gold)
    precision, recall = hits / max(len(kept), 1), hits / max(wanted, 1)
    f1 = 2 * precision * recall / max(precision + recall, 1e-9)
    return {"sentences": float(len(gold)), "precision": precision, "recall": recall, "f1": f1}
