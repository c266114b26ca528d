"""Compiled comparison of the lenslets' images with tabulated profiles."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.calibration.response.offset_kernels import OffsetTable
from lfdfp.datatypes import CodeArray, DoubleArray

_SQUARE_ERROR_FLOOR = 4e-4
_LEAST_TEXTURE = 1e-4
_CUT_SQUARE_SIGMAS = 9.0


@njit(cache=True, nogil=True, inline="always")
def _in_cell(down: float, right: float, half_pitch: float, turn: tuple[float, float]) -> bool:
    """Whether an offset is nearer to its own lenslet than to the six around it."""
    v = turn[0] * down - turn[1] * right
    u = turn[1] * down + turn[0] * right
    across, along = 0.8660254037844386 * v, 0.5 * u
    return (
        abs(u) <= half_pitch
        and abs(along + across) <= half_pitch
        and abs(along - across) <= half_pitch
    )


@njit(cache=True, nogil=True, inline="always")
def _interpolated(
    table: DoubleArray, down: float, right: float, reach: float, step: float
) -> float:
    y, x = (down + reach) / step, (right + reach) / step
    i, j = int(y), int(x)
    y -= i
    x -= j
    upper = table[i, j] * (1 - x) + table[i, j + 1] * x
    lower = table[i + 1, j] * (1 - x) + table[i + 1, j + 1] * x
    return float(upper * (1 - y) + lower * y)


@njit(cache=True, nogil=True)
def profile_residuals(
    mosaic: CodeArray,
    levels: DoubleArray,
    colors: NDArray[np.int64],
    centers: DoubleArray,
    zones: NDArray[np.int64],
    profiles: DoubleArray,
    table: OffsetTable,
    pitch_px: float,
    inner_px: float,
    turn: tuple[float, float],
    noise: tuple[float, float],
    free_gradient: bool,
    sums: DoubleArray,
) -> int:
    """Add what the lenslets' images differ from the profiles, by zone, color and offset.

    Every lenslet has a light of its own per color, and if `free_gradient` also one linear change
    over the aperture, which are fitted inside `inner_px`. What is left of ``light / fit - 1``
    counts by its noise and by how much the lenslet's image varies.

    Parameters
    ----------
    levels
        Shape (4, 3): black, least usable light above black, most usable code, per Bayer plane.
    centers, zones
        Shape (L, 2) and (L,).
    profiles
        Shape (Z, 3, N, N), greater than 0.
    turn
        (cos, sin) of the lattice's rotation.
    noise
        Read variance and shot gain of the codes.
    sums
        Shape (Z, 3, N, N, 2): weights, and weighted residuals; added to.

    Returns
    -------
    int
        Lenslets that counted: neither cut off, nor saturated anywhere, nor too dark.
    """
    height, width = mosaic.shape
    reach = int(pitch_px / math.sqrt(3.0)) + 1
    most = (2 * reach + 1) ** 2
    down, right = np.empty(most), np.empty(most)
    light, profile, variance = np.empty(most), np.empty(most), np.empty(most)
    color, inside = np.empty(most, np.int64), np.empty(most, np.bool_)
    total, whole = np.empty(3), np.empty(3)
    used = 0
    for lenslet in range(centers.shape[0]):
        y, x = centers[lenslet, 0], centers[lenslet, 1]
        row0, column0 = round(y), round(x)
        if min(row0, column0, height - 1 - row0, width - 1 - column0) < reach:
            continue
        count, usable = 0, True
        total[:] = 0.0
        whole[:] = 0.0
        for row in range(row0 - reach, row0 + reach + 1):
            for column in range(column0 - reach, column0 + reach + 1):
                dy, dx = row - y, column - x
                if not _in_cell(dy, dx, 0.5 * pitch_px, turn):
                    continue
                plane = 2 * (row & 1) + (column & 1)
                usable = usable and mosaic[row, column] < levels[plane, 2]
                c = colors[plane]
                p = _interpolated(profiles[zones[lenslet], c], dy, dx, table.reach, table.step)
                value = mosaic[row, column] - levels[plane, 0]
                down[count], right[count], color[count] = dy, dx, c
                light[count], profile[count] = value, p
                inside[count] = dy * dy + dx * dx < inner_px * inner_px
                if inside[count]:
                    total[c] += value
                    whole[c] += p
                count += 1
        if not usable or whole.min() <= 0.0:
            continue
        total /= whole
        if total.min() < levels[0, 1]:
            continue
        used += 1
        m00, m01, m11, b0, b1 = 1e-12, 0.0, 1e-12, 0.0, 0.0
        for k in range(count):
            expected = total[color[k]] * profile[k]
            light[k] = light[k] / expected - 1.0
            variance[k] = (noise[0] + noise[1] * expected) / (expected * expected)
            if inside[k] and free_gradient:
                w = 1.0 / (variance[k] + _SQUARE_ERROR_FLOOR)
                m00 += w * down[k] * down[k]
                m01 += w * down[k] * right[k]
                m11 += w * right[k] * right[k]
                b0 += w * down[k] * light[k]
                b1 += w * right[k] * light[k]
        determinant = m00 * m11 - m01 * m01
        slope_down = (m11 * b0 - m01 * b1) / determinant
        slope_right = (m00 * b1 - m01 * b0) / determinant
        excess, weight = 0.0, 0.0
        for k in range(count):
            light[k] -= slope_down * down[k] + slope_right * right[k]
            if inside[k]:
                w = 1.0 / (variance[k] + _SQUARE_ERROR_FLOOR)
                excess += w * (light[k] * light[k] - variance[k])
                weight += w
        texture = max(excess / weight, 0.0) + _LEAST_TEXTURE
        for k in range(count):
            expected_square = variance[k] + texture
            share = light[k] * light[k] / (_CUT_SQUARE_SIGMAS * expected_square)
            if share >= 1.0:
                continue
            w = (1.0 - share) ** 2 / (expected_square + 0.5 * texture)
            i = int((down[k] + table.reach) / table.step + 0.5)
            j = int((right[k] + table.reach) / table.step + 0.5)
            sums[zones[lenslet], color[k], i, j, 0] += w
            sums[zones[lenslet], color[k], i, j, 1] += w * light[k]
    return used
