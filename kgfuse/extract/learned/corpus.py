"""Annotated sentences as the reader is trained on them: words, and the places of every argument."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from kgfuse.extract.learned.examples import Example, Triple
from kgfuse.extract.learned.formats import Aligned
from kgfuse.extract.learned.locate import Folded, Place, anaphors, places
from kgfuse.extract.learned.schema import Schema
from kgfuse.extract.learned.spans import word_places
from kgfuse.extract.learned.tokens import Tokenised, tokenise

Words: TypeAlias = tuple[int, int]
"""First and last word of a place."""


@dataclass(frozen=True, slots=True)
class Annotated:
    """A schema and the examples that were annotated with it.

    Args:
        style: sets that write labels alike carry one name here; formats that one of them lacks are taken from all.
    """

    schema: Schema
    examples: tuple[Example, ...]
    style: str = ""


@dataclass(frozen=True, slots=True)
class Gold:
    """A triple by its relation's number and the places of its arguments.

    A subject that is not named in the text stands where a pronoun or "the film" speaks of it; an argument that is not
    said at all has no place.
    """

    relation: int
    subject: tuple[Words, ...]
    object: tuple[Words, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """A sentence ready for training.

    Args:
        tokens: its word pieces and words.
        gold: its triples.
        rejected: what a reviewer said it does not state.
        places: that arguments may take, whatever is asked.
        complete: what is not in ``gold`` is not said.
    """

    tokens: Tokenised
    gold: tuple[Gold, ...]
    rejected: tuple[Gold, ...]
    places: tuple[Words, ...]
    complete: bool


def items_of(examples: Sequence[Example], schema: Schema, tokenizer: Any) -> list[Item]:
    """Items in the order of the examples.

    Args:
        examples: annotated with the schema; triples of other relations are left out.
        schema: the relations.
        tokenizer: of the reader's encoder.
    """
    tokens = tokenise(tokenizer, [e.text for e in examples])
    keys = schema.keys
    found = []
    likely = word_places(tokens, [e.text for e in examples])
    for example, words, open_to in zip(examples, tokens, likely, strict=True):
        folded = Folded(example.text)
        gold = tuple(_gold(t, keys[t.relation], folded, words) for t in example.triples if t.relation in keys)
        wrong = tuple(_gold(t, keys[t.relation], folded, words) for t in example.rejected if t.relation in keys)
        found.append(Item(words, gold, wrong, open_to, example.complete))
    return found


def _gold(triple: Triple, relation: int, text: Folded, words: Tokenised) -> Gold:
    subject = argument_places(text, triple.subject, triple.subject_span) or anaphors(text.text)[:1]
    object_ = argument_places(text, triple.object, triple.object_span)
    return Gold(relation, _words(subject, words), _words(object_, words))


def _words(found: Iterable[Place], words: Tokenised) -> tuple[Words, ...]:
    return tuple(dict.fromkeys(w for p in found if (w := words.words_of(p.start, p.end)) is not None))


def argument_places(text: Folded, label: str, span: tuple[int, int] | None) -> list[Place]:
    """Where an argument is said: its given span, else wherever its label is found."""
    return [Place(*span, "given")] if span is not None else places(text, label)


def aligned(examples: Iterable[Example]) -> list[Aligned]:
    """Every label with the words that say it first."""
    found = []
    for example in examples:
        folded = Folded(example.text)
        for t in example.triples:
            for role, label, span in (("subject", t.subject, t.subject_span), ("object", t.object, t.object_span)):
                for place in argument_places(folded, label, span)[:1]:
                    found.append(Aligned(t.relation, role, example.text[place.start : place.end], label))
    return found
