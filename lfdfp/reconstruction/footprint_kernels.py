"""The lenslets' footprint on the fine grid: its blur, and the stencil of the rays under it."""

from __future__ import annotations

import numpy as np
from numba import njit

from lfdfp.datatypes import FloatArray


@njit(inline="always")
def blur_row(
    source: FloatArray,
    taps: FloatArray,
    i: int,
    column: FloatArray,
    target: FloatArray,
) -> None:
    """Write row i of the separable symmetric filter of `source` (Y, X) into `target` (X,).

    `taps`, shape (3,), are the weights at distance 0, 1 and 2; `column`, shape (X + 4,), is room
    for what is filtered along columns, with zeros at both ends.
    """
    height, width = source.shape
    up, far_up = max(i - 1, 0), max(i - 2, 0)
    down, far_down = min(i + 1, height - 1), min(i + 2, height - 1)
    w_up = taps[1] if i >= 1 else np.float32(0)
    w_far_up = taps[2] if i >= 2 else np.float32(0)
    w_down = taps[1] if i < height - 1 else np.float32(0)
    w_far_down = taps[2] if i < height - 2 else np.float32(0)
    for j in range(width):
        column[j + 2] = (
            taps[0] * source[i, j]
            + w_up * source[up, j]
            + w_down * source[down, j]
            + w_far_up * source[far_up, j]
            + w_far_down * source[far_down, j]
        )
    for j in range(width):
        target[j] = (
            taps[0] * column[j + 2]
            + taps[1] * (column[j + 1] + column[j + 3])
            + taps[2] * (column[j] + column[j + 4])
        )


@njit(inline="always")
def coupled_row(
    stencil: FloatArray,
    source: FloatArray,
    i: int,
    up: int,
    here: int,
    down: int,
    target: FloatArray,
) -> None:
    """Write row i of the 9-point operator into `target` (X,).

    `stencil` has the shape (5, Y, X); rows `up`, `here` and `down` of `source` (rows, X) stand for
    rows i - 1, i and i + 1.
    """
    width = source.shape[1]
    before = max(i - 1, 0)
    above = np.float32(1.0) if i > 0 else np.float32(0.0)
    for j in range(1, width - 1):
        lower = (
            stencil[2, i, j] * source[down, j]
            + stencil[3, i, j] * source[down, j + 1]
            + stencil[4, i, j] * source[down, j - 1]
        )
        upper = (
            stencil[2, before, j] * source[up, j]
            + stencil[3, before, j - 1] * source[up, j - 1]
            + stencil[4, before, j + 1] * source[up, j + 1]
        )
        target[j] = (
            stencil[0, i, j] * source[here, j]
            + stencil[1, i, j] * source[here, j + 1]
            + stencil[1, i, j - 1] * source[here, j - 1]
            + lower
            + above * upper
        )
    target[0] = 0.0
    target[width - 1] = 0.0


@njit(cache=True, nogil=True, fastmath=True)
def blur_band(
    source: FloatArray,
    taps: FloatArray,
    first: int,
    last: int,
    target: FloatArray,
) -> None:
    """Write rows first..last of the separable symmetric filter of `source` into `target`.

    Parameters
    ----------
    source, target
        Shape (C, Y, X).
    taps
        Shape (3,): weights at distance 0, 1 and 2.
    """
    channels, _, width = source.shape
    column = np.zeros(width + 4, np.float32)
    for c in range(channels):
        for i in range(first, last):
            blur_row(source[c], taps, i, column, target[c, i])


@njit(cache=True, nogil=True, fastmath=True)
def stencil_band(
    stencil: FloatArray,
    source: FloatArray,
    first: int,
    last: int,
    target: FloatArray,
) -> None:
    """Write rows first..last of the symmetric 9-point operator applied to `source`.

    Parameters
    ----------
    source, target
        Shape (3, Y, X).
    stencil
        Shape (3, 5, Y, X): couplings of each pixel with itself, its right, lower, lower right
        and lower left neighbor; the last row and column couple with nothing outside.
    """
    channels, height, _ = source.shape
    for c in range(channels):
        for i in range(first, last):
            up, down = max(i - 1, 0), min(i + 1, height - 1)
            coupled_row(stencil[c], source[c], i, up, i, down, target[c, i])
