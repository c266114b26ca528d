"""The list of the lenslets whose images lie on the sensor, for passes over its rays.

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
from lfdfp.lenslets.arrays import LensletArray


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
    lenslets = LensletArray.over(grid)
    centers = lenslets.centers_px
    inside = np.all((centers > -0.5) & (centers < np.array(grid.sensor_shape) - 0.5), axis=-1)
    q, r = (axis[inside] for axis in lenslets.coordinates())
    starts = np.flatnonzero(np.diff(r, prepend=r[0] - 1))
    return LensletTable(
        centers_px=centers[inside].astype(np.float32),
        lens_plane=np.stack([r * ROW_STEP_PITCHES, q + r / 2], axis=1),
        row_starts=np.append(starts, len(r)).astype(np.int64),
        row_positions=r[starts] * ROW_STEP_PITCHES,
        turn=grid.turn,
        pitch_px=grid.pitch_px,
    )
