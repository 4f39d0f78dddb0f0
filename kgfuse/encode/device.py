"""Where a model runs, and how chance is pinned down."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

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


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch's CPU operators on one thread.

    On matrices of a few hundred rows a second thread gains nothing, and on a busy machine the threads wait for each
    other at every operator: fits of the fusion model were seen to take fifty times as long. It also makes the numbers
    independent of how many cores there are.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def one_thread_each() -> Iterator[None]:
    """As :func:`one_thread`, for NumPy's linear algebra, too, where that is what takes the time."""
    from threadpoolctl import threadpool_limits

    with one_thread(), threadpool_limits(limits=1):
        yield


def seed_everything(seed: int) -> torch.Generator:
    """Seed Python's, NumPy's and torch's chance, and return a generator of its own for what wants to be independent.

    Args:
        seed: 0 to 2**32 - 1.
    """
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    return torch.Generator().manual_seed(seed)
