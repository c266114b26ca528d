"""Compiled loops over the pixels of a white image: gains of lenslets, deviations of pixels."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.calibration.response.offset_kernels import GridArrays, row_offsets
from lfdfp.datatypes import BoolArray, CodeArray, DoubleArray, FloatArray


@njit(cache=True, nogil=True)
def lenslet_products(
    mosaic: CodeArray,
    levels: DoubleArray,
    profile: FloatArray,
    colors: NDArray[np.int64],
    grid: GridArrays,
    first: tuple[int, int],
    sums: DoubleArray,
) -> None:
    """Add Σ light·profile and Σ profile² of every lenslet and color to `sums` (2, 3, R, X).

    Lenslet (q, r) is counted at ``[r - first[0], q + (r >> 1) - first[1]]``. Light is a share of
    the white level; `levels`, shape (4, 2), are black and white of the Bayer planes.
    """
    height, width = mosaic.shape
    offsets, lattice = np.empty((2, width), np.float32), np.empty((2, width), np.int32)
    for row in range(height):
        row_offsets(row, (height, width), grid, offsets, lattice)
        for column in range(width):
            r = lattice[1, column]
            j, i = r - first[0], lattice[0, column] + (r >> 1) - first[1]
            plane = 2 * (row & 1) + (column & 1)
            black, white = levels[plane, 0], levels[plane, 1]
            p = profile[row, column]
            k = colors[plane]
            sums[0, k, j, i] += (mosaic[row, column] - black) / (white - black) * p
            sums[1, k, j, i] += p * p


@njit(cache=True, nogil=True)
def pixel_deviations(
    mosaic: CodeArray,
    levels: DoubleArray,
    profile: FloatArray,
    colors: NDArray[np.int64],
    grid: GridArrays,
    first: tuple[int, int],
    gains: FloatArray,
    noise: tuple[float, float],
    gross: tuple[float, float],
    deviation: FloatArray,
    precision: FloatArray,
    defective: BoolArray,
) -> None:
    """Compare every pixel with profile times gain of its lenslet.

    Parameters
    ----------
    gains
        Shape (3, R, X), see `lenslet_products`: light as a share of the white level.
    noise
        Read variance and shot gain with the white level at 1.
    gross
        Share of the expected light, and least light that it is taken of, beyond which a
        difference is a defect.
    deviation, precision, defective
        Shape (H, W), overwritten: light / expected - 1, its inverse variance, defects.
    """
    height, width = mosaic.shape
    offsets, lattice = np.empty((2, width), np.float32), np.empty((2, width), np.int32)
    for row in range(height):
        row_offsets(row, (height, width), grid, offsets, lattice)
        for column in range(width):
            r = lattice[1, column]
            j, i = r - first[0], lattice[0, column] + (r >> 1) - first[1]
            plane = 2 * (row & 1) + (column & 1)
            black, white = levels[plane, 0], levels[plane, 1]
            light = (mosaic[row, column] - black) / (white - black)
            expected = profile[row, column] * gains[colors[plane], j, i]
            difference = light - expected
            deviation[row, column] = difference / expected
            precision[row, column] = expected**2 / (noise[0] + noise[1] * expected)
            defective[row, column] = abs(difference) > gross[0] * max(expected, gross[1])


@njit(cache=True, nogil=True)
def believed_gains(
    deviation: FloatArray,
    precision: FloatArray,
    defective: BoolArray,
    variance: float,
    gain: FloatArray,
) -> None:
    """Fill `gain` with 1 + the share of the deviation that exceeds its noise; 0 at defects."""
    height, width = deviation.shape
    for row in range(height):
        for column in range(width):
            share = variance / (variance + 1.0 / max(precision[row, column], 1e-6))
            believed = 1.0 + share * deviation[row, column]
            gain[row, column] = 0.0 if defective[row, column] else believed
