"""Compiled demosaicing that stays within a lenslet's image."""

from __future__ import annotations

import numpy as np
from numba import njit

from lfdfp.datatypes import FloatArray


@njit(cache=True, nogil=True, fastmath=True)
def demosaic_weighted(
    light: FloatArray, trust: FloatArray, colors: np.ndarray, rgb: FloatArray
) -> None:
    """Bilinear interpolation of the missing colors, normalized by the pixels' trust.

    The power of the response keeps the rim, and with it the neighboring lenslet, out [1]_.

    References
    ----------
    .. [1] P. David, M. Le Pendu, C. Guillemot, "White lenslet image guided demosaicing for
       plenoptic cameras", MMSP 2017.
    """
    height, width = light.shape
    for row in range(height):
        for column in range(width):
            own = colors[row & 1, column & 1]
            total = np.zeros(3, np.float32)
            weight = np.zeros(3, np.float32)
            for y in range(max(row - 1, 0), min(row + 2, height)):
                for x in range(max(column - 1, 0), min(column + 2, width)):
                    near = (2 - abs(y - row)) * (2 - abs(x - column))
                    w = np.float32(near) * trust[y, x] ** 4
                    total[colors[y & 1, x & 1]] += w * light[y, x]
                    weight[colors[y & 1, x & 1]] += w
            for c in range(3):
                rgb[row, column, c] = total[c] / max(weight[c], np.float32(1e-12))
            if trust[row, column] > 0:
                rgb[row, column, own] = light[row, column]
