"""Texts as the reader takes them: word pieces, words, and the way between words and characters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from kgfuse.encode.reader import PARTS

MAX_PIECES: Final = 160
_STEP: Final = 8
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Tokenised:
    """One text.

    Args:
        ids: word pieces, special ones included.
        first: first piece of each word.
        last: last piece of each word.
        begin: first character of each word.
        end: character after each word.
    """

    ids: tuple[int, ...]
    first: tuple[int, ...]
    last: tuple[int, ...]
    begin: tuple[int, ...]
    end: tuple[int, ...]

    def words_of(self, start: int, end: int) -> tuple[int, int] | None:
        """First and last word of characters ``[start, end)``, or ``None`` where no word lies in them."""
        inside = [n for n, (a, b) in enumerate(zip(self.begin, self.end, strict=True)) if a < end and b > start]
        return (inside[0], inside[-1]) if inside else None


def tokenise(tokenizer: Any, texts: Sequence[str]) -> list[Tokenised]:
    """Word pieces and words of texts, each cut at 160 pieces."""
    if not texts:
        return []
    encoded = tokenizer(
        [_clean(text) for text in texts], truncation=True, max_length=MAX_PIECES, return_offsets_mapping=True
    )
    found = []
    for n in range(len(texts)):
        words: dict[int, list[int]] = {}
        for piece, word in enumerate(encoded.word_ids(n)):
            if word is not None:
                words.setdefault(word, []).append(piece)
        offsets = encoded["offset_mapping"][n]
        groups = list(words.values())
        found.append(
            Tokenised(
                tuple(encoded["input_ids"][n]),
                tuple(g[0] for g in groups),
                tuple(g[-1] for g in groups),
                tuple(offsets[g[0]][0] for g in groups),
                tuple(offsets[g[-1]][1] for g in groups),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class Described:
    """A relation's description, ``director: film to human``.

    Args:
        ids: word pieces, special ones included.
        parts: of label, domain and range, the first piece and the one after the last.
    """

    ids: tuple[int, ...]
    parts: tuple[tuple[int, int], ...]


def described(tokenizer: Any, relations: Sequence[tuple[str, str, str]]) -> list[Described]:
    """Descriptions of relations from their parts; one that has no piece of its own within 160 takes all of them."""
    if not relations:
        return []
    texts = [_clean(f"{label}: {domain} to {range_}") for label, domain, range_ in relations]
    encoded = tokenizer(texts, truncation=True, max_length=MAX_PIECES, return_offsets_mapping=True)
    found = []
    for (label, domain, range_), ids, offsets in zip(
        relations, encoded["input_ids"], encoded["offset_mapping"], strict=True
    ):
        second = len(label) + len(": ")
        third = second + len(domain) + len(" to ")
        bounds = ((0, len(label)), (second, second + len(domain)), (third, third + len(range_)))
        parts = []
        for start, end in bounds:
            inside = [n for n, (a, b) in enumerate(offsets) if a < b and a < end and b > start]
            parts.append((inside[0], inside[-1] + 1) if inside else (0, len(ids)))
        found.append(Described(tuple(ids), tuple(parts)))
    return found


def padded_descriptions(relations: Sequence[Described]) -> tuple[Tensor, Tensor, Tensor]:
    """(R, T) word pieces, the mask of what is no padding, and (R, 3, T) the mask of each part."""
    ids, mask = padded([r.ids for r in relations])
    parts = torch.zeros((len(relations), PARTS, ids.shape[1]), dtype=torch.bool)
    for n, relation in enumerate(relations):
        for part, (start, end) in enumerate(relation.parts):
            parts[n, part, start:end] = True
    return ids, mask, parts


def is_whole(tokenizer: Any, text: str) -> bool:
    """Whether `tokenise` takes in the whole text."""
    return len(tokenizer(_clean(text), truncation=True, max_length=MAX_PIECES + 1)["input_ids"]) <= MAX_PIECES


def _clean(text: str) -> str:
    """The text with U+FFFD for lone surrogates, which the tokenizer's UTF-8 cannot hold."""
    return _SURROGATE.sub("\ufffd", text)


def rounded(length: int) -> int:
    """The next multiple of eight: rows of few different widths make large batches with little padding.

    >>> [rounded(n) for n in (0, 8, 9)]
    [8, 8, 16]
    """
    return max(1, -(-length // _STEP)) * _STEP


def padded(rows: Sequence[Sequence[int]], fill: int = 0) -> tuple[Tensor, Tensor]:
    """(B, width) integers and the mask of what is no padding; the width is that of the longest, as `rounded`."""
    width = rounded(max((len(r) for r in rows), default=0))
    values = torch.full((len(rows), width), fill, dtype=torch.long)
    mask = torch.zeros((len(rows), width), dtype=torch.bool)
    for n, row in enumerate(rows):
        values[n, : len(row)] = torch.tensor(row, dtype=torch.long)
        mask[n, : len(row)] = True
    return values, mask


def padded_places(rows: Sequence[Sequence[tuple[int, int]]], least: int) -> Tensor:
    """(B, P, 2) first and last words, -1 for padding; P is at least ``least``, so that as many can be chosen."""
    width = rounded(max(least, max((len(r) for r in rows), default=0)))
    values = torch.full((len(rows), width, 2), -1, dtype=torch.long)
    for n, row in enumerate(rows):
        if row:
            values[n, : len(row)] = torch.tensor(row, dtype=torch.long)
    return values
