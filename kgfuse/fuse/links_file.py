"""A link predictor on disk: ``links.safetensors`` for every number, ``links.json`` for everything else. No pickle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from kgfuse.encode.links import Factors, Frequency
from kgfuse.encode.ranking import Ranking
from kgfuse.errors import ModelError
from kgfuse.fuse.files import write_whole
from kgfuse.fuse.links import LinkPredictor, LinkReport, Member

FORMAT: Final = 1
TENSORS: Final = "links.safetensors"
CARD: Final = "links.json"


def save(predictor: LinkPredictor, entities: Sequence[str], relations: Sequence[str], folder: Path) -> None:
    """Write a predictor; the card, which names the tensors' hash, is written last.

    Args:
        predictor: fitted.
        entities: V names.
        relations: R names.
        folder: made where it is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, Tensor] = {}
    for number, member in enumerate(predictor.members):
        if isinstance(member, Factors):
            own = {"entities": member.entities, "relations": member.relations}
        else:
            own = {"key": member.key, "count": member.count}
        tensors |= {f"{number}.{name}": value.detach().cpu().contiguous().clone() for name, value in own.items()}
    payload = save_tensors(tensors)
    card = {
        "format": FORMAT,
        "tensors_sha256": hashlib.sha256(payload).hexdigest(),
        "entities": list(entities),
        "relations": list(relations),
        "members": [m.decoder if isinstance(m, Factors) else "frequency" for m in predictor.members],
        "weights": list(predictor.weights),
        "sharpness": predictor.sharpness,
        "report": None if predictor.report is None else asdict(predictor.report),
    }
    write_whole(folder / TENSORS, payload)
    write_whole(folder / CARD, json.dumps(card, ensure_ascii=False, sort_keys=True).encode())


def load(folder: Path) -> tuple[LinkPredictor, tuple[str, ...], tuple[str, ...]]:
    """Read a predictor back, with the names of its entities and relations.

    Raises:
        ModelError: a file is missing, altered, or from another kgfuse.
    """
    remedy = "delete the folder: it is made again"
    try:
        payload = (folder / TENSORS).read_bytes()
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelError(f"not a link predictor: {error}", where=folder, remedy=remedy) from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise ModelError("the link predictor has another format", where=folder / CARD, remedy=remedy)
    if hashlib.sha256(payload).hexdigest() != card.get("tensors_sha256"):
        raise ModelError("the tensors were altered: hash differs", where=folder / TENSORS, remedy=remedy)
    try:
        tensors = load_tensors(payload)
        entities, relations = tuple(card["entities"]), tuple(card["relations"])
        members = tuple(_member(kind, n, tensors, len(entities)) for n, kind in enumerate(card["members"]))
        weights = tuple(float(w) for w in card["weights"])
        predictor = LinkPredictor(
            members, weights, float(card["sharpness"]), len(entities), len(relations), _report(card["report"])
        )
    except (KeyError, TypeError, ValueError, SafetensorError) as error:
        raise ModelError(f"card and tensors do not fit: {error}", where=folder, remedy=remedy) from error
    return predictor, entities, relations


def _member(kind: str, number: int, tensors: dict[str, Tensor], entities: int) -> Member:
    if kind == "frequency":
        return Frequency(tensors[f"{number}.key"], tensors[f"{number}.count"], entities)
    if kind not in ("complex", "distmult"):
        raise ValueError(f"no member is called {kind!r}")
    return Factors(tensors[f"{number}.entities"], tensors[f"{number}.relations"], kind)  # type: ignore[arg-type]


def _report(own: dict[str, Any] | None) -> LinkReport | None:
    if own is None:
        return None
    both = {
        name: Ranking(own[name]["mrr"], {int(k): v for k, v in own[name]["hits"].items()}, own[name]["queries"])
        for name in ("ranking", "baseline")
    }
    relations = {int(r): (int(n), float(mrr), float(plain)) for r, (n, mrr, plain) in own["relations"].items()}
    return LinkReport(**(own | both | {"relations": relations}))
