"""Compiled parts of the solver: footprint, stencil, total variation, on bands of rows.

Pictures are planar, shape (3, Y, X). Outside the grid everything is zero. A band's rows are
written by one thread and its dot products are summed by themselves, so neither the number of
bands' workers nor their order changes a bit of the result.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from lfdfp.datatypes import FloatArray
from lfdfp.reconstruction.footprint_kernels import blur_row, coupled_row


class OperatorArrays(NamedTuple):
    """What ``Bᵀ N B + λ ∇ᵀ Q ∇`` is made of.

    Attributes
    ----------
    stencil
        Shape (3, 5, Y, X), float32: N (`NormalEquations.stencil`).
    taps
        Shape (3,), float32: B, weights at distance 0, 1 and 2 along each axis.
    matrix
        Shape (3, 3), float32: from colors to luma and chroma.
    weights
        Shape (2, Y, X), float32: λ Q, of the luma's and of the chroma's forward differences.
    """

    stencil: FloatArray
    taps: FloatArray
    matrix: FloatArray
    weights: FloatArray


@njit(inline="always")
def _mixed_row(
    source: FloatArray,
    matrix: FloatArray,
    i: int,
    k: int,
    target: FloatArray,
) -> None:
    """Write row i of `matrix` @ `source` over the color axis into row k of `target`."""
    for m in range(3):
        m0, m1, m2 = matrix[m, 0], matrix[m, 1], matrix[m, 2]
        for j in range(source.shape[2]):
            target[m, k, j] = m0 * source[0, i, j] + m1 * source[1, i, j] + m2 * source[2, i, j]


@njit(inline="always")
def _add_variation_row(
    opponent: FloatArray,
    weights: FloatArray,
    matrix: FloatArray,
    i: int,
    rows: tuple[int, int, int],
    flow: FloatArray,
    target: FloatArray,
) -> None:
    """Add row i of the weighted Laplacian, in colors again, to `target` (3, Y, X).

    Three `rows` of `opponent` stand for rows i - 1, i and i + 1.
    """
    up, here, down = rows
    width = opponent.shape[2]
    before, end = max(i - 1, 0), width - 1
    above = np.float32(1.0) if i > 0 else np.float32(0.0)
    for m in range(3):
        q, z = weights[min(m, 1)], opponent[m]
        for j in range(1, end):
            flow[m, j] = (
                q[i, j] * (2 * z[here, j] - z[here, j + 1] - z[down, j])
                + q[i, j - 1] * (z[here, j] - z[here, j - 1])
                + above * q[before, j] * (z[here, j] - z[up, j])
            )
        flow[m, 0] = q[i, 0] * (2 * z[here, 0] - z[here, 1] - z[down, 0]) + above * q[before, 0] * (
            z[here, 0] - z[up, 0]
        )
        flow[m, end] = (
            q[i, end] * (z[here, end] - z[down, end])
            + q[i, end - 1] * (z[here, end] - z[here, end - 1])
            + above * q[before, end] * (z[here, end] - z[up, end])
        )
    for c in range(3):
        m0, m1, m2 = matrix[0, c], matrix[1, c], matrix[2, c]
        for j in range(width):
            target[c, i, j] += m0 * flow[0, j] + m1 * flow[1, j] + m2 * flow[2, j]


@njit(cache=True, nogil=True, fastmath=True)
def mix_band(
    source: FloatArray,
    matrix: FloatArray,
    first: int,
    last: int,
    target: FloatArray,
) -> None:
    """Write rows first..last of `matrix` (3, 3) @ `source` over the color axis into `target`.

    `source` and `target` have the shape (3, Y, X).
    """
    for i in range(first, last):
        _mixed_row(source, matrix, i, i, target)


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
        _add_variation_row(opponent, weights, matrix, i, (up, i, down), flow, target)


@njit(inline="always")
def _write_data_part(
    picture: FloatArray, operator: OperatorArrays, first: int, last: int, image: FloatArray
) -> None:
    """Write rows first..last of ``Bᵀ N B`` applied to `picture` into `image`."""
    stencil, taps, _, _ = operator
    _, height, width = picture.shape
    rows = last - first
    blurred = np.zeros((rows + 6, width), np.float32)
    coupled = np.zeros((rows + 4, width), np.float32)
    column = np.zeros(width + 4, np.float32)
    for c in range(3):
        for k in range(rows + 6):
            if 0 <= first - 3 + k < height:
                blur_row(picture[c], taps, first - 3 + k, column, blurred[k])
            else:
                blurred[k] = np.float32(0.0)
        for k in range(rows + 4):
            if 0 <= first - 2 + k < height:
                coupled_row(stencil[c], blurred, first - 2 + k, k, k + 1, k + 2, coupled[k])
            else:
                coupled[k] = np.float32(0.0)
        for i in range(first, last):
            blur_row(coupled, taps, i - first + 2, column, image[c, i])


@njit(cache=True, nogil=True, fastmath=True)
def operator_band(
    picture: FloatArray, operator: OperatorArrays, first: int, last: int, image: FloatArray
) -> float:
    """Write rows first..last of the operator applied to `picture` (3, Y, X) into `image`.

    What `blur_band`, `stencil_band`, `blur_band`, `mix_band` and `variation_band` do one after
    the other, in one pass: what lies between them stays in the cache.

    Returns
    -------
    float
        Sum of picture times image over the rows.
    """
    _, _, matrix, weights = operator
    _, height, width = picture.shape
    _write_data_part(picture, operator, first, last, image)
    opponent = np.zeros((3, last - first + 2, width), np.float32)
    flow = np.zeros((3, width), np.float32)
    for k in range(last - first + 2):
        _mixed_row(picture, matrix, min(max(first - 1 + k, 0), height - 1), k, opponent)
    for i in range(first, last):
        k = i - first
        _add_variation_row(opponent, weights, matrix, i, (k, k + 1, k + 2), flow, image)
    total = 0.0
    for c in range(3):
        for i in range(first, last):
            row = 0.0
            for j in range(width):
                row += picture[c, i, j] * image[c, i, j]
            total += row
    return total


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

    Parameters
    ----------
    opponent
        Shape (3, Y, X): luma and chroma of the picture.
    strengths
        Shape (2,): λ of the luma and of the chroma.
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
def step_band(
    picture: FloatArray,
    residual: FloatArray,
    length: float,
    direction: FloatArray,
    image: FloatArray,
    diagonal: FloatArray,
    first: int,
    last: int,
) -> float:
    """Move `picture` along `direction` and `residual` against its image on rows first..last.

    All arrays have the shape (C, Y, X).

    Returns
    -------
    float
        Sum of residual² / diagonal over the rows, afterwards.
    """
    total = 0.0
    for c in range(picture.shape[0]):
        for i in range(first, last):
            row = 0.0
            for j in range(picture.shape[2]):
                picture[c, i, j] += length * direction[c, i, j]
                rest = residual[c, i, j] - length * image[c, i, j]
                residual[c, i, j] = rest
                row += rest * rest / diagonal[c, i, j]
            total += row
    return total


@njit(cache=True, nogil=True, fastmath=True)
def direction_band(
    direction: FloatArray,
    ratio: float,
    residual: FloatArray,
    diagonal: FloatArray,
    first: int,
    last: int,
) -> None:
    """direction = residual / diagonal + ratio * direction, (3, Y, X), on rows first..last."""
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
    """Sum of residual² / diagonal, each (3, Y, X), over rows first..last."""
    total = 0.0
    for c in range(residual.shape[0]):
        for i in range(first, last):
            row = 0.0
            for j in range(residual.shape[2]):
                row += residual[c, i, j] * residual[c, i, j] / diagonal[c, i, j]
            total += row
    return total
