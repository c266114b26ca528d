"""Cubic B-spline interpolation: the prefilter that makes it exact, compiled.

A signal is written as a sum of cubic B-splines, ``x(p) = Σ_k c_k β³(p − k)``. The coefficients c
follow from the samples by a recursive filter with the pole √3 − 2, and beyond the array both are
zero [1]_.

References
----------
.. [1] M. Unser, "Splines: a perfect fit for signal and image processing", IEEE Signal Processing
   Magazine 16(6), 1999, eq. (7)-(12).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.datatypes import DoubleArray, FloatArray

POLE = math.sqrt(3.0) - 2.0
"""Pole of the prefilter: its response falls by this factor per sample."""

SPLINE_MARGIN = 12
"""Samples after which the prefilter's response is below float32's resolution."""

_POLE = np.float32(POLE)
_TAIL = np.float32(POLE / (POLE * POLE - 1.0))
_GAIN = np.float32(6.0)


@njit(cache=True, nogil=True)
def prefilter_rows(lines: FloatArray, first: int, last: int, step: int) -> None:
    """Samples to coefficients along the rows of (T, S·step) lines first to last, in place."""
    width = lines.shape[1]
    for t in range(first, last):
        row = lines[t]
        for k in range(step, width):
            row[k] += _POLE * row[k - step]
        for k in range(width - step, width):
            row[k] *= _TAIL * _GAIN
        for k in range(width - step - 1, -1, -1):
            row[k] = _POLE * (row[k + step] - _GAIN * row[k])


@njit(cache=True, nogil=True)
def prefilter_columns(lines: FloatArray, first: int, last: int) -> None:
    """Samples to coefficients along columns first to last of (T, K) lines, in place."""
    height = lines.shape[0]
    for t in range(1, height):
        above, row = lines[t - 1, first:last], lines[t, first:last]
        for k in range(row.size):
            row[k] += _POLE * above[k]
    tail = lines[height - 1, first:last]
    for k in range(tail.size):
        tail[k] *= _TAIL * _GAIN
    for t in range(height - 2, -1, -1):
        row, below = lines[t, first:last], lines[t + 1, first:last]
        for k in range(row.size):
            row[k] = _POLE * (below[k] - _GAIN * row[k])


def spline_coefficients(image: FloatArray) -> FloatArray:
    """Replace samples (T, S) or (T, S, C), contiguous float32, by coefficients; zero beyond."""
    step = 1 if image.ndim == 2 else image.shape[2]
    lines = image.reshape(image.shape[0], -1)
    prefilter_rows(lines, 0, lines.shape[0], step)
    prefilter_columns(lines, 0, lines.shape[1])
    return image


def spline_taps(fraction: DoubleArray) -> FloatArray:
    """Weights, shape (..., 4), of the coefficients at floor(p) − 1 … floor(p) + 2.

    `fraction` is p − floor(p), of shape (...).
    """
    rest = 1.0 - fraction
    taps = (
        rest**3 / 6,
        2 / 3 - fraction**2 * (2 - fraction) / 2,
        2 / 3 - rest**2 * (2 - rest) / 2,
        fraction**3 / 6,
    )
    return np.stack(taps, axis=-1).astype(np.float32)


class SplitShifts(NamedTuple):
    """Shifts as compiled kernels take them: whole pixels, and what blends the samples around.

    Attributes
    ----------
    whole
        Shape (...), int64: sample p of the result is blended from whole + p - 1 ... whole + p + 2.
    taps
        Shape (..., 4), float32: factors of these four samples.
    """

    whole: NDArray[np.int64]
    taps: FloatArray


def split_shifts(shifts: DoubleArray) -> SplitShifts:
    """Shifts, any shape, in pixels, split into whole pixels and the weights of cubic B-splines."""
    whole = np.floor(shifts)
    return SplitShifts(whole.astype(np.int64), spline_taps(shifts - whole))
