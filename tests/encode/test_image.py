from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from kgfuse.encode.backbone import lite0_network
from kgfuse.encode.image import ImageEncoder, packaged_sha256, see
from kgfuse.errors import ModelError


@pytest.fixture(scope="module")
def photos() -> list[Image.Image]:
    from sklearn.datasets import load_sample_image

    return [Image.fromarray(load_sample_image(name)) for name in ("flower.jpg", "china.jpg")]


def test_photos_are_recognised(image_encoder: ImageEncoder, photos: list[Image.Image]) -> None:
    named = [image_encoder.classes[int(look.logits.argmax())] for look in image_encoder.look_all(photos)]
    assert named == ["daisy", "palace"]


def test_a_look_is_features_scores_and_maps_of_one_pass(image_encoder: ImageEncoder, photos: list[Image.Image]) -> None:
    look = image_encoder.look(photos[0])
    assert look.maps is not None
    assert image_encoder.class_weights is not None
    assert look.features.shape == (image_encoder.dim,)
    assert np.allclose(look.maps.mean(axis=(1, 2)), look.features, atol=1e-5)
    bias = look.logits - image_encoder.class_weights @ look.features
    other = image_encoder.look(photos[1])
    assert np.allclose(bias, other.logits - image_encoder.class_weights @ other.features, atol=1e-3)


def test_numbers_do_not_depend_on_what_else_is_looked_at(
    image_encoder: ImageEncoder, photos: list[Image.Image]
) -> None:
    together = image_encoder.encode([*photos, photos[0]])
    assert np.array_equal(together[0], together[2])
    assert np.array_equal(together[0], image_encoder.encode(photos[:1])[0])


def test_folding_batch_norms_changes_rounding_only(image_encoder: ImageEncoder, photos: list[Image.Image]) -> None:
    net = lite0_network()
    pixels, _ = see(photos[0], image_encoder._backbone.reading)
    with torch.inference_mode():
        plain = net(torch.from_numpy(pixels)[None])[0].numpy()
    assert np.abs(plain - image_encoder.look(photos[0]).logits).max() < 1e-3


@pytest.mark.parametrize("size", [(1, 1), (3, 5000), (5000, 3), (224, 224), (600, 401)])
def test_any_shape_is_seen_through_a_window_inside_it(image_encoder: ImageEncoder, size: tuple[int, int]) -> None:
    pixels, (left, top, width, height) = see(Image.new("RGB", size, "teal"), image_encoder._backbone.reading)
    assert pixels.shape == (3, 224, 224)
    assert np.isfinite(pixels).all()
    assert left >= 0
    assert top >= 0
    assert left + width <= size[0] + 1
    assert top + height <= size[1] + 1


def test_a_torchvision_model_by_name_with_a_weights_file(tmp_path: Path, photos: list[Image.Image]) -> None:
    from torchvision.models import resnet18

    torch.manual_seed(0)
    save_file(resnet18(weights=None).state_dict(), tmp_path / "w.safetensors")
    encoder = ImageEncoder("resnet18", "cpu", weights=tmp_path / "w.safetensors")
    look = encoder.look(photos[0])
    assert look.features.shape == (512,)
    assert look.maps is not None
    assert look.maps.shape == (512, 7, 7)
    assert encoder.sha256 != ImageEncoder(device="cpu").sha256


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    save_file({"a": torch.ones(1)}, tmp_path / "w.safetensors")
    with pytest.raises(ModelError, match="do not fit"):
        ImageEncoder("resnet18", "cpu", weights=tmp_path / "w.safetensors")


def test_the_default_encoder_s_hash_is_known_without_loading_it(image_encoder: ImageEncoder) -> None:
    assert packaged_sha256() == image_encoder.sha256


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(ModelError, match="resnet18"):
        ImageEncoder("resnet-eighteen", "cpu")
