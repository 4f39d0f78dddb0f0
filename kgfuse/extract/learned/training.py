"""Training the reader on annotated sentences of one or several ontologies."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from kgfuse.encode.reader import Reader
from kgfuse.extract.learned.corpus import Annotated, Item, items_of
from kgfuse.extract.learned.losses import Weights, loss
from kgfuse.extract.learned.phrasing import phrased
from kgfuse.extract.learned.schema import Schema
from kgfuse.extract.learned.tokens import Described, described, padded_descriptions
from kgfuse.extract.learned.variation import Names, vary

OnStep: TypeAlias = Callable[[int, int, float], None]
_CHUNK: Final = 8


class TrainSettings(BaseModel):
    """How a reader is trained.

    Attributes:
        epochs: passes over the examples.
        batch: sentences a step, all of one ontology.
        learning_rate: of the encoder's layers in which sentence and relations meet, at its peak.
        lower_rate: of the layers below, in which they are read apart.
        head_rate: of what is new.
        weight_decay: of AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101).
        warm_up: share of the steps over which both rates rise; then they fall to zero.
        relations: asked in one step, at least: those that are said, and others of the ontology.
        strangers: relations of other ontologies that are asked besides.
        unsaid: weight of a negative where annotations are not complete.
        copies: of every example with other names in it (see `variation`), read in turn with the example itself.
        phrased: sentences made of each relation's label alone, beside the examples (see `phrasing`).
        dev: share of the examples kept for calibration and thresholds.
        unseen: keep whole ontologies for that instead, so that it fits ontologies that were not trained on.
        seed: of everything random.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: int = Field(default=6, ge=1)
    batch: int = Field(default=8, ge=1)
    learning_rate: float = Field(default=4e-4, gt=0)
    lower_rate: float = Field(default=1.2e-4, gt=0)
    head_rate: float = Field(default=3e-3, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    warm_up: float = Field(default=0.1, ge=0, lt=1)
    relations: int = Field(default=12, ge=1)
    strangers: int = Field(default=4, ge=0)
    unsaid: float = Field(default=0.3, ge=0, le=1)
    copies: int = Field(default=2, ge=0)
    phrased: int = Field(default=1, ge=0)
    dev: float = Field(default=0.12, gt=0, lt=0.5)
    unseen: bool = False
    seed: int = 0


class Corpus:
    """Schemas, their examples and their relations' descriptions, ready for steps.

    Args:
        tokenizer: of the reader's encoder.
        annotated: at least one set of examples.
        settings: how many copies and phrased sentences there are, and their seed.
    """

    def __init__(self, tokenizer: Any, annotated: Sequence[Annotated], settings: TrainSettings) -> None:
        self.schemas = [a.schema for a in annotated]
        names = Names.of(annotated)
        rng = random.Random(settings.seed)
        self.items: list[list[list[Item]]] = []
        for a in annotated:
            versions = [a.examples]
            versions += [tuple(vary(e, a.schema, names, rng) for e in a.examples) for _ in range(settings.copies)]
            versions = [(*own, *phrased(a.schema, names, rng, settings.phrased)) for own in versions]
            self.items.append([items_of(examples, a.schema, tokenizer) for examples in versions])
        self.relations = [described(tokenizer, [r.parts for r in a.schema.relations]) for a in annotated]

    def sizes(self) -> list[int]:
        """Examples and phrased sentences of each set."""
        return [len(versions[0]) for versions in self.items]

    def batches(self, size: int, epoch: int, rng: random.Random) -> list[tuple[int, list[Item]]]:
        """One epoch: (number of the schema, items of nearly one length), in random order.

        Every example is there once, in one of its versions; over as many epochs as there are versions each has its
        turn.
        """
        found: list[tuple[int, list[Item]]] = []
        for n, versions in enumerate(self.items):
            order = [versions[(epoch + k) % len(versions)][k] for k in range(len(versions[0]))]
            rng.shuffle(order)
            for start in range(0, len(order), size * _CHUNK):
                chunk = sorted(order[start : start + size * _CHUNK], key=lambda i: len(i.tokens.ids))
                found += [(n, chunk[k : k + size]) for k in range(0, len(chunk), size)]
        rng.shuffle(found)
        return found

    def asked(
        self, number: int, items: Sequence[Item], settings: TrainSettings, rng: random.Random
    ) -> tuple[list[Described], dict[int, int]]:
        """The relations asked in a step, and the column of each of the schema's relations among them."""
        schema = self.schemas[number]
        said = sorted({g.relation for i in items for g in (*i.gold, *i.rejected)})
        others = sorted(set(range(len(schema.relations))) - set(said))
        own = said + rng.sample(others, min(len(others), max(settings.relations - len(said), 4)))
        rows = [self.relations[number][k] for k in own]
        labels = {r.label for r in schema.relations}
        strange = [
            (m, k)
            for m, s in enumerate(self.schemas)
            for k, r in enumerate(s.relations)
            if m != number and r.label not in labels
        ]
        rows += [self.relations[m][k] for m, k in rng.sample(strange, min(len(strange), settings.strangers))]
        return rows, {relation: column for column, relation in enumerate(own)}


@torch.inference_mode()
def describe(reader: Reader, tokenizer: Any, schema: Schema) -> Tensor:
    """(R, 3, d) vectors of a schema's relations."""
    return _vectors(reader, described(tokenizer, [r.parts for r in schema.relations])).clone()


def _vectors(reader: Reader, relations: Sequence[Described]) -> Tensor:
    ids, mask, parts = (t.to(reader.kind.device) for t in padded_descriptions(relations))
    return reader.describe(ids, mask, parts)


def train(reader: Reader, corpus: Corpus, settings: TrainSettings, on_step: OnStep | None = None) -> None:
    """Train all but the word embeddings in place.

    Args:
        reader: of the encoder and new heads.
        corpus: the examples.
        settings: see there.
        on_step: told (step, of how many, loss).
    """
    rng = random.Random(settings.seed)
    optimiser, parameters = _optimiser(reader, settings)
    total = settings.epochs * sum(math.ceil(size / settings.batch) for size in corpus.sizes())
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, total, settings.warm_up))
    weights = Weights(unsaid=settings.unsaid)
    reader.train()
    for step, (number, items) in enumerate(_steps(corpus, settings, rng, total), 1):
        relations, column = corpus.asked(number, items, settings, rng)
        lost = loss(reader, items, _vectors(reader, relations), column, weights, rng.randrange(1 << 16))
        optimiser.zero_grad()
        lost.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        schedule.step()
        if on_step is not None:
            on_step(step, total, lost.item())
    reader.eval()


def _steps(corpus: Corpus, settings: TrainSettings, rng: random.Random, total: int) -> Iterator[tuple[int, list[Item]]]:
    epochs = (corpus.batches(settings.batch, epoch, rng) for epoch in itertools.count())
    yield from itertools.islice(itertools.chain.from_iterable(epochs), total)


def _optimiser(reader: Reader, settings: TrainSettings) -> tuple[torch.optim.Optimizer, list[nn.Parameter]]:
    upper: list[nn.Parameter] = []
    lower: list[nn.Parameter] = []
    heads: list[nn.Parameter] = []
    for name, parameter in reader.named_parameters():
        if name.startswith("embeddings."):
            parameter.requires_grad_(False)
        elif name.startswith("layers."):
            (lower if int(name.split(".")[1]) < reader.config.split else upper).append(parameter)
        else:
            heads.append(parameter)
    groups = [
        {"params": heads, "lr": settings.head_rate},
        {"params": upper, "lr": settings.learning_rate},
        {"params": lower, "lr": settings.lower_rate},
    ]
    return torch.optim.AdamW(groups, weight_decay=settings.weight_decay, fused=True), [*heads, *upper, *lower]


def _rate(step: int, total: int, warm_up: float) -> float:
    rising = max(total * warm_up, 1)
    return min((step + 1) / rising, max((total - step) / max(total - rising, 1), 0.0))
