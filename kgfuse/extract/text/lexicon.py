"""The vocabulary's names found in a parsed text: a trie over word forms, longest match first.

The trie lies in flat integer arrays: children of a node stand side by side, sorted by word, so that a step is a binary
search among them. A million names take some 100 MB beside the terms themselves and are built once; looking a word up
costs the same for a thousand names as for a million but for that search. (An Aho-Corasick automaton over characters,
such as pyahocorasick's, finds each name in one spelling only; here each word of a text stands for all its forms.)
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

import numpy as np

from kgfuse.extract.text.english import gerund, singular
from kgfuse.ontology.pack import Term

_PIECE: Final = re.compile(r"[^\W_]+|[^\w\s\-‐-–'\".,;:!?()\[\]]")
_CLOSED: Final = frozenset(("ADP", "CCONJ", "SCONJ", "DET", "PRON", "PART", "AUX"))

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
        shared: tokens that the name shares with its neighbour in a coordination: of "North and South Korea", the hit
            for North Korea is "North", and it shares "Korea".
    """

    start: int
    end: int
    terms: tuple[Term, ...]
    weak: bool = False
    shared: tuple[int, int] | None = None


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
        parts = _folded(token.text)
        if len(parts) == 1:
            words.append((token.i, _forms(parts[0], token.lemma_, token.pos_ == "VERB"), True))
        else:
            words.extend((token.i, (part,), n == len(parts)) for n, part in enumerate(parts, 1))
    return words


class Lexicon:
    """A trie over folded words. Build time is linear in the names (but for sorting them), search time in the text.

    Args:
        names: comparison form of each name with its terms (`Vocabulary.lexicon`).
    """

    def __init__(self, names: Mapping[str, Sequence[Term]]) -> None:
        self._ids: dict[str, int] = {}
        entries: list[tuple[tuple[int, ...], int]] = []
        groups: list[tuple[Term, ...]] = []
        for name, terms in names.items():
            if parts := fold(name):
                entries.append((self._encoded(parts), len(groups)))
                if (last := singular(parts[-1])) != parts[-1]:
                    entries.append((self._encoded([*parts[:-1], last]), len(groups)))
                groups.append(tuple(terms))
        self.size = len(entries)
        entries.sort()
        self._terms: list[tuple[Term, ...]] = []
        self._build(entries, groups)

    def _encoded(self, parts: Iterable[str]) -> tuple[int, ...]:
        ids = self._ids
        return tuple(ids.setdefault(part, len(ids)) for part in parts)

    def _build(self, entries: Sequence[tuple[tuple[int, ...], int]], groups: Sequence[tuple[Term, ...]]) -> None:
        """Lay the trie of sorted entries out: ``_first[n]`` to ``_first[n + 1]`` are the edges that leave node n."""
        parent, word, ends = array("i"), array("i"), array("i", (-1,))
        path: list[int] = [0]
        before: tuple[int, ...] = ()
        for parts, group in entries:
            common = 0
            for a, b in zip(before, parts, strict=False):
                if a != b:
                    break
                common += 1
            del path[common + 1 :]
            for one in parts[common:]:
                parent.append(path[-1])
                word.append(one)
                ends.append(-1)
                path.append(len(ends) - 1)
            self._end(ends, path[-1], groups[group])
            before = parts
        words, parents = np.array(word, np.int32), np.array(parent, np.int32)
        order = np.lexsort((words, parents))
        counts = np.bincount(parents, minlength=len(ends))
        self._word = array("i", words[order].tobytes())
        self._child = array("i", (order.astype(np.int32) + 1).tobytes())
        self._first = array("i", np.concatenate(([0], np.cumsum(counts))).astype(np.int32).tobytes())
        self._ends = ends

    def _end(self, ends: array[int], node: int, terms: tuple[Term, ...]) -> None:
        if ends[node] < 0:
            ends[node] = len(self._terms)
            self._terms.append(terms)
        else:
            known = self._terms[ends[node]]
            self._terms[ends[node]] = known + tuple(t for t in terms if t not in known)

    def _step(self, node: int, form: str) -> int:
        """The node that a word leads to; 0 where it leads nowhere."""
        word = self._ids.get(form)
        if word is None:
            return 0
        low, high = self._first[node], self._first[node + 1]
        at = bisect_left(self._word, word, low, high)
        return self._child[at] if at < high and self._word[at] == word else 0

    def hits(self, doc: Any, words: Sequence[Word]) -> list[Hit]:
        """Longest matches, left to right, none overlapping another."""
        found: list[Hit] = []
        at, previous = 0, -1
        while at < len(words):
            token = words[at][0]
            best = self._longest(words, at, len(words)) if token != previous else None
            previous = token
            hit = best and self._hit(doc, token, words[best[0] - 1][0] + 1, best[1])
            if best is None or hit is None:
                at += 1
                continue
            found.append(hit)
            at = best[0]
        return found

    def inside(self, doc: Any, words: Sequence[Word], hit: Hit) -> Iterator[Hit]:
        """Names inside a longer one ("Oxford" in "University of Oxford"), at any depth, the outer before the inner."""
        if hit.end - hit.start < 2:
            return
        low, high = (bisect_left(words, at, key=lambda word: word[0]) for at in (hit.start, hit.end))
        at = low
        while at < high:
            best = None
            if at == low or words[at - 1][0] != words[at][0]:
                best = self._longest(words, at, high - (at == low))
            inner = best and self._hit(doc, words[at][0], words[best[0] - 1][0] + 1, best[1])
            if best is None or inner is None:
                at += 1
                continue
            yield inner
            yield from self.inside(doc, words, inner)
            at = best[0]

    def spelt(self, words: Sequence[Word]) -> tuple[Term, ...]:
        """Terms that these words spell, all of them and in this order."""
        best = self._longest(words, 0, len(words))
        return best[1] if best is not None and best[0] == len(words) else ()

    def _longest(self, words: Sequence[Word], at: int, end: int) -> tuple[int, tuple[Term, ...]] | None:
        best: tuple[int, tuple[Term, ...]] | None = None
        layer = [0]
        while layer and at < end:
            _, forms, last = words[at]
            layer = [child for node in layer for form in forms if (child := self._step(node, form))]
            at += 1
            if last and layer:
                ends = [self._ends[node] for node in layer if self._ends[node] >= 0]
                if len(ends) == 1:
                    best = at, self._terms[ends[0]]
                elif ends:
                    best = at, tuple(dict.fromkeys(t for end in ends for t in self._terms[end]))
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


def find_name(words: Sequence[Word], name: str) -> list[tuple[int, int]]:
    """Token ranges that spell a name; where none does, those that spell it with or without accents."""
    parts = fold(name)
    found = list(find_phrase(words, parts))
    if not found and not all(part.isascii() for one in (parts, *(forms for _, forms, _ in words)) for part in one):
        plain = [(at, tuple(map(_plain, forms)), last) for at, forms, last in words]
        found = list(find_phrase(plain, [*map(_plain, parts)]))
    return found


@lru_cache(maxsize=65536)
def _plain(word: str) -> str:
    """Without accents."""
    return "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))


@lru_cache(maxsize=65536)
def _folded(text: str) -> tuple[str, ...]:
    return tuple(fold(text))


@lru_cache(maxsize=65536)
def _forms(word: str, lemma: str, is_verb: bool) -> tuple[str, ...]:
    forms = {word: None}
    if word.isalpha():
        forms[singular(word)] = None
        lemma = lemma.lower()
        if lemma:
            forms[lemma] = None
        if is_verb:
            forms[gerund(lemma)] = None
    return tuple(forms)
