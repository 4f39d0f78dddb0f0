"""The plane on which items are laid out: the same each time, neighbours side by side."""

from __future__ import annotations

import numpy as np
import pytest

from kgfuse.fuse.projection import joined, plane
from kgfuse.fuse.train import fit
from tests.fuse.planted import FAST, halves, planted


def clusters(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Items of three kinds that lie far apart."""
    chance = np.random.default_rng(seed)
    kinds = np.arange(count) % 3
    return (8 * np.eye(3, 40)[kinds] + chance.normal(size=(count, 40))).astype(np.float32), kinds


@pytest.mark.parametrize(("count", "method"), [(9, "PCA"), (60, "t-SNE")])
def test_items_of_a_kind_lie_side_by_side_and_in_the_same_place_each_time(count: int, method: str) -> None:
    vectors, kinds = clusters(count)
    found = plane(vectors, seed=3)
    assert found.method == method
    assert found.places.min() >= 0
    assert found.places.max() <= 1
    assert np.array_equal(found.places, plane(vectors, seed=3).places)
    apart = np.linalg.norm(found.places[:, None] - found.places[None], axis=2) + 9 * np.eye(count)
    assert (kinds[apart.argmin(axis=1)] == kinds).all()


@pytest.mark.parametrize("count", [1, 2, 13])
def test_items_that_are_all_alike_are_no_trouble(count: int) -> None:
    assert np.isfinite(plane(np.ones((count, 5), np.float32)).places).all()
    assert np.isfinite(plane(np.zeros((count, 1), np.float32)).places).all()


def test_what_is_laid_out_is_what_the_parts_of_the_model_read() -> None:
    data = planted(items=40, in_text=0.5, missing=0.3)
    model = fit(data, halves(data), FAST.with_overrides(["gnn.enabled=false", "kernel.enabled=false"]))
    vectors = joined(model, data, np.arange(40))
    assert vectors.shape == (40, sum(len(mean) for mean in model.spec.mean.values()))
    text = vectors[:, : len(model.spec.mean["text"])]
    assert np.allclose(np.linalg.norm(text, axis=1), 1, atol=1e-5)
    at = list(model.spec.names).index("image")
    start = sum(len(model.spec.mean[name]) for name in model.spec.names[:at])
    image = vectors[:, start : start + len(model.spec.mean["image"])]
    assert ((np.abs(image).sum(axis=1) > 0) == data.image_mask).all()
