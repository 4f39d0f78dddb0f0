from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgfuse.encode.cache import FeatureCache
from kgfuse.errors import ModelError


def rows(*values: float) -> np.ndarray:
    return np.array([[value, value + 0.5] for value in values], dtype=np.float32)


def test_what_was_put_comes_back_in_the_order_asked(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    cache.put("m", ["a", "b"], rows(1, 2))
    cache.put("m", ["b", "c"], rows(99, 3))
    found, mask = FeatureCache(tmp_path).get("m", ["c", "x", "a", "b", "a"])
    assert mask.tolist() == [True, False, True, True, True]
    assert found[:, 0].tolist() == [3, 0, 1, 2, 1]


def test_models_do_not_share_vectors(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    cache.put("m", ["a"], rows(1))
    assert not cache.get("other", ["a"])[1].any()


def test_another_width_under_the_same_model_is_refused(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    cache.put("m", ["a"], rows(1))
    with pytest.raises(ModelError, match="width"):
        cache.put("m", ["b"], np.zeros((1, 3), dtype=np.float32))


def test_half_precision_is_kept_as_such(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path, np.float16)
    cache.put("m", ["a"], rows(1))
    assert cache.get("m", ["a"])[0].dtype == np.float16


@given(cut=st.integers(0, 200), which=st.sampled_from([".rows", ".keys"]))
@settings(max_examples=40, deadline=None)
def test_after_a_cut_every_vector_is_right_or_absent(
    tmp_path_factory: pytest.TempPathFactory, cut: int, which: str
) -> None:
    folder = tmp_path_factory.mktemp("cache")
    names = [f"n{i}" for i in range(5)]
    FeatureCache(folder).put("m", names, rows(*range(5)))
    (path,) = folder.glob(f"*{which}")
    with path.open("r+b") as file:
        file.truncate(min(cut, path.stat().st_size))
    cache = FeatureCache(folder)
    found, mask = cache.get("m", names)
    assert all(found[i, 0] == i for i in range(5) if mask[i])
    cache.put("m", names, rows(*range(5)))
    found, mask = FeatureCache(folder).get("m", names)
    assert mask.all()
    assert found[:, 0].tolist() == [0, 1, 2, 3, 4]


def test_a_damaged_vector_counts_as_absent(tmp_path: Path) -> None:
    FeatureCache(tmp_path).put("m", ["a", "b"], rows(1, 2))
    (path,) = tmp_path.glob("*.rows")
    data = bytearray(path.read_bytes())
    data[0] ^= 255
    path.write_bytes(data)
    assert FeatureCache(tmp_path).get("m", ["a", "b"])[1].tolist() == [False, True]
