"""The relation reader: one pass over a sentence together with the relations of an ontology.

Sentence tokens and relation descriptions go through the lower layers of a BERT encoder apart; each description is
pooled to three vectors, of what the relation is called, what its subjects are and what its objects are; then all tokens
and all these vectors attend to one another in the upper layers. So a sentence costs one pass for all relations instead
of one for each, relations compete with each other in view of the words, and one that was never trained on is read from
its description. Three heads follow: is the relation said at all, where are its
subject and object (begin and end words), and do these two belong together under it.

On one thread of a CPU a sentence's numbers are the same in every batch that is padded to the same size.

It takes arrays of token ids and knows neither ontologies nor texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn

from kgfuse.encode.bert_layers import through

ROLES: Final = 2
PARTS: Final = 1 + ROLES
"""Of a description: the relation's label, what its subjects are, what its objects are."""
_SIDES: Final = 2 * ROLES
_ROWS: Final = 4


@dataclass(frozen=True, slots=True)
class ReaderConfig:
    """Shape of a reader.

    Args:
        split: how many of the encoder's layers read sentence and descriptions apart.
        width: of the projections that begin and end words are found by.
        hidden: of the layer that judges a pair.
        longest: words in the longest argument.
        spans: places kept for each role of each relation.
        proposals: places kept besides, of those that are proposed with a sentence.
        dropout: on the heads' inputs.
    """

    split: int = 2
    width: int = 128
    hidden: int = 128
    longest: int = 20
    spans: int = 5
    proposals: int = 8
    dropout: float = 0.1

    def __post_init__(self) -> None:
        sizes = (self.width, self.hidden, self.longest, self.spans, self.proposals + 1)
        if not (0 <= self.split <= 64 and all(1 <= n <= 4096 for n in sizes) and 0 <= self.dropout < 1):
            raise ValueError(f"no shape of a reader: {self}")


@dataclass(frozen=True, slots=True)
class Sentences:
    """A batch of sentences, padded.

    Args:
        ids: (B, T) word pieces.
        mask: (B, T) true for tokens.
        first: (B, W) place of each word's first token.
        last: (B, W) place of each word's last token.
        words: (B, W) true for words.
        places: (B, P, 2) first and last word of places that arguments may take, whatever is asked; -1 for padding.
    """

    ids: Tensor
    mask: Tensor
    first: Tensor
    last: Tensor
    words: Tensor
    places: Tensor


@dataclass(frozen=True, slots=True)
class Read:
    """What the reader says of a batch.

    Args:
        presence: (B, R) logits: the relation is said.
        sides: (B, R, 4, W) log-probabilities of words as subject's begin and end, object's begin and end.
        first: (B, W, d) states of the words' first tokens.
        last: (B, W, d) states of their last tokens.
        relations: (B, R, d) states of the relations.
        places: (B, P, 2) of the batch.
    """

    presence: Tensor
    sides: Tensor
    first: Tensor
    last: Tensor
    relations: Tensor
    places: Tensor


class Reader(nn.Module):
    """See the module. ``encoder`` is a Hugging Face BERT model; its layers become the reader's."""

    def __init__(self, encoder: Any, config: ReaderConfig) -> None:
        super().__init__()
        self.config = config
        self.embeddings = encoder.embeddings
        self.layers = encoder.encoder.layer
        d = int(encoder.config.hidden_size)
        self.kind = nn.Parameter(torch.zeros(PARTS, d))
        self.presence = nn.Sequential(_Linear(d, config.hidden), nn.GELU(), _rarely(config.hidden))
        self.begin = _Linear(d, ROLES * config.width)
        self.end = _Linear(d, ROLES * config.width)
        self.query = nn.ModuleList(_Linear(d, 2 * config.width) for _ in range(ROLES))
        self.pair_words = nn.ModuleList(_Linear(d, config.hidden) for _ in range(_SIDES))
        self.pair_relation = _Linear(d, config.hidden)
        self.pair_scores = _Linear(7, config.hidden)
        self.pair_distance = nn.Embedding(16, config.hidden)
        self.pair_out = nn.Sequential(
            nn.GELU(), _Linear(config.hidden, config.hidden), nn.GELU(), _rarely(config.hidden)
        )
        self.dropout = nn.Dropout(config.dropout)

    def lower(self, ids: Tensor, mask: Tensor) -> Tensor:
        """(B, T) token ids and mask to (B, T, d): the layers below the split."""
        states = self.embeddings(input_ids=ids)
        return through(states, mask, self.layers[: self.config.split])

    def describe(self, ids: Tensor, mask: Tensor, parts: Tensor) -> Tensor:
        """Descriptions to (R, 3, d): means over the tokens of their parts, below the split.

        Args:
            ids: (R, T) word pieces.
            mask: (R, T) true for these.
            parts: (R, 3, T) true for the word pieces of each part, of which there is at least one.
        """
        weights = parts.to(self.kind.dtype)
        return torch.matmul(weights / weights.sum(-1, keepdim=True), self.lower(ids, mask))

    def forward(self, sentences: Sentences, relations: Tensor) -> Read:
        """Read sentences and relation vectors (R, 3, d) together."""
        batch, tokens = sentences.ids.shape
        count = relations.shape[0]
        asked = (relations + self.kind).flatten(0, 1).expand(batch, count * PARTS, -1)
        states = torch.cat((self.lower(sentences.ids, sentences.mask), asked), dim=1)
        mask = torch.cat((sentences.mask, sentences.mask.new_ones(batch, count * PARTS)), dim=1)
        states = through(states, mask, self.layers[self.config.split :])
        words = states[:, :tokens]
        parts = self.dropout(states[:, tokens:]).view(batch, count, PARTS, -1)
        asked = parts[:, :, 0]
        first = self.dropout(_gather(words, sentences.first))
        last = self.dropout(_gather(words, sentences.last))
        width = self.config.width
        n = first.shape[1]
        begin = self.begin(first).view(batch, n, ROLES, width)
        end = self.end(last).view(batch, n, ROLES, width)
        keys = torch.stack((begin[:, :, 0], end[:, :, 0], begin[:, :, 1], end[:, :, 1]), dim=1)
        query = torch.cat([q(asked + parts[:, :, 1 + role]) for role, q in enumerate(self.query)], dim=-1)
        query = query.view(batch, count, _SIDES, width).transpose(1, 2)
        sides = torch.matmul(query, keys.transpose(2, 3)).transpose(1, 2) / width**0.5
        sides = sides.masked_fill(~sentences.words[:, None, None, :], -30.0)
        return Read(self.presence(asked).squeeze(-1), sides.log_softmax(-1), first, last, asked, sentences.places)

    def spans(self, read: Read) -> tuple[Tensor, Tensor, Tensor]:
        """The best places of each role of each relation: any, then the best others of those that are proposed.

        Returns:
            begin and end words, (B, R, 2, K) each, and their scores, the mean of both sides' log-probabilities; begin
            is -1 where there are fewer.
        """
        batch, count, _, n = read.sides.shape
        longest = min(self.config.longest, n)
        sides = read.sides.view(batch, count, ROLES, 2, n)
        begin, end = sides[:, :, :, 0], sides[:, :, :, 1]
        padded = nn.functional.pad(end, (0, longest - 1), value=-30.0)
        windows = padded.unfold(-1, longest, 1)  # (B, R, 2, W, longest): the end words from each begin on
        scores = ((begin[..., None] + windows) / 2).flatten(-2)
        top = scores.topk(min(self.config.spans, scores.shape[-1]), dim=-1)
        at = top.indices.div(longest, rounding_mode="floor")
        to = (at + top.indices % longest).clamp(max=n - 1)
        count = min(self.config.proposals, read.places.shape[1])
        if not count:
            return at, to, top.values
        room = (*begin.shape[:-1], -1)
        first, last = (read.places[:, None, None, :, side].clamp(min=0).expand(room) for side in (0, 1))
        among = (at[..., :, None] == first[..., None, :]) & (to[..., :, None] == last[..., None, :])
        there = (read.places[:, None, None, :, 0] >= 0) & ~among.any(-2)
        likely = ((begin.gather(-1, first) + end.gather(-1, last)) / 2).masked_fill(~there, -torch.inf)
        more = likely.topk(count, dim=-1)
        is_one = there.gather(-1, more.indices)
        also = torch.where(is_one, first.gather(-1, more.indices), -1), last.gather(-1, more.indices)
        return (
            torch.cat((at, also[0]), -1),
            torch.cat((to, also[1]), -1),
            torch.cat((top.values, more.values.clamp(min=-60)), -1),
        )

    def pairs(self, read: Read, begin: Tensor, end: Tensor, scores: Tensor) -> Tensor:
        """Log-odds that a subject's place and an object's belong together under their relation.

        Args:
            read: of the batch.
            begin: (B, R, 2, K) first words of the places; -1 for none, of which nothing is meant.
            end: (B, R, 2, K) last words.
            scores: (B, R, 2, K) of the places.

        Returns:
            (B, R, K, K): subject × object.
        """
        batch, count, _, k = begin.shape
        named = is_proposed(read.places, begin, end).to(scores.dtype)
        begin, end = begin.clamp(min=0), end.clamp(min=0)
        parts = []
        for side, (states, at) in enumerate(
            (
                (read.first, begin[:, :, 0]),
                (read.last, end[:, :, 0]),
                (read.first, begin[:, :, 1]),
                (read.last, end[:, :, 1]),
            )
        ):
            projected = self.pair_words[side](states)
            parts.append(_gather(projected, at.reshape(batch, -1)).view(batch, count, k, -1))
        subject, object_ = parts[0] + parts[1], parts[2] + parts[3]
        hidden = subject[:, :, :, None] + object_[:, :, None, :] + self.pair_relation(read.relations)[:, :, None, None]
        s = scores[:, :, 0, :, None].expand(-1, -1, -1, k)
        o = scores[:, :, 1, None, :].expand(-1, -1, k, -1)
        p = read.presence[:, :, None, None].expand(-1, -1, k, k)
        best = scores.max(-1).values
        lag_s, lag_o = s - best[:, :, 0, None, None], o - best[:, :, 1, None, None]
        named_s = named[:, :, 0, :, None].expand(-1, -1, -1, k)
        named_o = named[:, :, 1, None, :].expand(-1, -1, k, -1)
        known = torch.stack((s, o, p, lag_s, lag_o, named_s, named_o), dim=-1)
        hidden = hidden + self.pair_scores(known.clamp(-15, 15))
        hidden = hidden + self.pair_distance(_distance(begin, end))
        return self.pair_out(hidden).squeeze(-1)  # type: ignore[no-any-return]


class _Linear(nn.Linear):
    """A linear layer that gives a row the same numbers whatever rows are beside it.

    BLAS rounds otherwise where there are fewer than four rows or one column.
    """

    def forward(self, input: Tensor) -> Tensor:
        """(..., d) to (..., outputs)."""
        if self.out_features == 1:
            return (input * self.weight[0]).sum(-1, keepdim=True) + self.bias
        rows = input.reshape(-1, self.in_features)
        count = len(rows)
        if count < _ROWS:
            rows = nn.functional.pad(rows, (0, 0, 0, _ROWS - count))
        return super().forward(rows)[:count].view(*input.shape[:-1], self.out_features)


def _rarely(width: int) -> nn.Linear:
    """A last layer that begins by saying no: little of what could be said is said."""
    layer = _Linear(width, 1)
    nn.init.constant_(layer.bias, -3.0)
    return layer


def is_proposed(places: Tensor, begin: Tensor, end: Tensor) -> Tensor:
    """(B, R, 2, K) whether places are among the proposed ones (B, P, 2)."""
    first, last = places[:, None, None, None, :, 0], places[:, None, None, None, :, 1]
    return ((begin[..., None] == first) & (end[..., None] == last) & (first >= 0)).any(-1)


def _gather(states: Tensor, at: Tensor) -> Tensor:
    return states.gather(1, at[..., None].expand(-1, -1, states.shape[-1]))


def _distance(begin: Tensor, end: Tensor) -> Tensor:
    """(B, R, K, K) class of how far, and in which order, subject and object stand: 0 overlapping, then by doubling."""
    s_begin, s_end = begin[:, :, 0, :, None], end[:, :, 0, :, None]
    o_begin, o_end = begin[:, :, 1, None, :], end[:, :, 1, None, :]
    after, before = o_begin - s_end, s_begin - o_end
    gap = torch.maximum(after, before).clamp(min=0)
    size = torch.log2(gap.clamp(min=1).float()).floor().long().clamp(max=6) + 1
    return torch.where(gap == 0, torch.zeros_like(size), torch.where(after > 0, size, size + 8)).clamp(max=15)
