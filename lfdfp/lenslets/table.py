"""The list of a sensor's lenslets.

Every sensor pixel near a lenslet's center is one ray, whose geometry follows from the lenslet: a
table of lenslets (a hundred thousand rows) is kept, a table of rays (tens of millions) is not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lfdfp.datatypes import (
    ROW_STEP_PITCHES,
    BoolArray,
    DoubleArray,
    FloatArray,
    LensletGrid,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LensletTable:
    """All lenslets whose images lie on the sensor, sorted by lattice row, then along the row.

    Attributes
    ----------
    centers_px
        Shape (L, 2), float32: (row, column) of the image centers on the sensor.
    lens_plane
        Shape (L, 2): (y, x) in the lens plane, in pitches.
    row_starts
        Shape (R + 1,): first lenslet of every lattice row, and L.
    row_positions
        Shape (R,): y of every lattice row in the lens plane, in pitches.
    turn
        (cos, sin) of the lattice's rotation: a pixel offset (down, right) on the sensor has the
        direction ``v = cos down - sin right``, ``u = sin down + cos right``.
    pitch_px
        Distance between neighboring lenslets on the sensor.
    """

    centers_px: FloatArray
    lens_plane: DoubleArray
    row_starts: np.ndarray[tuple[int], np.dtype[np.int64]]
    row_positions: DoubleArray
    turn: tuple[float, float]
    pitch_px: float

    @property
    def rows(self) -> int:
        """Number of lattice rows R."""
        return len(self.row_starts) - 1

    def of_rows(self, first: int, last: int) -> tuple[int, int]:
        """First and last + 1 lenslet of the lattice rows `first` to `last` - 1."""
        return int(self.row_starts[first]), int(self.row_starts[last])

    def selected(self, chosen: BoolArray) -> LensletTable:
        """Only the lenslets that a mask of shape (L,) names; every lattice row stays."""
        counts = np.concatenate([[0], np.cumsum(chosen)])
        return replace(
            self,
            centers_px=self.centers_px[chosen],
            lens_plane=self.lens_plane[chosen],
            row_starts=counts[self.row_starts].astype(np.int64),
            row_positions=self.row_positions,
        )


def lenslet_table(grid: LensletGrid) -> LensletTable:
    """List the lenslets whose image centers lie on the sensor, in a fixed order."""
    height, width = grid.sensor_shape
    corners = np.array([[-0.5, -0.5, height - 0.5, height - 0.5], [-0.5, width - 0.5] * 2])
    q_corner, r_corner = grid.lattice_coordinates(corners[0], corners[1])
    r = np.arange(np.floor(r_corner.min()) - 1, np.ceil(r_corner.max()) + 2)
    q = np.arange(np.floor(q_corner.min()) - 1, np.ceil(q_corner.max()) + 2)
    rr, qq = (axis.ravel() for axis in np.meshgrid(r, q, indexing="ij"))
    centers = grid.centers(qq, rr).T
    inside = np.all((centers > -0.5) & (centers < np.array([height, width]) - 0.5), axis=1)
    rr, qq = rr[inside], qq[inside]
    starts = np.flatnonzero(np.diff(rr, prepend=rr[0] - 1))
    return LensletTable(
        centers_px=centers[inside].astype(np.float32),
        lens_plane=np.stack([rr * ROW_STEP_PITCHES, qq + rr / 2], axis=1),
        row_starts=np.append(starts, len(rr)).astype(np.int64),
        row_positions=rr[starts] * ROW_STEP_PITCHES,
        turn=grid.turn,
        pitch_px=grid.pitch_px,
    )
