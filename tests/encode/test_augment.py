from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from kgfuse.encode.augment import Augmentation, edge_map


@pytest.fixture
def picture() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8))


def test_the_default_changes_nothing(picture: Image.Image) -> None:
    assert np.array_equal(np.asarray(Augmentation().apply(picture, 3)), np.asarray(picture))


def test_a_seed_gives_one_variation_of_the_same_size(picture: Image.Image) -> None:
    vary = Augmentation(rotation=20, flip=0.5, crop=0.5, blur=0.5, edges=0.3, jitter=0.3)
    first, again, other = (vary.apply(picture, seed) for seed in (1, 1, 2))
    assert first.size == picture.size
    assert first.mode == "RGB"
    assert np.array_equal(np.asarray(first), np.asarray(again))
    assert not np.array_equal(np.asarray(first), np.asarray(other))


def test_a_certain_flip_mirrors(picture: Image.Image) -> None:
    assert np.array_equal(np.asarray(Augmentation(flip=1).apply(picture, 0)), np.asarray(picture)[:, ::-1])


def test_an_edge_map_of_a_plain_picture_is_white_inside() -> None:
    edges = np.asarray(edge_map(Image.new("RGB", (20, 20), "teal")))
    assert edges[5:15, 5:15].min() == 255
