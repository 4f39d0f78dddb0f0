"""What enters the CNN's trainable part, kept on disk, so that fine-tuning never runs what is below it twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from kgfuse.encode.backbone import Reading, fold_batch_norms, lite0_network
from kgfuse.encode.cache import FeatureCache
from kgfuse.encode.image import see
from kgfuse.encode.preprocess_image import open_image
from kgfuse.encode.weights import EFFICIENTNET_LITE0
from kgfuse.errors import SourceError

SPLIT: Final = 11
_MAPS: Final = (112, 16)
_PIXELS: Final = (3, 1)
_CHUNK: Final = 64


class _Lower(nn.Module):
    """Stem and blocks 0 to 10 of EfficientNet-lite0, batch norms folded."""

    def __init__(self) -> None:
        super().__init__()
        net: Any = lite0_network()
        fold_batch_norms(net)
        self.stem, self.act = net._conv_stem, net._swish
        self.blocks = nn.Sequential(*list(net._blocks)[:SPLIT])

    def forward(self, pixels: Tensor) -> Tensor:
        maps: Tensor = self.blocks(self.act(self.stem(pixels)))
        return maps


class Activations:
    """Maps entering block 11 of EfficientNet-lite0, float16 (112, size/16, size/16), by content hash.

    With ``pixels`` it is the pixels that enter the stem, float16 (3, size, size): nothing has been computed then.

    Args:
        folder: of the cache; ``None`` keeps nothing, then :meth:`prepare` cannot be used.
        size: side in pixels of the square that is read from the middle of each picture; a multiple of 32.
        device: where maps are computed.
        pixels: see above.
    """

    def __init__(self, folder: Path | None, size: int, device: torch.device, *, pixels: bool = False) -> None:
        self._cache = None if folder is None else FeatureCache(folder, np.float16)
        self._reading = Reading(resize=size, crop=size, mean=(127.0,) * 3, sd=(128.0,) * 3)
        self._device, self._pixels = device, pixels
        self._lower: _Lower | None = None
        self._channels, stride = _PIXELS if pixels else _MAPS
        self.cells = size // stride
        begin = 0 if pixels else SPLIT
        self.sha256 = hashlib.sha256(f"{self._reading}|{begin}|{EFFICIENTNET_LITE0.sha256}".encode()).hexdigest()

    def prepare(
        self, paths: Sequence[Path], on_progress: Callable[[int, int], None] | None = None
    ) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Make sure that each picture's maps are there.

        Args:
            paths: picture files.
            on_progress: told (done, total) of the pictures that had to be computed.

        Returns:
            a memory-mapped matrix, one row a picture (see :meth:`maps`), and each path's row.

        Raises:
            SourceError: a file that is no picture.
        """
        if self._cache is None:
            raise ValueError("no cache folder was given")
        names = [content_hash(path) for path in paths]
        _, index = self._cache.rows(self.sha256, names)
        missing = list({name: path for name, path, row in zip(names, paths, index, strict=True) if row < 0}.items())
        for start in range(0, len(missing), _CHUNK):
            chunk = missing[start : start + _CHUNK]
            rows = [self.compute(open_image(path)) for _, path in chunk]
            self._cache.put(self.sha256, [name for name, _ in chunk], np.stack(rows))
            if on_progress is not None:
                on_progress(start + len(chunk), len(missing))
        return self._cache.rows(self.sha256, names)

    def maps(self, rows: NDArray[Any]) -> Tensor:
        """Shape rows of the matrix as maps, float32 (n, channels, cells, cells), on the device."""
        cube = torch.from_numpy(np.ascontiguousarray(rows)).view(-1, self._channels, self.cells, self.cells)
        return cube.to(self._device).float().contiguous(memory_format=torch.channels_last)

    def compute(self, image: Image.Image) -> NDArray[np.float16]:
        """Run the lower half on one upright RGB picture; a row as :meth:`maps` takes it."""
        if self._pixels:
            return see(image, self._reading)[0].astype(np.float16).reshape(-1)
        if self._lower is None:
            self._lower = _Lower().eval().to(self._device).to(memory_format=torch.channels_last)
        pixels, _ = see(image, self._reading)
        with torch.inference_mode():
            inputs = torch.from_numpy(pixels)[None].to(self._device).contiguous(memory_format=torch.channels_last)
            maps = self._lower(inputs)[0].contiguous().half()
        array: NDArray[np.float16] = maps.reshape(-1).cpu().numpy()
        return array


def content_hash(path: Path) -> str:
    """SHA-256 of a file in hex.

    Raises:
        SourceError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror or error}", where=path) from error
