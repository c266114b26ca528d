"""Compiled plane sweep: how much the views differ on each plane, by parts of the aperture.

Views are compared after blending with cubic B-splines that are not prefiltered: a blur, of nearly
the same strength for all fractions of a pixel. An interpolator would blur noise and aliasing at
half pixels and keep them at whole ones, and so push disparities away from whole numbers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.datatypes import FloatArray
from lfdfp.imaging.splines import SPLINE_MARGIN, SplitShifts

_M = SPLINE_MARGIN


class SweptViews(NamedTuple):
    """The views that take part in a sweep.

    Attributes
    ----------
    samples, weights
        Shapes (V, U, T, S, C) and (V, U, T, S), as stored.
    chosen
        Shape (K, 3), int64: v, u and quadrant (0 upper left, 1 upper right, 2 lower left, 3 lower
        right; -1 all of them).
    colors
        Shape (C,), float32: factors that turn samples into luminance, up to an offset.
    """

    samples: NDArray[Any]
    weights: NDArray[Any]
    chosen: NDArray[np.int64]
    colors: FloatArray


class ApertureParts(NamedTuple):
    """How the whole aperture and its halves are compared.

    Attributes
    ----------
    least
        Shape (5,), float32: weight of the whole, upper, lower, left and right part below which
        it does not count.
    penalty
        Factor on the variance of a half, because the least of several noisy values is too small.
    """

    least: FloatArray
    penalty: float


class ShiftedView(NamedTuple):
    """The luminance of one view, and where the band sees it.

    Attributes
    ----------
    luminance
        Of the view's rows from `origin` on, see `view_luminance`.
    weights
        Shape (T, S): of the view's samples, as stored.
    whole, taps
        For t and s, (2,) each: pixel p is seen at p + whole + fraction, blended with these four
        factors.
    """

    luminance: FloatArray
    origin: int
    weights: NDArray[Any]
    whole: tuple[int, int]
    taps: tuple[FloatArray, FloatArray]


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


@njit(cache=True, nogil=True, fastmath=True, inline="always")
def _blend_along_s(out: FloatArray, line: FloatArray, x: int, taps: FloatArray) -> None:
    """Fill `out` with the samples of a line from x on, between them as the four taps say."""
    n = out.size
    shifted = (
        line[x - 1 : x - 1 + n],
        line[x : x + n],
        line[x + 1 : x + 1 + n],
        line[x + 2 : x + 2 + n],
    )
    _blend_four(out, shifted, taps)


@njit(cache=True, nogil=True, fastmath=True)
def add_moments(moments: FloatArray, view: ShiftedView, row_first: int) -> None:
    """Add one shifted view to Σω, Σωx, Σωx² of a band of rows.

    Parameters
    ----------
    moments
        Shape (3, B, S).
    row_first
        Row of the picture that row 0 of the band is.
    """
    luminance, origin, weights, whole, taps = view
    height, width = weights.shape
    up_t = 1 if taps[0][2] > taps[0][1] else 0  # the nearest sample is the next one
    up_s = 1 if taps[1][2] > taps[1][1] else 0
    first = max(0, -whole[1] - up_s)
    last = min(width, width - whole[1] - up_s)
    if last <= first:
        return
    n = last - first
    ring = np.empty((4, n), np.float32)
    light = np.empty(n, np.float32)
    filled = -(1 << 30)
    for t in range(moments.shape[1]):
        source = row_first + t + whole[0]
        if source + up_t < 0 or source + up_t >= height:
            continue
        for p in range(max(source - 1, filled + 1), source + 3):
            line = luminance[p - origin + _M]
            _blend_along_s(ring[p & 3], line, first + whole[1] + _M, taps[1])
        filled = source + 2
        four = (
            ring[(source - 1) & 3],
            ring[source & 3],
            ring[(source + 1) & 3],
            ring[(source + 2) & 3],
        )
        _blend_four(light, four, taps[0])
        row = weights[source + up_t, first + whole[1] + up_s : last + whole[1] + up_s]
        m0 = moments[0, t, first:last]
        m1 = moments[1, t, first:last]
        m2 = moments[2, t, first:last]
        for k in range(n):
            w = np.float32(row[k])
            wx = w * light[k]
            m0[k] += w
            m1[k] += wx
            m2[k] += wx * light[k]


@njit(cache=True, nogil=True, fastmath=True)
def _agreement(moments: FloatArray, parts: ApertureParts, row: int, out: FloatArray) -> None:
    """Smallest variance (S,) over the whole aperture and its halves, of one row of moments.

    Where no part counts, the result is 1e30.
    """
    least, p = parts.least, np.float32(parts.penalty)
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
def _load_luminance(
    views: SweptViews, along_t: SplitShifts, band: tuple[int, int]
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Luminance of all rows that a band needs, (K, rows, S + 2 M), and the first row of each."""
    height, width = views.samples.shape[2], views.samples.shape[3]
    rows = band[1] - band[0] + along_t.whole.max() - along_t.whole.min() + 4 + 2 * _M
    luminance = np.empty((views.chosen.shape[0], rows, width + 2 * _M), np.float32)
    origins = np.empty(views.chosen.shape[0], np.int64)
    for k in range(views.chosen.shape[0]):
        v, u = views.chosen[k, 0], views.chosen[k, 1]
        first = min(max(0, band[0] + along_t.whole[:, v].min()), height - 1)
        last = max(min(height, band[1] + along_t.whole[:, v].max() + 1), first + 1)
        lines = view_luminance(views.samples[v, u], views.colors, first, last)
        luminance[k, : lines.shape[0]] = lines
        origins[k] = first
    return luminance, origins


@njit(cache=True, nogil=True)
def sweep_band(
    views: SweptViews,
    along_t: SplitShifts,
    along_s: SplitShifts,
    parts: ApertureParts,
    band: tuple[int, int],
    out: FloatArray,
) -> None:
    """Variance over the views, in stored units squared, of rows `band` on every plane.

    Parameters
    ----------
    along_t, along_s
        Shapes (N, V) and (N, U): how far each plane shifts the views.
    out
        Shape (N, T, S): rows `band` are written.
    """
    width = views.samples.shape[3]
    luminance, origins = _load_luminance(views, along_t, band)
    moments = np.empty((4, 3, band[1] - band[0], width), np.float32)
    for n in range(out.shape[0]):
        moments[:] = 0
        for k in range(views.chosen.shape[0]):
            v, u = views.chosen[k, 0], views.chosen[k, 1]
            view = ShiftedView(
                luminance[k],
                origins[k],
                views.weights[v, u],
                (along_t.whole[n, v], along_s.whole[n, u]),
                (along_t.taps[n, v], along_s.taps[n, u]),
            )
            for quadrant in range(4):
                if views.chosen[k, 2] == quadrant or views.chosen[k, 2] < 0:
                    add_moments(moments[quadrant], view, band[0])
        for row in range(moments.shape[2]):
            _agreement(moments, parts, row, out[n, band[0] + row])
