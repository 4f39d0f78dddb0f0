"""Every benchmark can be imported: what it takes from kgfuse is there."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

FOLDER = Path(__file__).with_name("benchmarks")
MODULES = sorted(
    ".".join(("tests", *path.relative_to(FOLDER.parent).with_suffix("").parts)) for path in FOLDER.rglob("*.py")
)


@pytest.mark.parametrize("name", [m for m in MODULES if not m.endswith("__init__")])
def test_a_benchmark_can_be_imported(name: str) -> None:
    importlib.import_module(name)
