"""Sentences phrased from an ontology's labels alone, so that relations without examples are met in training too.

Annotated sentences are few for most relations and none for some. In these, words of a relation's label stand between
names of its domain and range; relations of one sentence share the subject, so that the label's words must tell them
apart. They say nothing of how people write: that, examples teach.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Final

from kgfuse.extract.learned.examples import Example, Triple
from kgfuse.extract.learned.schema import Relation, Schema, words
from kgfuse.extract.learned.variation import Names

_MOST: Final = 3
_LINKING: Final = frozenset({"is", "was", "has", "are", "were", "had"})
_PREPOSITIONS: Final = frozenset({"by", "in", "of", "to", "on", "from", "with", "at", "for", "as"})
_FORMS: Final[Mapping[str, Sequence[Sequence[str | int]]]] = {
    "nominal": (
        ("The ", 0, " of ", 1, " is ", 2), (1, "'s ", 0, " is ", 2), (2, " is the ", 0, " of ", 1),
        (1, " has ", 2, " as ", 0), (1, ", with ", 2, " as its ", 0), (1, " (", 0, ": ", 2, ")"),
        ("The ", 0, " of ", 1, " was ", 2), (1, " has the ", 0, " ", 2),
    ),
    "verbal": ((1, " ", 0, " ", 2),),
    "next nominal": (
        (", its ", 0, " is ", 2), (" and has ", 2, " as its ", 0), (", with the ", 0, " ", 2), ("; ", 0, " ", 2),
    ),
    "next verbal": ((" and ", 0, " ", 2),),
}  # fmt: skip
"""Forms of a statement: 0 is the relation, 1 the subject, 2 the object; the next ones leave the subject out."""


def phrased(schema: Schema, names: Names, rng: random.Random, copies: int = 1) -> list[Example]:
    """Sentences about every relation of a schema, ``copies`` of each.

    Args:
        schema: the relations.
        names: of things by the labels of domains and ranges.
        rng: picks names, forms and company.
        copies: sentences that begin with each relation.
    """
    found = []
    for _ in range(copies):
        for relation in schema.relations:
            alike = [r for r in schema.relations if r.domain == relation.domain and r != relation]
            beside = rng.sample(alike, min(len(alike), rng.randrange(_MOST)))
            found.append(_sentence([relation, *beside], names, rng))
    return found


def _sentence(relations: Sequence[Relation], names: Names, rng: random.Random) -> Example:
    subject = names.any_of(relations[0].domain, rng)
    text, subject_at = "", (0, 0)
    triples = []
    for n, relation in enumerate(relations):
        object_ = names.any_of(relation.range, rng)
        label, is_verbal = _said(relation.label)
        form = ("next " if n else "") + ("verbal" if is_verbal else "nominal")
        spans: dict[int, tuple[int, int]] = {}
        for part in rng.choice(_FORMS[form]):
            said = part if isinstance(part, str) else (label, subject, object_)[part]
            if isinstance(part, int):
                spans[part] = (len(text), len(text) + len(said))
            text += said
        subject_at = spans.get(1, subject_at)
        triples.append(Triple(subject, relation.key, object_, subject_at, spans[2]))
    return Example(f"{text}.", tuple(triples))


def _said(label: str) -> tuple[str, bool]:
    """The words of a label, and whether they stand like a verb between subject and object.

    >>> _said("birthPlace"), _said("madeOf"), _said("lives in")
    (('birth place', False), ('is made of', True), ('lives in', True))
    """
    said = words(label)
    first, *_, last = said.split(" ") * 2
    if first in _LINKING or (first.endswith("s") and (last == first or last in _PREPOSITIONS)):
        return said, True
    return (f"is {said}", True) if last in _PREPOSITIONS else (said, False)
