"""Compiled loops over sensor pixels and their offsets from the nearest lenslet's center."""

from __future__ import annotations

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
    basis, inverse = grid.basis, grid.inverse
    for column in range(width):
        x = (column - (width - 1) / 2) / (height / 2)
        moved_down = poly[0, 0] + x * (poly[0, 1] + x * (poly[0, 2] + x * poly[0, 3]))
        moved_right = poly[1, 0] + x * (poly[1, 1] + x * (poly[1, 2] + x * poly[1, 3]))
        down = row - grid.origin[0] - moved_down
        right = column - grid.origin[1] - moved_right
        q = inverse[0, 0] * down + inverse[0, 1] * right
        r = inverse[1, 0] * down + inverse[1, 1] * right
        whole_q, whole_r = np.floor(q), np.floor(r)
        q -= whole_q
        r -= whole_r
        best = 1e30
        # The nearest of the four corners of the lattice cell is the nearest lenslet of all.
        for a in range(2):
            for b in range(2):
                v = basis[0, 0] * (q - a) + basis[0, 1] * (r - b)
                u = basis[1, 0] * (q - a) + basis[1, 1] * (r - b)
                if v * v + u * u < best:
                    best = v * v + u * u
                    offsets[0, column] = v
                    offsets[1, column] = u
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
    for row in range(height):
        row_offsets(row, (height, width), grid, offsets, lattice)
        z = min(max((row + 0.5) * zones / height - 0.5, 0.0), zones - 1.0)
        z0 = int(z)
        z1 = min(z0 + 1, zones - 1)
        strip[:] = profiles[z0] * np.float32(1 - (z - z0)) + profiles[z1] * np.float32(z - z0)
        for column in range(width):
            c = min(max((column + 0.5) * zones / width - 0.5, 0.0), zones - 1.0)
            c0 = int(c)
            c1 = min(c0 + 1, zones - 1)
            y = min(max((offsets[0, column] + table.reach) / table.step, 0.0), table.size - 1.001)
            x = min(max((offsets[1, column] + table.reach) / table.step, 0.0), table.size - 1.001)
            i, j = int(y), int(x)
            y, x = y - i, x - j
            k = colors[2 * (row & 1) + (column & 1)]
            total = 0.0
            for zone, share in ((c0, 1 - (c - c0)), (c1, c - c0)):
                p = strip[zone, k]
                upper = p[i, j] * (1 - x) + p[i, j + 1] * x
                lower = p[i + 1, j] * (1 - x) + p[i + 1, j + 1] * x
                total += share * (upper * (1 - y) + lower * y)
            total = max(total, floor)
            if gains.size:
                q, r = lattice[0, column], lattice[1, column]
                total *= gains[k, r - first[0], q + (r >> 1) - first[1]]
            response[row, column] = total


@njit(cache=True, nogil=True)
def lenslet_products(
    image: FloatArray,
    profile: FloatArray,
    colors: NDArray[np.int64],
    grid: GridArrays,
    first: tuple[int, int],
    sums: DoubleArray,
) -> None:
    """Add Σ image·profile and Σ profile² of every lenslet and color to `sums` (2, 3, R, X).

    Lenslet (q, r) is counted at ``[r - first[0], q + (r >> 1) - first[1]]``.
    """
    height, width = image.shape
    offsets, lattice = np.empty((2, width), np.float32), np.empty((2, width), np.int32)
    for row in range(height):
        row_offsets(row, (height, width), grid, offsets, lattice)
        for column in range(width):
            q, r = lattice[0, column], lattice[1, column]
            j, i = r - first[0], q + (r >> 1) - first[1]
            k = colors[2 * (row & 1) + (column & 1)]
            p = profile[row, column]
            sums[0, k, j, i] += image[row, column] * p
            sums[1, k, j, i] += p * p
