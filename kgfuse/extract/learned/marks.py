"""What spaCy's parser says of the words of a text, as numbers: so few examples need not teach what a name is."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from kgfuse.extract.text.nlp import EMBEDDED, load, model_view

Mark: TypeAlias = tuple[int, int, int, int]
"""Entity, part of speech, dependency and noun chunk of a word; zero for what is not said."""

_BATCH: Final = 64


def _numbered(names: str) -> dict[str, int]:
    return {name: n + 1 for n, name in enumerate(names.split())}


_ENTITIES: Final = _numbered(
    "CARDINAL DATE EVENT FAC GPE LANGUAGE LAW LOC MONEY NORP ORDINAL ORG PERCENT PERSON PRODUCT QUANTITY TIME "
    "WORK_OF_ART"
)
_POS: Final = _numbered("ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X")
_DEPENDENCIES: Final = _numbered(
    "ROOT acl acomp advcl advmod agent amod appos attr aux auxpass case cc ccomp compound conj csubj csubjpass dative "
    "dep det dobj expl intj mark meta neg nmod npadvmod nsubj nsubjpass nummod oprd parataxis pcomp pobj poss preconj "
    "predet prep prt punct quantmod relcl xcomp"
)


@dataclass(frozen=True, slots=True)
class Marked:
    """Where the parser's tokens begin, and their marks."""

    begin: tuple[int, ...]
    marks: tuple[Mark, ...]

    def of(self, begin: Sequence[int], end: Sequence[int]) -> tuple[Mark, ...]:
        """Marks of words by their characters: those of the token in which a word begins."""
        found = []
        for start in begin:
            n = bisect_right(self.begin, start) - 1
            found.append(self.marks[n] if n >= 0 else (0, 0, 0, 0))
        return tuple(found)


def marks_of(texts: Sequence[str]) -> Iterator[Marked]:
    """Parse texts, in their order."""
    for doc in load(EMBEDDED).pipe((model_view(text) for text in texts), batch_size=_BATCH):
        yield _marked(doc)


def _marked(doc: Any) -> Marked:
    chunk = [0] * len(doc)
    for one in doc.noun_chunks:
        for n in range(one.start, one.end):
            chunk[n] = 1 if n == one.start else 2
        chunk[one.end - 1] = 3 if one.end - one.start > 1 else 1
    marks = tuple(
        (
            2 * _ENTITIES[t.ent_type_] - (t.ent_iob_ == "B") if t.ent_type_ in _ENTITIES else 0,
            _POS.get(t.pos_, 0),
            _DEPENDENCIES.get(t.dep_, 0),
            chunk[t.i],
        )
        for t in doc
    )
    return Marked(tuple(t.idx for t in doc), marks)
