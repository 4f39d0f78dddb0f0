"""How many sentences a second the relation reader reads, by the number of relations that are asked."""

from __future__ import annotations

import time

import numpy as np
import torch

from kgfuse.encode.reader import ReaderConfig
from kgfuse.extract.learned.artefact import Learned, RelationReader, new_reader
from kgfuse.extract.learned.calibrate import Verifier
from kgfuse.extract.learned.clues import Clues
from kgfuse.extract.learned.features import NAMES, Habits
from kgfuse.extract.learned.formats import Formats
from kgfuse.extract.learned.schema import Relation, Schema

_ROLES = ("author", "owner", "maker", "place", "date", "part", "material", "colour", "use", "neighbour")
_KINDS = ("film", "book", "song", "town", "river", "engine", "school", "party", "team", "tool")
_LESS = 2.3


def schema(count: int) -> Schema:
    """So many relations, with labels and classes that differ."""
    relations = []
    for n in range(count):
        role, kind, other = _ROLES[n % 10], _KINDS[n // 10 % 10], _KINDS[(n // 100 + n) % 10]
        relations.append(Relation(f"r{n}", f"{role} {n // 10 if n >= 100 else ''}".strip(), kind, other))
    return Schema(f"relations-{count}", tuple(relations))


def untrained_reader(device: str = "cpu") -> RelationReader:
    """A reader of the usual shape with heads as drawn, but for how much they let by: about one candidate a relation.

    That is what readers trained on Text2KGBench let by (.5 to 2.6), so that it is as slow as one of them.
    """
    tokenizer, reader = new_reader(None, ReaderConfig(), device)
    with torch.no_grad():
        reader.pair_out[-1].bias -= _LESS
    size = len(NAMES)
    weights = np.zeros(size + size * (size + 1) // 2)
    weights[0] = 1.0
    verifier = Verifier((0.0,) * size, (1.0,) * size, tuple(weights.tolist()), {}, 0.0)
    clues = Clues(np.arange(10_000, dtype=np.int32), np.full(10_000, 0.01, np.float32), 0.0)
    known = Learned(Formats({}, {}, {}), Habits.learn(()), clues, verifier, 0.5, 0.0)
    return RelationReader(reader, tokenizer, None, {"style:": known}, {}, {}, {})


def sentences_a_second(reader: RelationReader, texts: list[str], count: int) -> float:
    """Sentences a second with so many relations, after a first batch that warms up."""
    asked = schema(count)
    reader.read(texts[:16], asked)
    began = time.perf_counter()
    reader.read(texts, asked)
    return len(texts) / (time.perf_counter() - began)
