"""Compiled loops over the pixels of a white image: gains of lenslets, deviations of pixels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from lfdfp.calibration.raw_codes import RawCodes
from lfdfp.calibration.response.offset_kernels import GridArrays, row_offsets
from lfdfp.datatypes import BoolArray, DoubleArray, FloatArray


class Deviations(NamedTuple):
    """What pixels differ by from profile times gain of their lenslet.

    Attributes
    ----------
    deviation
        Shape (H, W), float32: light / expected - 1.
    precision
        Shape (H, W), float32: inverse variance of the deviation.
    defective
        Shape (H, W): pixels that differ grossly.
    """

    deviation: FloatArray
    precision: FloatArray
    defective: BoolArray


class Tolerances(NamedTuple):
    """What a pixel may differ by, with the white level at 1.

    Attributes
    ----------
    read_variance, shot_gain
        Its noise.
    gross_share, gross_light
        Share of the expected light, and least light that it is taken of, beyond which a
        difference is a defect.
    """

    read_variance: float
    shot_gain: float
    gross_share: float
    gross_light: float


@njit(cache=True, nogil=True, inline="always")
def _share_of_white(codes: RawCodes, row: int, column: int, plane: int) -> float:
    black, white = codes.black[plane], codes.white[plane]
    return float((codes.mosaic[row, column] - black) / (white - black))


@njit(cache=True, nogil=True)
def lenslet_products(
    codes: RawCodes,
    profile: FloatArray,
    grid: GridArrays,
    first: tuple[int, int],
    sums: DoubleArray,
) -> None:
    """Add Σ light·profile and Σ profile² of every lenslet and color to `sums` (2, 3, R, X).

    Lenslet (q, r) is counted at ``[r - first[0], q + (r >> 1) - first[1]]``. Light is a share of
    the white level; `profile`, shape (H, W), is that of the lenslets at every pixel.
    """
    height, width = codes.mosaic.shape
    offsets, lattice = np.empty((2, width), np.float32), np.empty((2, width), np.int32)
    for row in range(height):
        row_offsets(row, (height, width), grid, offsets, lattice)
        for column in range(width):
            r = lattice[1, column]
            j, i = r - first[0], lattice[0, column] + (r >> 1) - first[1]
            plane = 2 * (row & 1) + (column & 1)
            p = profile[row, column]
            k = codes.colors[plane]
            sums[0, k, j, i] += _share_of_white(codes, row, column, plane) * p
            sums[1, k, j, i] += p * p


@njit(cache=True, nogil=True)
def pixel_deviations(
    codes: RawCodes,
    profile: FloatArray,
    grid: GridArrays,
    first: tuple[int, int],
    gains: FloatArray,
    tolerances: Tolerances,
    found: Deviations,
) -> None:
    """Compare every pixel with profile times gain of its lenslet.

    Parameters
    ----------
    profile
        Shape (H, W): of the lenslets at every pixel.
    gains, first
        Shape (3, R, X), see `lenslet_products`: light as a share of the white level.
    found
        Overwritten.
    """
    height, width = codes.mosaic.shape
    offsets, lattice = np.empty((2, width), np.float32), np.empty((2, width), np.int32)
    for row in range(height):
        row_offsets(row, (height, width), grid, offsets, lattice)
        for column in range(width):
            r = lattice[1, column]
            j, i = r - first[0], lattice[0, column] + (r >> 1) - first[1]
            plane = 2 * (row & 1) + (column & 1)
            expected = profile[row, column] * gains[codes.colors[plane], j, i]
            difference = _share_of_white(codes, row, column, plane) - expected
            noise = tolerances.read_variance + tolerances.shot_gain * expected
            least = tolerances.gross_share * max(expected, tolerances.gross_light)
            found.deviation[row, column] = difference / expected
            found.precision[row, column] = expected**2 / noise
            found.defective[row, column] = abs(difference) > least


@njit(cache=True, nogil=True)
def believed_gains(found: Deviations, variance: float, gain: FloatArray) -> None:
    """Fill `gain` (H, W): 1 + the share of the deviation that exceeds its noise; 0 at defects.

    Parameters
    ----------
    variance
        By how much the response of pixels really varies.
    """
    height, width = gain.shape
    for row in range(height):
        for column in range(width):
            share = variance / (variance + 1.0 / max(found.precision[row, column], 1e-6))
            believed = 1.0 + share * found.deviation[row, column]
            gain[row, column] = 0.0 if found.defective[row, column] else believed
