"""Compiled sums over small round spots of the mosaic."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.calibration.raw_codes import RawCodes
from lfdfp.datatypes import DoubleArray
from lfdfp.lenslets.kernels import columns_within, rows_within


@njit(cache=True, nogil=True)
def sum_spots(
    codes: RawCodes,
    places: DoubleArray,
    block: NDArray[np.int64],
    radius: float,
    sums: DoubleArray,
    counts: DoubleArray,
) -> None:
    """Add up the raw codes within `radius` of places (N, 2), by Bayer plane.

    Parameters
    ----------
    block
        Shape (N,): which row of the sums a place belongs to.
    sums, counts
        Shape (blocks, 4), added to; the count is infinite where a pixel is saturated.
    """
    shape = codes.mosaic.shape
    for n in range(len(places)):
        for row in range(*rows_within(places[n, 0], radius, shape)):
            down = row - places[n, 0]
            for column in range(*columns_within(places[n, 1], radius, down, shape)):
                plane = 2 * (row & 1) + (column & 1)
                code = codes.mosaic[row, column]
                sums[block[n], plane] += code
                counts[block[n], plane] += 1.0 if code < codes.saturated[plane] else np.inf
