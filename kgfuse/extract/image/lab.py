"""Colour as people see it: sRGB to CIELAB, and the CIEDE2000 difference."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_TO_XYZ: Final = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE_D65: Final = np.array([0.95047, 1.0, 1.08883])


def to_lab(rgb: NDArray[Any]) -> NDArray[np.float64]:
    """Convert sRGB (…, 3), 0 to 255, to CIELAB under D65 (CIE 15:2004).

    >>> to_lab(np.array([255, 255, 255])).round(1).tolist()
    [100.0, 0.0, -0.0]
    """
    value = np.asarray(rgb, dtype=np.float64) / 255.0
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _TO_XYZ.T / _WHITE_D65
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def difference(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIEDE2000 between CIELAB colours (…, 3), broadcast (Sharma, Wu and Dalal 2005, doi:10.1002/col.20070).

    About 1 is just noticeable, 10 a glance, 25 another colour.
    """
    l1, a1, b1 = one[..., 0], one[..., 1], one[..., 2]
    l2, a2, b2 = other[..., 0], other[..., 1], other[..., 2]
    chroma = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    g = 0.5 * (1 - np.sqrt(chroma**7 / (chroma**7 + 25.0**7)))
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    grey = c1 * c2 == 0
    dh = np.where(grey, 0.0, (h2 - h1 + 180) % 360 - 180)
    # The hue half-way round the shorter arc; for a grey the sum, as the paper sets it.
    hue = np.where(grey, h1 + h2, (h1 + np.where(np.abs(h2 - h1) > 180, dh, h2 - h1) / 2) % 360)
    lightness, c = (l1 + l2) / 2, (c1 + c2) / 2
    t = (
        1
        - 0.17 * np.cos(np.radians(hue - 30))
        + 0.24 * np.cos(np.radians(2 * hue))
        + 0.32 * np.cos(np.radians(3 * hue + 6))
        - 0.20 * np.cos(np.radians(4 * hue - 63))
    )
    sl = 1 + 0.015 * (lightness - 50) ** 2 / np.sqrt(20 + (lightness - 50) ** 2)
    sc, sh = 1 + 0.045 * c, 1 + 0.015 * c * t
    rotation = -2 * np.sqrt(c**7 / (c**7 + 25.0**7)) * np.sin(np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2))))
    dl, dc = (l2 - l1) / sl, (c2 - c1) / sc
    dhh = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(dh) / 2) / sh
    total: NDArray[np.float64] = np.sqrt(np.maximum(dl**2 + dc**2 + dhh**2 + rotation * dc * dhh, 0.0))
    return total


def parse_srgb(text: str) -> tuple[int, int, int] | None:
    """Read ``#rrggbb``; ``None`` where the text is something else.

    >>> parse_srgb("#d62728")
    (214, 39, 40)
    """
    digits = text.strip().removeprefix("#")
    if len(digits) != 6 or any(c not in "0123456789abcdefABCDEF" for c in digits):
        return None
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)
