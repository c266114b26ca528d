"""Compiled gathering of the pixels under each lenslet."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.datatypes import FloatArray


@njit(cache=True, nogil=True)
def gather_lens_images(
    light: FloatArray,
    response: FloatArray,
    corners: NDArray[np.int64],
    offsets: NDArray[np.int64],
    colors: NDArray[np.int64],
    weights: FloatArray,
    pixels: FloatArray,
    means: FloatArray,
    levels: FloatArray,
) -> None:
    """Copy the pixels at `corners` + `offsets`, less their mean color.

    Beyond the sensor's edge the pixels inside are mirrored, which keeps the Bayer color.
    Fills `pixels` (lenslets, pixels), `means` (lenslets, 3) and `levels` (lenslets,), the
    lenslet's mean response relative to `weights`' own.
    """
    height, width = light.shape
    for i in range(corners.shape[0]):
        total = np.zeros(3, np.float32)
        weight = np.zeros(3, np.float32)
        response_sum = np.float32(0)
        for k in range(offsets.shape[0]):
            row = abs(corners[i, 0] + offsets[k, 0])
            column = abs(corners[i, 1] + offsets[k, 1])
            row = row if row < height else 2 * (height - 1) - row
            column = column if column < width else 2 * (width - 1) - column
            value = light[row, column]
            pixels[i, k] = value
            total[colors[k]] += weights[k] * value
            weight[colors[k]] += weights[k]
            response_sum += response[row, column]
        for c in range(3):
            means[i, c] = total[c] / weight[c]
        for k in range(offsets.shape[0]):
            pixels[i, k] -= means[i, colors[k]]
        levels[i] = response_sum / offsets.shape[0]
