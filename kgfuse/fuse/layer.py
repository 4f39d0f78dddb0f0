"""The fusion layer: mapped blocks of equal norm, readable gates, a non-linear head, and matching with class nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from kgfuse.fuse.blocks import MODALITY_OF
from kgfuse.fuse.config import TrainConfig


@dataclass(frozen=True, eq=False, slots=True)
class LayerOutput:
    """What the layer says about n items.

    Args:
        logits: target → (n, C).
        auxiliary: target → logits of heads that saw one modality each, with the mask (n,) of items that have it.
        matching: target → (n, C) match with the class nodes alone, where the target has any described class.
        gates: (n, M) share of each modality, zero where it is missing; rows sum to one.
    """

    logits: dict[str, Tensor]
    auxiliary: dict[str, list[tuple[Tensor, Tensor]]]
    matching: dict[str, Tensor]
    gates: Tensor


class FusionLayer(nn.Module):
    r"""Text, picture and graph of an item → class scores.

    Every block :math:`x_m` (norm one, or missing) is mapped to :math:`z_m`; gates
    :math:`g = \mathrm{softmax}` over the modalities that the item has start at equal shares and scale the blocks;
    a non-linear head reads them side by side. Its scores start at zero and are added to those of the base
    (regression and plain matches; while training: to scores by parts that have not seen the item). The match with
    class nodes, cosine of the item's projection and that of the class's description and picture (through the items'
    own maps), enters with a scale that starts at zero. Of classes without a training item the layer says nothing.

    Args:
        blocks: name → width of each block.
        classes: target → number of classes.
        seen: target → (C,) which classes have training items; to the base's score of the others the layer adds the mean
            of what it adds to these.
        described: targets whose classes have features to match with.
        config: widths and dropout.
    """

    def __init__(
        self,
        blocks: Mapping[str, int],
        classes: Mapping[str, int],
        seen: Mapping[str, Tensor],
        described: Sequence[str],
        config: TrainConfig,
    ) -> None:
        super().__init__()
        self.names = tuple(blocks)
        self.modalities = tuple(dict.fromkeys(MODALITY_OF[name] for name in blocks))
        self.place = [self.modalities.index(MODALITY_OF[name]) for name in blocks]
        self.targets = {name: f"t{number}" for number, name in enumerate(classes)}
        self.dropout = config.dropout
        self.scale = [width**0.5 for width in blocks.values()]
        width = config.width
        self.maps = nn.ModuleDict({name: nn.Linear(size, width) for name, size in blocks.items()})
        self.absent = nn.Parameter(torch.zeros(len(blocks), width))
        self.gate = nn.Linear(len(blocks) * width, len(self.modalities))
        nn.init.zeros_(self.gate.weight)
        nn.init.zeros_(self.gate.bias)
        self.hidden = nn.Linear(len(blocks) * width, config.hidden)
        self.heads, self.views = nn.ModuleDict(), nn.ModuleDict()
        self.offset_scale = nn.ParameterDict()
        for name, number in classes.items():
            key = self.targets[name]
            head = nn.Linear(config.hidden, number)
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)
            self.heads[key] = head
            self.offset_scale[key] = nn.Parameter(torch.ones(()))
            self.views[key] = nn.ModuleList(
                nn.Linear(width * self.place.count(m), number) for m in range(len(self.modalities))
            )
            self.register_buffer(f"seen_{key}", seen[name])
        self.described = tuple(name for name in described if {"text", "image"} & set(self.names))
        self.item_side = nn.Linear(len(blocks) * width, width)
        self.class_side = nn.ModuleDict(
            {name: nn.Linear(width, width, bias=False) for name in ("text", "image") if name in self.names}
        )
        self.match_plain = nn.ParameterDict({name: nn.Parameter(torch.tensor(1.0)) for name in self.class_side})
        self.match_scale = nn.Parameter(torch.zeros(max(1, len(self.described))))
        self.match_sharpness = nn.Parameter(torch.full((max(1, len(self.described)),), 10.0))

    def forward(
        self,
        values: Mapping[str, Tensor],
        present: Mapping[str, Tensor],
        class_nodes: Mapping[str, Mapping[str, Tensor]],
        offset: Mapping[str, Tensor],
    ) -> LayerOutput:
        """Score items.

        Args:
            values: block → (n, d).
            present: block → (n,) bool.
            class_nodes: described target → ``{"text" | "image": (C, d)}`` centred features, zero rows where missing.
            offset: target → (n, C) scores of the logistic regression.
        """
        mapped = []
        for number, name in enumerate(self.names):
            there = present[name][:, None]
            z = self.maps[name](values[name] * self.scale[number])
            mapped.append(torch.where(there, z, self.absent[number]))
        available = torch.stack(
            [
                torch.stack([present[name] for name, at in zip(self.names, self.place, strict=True) if at == m]).any(0)
                for m in range(len(self.modalities))
            ],
            dim=1,
        )
        side_by_side = torch.cat([functional.gelu(z) for z in mapped], dim=1)
        gates = self._gates(side_by_side, available)
        share = gates * available.sum(1, keepdim=True).clamp(min=1)
        # Missing blocks keep their learned 'absent' vector: weight one instead of a share.
        weight = torch.where(available, share, torch.ones_like(share))
        gated = [z * weight[:, at : at + 1] for z, at in zip(mapped, self.place, strict=True)]
        joined = functional.dropout(torch.cat(gated, dim=1), self.dropout, self.training)
        hidden = functional.gelu(self.hidden(functional.gelu(joined)))
        hidden = functional.dropout(hidden, self.dropout, self.training)
        out = LayerOutput({}, {}, {}, gates)
        views = self._views(mapped)
        item = functional.normalize(self.item_side(joined), dim=1) if self.described else joined
        for name, key in self.targets.items():
            seen: Tensor = getattr(self, f"seen_{key}")
            own = self.heads[key](hidden)
            if name in self.described:
                match = self._match(item, values, class_nodes[name], self.described.index(name))
                out.matching[name] = match
                own = own + self.match_scale[self.described.index(name)] * match
            own = torch.where(seen, own, over_seen(own, seen))
            out.logits[name] = own + self.offset_scale[key] * offset[name]
            heads: Any = self.views[key]
            out.auxiliary[name] = [
                (head(view), available[:, m]) for m, (head, view) in enumerate(zip(heads, views, strict=True))
            ]
        return out

    def _gates(self, side_by_side: Tensor, available: Tensor) -> Tensor:
        scores = self.gate(side_by_side).masked_fill(~available, float("-inf"))
        nothing = ~available.any(1, keepdim=True)
        scores = torch.where(nothing, torch.zeros_like(scores), scores)
        return torch.where(nothing, torch.zeros_like(scores), torch.softmax(scores, dim=1))

    def _views(self, mapped: Sequence[Tensor]) -> list[Tensor]:
        views = []
        for m in range(len(self.modalities)):
            own = [functional.gelu(z) for z, at in zip(mapped, self.place, strict=True) if at == m]
            views.append(functional.dropout(torch.cat(own, dim=1), self.dropout, self.training))
        return views

    def _match(self, item: Tensor, values: Mapping[str, Tensor], nodes: Mapping[str, Tensor], number: int) -> Tensor:
        """Cosine of the learned projections, and of the features themselves, which needs no class to learn from."""
        parts, plain = [], torch.zeros(1, device=item.device)
        for name, side in self.class_side.items():
            features = nodes[name]
            there = (features.abs().sum(1, keepdim=True) > 0).to(features.dtype)
            plain = plain + self.match_plain[name] * (values[name] @ features.T)
            at = self.names.index(name)
            parts.append(side(self.maps[name](features * self.scale[at])) * there)
        classes = functional.normalize(torch.stack(parts).sum(0), dim=1)
        return self.match_sharpness[number] * (item @ classes.T + plain)


def over_seen(scores: Tensor, seen: Tensor) -> Tensor:
    """(n, 1) mean score over the classes that have training items."""
    return (scores * seen).sum(1, keepdim=True) / seen.sum(-1, keepdim=True).clamp(min=1)
