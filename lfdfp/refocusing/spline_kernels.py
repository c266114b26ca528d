"""Compiled shift-and-sum: all planes in one pass over the field.

The sum over views separates: for one row of views (fixed v) and one row of pixels (fixed t), the
shifts along s are added up over u first; the result is then added, shifted along t, to the slice.
So a plane costs 4 + 4/U multiplications per sample instead of 16, and the field is read, converted
and weighted once for all planes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.datatypes import DoubleArray, FloatArray
from lfdfp.imaging.splines import SplitShifts


class StoredViews(NamedTuple):
    """Views as a light field stores them, and how much each counts.

    Attributes
    ----------
    samples, weights
        Shapes (V, U, T, S, C) and (V, U, T, S), as stored.
    gains
        Shape (V, U): factor on the weights of each view; views of gain 0 are not read.
    equal_weights
        Whether every weight above 0 is taken as 1.
    """

    samples: NDArray[Any]
    weights: NDArray[Any]
    gains: DoubleArray
    equal_weights: bool


class SliceSums(NamedTuple):
    """Sums over the views for N slices, on a picture with a margin.

    Attributes
    ----------
    light, rays
        Shapes (N, T', S'·C) and (N, T', S'), float32: weighted light, and weights.
    margin
        Pixel (0, 0) of the picture is pixel (margin, margin) of these.
    """

    light: FloatArray
    rays: FloatArray
    margin: int


_PAD = 3  # zeros on either side of a row, so that four taps may stand half outside


@njit(cache=True, nogil=True)
def _load_weights(weights: NDArray[Any], gain: float, equal: bool, rays: FloatArray) -> None:
    g = np.float32(gain)
    if equal:
        for s in range(rays.size):
            rays[s] = g if weights[s] > 0 else np.float32(0)
    else:
        for s in range(rays.size):
            rays[s] = np.float32(weights[s]) * g


@njit(cache=True, nogil=True)
def _load_light(samples: NDArray[Any], rays: FloatArray, light: FloatArray) -> None:
    """One row (S, C) of one view, weighted, into a flat one; three colors by a faster loop."""
    width, colors = samples.shape
    if colors == 3:
        for s in range(width):
            w = rays[s]
            light[3 * s] = np.float32(samples[s, 0]) * w
            light[3 * s + 1] = np.float32(samples[s, 1]) * w
            light[3 * s + 2] = np.float32(samples[s, 2]) * w
        return
    for s in range(width):
        for c in range(colors):
            light[colors * s + c] = np.float32(samples[s, c]) * rays[s]


@njit(cache=True, nogil=True, fastmath=True)
def _add_shifted(
    total: FloatArray, row: FloatArray, whole: int, taps: FloatArray, step: int, margin: int
) -> None:
    """Add Σ_j taps[j] row[s + whole + j − 1] to total[margin + s], for all s inside it."""
    size = row.size // step - 2 * _PAD
    width = total.size // step
    first = max(0, margin - 2 - whole)
    last = min(width, margin + size + 1 - whole)
    if last <= first:
        return
    n = (last - first) * step
    out = total[first * step : first * step + n]
    x = (first - margin + whole - 1 + _PAD) * step
    a, b, c, d = taps[0], taps[1], taps[2], taps[3]
    r1 = row[x + step : x + step + n]
    if a == 0 and c == 0 and d == 0:
        for k in range(n):
            out[k] += b * r1[k]
        return
    r2 = row[x + 2 * step : x + 2 * step + n]
    if a == 0 and d == 0:
        for k in range(n):
            out[k] += b * r1[k] + c * r2[k]
        return
    r0 = row[x : x + n]
    r3 = row[x + 3 * step : x + 3 * step + n]
    for k in range(n):
        out[k] += a * r0[k] + b * r1[k] + c * r2[k] + d * r3[k]


@njit(cache=True, nogil=True, fastmath=True)
def _add_scaled(total: FloatArray, row: FloatArray, factor: float) -> None:
    f = np.float32(factor)
    for k in range(total.size):
        total[k] += f * row[k]


@njit(cache=True, nogil=True)
def accumulate(
    views: StoredViews,
    along_t: SplitShifts,
    along_s: SplitShifts,
    band: tuple[int, int],
    sums: SliceSums,
) -> None:
    """Add the shifted, weighted views to the rows `band` of the slices.

    Parameters
    ----------
    along_t, along_s
        For t, shapes (N, V) and (N, V, 4): slice n takes row t from the rows t + whole - 1 ...
        t + whole + 2 of the views, with these factors; for s the same, with U.
    band
        Rows of the slices that are added to, from the first to before the last.
    """
    samples, weights, gains, equal_weights = views
    light, rays, margin = sums
    n_v, n_u, height, width, colors = samples.shape
    buffer = np.zeros((n_u, (width + 2 * _PAD) * colors), np.float32)
    ray_buffer = np.zeros((n_u, width + 2 * _PAD), np.float32)
    inside = slice(_PAD * colors, (_PAD + width) * colors)
    sum_light = np.empty(light.shape[2], np.float32)
    sum_rays = np.empty(rays.shape[2], np.float32)
    for v in range(n_v):
        used = np.flatnonzero(gains[v] > 0)
        if used.size == 0:
            continue
        first = max(0, band[0] - margin - 1 + along_t.whole[:, v].min())
        last = min(height, band[1] - margin + 2 + along_t.whole[:, v].max())
        for t in range(first, last):
            for u in used:
                row_rays = ray_buffer[u, _PAD : _PAD + width]
                _load_weights(weights[v, u, t], gains[v, u], equal_weights, row_rays)
                _load_light(samples[v, u, t], row_rays, buffer[u, inside])
            for n in range(light.shape[0]):
                top = t + margin - along_t.whole[n, v] + 1  # the row that takes this one by tap 0
                if top < band[0] or top - 3 >= band[1]:
                    continue
                sum_light[:] = 0
                sum_rays[:] = 0
                for u in used:
                    i, f = along_s.whole[n, u], along_s.taps[n, u]
                    _add_shifted(sum_light, buffer[u], i, f, colors, margin)
                    _add_shifted(sum_rays, ray_buffer[u], i, f, 1, margin)
                for j in range(4):
                    factor = along_t.taps[n, v, j]
                    if factor != 0 and band[0] <= top - j < band[1]:
                        _add_scaled(light[n, top - j], sum_light, factor)
                        _add_scaled(rays[n, top - j], sum_rays, factor)


@njit(cache=True, nogil=True)
def normalize(
    light: FloatArray,
    rays: FloatArray,
    margin: int,
    codes: tuple[float, float],
    full: tuple[float, float],
    picture: FloatArray,
    coverage: FloatArray,
) -> None:
    """Weighted sums to linear light, and the sums of the weights to coverage.

    Parameters
    ----------
    light, rays
        Shapes (T, S', C) and (T, S'); column 0 of the picture is column `margin` of these.
    codes
        (scale, offset): light = scale (code − offset).
    full
        (weight that counts as full coverage, weight below which nothing was measured).
    picture, coverage
        Shapes (T, S, C) and (T, S): written.
    """
    scale, offset = np.float32(codes[0]), np.float32(codes[1])
    best, least = np.float32(full[0]), np.float32(full[1])
    height, width, colors = picture.shape
    for t in range(height):
        for s in range(width):
            weight = rays[t, s + margin]
            measured = weight >= least and weight > 0
            coverage[t, s] = min(weight / best, np.float32(1)) if measured else np.float32(0)
            factor = scale / weight if measured else np.float32(0)
            shift = scale * offset if measured else np.float32(0)
            for c in range(colors):
                picture[t, s, c] = light[t, s + margin, c] * factor - shift
