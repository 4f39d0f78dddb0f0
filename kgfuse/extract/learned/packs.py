"""Training the extractor of a pack from its annotated sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kgfuse.errors import UsageError
from kgfuse.extract.learned.artefact import RelationReader
from kgfuse.extract.learned.corpus import Annotated
from kgfuse.extract.learned.examples import Example, example_of, read_examples
from kgfuse.extract.learned.extractor import NAME
from kgfuse.extract.learned.fitting import fit
from kgfuse.extract.learned.schema import schema_of
from kgfuse.extract.learned.training import OnStep, TrainSettings
from kgfuse.ontology.vocabulary import Vocabulary


def train_pack(
    vocabulary: Vocabulary,
    files: Sequence[Path] = (),
    settings: TrainSettings | None = None,
    *,
    device: str = "auto",
    on_step: OnStep | None = None,
) -> RelationReader:
    """Train an extractor for the properties of a vocabulary.

    Args:
        vocabulary: of the packs; their ``examples.jsonl`` are read.
        files: more examples.
        settings: of training.
        device: ``auto``, ``cpu``, ``cuda`` …
        on_step: told about progress.

    Raises:
        PackError: an example is broken, or names a property that no pack has.
        UsageError: there are too few examples.
    """
    examples = [*_of_packs(vocabulary), *(e for file in files for e in read_examples(file))]
    examples = [_expanded(e, vocabulary) for e in examples]
    if not examples:
        raise UsageError(
            "there are no annotated sentences", remedy="write them into the pack's examples.jsonl, or give --examples"
        )
    return fit([Annotated(schema_of(vocabulary, NAME), tuple(examples))], settings, device=device, on_step=on_step)


def _of_packs(vocabulary: Vocabulary) -> list[Example]:
    found = []
    for pack in vocabulary.packs:
        file = pack.file("examples.jsonl")
        found += [example_of(record, f"{file}:{line}") for line, record in pack.records("examples.jsonl")]
    return found


def _expanded(example: Example, vocabulary: Vocabulary) -> Example:
    """Property names as IRIs."""
    triples = tuple(replace(t, relation=vocabulary.expand(t.relation)) for t in example.triples)
    rejected = tuple(replace(t, relation=vocabulary.expand(t.relation)) for t in example.rejected)
    for t in (*triples, *rejected):
        if t.relation not in vocabulary.properties:
            raise UsageError(
                f"{vocabulary.shrink(t.relation)} is no property of these ontologies",
                where=f"example “{example.text[:60]}”",
                remedy="name a property that a pack declares, or leave the triple out",
            )
    return replace(example, triples=triples, rejected=rejected)
