"""Where a class is in a picture: class-activation maps (Zhou et al. 2016, arXiv:1512.04150) and their box."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kgfuse.encode.image import Look

_CELLS: Final = 8


def activation(maps: NDArray[np.float32], class_weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Class-activation map, 0 to 1.

    Args:
        maps: (dim, h, w), the last feature map.
        class_weights: (dim,), the head's weights, of one class or a mean over several.

    Returns:
        float32 (h, w); all zero where nothing speaks for the class.
    """
    cam: NDArray[np.float32] = np.maximum(np.tensordot(class_weights, maps, axes=1), 0.0)
    peak = float(cam.max())
    return cam / peak if peak > 0 else np.zeros_like(cam)


def box(look: Look, class_weights: NDArray[np.float32] | None, threshold: float) -> tuple[float, float, float, float]:
    """Box around the area where the map exceeds a share of its maximum and which holds the maximum.

    Args:
        look: what the encoder saw.
        class_weights: (dim,), or ``None`` where the encoder has no linear head on pooled maps.
        threshold: share of the maximum, 0 to 1.

    Returns:
        left, top, width, height in pixels of the picture that was looked at; the whole seen window where there is no
        map to go by.
    """
    left, top, width, height = look.window
    if look.maps is None or class_weights is None:
        return look.window
    cam = activation(look.maps, class_weights)
    if not cam.any():
        return look.window
    fine = ndimage.zoom(cam, _CELLS, order=1, grid_mode=True, mode="nearest")
    # Between cell centres the interpolated map is lower than at them, so the peak is looked for in the peak's cell.
    row, column = divmod(int(cam.argmax()), cam.shape[1])
    cell = fine[row * _CELLS : (row + 1) * _CELLS, column * _CELLS : (column + 1) * _CELLS]
    down, across = divmod(int(cell.argmax()), _CELLS)
    labels, _ = ndimage.label(fine >= threshold * cell.max())
    peak = labels[row * _CELLS + down, column * _CELLS + across]
    rows, columns = ndimage.find_objects(labels)[peak - 1]
    unit_x, unit_y = width / fine.shape[1], height / fine.shape[0]
    return (
        left + columns.start * unit_x,
        top + rows.start * unit_y,
        (columns.stop - columns.start) * unit_x,
        (rows.stop - rows.start) * unit_y,
    )
