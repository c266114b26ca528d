"""Compiled loops over sensor pixels."""

from __future__ import annotations

import numpy as np
from numba import njit

from lfdfp.datatypes import CodeArray, FloatArray


@njit(cache=True, nogil=True)
def linearize(
    mosaic: CodeArray,
    response: FloatArray,
    levels: FloatArray,
    least_response: float,
    light: FloatArray,
    trust: FloatArray,
) -> None:
    """Fill `light` and `trust` from raw codes.

    `levels`, shape (2, 2, 3), holds black, gain per code and the code from which a pixel counts
    as saturated, for each place in the Bayer cell.
    """
    height, width = mosaic.shape
    for row in range(height):
        for column in range(width):
            black = levels[row & 1, column & 1, 0]
            gain = levels[row & 1, column & 1, 1]
            w = response[row, column]
            code = np.float32(mosaic[row, column])
            if w < least_response:
                light[row, column] = 0.0
                trust[row, column] = 0.0
            else:
                light[row, column] = (code - black) * gain / w
                trust[row, column] = w
