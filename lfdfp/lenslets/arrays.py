"""The lenslets of a grid in a rectangular array, row by row of the lattice.

Calibration, decoding and simulation keep one value (or one picture) per lenslet in such arrays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lfdfp.datatypes import ROW_STEP_PITCHES, DoubleArray, FloatArray, LensletGrid

_ROWS_BEYOND = 3
_COLUMNS_BEYOND = 4


def lenslet_frame(
    grid: LensletGrid, *, columns_beyond: int = _COLUMNS_BEYOND
) -> tuple[tuple[int, int], tuple[int, int]]:
    """First index and shape of an array over all lenslets whose images touch the sensor.

    Lenslet (q, r) is at ``[r - first[0], q + (r >> 1) - first[1]]``.

    Parameters
    ----------
    columns_beyond
        Lenslets that the array reaches beyond the sensor to the left and to the right.
    """
    height, width = grid.sensor_shape
    corners = np.array([[0, 0, height, height], [0, width, 0, width]], np.float64)
    q, r = grid.lattice_coordinates(corners[0], corners[1])
    x = q + r / 2
    first = int(np.floor(r.min())) - _ROWS_BEYOND, int(np.floor(x.min())) - columns_beyond
    last = int(np.ceil(r.max())) + _ROWS_BEYOND, int(np.ceil(x.max())) + columns_beyond
    return first, (last[0] - first[0] + 1, last[1] - first[1] + 1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LensletArray:
    """R rows of X lenslets each.

    Attributes
    ----------
    first_r
        Lattice row r of row 0.
    first_q
        Shape (R,): lattice coordinate q of the first lenslet of each row.
    centers_px
        Shape (R, X, 2): (row, column) of the image centers; some lie outside the sensor.
    """

    grid: LensletGrid
    first_r: int
    first_q: NDArray[np.int64]
    centers_px: DoubleArray

    @classmethod
    def over(cls, grid: LensletGrid, *, columns_beyond: int = _COLUMNS_BEYOND) -> LensletArray:
        """All lenslets whose images touch the sensor, and a margin, as `lenslet_frame` has it."""
        first, (rows, columns) = lenslet_frame(grid, columns_beyond=columns_beyond)
        first_q = first[1] - ((first[0] + np.arange(rows)) >> 1)
        return cls.of_rows(grid, first[0], first_q, columns)

    @classmethod
    def of_rows(
        cls, grid: LensletGrid, first_r: int, first_q: NDArray[np.int64], columns: int
    ) -> LensletArray:
        """As many `columns` of lenslets from the first one of every row, `first_q` (rows,), on."""
        q, r = _coordinates(first_r, first_q, columns)
        centers = np.ascontiguousarray(np.moveaxis(grid.centers(q, r), 0, -1))
        return cls(grid=grid, first_r=first_r, first_q=first_q, centers_px=centers)

    @property
    def first(self) -> tuple[int, int]:
        """Of an array made by `over`: see `lenslet_frame`."""
        return self.first_r, int(self.first_q[0]) + (self.first_r >> 1)

    @property
    def first_x(self) -> FloatArray:
        """Shape (R,): position x of each row's first lenslet in the lens plane, in pitches."""
        r = self.first_r + np.arange(len(self.first_q))
        return (self.first_q + r / 2).astype(np.float32)

    def coordinates(self) -> tuple[DoubleArray, DoubleArray]:
        """Lattice coordinates q and r, shape (R, X) each."""
        return _coordinates(self.first_r, self.first_q, self.centers_px.shape[1])

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


def _coordinates(
    first_r: int, first_q: NDArray[np.int64], columns: int
) -> tuple[DoubleArray, DoubleArray]:
    q = (first_q[:, None] + np.arange(columns)).astype(np.float64)
    r = (first_r + np.arange(len(first_q)))[:, None].astype(np.float64)
    return q, np.broadcast_to(r, q.shape)
