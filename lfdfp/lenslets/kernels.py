"""The pixels of one lenslet's image, and their directions: for all compiled passes over raw rays.

A pass over the pixels of a lenslet reads ::

    for row, first, last in image_rows(center_row, center_column, radius, light.shape):
        down = row - center_row
        for column in range(first, last):
            right = column - center_column

A generator of rows costs nothing that can be measured; one of pixels costs a light pass a third.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numba import njit


@njit(nogil=True)
def image_rows(
    center_row: Any, center_column: Any, radius: Any, shape: Any
) -> Iterator[tuple[int, int, int]]:
    """Rows of the pixels within `radius` of a center: (row, first column, last column + 1).

    Parameters
    ----------
    center_row, center_column, radius
        In pixels; whole numbers are the middles of pixels.
    shape
        (H, W) of the sensor: what lies outside is left out.
    """
    height, width = shape
    for row in range(
        max(0, int(np.ceil(center_row - radius))),
        min(height, int(np.floor(center_row + radius)) + 1),
    ):
        down = row - center_row
        half = np.sqrt(max(radius * radius - down * down, np.float32(0.0)))
        yield (
            row,
            max(0, int(np.ceil(center_column - half))),
            min(width, int(np.floor(center_column + half)) + 1),
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
