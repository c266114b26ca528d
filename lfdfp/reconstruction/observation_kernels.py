"""Compiled passes over the rays: accumulate normal equations, predict, spread back.

Arguments that all kernels share:

rays, places, band
    See `ray_kernels`.
slopes
    Shape (H, W), float32: disparity of every ray in fine pixels per raw pixel, or `HIDDEN`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from lfdfp.datatypes import FloatArray
from lfdfp.lenslets.kernels import columns_within, direction, rows_within
from lfdfp.reconstruction.ray_kernels import (
    Band,
    LensletPlaces,
    RayArrays,
    add_lower,
    add_upper,
    bilinear,
    light_variance,
)
from lfdfp.reconstruction.ray_marks import (
    LEAST_MEASURED,
    LEAST_PRESENT,
    SATURATION_OFFSET,
    STEEPEST,
)

_BORDER = 4
"""Fine pixels at the grid's edge that rays may not touch: the footprint reaches over them."""


class WeightTerms(NamedTuple):
    """How the weight of a ray follows from its signal and residual (`RayWeighting`)."""

    model_error: Any
    outlier_error: Any
    robustness: Any


@njit(inline="always")
def _inside(i: int, j: int, height: int, width: int) -> bool:
    """Whether a ray between pixels (i, j) and (i + 1, j + 1) stays off the grid's border."""
    if i < _BORDER or i >= height - _BORDER - 1:
        return False
    return _BORDER <= j < width - _BORDER - 1


@njit(inline="always")
def _weighted(image: FloatArray, i: int, j: int, corners: Any) -> Any:
    """Sum of an image's (Y, X) four pixels from (i, j) on, each times its factor."""
    return (
        corners[0] * image[i, j]
        + corners[1] * image[i, j + 1]
        + corners[2] * image[i + 1, j]
        + corners[3] * image[i + 1, j + 1]
    )


@njit(inline="always")
def _weight(variance: Any, error: Any, signal: Any, weighting: WeightTerms) -> Any:
    """Inverse variance, model error included; less for a ray that its residual makes an outlier."""
    outlier = error * error / (variance + (weighting.outlier_error * signal) ** 2)
    distrust = 1 + outlier / weighting.robustness
    return 1 / ((variance + (weighting.model_error * signal) ** 2) * distrust * distrust)


@njit(cache=True, nogil=True, fastmath=True)
def accumulate(
    rays: RayArrays,
    places: LensletPlaces,
    slopes: FloatArray,
    blurred: FloatArray,
    disagreement: FloatArray,
    weighting: WeightTerms,
    band: Band,
    sums: FloatArray,
) -> None:
    """Add every ray's share of the normal equations to the band's sums.

    Parameters
    ----------
    blurred
        Shape (3, Y, X): current solution behind the footprint; gives the weights.
    disagreement
        Shape (Y, X): factor on the variance of the rays that see a pixel.
    sums
        Shape (rows, X, 3, 6), added to: center, right, down, down-right, down-left couplings
        of the symmetric 9-point stencil, and the right-hand side.
    """
    light, response, colors, terms = rays
    centers, origins, turn, radius = places
    first, last = band.rows
    for lens in range(band.lenslets[0], band.lenslets[1]):
        row0, column0 = centers[lens, 0], centers[lens, 1]
        for row in range(*rows_within(row0, radius, light.shape)):
            for column in range(*columns_within(column0, radius, row - row0, light.shape)):
                value = light[row, column]
                slope = slopes[row, column]
                if value < LEAST_PRESENT or slope > STEEPEST:
                    continue
                v, u = direction(turn, row - row0, column - column0)
                y, x = origins[lens, 0] - slope * v, origins[lens, 1] - slope * u
                i, j = int(np.floor(y)), int(np.floor(x))
                if i + 1 < first or i >= last:
                    continue
                if not _inside(i, j, blurred.shape[1], blurred.shape[2]):
                    continue
                corners = bilinear(y - i, x - j)
                c = colors[row & 1, column & 1]
                predicted = _weighted(blurred[c], i, j, corners)
                if value < LEAST_MEASURED:
                    value = SATURATION_OFFSET - value
                    if predicted > value:
                        continue
                signal = max(predicted, np.float32(0.0))
                term = terms[row & 1, column & 1]
                variance = light_variance(term[0], term[1], term[2], response[row, column], signal)
                variance *= disagreement[i, j]
                weight = _weight(variance, value - predicted, signal, weighting)
                if i >= first:
                    at = sums[i - first]
                    add_upper(at[j, c], at[j + 1, c], corners, weight, weight * value)
                if i + 1 < last:
                    at = sums[i + 1 - first]
                    add_lower(at[j, c], at[j + 1, c], corners, weight, weight * value)


@njit(cache=True, nogil=True, fastmath=True)
def predict(
    rays: RayArrays,
    places: LensletPlaces,
    slopes: FloatArray,
    blurred: FloatArray,
    lenslets: tuple[int, int],
    prediction: FloatArray,
) -> None:
    """Write what every usable ray of the lenslets should measure into `prediction` (H, W).

    `blurred`, shape (3, Y, X), is the picture behind the footprint.
    """
    light, colors = rays.light, rays.colors
    centers, origins, turn, radius = places
    for lens in range(lenslets[0], lenslets[1]):
        row0, column0 = centers[lens, 0], centers[lens, 1]
        for row in range(*rows_within(row0, radius, light.shape)):
            for column in range(*columns_within(column0, radius, row - row0, light.shape)):
                slope = slopes[row, column]
                if light[row, column] < LEAST_PRESENT or slope > STEEPEST:
                    continue
                v, u = direction(turn, row - row0, column - column0)
                y, x = origins[lens, 0] - slope * v, origins[lens, 1] - slope * u
                i, j = int(np.floor(y)), int(np.floor(x))
                if not _inside(i, j, blurred.shape[1], blurred.shape[2]):
                    continue
                b, a = y - i, x - j
                c = colors[row & 1, column & 1]
                prediction[row, column] = (1 - b) * (
                    (1 - a) * blurred[c, i, j] + a * blurred[c, i, j + 1]
                ) + b * ((1 - a) * blurred[c, i + 1, j] + a * blurred[c, i + 1, j + 1])


@njit(cache=True, nogil=True, fastmath=True)
def spread(
    rays: RayArrays,
    places: LensletPlaces,
    slopes: FloatArray,
    values: FloatArray,
    band: Band,
    image: FloatArray,
) -> None:
    """Adjoint of `predict`: add `values` (H, W) of the rays to the band's rows of `image`.

    `image` has the shape (3, Y, X); `slopes` (H, W) as in all of them.
    """
    light, colors = rays.light, rays.colors
    centers, origins, turn, radius = places
    first, last = band.rows
    for lens in range(band.lenslets[0], band.lenslets[1]):
        row0, column0 = centers[lens, 0], centers[lens, 1]
        for row in range(*rows_within(row0, radius, light.shape)):
            for column in range(*columns_within(column0, radius, row - row0, light.shape)):
                slope = slopes[row, column]
                if light[row, column] < LEAST_PRESENT or slope > STEEPEST:
                    continue
                v, u = direction(turn, row - row0, column - column0)
                y, x = origins[lens, 0] - slope * v, origins[lens, 1] - slope * u
                i, j = int(np.floor(y)), int(np.floor(x))
                if not _inside(i, j, image.shape[1], image.shape[2]):
                    continue
                w00, w01, w10, w11 = bilinear(y - i, x - j)
                c = colors[row & 1, column & 1]
                value = values[row, column]
                if first <= i < last:
                    image[c, i, j] += w00 * value
                    image[c, i, j + 1] += w01 * value
                if first <= i + 1 < last:
                    image[c, i + 1, j] += w10 * value
                    image[c, i + 1, j + 1] += w11 * value


@njit(cache=True, nogil=True, fastmath=True)
def unpack_sums(sums: FloatArray, first: int, stencil: FloatArray, moment: FloatArray) -> None:
    """Copy a band's sums (rows, X, 3, 6) into planar `stencil` (3, 5, Y, X), `moment` (3, Y, X)."""
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
    """Largest absolute value of slopes (H, W) that is not `HIDDEN`."""
    steepest = np.float32(0.0)
    for i in range(slopes.shape[0]):
        for j in range(slopes.shape[1]):
            size = abs(slopes[i, j])
            steepest = max(steepest, size if size < STEEPEST else np.float32(0.0))
    return steepest
