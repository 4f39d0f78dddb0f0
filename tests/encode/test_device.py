from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from kgfuse.encode.device import resolve, seed_everything
from kgfuse.errors import UsageError


def test_auto_finds_a_device_and_unknown_names_are_refused() -> None:
    assert resolve("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(UsageError, match="auto, cpu"):
        resolve("abacus")


@pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA is present")
def test_cuda_where_there_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="no CUDA"):
        resolve("cuda")


def test_a_seed_pins_every_source_of_chance() -> None:
    def draw() -> tuple[float, float, float, float]:
        generator = seed_everything(7)
        return (
            random.random(),
            float(np.random.rand()),
            float(torch.rand(())),
            float(torch.rand((), generator=generator)),
        )

    assert draw() == draw()
