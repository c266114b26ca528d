"""The table lists every lenslet whose image is on the sensor, once, row by row."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.datatypes import ROW_STEP_PITCHES, LensletGrid
from lfdfp.lenslets.table import LensletTable, lenslet_table

GRID = LensletGrid(
    origin_px=(60.2, 71.7),
    right_px=(0.11, 9.93),
    down_px=(8.55, 5.06),
    sensor_shape=(120, 144),
    distortion_px=np.random.default_rng(0).normal(0, 0.2, (2, 10)),
)


@pytest.fixture
def table() -> LensletTable:
    return lenslet_table(GRID)


def test_every_lenslet_on_the_sensor_is_there_once(table: LensletTable) -> None:
    q, r = (axis.ravel().astype(float) for axis in np.mgrid[-30:31, -30:31])
    row, column = GRID.centers(q, r)
    inside = (row > -0.5) & (row < 119.5) & (column > -0.5) & (column < 143.5)
    expected = np.stack([row[inside], column[inside]], axis=1)
    assert len(table.centers_px) == inside.sum()
    found = table.centers_px[np.lexsort(table.centers_px.T)]
    np.testing.assert_allclose(found, expected[np.lexsort(expected.T)], atol=1e-4)


def test_places_in_the_lens_plane_are_those_of_the_lattice(table: LensletTable) -> None:
    y, x = table.lens_plane.T
    r = y / ROW_STEP_PITCHES
    np.testing.assert_allclose(r, np.rint(r), atol=1e-9)
    np.testing.assert_allclose(GRID.centers(x - r / 2, r).T, table.centers_px, atol=1e-4)


def test_rows_follow_each_other_and_cover_the_list(table: LensletTable) -> None:
    assert table.of_rows(0, table.rows) == (0, len(table.centers_px))
    for row in range(table.rows):
        first, last = table.of_rows(row, row + 1)
        np.testing.assert_allclose(table.lens_plane[first:last, 0], table.row_positions[row])
        assert np.all(np.diff(table.lens_plane[first:last, 1]) > 0)
    assert np.all(np.diff(table.row_positions) > 0)


def test_what_is_selected_stays_in_its_row(table: LensletTable) -> None:
    chosen = np.random.default_rng(1).random(len(table.centers_px)) < 0.3
    some = table.selected(chosen)
    np.testing.assert_array_equal(some.centers_px, table.centers_px[chosen])
    assert some.rows == table.rows
    for row in range(some.rows):
        first, last = some.of_rows(row, row + 1)
        np.testing.assert_allclose(some.lens_plane[first:last, 0], table.row_positions[row])
