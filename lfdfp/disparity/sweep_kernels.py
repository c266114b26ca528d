"""Compiled plane sweep: how much the views differ on each plane, by parts of the aperture.

Views are compared after blending with cubic B-splines that are not prefiltered: a blur, of nearly
the same strength for all fractions of a pixel. An interpolator would blur noise and aliasing at
half pixels and keep them at whole ones, and so push disparities away from whole numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.datatypes import FloatArray
from lfdfp.imaging.splines import SPLINE_MARGIN

_M = SPLINE_MARGIN
_NOTHING = 1e30  # variance where nothing was measured; fastmath knows no infinity


@njit(cache=True, nogil=True, fastmath=True)
def view_luminance(
    samples: NDArray[Any], color_weights: FloatArray, first: int, last: int
) -> FloatArray:
    """Luminance of rows first to last of a view, in stored units.

    Shape (last − first + 2 M, S + 2 M) with M = `SPLINE_MARGIN`: entry (i, j) belongs to row
    first − M + i and column j − M; beyond the view, its edge is repeated.
    """
    height, width, colors = samples.shape
    lines = np.empty((last - first + 2 * _M, width + 2 * _M), np.float32)
    for i in range(lines.shape[0]):
        row = samples[min(max(first - _M + i, 0), height - 1)]
        line = lines[i]
        for s in range(width):
            total = np.float32(0)
            for c in range(colors):
                total += color_weights[c] * np.float32(row[s, c])
            line[_M + s] = total
        for j in range(_M):
            line[j] = line[_M]
            line[_M + width + j] = line[_M + width - 1]
    return lines


@njit(cache=True, nogil=True, fastmath=True)
def _blend_four(
    out: FloatArray,
    rows: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
    taps: FloatArray,
) -> None:
    r0, r1, r2, r3 = rows
    a, b, c, d = taps[0], taps[1], taps[2], taps[3]
    for k in range(out.size):
        out[k] = a * r0[k] + b * r1[k] + c * r2[k] + d * r3[k]


@njit(cache=True, nogil=True, fastmath=True)
def add_moments(
    moments: FloatArray,
    luminance: FloatArray,
    rays: NDArray[Any],
    origin: int,
    row_first: int,
    whole: tuple[int, int],
    taps: tuple[FloatArray, FloatArray],
) -> None:
    """Add one shifted view to Σω, Σωx, Σωx² of a band of rows.

    Parameters
    ----------
    moments
        Shape (3, B, S).
    luminance
        Of the view's rows from `origin` on, see `view_luminance`.
    rays
        Shape (T, S): weights of the view's samples.
    row_first
        Row of the picture that row 0 of the band is.
    whole, taps
        For t and s: pixel p is seen at p + whole + fraction, blended with these factors.
    """
    height, width = rays.shape
    up_t = 1 if taps[0][2] > taps[0][1] else 0  # the nearest sample is the next one
    up_s = 1 if taps[1][2] > taps[1][1] else 0
    first = max(0, -whole[1] - up_s)
    last = min(width, width - whole[1] - up_s)
    n = last - first
    if n <= 0:
        return
    ring = np.empty((4, n), np.float32)
    light = np.empty(n, np.float32)
    filled = -(1 << 30)
    x = first + whole[1] + _M
    for t in range(moments.shape[1]):
        source = row_first + t + whole[0]
        if source + up_t < 0 or source + up_t >= height:
            continue
        for p in range(max(source - 1, filled + 1), source + 3):
            line = luminance[p - origin + _M]
            shifted = (
                line[x - 1 : x - 1 + n],
                line[x : x + n],
                line[x + 1 : x + 1 + n],
                line[x + 2 : x + 2 + n],
            )
            _blend_four(ring[p & 3], shifted, taps[1])
        filled = source + 2
        four = (
            ring[(source - 1) & 3],
            ring[source & 3],
            ring[(source + 1) & 3],
            ring[(source + 2) & 3],
        )
        _blend_four(light, four, taps[0])
        weights = rays[source + up_t, first + whole[1] + up_s : last + whole[1] + up_s]
        m0 = moments[0, t, first:last]
        m1 = moments[1, t, first:last]
        m2 = moments[2, t, first:last]
        for k in range(n):
            w = np.float32(weights[k])
            wx = w * light[k]
            m0[k] += w
            m1[k] += wx
            m2[k] += wx * light[k]


@njit(cache=True, nogil=True, fastmath=True)
def _agreement(
    moments: FloatArray, least: FloatArray, penalty: float, row: int, out: FloatArray
) -> None:
    """Smallest variance (S,) over the whole aperture and its halves, of one row of moments.

    The variance of a half is multiplied by `penalty`, because the least of several noisy values
    is too small. Parts whose weight is below `least` (whole, upper, lower, left, right) do not
    count; where no part does, the result is 1e30.
    """
    p = np.float32(penalty)
    for s in range(out.size):
        w0, w1 = moments[0, 0, row, s], moments[1, 0, row, s]
        w2, w3 = moments[2, 0, row, s], moments[3, 0, row, s]
        a0, a1 = moments[0, 1, row, s], moments[1, 1, row, s]
        a2, a3 = moments[2, 1, row, s], moments[3, 1, row, s]
        q0, q1 = moments[0, 2, row, s], moments[1, 2, row, s]
        q2, q3 = moments[2, 2, row, s], moments[3, 2, row, s]
        best = _variance(w0 + w1 + w2 + w3, a0 + a1 + a2 + a3, q0 + q1 + q2 + q3, least[0])
        upper = _variance(w0 + w1, a0 + a1, q0 + q1, least[1])
        lower = _variance(w2 + w3, a2 + a3, q2 + q3, least[2])
        left = _variance(w0 + w2, a0 + a2, q0 + q2, least[3])
        right = _variance(w1 + w3, a1 + a3, q1 + q3, least[4])
        out[s] = min(best, p * min(min(upper, lower), min(left, right)))


@njit(cache=True, nogil=True, fastmath=True)
def _variance(
    weight: np.float32, first: np.float32, second: np.float32, least: np.float32
) -> np.float32:
    if weight <= least:
        return np.float32(_NOTHING)
    mean = first / weight
    return np.float32(max(second / weight - mean * mean, np.float32(0)))


@njit(cache=True, nogil=True)
def sweep_band(
    views: NDArray[Any],
    weights: NDArray[Any],
    chosen: NDArray[np.int64],
    color_weights: FloatArray,
    whole: tuple[NDArray[np.int64], NDArray[np.int64]],
    taps: tuple[FloatArray, FloatArray],
    parts: tuple[FloatArray, float],
    band: tuple[int, int],
    out: FloatArray,
) -> None:
    """Variance over the views, in stored units squared, of rows `band` on every plane.

    Parameters
    ----------
    views, weights
        Shapes (V, U, T, S, C) and (V, U, T, S), as stored.
    chosen
        Shape (K, 3): v, u and quadrant (0 upper left, 1 upper right, 2 lower left, 3 lower
        right; -1 all of them) of the views that take part.
    color_weights
        Shape (C,).
    whole, taps
        For t and s, shapes (N, V) and (N, V, 4), with U for V: see `add_moments`.
    parts
        See `_agreement`: the least weights (5,) and the penalty.
    out
        Shape (N, T, S): rows `band` are written.
    """
    height, width = views.shape[2], views.shape[3]
    rows = band[1] - band[0] + whole[0].max() - whole[0].min() + 4 + 2 * _M
    luminance = np.empty((chosen.shape[0], rows, width + 2 * _M), np.float32)
    origins = np.empty(chosen.shape[0], np.int64)
    for k in range(chosen.shape[0]):
        v, u = chosen[k, 0], chosen[k, 1]
        first = min(max(0, band[0] + whole[0][:, v].min()), height - 1)
        last = max(min(height, band[1] + whole[0][:, v].max() + 1), first + 1)
        lines = view_luminance(views[v, u], color_weights, first, last)
        luminance[k, : lines.shape[0]] = lines
        origins[k] = first
    moments = np.empty((4, 3, band[1] - band[0], width), np.float32)
    for n in range(out.shape[0]):
        moments[:] = 0
        for k in range(chosen.shape[0]):
            v, u = chosen[k, 0], chosen[k, 1]
            shift = whole[0][n, v], whole[1][n, u]
            blend = taps[0][n, v], taps[1][n, u]
            for quadrant in range(4):
                if chosen[k, 2] == quadrant or chosen[k, 2] < 0:
                    add_moments(
                        moments[quadrant],
                        luminance[k],
                        weights[v, u],
                        origins[k],
                        band[0],
                        shift,
                        blend,
                    )
        for row in range(moments.shape[2]):
            _agreement(moments, parts[0], parts[1], row, out[n, band[0] + row])
