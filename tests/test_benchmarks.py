"""Every benchmark can be imported: what it takes from kgfuse is there; the two sides of a comparison do the same."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from tests.benchmarks.sources_formats import FORMATS

FOLDER = Path(__file__).with_name("benchmarks")
MODULES = sorted(
    ".".join(("tests", *path.relative_to(FOLDER.parent).with_suffix("").parts)) for path in FOLDER.rglob("*.py")
)


@pytest.mark.parametrize("name", [m for m in MODULES if not m.endswith("__init__")])
def test_a_benchmark_can_be_imported(name: str) -> None:
    importlib.import_module(name)


@pytest.mark.parametrize("name", FORMATS)
def test_both_sides_of_the_source_benchmark_get_the_same_out_of_a_file(name: str, tmp_path: Path) -> None:
    form, path = FORMATS[name], tmp_path / f"file.{FORMATS[name].suffix}"
    form.make(path, 1)
    ours, bare = (_words(read(path, tmp_path)) for read in (form.ours, form.bare))
    assert ours == bare
    assert ours


def _words(found: str | Path | int) -> list[str] | int:
    if isinstance(found, int):
        return found
    return (found if isinstance(found, str) else found.read_text(encoding="utf-8")).split()
