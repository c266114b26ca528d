"""Which lenslets' rays can touch a band, and what kernels are given."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.factories.rays import observation


@pytest.mark.parametrize("steepest", [0.0, 1.5])
def test_a_band_has_all_lenslets_whose_rays_can_touch_it(steepest: float) -> None:
    bundle = observation().bundle
    places = bundle.places
    for first, last in ((0, 9), (20, 31), (40, bundle.grid.shape[0])):
        band = bundle.band(first, last, steepest)
        row = places.origins[:, 0]
        reach = steepest * bundle.radius_px + 1
        touching = np.flatnonzero((row > first - reach) & (row < last - 1 + reach))
        assert band.rows == (first, last)
        assert band.lenslets[0] <= touching.min()
        assert touching.max() < band.lenslets[1]


def test_errors_of_the_model_add_to_relative_noise() -> None:
    bundle = observation().bundle
    plain, more = bundle.rays().terms, bundle.rays(0.1).terms
    np.testing.assert_allclose(more[..., 2] - plain[..., 2], 0.01, rtol=1e-5)
    np.testing.assert_array_equal(more[..., :2], plain[..., :2])


def test_a_smaller_radius_leaves_rays_out() -> None:
    rays = observation()
    ones = np.ones((3, *rays.grid.shape), np.float32)
    inner = rays.within(0.5 * rays.bundle.radius_px).forward(ones) > 0
    every = rays.forward(ones) > 0
    assert 0 < inner.sum() < 0.5 * every.sum()
    assert not (inner & ~every).any()
    assert dataclasses.replace(rays.bundle, radius_px=1.0).places.radius == 1
