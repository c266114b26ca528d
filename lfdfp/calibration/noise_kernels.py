"""Compiled fits of smooth light under each lenslet, whose residuals show the noise."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.calibration.raw_codes import RawCodes
from lfdfp.datatypes import DoubleArray, FloatArray
from lfdfp.lenslets.kernels import columns_within, rows_within

_FEWEST_PIXELS = 6


class ResidualCounts(NamedTuple):
    """How often a squared residual occurs at a signal, both in logarithmic bins.

    Attributes
    ----------
    counts
        Shape (S, R): signal, squared residual, both of codes; added to.
    per_signal, per_residual
        Bins per octave of the signal and of the squared residual.
    first_residual
        Binary logarithm of the residual's first bin; the signal's first bin is at one code.
    """

    counts: NDArray[np.int64]
    per_signal: float
    per_residual: float
    first_residual: float


class _Fit(NamedTuple):
    """Least squares of ``response (a + b down + c right)`` under one lenslet, per color.

    Attributes
    ----------
    gram, moment, number
        Shapes (3, 3, 3), (3, 3) and (3,): normal equations, and pixels that count.
    inverse, light
        Shapes (3, 3, 3) and (3, 3): inverse of `gram`; a, b and c.
    """

    gram: DoubleArray
    moment: DoubleArray
    number: DoubleArray
    inverse: DoubleArray
    light: DoubleArray


@njit(cache=True, nogil=True)
def _add_pixels(
    codes: RawCodes, response: FloatArray, center: DoubleArray, radius_px: float, fit: _Fit
) -> bool:
    """Sum up the normal equations; False where the lenslet is cut off or saturated.

    Dead pixels do not count.
    """
    height, width = codes.mosaic.shape
    y, x = center[0], center[1]
    if min(y, x, height - 1 - y, width - 1 - x) < radius_px:
        return False
    fit.gram[:] = 0.0
    fit.moment[:] = 0.0
    fit.number[:] = 0.0
    for row in range(*rows_within(y, radius_px, codes.mosaic.shape)):
        for column in range(*columns_within(x, radius_px, row - y, codes.mosaic.shape)):
            w = response[row, column]
            if w <= 0.0:
                continue
            k = 2 * (row & 1) + (column & 1)
            code = codes.mosaic[row, column]
            if code >= codes.saturated[k]:
                return False
            c = codes.colors[k]
            fit.number[c] += 1.0
            term = (np.float64(w), w * (row - y), w * (column - x))
            for a in range(3):
                fit.moment[c, a] += term[a] * (code - codes.black[k])
                for b in range(3):
                    fit.gram[c, a, b] += term[a] * term[b]
    return True


@njit(cache=True, nogil=True)
def _solve(fit: _Fit) -> bool:
    """Fill `inverse` and `light`; False where too few pixels of a color are seen."""
    for c in range(3):
        if fit.number[c] < _FEWEST_PIXELS:
            return False
        g = fit.gram[c]
        minors = fit.inverse[c]
        for a in range(3):
            for b in range(3):
                a1, a2, b1, b2 = (a + 1) % 3, (a + 2) % 3, (b + 1) % 3, (b + 2) % 3
                minors[b, a] = g[a1, b1] * g[a2, b2] - g[a1, b2] * g[a2, b1]
        determinant = g[0, 0] * minors[0, 0] + g[0, 1] * minors[1, 0] + g[0, 2] * minors[2, 0]
        if determinant <= 1e-9 * g[0, 0] * g[1, 1] * g[2, 2]:
            return False
        minors /= determinant
        for a in range(3):
            fit.light[c, a] = 0.0
            for b in range(3):
                fit.light[c, a] += minors[a, b] * fit.moment[c, b]
    return True


@njit(cache=True, nogil=True, inline="always")
def _count(residuals: ResidualCounts, signal: float, square: float) -> None:
    counts, per_signal, per_residual, first = residuals
    i = int(math.log2(max(signal, 1.0)) * per_signal)
    j = int((math.log2(max(square, 1e-9)) - first) * per_residual)
    i = min(i, counts.shape[0] - 1)
    counts[i, min(max(j, 0), counts.shape[1] - 1)] += 1


@njit(cache=True, nogil=True)
def _compare(
    codes: RawCodes,
    response: FloatArray,
    center: DoubleArray,
    radius_px: float,
    fit: _Fit,
    noise: tuple[float, float, float],
    quiet: NDArray[np.bool_],
    residuals: ResidualCounts,
) -> tuple[DoubleArray, DoubleArray]:
    """Sums per color of squared residuals over the noise expected, and of degrees of freedom."""
    total, freedom = np.zeros(3), np.zeros(3)
    y, x = center[0], center[1]
    for row in range(*rows_within(y, radius_px, codes.mosaic.shape)):
        down = row - y
        for column in range(*columns_within(x, radius_px, down, codes.mosaic.shape)):
            w = response[row, column]
            if w <= 0.0:
                continue
            right = column - x
            k = 2 * (row & 1) + (column & 1)
            c = codes.colors[k]
            m, light = fit.inverse[c], fit.light[c]
            signal = w * (light[0] + light[1] * down + light[2] * right)
            leverage = m[0, 0] + 2 * m[0, 1] * down + 2 * m[0, 2] * right
            leverage += m[1, 1] * down**2 + 2 * m[1, 2] * down * right + m[2, 2] * right**2
            share = max(1.0 - w * w * leverage, 0.05)
            square = (codes.mosaic[row, column] - codes.black[k] - signal) ** 2
            level = max(signal, 0.0)
            total[c] += square / (noise[0] + noise[1] * level + noise[2] * level * level)
            freedom[c] += share
            if quiet[c]:
                _count(residuals, signal, square / share)
    return total, freedom


@njit(cache=True, nogil=True)
def smooth_light_residuals(
    codes: RawCodes,
    response: FloatArray,
    centers: DoubleArray,
    radius_px: float,
    noise: tuple[float, float, float],
    misfit: FloatArray,
    quiet: NDArray[np.bool_],
    residuals: ResidualCounts,
) -> None:
    """Fit every lenslet; report the misfit per color, and count residuals of the quiet ones.

    Parameters
    ----------
    response
        Shape (H, W): share of full response; 0 at dead pixels.
    centers
        Shape (L, 2): (row, column) in sensor pixels.
    radius_px
        Pixels nearer to a center than this count.
    noise
        Read variance (codes²), shot gain (codes) and squared relative noise to which the misfit
        is compared.
    misfit
        Shape (L, 3), overwritten: mean square of residual / expected; NaN where not fitted.
    quiet
        Shape (L, 3): whose residuals are counted.
    """
    fit = _Fit(
        np.empty((3, 3, 3)), np.empty((3, 3)), np.empty(3), np.empty((3, 3, 3)), np.empty((3, 3))
    )
    for lenslet in range(centers.shape[0]):
        misfit[lenslet] = np.nan
        center = centers[lenslet]
        if not _add_pixels(codes, response, center, radius_px, fit) or not _solve(fit):
            continue
        total, freedom = _compare(
            codes, response, center, radius_px, fit, noise, quiet[lenslet], residuals
        )
        for c in range(3):
            misfit[lenslet, c] = total[c] / freedom[c]
