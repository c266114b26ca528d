"""Where the pixels of the fine grid lie."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.datatypes import ViewSampling
from lfdfp.reconstruction.fine_grid import FineGrid

SAMPLING = ViewSampling(origin_pitch=(3.0, -2.0), shape=(12, 16))


def grid(k: int = 4, margin: int = 8) -> FineGrid:
    return FineGrid(sampling=SAMPLING, k=k, margin=margin)


@pytest.mark.parametrize("k", [1, 2, 4])
def test_a_view_pixel_is_the_middle_of_its_fine_pixels(k: int) -> None:
    at = np.array(SAMPLING.origin_pitch) + SAMPLING.step_pitch * np.array([5, 7])
    found = grid(k).positions(at)
    np.testing.assert_allclose(found, 8 + k * np.array([5, 7]) + (k - 1) / 2)


def test_shape_and_inner_leave_the_margin_out() -> None:
    one = grid()
    assert one.shape == (12 * 4 + 16, 16 * 4 + 16)
    assert one.inner(np.zeros(one.shape)).shape == (48, 64)


def test_a_tile_is_a_part_of_the_grid() -> None:
    one = grid()
    tile = one.tile(slice(16, 32), slice(8, 40))
    points = np.random.default_rng(0).uniform(0, 20, (9, 2))
    np.testing.assert_allclose(
        tile.positions(points) + np.array([16, 8]), one.positions(points), atol=1e-9
    )
    assert tile.shape == (16, 32)


def test_a_pixel_of_disparity_per_step_moves_as_far_on_every_grid() -> None:
    assert grid(4).slope_scale == pytest.approx(4 * grid(1).slope_scale)
    assert grid(4).pixels_per_pitch == pytest.approx(4 / SAMPLING.step_pitch)
