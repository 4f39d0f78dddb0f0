"""What holds for every test: no network for models, one thread a model, numbers that repeat."""

from __future__ import annotations

import os
from typing import Final

import pytest
from hypothesis import settings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("kgfuse", deadline=None)  # how long an example takes is the machine's business
settings.load_profile("kgfuse")

LONGEST: Final = (
    "workspace/test_crossing.py",
    "workspace/test_workers.py",
    "workspace/test_crash.py",
    "workspace/test_review.py",
    "workspace/test_interruption.py",
    "cli/test_failures.py",
    "cli/test_review.py",
    "examples/test_tour.py",
    "examples/test_queries.py",
    "workspace/test_determinism.py",
    "extract/test_documents.py",
    "extract/learned/test_training.py",
)
"""Files that take half a minute and more: they come first, so that the processes of a run end together."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {f"tests/{name}": n for n, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(places)))
