"""All lenslets of a grid as rectangular arrays, row by row of the lattice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lfdfp.datatypes import ROW_STEP_PITCHES, DoubleArray, LensletGrid

_MARGIN = 3


def lenslet_frame(grid: LensletGrid) -> tuple[tuple[int, int], tuple[int, int]]:
    """First index and shape of an array over all lenslets, with a margin.

    Lenslet (q, r) is at ``[r - first[0], q + (r >> 1) - first[1]]``.
    """
    height, width = grid.sensor_shape
    corners = np.array([[0, 0, height, height], [0, width, 0, width]], np.float64)
    q, r = grid.lattice_coordinates(corners[0], corners[1])
    x = q + r / 2
    first = int(np.floor(r.min())) - _MARGIN, int(np.floor(x.min())) - _MARGIN - 1
    last = int(np.ceil(r.max())) + _MARGIN, int(np.ceil(x.max())) + _MARGIN + 1
    return first, (last[0] - first[0] + 1, last[1] - first[1] + 1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LensletArray:
    """Lenslets of a grid in the frame of `lenslet_frame`.

    Attributes
    ----------
    centers_px
        Shape (R, X, 2); some lie outside the sensor.
    first
        See `lenslet_frame`.
    """

    grid: LensletGrid
    centers_px: DoubleArray
    first: tuple[int, int]

    @classmethod
    def over(cls, grid: LensletGrid) -> LensletArray:
        """All lenslets whose images touch the sensor, and a margin."""
        first, (rows, columns) = lenslet_frame(grid)
        r = (np.arange(rows) + first[0])[:, None]
        q = (np.arange(columns) + first[1])[None, :] - (r >> 1)
        centers = grid.centers(q.astype(np.float64), (r + 0 * q).astype(np.float64))
        centers = np.ascontiguousarray(np.moveaxis(centers, 0, -1))
        return cls(grid=grid, centers_px=centers, first=first)

    def field_positions(self) -> DoubleArray:
        """Shape (R, X, 2): centers from the sensor's middle, in half diagonals."""
        middle = (np.array(self.grid.sensor_shape) - 1) / 2
        return np.asarray((self.centers_px - middle) / self._half_diagonal())

    def step_field(self) -> DoubleArray:
        """Shape (2, 2): change of the field position per pitch down and right in the lens plane."""
        right = np.array(self.grid.right_px)
        down = (np.array(self.grid.down_px) - right / 2) / ROW_STEP_PITCHES
        return np.stack([down, right]) / self._half_diagonal()

    def _half_diagonal(self) -> float:
        return float(np.hypot(*self.grid.sensor_shape)) / 2
