"""Sub-aperture views from the sensor's light: lens centers, directions, hexagonal to square."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lfdfp.datatypes import (
    ROW_STEP_PITCHES,
    FloatArray,
    LensletGrid,
    ViewSampling,
)

_MARGIN_LENSLETS = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LensletTable:
    """The lenslets that a sampling of views draws on, one row of the table per lenslet row.

    Attributes
    ----------
    first_r
        Lattice coordinate r of the first row.
    first_q
        Shape (rows,): lattice coordinate q of the first lenslet of each row.
    centers_px
        Shape (2, rows, columns): (row, column) of the image centers.
    """

    first_r: int
    first_q: np.ndarray[tuple[int, ...], np.dtype[np.int64]]
    centers_px: FloatArray

    @property
    def first_x(self) -> FloatArray:
        """Shape (rows,): position x of each row's first lenslet in the lens plane, in pitches."""
        r = self.first_r + np.arange(len(self.first_q))
        return (self.first_q + r / 2).astype(np.float32)


def lenslet_table(grid: LensletGrid, sampling: ViewSampling) -> LensletTable:
    """The lenslets around the samples of `sampling`, with a margin of three on every side."""
    rows, columns = sampling.shape
    y, x = sampling.origin_pitch
    first_r = round(y / ROW_STEP_PITCHES)
    r = first_r + np.arange(rows)
    first_q = np.ceil(x - r / 2).astype(np.int64) - _MARGIN_LENSLETS
    count = int(columns * sampling.step_pitch) + 2 * _MARGIN_LENSLETS + 2
    q = (first_q[:, None] + np.arange(count)).astype(np.float64)
    r_of_all = np.broadcast_to(r[:, None].astype(np.float64), q.shape)
    centers = grid.centers(q, r_of_all).astype(np.float32)
    return LensletTable(first_r=first_r, first_q=first_q, centers_px=centers)


def view_offsets_px(grid: LensletGrid, sampling: ViewSampling, size: int) -> FloatArray:
    """Shape (size, size, 2): (row, column) on the sensor from a lens center to each view's ray."""
    steps = sampling.angular_step_px * (np.arange(size) - size // 2)
    v, u = np.meshgrid(steps, steps, indexing="ij")
    sine, cosine = np.sin(grid.rotation_rad), np.cos(grid.rotation_rad)
    return np.stack([v * cosine + u * sine, u * cosine - v * sine], axis=-1).astype(np.float32)


def angular_size(grid: LensletGrid, sampling: ViewSampling) -> int:
    """Odd number of views whose rays lie within the lens image along both axes."""
    return 2 * int(0.495 * grid.pitch_px / sampling.angular_step_px) + 1
