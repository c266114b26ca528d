"""The pixels of one lenslet's image, and their directions: for all compiled passes over raw rays.

A pass over the pixels of a lenslet reads ::

    for row in range(*rows_within(center_row, radius, light.shape)):
        down = row - center_row
        for column in range(*columns_within(center_column, radius, down, light.shape)):
            right = column - center_column

Generators would read shorter, but cost light passes time: 2 to 6 % if they give rows, a third if
they give pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(inline="always")
def rows_within(center_row: Any, radius: Any, shape: Any) -> tuple[int, int]:
    """First and last + 1 of the sensor's rows within `radius` of a center.

    Parameters
    ----------
    center_row, radius
        In pixels; whole numbers are the middles of pixels.
    shape
        (H, W) of the sensor: what lies outside is left out.
    """
    return (
        max(0, int(np.ceil(center_row - radius))),
        min(shape[0], int(np.floor(center_row + radius)) + 1),
    )


@njit(inline="always")
def columns_within(center_column: Any, radius: Any, down: Any, shape: Any) -> tuple[int, int]:
    """First and last + 1 of the pixels within `radius` of a center, in a row `down` from it.

    Parameters
    ----------
    center_column, radius, shape
        As in `rows_within`.
    """
    half = np.sqrt(max(radius * radius - down * down, np.float32(0.0)))
    return (
        max(0, int(np.ceil(center_column - half))),
        min(shape[1], int(np.floor(center_column + half)) + 1),
    )


@njit(inline="always")
def direction(turn: Any, down: Any, right: Any) -> Any:
    """Direction (v, u), in pixels, of a pixel's offset from its lenslet's center on the sensor.

    Parameters
    ----------
    turn
        (cos, sin) of the lattice's rotation (`LensletTable.turn`).
    """
    return turn[0] * down - turn[1] * right, turn[1] * down + turn[0] * right
