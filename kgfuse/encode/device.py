"""Where a model runs, and how chance is pinned down."""

from __future__ import annotations

import random

import numpy as np
import torch

from kgfuse.errors import UsageError


def resolve(name: str = "auto") -> torch.device:
    """Return the device of that name; ``auto`` is CUDA where it is present, else the CPU.

    Raises:
        UsageError: the name is unknown, or CUDA is asked for and absent.

    >>> resolve("cpu").type
    'cpu'
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UsageError(f"{name!r} is no device", remedy="use auto, cpu, cuda or cuda:N") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UsageError("CUDA was asked for, but torch sees no CUDA device", remedy='use device="auto" or "cpu"')
    return device


def seed_everything(seed: int) -> torch.Generator:
    """Seed Python's, NumPy's and torch's chance, and return a generator of its own for what wants to be independent.

    Args:
        seed: 0 to 2**32 - 1.
    """
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    return torch.Generator().manual_seed(seed)
