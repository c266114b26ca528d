"""Compiled parts of the exact shift-and-sum: periodic extension of views, and sums of spectra."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.datatypes import FloatArray


@njit(cache=True, nogil=True)
def load_periodic_rows(
    samples: NDArray[Any],
    weights: NDArray[Any],
    gain: float,
    equal_weights: bool,
    blend: FloatArray,
    out: FloatArray,
) -> None:
    """Weighted colors and, last, the weights of one view, rows made periodic without a jump.

    Parameters
    ----------
    samples, weights
        Shapes (T, S, C) and (T, S), as stored.
    blend
        Shape (G,): factors that fall from 1 to 0 over the gap between the end of a row and its
        repeated beginning. The gap is filled with odd reflections of both, blended.
    out
        Shape (C + 1, T, S + G); written.
    """
    height, width, colors = samples.shape
    g = np.float32(gain)
    for t in range(height):
        rays = out[colors, t]
        for s in range(width):
            w = np.float32(weights[t, s])
            rays[s] = (np.float32(1) if w > 0 else np.float32(0)) * g if equal_weights else w * g
        for c in range(colors):
            line = out[c, t]
            for s in range(width):
                line[s] = np.float32(samples[t, s, c]) * rays[s]
        for c in range(colors + 1):
            line = out[c, t]
            for j in range(blend.size):
                after = 2 * line[width - 1] - line[width - 2 - j]
                before = 2 * line[0] - line[blend.size - j]
                line[width + j] = blend[j] * after + (1 - blend[j]) * before


@njit(cache=True, nogil=True)
def fill_gap_below(planes: FloatArray, blend: FloatArray) -> None:
    """Make columns periodic as `load_periodic_rows` does rows; planes (P, T + G, K), in place."""
    gap = blend.size
    height = planes.shape[1] - gap
    two = np.float32(2)
    for plane in planes:
        end, start = plane[height - 1], plane[0]
        for j in range(gap):
            b, a = blend[j], np.float32(1) - blend[j]
            after, before, line = plane[height - 2 - j], plane[gap - j], plane[height + j]
            for k in range(line.size):
                line[k] = b * (two * end[k] - after[k]) + a * (two * start[k] - before[k])


@njit(cache=True, nogil=True, fastmath=True)
def sum_spectra(
    spectra: FloatArray, turns: FloatArray, total: FloatArray, band: tuple[int, int]
) -> None:
    """Sum the spectra of the rows of several views, shifted; complex numbers are pairs.

    Parameters
    ----------
    spectra
        Shape (U, C + 1, T, K, 2), K frequencies along s.
    turns
        Shape (N, U, 2, K): factors of modulus 1 that shift.
    total
        Shape (N, C + 1, T', K, 2), T' >= T; its first T rows are written.
    band
        Rows T that are worked on, from the first to before the last.
    """
    n_u, channels, _, columns = spectra.shape[:4]
    light = np.empty((n_u, 2, columns), np.float32)
    real, imaginary = np.empty(columns, np.float32), np.empty(columns, np.float32)
    for c in range(channels):
        for t in range(band[0], band[1]):
            for u in range(n_u):
                for k in range(columns):
                    light[u, 0, k] = spectra[u, c, t, k, 0]
                    light[u, 1, k] = spectra[u, c, t, k, 1]
            for n in range(total.shape[0]):
                real[:] = 0
                imaginary[:] = 0
                for u in range(n_u):
                    _add_product(real, imaginary, light[u], turns[n, u])
                target = total[n, c, t]
                for k in range(columns):
                    target[k, 0] = real[k]
                    target[k, 1] = imaginary[k]


@njit(cache=True, nogil=True, fastmath=True)
def _add_product(
    real: FloatArray, imaginary: FloatArray, one: FloatArray, other: FloatArray
) -> None:
    a, b, x, y = one[0], one[1], other[0], other[1]
    for k in range(real.size):
        real[k] += a[k] * x[k] - b[k] * y[k]
        imaginary[k] += a[k] * y[k] + b[k] * x[k]


@njit(cache=True, nogil=True, fastmath=True)
def add_turned(spectra: FloatArray, turns: FloatArray, total: FloatArray) -> None:
    """Add spectra (C + 1, F, K, 2), turned by (F, 2) for their shift along t, to total."""
    for c in range(spectra.shape[0]):
        for f in range(spectra.shape[1]):
            x, y = turns[f, 0], turns[f, 1]
            source, target = spectra[c, f], total[c, f]
            for k in range(source.shape[0]):
                a, b = source[k, 0], source[k, 1]
                target[k, 0] += a * x - b * y
                target[k, 1] += a * y + b * x
