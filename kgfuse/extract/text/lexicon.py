"""The vocabulary's names found in a parsed text: a trie over word forms, longest match first."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from kgfuse.extract.text.english import gerund, singular
from kgfuse.ontology.pack import Term

_PIECE: Final = re.compile(r"[^\W_]+|[^\w\s\-‐-–'\".,;:!?()\[\]]")
_CLOSED: Final = frozenset(("ADP", "CCONJ", "SCONJ", "DET", "PRON", "PART", "AUX"))
_END: Final = ""

Word: TypeAlias = tuple[int, tuple[str, ...], bool]
"""A word piece: its token, the forms it may be matched by, whether it ends its token."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Tokens ``start`` (inclusive) to ``end`` (exclusive) that spell a name.

    Args:
        start: first token.
        end: token after the last.
        terms: all terms of that name.
        weak: a finite verb form that happens to spell a noun ("flies"): only good where a relation asks for it.
    """

    start: int
    end: int
    terms: tuple[Term, ...]
    weak: bool = False


def fold(text: str) -> list[str]:
    """Word pieces as they are compared: compatibility-normalised, case-folded, without hyphens.

    >>> fold("Granny-Smith"), fold("C++")
    (['granny', 'smith'], ['c', '+', '+'])
    """
    if text.isascii():
        return _PIECE.findall(text.lower())
    return _PIECE.findall(unicodedata.normalize("NFKC", text).casefold())


def words_of(doc: Any) -> list[Word]:
    """Every word piece of a parsed text."""
    words: list[Word] = []
    for token in doc:
        parts = fold(token.text)
        if len(parts) == 1:
            words.append((token.i, _forms(parts[0], token), True))
        else:
            words.extend((token.i, (part,), n == len(parts)) for n, part in enumerate(parts, 1))
    return words


class Lexicon:
    """A trie over folded words. Build time is linear in the names, search time in the text.

    Args:
        names: comparison form of each name with its terms (`Vocabulary.lexicon`).
    """

    def __init__(self, names: Mapping[str, Sequence[Term]]) -> None:
        self._root: dict[str, Any] = {}
        self.size = 0
        for name, terms in names.items():
            if parts := fold(name):
                self._add(parts, tuple(terms))
                if (last := singular(parts[-1])) != parts[-1]:
                    self._add([*parts[:-1], last], tuple(terms))

    def _add(self, parts: Iterable[str], terms: tuple[Term, ...]) -> None:
        node = self._root
        for part in parts:
            node = node.setdefault(part, {})
        known: tuple[Term, ...] = node.get(_END, ())
        node[_END] = known + tuple(t for t in terms if t not in known)
        self.size += 1

    def hits(self, doc: Any, words: Sequence[Word]) -> list[Hit]:
        """Longest matches, left to right, none overlapping another."""
        found: list[Hit] = []
        at, previous = 0, -1
        while at < len(words):
            token = words[at][0]
            best = self._longest(words, at) if token != previous else None
            previous = token
            hit = best and self._hit(doc, token, words[best[0] - 1][0] + 1, best[1])
            if best is None or hit is None:
                at += 1
                continue
            found.append(hit)
            at = best[0]
        return found

    def _longest(self, words: Sequence[Word], at: int) -> tuple[int, tuple[Term, ...]] | None:
        best: tuple[int, tuple[Term, ...]] | None = None
        layer = [self._root]
        while layer and at < len(words):
            _, forms, last = words[at]
            layer = [node[form] for node in layer for form in forms if form in node]
            at += 1
            if last:
                terms = tuple(dict.fromkeys(t for node in layer for t in node.get(_END, ())))
                if terms:
                    best = at, terms
        return best

    def _hit(self, doc: Any, start: int, end: int, terms: tuple[Term, ...]) -> Hit | None:
        if end - start > 1:
            return Hit(start, end, terms)
        token = doc[start]
        if len(token) < 2 or token.pos_ in _CLOSED or (token.is_stop and token.pos_ not in ("NOUN", "PROPN", "ADJ")):
            return None
        return Hit(start, end, terms, weak=token.pos_ == "VERB" and token.tag_ not in ("VBG", "VBN"))


def find_phrase(words: Sequence[Word], parts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Token ranges that spell one phrase, by any of the words' forms."""
    if not parts:
        return
    for at in range(len(words) - len(parts) + 1):
        if at and words[at - 1][0] == words[at][0]:
            continue
        window = words[at : at + len(parts)]
        if window[-1][2] and all(part in forms for part, (_, forms, _) in zip(parts, window, strict=True)):
            yield window[0][0], window[-1][0] + 1


def _forms(word: str, token: Any) -> tuple[str, ...]:
    forms = {word: None}
    if word.isalpha():
        forms[singular(word)] = None
        lemma = token.lemma_.lower()
        if lemma:
            forms[lemma] = None
        if token.pos_ == "VERB":
            forms[gerund(lemma)] = None
    return tuple(forms)
