"""``classify``: answers for items of the workspace and for files that are not in it, each with its way back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from kgfuse.catalog import ModelRow
from kgfuse.errors import ModelError, SourceError, UsageError
from kgfuse.extract.protocol import kinds_read
from kgfuse.extract.running import extract_one
from kgfuse.fuse import artefact
from kgfuse.fuse.model import Prediction as Scores
from kgfuse.graph.published import publish
from kgfuse.sources.identify import walk
from kgfuse.terms.mentions import Extraction, Fact, Source
from kgfuse.terms.namespaces import item_iri
from kgfuse.workspace.dataset import Dataset, make_dataset
from kgfuse.workspace.neighbours import gallery, nearest
from kgfuse.workspace.parts import OnEvent, Parts, silent
from kgfuse.workspace.pictures import Tuned
from kgfuse.workspace.predicted import Answer, write_answers
from kgfuse.workspace.prediction import Context, Prediction, Ranked
from kgfuse.workspace.resolving import Resolved
from kgfuse.workspace.streaming import BATCH, stream
from kgfuse.workspace.texts import TunedTexts
from kgfuse.workspace.training import Prepared, class_pictures, prepare
from kgfuse.workspace.transcribing import listener
from kgfuse.workspace.visiting import visiting_facts, visiting_samples, visiting_source

if TYPE_CHECKING:
    from kgfuse.extract.speech.transcript import Transcript

TOP: Final = 10
"""How many possible answers a prediction names."""


class Predictor:
    """A trained model together with the workspace's graph, ready to answer.

    Raises:
        ModelError: the model's files are damaged, or it reads other features than this workspace has now.
    """

    def __init__(self, parts: Parts, found: Resolved, row: ModelRow) -> None:
        self.parts = parts
        self.found = found
        self.name = row.name
        folder = parts.folder / row.folder
        try:
            self.card: dict[str, Any] = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as e:
            raise ModelError(f"cannot be read: {e}", where=folder, remedy="train it again") from e
        encoders = (("text_model", parts.text_encoder.sha256), ("image_model", parts.picture_key))
        for key, sha in encoders:
            if self.card.get(key) != sha:
                raise ModelError(
                    f"was trained with another {key.replace('_', ' ')}", where=folder, remedy="train it again"
                )
        self.model = artefact.load(folder / "fusion")
        self.tuned = Tuned.load(folder / "pictures") if (folder / "pictures").exists() else None
        self.texts = TunedTexts.load(folder / "texts") if (folder / "texts").exists() else None

    @cached_property
    def prepared(self) -> Prepared:
        """Arrays of the workspace's items for this model's targets."""
        return prepare(self.parts, self.found, self.card["targets"])

    @cached_property
    def dataset(self) -> Dataset:
        """The arrays as the model reads them."""
        return self._tuned(self.prepared.dataset)

    def classify(
        self,
        inputs: Sequence[str | Path] | None = None,
        *,
        target: str | None = None,
        top: int = TOP,
        write: bool = True,
        on_event: OnEvent = silent,
    ) -> list[Prediction]:
        """Answer for items or files; see :meth:`kgfuse.Workspace.classify`."""
        question = self._question(target)
        on_event("classify", 0, 0, "")
        if inputs is None:
            spec = next(s for s in self.prepared.specs if s.name == question)
            rows = [
                n
                for n, s in enumerate(self.dataset.samples)
                if s.item.split == "test" or not s.item.labels.get(spec.property)
            ]
            answers = self._answers(self.dataset, rows, question, top)
        else:
            answers = self._classify_given(inputs, question, top, on_event)
        if write:
            own = [a for a in answers if self.parts.catalog.item(a.item) is not None]
            prop = {s.name: s.property for s in self.prepared.specs}
            write_answers(self.parts.store, [_record(a, prop[a.target]) for a in own])
            publish(self.parts.store, self.parts.folder)
        on_event("classify", len(answers), len(answers), "")
        return answers

    def stream(
        self,
        inputs: Iterable[str | Path],
        *,
        target: str | None = None,
        top: int = TOP,
        batch: int = BATCH,
        on_event: OnEvent = silent,
    ) -> Iterator[Prediction]:
        """Answer for files and items as they come; see :meth:`kgfuse.Workspace.classify_stream`."""
        return stream(self, inputs, self._question(target), top, batch, on_event)

    def row(self, given: str | Path) -> int | None:
        """Row of :attr:`dataset` of the item that an identifier, CURIE or IRI stands for; ``None`` for a path."""
        return None if isinstance(given, Path) else self._rows.get(self._item(given))

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {s.item.iri: n for n, s in enumerate(self.dataset.samples)}

    def answers(self, rows: Sequence[int], target: str, *, top: int = TOP) -> list[Prediction]:
        """Answers to one question for rows of :attr:`dataset`."""
        return self._answers(self.dataset, rows, target, top)

    def _question(self, target: str | None) -> str:
        names: list[str] = self.card["targets"]
        if target is None:
            return names[0]
        iri = self.parts.vocabulary.expand(target)
        if iri not in names:
            raise UsageError(
                f"the model {self.name} does not predict {target}", remedy=f"it predicts {', '.join(names)}"
            )
        return iri

    def _classify_given(
        self, inputs: Sequence[str | Path], question: str, top: int, on_event: OnEvent
    ) -> list[Prediction]:
        rows: list[int] = []
        loose: list[Source] = []
        for given in inputs:
            row = self.row(given)
            if row is not None:
                rows.append(row)
            elif Path(given).is_dir():
                loose += self._in_folder(Path(given), on_event)
            elif Path(given).exists():
                loose.append(visiting_source(Path(given), self.hear))
            else:
                raise UsageError(f"{given} is neither an item nor a file", remedy="see `kgfuse query` for items")
        answers = self._answers(self.dataset, rows, question, top)
        return answers + (self._classify_files(loose, question, top) if loose else [])

    def _item(self, name: str) -> str:
        """IRI that an identifier, CURIE or IRI of an item stands for."""
        prefix = name.split(":", 1)[0]
        known = self.parts.vocabulary.prefixes
        return self.parts.vocabulary.expand(name) if ":" in name and prefix in known else item_iri(name)

    @cached_property
    def _learned(self) -> frozenset[str]:
        return frozenset(self.card["items"]["train"])

    @cached_property
    def hear(self) -> Callable[[Path, str], Transcript]:
        """Path and media type of a recording to its transcript."""
        return listener(self.parts.settings.extract.speech)

    def _in_folder(self, folder: Path, on_event: OnEvent) -> list[Source]:
        """The folder's texts, pictures and recordings; what is none, or cannot be read, is passed over with a note."""
        found = []
        for path in walk(folder):
            try:
                found.append(visiting_source(path, self.hear, folder))
            except (SourceError, ModelError, UsageError) as e:
                on_event("passed over", 0, 0, e.message)
        return found

    def _classify_files(self, sources: Sequence[Source], question: str, top: int) -> list[Prediction]:
        found = [
            extract_one(extractor, source)
            for source in sources
            for extractor in self.parts.extractors
            if source.kind in kinds_read(extractor)
        ]
        return self.answers_of(sources, found, question, top)

    def answers_of(
        self, sources: Sequence[Source], found: Sequence[Extraction], question: str, top: int
    ) -> list[Prediction]:
        """Answers for the items of sources that are not in the workspace, by what was extracted from them."""
        self.parts.keep_features()
        facts = [*visiting_facts(self.parts, found, self.found.resolution.identity), *self._neighbours(sources, found)]
        samples = visiting_samples(sources)
        everything = [*self.prepared.dataset.samples, *samples]
        dataset = make_dataset(
            self.parts,
            self.found.resolution,
            self.prepared.dataset.mask,
            self.prepared.hierarchy,
            self.prepared.specs,
            everything,
            facts,
        )
        rows = list(range(len(everything) - len(samples), len(everything)))
        return self._answers(self._tuned(dataset), rows, question, top, tuple(facts))

    def _neighbours(self, sources: Sequence[Source], found: Sequence[Extraction]) -> list[Fact]:
        pictures = [s for s in sources if s.kind == "image"]
        near = gallery(self.parts)
        if not pictures or not near.sources or self.parts.settings.neighbours.k == 0:
            return []
        features, known = self.parts.features.get(self.parts.picture_key, [s.sha256 for s in pictures])
        named = [(s.name, s.item or "") for s, k in zip(pictures, known, strict=True) if k]
        return nearest(self.parts, near, named, near.direction(features[known]), found) if named else []

    def _tuned(self, dataset: Dataset) -> Dataset:
        if self.tuned is not None:
            icons = class_pictures(self.parts, self.prepared, self.tuned.target)
            dataset = self.tuned.applied(self.parts, dataset, icons)
        return dataset if self.texts is None else self.texts.applied(self.parts, dataset)

    def _answers(
        self, dataset: Dataset, rows: Sequence[int], question: str, top: int, extra: tuple[Fact, ...] = ()
    ) -> list[Prediction]:
        if not rows:
            return []
        scores = self.model.predict(dataset.data, np.array(rows, np.int64))[question]
        label = self.prepared.hierarchy.label
        return [self._answer(scores, n, dataset, row, label, top, extra) for n, row in enumerate(rows)]

    def _needed(self, target: str) -> float | None:
        promise, least = self.model.stacks[target].promise, self.model.config.abstain or 0.0
        if promise is None:
            return least
        return None if promise.threshold is None else max(least, promise.threshold)

    def _answer(
        self, scores: Scores, n: int, dataset: Dataset, row: int, label: Any, top: int, extra: tuple[Fact, ...]
    ) -> Prediction:
        p = scores.probabilities[n]
        best = np.argsort(-p, kind="stable").tolist()

        def ranked(classes: Sequence[int]) -> tuple[Ranked, ...]:
            return tuple(Ranked(scores.classes[i], label(scores.classes[i]), float(p[i])) for i in classes)

        ranking, given = ranked(best[:top]), ranked([i for i in best if scores.given[n, i]])
        first = given[0] if given else ranking[0]
        above = scores.ancestor_probabilities[n]
        order = np.argsort(-above, kind="stable").tolist()
        ancestors = tuple(Ranked(scores.ancestors[i], label(scores.ancestors[i]), float(above[i])) for i in order)
        abstained = int(scores.answer[n]) < 0
        sample = dataset.samples[row]
        return Prediction(
            item=sample.item.iri,
            name=sample.item.identifier,
            target=scores.target,
            label="" if abstained else first.label,
            label_iri="" if abstained else first.iri,
            probability=first.probability,
            abstained=abstained,
            labels=given,
            ranking=ranking,
            ancestors=ancestors,
            shares=dict(zip(scores.modalities, map(float, scores.gates[n]), strict=True)),
            model=self.name,
            needed=self._needed(scores.target),
            _context=Context(
                self.parts, self.model, dataset, row, self.found, extra, self.tuned, self.texts, self._learned
            ),
        )


def _record(prediction: Prediction, prop: str) -> Answer:
    values = tuple((r.iri, r.probability) for r in prediction.labels)
    return Answer(prediction.item, prop, values, prediction.model)
