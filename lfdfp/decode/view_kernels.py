"""Compiled sampling of sub-aperture views."""

from __future__ import annotations

import numpy as np
from numba import njit

from lfdfp.datatypes import FloatArray


@njit(cache=True, nogil=True, fastmath=True)
def sample_sensor(
    rgb: FloatArray,
    trust: FloatArray,
    centers: FloatArray,
    offset_row: float,
    offset_column: float,
    samples: FloatArray,
    weights: FloatArray,
) -> None:
    """Bilinear samples of `rgb` at `centers`, shape (2, rows, columns), plus an offset."""
    height, width = trust.shape
    for j in range(centers.shape[1]):
        for i in range(centers.shape[2]):
            y = centers[0, j, i] + offset_row
            x = centers[1, j, i] + offset_column
            samples[j, i, :] = 0.0
            weights[j, i] = 0.0
            if y < 0 or x < 0 or y >= height - 1 or x >= width - 1:
                continue
            row, column = int(y), int(x)
            fy, fx = np.float32(y - row), np.float32(x - column)
            for dy in range(2):
                for dx in range(2):
                    near = (fy if dy else 1 - fy) * (fx if dx else 1 - fx)
                    weights[j, i] += near * trust[row + dy, column + dx]
                    for c in range(3):
                        samples[j, i, c] += near * rgb[row + dy, column + dx, c]


@njit(cache=True, nogil=True, fastmath=True)
def resample_rows(
    samples: FloatArray, first_x: FloatArray, origin_x: float, step: float, out: FloatArray
) -> None:
    """Cubic interpolation along lenslet rows; row j's lenslets lie at ``first_x[j] + i``."""
    for j in range(out.shape[0]):
        last = samples.shape[1] - 1
        for i in range(out.shape[1]):
            x = origin_x + step * i - first_x[j]
            base = int(np.floor(x))
            f = np.float32(x - base)
            w0 = ((-0.5 * f + 1.0) * f - 0.5) * f
            w1 = (1.5 * f - 2.5) * f * f + 1.0
            w2 = ((-1.5 * f + 2.0) * f + 0.5) * f
            w3 = (0.5 * f - 0.5) * f * f
            a, b = min(max(base - 1, 0), last), min(max(base, 0), last)
            c, d = min(max(base + 1, 0), last), min(max(base + 2, 0), last)
            for k in range(out.shape[2]):
                out[j, i, k] = (
                    w0 * samples[j, a, k]
                    + w1 * samples[j, b, k]
                    + w2 * samples[j, c, k]
                    + w3 * samples[j, d, k]
                )
