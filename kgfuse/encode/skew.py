"""By how much the lines of a page slant: the angle at which ink falls most sharply into lines and gaps.

Projection profiles, after W. Postl, "Detection of linear oblique structures and skew scan in digitized documents"
(ICPR 1986), on the coordinates of dark pixels.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_SIDE: Final = 800
_LEAST_INK: Final = 200
_MOST_INK: Final = 40_000
_GAIN: Final = 1.15
"""How much sharper the profile must become: without lines of text no angle is much better than another."""
_LEAST: Final = 0.3
"""Degrees; less does no reader harm."""


def skew(image: Image.Image, most: float) -> float:
    """Degrees by which lines of text descend to the right, at most ``most`` either way; 0 where there are none."""
    grey = image.convert("L")
    grey.thumbnail((_SIDE, _SIDE))
    y, x = _ink(np.asarray(grey))
    if len(x) < _LEAST_INK:
        return 0.0
    coarse = np.arange(-most, most + 0.5, 0.5)
    best = max(coarse, key=lambda angle: _sharpness(x, y, angle))
    fine = np.clip(np.arange(best - 0.5, best + 0.55, 0.1), -most, most)
    angle = float(max(fine, key=lambda angle: _sharpness(x, y, angle)))
    if abs(angle) < _LEAST or _sharpness(x, y, angle) < _GAIN * _sharpness(x, y, 0.0):
        return 0.0
    return round(angle, 1)


def _ink(grey: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows and columns of the pixels that are written, whether dark on light or light on dark."""
    import cv2

    _, light = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    written = light == (0 if np.count_nonzero(light) * 2 > light.size else 255)
    y, x = np.nonzero(written)
    every = max(1, len(x) // _MOST_INK)
    return y[::every].astype(np.float64), x[::every].astype(np.float64)


def _sharpness(x: NDArray[np.float64], y: NDArray[np.float64], degrees: float) -> float:
    """How much neighbouring rows of the picture, turned level, differ in ink: the sum of squared differences."""
    angle = np.radians(degrees)
    rows = np.floor(y * np.cos(angle) - x * np.sin(angle)).astype(np.int64)
    profile = np.bincount(rows - rows.min())
    return float(np.sum(np.diff(profile, prepend=0, append=0) ** 2))
