"""One sentence of a parse with the forms of its words, read off once for all that looks for words in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kgfuse.extract.text.assertion import CUES


@dataclass(frozen=True)
class Sentence:
    """A sentence.

    Args:
        span: of the parse.
        tokens: its tokens.
        lower: their forms in lower case.
        lemmas: their lemmas in lower case.
    """

    span: Any
    tokens: tuple[Any, ...]
    lower: tuple[str, ...]
    lemmas: tuple[str, ...]

    @classmethod
    def of(cls, span: Any) -> Sentence:
        """Read the forms of a span off."""
        tokens = tuple(span)
        return cls(span, tokens, tuple(t.lower_ for t in tokens), tuple(t.lemma_.lower() for t in tokens))

    @cached_property
    def forms(self) -> frozenset[str]:
        """All forms and lemmas."""
        return frozenset((*self.lower, *self.lemmas))

    @cached_property
    def is_plain(self) -> bool:
        """True where nothing in it can make `standing` say anything but "asserted"."""
        if not CUES.isdisjoint(self.forms) or any(form.endswith("?") for form in self.lower):
            return False
        return all(token.dep_ != "neg" for token in self.tokens)
