"""Compiled passes about the surfaces that rays see: which one, and where the rays want it.

Arguments that the passes over rays share are described in `ray_kernels`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from lfdfp.datatypes import FloatArray
from lfdfp.lenslets.kernels import columns_within, direction, rows_within
from lfdfp.reconstruction.ray_kernels import Band, LensletPlaces, RayArrays, light_variance
from lfdfp.reconstruction.ray_marks import HIDDEN, LEAST_MEASURED, LEAST_PRESENT, STEEPEST


class Surfaces(NamedTuple):
    """A slope map and its range.

    Attributes
    ----------
    slope
        Shape (Y, X): slope of the surface seen at every fine pixel from the aperture's center.
    low, high
        Shape (Y, X): smallest and largest slope within reach of a lenslet at the pixel.
    """

    slope: FloatArray
    low: FloatArray
    high: FloatArray


class SurfaceFit(NamedTuple):
    """How planes are fitted to a slope map.

    Attributes
    ----------
    reach, stride
        Every `stride`-th of the `reach` rows and columns on either side of a pixel votes,
    tolerance
        if its slope differs by less than this,
    damping
        and holds on to its own slope with this curvature.
    """

    reach: int
    stride: int
    tolerance: Any
    damping: Any


@njit(inline="always")
def _slope_at(slopes: FloatArray, y: Any, x: Any) -> Any:
    """The slope (Y, X) of the fine pixel nearest to a place; the border's beyond it."""
    rows, columns = slopes.shape
    i, j = int(y + np.float32(0.5)), int(x + np.float32(0.5))
    return slopes[min(max(i, 0), rows - 1), min(max(j, 0), columns - 1)]


@njit(inline="always")
def _value_and_slopes(image: FloatArray, i: int, j: int, b: Any, a: Any) -> Any:
    """An image (Y, X) at b below and a right of (i, j), and its changes downwards, rightwards."""
    top_left, top_right = image[i, j], image[i, j + 1]
    low_left, low_right = image[i + 1, j], image[i + 1, j + 1]
    value = (1 - b) * ((1 - a) * top_left + a * top_right) + b * (
        (1 - a) * low_left + a * low_right
    )
    along_y = (1 - a) * (low_left - top_left) + a * (low_right - top_right)
    along_x = (1 - b) * (top_right - top_left) + b * (low_right - low_left)
    return value, along_y, along_x


@njit(cache=True, nogil=True, fastmath=True)
def gather_slope_steps(
    rays: RayArrays,
    places: LensletPlaces,
    slopes: FloatArray,
    blurred: FloatArray,
    robustness: float,
    band: Band,
    steps: FloatArray,
) -> None:
    """Sum the terms of one Gauss-Newton step on the disparity in every cell of the band.

    Parameters
    ----------
    slopes
        Shape (H, W), float32: disparity of every ray in fine pixels per raw pixel, or `HIDDEN`.
    blurred
        Shape (3, Y, X): the picture behind the footprint.
    robustness
        Squared residual, in units of the variance, from which on a ray loses influence.
    steps
        Shape (rows, X, 4), added to: Σ ω J e and Σ ω J², where e is the residual and J how the
        prediction changes with the slope; Σ e²/σ², cut off at 100 per ray, and number of rays.
    """
    light, response, colors, terms = rays
    centers, origins, turn, radius = places
    first, last = band.rows
    height, width = blurred.shape[1:]
    for lens in range(band.lenslets[0], band.lenslets[1]):
        row0, column0 = centers[lens, 0], centers[lens, 1]
        for row in range(*rows_within(row0, radius, light.shape)):
            for column in range(*columns_within(column0, radius, row - row0, light.shape)):
                value = light[row, column]
                slope = slopes[row, column]
                if value < LEAST_MEASURED or slope > STEEPEST:
                    continue
                v, u = direction(turn, row - row0, column - column0)
                y, x = origins[lens, 0] - slope * v, origins[lens, 1] - slope * u
                i, j = int(np.floor(y + np.float32(0.5))), int(np.floor(x + np.float32(0.5)))
                if i < first or i >= last:
                    continue
                iy, ix = int(np.floor(y)), int(np.floor(x))
                if iy < 0 or iy >= height - 1 or ix < 0 or ix >= width - 1:
                    continue
                c = colors[row & 1, column & 1]
                predicted, along_y, along_x = _value_and_slopes(blurred[c], iy, ix, y - iy, x - ix)
                signal = max(predicted, np.float32(0.0))
                term = terms[row & 1, column & 1]
                variance = light_variance(term[0], term[1], term[2], response[row, column], signal)
                error = value - predicted
                distrust = 1 + error * error / (variance * robustness)
                weight = 1 / (variance * distrust * distrust)
                change = -(v * along_y + u * along_x)
                steps[i - first, j, 0] += weight * change * error
                steps[i - first, j, 1] += weight * change * change
                steps[i - first, j, 2] += min(error * error / variance, np.float32(100.0))
                steps[i - first, j, 3] += 1


@njit(cache=True, nogil=True, fastmath=True)
def cast_rays(
    light: FloatArray,
    places: LensletPlaces,
    surfaces: Surfaces,
    step: float,
    lenslets: tuple[int, int],
    slopes: FloatArray,
) -> None:
    """Follow every ray from near to far to the first surface that it meets.

    Writes the slope of that surface where the ray meets it, or `HIDDEN` where it meets none, into
    `slopes` (H, W). Near is negative, so the smallest slope comes first.

    Parameters
    ----------
    light
        Shape (H, W) (`RayLight.light`): pixels without any are not followed.
    step
        Between slopes to try; a surface within half of it is met.
    """
    centers, origins, turn, radius = places
    slope_map, low, high = surfaces
    rows, columns = slope_map.shape
    for lens in range(lenslets[0], lenslets[1]):
        row0, column0 = centers[lens, 0], centers[lens, 1]
        at_row = min(max(int(origins[lens, 0] + 0.5), 0), rows - 1)
        at_column = min(max(int(origins[lens, 1] + 0.5), 0), columns - 1)
        nearest, farthest = low[at_row, at_column], high[at_row, at_column]
        tries = int(np.ceil((farthest - nearest) / step)) + 1
        for row in range(*rows_within(row0, radius, light.shape)):
            for column in range(*columns_within(column0, radius, row - row0, light.shape)):
                if light[row, column] < LEAST_PRESENT:
                    continue
                v, u = direction(turn, row - row0, column - column0)
                found = HIDDEN
                for k in range(tries):
                    slope = nearest + k * step if tries > 2 else slope_map[at_row, at_column]
                    surface = _slope_at(
                        slope_map, origins[lens, 0] - slope * v, origins[lens, 1] - slope * u
                    )
                    if abs(surface - slope) <= np.float32(0.5) * step or tries <= 2:
                        found = _slope_at(
                            slope_map,
                            origins[lens, 0] - surface * v,
                            origins[lens, 1] - surface * u,
                        )
                        if abs(found - surface) > step:
                            found = surface
                        break
                slopes[row, column] = found


@njit(cache=True, nogil=True, fastmath=True)
def fit_surfaces(
    slope_map: FloatArray,
    steps: FloatArray,
    fit: SurfaceFit,
    rows: tuple[int, int],
    fitted: FloatArray,
) -> None:
    """Write the middle of a plane, fitted to one Gauss-Newton step's targets, into `fitted`.

    Every pixel around that belongs to the same surface votes for its own slope (Y, X) plus its
    step, with its own curvature as the weight.

    Parameters
    ----------
    steps
        Shape (2, Y, X): Σ ω J e and Σ ω J² (`gather_slope_steps`).
    rows
        First and last + 1, of `fitted` (Y, X) to write.
    """
    height, width = slope_map.shape
    reach, stride, tolerance, damping = fit
    scale = np.float32(1.0) / reach
    for i in range(rows[0], rows[1]):
        for j in range(width):
            here = slope_map[i, j]
            n = y = x = yy = yx = xx = z = zy = zx = np.float32(0.0)
            for di in range(-reach, reach + 1, stride):
                ii = min(max(i + di, 0), height - 1)
                dy = di * scale
                for dj in range(-reach, reach + 1, stride):
                    jj = min(max(j + dj, 0), width - 1)
                    apart = (slope_map[ii, jj] - here) / tolerance
                    share = 1 - apart * apart
                    if share > 0:
                        share *= share
                        dx = dj * scale
                        weight = share * (steps[1, ii, jj] + damping)
                        target = weight * (slope_map[ii, jj] - here) + share * steps[0, ii, jj]
                        n += weight
                        y += weight * dy
                        x += weight * dx
                        yy += weight * dy * dy
                        yx += weight * dy * dx
                        xx += weight * dx * dx
                        z += target
                        zy += target * dy
                        zx += target * dx
            step = _middle((n, y, x), (yy, yx, xx), (z, zy, zx))
            fitted[i, j] = here + min(max(step, -tolerance), tolerance)


@njit(inline="always")
def _middle(first: Any, second: Any, value: Any) -> Any:
    """Value at the origin of the plane with these weighted moments.

    Parameters
    ----------
    first, second
        Σ w (1, y, x) and Σ w (y², yx, x²).
    value
        Σ w z (1, y, x).
    """
    n, y, x = first
    yy, yx, xx = second
    z, zy, zx = value
    tall, wide = yy + 0.05 * n, xx + 0.05 * n
    c0, c1, c2 = tall * wide - yx * yx, yx * x - y * wide, y * yx - tall * x
    determinant = n * c0 + y * c1 + x * c2
    if determinant <= 0.0:
        return 0.0
    return (z * c0 + zy * c1 + zx * c2) / determinant
