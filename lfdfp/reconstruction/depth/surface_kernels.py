"""Compiled passes of the plane sweep over raw rays.

A pass visits the rays that can reach a band of fine-grid rows and writes that band only; see
`lfdfp.reconstruction.observation_kernels` for the arguments that all passes over the rays share.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.datatypes import FloatArray
from lfdfp.lenslets.kernels import half_width, span
from lfdfp.reconstruction.ray_light import MISSING

_UNUSABLE = np.float32(MISSING / 2)


@njit(cache=True, nogil=True, fastmath=True)
def gather_slope_steps(
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
    outlier_error: float,
    robustness: float,
    lenslets: tuple[int, int],
    band: tuple[int, int],
    steps: FloatArray,
) -> None:
    """Sum the terms of one Gauss-Newton step on the disparity in every cell of the band.

    steps
        Shape (rows, X, 4), written: Σ ω J e and Σ ω J², where e is the residual and J how the
        prediction changes with the slope; Σ e²/σ², cut off at 100 per ray, and number of rays.
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
                if value < -1.5 or slope > 1e8:
                    continue
                right = column - column0
                v = turn[0] * down - turn[1] * right
                u = turn[1] * down + turn[0] * right
                y = origins[lens, 0] - slope * v
                x = origins[lens, 1] - slope * u
                i, j = int(np.floor(y + np.float32(0.5))), int(np.floor(x + np.float32(0.5)))
                if i < first or i >= last:
                    continue
                iy, ix = int(np.floor(y)), int(np.floor(x))
                if iy < 0 or iy >= fine_height - 1 or ix < 0 or ix >= fine_width - 1:
                    continue
                b, a = y - iy, x - ix
                c = colors[row & 1, column & 1]
                top_left, top_right = blurred[c, iy, ix], blurred[c, iy, ix + 1]
                low_left, low_right = blurred[c, iy + 1, ix], blurred[c, iy + 1, ix + 1]
                predicted = (1 - b) * ((1 - a) * top_left + a * top_right) + b * (
                    (1 - a) * low_left + a * low_right
                )
                along_y = (1 - a) * (low_left - top_left) + a * (low_right - top_right)
                along_x = (1 - b) * (top_right - top_left) + b * (low_right - low_left)
                signal = max(predicted, np.float32(0.0))
                share = response[row, column]
                read = terms[row & 1, column & 1, 0]
                shot = terms[row & 1, column & 1, 1]
                relative = terms[row & 1, column & 1, 2] + outlier_error * outlier_error
                variance = (read / share + shot * signal) / share + relative * signal * signal
                error = value - predicted
                doubt = 1 + error * error / (variance * robustness)
                weight = 1 / (variance * doubt * doubt)
                change = -(v * along_y + u * along_x)
                steps[i - first, j, 0] += weight * change * error
                steps[i - first, j, 1] += weight * change * change
                steps[i - first, j, 2] += min(error * error / variance, np.float32(100.0))
                steps[i - first, j, 3] += 1


@njit(cache=True, nogil=True, fastmath=True)
def cast_rays(
    light: FloatArray,
    centers: FloatArray,
    origins: FloatArray,
    turn: FloatArray,
    radius: float,
    slope_map: FloatArray,
    low: FloatArray,
    high: FloatArray,
    step: float,
    lenslets: tuple[int, int],
    slopes: FloatArray,
) -> None:
    """Follow every ray from near to far to the first surface that it meets.

    Writes the slope of that surface where the ray meets it, or 1e9 where it meets none, into
    `slopes` (H, W). Near is negative, so the smallest slope comes first.

    Parameters
    ----------
    slope_map
        Shape (Y, X): slope of the surface seen at every fine pixel from the aperture's center.
    low, high
        Shape (Y, X): smallest and largest slope within reach of a lenslet at the pixel.
    step
        Between slopes to try; a surface within half of it is met.
    """
    height, width = light.shape
    rows, columns = slope_map.shape
    for lens in range(lenslets[0], lenslets[1]):
        row0, column0 = centers[lens, 0], centers[lens, 1]
        at_row = min(max(int(origins[lens, 0] + 0.5), 0), rows - 1)
        at_column = min(max(int(origins[lens, 1] + 0.5), 0), columns - 1)
        nearest, farthest = low[at_row, at_column], high[at_row, at_column]
        tries = int(np.ceil((farthest - nearest) / step)) + 1
        for row in range(*span(row0, radius, height)):
            down = row - row0
            half = half_width(down, radius)
            for column in range(*span(column0, half, width)):
                if light[row, column] < _UNUSABLE:
                    continue
                right = column - column0
                v = turn[0] * down - turn[1] * right
                u = turn[1] * down + turn[0] * right
                found = np.float32(1e9)
                for k in range(tries):
                    slope = nearest + k * step if tries > 2 else slope_map[at_row, at_column]
                    i = int(origins[lens, 0] - slope * v + np.float32(0.5))
                    j = int(origins[lens, 1] - slope * u + np.float32(0.5))
                    surface = slope_map[min(max(i, 0), rows - 1), min(max(j, 0), columns - 1)]
                    if abs(surface - slope) <= np.float32(0.5) * step or tries <= 2:
                        i = int(origins[lens, 0] - surface * v + np.float32(0.5))
                        j = int(origins[lens, 1] - surface * u + np.float32(0.5))
                        found = slope_map[min(max(i, 0), rows - 1), min(max(j, 0), columns - 1)]
                        if abs(found - surface) > step:
                            found = surface
                        break
                slopes[row, column] = found


@njit(cache=True, nogil=True, fastmath=True)
def fit_surfaces(
    slope_map: FloatArray,
    steps: FloatArray,
    reach: int,
    stride: int,
    tolerance: float,
    damping: float,
    first: int,
    last: int,
    fitted: FloatArray,
) -> None:
    """Write the middle of a plane, fitted to one Gauss-Newton step's targets, into `fitted`.

    Every pixel within `reach` rows and columns whose slope differs by less than `tolerance`
    votes for its own slope plus its step, with its own curvature as the weight.

    Parameters
    ----------
    steps
        Shape (2, Y, X): Σ ω J e and Σ ω J² (`gather_slope_steps`).
    stride
        Only every stride-th row and column votes.
    damping
        Curvature with which every voter holds on to its own slope.
    """
    height, width = slope_map.shape
    scale = np.float32(1.0) / reach
    for i in range(first, last):
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
            step = _middle(n, y, x, yy, yx, xx, z, zy, zx)
            fitted[i, j] = here + min(max(step, -tolerance), tolerance)


@njit(inline="always")
def _middle(
    n: float,
    y: float,
    x: float,
    yy: float,
    yx: float,
    xx: float,
    z: float,
    zy: float,
    zx: float,
) -> float:
    """Value at the origin of the plane whose weighted moments these are."""
    tall, wide = yy + 0.05 * n, xx + 0.05 * n
    c0, c1, c2 = tall * wide - yx * yx, yx * x - y * wide, y * yx - tall * x
    determinant = n * c0 + y * c1 + x * c2
    if determinant <= 0.0:
        return 0.0
    return (z * c0 + zy * c1 + zx * c2) / determinant
