"""Compiled passes that find the rays under lenslets and list them.

Arguments that both passes share: `light`, `response` of `RayLight`; `centers`, `turn` of
`LensletTable`; `radius`, the largest distance of a pixel from its lenslet's center; `kept`, which
diagonals of Bayer cells to use; `lenslets`, first and last + 1.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lfdfp.datatypes import FloatArray
from lfdfp.lenslets.kernels import half_width, span

_UNUSABLE = np.float32(-1.5)
"""Light below it marks missing and saturated pixels."""


@njit(inline="always")
def _quadrant(v: float, u: float) -> int:
    """Upper left 0, upper right 1, lower right 2, lower left 3."""
    if v <= 0:
        return 0 if u <= 0 else 1
    return 3 if u <= 0 else 2


@njit(cache=True, nogil=True)
def count_rays(
    light: FloatArray,
    response: FloatArray,
    centers: FloatArray,
    turn: FloatArray,
    radius: float,
    kept: NDArray[np.bool_],
    lenslets: tuple[int, int],
    counts: NDArray[np.int32],
) -> None:
    """Count the usable rays of each quadrant into `counts` (L, 4)."""
    height, width = light.shape
    for lens in range(lenslets[0], lenslets[1]):
        row0, column0 = centers[lens, 0], centers[lens, 1]
        for row in range(*span(row0, radius, height)):
            down = row - row0
            half = half_width(down, radius)
            for column in range(*span(column0, half, width)):
                if light[row, column] < _UNUSABLE or not kept[(row >> 1) + (column >> 1)]:
                    continue
                right = column - column0
                v = turn[0] * down - turn[1] * right
                u = turn[1] * down + turn[0] * right
                counts[lens, _quadrant(v, u)] += 1


@njit(cache=True, nogil=True)
def list_rays(
    light: FloatArray,
    response: FloatArray,
    centers: FloatArray,
    turn: FloatArray,
    radius: float,
    kept: NDArray[np.bool_],
    lenslets: tuple[int, int],
    reached: FloatArray,
    starts: NDArray[np.int32],
    direction: FloatArray,
    measured: FloatArray,
    cell: NDArray[np.uint8],
    farthest: FloatArray,
) -> None:
    """Write the rays of each quadrant, and how far they reach, to their places (`RayList`).

    reached
        Shape (H, W): slope of the last plane that the ray of a pixel can see.
    """
    height, width = light.shape
    places = np.zeros(4, np.int64)
    for lens in range(lenslets[0], lenslets[1]):
        row0, column0 = centers[lens, 0], centers[lens, 1]
        places[:] = starts[lens, :4]
        for row in range(*span(row0, radius, height)):
            down = row - row0
            half = half_width(down, radius)
            for column in range(*span(column0, half, width)):
                if light[row, column] < _UNUSABLE or not kept[(row >> 1) + (column >> 1)]:
                    continue
                right = column - column0
                v = turn[0] * down - turn[1] * right
                u = turn[1] * down + turn[0] * right
                quadrant = _quadrant(v, u)
                n = places[quadrant]
                places[quadrant] = n + 1
                direction[n, 0], direction[n, 1] = v, u
                measured[n, 0], measured[n, 1] = light[row, column], response[row, column]
                farthest[n] = reached[row, column]
                cell[n] = 2 * (row & 1) + (column & 1)
