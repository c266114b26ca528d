"""Compiled refocusing with a slope of its own for every pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.datatypes import FloatArray


@njit(cache=True, nogil=True)
def weighted_view(
    samples: NDArray[Any],
    weights: NDArray[Any],
    gain: float,
    equal_weights: bool,
    margin: int,
    out: FloatArray,
) -> None:
    """Weighted samples (T, S, C) and, last, weights, inside a margin of zeros of `out`."""
    height, width, colors = samples.shape
    out[:] = 0
    g = np.float32(gain)
    for t in range(height):
        for s in range(width):
            w = np.float32(weights[t, s])
            w = (np.float32(1) if w > 0 else np.float32(0)) * g if equal_weights else w * g
            target = out[t + margin, s + margin]
            for c in range(colors):
                target[c] = np.float32(samples[t, s, c]) * w
            target[colors] = w


@njit(cache=True, nogil=True, fastmath=True)
def _spline_weights(fraction: float, out: FloatArray) -> None:
    f, r = np.float32(fraction), np.float32(1 - fraction)
    out[0] = r * r * r / np.float32(6)
    out[1] = np.float32(2 / 3) - f * f * (2 - f) / np.float32(2)
    out[2] = np.float32(2 / 3) - r * r * (2 - r) / np.float32(2)
    out[3] = f * f * f / np.float32(6)


@njit(cache=True, nogil=True, fastmath=True)
def add_gathered(
    coefficients: FloatArray,
    slopes: FloatArray,
    steps: tuple[float, float],
    margin: int,
    band: tuple[int, int],
    total: FloatArray,
) -> None:
    """Add to every pixel p what the view shows at p + slope(p) · steps.

    Parameters
    ----------
    coefficients
        Shape (T + 2 margin, S + 2 margin, C + 1), of cubic splines, of one view.
    slopes
        Shape (T, S), pixels per angular step.
    steps
        Angular steps (v, u) from the viewpoint to the view.
    band
        Rows that are added to, from the first to before the last.
    total
        Shape (T, S, C + 1).
    """
    height, width, channels = coefficients.shape
    at, along = np.empty(4, np.float32), np.empty(4, np.float32)
    for t in range(band[0], band[1]):
        for s in range(slopes.shape[1]):
            y = t + margin + slopes[t, s] * steps[0]
            x = s + margin + slopes[t, s] * steps[1]
            i, j = int(np.floor(y)), int(np.floor(x))
            if i < 1 or j < 1 or i + 2 >= height or j + 2 >= width:
                continue
            _spline_weights(y - i, at)
            _spline_weights(x - j, along)
            target = total[t, s]
            for a in range(4):
                row = coefficients[i - 1 + a]
                for b in range(4):
                    factor = at[a] * along[b]
                    source = row[j - 1 + b]
                    for c in range(channels):
                        target[c] += factor * source[c]
