"""What the reader is trained to do: say which relations stand in a sentence, where, and between what."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from kgfuse.encode.reader import Read, Reader, Sentences
from kgfuse.extract.learned.corpus import Gold, Item, Words
from kgfuse.extract.learned.tokens import padded, padded_places

_GOLD: Final = 2
_PLACES: Final = 3
_CODE: Final = 1000
_RELATIONS: Final = 8


@dataclass(frozen=True, slots=True)
class Weights:
    """What an error costs.

    Args:
        presence: of the loss on whether a relation is said.
        unsaid: of a negative where the annotation is not complete: what is missing may yet be true.
    """

    presence: float = 0.3
    unsaid: float = 0.3


def collate(items: Sequence[Item], device: torch.device, proposals: int) -> Sentences:
    """Items as one padded batch, with room for at least so many proposed places."""
    ids, mask = padded([i.tokens.ids for i in items])
    first, words = padded([i.tokens.first for i in items])
    last, _ = padded([i.tokens.last for i in items])
    places = padded_places([i.places for i in items], proposals)
    return Sentences(*(t.to(device) for t in (ids, mask, first, last, words, places)))


def loss(
    reader: Reader, items: Sequence[Item], relations: Tensor, column: dict[int, int], weights: Weights, pick: int
) -> Tensor:
    """Loss of a batch, a sentence.

    Args:
        reader: in training.
        items: sentences of one schema.
        relations: (R, 3, d) descriptions, those of the schema that are asked and strangers that are not said.
        column: of each relation number of the schema among them.
        weights: see there.
        pick: which gold places are added to the reader's own, where there are many; any number.
    """
    sentences = collate(items, relations.device, reader.config.proposals)
    read = reader(sentences, relations)
    said = _said(items, column, read)
    least = torch.tensor([1.0 if i.complete else weights.unsaid for i in items], device=relations.device)
    weight = torch.where(said > 0, 1.0, least[:, None])
    total = weights.presence * (cross_entropy(read.presence, said, reduction="none") * weight).sum()
    total = total + _sides_loss(read, items, column)
    total = total + _pair_loss(reader, read, items, column, least, pick)
    return total / len(items)


def _said(items: Sequence[Item], column: dict[int, int], read: Read) -> Tensor:
    said = torch.zeros_like(read.presence)
    for n, item in enumerate(items):
        for gold in item.gold:
            said[n, column[gold.relation]] = 1
    return said


def _sides_loss(read: Read, items: Sequence[Item], column: dict[int, int]) -> Tensor:
    """Begin and end words among the words, asked of the relations that are said only: which is said is another head's.

    Where an argument is said in several places, each has an equal share.
    """
    target = torch.zeros_like(read.sides)
    for n, item in enumerate(items):
        for gold in item.gold:
            r = column[gold.relation]
            for side, found in ((0, gold.subject), (2, gold.object)):
                for begin, end in found[:_PLACES]:
                    target[n, r, side, begin] = 1
                    target[n, r, side + 1, end] = 1
    share = target / target.sum(-1, keepdim=True).clamp(min=1)
    return -(share * read.sides).sum()


def _pair_loss(
    reader: Reader, read: Read, items: Sequence[Item], column: dict[int, int], least: Tensor, pick: int
) -> Tensor:
    read, columns, weight = _some(read, items, column, pick)
    with torch.no_grad():
        begin, end, _ = reader.spans(read)
        kept = begin.shape[-1]
        begin, end = _with_gold(begin, end, items, columns, pick)
    logits = reader.pairs(read, begin, end, place_scores(read, begin, end))
    target, least_weight = _pair_targets(begin, end, kept, items, columns, least)
    return (cross_entropy(logits, target, reduction="none") * least_weight * weight[:, :, None, None]).sum()


def _some(
    read: Read, items: Sequence[Item], column: dict[int, int], pick: int
) -> tuple[Read, list[dict[int, int]], Tensor]:
    """The pairs of all relations are many: those that a sentence says, and some others, which count for the rest.

    Returns:
        what was read of these; the column of each of the schema's relations among them, sentence by sentence; (B, R')
        what each counts.
    """
    count = read.presence.shape[1]
    size = min(count, _RELATIONS)
    chance = random.Random(pick)
    chosen = torch.zeros((len(items), size), dtype=torch.long)
    weight = torch.ones((len(items), size))
    columns: list[dict[int, int]] = []
    for n, item in enumerate(items):
        said = sorted({column[g.relation] for g in (*item.gold, *item.rejected) if g.relation in column})[:size]
        others = sorted(set(range(count)) - set(said))
        more = chance.sample(others, size - len(said))
        chosen[n] = torch.tensor([*said, *more], dtype=torch.long)
        weight[n, len(said) :] = len(others) / max(len(more), 1)
        place = {c: k for k, c in enumerate(chosen[n].tolist())}
        columns.append({relation: place[c] for relation, c in column.items() if c in place})
    chosen, weight = chosen.to(read.presence.device), weight.to(read.presence.device)
    width = read.relations.shape[-1]
    sides = read.sides.gather(1, chosen[:, :, None, None].expand(-1, -1, *read.sides.shape[2:]))
    relations = read.relations.gather(1, chosen[:, :, None].expand(-1, -1, width))
    return (
        replace(read, presence=read.presence.gather(1, chosen), sides=sides, relations=relations),
        columns,
        weight,
    )


def place_scores(read: Read, begin: Tensor, end: Tensor) -> Tensor:
    """(B, R, 2, K) mean log-probability of both sides of given places."""
    sides, there, begin, end = read.sides, begin >= 0, begin.clamp(min=0), end.clamp(min=0)
    first = torch.stack((sides[:, :, 0].gather(-1, begin[:, :, 0]), sides[:, :, 2].gather(-1, begin[:, :, 1])), 2)
    last = torch.stack((sides[:, :, 1].gather(-1, end[:, :, 0]), sides[:, :, 3].gather(-1, end[:, :, 1])), 2)
    return ((first + last) / 2).masked_fill(~there, -60.0)


def _with_gold(
    begin: Tensor, end: Tensor, items: Sequence[Item], columns: Sequence[dict[int, int]], pick: int
) -> tuple[Tensor, Tensor]:
    """The reader's places and, for what is said, up to two gold ones beside them."""
    room = (*begin.shape[:-1], _GOLD)
    kept = begin.shape[-1]
    begin = torch.cat((begin, begin[..., :1].expand(room)), -1).clone()
    end = torch.cat((end, end[..., :1].expand(room)), -1).clone()
    for n, (item, column) in enumerate(zip(items, columns, strict=True)):
        by_relation: dict[int, list[Gold]] = {}
        for gold in (*item.gold, *item.rejected):
            if gold.relation in column:
                by_relation.setdefault(column[gold.relation], []).append(gold)
        for r, found in by_relation.items():
            for slot in range(min(_GOLD, len(found))):
                gold = found[(pick + slot) % len(found)]
                for role, where in ((0, gold.subject), (1, gold.object)):
                    if where:
                        begin[n, r, role, kept + slot], end[n, r, role, kept + slot] = where[0]
    return begin, end


def _pair_targets(
    begin: Tensor, end: Tensor, kept: int, items: Sequence[Item], columns: Sequence[dict[int, int]], least: Tensor
) -> tuple[Tensor, Tensor]:
    """Targets and weights (B, R, K, K).

    Repeated places count once. An argument that is not said proves nothing. Where the annotation is not complete, a
    relation that is said may hold between other places too: only places that overlap the annotated ones are wrong.
    """
    code = begin * _CODE + end
    size = code.shape[-1]
    repeated = torch.zeros_like(code, dtype=torch.bool)
    for k in range(kept, size):
        repeated[..., k] = (code[..., :k] == code[..., k : k + 1]).any(-1)
    fresh = ~repeated & (begin >= 0)
    counted = fresh[:, :, 0, :, None] & fresh[:, :, 1, None, :]
    weight = least[:, None, None, None] * counted
    target = torch.zeros_like(weight)
    for n, (item, column) in enumerate(zip(items, columns, strict=True)):
        for gold in item.gold:
            if gold.relation not in column:
                continue
            r = column[gold.relation]
            subject, object_ = _is_one_of(code[n, r, 0], gold.subject), _is_one_of(code[n, r, 1], gold.object)
            if not item.complete:
                touching = _overlaps(begin[n, r, 0], end[n, r, 0], gold.subject)[:, None]
                touching = touching & _overlaps(begin[n, r, 1], end[n, r, 1], gold.object)[None, :]
                weight[n, r][~touching & (target[n, r] == 0)] = 0
            if gold.subject and gold.object:
                both = subject[:, None] & object_[None, :]
                target[n, r][both] = 1
                weight[n, r][both] = counted[n, r][both].float()
            elif gold.subject or gold.object:
                unknown = subject[:, None].expand(-1, size) if gold.subject else object_[None, :].expand(size, -1)
                weight[n, r][unknown & (target[n, r] == 0)] = 0
        for gold in item.rejected:
            if gold.relation in column and gold.subject and gold.object:
                r = column[gold.relation]
                both = _is_one_of(code[n, r, 0], gold.subject)[:, None] & _is_one_of(code[n, r, 1], gold.object)[None]
                weight[n, r][both & (target[n, r] == 0)] = 1
    return target, weight


def _overlaps(begin: Tensor, end: Tensor, found: Sequence[Words]) -> Tensor:
    """(K,) true where a place shares a word with one of these."""
    shared = torch.zeros_like(begin, dtype=torch.bool)
    for first, last in found:
        shared |= (begin <= last) & (end >= first)
    return shared


def _is_one_of(codes: Tensor, found: Sequence[Words]) -> Tensor:
    wanted = torch.tensor([b * _CODE + e for b, e in found], dtype=codes.dtype, device=codes.device)
    return torch.isin(codes, wanted) if found else torch.zeros_like(codes, dtype=torch.bool)
