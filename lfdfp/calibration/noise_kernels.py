"""Compiled fits of smooth light under each lenslet, whose residuals show the noise."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.datatypes import CodeArray, DoubleArray, FloatArray


@njit(cache=True, nogil=True)
def _fit_light(
    mosaic: CodeArray,
    response: FloatArray,
    levels: DoubleArray,
    colors: NDArray[np.int64],
    center: DoubleArray,
    radius_px: float,
    inverse: DoubleArray,
    light: DoubleArray,
    number: DoubleArray,
) -> bool:
    """Least squares of ``response (a + b down + c right)`` per color.

    Fills `light` (3, 3) with a, b, c and `inverse` (3, 3, 3) with the inverse normal matrices;
    False where the lenslet is cut off, saturated, or has too few pixels of a color. Dead pixels
    do not count.
    """
    height, width = mosaic.shape
    y, x = center[0], center[1]
    if min(y, x, height - 1 - y, width - 1 - x) < radius_px:
        return False
    gram, moment = np.zeros((3, 3, 3)), np.zeros((3, 3))
    number[:] = 0.0
    term = np.empty(3)
    for row in range(math.ceil(y - radius_px), math.floor(y + radius_px) + 1):
        for column in range(math.ceil(x - radius_px), math.floor(x + radius_px) + 1):
            if math.hypot(row - y, column - x) >= radius_px:
                continue
            k = 2 * (row & 1) + (column & 1)
            code, w = mosaic[row, column], response[row, column]
            if w <= 0.0:
                continue
            if code >= levels[k, 1]:
                return False
            c = colors[k]
            term[0], term[1], term[2] = w, w * (row - y), w * (column - x)
            number[c] += 1.0
            for a in range(3):
                moment[c, a] += term[a] * (code - levels[k, 0])
                for b in range(3):
                    gram[c, a, b] += term[a] * term[b]
    for c in range(3):
        if number[c] < 6:
            return False
        g = gram[c]
        minors = inverse[c]
        for a in range(3):
            for b in range(3):
                a1, a2, b1, b2 = (a + 1) % 3, (a + 2) % 3, (b + 1) % 3, (b + 2) % 3
                minors[b, a] = g[a1, b1] * g[a2, b2] - g[a1, b2] * g[a2, b1]
        determinant = g[0, 0] * minors[0, 0] + g[0, 1] * minors[1, 0] + g[0, 2] * minors[2, 0]
        if determinant <= 1e-9 * g[0, 0] * g[1, 1] * g[2, 2]:
            return False
        minors /= determinant
        for a in range(3):
            light[c, a] = 0.0
            for b in range(3):
                light[c, a] += minors[a, b] * moment[c, b]
    return True


@njit(cache=True, nogil=True)
def smooth_light_residuals(
    mosaic: CodeArray,
    response: FloatArray,
    levels: DoubleArray,
    colors: NDArray[np.int64],
    centers: DoubleArray,
    radius_px: float,
    noise: tuple[float, float, float],
    misfit: FloatArray,
    quiet: NDArray[np.bool_],
    decades: tuple[float, float, float],
    counts: NDArray[np.int64],
) -> None:
    """Fit every lenslet; report the misfit per color, and count residuals of the quiet ones.

    Parameters
    ----------
    levels
        Shape (4, 2): black, and code from which a pixel is saturated, per Bayer plane.
    noise
        Read variance, shot gain and squared relative noise to which the misfit is compared.
    misfit
        Shape (L, 3), overwritten: mean square of residual / expected; NaN where not fitted.
    quiet
        Shape (L, 3): whose residuals are counted.
    decades
        Bins per octave of the signal, bins per octave of the squared residual, and the binary
        logarithm of the residual's first bin; the signal's first bin is at one code.
    counts
        Shape (S, R): signal, squared residual; added to.
    """
    inverse, light, number = np.empty((3, 3, 3)), np.empty((3, 3)), np.empty(3)
    per_signal, per_residual, first = decades
    total, freedom = np.empty(3), np.empty(3)
    for lenslet in range(centers.shape[0]):
        misfit[lenslet] = np.nan
        center = centers[lenslet]
        if not _fit_light(
            mosaic, response, levels, colors, center, radius_px, inverse, light, number
        ):
            continue
        total[:] = 0.0
        freedom[:] = 0.0
        y, x = center[0], center[1]
        for row in range(math.ceil(y - radius_px), math.floor(y + radius_px) + 1):
            for column in range(math.ceil(x - radius_px), math.floor(x + radius_px) + 1):
                down, right = row - y, column - x
                if math.hypot(down, right) >= radius_px:
                    continue
                k = 2 * (row & 1) + (column & 1)
                c, w = colors[k], response[row, column]
                if w <= 0.0:
                    continue
                m = inverse[c]
                signal = w * (light[c, 0] + light[c, 1] * down + light[c, 2] * right)
                leverage = m[0, 0] + 2 * m[0, 1] * down + 2 * m[0, 2] * right
                leverage += m[1, 1] * down**2 + 2 * m[1, 2] * down * right + m[2, 2] * right**2
                share = max(1.0 - w * w * leverage, 0.05)
                square = (mosaic[row, column] - levels[k, 0] - signal) ** 2
                level = max(signal, 0.0)
                total[c] += square / (noise[0] + noise[1] * level + noise[2] * level * level)
                freedom[c] += share
                if quiet[lenslet, c]:
                    i = int(math.log2(max(signal, 1.0)) * per_signal)
                    j = int((math.log2(max(square / share, 1e-9)) - first) * per_residual)
                    i = min(i, counts.shape[0] - 1)
                    counts[i, min(max(j, 0), counts.shape[1] - 1)] += 1
        for c in range(3):
            misfit[lenslet, c] = total[c] / freedom[c]
