"""Perceptual hash of a picture: a DCT hash of its lightness, and its colours on a coarse grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dctn

from kgfuse.extract.image.lab import to_lab
from kgfuse.terms.namespaces import KGF

PERCEPTUAL_HASH: Final = KGF + "perceptualHash"
_SIDE: Final = 32
_LOW: Final = 8
_FLAT: Final = 24.0  # a DCT coefficient below it is less than a grey level or two in the picture
_GRID: Final = 8
_HEX: Final = _LOW * _LOW // 4
_CELLS: Final = _GRID * _GRID * 3
_SCALE: Final = np.array([2.55, 1.0, 1.0])
_ZERO: Final = np.array([0.0, 128.0, 128.0])


@dataclass(frozen=True, slots=True)
class Likeness:
    """What two pictures are compared by.

    Args:
        bits: 64 bits: which low frequencies of the lightness are above their median.
        colours: (64, 3) bytes: CIELAB of the cells of an 8 × 8 grid, each part moved into 0 to 255.
    """

    bits: int
    colours: bytes

    @property
    def text(self) -> str:
        """Hexadecimal: 16 digits of bits, 384 of colours."""
        return f"{self.bits:0{_HEX}x}{self.colours.hex()}"

    @property
    def lab(self) -> NDArray[np.float64]:
        """(64, 3) CIELAB of the cells."""
        lab: NDArray[np.float64] = (np.frombuffer(self.colours, np.uint8).reshape(-1, 3) - _ZERO) / _SCALE
        return lab

    @classmethod
    def of_text(cls, text: str) -> Self:
        """Read it again.

        Raises:
            ValueError: it is none.
        """
        raw = bytes.fromhex(text[_HEX:])
        if len(raw) != _CELLS:
            raise ValueError(f"a perceptual hash has {_HEX + 2 * _CELLS} digits, not {len(text)}")
        return cls(int(text[:_HEX], 16), raw)


def likeness(image: Image.Image) -> Likeness:
    """Hash a picture, after pHash (Zauner 2010, "Implementation and benchmarking of perceptual image hash functions").

    Scaling, re-encoding and slight noise change few bits and colours by little. A drawing in other colours may have the
    same bits: its colours tell it apart. Mirrored, turned and cropped pictures are others.

    Args:
        image: RGB, upright.
    """
    colour = image.convert("RGB")
    light = np.asarray(colour.convert("L").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS), np.float64)
    low = dctn(light, norm="ortho")[:_LOW, :_LOW].ravel()
    low[0] = 0.0  # how light the picture is as a whole, which the colours tell
    low[np.abs(low) < _FLAT] = 0.0
    above = low > np.median(low)
    bits = int("".join("1" if bit else "0" for bit in above), 2)
    return Likeness(bits, _cells(colour).tobytes())


def colour_gap(one: Likeness, other: Likeness) -> float:
    """Largest CIELAB distance between the colours of the same cell of two pictures."""
    return float(np.linalg.norm(one.lab - other.lab, axis=1).max())


def _cells(image: Image.Image) -> NDArray[np.uint8]:
    small = np.asarray(image.resize((_GRID, _GRID), Image.Resampling.BOX))
    lab = to_lab(small.reshape(-1, 3))
    cells: NDArray[np.uint8] = np.clip(np.rint(lab * _SCALE + _ZERO), 0, 255).astype(np.uint8)
    return cells
