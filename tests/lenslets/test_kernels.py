"""Laws of the loop over a lenslet's pixels."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.lenslets.kernels import columns_within, direction, rows_within

SHAPE = (20, 30)


@pytest.mark.parametrize(
    "center", [(9.3, 14.8), (0.4, 1.2), (19.2, 28.9), (-2.0, 10.0), (8.0, 8.0)]
)
def test_it_visits_the_pixels_within_the_radius_once_row_by_row(
    center: tuple[float, float],
) -> None:
    radius = 4.3
    visited = [
        (row, column)
        for row in range(*rows_within(center[0], radius, SHAPE))
        for column in range(*columns_within(center[1], radius, row - center[0], SHAPE))
    ]
    rows, columns = np.indices(SHAPE)
    near = np.hypot(rows - center[0], columns - center[1]) <= radius
    assert visited == [tuple(place) for place in np.argwhere(near).tolist()]


def test_directions_turn_with_the_lattice() -> None:
    angle = 0.1
    turn = (np.cos(angle), np.sin(angle))
    v, u = direction(turn, np.sin(angle), np.cos(angle))
    assert (v, u) == pytest.approx((0.0, 1.0))
