"""The square grid, finer than the views, on which rays are reconstructed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lfdfp.datatypes import (
    DoubleArray,
    FloatArray,
    ViewSampling,
)
from lfdfp.lenslets.table import LensletTable

FINEST = 4
"""Pixels of the finest grid that rays are fitted on, per pixel of a view along each axis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FineGrid:
    """A square grid k times finer than the views, with a margin for the rays at the border.

    Attributes
    ----------
    sampling
        Of the views that the grid divides.
    k
        Fine pixels per view pixel along each axis.
    margin
        Fine pixels added on every side.
    """

    sampling: ViewSampling
    k: int
    margin: int

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns), margins included."""
        t, s = self.sampling.shape
        return self.k * t + 2 * self.margin, self.k * s + 2 * self.margin

    @property
    def pixels_per_pitch(self) -> float:
        """Fine pixels per lenslet pitch."""
        return self.k / self.sampling.step_pitch

    @property
    def slope_scale(self) -> float:
        """Factor from disparity (view pixels per angular step) to fine pixels per raw pixel."""
        return self.k / self.sampling.angular_step_px

    def positions(self, lens_plane: DoubleArray) -> DoubleArray:
        """Fine (row, column) of points `lens_plane` (y, x) in pitches; both of shape (..., 2)."""
        origin = np.asarray(self.sampling.origin_pitch)
        coarse = (lens_plane - origin) / self.sampling.step_pitch
        return np.asarray((coarse + 0.5) * self.k - 0.5 + self.margin)

    def tile(self, rows: slice, columns: slice) -> FineGrid:
        """The part of this grid between the rows and columns, which k must divide."""
        height, width = rows.stop - rows.start, columns.stop - columns.start
        shift = (np.array([rows.start, columns.start]) - self.margin + 0.5) / self.k - 0.5
        shift += 0.5 - 0.5 / self.k
        origin = np.asarray(self.sampling.origin_pitch) + self.sampling.step_pitch * shift
        sampling = replace(
            self.sampling,
            origin_pitch=(float(origin[0]), float(origin[1])),
            shape=(height // self.k, width // self.k),
        )
        return FineGrid(sampling=sampling, k=self.k, margin=0)

    def rows_of(self, lenslets: LensletTable) -> DoubleArray:
        """Fine row of every lattice row, shape (R,), in fine pixels."""
        y = lenslets.row_positions
        return self.positions(np.stack([y, np.zeros_like(y)], axis=-1))[:, 0]

    def inner(self, picture: FloatArray) -> FloatArray:
        """Drop the margin of a `picture` (Y, X, ...): shape (kT, kS, ...)."""
        m = self.margin
        return picture[m : picture.shape[0] - m, m : picture.shape[1] - m]
