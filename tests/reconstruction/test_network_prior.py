"""SKIPnet on top of total variation: its two losses, and when it is left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from tests.fusion.test_observation import observation, picture

from lfdfp.datatypes import FloatArray
from lfdfp.reconstruction.network_prior import (
    RayNetworkSettings,
    add_network,
    negative_log_likelihood,
    total_variation,
)
from lfdfp.reconstruction.observation import RayWeighting
from lfdfp.reconstruction.solver.solver import RaySolver, Variation

OPPONENT = np.array([[0.4, 0.3, 0.3], [1, 0, -1], [0.5, -1, 0.5]], np.float32)


def test_the_likelihood_falls_along_the_normal_equations() -> None:
    rays = observation()
    x = picture(rays)
    equations = rays.normal_equations(x, RayWeighting())
    pull = rays.blur(equations.moment)
    tensor = torch.from_numpy(x).requires_grad_()
    likelihood = negative_log_likelihood(rays, equations, torch.device("cpu"))
    loss = likelihood(tensor)
    loss.backward()
    slope = rays.normal(equations, x) - pull
    assert tensor.grad is not None
    np.testing.assert_allclose(tensor.grad.numpy(), slope, rtol=1e-5, atol=1e-5 * slope.max())
    step = 1e-3 * picture(rays, seed=4)
    moved = likelihood(torch.from_numpy(x + step))
    curved = 0.5 * np.vdot(step, rays.normal(equations, step))
    expected = float(np.vdot(slope.astype(np.float64), step) + curved)
    np.testing.assert_allclose(float(moved - loss.detach()), expected, rtol=0.02)


def test_total_variation_pulls_as_the_solver_does() -> None:
    rays = observation()
    x = picture(rays)
    prior = Variation(strength=20.0, softening=0.05)
    equations = rays.normal_equations(x, RayWeighting())
    _, pull = RaySolver(rays, OPPONENT).images(equations, x, prior, x)
    tensor = torch.from_numpy(x).requires_grad_()
    total_variation(tensor, torch.from_numpy(OPPONENT), prior).backward()
    assert tensor.grad is not None
    np.testing.assert_allclose(tensor.grad.numpy(), pull, rtol=1e-3, atol=1e-3 * np.abs(pull).max())


def fitted(misfit_rises: bool) -> tuple[FloatArray, FloatArray, float]:
    rays = observation()
    x = picture(rays)
    quick = replace(RayNetworkSettings().network, iterations=4, check_every=2)
    seen = iter(range(100))
    made, gain = add_network(
        rays,
        rays.normal_equations(x, RayWeighting()),
        x,
        Variation(strength=20.0),
        OPPONENT,
        lambda candidate: 1.0 + (0.1 if misfit_rises else -0.1) * next(seen),
        RayNetworkSettings(network=quick),
        seed=0,
        device=torch.device("cpu"),
    )
    return x, made, gain


def test_a_network_that_predicts_no_better_is_left_out() -> None:
    x, made, gain = fitted(misfit_rises=True)
    assert gain == 0.0
    np.testing.assert_array_equal(made, x)


def test_a_network_that_predicts_better_is_used() -> None:
    x, made, gain = fitted(misfit_rises=False)
    assert gain > 0.0
    assert np.isfinite(made).all()
    assert made.min() >= 0.0
    assert np.abs(made - x).max() > 0.0
