"""From the reader's log-odds to candidate triples with their characters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from kgfuse.encode.reader import Read, Reader, Sentences, is_proposed
from kgfuse.extract.learned.spans import word_places
from kgfuse.extract.learned.tokens import Tokenised, padded, padded_places

BATCH: Final = 16
LEAST: Final = -5.0
"""Log-odds from which a candidate is judged, however many there are."""
LOWEST: Final = -9.0
"""The same where there are few candidates: of relations that it never saw the reader says no too surely."""
FEW: Final = 32


@dataclass(frozen=True, slots=True)
class Candidate:
    """A triple that the reader found in a text.

    Args:
        relation: its number in the schema.
        subject: code points ``[start, end)`` of the text.
        object: likewise.
        logit: log-odds, not calibrated.
        named: whether subject and object are places that the sentence proposes (`spans`).
    """

    relation: int
    subject: tuple[int, int]
    object: tuple[int, int]
    logit: float
    named: tuple[bool, bool] = (False, False)


def candidates(
    reader: Reader, texts: Sequence[str], tokens: Sequence[Tokenised], relations: Tensor, lowest: float = LOWEST
) -> list[list[Candidate]]:
    """Candidates of every text, the surest first; rivals for one place are among them.

    Those whose log-odds reach -5, and the best others as long as there are fewer than 32, if they reach ``lowest``.

    Texts are read in batches of a fixed size in the order of their length, so that padding is small and one call
    always gives the same numbers.
    """
    found: list[list[Candidate]] = [[] for _ in tokens]
    places = word_places(tokens, texts) if reader.config.proposals else [()] * len(tokens)
    order = sorted(range(len(tokens)), key=lambda n: (len(tokens[n].ids), tokens[n].ids))
    for start in range(0, len(order), BATCH):
        numbers = [n for n in order[start : start + BATCH] if tokens[n].first]
        if numbers:
            batch = [tokens[n] for n in numbers]
            likely = [places[n] for n in numbers]
            for n, one in zip(numbers, _read(reader, batch, likely, relations, lowest), strict=True):
                found[n] = one
    return found


@torch.inference_mode()
def _read(
    reader: Reader,
    batch: Sequence[Tokenised],
    places: Sequence[Sequence[tuple[int, int]]],
    relations: Tensor,
    lowest: float,
) -> Iterator[list[Candidate]]:
    ids, mask = padded([t.ids for t in batch])
    first, words = padded([t.first for t in batch])
    last, _ = padded([t.last for t in batch])
    where = padded_places(places, reader.config.proposals)
    ids, mask, first, words, last, where = (t.to(relations.device) for t in (ids, mask, first, words, last, where))
    read = reader(Sentences(ids, mask, first, last, words, where), relations)
    begin, end, scores = reader.spans(read)
    logits = reader.pairs(read, begin, end, scores)
    return iter(_candidates(read, logits, begin, end, batch, lowest))


def _candidates(
    read: Read, logits: Tensor, begin: Tensor, end: Tensor, batch: Sequence[Tokenised], lowest: float
) -> list[list[Candidate]]:
    found: list[list[Candidate]] = [[] for _ in batch]
    named = is_proposed(read.places, begin, end)
    words = torch.tensor([len(t.begin) for t in batch], device=end.device)
    there = (begin >= 0) & (end < words[:, None, None, None])
    apart = (end[:, :, 0, :, None] < begin[:, :, 1, None, :]) | (end[:, :, 1, None, :] < begin[:, :, 0, :, None])
    can_be = apart & there[:, :, 0, :, None] & there[:, :, 1, None, :]
    logits = logits.masked_fill(~can_be, -torch.inf)
    ranked = logits.flatten(1).topk(min(FEW, logits[0].numel()), dim=1).values
    cut = ranked[:, -1].clamp(min=lowest, max=LEAST)
    high = (logits >= cut[:, None, None, None]).nonzero()
    n, r, i, j = high.T
    places = begin[n, r, 0, i], end[n, r, 0, i], begin[n, r, 1, j], end[n, r, 1, j]
    sure = named[n, r, 0, i], named[n, r, 1, j]
    rows = zip(n.tolist(), r.tolist(), *(t.tolist() for t in (*places, *sure, logits[n, r, i, j])), strict=True)
    for text, relation, s_first, s_last, o_first, o_last, s_named, o_named, value in rows:
        tokens = batch[text]
        subject, object_ = _characters(tokens, s_first, s_last), _characters(tokens, o_first, o_last)
        found[text].append(Candidate(relation, subject, object_, value, (s_named, o_named)))
    return [sorted(f, key=lambda c: (-c.logit, c.relation, c.subject, c.object)) for f in found]


def _characters(tokens: Tokenised, first: int, last: int) -> tuple[int, int]:
    return tokens.begin[first], tokens.end[last]


def without_rivals(found: Sequence[Candidate], probabilities: Sequence[float]) -> list[int]:
    """Numbers of the candidates, the surest first; of those of one relation whose arguments overlap, the surest."""
    kept: list[int] = []
    by_relation: dict[int, list[Candidate]] = {}
    for n in sorted(range(len(found)), key=lambda n: (-probabilities[n], n)):
        former = by_relation.setdefault(found[n].relation, [])
        if not any(overlap(f, found[n]) for f in former):
            former.append(found[n])
            kept.append(n)
    return kept


def worthwhile(probabilities: Sequence[float], missing: float) -> int:
    """How many of the surest triples of a text to take, for the highest expected F1.

    Args:
        probabilities: falling.
        missing: how many triples such a text states, on average, that no candidate is.

    See Ye et al. 2012, Optimizing F-measures; the expectation is taken of counts.
    """
    total = max(sum(probabilities) + missing, 1.0)
    best, chosen, hits = 0.0, 0, 0.0
    for n, p in enumerate(probabilities, 1):
        hits += p
        if 2 * hits / (n + total) > best:
            best, chosen = 2 * hits / (n + total), n
    return chosen


def overlap(a: Candidate, b: Candidate) -> bool:
    """Their subjects share characters, and their objects do."""
    return _share(a.subject, b.subject) and _share(a.object, b.object)


def _share(a: tuple[int, int], b: tuple[int, int]) -> bool:
    return a[0] < b[1] and b[0] < a[1]
