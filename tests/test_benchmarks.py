"""Every benchmark can be imported, the two sides of a comparison do the same, what is reckoned itself is right."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks.explain_stability import RANDOM, Ranked, likeness, stability
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


scores = st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=12)


@given(scores)
def test_a_ranking_is_like_itself_and_unlike_its_reverse(drawn: list[float]) -> None:
    values = np.array(drawn, np.float32)
    found = likeness(values, values)
    assert found["overlap@3"] == 1
    if len(set(drawn)) == 1:
        assert found["Spearman"] == 0, "what ranks nothing above anything says nothing"
    else:
        assert found["Spearman"] == pytest.approx(1)
        assert likeness(values, -values)["Spearman"] == pytest.approx(-1)


def test_the_three_best_are_compared_as_a_set() -> None:
    left, right = np.array([5, 4, 3, 2, 1, 0], np.float32), np.array([3, 4, 0, 2, 1, 5], np.float32)
    assert likeness(left, right)["overlap@3"] == pytest.approx(2 / 3)


def test_only_answers_that_agree_are_compared_and_chance_is_the_control() -> None:
    steady = [Ranked(n % 2, {"steady": np.arange(6, dtype=np.float32)}) for n in range(300)]
    other = [Ranked(0, one.importance) for one in steady]
    found = stability([steady, other, other], 0)
    assert (found["pairs"], found["alike"]) == (900, 600)
    assert found["methods"]["steady"] == {"overlap@3": 1.0, "Spearman": pytest.approx(1)}
    assert found["methods"][RANDOM]["overlap@3"] == pytest.approx(0.5, abs=0.05)
    assert found["methods"][RANDOM]["Spearman"] == pytest.approx(0, abs=0.05)
    assert stability([steady[:1], steady[1:2]], 0)["methods"] == {}
