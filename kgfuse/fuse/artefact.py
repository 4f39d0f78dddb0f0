"""A trained model on disk: ``model.safetensors`` for every number, ``model.json`` for everything else. No pickle."""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import asdict, replace
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from kgfuse.encode.device import resolve
from kgfuse.errors import ModelError
from kgfuse.fuse.blocks import BlockSpec
from kgfuse.fuse.calibrate import Stack, Trial
from kgfuse.fuse.config import parse_config
from kgfuse.fuse.data import ClassNodes, FloatArray, no_pairs
from kgfuse.fuse.experts import KernelExpert, LinearExpert
from kgfuse.fuse.files import write_whole
from kgfuse.fuse.gnn import GraphExpert
from kgfuse.fuse.layer import FusionLayer
from kgfuse.fuse.loop import Curve
from kgfuse.fuse.model import FusionModel
from kgfuse.fuse.prototypes import PrototypeExpert
from kgfuse.fuse.selective import Promise
from kgfuse.fuse.statements import StatementBag
from kgfuse.fuse.tensors import TargetInfo
from kgfuse.fuse.vector import Vector

FORMAT: Final = 4
TENSORS: Final = "model.safetensors"
CARD: Final = "model.json"


def save(model: FusionModel, folder: Path) -> None:
    """Write the model; the card, which names the tensors' hash, is written last.

    Args:
        model: a trained model.
        folder: made where it is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        f"{name}.{key}": value.detach().cpu().contiguous()
        for name, part in model.modules().items()
        for key, value in part.state_dict().items()
    }
    for name, mean in model.spec.mean.items():
        tensors[f"mean.{name}"] = torch.from_numpy(mean)
    bag = model.spec.bag
    if bag is not None:
        tensors |= {"bag.weight": torch.from_numpy(bag.weight), "bag.components": torch.from_numpy(bag.components)}
    for number, target in enumerate(model.targets):
        tensors |= {f"target.{number}.{key}": value for key, value in _target_tensors(target).items()}
    payload = save_tensors({name: value.clone() for name, value in tensors.items()})
    card = {
        "format": FORMAT,
        "tensors_sha256": hashlib.sha256(payload).hexdigest(),
        "versions": _versions(),
        "config": model.config.model_dump(mode="json"),
        "blocks": list(model.spec.names),
        "bag": None
        if bag is None
        else {"hops": bag.hops, "pairs": [list(pair) for pair in bag.pairs], "counted": bag.counted},
        "targets": [_target_card(target, model.stacks[target.name]) for target in model.targets],
        "parts": sorted(model.modules()),
        "described": [] if model.layer is None else list(model.layer.described),
        "graph": None
        if model.graph is None
        else {"relations": list(model.graph.relations), "embedded": list(model.graph.embedded)},
        "metrics": model.metrics,
        "curves": [asdict(curve) for curve in model.curves],
    }
    write_whole(folder / TENSORS, payload)
    write_whole(folder / CARD, json.dumps(card, ensure_ascii=False, sort_keys=True).encode())


def load(folder: Path, device: str = "auto") -> FusionModel:
    """Read a model back.

    Raises:
        ModelError: a file is missing, altered, or from a newer kgfuse.
    """
    try:
        payload = (folder / TENSORS).read_bytes()
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelError(f"not a trained model: {error}", where=folder, remedy="train again") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise ModelError("the model has another format", where=folder / CARD, remedy="use the kgfuse that made it")
    if hashlib.sha256(payload).hexdigest() != card.get("tensors_sha256"):
        raise ModelError("the tensors were altered: hash differs", where=folder / TENSORS, remedy="train again")
    try:
        return _assemble(card, load_tensors(payload), resolve(device))
    except (KeyError, TypeError, ValueError, IndexError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"card and tensors do not fit: {error}", where=folder, remedy="train again") from error


def _assemble(card: dict[str, Any], tensors: dict[str, Tensor], device: torch.device) -> FusionModel:
    config = parse_config(card["config"])
    mean = {name: _array(tensors[f"mean.{name}"]) for name in card["blocks"]}
    bag = None
    if card["bag"] is not None:
        pairs = tuple((str(a), str(b), str(c)) for a, b, c in card["bag"]["pairs"])
        components = _array(tensors["bag.components"])
        bag = StatementBag(
            pairs, _array(tensors["bag.weight"]), components, int(card["bag"]["hops"]), bool(card["bag"]["counted"])
        )
    targets = tuple(_target(own, tensors, f"target.{number}.") for number, own in enumerate(card["targets"]))
    curves = tuple(_curve(own) for own in card.get("curves", ()))
    model = FusionModel(config, BlockSpec(mean, bag), targets, metrics=card["metrics"], curves=curves)
    classes = {target.name: len(target.classes.iris) for target in targets}
    joined = sum(len(values) for values in mean.values())
    parts = card["parts"]
    if "layer" in parts:
        seen = {target.name: torch.from_numpy(target.seen) for target in targets}
        widths = {name: len(values) for name, values in mean.items()}
        model.layer = FusionLayer(widths, classes, seen, card["described"], config)
    if "linear" in parts:
        model.linear = LinearExpert(joined, classes)
    if "prototypes" in parts:
        single = {target.name: len(target.classes.iris) for target in targets if not target.multi_label}
        model.prototypes = PrototypeExpert(joined, single)
    if "kernel" in parts:
        model.kernel = KernelExpert(joined, len(tensors["kernel.landmarks"]), classes)
    if "graph" in parts:
        own = card["graph"]
        literal = tensors.get("graph.encoder.literal.weight")
        width = 0 if literal is None else literal.shape[1]
        model.graph = GraphExpert(own["relations"], own["embedded"], width, classes, config.gnn)
    for name, part in model.modules().items():
        _fill(part, tensors, f"{name}.")
        part.to(device).eval()
    model.stacks = {target.name: _stack(own["stack"]) for target, own in zip(targets, card["targets"], strict=True)}
    return model


def _fill(part: nn.Module, tensors: dict[str, Tensor], prefix: str) -> None:
    part.load_state_dict({key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)})


def _target_tensors(target: TargetInfo) -> dict[str, Tensor]:
    classes = target.classes
    arrays = {
        "text": classes.text,
        "text_mask": classes.text_mask,
        "image": classes.image,
        "image_mask": classes.image_mask,
        "membership": classes.membership,
        "seen": target.seen,
        "below": classes.below,
        "apart": classes.apart,
    } | {f"elsewhere.{number}": pairs for number, pairs in enumerate(classes.elsewhere.values())}
    return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}


def _target_card(target: TargetInfo, stack: Stack) -> dict[str, Any]:
    return {
        "name": target.name,
        "multi_label": target.multi_label,
        "iris": list(target.classes.iris),
        "labels": list(target.classes.labels),
        "ancestors": list(target.classes.ancestors),
        "elsewhere": list(target.classes.elsewhere),
        "stack": {
            "scale": dict(stack.scale),
            "weight": dict(stack.weight),
            "base": list(stack.base),
            "sharpness": stack.sharpness,
            "thresholds": None if stack.thresholds is None else [float(value) for value in stack.thresholds],
            "trials": [asdict(trial) for trial in stack.trials],
            "vector": None
            if stack.vector is None
            else {"scale": stack.vector.scale.tolist(), "bias": stack.vector.bias.tolist()},
            "promise": None if stack.promise is None else stack.promise.to_dict(),
        },
    }


def _target(own: dict[str, Any], tensors: dict[str, Tensor], prefix: str) -> TargetInfo:
    found = {key[len(prefix) :]: value.numpy() for key, value in tensors.items() if key.startswith(prefix)}
    classes = ClassNodes(
        iris=tuple(own["iris"]),
        labels=tuple(own["labels"]),
        text=found["text"],
        text_mask=found["text_mask"],
        image=found["image"],
        image_mask=found["image_mask"],
        node=np.full(len(own["iris"]), -1, np.int64),
        ancestors=tuple(own["ancestors"]),
        membership=found["membership"],
        below=found.get("below", no_pairs()),
        apart=found.get("apart", no_pairs()),
        elsewhere={name: found[f"elsewhere.{number}"] for number, name in enumerate(own.get("elsewhere", ()))},
    )
    return TargetInfo(own["name"], classes, bool(own["multi_label"]), found["seen"])


def _stack(own: dict[str, Any]) -> Stack:
    thresholds = None if own["thresholds"] is None else np.array(own["thresholds"], np.float32)
    trials = tuple(Trial(**trial) for trial in own["trials"])
    made = Stack(own["scale"], own["weight"], float(own["sharpness"]), thresholds, trials, tuple(own["base"]))
    if own.get("vector") is not None:
        scale, bias = (np.array(own["vector"][key], np.float32) for key in ("scale", "bias"))
        made = replace(made, vector=Vector(scale, bias))
    return made if own.get("promise") is None else replace(made, promise=Promise(**own["promise"]))


def _curve(own: dict[str, Any]) -> Curve:
    return Curve(str(own["stage"]), tuple(own["losses"]), tuple(own["validation"]), int(own["kept"]))


def _array(tensor: Tensor) -> FloatArray:
    return np.asarray(tensor.numpy(), np.float32)


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in ("kgfuse", "torch", "torch-geometric", "numpy", "safetensors"):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return versions
