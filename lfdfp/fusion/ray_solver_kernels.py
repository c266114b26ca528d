"""Compiled parts of the solver: footprint, stencil, total variation, on bands of rows.

Pictures are planar, shape (3, Y, X). Outside the grid everything is zero. A band's rows are
written by one thread and its dot products are summed by themselves, so neither the number of
bands' workers nor their order changes a bit of the result.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from lfdfp.datatypes import FloatArray


@njit(cache=True, nogil=True, fastmath=True)
def blur_band(
    source: FloatArray,
    taps: FloatArray,
    first: int,
    last: int,
    target: FloatArray,
) -> None:
    """Write rows first..last of the separable symmetric filter of `source` into `target`.

    taps
        Shape (3,): weights at distance 0, 1 and 2.
    """
    channels, height, width = source.shape
    column = np.zeros(width + 4, np.float32)
    for c in range(channels):
        for i in range(first, last):
            up, far_up = max(i - 1, 0), max(i - 2, 0)
            down, far_down = min(i + 1, height - 1), min(i + 2, height - 1)
            w_up = taps[1] if i >= 1 else np.float32(0)
            w_far_up = taps[2] if i >= 2 else np.float32(0)
            w_down = taps[1] if i < height - 1 else np.float32(0)
            w_far_down = taps[2] if i < height - 2 else np.float32(0)
            for j in range(width):
                column[j + 2] = (
                    taps[0] * source[c, i, j]
                    + w_up * source[c, up, j]
                    + w_down * source[c, down, j]
                    + w_far_up * source[c, far_up, j]
                    + w_far_down * source[c, far_down, j]
                )
            for j in range(width):
                target[c, i, j] = (
                    taps[0] * column[j + 2]
                    + taps[1] * (column[j + 1] + column[j + 3])
                    + taps[2] * (column[j] + column[j + 4])
                )


@njit(cache=True, nogil=True, fastmath=True)
def stencil_band(
    stencil: FloatArray,
    source: FloatArray,
    first: int,
    last: int,
    target: FloatArray,
) -> None:
    """Write rows first..last of the symmetric 9-point operator applied to `source`.

    stencil
        Shape (3, 5, Y, X): couplings of each pixel with itself, its right, lower, lower right
        and lower left neighbor; the last row and column couple with nothing outside.
    """
    channels, height, width = source.shape
    for c in range(channels):
        for i in range(first, last):
            up, down = max(i - 1, 0), min(i + 1, height - 1)
            above = np.float32(1.0) if i > 0 else np.float32(0.0)
            for j in range(1, width - 1):
                lower = (
                    stencil[c, 2, i, j] * source[c, down, j]
                    + stencil[c, 3, i, j] * source[c, down, j + 1]
                    + stencil[c, 4, i, j] * source[c, down, j - 1]
                )
                upper = (
                    stencil[c, 2, up, j] * source[c, up, j]
                    + stencil[c, 3, up, j - 1] * source[c, up, j - 1]
                    + stencil[c, 4, up, j + 1] * source[c, up, j + 1]
                )
                target[c, i, j] = (
                    stencil[c, 0, i, j] * source[c, i, j]
                    + stencil[c, 1, i, j] * source[c, i, j + 1]
                    + stencil[c, 1, i, j - 1] * source[c, i, j - 1]
                    + lower
                    + above * upper
                )
            target[c, i, 0] = 0.0
            target[c, i, width - 1] = 0.0


@njit(cache=True, nogil=True, fastmath=True)
def mix_band(
    source: FloatArray,
    matrix: FloatArray,
    first: int,
    last: int,
    target: FloatArray,
) -> None:
    """Write rows first..last of `matrix` @ `source` over the color axis."""
    for i in range(first, last):
        for k in range(3):
            m0, m1, m2 = matrix[k, 0], matrix[k, 1], matrix[k, 2]
            for j in range(source.shape[2]):
                target[k, i, j] = m0 * source[0, i, j] + m1 * source[1, i, j] + m2 * source[2, i, j]


@njit(cache=True, nogil=True, fastmath=True)
def variation_band(
    opponent: FloatArray,
    weights: FloatArray,
    matrix: FloatArray,
    first: int,
    last: int,
    target: FloatArray,
) -> None:
    """Add the weighted Laplacian of the opponent colors, turned back, to rows of `target`.

    opponent
        Shape (3, Y, X): `matrix` @ picture.
    weights
        Shape (2, Y, X): of the luma's and of the chroma's forward differences, λ included.
    """
    _, height, width = opponent.shape
    flow = np.zeros((3, width), np.float32)
    for i in range(first, last):
        up, down = max(i - 1, 0), min(i + 1, height - 1)
        above = np.float32(1.0) if i > 0 else np.float32(0.0)
        for k in range(3):
            q = weights[min(k, 1)]
            z = opponent[k]
            for j in range(1, width - 1):
                flow[k, j] = (
                    q[i, j] * (2 * z[i, j] - z[i, j + 1] - z[down, j])
                    + q[i, j - 1] * (z[i, j] - z[i, j - 1])
                    + above * q[up, j] * (z[i, j] - z[up, j])
                )
            flow[k, 0] = q[i, 0] * (2 * z[i, 0] - z[i, 1] - z[down, 0]) + above * q[up, 0] * (
                z[i, 0] - z[up, 0]
            )
            last_column = width - 1
            flow[k, last_column] = (
                q[i, last_column] * (z[i, last_column] - z[down, last_column])
                + q[i, last_column - 1] * (z[i, last_column] - z[i, last_column - 1])
                + above * q[up, last_column] * (z[i, last_column] - z[up, last_column])
            )
        for c in range(3):
            m0, m1, m2 = matrix[0, c], matrix[1, c], matrix[2, c]
            for j in range(width):
                target[c, i, j] += m0 * flow[0, j] + m1 * flow[1, j] + m2 * flow[2, j]


@njit(cache=True, nogil=True, fastmath=True)
def variation_weights_band(
    opponent: FloatArray,
    strengths: FloatArray,
    softening: float,
    dark: float,
    first: int,
    last: int,
    weights: FloatArray,
) -> None:
    """Write the reweighting of total variation in the display's gamma into rows of `weights`.

    With g the slope of the gamma curve at the pixel's luma, a difference D of linear light is
    seen as g D; ``weight = strength g² / sqrt(g² D² + softening²)``.

    strengths
        λ of the luma and of the chroma.
    dark
        Luma below which the gamma curve is taken as straight.
    """
    _, height, width = opponent.shape
    exponent = np.float32(1 / 2.2 - 1)
    for i in range(first, last):
        down = min(i + 1, height - 1)
        for j in range(width):
            right = min(j + 1, width - 1)
            z = opponent[0]
            slope = np.float32(1 / 2.2) * max(z[i, j], dark) ** exponent
            square = slope * slope
            luma = (z[i, right] - z[i, j]) ** 2 + (z[down, j] - z[i, j]) ** 2
            chroma = np.float32(0.0)
            for k in range(1, 3):
                z = opponent[k]
                chroma += (z[i, right] - z[i, j]) ** 2 + (z[down, j] - z[i, j]) ** 2
            soft = softening * softening
            weights[0, i, j] = strengths[0] * square / np.sqrt(square * luma + soft)
            weights[1, i, j] = strengths[1] * square / np.sqrt(square * chroma + soft)


@njit(cache=True, nogil=True, fastmath=True)
def dot_band(
    left: FloatArray,
    right: FloatArray,
    first: int,
    last: int,
) -> float:
    """Sum of products over rows first..last."""
    total = 0.0
    for c in range(left.shape[0]):
        for i in range(first, last):
            row = 0.0
            for j in range(left.shape[2]):
                row += left[c, i, j] * right[c, i, j]
            total += row
    return total


@njit(cache=True, nogil=True, fastmath=True)
def add_scaled_band(
    target: FloatArray,
    scale: float,
    source: FloatArray,
    first: int,
    last: int,
) -> None:
    """target += scale * source on rows first..last."""
    for c in range(target.shape[0]):
        for i in range(first, last):
            for j in range(target.shape[2]):
                target[c, i, j] += scale * source[c, i, j]


@njit(cache=True, nogil=True, fastmath=True)
def direction_band(
    direction: FloatArray,
    ratio: float,
    residual: FloatArray,
    diagonal: FloatArray,
    first: int,
    last: int,
) -> None:
    """direction = residual / diagonal + ratio * direction on rows first..last."""
    for c in range(direction.shape[0]):
        for i in range(first, last):
            for j in range(direction.shape[2]):
                direction[c, i, j] = (
                    residual[c, i, j] / diagonal[c, i, j] + ratio * direction[c, i, j]
                )


@njit(cache=True, nogil=True, fastmath=True)
def preconditioned_dot_band(
    residual: FloatArray,
    diagonal: FloatArray,
    first: int,
    last: int,
) -> float:
    """Sum of residual² / diagonal over rows first..last."""
    total = 0.0
    for c in range(residual.shape[0]):
        for i in range(first, last):
            row = 0.0
            for j in range(residual.shape[2]):
                row += residual[c, i, j] * residual[c, i, j] / diagonal[c, i, j]
            total += row
    return total
