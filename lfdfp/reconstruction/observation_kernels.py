"""Compiled passes over the rays: accumulate normal equations, predict, spread back.

Every kernel works on a band of fine-grid rows and writes nothing outside it, and the rays that
reach a fine pixel are added in the order of the lenslets. So the result does not depend on the
number of bands or threads, to the last bit. Arguments that all kernels share:

light, response, colors, terms
    Of `RayLight`: measured light, response, color of the Bayer cell, `noise_terms()`.
centers, origins, turn
    Of `LensletTable`; origins are the lenslets' fine coordinates.
slopes
    Shape (H, W): disparity of every ray in fine pixels per raw pixel, or `HIDDEN`.
radius
    Largest distance of a pixel from its lenslet's center, in pixels.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.datatypes import FloatArray
from lfdfp.lenslets.kernels import half_width, span
from lfdfp.reconstruction.ray_light import MISSING

_UNUSABLE = np.float32(MISSING / 2)
_BORDER = 4
"""Fine pixels at the grid's edge that rays may not touch: the footprint reaches over them."""


@njit(cache=True, nogil=True, fastmath=True)
def accumulate(
    light: FloatArray,
    response: FloatArray,
    colors: NDArray[np.int64],
    terms: FloatArray,
    centers: FloatArray,
    origins: FloatArray,
    turn: FloatArray,
    slopes: FloatArray,
    radius: float,
    blurred: FloatArray,
    doubt_map: FloatArray,
    model_error: float,
    outlier_error: float,
    robustness: float,
    lenslets: tuple[int, int],
    band: tuple[int, int],
    sums: FloatArray,
) -> None:
    """Add every ray's share of the normal equations to the band's sums.

    Parameters
    ----------
    blurred
        Shape (3, Y, X): current solution behind the footprint; gives the weights.
    doubt_map
        Shape (Y, X): factor on the variance of the rays that see a pixel.
    model_error, outlier_error
        Share of the signal that counts as noise in the weight, and in the outlier test.
    robustness
        Residuals (squared, in units of the noise) from which on a ray loses influence.
    lenslets, band
        First and last + 1, of the lenslets to visit and of the fine rows to write.
    sums
        Shape (rows, X, 3, 6), written: center, right, down, down-right, down-left couplings
        of the symmetric 9-point stencil, and the right-hand side.
    """
    height, width = light.shape
    fine_height, fine_width = blurred.shape[1], blurred.shape[2]
    first, last = band
    for lens in range(lenslets[0], lenslets[1]):
        row0, column0 = centers[lens, 0], centers[lens, 1]
        for row in range(*span(row0, radius, height)):
            down = row - row0
            half = half_width(down, radius)
            for column in range(*span(column0, half, width)):
                value = light[row, column]
                slope = slopes[row, column]
                if value < _UNUSABLE or slope > 1e8:
                    continue
                right = column - column0
                y = origins[lens, 0] - slope * (turn[0] * down - turn[1] * right)
                x = origins[lens, 1] - slope * (turn[1] * down + turn[0] * right)
                iy, ix = int(np.floor(y)), int(np.floor(x))
                if iy + 1 < first or iy >= last:
                    continue
                if iy < _BORDER or iy >= fine_height - _BORDER - 1:
                    continue
                if ix < _BORDER or ix >= fine_width - _BORDER - 1:
                    continue
                b, a = y - iy, x - ix
                w00, w01 = (1 - b) * (1 - a), (1 - b) * a
                w10, w11 = b * (1 - a), b * a
                c = colors[row & 1, column & 1]
                predicted = (
                    w00 * blurred[c, iy, ix]
                    + w01 * blurred[c, iy, ix + 1]
                    + w10 * blurred[c, iy + 1, ix]
                    + w11 * blurred[c, iy + 1, ix + 1]
                )
                if value < -1.5:
                    value = -2 - value
                    if predicted > value:
                        continue
                signal = max(predicted, np.float32(0.0))
                share = response[row, column]
                read = terms[row & 1, column & 1, 0]
                shot = terms[row & 1, column & 1, 1]
                relative = terms[row & 1, column & 1, 2]
                variance = (read / share + shot * signal) / share + relative * signal * signal
                variance *= doubt_map[iy, ix]
                error = value - predicted
                outlier = error * error / (variance + (outlier_error * signal) ** 2)
                doubt = 1 + outlier / robustness
                weight = 1 / ((variance + (model_error * signal) ** 2) * doubt * doubt)
                if iy >= first:
                    top = sums[iy - first, ix, c]
                    top[0] += weight * w00 * w00
                    top[1] += weight * w00 * w01
                    top[2] += weight * w00 * w10
                    top[3] += weight * w00 * w11
                    top[5] += weight * w00 * value
                    side = sums[iy - first, ix + 1, c]
                    side[0] += weight * w01 * w01
                    side[2] += weight * w01 * w11
                    side[4] += weight * w01 * w10
                    side[5] += weight * w01 * value
                if iy + 1 < last:
                    low = sums[iy + 1 - first, ix, c]
                    low[0] += weight * w10 * w10
                    low[1] += weight * w10 * w11
                    low[5] += weight * w10 * value
                    corner = sums[iy + 1 - first, ix + 1, c]
                    corner[0] += weight * w11 * w11
                    corner[5] += weight * w11 * value


@njit(cache=True, nogil=True, fastmath=True)
def predict(
    light: FloatArray,
    colors: NDArray[np.int64],
    centers: FloatArray,
    origins: FloatArray,
    turn: FloatArray,
    slopes: FloatArray,
    radius: float,
    blurred: FloatArray,
    lenslets: tuple[int, int],
    prediction: FloatArray,
) -> None:
    """Write what every usable ray of the lenslets should measure into `prediction` (H, W)."""
    height, width = light.shape
    fine_height, fine_width = blurred.shape[1], blurred.shape[2]
    for lens in range(lenslets[0], lenslets[1]):
        row0, column0 = centers[lens, 0], centers[lens, 1]
        for row in range(*span(row0, radius, height)):
            down = row - row0
            half = half_width(down, radius)
            for column in range(*span(column0, half, width)):
                slope = slopes[row, column]
                if light[row, column] < _UNUSABLE or slope > 1e8:
                    continue
                right = column - column0
                y = origins[lens, 0] - slope * (turn[0] * down - turn[1] * right)
                x = origins[lens, 1] - slope * (turn[1] * down + turn[0] * right)
                iy, ix = int(np.floor(y)), int(np.floor(x))
                if iy < _BORDER or iy >= fine_height - _BORDER - 1:
                    continue
                if ix < _BORDER or ix >= fine_width - _BORDER - 1:
                    continue
                b, a = y - iy, x - ix
                c = colors[row & 1, column & 1]
                prediction[row, column] = (1 - b) * (
                    (1 - a) * blurred[c, iy, ix] + a * blurred[c, iy, ix + 1]
                ) + b * ((1 - a) * blurred[c, iy + 1, ix] + a * blurred[c, iy + 1, ix + 1])


@njit(cache=True, nogil=True, fastmath=True)
def spread(
    light: FloatArray,
    colors: NDArray[np.int64],
    centers: FloatArray,
    origins: FloatArray,
    turn: FloatArray,
    slopes: FloatArray,
    radius: float,
    values: FloatArray,
    lenslets: tuple[int, int],
    band: tuple[int, int],
    image: FloatArray,
) -> None:
    """Adjoint of `predict`: add `values` (H, W) of the rays to the band's rows of `image`."""
    height, width = light.shape
    fine_height, fine_width = image.shape[1], image.shape[2]
    first, last = band
    for lens in range(lenslets[0], lenslets[1]):
        row0, column0 = centers[lens, 0], centers[lens, 1]
        for row in range(*span(row0, radius, height)):
            down = row - row0
            half = half_width(down, radius)
            for column in range(*span(column0, half, width)):
                slope = slopes[row, column]
                if light[row, column] < _UNUSABLE or slope > 1e8:
                    continue
                right = column - column0
                y = origins[lens, 0] - slope * (turn[0] * down - turn[1] * right)
                x = origins[lens, 1] - slope * (turn[1] * down + turn[0] * right)
                iy, ix = int(np.floor(y)), int(np.floor(x))
                if iy < _BORDER or iy >= fine_height - _BORDER - 1:
                    continue
                if ix < _BORDER or ix >= fine_width - _BORDER - 1:
                    continue
                b, a = y - iy, x - ix
                c = colors[row & 1, column & 1]
                value = values[row, column]
                if first <= iy < last:
                    image[c, iy, ix] += (1 - b) * (1 - a) * value
                    image[c, iy, ix + 1] += (1 - b) * a * value
                if first <= iy + 1 < last:
                    image[c, iy + 1, ix] += b * (1 - a) * value
                    image[c, iy + 1, ix + 1] += b * a * value


@njit(cache=True, nogil=True, fastmath=True)
def unpack_sums(
    sums: FloatArray,
    first: int,
    stencil: FloatArray,
    moment: FloatArray,
) -> None:
    """Copy a band's sums (rows, X, 3, 6) into planar `stencil` and `moment`."""
    rows, width = sums.shape[0], sums.shape[1]
    for i in range(rows):
        for c in range(3):
            for k in range(5):
                for j in range(width):
                    stencil[c, k, first + i, j] = sums[i, j, c, k]
            for j in range(width):
                moment[c, first + i, j] = sums[i, j, c, 5]


@njit(cache=True, nogil=True, fastmath=True)
def steepest_slope(slopes: FloatArray) -> np.float32:
    """Largest absolute value that is not `HIDDEN`."""
    steepest = np.float32(0.0)
    for i in range(slopes.shape[0]):
        for j in range(slopes.shape[1]):
            size = abs(slopes[i, j])
            if size < 1e8 and size > steepest:
                steepest = size
    return steepest
