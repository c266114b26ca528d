"""Compiled passes of the plane sweep over raw rays.

A pass visits the rays that can reach a band of fine-grid rows and writes that band only; see
`lfdfp.fusion.ray_kernels` for the arguments that all passes over the rays share.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from lfdfp.ray_geometry import MISSING

_UNUSABLE = np.float32(MISSING / 2)
_OPTIONS = {"cache": True, "nogil": True, "fastmath": True}


@njit(inline="always")
def _span(center, half, size):
    """First and last + 1 whole pixel within `half` of `center`, on a sensor of `size`."""
    return max(0, int(np.ceil(center - half))), min(size, int(np.floor(center + half)) + 1)


@njit(**_OPTIONS)
def gather_moments(
    light, response, colors, terms, centers, origins, turn, radius, slope, lenslets, band, moments,
):  # fmt: skip
    """Sum number, weight, weighted light and its square of the rays of one plane in every cell.

    Parameters
    ----------
    slope
        Of the plane, in fine pixels per raw pixel.
    moments
        Shape (rows, X, 4, 3, 4), written: aperture quadrant, color, moment.
    """
    height, width = light.shape
    columns = moments.shape[1]
    first, last = band
    for lens in range(lenslets[0], lenslets[1]):
        row0, column0 = centers[lens, 0], centers[lens, 1]
        for row in range(*_span(row0, radius, height)):
            down = row - row0
            half = np.sqrt(max(radius * radius - down * down, np.float32(0.0)))
            for column in range(*_span(column0, half, width)):
                value = light[row, column]
                if value < -1.5:
                    continue
                right = column - column0
                v = turn[0] * down - turn[1] * right
                u = turn[1] * down + turn[0] * right
                i = int(np.floor(origins[lens, 0] - slope * v + np.float32(0.5)))
                j = int(np.floor(origins[lens, 1] - slope * u + np.float32(0.5)))
                if i < first or i >= last or j < 0 or j >= columns:
                    continue
                share = response[row, column]
                read = terms[row & 1, column & 1, 0]
                shot = terms[row & 1, column & 1, 1]
                relative = terms[row & 1, column & 1, 2]
                signal = max(value, np.float32(0.0))
                weight = 1 / ((read / share + shot * signal) / share + relative * signal * signal)
                quadrant = (2 if v > 0 else 0) + (1 if u > 0 else 0)
                cell = moments[i - first, j, quadrant, colors[row & 1, column & 1]]
                cell[0] += 1
                cell[1] += weight
                cell[2] += weight * value
                cell[3] += weight * value * value


@njit(**_OPTIONS)
def misfit_of_moments(moments, first, misfit, freedom):
    """Write Σ (y - mean)² / σ² and degrees of freedom of the full and the four half apertures.

    misfit, freedom
        Shape (5, Y, X): full, upper, lower, left and right half.
    """
    halves = (
        (True, True, True, True),
        (True, True, False, False),
        (False, False, True, True),
        (True, False, True, False),
        (False, True, False, True),
    )
    rows, columns = moments.shape[0], moments.shape[1]
    for i in range(rows):
        for j in range(columns):
            for k in range(5):
                total, degrees = np.float32(0.0), np.float32(0.0)
                for c in range(3):
                    n, w = np.float32(0.0), np.float32(0.0)
                    wy, wyy = np.float32(0.0), np.float32(0.0)
                    for q in range(4):
                        if halves[k][q]:
                            n += moments[i, j, q, c, 0]
                            w += moments[i, j, q, c, 1]
                            wy += moments[i, j, q, c, 2]
                            wyy += moments[i, j, q, c, 3]
                    if n > 1.5:
                        total += max(wyy - wy * wy / w, np.float32(0.0))
                        degrees += n - 1
                misfit[k, first + i, j] = total
                freedom[k, first + i, j] = degrees


@njit(**_OPTIONS)
def gather_residuals(
    light, response, colors, terms, centers, origins, turn, radius, slope, blurred, outlier_error,
    truncation, low, high, lenslets, band, misfit, count,
):  # fmt: skip
    """Add every ray's truncated misfit to the prediction on one plane to its cell.

    Cells whose range of candidate planes does not hold `slope` are skipped.

    Parameters
    ----------
    blurred
        Shape (3, Y, X): the picture behind the lenslets' footprint.
    outlier_error
        Share of the signal that counts as noise.
    truncation
        Squared residual, in units of the variance, that a ray's cost approaches.
    low, high
        Shape (Y, X): candidate slopes of every cell.
    misfit, count
        Shape (4, rows, X): sums per half aperture (upper, lower, left, right).
    """
    height, width = light.shape
    fine_height, fine_width = blurred.shape[1], blurred.shape[2]
    first, last = band
    for lens in range(lenslets[0], lenslets[1]):
        row0, column0 = centers[lens, 0], centers[lens, 1]
        for row in range(*_span(row0, radius, height)):
            down = row - row0
            half = np.sqrt(max(radius * radius - down * down, np.float32(0.0)))
            for column in range(*_span(column0, half, width)):
                value = light[row, column]
                if value < -1.5:
                    continue
                right = column - column0
                v = turn[0] * down - turn[1] * right
                u = turn[1] * down + turn[0] * right
                y = origins[lens, 0] - slope * v
                x = origins[lens, 1] - slope * u
                i, j = int(np.floor(y + np.float32(0.5))), int(np.floor(x + np.float32(0.5)))
                if i < first or i >= last or j < 0 or j >= fine_width:
                    continue
                if slope < low[i, j] or slope > high[i, j]:
                    continue
                iy, ix = int(np.floor(y)), int(np.floor(x))
                if iy < 0 or iy >= fine_height - 1 or ix < 0 or ix >= fine_width - 1:
                    continue
                b, a = y - iy, x - ix
                c = colors[row & 1, column & 1]
                predicted = (1 - b) * (
                    (1 - a) * blurred[c, iy, ix] + a * blurred[c, iy, ix + 1]
                ) + b * ((1 - a) * blurred[c, iy + 1, ix] + a * blurred[c, iy + 1, ix + 1])
                signal = max(predicted, np.float32(0.0))
                share = response[row, column]
                read = terms[row & 1, column & 1, 0]
                shot = terms[row & 1, column & 1, 1]
                relative = terms[row & 1, column & 1, 2] + outlier_error * outlier_error
                variance = (read / share + shot * signal) / share + relative * signal * signal
                error = (value - predicted) ** 2 / variance
                cost = truncation * error / (truncation + error)
                vertical, horizontal = 0 if v <= 0 else 1, 2 if u <= 0 else 3
                misfit[vertical, i - first, j] += cost
                misfit[horizontal, i - first, j] += cost
                count[vertical, i - first, j] += 1
                count[horizontal, i - first, j] += 1


@njit(**_OPTIONS)
def gather_slope_steps(
    light, response, colors, terms, centers, origins, turn, slopes, radius, blurred,
    outlier_error, robustness, lenslets, band, steps,
):  # fmt: skip
    """Sum the terms of one Gauss-Newton step on the disparity in every cell of the band.

    steps
        Shape (rows, X, 2), written: Σ ω J e and Σ ω J², where e is the residual and J how the
        prediction changes with the slope.
    """
    height, width = light.shape
    fine_height, fine_width = blurred.shape[1], blurred.shape[2]
    first, last = band
    for lens in range(lenslets[0], lenslets[1]):
        row0, column0 = centers[lens, 0], centers[lens, 1]
        for row in range(*_span(row0, radius, height)):
            down = row - row0
            half = np.sqrt(max(radius * radius - down * down, np.float32(0.0)))
            for column in range(*_span(column0, half, width)):
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


@njit(**_OPTIONS)
def cast_rays(
    light, centers, origins, turn, radius, slope_map, low, high, step, lenslets, slopes,
):  # fmt: skip
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
        for row in range(*_span(row0, radius, height)):
            down = row - row0
            half = np.sqrt(max(radius * radius - down * down, np.float32(0.0)))
            for column in range(*_span(column0, half, width)):
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
