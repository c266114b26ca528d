"""Laws of the rays' linear system, and what solving it gives."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.datatypes import FloatArray
from lfdfp.evaluation.adjoint import dot_test
from lfdfp.reconstruction.observation import RayObservation, RayWeighting
from lfdfp.reconstruction.ray_marks import MISSING
from lfdfp.reconstruction.solver.system import BandSystem, RaySystem, Variation
from tests.factories.rays import observation, picture

PLAIN = np.eye(3, dtype=np.float32)
OPPONENT = np.array([[0.4, 0.3, 0.3], [1, 0, -1], [0.5, -1, 0.5]], np.float32)


def used(rays: RayObservation) -> np.ndarray:
    """Where a ray touches the grid."""
    return rays.forward(np.ones((3, *rays.grid.shape), np.float32)) > 0


def system_of(rays: RayObservation, x: FloatArray, strength: float = 50.0) -> RaySystem:
    equations = rays.normal_equations(x, RayWeighting())
    return RaySystem.at(x, rays, equations, Variation(strength=strength), OPPONENT)


def test_a_constant_picture_gives_constant_rays_and_comes_back() -> None:
    rays = observation()
    x = np.full((3, *rays.grid.shape), 0.37, np.float32)
    seen = rays.forward(x)
    touched = used(rays)
    assert touched.mean() > 0.3
    np.testing.assert_allclose(seen[touched], 0.37, rtol=1e-5)
    rays.light.light[...] = np.where(touched, np.float32(0.37), MISSING)
    equations = rays.normal_equations(x, RayWeighting())
    start, plain = 0.5 * x, np.eye(3, dtype=np.float32)
    system = RaySystem.at(start, rays, equations, Variation(strength=100.0), plain)
    solved = system.improved(start, 300)
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
    prior = Variation(strength=30.0, softening=1.0)
    system = RaySystem.at(start, rays, equations, prior, np.eye(3, dtype=np.float32))
    solved = system.improved(start, 100)
    error = rays.grid.inner(np.moveaxis(solved - truth, 0, -1))[12:-12, 12:-12]
    assert np.sqrt(np.mean(error**2)) < 0.002
    assert np.sqrt(np.mean(rays.grid.inner(np.moveaxis(truth - 0.5, 0, -1)) ** 2)) > 0.08


def test_the_operator_in_one_pass_is_data_and_prior_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rays = observation()
    x, probe = picture(rays), picture(rays, seed=3)
    system = system_of(rays, x)
    bands = BandSystem(system.operator_arrays(), np.ones_like(x), rays.runner)
    image, product = bands.image(probe)
    whole = image.copy()
    apart = system.by_data(probe) + system.by_prior(probe)
    np.testing.assert_allclose(whole, apart, rtol=1e-4, atol=1e-4 * whole.max())
    assert product == pytest.approx(np.vdot(probe.astype(np.float64), whole), rel=1e-5)
    monkeypatch.setattr("lfdfp.computing.bands._ROWS_PER_BAND", 7)
    np.testing.assert_array_equal(bands.image(probe)[0], whole)


def test_the_operator_is_symmetric() -> None:
    rays = observation()
    x = picture(rays)
    system = system_of(rays, x)
    bands = BandSystem(system.operator_arrays(), np.ones_like(x), rays.runner)

    def whole(direction: FloatArray) -> FloatArray:
        return bands.image(direction)[0]

    for part in (system.by_data, system.by_prior, whole):
        assert dot_test(part, part, x.shape, x.shape, np.random.default_rng(4)) < 1e-6


def test_without_a_prior_the_answer_is_that_of_the_rays_alone() -> None:
    rays = observation()
    system = system_of(rays, picture(rays), strength=0.0)
    probe = picture(rays, seed=6)
    assert not system.by_prior(probe).any()
    assert system.by_data(probe).any()


def test_inputs_stay_as_they_are() -> None:
    rays = observation()
    x = picture(rays)
    start = x.copy()
    system = system_of(rays, x)
    moment = system.equations.moment.copy()
    assert np.abs(system.improved(x, 3) - x).max() > 0
    np.testing.assert_array_equal(x, start)
    np.testing.assert_array_equal(system.equations.moment, moment)
