"""Lenslets are where their array says, and none on the sensor is missing."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.datatypes import LensletGrid
from lfdfp.decoding.views import lenslets_around
from lfdfp.lenslets.arrays import LensletArray, lenslet_frame
from lfdfp.lenslets.table import lenslet_table
from lfdfp.lenslets.view_sampling import default_view_sampling


@pytest.fixture(scope="module")
def grid() -> LensletGrid:
    """Turned by three degrees and distorted."""
    cos, sin = 9.93 * np.cos(0.05), 9.93 * np.sin(0.05)
    half, high = 0.5, np.sqrt(3) / 2
    distortion = np.zeros((2, 10))
    distortion[0, 6], distortion[1, 9] = 0.4, -0.3
    return LensletGrid(
        origin_px=(101.3, 119.6),
        right_px=(sin, cos),
        down_px=(half * sin + high * cos, half * cos - high * sin),
        sensor_shape=(200, 240),
        distortion_px=distortion,
    )


def test_every_lenslet_is_at_its_place(grid: LensletGrid) -> None:
    lenslets = LensletArray.over(grid)
    q, r = lenslets.coordinates()
    np.testing.assert_array_equal(np.moveaxis(lenslets.centers_px, -1, 0), grid.centers(q, r))
    first, shape = lenslet_frame(grid)
    assert lenslets.first == first
    assert q.shape == shape
    row, column = np.indices(shape)
    np.testing.assert_array_equal(row, r - first[0])
    np.testing.assert_array_equal(column, q + (r.astype(int) >> 1) - first[1])


def test_the_table_lists_the_lenslets_on_the_sensor_row_by_row(grid: LensletGrid) -> None:
    table = lenslet_table(grid)
    r, q = (a.ravel() for a in np.meshgrid(*[np.arange(-60.0, 60.0)] * 2, indexing="ij"))
    every = grid.centers(q, r).T
    inside = ((every > -0.5) & (every < np.array(grid.sensor_shape) - 0.5)).all(axis=1)
    np.testing.assert_allclose(table.centers_px, every[inside], atol=1e-4)
    np.testing.assert_array_equal(
        np.diff(table.row_starts), np.unique(r[inside], return_counts=True)[1]
    )


def test_samples_of_views_have_their_lenslets_around_them(grid: LensletGrid) -> None:
    sampling = default_view_sampling(grid)
    lenslets = lenslets_around(grid, sampling)
    q, r = lenslets.coordinates()
    x, y = q + r / 2, r * np.sqrt(3) / 2
    np.testing.assert_allclose(x[:, 0], lenslets.first_x, atol=1e-6)
    bottom = sampling.origin_pitch[0] + np.sqrt(3) / 2 * (sampling.shape[0] - 1)
    right = sampling.origin_pitch[1] + sampling.step_pitch * (sampling.shape[1] - 1)
    assert y[0, 0] < sampling.origin_pitch[0] - 1
    assert y[-1, 0] > bottom + 1
    assert x[:, 0].max() < sampling.origin_pitch[1] - 2
    assert x[:, -1].min() > right + 2
