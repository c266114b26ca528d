"""Laws of the ray observation: adjoint, normal stencil, constants, bands, exactness."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.computing.bands import BandRunner
from lfdfp.datatypes import FloatArray, LensletGrid, NoiseModel
from lfdfp.lenslets.table import lenslet_table
from lfdfp.lenslets.view_sampling import default_view_sampling
from lfdfp.reconstruction.bundle import RayBundle
from lfdfp.reconstruction.fine_grid import FineGrid
from lfdfp.reconstruction.observation import RayObservation, RayWeighting, footprint_taps
from lfdfp.reconstruction.ray_light import RayLight
from lfdfp.reconstruction.ray_marks import HIDDEN, MISSING, SATURATION_OFFSET
from lfdfp.reconstruction.solver.solver import RaySolver, Variation

SIZE = 120
COLORS = np.array([[2, 1], [1, 0]])


def geometry() -> LensletGrid:
    turn = 0.01
    cos, sin = np.cos(turn), np.sin(turn)
    right = 10 * np.array([sin, cos])
    down = 10 * np.array([cos * 0.75**0.5 + sin / 2, cos / 2 - sin * 0.75**0.5])
    return LensletGrid(
        origin_px=(60.2, 59.7),
        right_px=(right[0], right[1]),
        down_px=(down[0], down[1]),
        sensor_shape=(SIZE, SIZE),
    )


def observation(seed: int = 0, *, slope: float | None = None) -> RayObservation:
    rng = np.random.default_rng(seed)
    grid = geometry()
    fine = FineGrid(sampling=default_view_sampling(grid), k=4, margin=8)
    light = rng.uniform(0.1, 0.9, (SIZE, SIZE)).astype(np.float32)
    light[rng.random(light.shape) < 0.05] = MISSING
    slopes = rng.uniform(-1.5, 1.5, light.shape).astype(np.float32)
    if slope is not None:
        slopes[:] = slope
    slopes[rng.random(light.shape) < 0.05] = HIDDEN
    response = rng.uniform(0.3, 1, light.shape).astype(np.float32)
    rays = RayLight(
        light=light,
        response=response,
        colors=COLORS,
        gains=np.full((2, 2), 1 / 4000, np.float32),
        noise=NoiseModel(read_variance=20.0, shot_gain=0.7),
    )
    bundle = RayBundle(
        light=rays, lenslets=lenslet_table(grid), grid=fine, radius_px=4.2, runner=BandRunner()
    )
    return RayObservation.of(bundle, slopes, footprint_taps(1.5))


def picture(observation: RayObservation, seed: int = 1) -> FloatArray:
    rng = np.random.default_rng(seed)
    return rng.uniform(0.2, 0.8, (3, *observation.grid.shape)).astype(np.float32)


def used(observation: RayObservation) -> np.ndarray:
    """Where a ray touches the grid."""
    return observation.forward(np.ones((3, *observation.grid.shape), np.float32)) > 0


def test_forward_and_adjoint_agree() -> None:
    rays = observation()
    x = picture(rays)
    y = np.random.default_rng(2).standard_normal(rays.slopes.shape).astype(np.float32)
    left = np.vdot(rays.forward(x).astype(np.float64), y)
    right = np.vdot(x.astype(np.float64), rays.adjoint(y))
    assert left == pytest.approx(right, rel=1e-5)
    assert abs(left) > 1


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


def test_a_constant_picture_gives_constant_rays_and_comes_back() -> None:
    rays = observation()
    x = np.full((3, *rays.grid.shape), 0.37, np.float32)
    seen = rays.forward(x)
    touched = used(rays)
    assert touched.mean() > 0.3
    np.testing.assert_allclose(seen[touched], 0.37, rtol=1e-5)
    rays.light.light[...] = np.where(touched, np.float32(0.37), MISSING)
    equations = rays.normal_equations(x, RayWeighting())
    solver = RaySolver(rays, np.eye(3, dtype=np.float32))
    solved = solver.solve(equations, 0.5 * x, Variation(strength=100.0), iterations=300)
    np.testing.assert_allclose(rays.grid.inner(np.moveaxis(solved, 0, -1)), 0.37, rtol=0.01)


def test_noise_free_dense_rays_give_the_truth() -> None:
    rays = observation(slope=1.1)
    y, x = np.mgrid[0 : rays.grid.shape[0], 0 : rays.grid.shape[1]].astype(np.float32)
    truth = np.stack([0.5 + 0.2 * np.sin(0.35 * y + c) * np.cos(0.3 * x) for c in range(3)])
    truth = truth.astype(np.float32)
    touched = used(rays)
    rays.light.light[...] = np.where(touched, rays.forward(truth), MISSING)
    start = np.full_like(truth, 0.5)
    equations = rays.normal_equations(start, RayWeighting(robustness=1e30))
    solver = RaySolver(rays, np.eye(3, dtype=np.float32))
    solved = solver.solve(equations, start, Variation(strength=30.0, softening=1.0), iterations=100)
    error = rays.grid.inner(np.moveaxis(solved - truth, 0, -1))[12:-12, 12:-12]
    assert np.sqrt(np.mean(error**2)) < 0.002
    assert np.sqrt(np.mean(rays.grid.inner(np.moveaxis(truth - 0.5, 0, -1)) ** 2)) > 0.08


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


def test_the_operator_in_one_pass_is_data_and_prior_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rays = observation()
    solver = RaySolver(rays, np.array([[0.4, 0.3, 0.3], [1, 0, -1], [0.5, -1, 0.5]], np.float32))
    x = picture(rays)
    equations = rays.normal_equations(x, RayWeighting())
    probe = picture(rays, seed=3)
    prior = Variation(strength=50.0)
    by_data, by_prior = solver.images(equations, x, prior, probe)
    weights = solver._variation_weights(x, prior)
    whole, banded = np.empty_like(x), np.empty_like(x)
    product = solver._apply(equations, weights, probe, whole)
    np.testing.assert_allclose(whole, by_data + by_prior, rtol=1e-4, atol=1e-4 * whole.max())
    assert product == pytest.approx(np.vdot(probe.astype(np.float64), whole), rel=1e-5)
    monkeypatch.setattr("lfdfp.computing.bands._ROWS_PER_BAND", 7)
    solver._apply(equations, weights, probe, banded)
    np.testing.assert_array_equal(banded, whole)


@pytest.mark.parametrize("name", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_torch_solves_as_the_compiled_kernels(name: str) -> None:
    torch = pytest.importorskip("torch")
    if name == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    rays = observation()
    opponent = np.array([[0.4, 0.3, 0.3], [1, 0, -1], [0.5, -1, 0.5]], np.float32)
    x, prior = picture(rays), Variation(strength=50.0)
    equations = rays.normal_equations(x, RayWeighting())
    compiled, by_torch = (
        RaySolver(rays, opponent, device).solve(equations, x, prior, iterations=12)
        for device in (None, torch.device(name))
    )
    assert np.abs(compiled - x).max() > 0.05
    np.testing.assert_allclose(by_torch, compiled, atol=2e-4)


def test_a_tile_sees_what_the_whole_sees() -> None:
    rays = observation()
    rows, columns = slice(8, 32), slice(12, 36)
    tile = rays.on_grid(rays.grid.tile(rows, columns))
    assert tile.grid.shape == (24, 24)
    assert 0 < len(tile.bundle.places().origins) < len(rays.bundle.places().origins)
    np.testing.assert_allclose(
        tile.bundle.places().origins + np.array([rows.start, columns.start]),
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
