"""Compiled search for pixels that differ grossly from their same-color neighbors."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.datatypes import CodeArray, DoubleArray, FloatArray


@njit(cache=True, nogil=True)
def suspects(
    mosaic: CodeArray,
    response: FloatArray,
    black: DoubleArray,
    noise: tuple[float, float, float],
    limits: tuple[float, float, float],
    found: NDArray[np.uint8],
) -> None:
    """Mark pixels far above the brightest or below the darkest of eight neighbors with 1.

    Neighbors are those of the same Bayer channel, at distance two; light is code / response.

    Parameters
    ----------
    black
        Shape (4,), per Bayer plane.
    noise
        Read variance, shot gain, relative noise.
    limits
        Factor and number of standard deviations that make a difference gross; least response.
    """
    height, width = mosaic.shape
    factor, sigmas, least = limits
    for row in range(2, height - 2):
        for column in range(2, width - 2):
            if response[row, column] <= 0.0:
                continue
            level = black[2 * (row & 1) + (column & 1)]
            w = max(response[row, column], least)
            light = (mosaic[row, column] - level) / w
            above, below = True, w > least
            nearest_above, nearest_below = -1e30, 1e30
            for dy in range(-2, 3, 2):
                for dx in range(-2, 3, 2):
                    if (dy == 0 and dx == 0) or not (above or below):
                        continue
                    other = (mosaic[row + dy, column + dx] - level) / max(
                        response[row + dy, column + dx], least
                    )
                    above = above and light > factor * other
                    below = below and other > factor * light
                    nearest_above = max(nearest_above, other)
                    nearest_below = min(nearest_below, other)
            if not (above or below):
                continue
            low, high = (nearest_above, light) if above else (light, nearest_below)
            signal = max(low * w, 0.0)
            variance = noise[0] + noise[1] * signal + (noise[2] * signal) ** 2
            if high * w > factor * signal + sigmas * np.sqrt(variance):
                found[row, column] = 1
