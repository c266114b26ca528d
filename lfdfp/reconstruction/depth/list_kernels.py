"""Compiled passes that find the rays under lenslets and list them.

Arguments that both passes share: `rays` and `places` of `ray_kernels`; `kept`, shape (D,), which
diagonals of Bayer cells to use; `lenslets`, first and last + 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.datatypes import FloatArray
from lfdfp.lenslets.kernels import columns_within, direction, rows_within
from lfdfp.reconstruction.ray_kernels import LensletPlaces, RayArrays
from lfdfp.reconstruction.ray_marks import LEAST_MEASURED


class ListArrays(NamedTuple):
    """The arrays of a `RayList`.

    Attributes
    ----------
    starts
        Shape (L, 5), int32.
    direction, measured
        Shape (n, 2), float32.
    cell
        Shape (n,), uint8.
    farthest
        Shape (n,), float32.
    """

    starts: NDArray[np.int32]
    direction: FloatArray
    measured: FloatArray
    cell: NDArray[np.uint8]
    farthest: FloatArray


@njit(inline="always")
def _quadrant(v: float, u: float) -> int:
    """Upper left 0, upper right 1, lower right 2, lower left 3."""
    if v <= 0:
        return 0 if u <= 0 else 1
    return 3 if u <= 0 else 2


@njit(cache=True, nogil=True)
def count_rays(
    rays: RayArrays,
    places: LensletPlaces,
    kept: NDArray[np.bool_],
    lenslets: tuple[int, int],
    counts: NDArray[np.int32],
) -> None:
    """Count the usable rays of each quadrant into `counts` (L, 4), where `kept` (D,) says so."""
    light = rays.light
    centers, _, turn, radius = places
    for lens in range(lenslets[0], lenslets[1]):
        row0, column0 = centers[lens, 0], centers[lens, 1]
        for row in range(*rows_within(row0, radius, light.shape)):
            for column in range(*columns_within(column0, radius, row - row0, light.shape)):
                if light[row, column] < LEAST_MEASURED or not kept[(row >> 1) + (column >> 1)]:
                    continue
                v, u = direction(turn, row - row0, column - column0)
                counts[lens, _quadrant(v, u)] += 1


@njit(cache=True, nogil=True)
def list_rays(
    rays: RayArrays,
    places: LensletPlaces,
    kept: NDArray[np.bool_],
    lenslets: tuple[int, int],
    reached: FloatArray,
    listed: ListArrays,
) -> None:
    """Write the rays of each quadrant, and how far they reach, to their places in the list.

    Parameters
    ----------
    kept
        Shape (D,): as `count_rays` had it.
    reached
        Shape (H, W): slope of the last plane that the ray of a pixel can see.
    """
    light, response = rays.light, rays.response
    centers, _, turn, radius = places
    starts, directions, measured, cell, farthest = listed
    next_ray = np.zeros(4, np.int64)
    for lens in range(lenslets[0], lenslets[1]):
        row0, column0 = centers[lens, 0], centers[lens, 1]
        next_ray[:] = starts[lens, :4]
        for row in range(*rows_within(row0, radius, light.shape)):
            for column in range(*columns_within(column0, radius, row - row0, light.shape)):
                if light[row, column] < LEAST_MEASURED or not kept[(row >> 1) + (column >> 1)]:
                    continue
                v, u = direction(turn, row - row0, column - column0)
                quadrant = _quadrant(v, u)
                n = next_ray[quadrant]
                next_ray[quadrant] = n + 1
                directions[n, 0], directions[n, 1] = v, u
                measured[n, 0], measured[n, 1] = light[row, column], response[row, column]
                farthest[n] = reached[row, column]
                cell[n] = 2 * (row & 1) + (column & 1)
