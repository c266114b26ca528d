"""Compiled loops over sensor pixels and their offsets from the nearest lenslet's center."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.datatypes import DoubleArray, FloatArray, LensletGrid


class GridArrays(NamedTuple):
    """A `LensletGrid` as the kernels take it: contiguous arrays only."""

    basis: DoubleArray
    inverse: DoubleArray
    origin: DoubleArray
    distortion: DoubleArray


class OffsetTable(NamedTuple):
    """Square table over (down, right) offsets: entry i lies at ``i * step - reach`` pixels."""

    size: int
    reach: float
    step: float


def grid_arrays(grid: LensletGrid) -> GridArrays:
    """The numbers of a grid for the kernels of this module."""
    return GridArrays(
        basis=np.ascontiguousarray(grid.basis_px),
        inverse=np.ascontiguousarray(np.linalg.inv(grid.basis_px)),
        origin=np.array(grid.origin_px, np.float64),
        distortion=np.ascontiguousarray(grid.distortion_px, np.float64),
    )


@njit(cache=True, nogil=True)
def _row_polynomials(distortion: DoubleArray, y: float) -> DoubleArray:
    """Shape (2, 4): the displacement along one sensor row as polynomials of x."""
    d = distortion
    out = np.empty((2, 4))
    for k in range(2):
        out[k, 0] = d[k, 0] + y * (d[k, 1] + y * (d[k, 3] + y * d[k, 6]))
        out[k, 1] = d[k, 2] + y * (d[k, 4] + y * d[k, 7])
        out[k, 2] = d[k, 5] + y * d[k, 8]
        out[k, 3] = d[k, 9]
    return out


@njit(cache=True, nogil=True)
def row_offsets(
    row: int,
    shape: tuple[int, int],
    grid: GridArrays,
    offsets: FloatArray,
    lattice: NDArray[np.int32],
) -> None:
    """Fill (down, right) from the nearest lenslet's image center, and that lenslet's (q, r).

    Both arrays have the shape (2, W).

    The displacement is taken at the pixel, not at the undistorted position: it is so smooth that
    the difference does not count.
    """
    height, width = shape
    poly = _row_polynomials(grid.distortion, (row - (height - 1) / 2) / (height / 2))
    inverse = grid.inverse
    b00, b01, b10, b11 = grid.basis[0, 0], grid.basis[0, 1], grid.basis[1, 0], grid.basis[1, 1]
    for column in range(width):
        x = (column - (width - 1) / 2) / (height / 2)
        moved_down = poly[0, 0] + x * (poly[0, 1] + x * (poly[0, 2] + x * poly[0, 3]))
        moved_right = poly[1, 0] + x * (poly[1, 1] + x * (poly[1, 2] + x * poly[1, 3]))
        down = row - grid.origin[0] - moved_down
        right = column - grid.origin[1] - moved_right
        q = inverse[0, 0] * down + inverse[0, 1] * right
        r = inverse[1, 0] * down + inverse[1, 1] * right
        whole_q, whole_r = math.floor(q), math.floor(r)
        q -= whole_q
        r -= whole_r
        # The nearest of the four corners of the lattice cell is the nearest lenslet of all.
        v, u = b00 * q + b01 * r, b10 * q + b11 * r
        best, best_v, best_u, a, b = v * v + u * u, v, u, 0, 0
        for corner in range(1, 4):
            right, below = corner & 1, corner >> 1
            v_there, u_there = v - right * b00 - below * b01, u - right * b10 - below * b11
            square = v_there * v_there + u_there * u_there
            if square < best:
                best, best_v, best_u, a, b = square, v_there, u_there, right, below
        offsets[0, column] = best_v
        offsets[1, column] = best_u
        lattice[0, column] = whole_q + a
        lattice[1, column] = whole_r + b


@njit(cache=True, nogil=True)
def blend_profiles(
    profiles: FloatArray,
    colors: NDArray[np.int64],
    grid: GridArrays,
    table: OffsetTable,
    gains: FloatArray,
    first: tuple[int, int],
    floor: float,
    response: FloatArray,
) -> None:
    """Fill `response`, shape (H, W), from tables (Z, Z, K, N, N), linear in zone and offset.

    Nothing is below `floor`; then lenslet (q, r) is multiplied by
    ``gains[color, r - first[0], q + (r >> 1) - first[1]]``, or by nothing if `gains` is empty.
    """
    height, width = response.shape
    zones = profiles.shape[0]
    strip = np.empty(profiles.shape[1:], np.float32)
    offsets, lattice = np.empty((2, width), np.float32), np.empty((2, width), np.int32)
    place = ((np.arange(width) + 0.5) * zones / width - 0.5).clip(0.0, zones - 1.0)
    left = np.minimum(place.astype(np.int32), max(zones - 2, 0))
    share = (place - left).astype(np.float32)
    next_zone = min(1, zones - 1)
    reach, scale = np.float32(table.reach), np.float32(1.0 / table.step)
    last, one, least = np.float32(table.size - 1.001), np.float32(1.0), np.float32(floor)
    for row in range(height):
        row_offsets(row, (height, width), grid, offsets, lattice)
        z = min(max((row + 0.5) * zones / height - 0.5, 0.0), zones - 1.0)
        z0 = int(z)
        z1 = min(z0 + 1, zones - 1)
        strip[:] = profiles[z0] * np.float32(1 - (z - z0)) + profiles[z1] * np.float32(z - z0)
        for column in range(width):
            y = min(max((offsets[0, column] + reach) * scale, np.float32(0.0)), last)
            x = min(max((offsets[1, column] + reach) * scale, np.float32(0.0)), last)
            i, j = int(y), int(x)
            y -= np.float32(i)
            x -= np.float32(j)
            k = colors[2 * (row & 1) + (column & 1)]
            c = left[column]
            p, q = strip[c, k], strip[c + next_zone, k]
            s = share[column]
            upper = (p[i, j] * (one - s) + q[i, j] * s) * (one - x)
            upper += (p[i, j + 1] * (one - s) + q[i, j + 1] * s) * x
            lower = (p[i + 1, j] * (one - s) + q[i + 1, j] * s) * (one - x)
            lower += (p[i + 1, j + 1] * (one - s) + q[i + 1, j + 1] * s) * x
            total = max(upper * (one - y) + lower * y, least)
            if gains.size:
                r = lattice[1, column]
                total *= gains[k, r - first[0], lattice[0, column] + (r >> 1) - first[1]]
            response[row, column] = total
