"""Laws of the ray observation: adjoint, normal stencil, bands, tiles."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.evaluation.adjoint import dot_test
from lfdfp.reconstruction.observation import RayObservation, RayWeighting
from lfdfp.reconstruction.ray_marks import SATURATION_OFFSET
from tests.factories.rays import observation, picture


def used(observation: RayObservation) -> np.ndarray:
    """Where a ray touches the grid."""
    return observation.forward(np.ones((3, *observation.grid.shape), np.float32)) > 0


def test_forward_and_adjoint_agree() -> None:
    rays, rng = observation(), np.random.default_rng(2)
    picture_shape, ray_shape = (3, *rays.grid.shape), rays.slopes.shape
    assert dot_test(rays.forward, rays.adjoint, picture_shape, ray_shape, rng) < 1e-6


def test_the_footprint_is_its_own_adjoint() -> None:
    rays, rng = observation(), np.random.default_rng(3)
    shape = (3, *rays.grid.shape)
    assert dot_test(rays.blur, rays.blur, shape, shape, rng) < 1e-6


def test_the_stencil_is_the_normal_operator() -> None:
    rays = observation()
    weighting = RayWeighting(model_error=0.0, outlier_error=0.0, robustness=1e30)
    dark = np.zeros((3, *rays.grid.shape), np.float32)
    equations = rays.normal_equations(dark, weighting)
    light = rays.light
    weight = light.response**2 / (20.0 * (1 / 4000) ** 2)
    x = picture(rays)
    direct = rays.adjoint((weight * rays.forward(x)).astype(np.float32))
    stencil = rays.normal(equations, x)
    np.testing.assert_allclose(stencil, direct, rtol=2e-4, atol=1e-4 * direct.max())
    moment = rays.adjoint(np.where(used(rays), weight * light.light, 0).astype(np.float32))
    found = rays.blur(equations.moment)
    np.testing.assert_allclose(found, moment, rtol=2e-4, atol=1e-4 * moment.max())


def test_bands_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    rays = observation()
    x = picture(rays)
    whole = rays.normal_equations(x, RayWeighting())
    one = rays.normal(whole, x)
    monkeypatch.setattr("lfdfp.computing.bands._ROWS_PER_BAND", 7)
    banded = rays.normal_equations(x, RayWeighting())
    np.testing.assert_array_equal(banded.stencil, whole.stencil)
    np.testing.assert_array_equal(banded.moment, whole.moment)
    np.testing.assert_array_equal(rays.normal(banded, x), one)


def test_a_tile_sees_what_the_whole_sees() -> None:
    rays = observation()
    rows, columns = slice(8, 32), slice(12, 36)
    tile = rays.on_grid(rays.grid.tile(rows, columns))
    assert tile.grid.shape == (24, 24)
    assert 0 < len(tile.bundle.places.origins) < len(rays.bundle.places.origins)
    np.testing.assert_allclose(
        tile.bundle.places.origins + np.array([rows.start, columns.start]),
        rays.grid.positions(tile.bundle.lenslets.lens_plane),
        atol=1e-3,
    )


def test_saturated_rays_bound_from_below() -> None:
    rays = observation(slope=0.0)
    rays.light.light[...] = SATURATION_OFFSET - np.float32(0.6)
    bright = np.full((3, *rays.grid.shape), 0.9, np.float32)
    assert not rays.normal_equations(bright, RayWeighting()).moment.any()
    dim = np.full_like(bright, 0.3)
    assert rays.normal_equations(dim, RayWeighting()).moment.any()
