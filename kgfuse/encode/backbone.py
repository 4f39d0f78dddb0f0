"""The CNNs behind :class:`~kgfuse.encode.image.ImageEncoder`: packaged EfficientNet-lite0, or any of torchvision's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from kgfuse.encode.weights import EFFICIENTNET_LITE0, load_state, packaged_file, state_sha256
from kgfuse.errors import ModelError

Outputs: TypeAlias = tuple[Tensor, Tensor, Tensor | None]


@dataclass(frozen=True, slots=True)
class Reading:
    """How a network wants its pixels: short side, centre crop, resampling, mean and scale on 0 to 255."""

    resize: int
    crop: int
    mean: tuple[float, float, float]
    sd: tuple[float, float, float]
    resample: Image.Resampling = Image.Resampling.BICUBIC


LITE0_READING: Final = Reading(resize=256, crop=224, mean=(127.0,) * 3, sd=(128.0,) * 3)


@dataclass(frozen=True, slots=True)
class Backbone:
    """A network that gives (features, logits, maps or ``None``), with what is needed to use it."""

    name: str
    net: nn.Module
    reading: Reading
    classes: tuple[str, ...]
    dim: int
    class_weights: NDArray[np.float32] | None
    class_bias: NDArray[np.float32]
    sha256: str


class _Lite(nn.Module):
    """EfficientNet-lite0 with every batch norm folded into its convolution."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, pixels: Tensor) -> Outputs:
        maps = self.net.extract_features(pixels)  # type: ignore[operator]
        features = maps.mean(dim=(2, 3))
        return features, self.net._fc(features), maps  # type: ignore[operator]


def lite0_network() -> nn.Module:
    """EfficientNet-lite0 as trained, in evaluation mode, batch norms apart: what fine-tuning starts from.

    Raises:
        ModelError: the packages are missing, or the weights were altered.
    """
    path = packaged_file(EFFICIENTNET_LITE0)
    try:
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise ModelError(
            "the network's package is not installed", remedy="pip install efficientnet-lite-pytorch==0.1.0"
        ) from error
    net: nn.Module = EfficientNet.from_name("efficientnet-lite0")
    net.load_state_dict(load_state(path))
    return net.eval()


def efficientnet_lite0() -> Backbone:
    """Load the packaged network (Tan and Le 2019, arXiv:1905.11946; the lite variant has ReLU6 and no squeezing)."""
    net = lite0_network()
    fold_batch_norms(net)
    return Backbone(
        name="efficientnet-lite0",
        net=_Lite(net).eval(),
        reading=LITE0_READING,
        classes=imagenet_classes(),
        dim=1280,
        class_weights=net._fc.weight.detach().numpy().copy(),  # type: ignore[union-attr, operator]
        class_bias=net._fc.bias.detach().numpy().copy(),  # type: ignore[union-attr, operator]
        sha256=EFFICIENTNET_LITE0.sha256,
    )


def fold_batch_norms(net: nn.Module) -> None:
    """Fold each batch norm of an EfficientNet-lite into the convolution before it, in place; same function."""
    parts: list[tuple[Any, str, str]] = [(net, "_conv_stem", "_bn0"), (net, "_conv_head", "_bn1")]
    for block in net._blocks:  # type: ignore[union-attr]
        if hasattr(block, "_expand_conv"):
            parts.append((block, "_expand_conv", "_bn0"))
        parts += [(block, "_depthwise_conv", "_bn1"), (block, "_project_conv", "_bn2")]
    for owner, convolution, norm in parts:
        setattr(owner, convolution, fuse_conv_bn_eval(getattr(owner, convolution), getattr(owner, norm)))
        setattr(owner, norm, nn.Identity())


def imagenet_classes() -> tuple[str, ...]:
    """Return ImageNet's 1,000 class names in the order of the scores."""
    from torchvision.models import ResNet18_Weights

    return tuple(ResNet18_Weights.IMAGENET1K_V1.meta["categories"])


class _Tapped(nn.Module):
    """A torchvision classifier whose last linear layer's input, and pooled maps where there are any, are kept."""

    def __init__(self, net: nn.Module, head: nn.Linear) -> None:
        super().__init__()
        self.net = net
        self._features: Tensor | None = None
        self._maps: Tensor | None = None
        head.register_forward_pre_hook(self._keep_features)
        pool = getattr(net, "avgpool", None)
        if isinstance(pool, nn.AdaptiveAvgPool2d):
            pool.register_forward_pre_hook(self._keep_maps)

    def _keep_features(self, _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self._features = inputs[0]

    def _keep_maps(self, _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self._maps = inputs[0]

    def forward(self, pixels: Tensor) -> Outputs:
        logits = self.net(pixels)
        features, maps = self._features, self._maps
        self._features = self._maps = None
        if features is None:
            raise ModelError("the network's last linear layer was not reached", where=type(self.net).__name__)
        linear = maps is not None and maps.shape[1] == features.shape[1]
        return features, logits, maps if linear else None


def torchvision_model(name: str, weights: Path | None = None) -> Backbone:
    """Load a torchvision classification model by name.

    Args:
        name: such as ``resnet18`` or ``convnext_tiny``.
        weights: a file of tensors; ``None`` takes torchvision's default weights (fetched once by torch hub).

    Raises:
        ModelError: unknown name, weights not to be had or not fitting.
    """
    from torchvision import models

    if name not in models.list_models(module=models):
        raise ModelError(f"{name!r} is no torchvision classification model", remedy="such as resnet18, convnext_tiny")
    default = models.get_model_weights(name).DEFAULT
    net: nn.Module = models.get_model(name, weights=None)
    try:
        state = load_state(weights) if weights else default.get_state_dict(progress=False, weights_only=True)
        net.load_state_dict(state)
    except (RuntimeError, OSError) as error:
        raise ModelError(
            f"weights for {name} are not to be had or do not fit: {str(error).splitlines()[0]}",
            where=str(weights or ""),
            remedy="give a file that fits, or run once where the network is reachable",
        ) from error
    linears = [module for module in net.modules() if isinstance(module, nn.Linear)]
    if not linears:
        raise ModelError(f"{name} ends in no linear layer, so it gives no features", remedy="choose another model")
    head = linears[-1]
    tapped = _Tapped(net.eval(), head).eval()
    preset = default.transforms()
    reading = _reading(preset)
    with torch.inference_mode():
        maps = tapped(torch.zeros(1, 3, reading.crop, reading.crop))[2]
    return Backbone(
        name=name,
        net=tapped,
        reading=reading,
        classes=tuple(default.meta["categories"]),
        dim=head.in_features,
        class_weights=None if maps is None else head.weight.detach().numpy().copy(),
        class_bias=np.zeros(0, np.float32) if head.bias is None else head.bias.detach().numpy().copy(),
        sha256=state_sha256(state),
    )


def _reading(preset: Callable[[Any], Any]) -> Reading:
    """Take over a torchvision preset, with mean and deviation on 0 to 255."""
    modes = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
    mean, sd = ([255.0 * float(value) for value in getattr(preset, name)] for name in ("mean", "std"))
    return Reading(
        resize=int(preset.resize_size[0]),  # type: ignore[attr-defined]
        crop=int(preset.crop_size[0]),  # type: ignore[attr-defined]
        mean=(mean[0], mean[1], mean[2]),
        sd=(sd[0], sd[1], sd[2]),
        resample=modes.get(str(preset.interpolation.value), Image.Resampling.BILINEAR),  # type: ignore[attr-defined]
    )
